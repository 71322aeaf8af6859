# SPDX-License-Identifier: Apache-2.0
"""LOCAL: what the gateway says of itself.

Lists of extensions, schemas and the like are constants of a service's release. They are read
once from the pod that responds first, so that they are those of the release that is run.
"""

import time
from typing import assert_never

from trio2o import microversion
from trio2o.model import Reply
from trio2o.ops import AnswerName

from .definitions import read_definition
from .deps import Deps
from .forward import json_reply
from .request import Request

CONSTANTS_S = 300.0
"""Seconds for which a constant is kept, so that an upgrade of the pods shows."""


async def answer(deps: Deps, request: Request, name: str) -> Reply:
    """Raises PodDidNotRespond when it is not known yet and no pod responds."""
    kind = AnswerName(name)
    match kind:
        case AnswerName.VERSION:
            ranges = await deps.registry.ranges()
            base = request.base.rpartition("/v")[0]
            own = microversion.version(request.service, base, ranges[request.service])
            return json_reply(200, own)
        case (
            AnswerName.EXTENSIONS
            | AnswerName.EXTENSION
            | AnswerName.RESOURCE_FILTERS
            | AnswerName.SCHEMA
            | AnswerName.IMPORT_INFO
        ):
            return await _constant(deps, request)
        case _ as never:
            assert_never(never)


async def _constant(deps: Deps, request: Request) -> Reply:
    key = (request.service, request.path, request.query)
    kept = deps.constants.get(key)
    if kept is not None and time.monotonic() < kept[0]:
        return kept[1]
    pods = [pod for pod in await deps.registry.pods() if pod.state != "disabled"]
    reply = await read_definition(deps, request, pods)
    if reply.status == 200:
        headers = tuple(pair for pair in reply.headers if "request-id" not in pair[0].lower())
        reply = Reply(reply.status, headers, reply.body)
        deps.constants[key] = (time.monotonic() + CONSTANTS_S, reply)
        if len(deps.constants) > 1000:
            deps.constants.clear()
    return reply

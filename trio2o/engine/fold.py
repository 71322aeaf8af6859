# SPDX-License-Identifier: Apache-2.0
"""AGGREGATE: every pod is asked, and the bodies become one."""

import asyncio
from collections.abc import Sequence
from typing import Any

from trio2o import fold
from trio2o.errors import PodDidNotRespond, PodError
from trio2o.model import Pod, Reply

from .deps import Deps
from .forward import ask, json_reply, parsed, with_missing
from .request import Request


async def aggregate(
    deps: Deps, request: Request, pods: Sequence[Pod], unasked: Sequence[Pod]
) -> Reply:
    """The folded body.  A pod's refusal (4xx) is the answer; silent pods are named.

    Raises PodDidNotRespond when no pod responds, or one does not and the caller is strict.
    """

    async def one(pod: Pod) -> Reply | None:
        try:
            return await ask(deps, request, pod, deadline_s=deps.settings.pods.list_deadline_s)
        except PodError:
            return None

    replies = await asyncio.gather(*(one(pod) for pod in pods))
    bodies: list[tuple[Pod, Any]] = []
    missing = [pod.name for pod in unasked]
    status = 200
    for pod, reply in zip(pods, replies, strict=True):
        if reply is None or reply.status >= 500:
            missing.append(pod.name)
        elif reply.status >= 400:
            return reply
        else:
            bodies.append((pod, parsed(reply)))
            status = reply.status
    if missing and (request.strict or not bodies):
        raise PodDidNotRespond(
            missing[0], f"{', '.join(missing)} did not respond.", may_have_acted=False
        )
    folded = fold.fold(
        request.op.fold,
        bodies,
        query=request.query,
        params=request.params,
        base=request.base,
    )
    return with_missing(json_reply(status, folded), missing)

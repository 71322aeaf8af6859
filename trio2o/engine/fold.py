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


class _Refused(Exception):
    """A pod answered with an error: that is the answer."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.status)
        self.reply = reply


async def aggregate(
    deps: Deps, request: Request, pods: Sequence[Pod], unasked: Sequence[Pod]
) -> Reply:
    """The folded body.  A pod's refusal (4xx) is the answer; silent pods are named.

    Raises PodDidNotRespond when no pod responds, or one does not and the caller is strict.
    """
    try:
        read = await asyncio.gather(*(_bodies(deps, request, pod) for pod in pods))
    except _Refused as refused:
        return refused.reply
    missing = [pod for pod, bodies in zip(pods, read, strict=True) if bodies is None]
    missing += unasked
    bodies = [(pod, body) for pod, some in zip(pods, read, strict=True) for body in some or ()]
    names = [pod.name for pod in missing]
    if missing and (request.strict or not bodies):
        raise PodDidNotRespond(
            names[0], f"{', '.join(names)} did not respond.", may_have_acted=False
        )
    folded = fold.fold(
        request.op.fold,
        bodies,
        query=request.query,
        params=request.params,
        version=request.version,
        base=request.base,
        missing=missing,
    )
    return with_missing(json_reply(200, folded), names)


async def _bodies(deps: Deps, request: Request, pod: Pod) -> list[Any] | None:
    """All that one pod has to say; None if it does not respond.  Raises _Refused."""
    bodies: list[Any] = []
    query: str | None = fold.pod_query(request.op.fold, request.query, request.version)
    while query is not None:
        try:
            reply = await ask(
                deps,
                request,
                pod,
                query=query,
                deadline_s=deps.settings.pods.list_deadline_s,
            )
        except PodError:
            return None
        if reply.status >= 500:
            return None
        if reply.status >= 400:
            raise _Refused(reply)
        bodies.append(parsed(reply))
        query = fold.next_query(request.op.fold, bodies[-1])
    return bodies

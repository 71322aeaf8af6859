# SPDX-License-Identifier: Apache-2.0
"""Fetch, decide, do.

``Engine.run`` looks up what the operation's row needs, lets ``plan`` decide, and carries out
the decision. This package does I/O and decides nothing about routing.
"""

from typing import assert_never

from trio2o import plan as decisions
from trio2o.model import Reply
from trio2o.refs import needs

from .create import create
from .definitions import read_definition, write_definition
from .deps import Deps
from .fold import aggregate
from .forward import forward, forward_all
from .gather import gather
from .local import answer
from .request import Request

__all__ = ["Deps", "Engine", "Request"]


class Engine:
    """Carries out operations on the pods."""

    def __init__(self, deps: Deps) -> None:
        self.deps = deps

    async def run(self, request: Request) -> Reply:
        """The reply to ``request``.  Raises Trio2oError for what has no reply of a pod."""
        deps = self.deps
        pods = await deps.registry.pods()
        needed = needs(request.op, request.params, request.document, request.query)
        owners = await deps.locator.owners(needed, request, pods) if needed else {}
        decision = decisions.plan(request.op, needed, decisions.Known(pods, owners))
        match decision:
            case decisions.Forward(pod):
                return await forward(deps, request, pod)
            case decisions.ForwardAll(holders):
                return await forward_all(deps, request, holders)
            case decisions.Gather(asked, unasked):
                return await gather(deps, request, asked, unasked)
            case decisions.Place():
                return await create(deps, request, decision)
            case decisions.Fold(asked, unasked):
                return await aggregate(deps, request, asked, unasked)
            case decisions.ReadDefinition(asked):
                return await read_definition(deps, request, asked)
            case decisions.WriteDefinition(asked):
                return await write_definition(deps, request, asked)
            case decisions.Answer(name):
                return await answer(deps, request, name)
            case _ as never:
                assert_never(never)

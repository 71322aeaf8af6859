# SPDX-License-Identifier: Apache-2.0
"""The whole of ``trio2o api`` as one ASGI application: which path goes to which door."""

import logging
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import orjson
from prometheus_client import CONTENT_TYPE_LATEST

from trio2o import fault
from trio2o.engine import Deps, Engine
from trio2o.engine.build import build
from trio2o.errors import NotOffered, Trio2oError
from trio2o.match import Matcher
from trio2o.metrics import exposition
from trio2o.model import Reply, Service
from trio2o.ops.tables import TABLES
from trio2o.pods.identity import IdentityService
from trio2o.pods.transport import Transport
from trio2o.settings import Settings

from .admin import create_admin_app
from .gateway import MOUNTS, Gateway, Receive, Scope, Send

LOG = logging.getLogger(__name__)
Door = Callable[[Scope, Receive, Send], Awaitable[None]]
NO_NETWORK = (
    "This region has no network service yet. Use the network service of the pod, or ask the "
    "operator to set [network] endpoint."
)


class App:
    """deps: of the running application, for tests and benchmarks."""

    def __init__(self, deps: Deps) -> None:
        self.deps = deps
        engine = Engine(deps)
        matcher = Matcher(TABLES)
        self._doors: dict[str, Door] = {
            name: Gateway(mount, engine, matcher) for name, mount in MOUNTS.items()
        }
        self._doors["network"] = self._network
        self._doors["healthz"] = self._health
        self._doors["readyz"] = self._ready
        self._doors["metrics"] = self._metrics
        self._admin: Door = create_admin_app(deps)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
            return
        if scope["type"] != "http":
            return  # no websockets here: the server closes them
        first = scope["path"].split("/", 2)[1] if scope["path"] else ""
        await self._doors.get(first, self._admin)(scope, receive, send)

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                await send({"type": "lifespan.startup.complete"})
            else:
                await self.close()
                await send({"type": "lifespan.shutdown.complete"})
                return

    async def close(self) -> None:
        await self.deps.settle()
        await self.deps.client.close()
        await self.deps.identity.close()
        self.deps.db.close()

    async def _network(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        await _reply(send, fault.reply(Service.NETWORK, NotOffered(NO_NETWORK)))

    async def _health(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        """The process is alive, and how the pods look from here."""
        pods = [
            {"pod": state.pod_name, "service": state.service, "circuit": state.circuit}
            for state in self.deps.client.health.states()
        ]
        await _reply(send, _json(200, {"status": "ok", "pods": pods}))

    async def _ready(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        """Whether requests can be served now: the database is there, and Keystone."""
        try:
            self.deps.registry.forget()
            await self.deps.registry.pods()
            await self.deps.identity.service_token()
        except Trio2oError as error:
            await _reply(send, _json(503, {"status": error.code, "message": error.message}))
            return
        await _reply(send, _json(200, {"status": "ok"}))

    async def _metrics(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        body = exposition(self.deps.client.health.states())
        await _reply(send, Reply(200, (("Content-Type", CONTENT_TYPE_LATEST),), body))


def create_app(
    settings: Settings,
    *,
    identity: IdentityService | None = None,
    transport: Transport | None = None,
) -> App:
    """The application. identity, transport: see engine.build.  Raises Misconfigured."""
    return App(build(settings, identity=identity, transport=transport))


def _json(status: int, document: Any) -> Reply:
    return Reply(status, (("Content-Type", "application/json"),), orjson.dumps(document))


async def _reply(send: Send, reply: Reply) -> None:
    headers = [(k.lower().encode(), v.encode()) for k, v in reply.headers]
    headers.append((b"content-length", str(len(reply.body)).encode()))
    start: MutableMapping[str, Any] = {
        "type": "http.response.start",
        "status": reply.status,
        "headers": headers,
    }
    await send(start)
    await send({"type": "http.response.body", "body": reply.body})

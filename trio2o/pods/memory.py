# SPDX-License-Identifier: Apache-2.0
"""Pods in this process: the transport of tests, benchmarks and demonstrations."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, MutableMapping
from typing import Any
from urllib.parse import unquote, urlsplit

from trio2o.model import Headers, Reply

from .transport import HOP_BY_HOP, Body, NoReply

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
AsgiApp = Callable[[Scope, Receive, Send], Awaitable[None]]


class AsgiTransport:
    """Sends to ASGI applications by the ``host:port`` of the URL; others are refused.

    apps: may change while in use: taking a pod out is switching it off.
    """

    def __init__(self, apps: Mapping[str, AsgiApp], *, idle_s: float = 60.0) -> None:
        self.apps = apps
        self._idle_s = idle_s
        self._running: set[asyncio.Task[None]] = set()

    async def send(
        self,
        method: str,
        url: str,
        headers: Headers,
        body: Body,
        *,
        connect_s: float,  # noqa: ARG002  there is nothing to connect
        deadline_s: float,
        stream: bool,
    ) -> Reply:
        parts = urlsplit(url)
        app = self.apps.get(parts.netloc)
        if app is None:
            raise NoReply("Connection refused", may_have_acted=False)
        exchange = _Exchange(body)
        scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.4"},
            "http_version": "1.1",
            "method": method,
            "scheme": parts.scheme,
            "path": unquote(parts.path),
            "raw_path": parts.path.encode(),
            "query_string": parts.query.encode(),
            "root_path": "",
            "headers": [
                (b"host", parts.netloc.encode()),
                *(
                    (name.encode("latin-1"), value.encode("latin-1"))
                    for name, value in headers.items()
                ),
            ],
            "server": (parts.hostname, parts.port),
            "client": ("127.0.0.1", 0),
        }
        task = asyncio.create_task(exchange.run(app, scope))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        download = _Download(exchange, task, self._idle_s)
        try:
            async with asyncio.timeout(deadline_s):
                status, kept = await exchange.started
                if stream:
                    return Reply(status, kept, stream=download)
                return Reply(status, kept, b"".join([chunk async for chunk in download]))
        except TimeoutError:
            task.cancel()
            raise NoReply(f"timed out ({deadline_s:.3g} s)", may_have_acted=True) from None
        except BaseException:
            task.cancel()
            if exchange.upload_error is not None:
                raise exchange.upload_error from None
            raise

    async def close(self) -> None:
        for task in self._running:
            task.cancel()
        if self._running:
            await asyncio.wait(set(self._running))


class _Exchange:
    """Both halves of one ASGI conversation."""

    def __init__(self, body: Body) -> None:
        self._body = body
        self._sent_all = False
        loop = asyncio.get_running_loop()
        self.started: asyncio.Future[tuple[int, tuple[tuple[str, str], ...]]] = (
            loop.create_future()
        )
        self.chunks: asyncio.Queue[bytes | NoReply | None] = asyncio.Queue(maxsize=8)
        self.upload_error: BaseException | None = None

    async def run(self, app: AsgiApp, scope: Scope) -> None:
        try:
            await app(scope, self._receive, self._send)
        except Exception as error:  # noqa: BLE001  the edge of another process, so to say
            broken = NoReply(f"the connection was closed ({error!r})", may_have_acted=True)
            if not self.started.done():
                self.started.set_exception(broken)
            else:
                await self.chunks.put(broken)
            return
        if not self.started.done():
            self.started.set_exception(NoReply("it sent no reply", may_have_acted=True))

    async def _receive(self) -> Message:
        if self._sent_all:
            await asyncio.Event().wait()  # until the connection goes, that is: the task
        if self._body is None or isinstance(self._body, bytes):
            self._sent_all = True
            return {"type": "http.request", "body": self._body or b"", "more_body": False}
        try:
            chunk = await anext(self._body)
        except StopAsyncIteration:
            self._sent_all = True
            return {"type": "http.request", "body": b"", "more_body": False}
        except BaseException as error:
            self.upload_error = error
            raise
        return {"type": "http.request", "body": chunk, "more_body": True}

    async def _send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            kept = tuple(
                (name.decode("latin-1"), value.decode("latin-1"))
                for name, value in message.get("headers", ())
                if name.decode("latin-1").lower() not in HOP_BY_HOP
            )
            self.started.set_result((message["status"], kept))
            return
        if message.get("body"):
            await self.chunks.put(message["body"])
        if not message.get("more_body", False):
            await self.chunks.put(None)


class _Download:
    def __init__(self, exchange: _Exchange, task: asyncio.Task[None], idle_s: float) -> None:
        self._exchange = exchange
        self._task = task
        self._idle_s = idle_s

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        try:
            async with asyncio.timeout(self._idle_s):
                chunk = await self._exchange.chunks.get()
        except TimeoutError:
            self._task.cancel()
            raise NoReply(f"no data for {self._idle_s:g} s", may_have_acted=True) from None
        if chunk is None:
            raise StopAsyncIteration
        if isinstance(chunk, NoReply):
            raise chunk
        return chunk

    async def aclose(self) -> None:
        self._task.cancel()

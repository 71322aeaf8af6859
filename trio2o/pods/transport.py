# SPDX-License-Identifier: Apache-2.0
"""One HTTP exchange, over the network or in memory.

Knows HTTP and time; knows nothing of pods, tokens, retries by policy, or health.

The deadline of an exchange runs until the reply is whole. Of a streamed reply it runs until the
headers, then every chunk has ``idle_s``. Of a streamed request every chunk that the other side
takes has ``idle_s``, and the deadline starts when the last is sent; time in which *our* caller
does not deliver the next chunk does not count.
"""

import asyncio
import functools
import math
import os
import ssl
import weakref
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any, Protocol

import aiohttp
from yarl import URL

from trio2o.model import Headers, Reply

# RFC 9110 section 7.6.1, and what proxies add to it.
HOP_BY_HOP = frozenset(
    {
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)

Body = bytes | AsyncIterator[bytes] | None


class NoReply(Exception):
    """No reply came.

    may_have_acted: False only if nothing of the request was sent.
    """

    def __init__(self, message: str, *, may_have_acted: bool) -> None:
        super().__init__(message)
        self.message = message
        self.may_have_acted = may_have_acted


class Transport(Protocol):
    async def send(
        self,
        method: str,
        url: str,
        headers: Headers,
        body: Body,
        *,
        connect_s: float,
        deadline_s: float,
        stream: bool,
    ) -> Reply:
        """The reply of whatever status.

        url: absolute, percent-encoded; goes out as it is.
        headers: complete except Host and the framing; Content-Length counts for a streamed body.
        stream: leave the body in ``Reply.stream``, which raises NoReply when it breaks off, and
            which the caller reads to its end or closes with ``aclose()``.

        Raises NoReply; and whatever iterating ``body`` raises.
        """
        ...

    async def close(self) -> None: ...


class _Upload:
    """A streamed request body that keeps the clock of its exchange.

    error: what iterating the caller's body raised.
    timed: while the exchange waits for its reply.
    """

    def __init__(
        self, body: AsyncIterator[bytes], timer: asyncio.Timeout, idle_s: float, deadline_s: float
    ) -> None:
        self._body = body
        self._timer = timer
        self._idle_s = idle_s
        self._deadline_s = deadline_s
        self.error: BaseException | None = None
        self.timed = True

    def _clock(self, seconds: float | None) -> None:
        """Stop the clock (None) or set it anew, unless it ran out or the reply is here already."""
        if self.timed and not self._timer.expired():
            when = None if seconds is None else asyncio.get_running_loop().time() + seconds
            self._timer.reschedule(when)

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        body = aiter(self._body)
        while True:
            self._clock(None)
            try:
                chunk = await anext(body)
            except StopAsyncIteration:
                break
            except BaseException as error:
                self.error = error
                raise
            self._clock(self._idle_s)
            yield chunk
        self._clock(self._deadline_s)


class _Attempt:
    """Client middleware of one call: knows how far it came, and repeats what is safe to.

    aiohttp by itself would repeat PUT and DELETE too when a kept connection turns out dead; a
    DELETE that was done and repeated says 404. So nothing that it repeats may leave here.
    """

    def __init__(self, used: "weakref.WeakSet[Any]", *, repeatable: bool) -> None:
        self._used = used
        self._repeatable = repeatable
        self.sent = False
        self.connection: object = None

    async def __call__(
        self, request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
    ) -> aiohttp.ClientResponse:
        if isinstance(request, _Request):  # the session makes no other
            request.attempt = self
        while True:
            try:
                response = await handler(request)
            except aiohttp.ConnectionTimeoutError:
                raise NoReply("no connection in time", may_have_acted=self.sent) from None
            except (
                ConnectionError,
                aiohttp.ClientOSError,
                aiohttp.ServerDisconnectedError,
            ) as error:
                if self._repeatable and self.connection in self._used:
                    self._repeatable = False
                    self.connection = None
                    continue
                raise NoReply(_reason(error), may_have_acted=self.sent) from error
            except aiohttp.ClientError as error:
                raise NoReply(_reason(error), may_have_acted=self.sent) from error
            if self.connection is not None:
                self._used.add(self.connection)
            return response


class _Request(aiohttp.ClientRequest):
    """Tells its attempt that a connection was got and the request is being sent on it."""

    attempt: _Attempt

    async def send(self, conn: Any) -> aiohttp.ClientResponse:
        self.attempt.connection = conn.protocol
        self.attempt.sent = True
        return await super().send(conn)


@functools.lru_cache(maxsize=64)
def _connect_timeout(connect_s: float) -> aiohttp.ClientTimeout:
    return aiohttp.ClientTimeout(
        total=None, connect=connect_s, sock_read=None, ceil_threshold=math.inf
    )


class AiohttpTransport:
    """HTTP/1.1 over the network, with kept connections.

    keepalive_s: an idle connection is not used after that long; keep it below what the pods'
        servers do (Apache: 5), or a request may meet a connection that is just being closed.
    max_body_bytes: of a reply that is not streamed.
    tls: for https; None takes the system's authorities.
    """

    def __init__(
        self,
        *,
        idle_s: float = 60.0,
        keepalive_s: float = 4.0,
        max_body_bytes: int = 64 * 2**20,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._idle_s = idle_s
        self._keepalive_s = keepalive_s
        self._max_body_bytes = max_body_bytes
        self._tls = tls
        self._used: weakref.WeakSet[Any] = weakref.WeakSet()
        self._session: aiohttp.ClientSession | None = None

    def _open(self) -> aiohttp.ClientSession:
        """The session, made when there is a running loop. Limits are the callers' (health.py)."""
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(
                    limit=0,
                    limit_per_host=0,
                    keepalive_timeout=self._keepalive_s,
                    ttl_dns_cache=30,
                    ssl=self._tls if self._tls is not None else True,
                ),
                cookie_jar=aiohttp.DummyCookieJar(),
                request_class=_Request,
                auto_decompress=False,
                requote_redirect_url=False,
                trust_env=False,
                skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding", "Content-Type"),
                max_line_size=16 * 1024,
                max_field_size=16 * 1024,
            )
        return self._session

    async def send(
        self,
        method: str,
        url: str,
        headers: Headers,
        body: Body,
        *,
        connect_s: float,
        deadline_s: float,
        stream: bool,
    ) -> Reply:
        repeatable = method in ("GET", "HEAD") and (body is None or isinstance(body, bytes))
        attempt = _Attempt(self._used, repeatable=repeatable)
        upload: _Upload | None = None
        try:
            async with asyncio.timeout(deadline_s) as timer:
                data: Any = body
                if body is not None and not isinstance(body, bytes):
                    upload = _Upload(body, timer, self._idle_s, deadline_s)
                    data = upload.chunks()
                response = await self._open().request(
                    method,
                    URL(url, encoded=True),
                    headers=_sendable(headers),
                    data=data,
                    allow_redirects=False,
                    timeout=_connect_timeout(min(connect_s, deadline_s)),
                    middlewares=(attempt,),
                )
                if upload is not None:
                    upload.timed = False
                    timer.reschedule(asyncio.get_running_loop().time() + deadline_s)
                if stream:
                    return Reply(
                        response.status, _kept(response), stream=_Download(response, self._idle_s)
                    )
                return Reply(response.status, _kept(response), await self._read(response))
        except TimeoutError:
            late = "timed out" if attempt.sent else "no connection in time"
            raise NoReply(f"{late} ({deadline_s:.3g} s)", may_have_acted=attempt.sent) from None
        except (NoReply, aiohttp.ClientError, OSError) as error:
            if upload is not None and upload.error is not None:
                raise upload.error from None
            if isinstance(error, NoReply):
                raise
            raise NoReply(_reason(error), may_have_acted=attempt.sent) from error

    async def _read(self, response: aiohttp.ClientResponse) -> bytes:
        chunks = []
        size = 0
        try:
            while chunk := await response.content.readany():
                chunks.append(chunk)
                size += len(chunk)
                self._check_size(size)
        except BaseException:
            response.close()
            raise
        return chunks[0] if len(chunks) == 1 else b"".join(chunks)

    def _check_size(self, size: int) -> None:
        if size > self._max_body_bytes:
            raise NoReply(
                f"the reply is longer than {self._max_body_bytes} bytes", may_have_acted=True
            )

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None


class _Download:
    """The chunks of a reply's body. Closing it before its end closes the connection."""

    def __init__(self, response: aiohttp.ClientResponse, idle_s: float) -> None:
        self._response = response
        self._idle_s = idle_s

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        try:
            async with asyncio.timeout(self._idle_s):
                chunk = await self._response.content.readany()
        except TimeoutError:
            self._response.close()
            raise NoReply(f"no data for {self._idle_s:g} s", may_have_acted=True) from None
        except (aiohttp.ClientError, OSError) as error:
            self._response.close()
            raise NoReply(f"broke off: {_reason(error)}", may_have_acted=True) from error
        except BaseException:
            self._response.close()
            raise
        if not chunk:
            raise StopAsyncIteration
        return chunk

    async def aclose(self) -> None:
        self._response.close()


def _sendable(headers: Headers) -> Headers:
    """``headers`` so that aiohttp, which sends UTF-8, sends the bytes that came as Latin-1."""
    if all(value.isascii() for value in headers.values()):
        return headers
    return {name: _as_utf8(value) for name, value in headers.items()}


def _as_utf8(value: str) -> str:
    try:
        return value.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return value


def _kept(response: aiohttp.ClientResponse) -> tuple[tuple[str, str], ...]:
    raw = response.raw_headers
    drop = HOP_BY_HOP
    connection = response.headers.get("Connection")
    if connection is not None:
        drop = drop.union(name.strip().lower() for name in connection.split(","))
    return tuple(
        (name, raw_value.decode("latin-1"))
        for raw_name, raw_value in raw
        if (name := raw_name.decode("latin-1")).lower() not in drop
    )


def _reason(error: BaseException) -> str:
    """What went wrong, for a person, without the URL."""
    match error:
        case aiohttp.ClientConnectorCertificateError():
            return f"its certificate is not trusted: {error.certificate_error}"
        case aiohttp.ClientConnectorSSLError():
            return f"TLS failed: {error.strerror}"
        case aiohttp.ClientConnectorDNSError():
            return "its host name does not resolve"
        case aiohttp.ClientConnectorError():
            return os.strerror(error.errno) if error.errno else str(error.os_error)
        case aiohttp.ServerDisconnectedError():
            return "the connection was closed"
        case aiohttp.ClientResponseError():
            return f"not HTTP: {error.message}"
        case OSError() if error.strerror:
            return error.strerror
        case _:
            return str(error) or type(error).__name__

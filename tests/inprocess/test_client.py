# SPDX-License-Identifier: Apache-2.0
"""Calls to a pod whose server does everything that a server can do wrong."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime

import pytest

from trio2o.errors import PodDidNotRespond, PodUnusable
from trio2o.model import Caller, Pod, PodState, Reply, Service
from trio2o.pods.client import PodClient
from trio2o.pods.health import Circuit, Health, Limits
from trio2o.pods.memory import AsgiApp, AsgiTransport, Receive, Scope, Send
from trio2o.pods.transport import AiohttpTransport, Transport

pytestmark = pytest.mark.anyio

MOMENT = datetime(2026, 1, 1, tzinfo=UTC)
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
Script = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def pod(name: str = "Pod1") -> Pod:
    return Pod(
        id=name,
        number=1,
        name=name,
        az_name="az1",
        pod_az_name="nova",
        dc_name="",
        state=PodState.ENABLED,
        tags=frozenset(),
        generation=1,
        created_at=MOMENT,
        updated_at=MOMENT,
    )


CALLER = Caller(
    user_id="u",
    project_id="p" * 32,
    project_name="demo",
    user_name="demo",
    domain_id="",
    roles=frozenset({"member"}),
    token="secret",
    expires_at=MOMENT,
    service_token="nova's",
)


class Endpoints:
    """A catalogue that a test writes."""

    def __init__(self, **urls: str) -> None:
        self.urls = urls
        self.forgotten: list[str] = []

    async def endpoint(self, pod: Pod, service: Service) -> str:  # noqa: ARG002
        return self.urls[pod.name]

    async def forget(self, pod: Pod) -> None:
        self.forgotten.append(pod.name)


class Server:
    """Runs one script per connection, and keeps what it was sent."""

    def __init__(self, *scripts: Script) -> None:
        self._scripts = list(scripts)
        self.requests: list[bytes] = []
        self.connections = 0

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        script = self._scripts.pop(0) if len(self._scripts) > 1 else self._scripts[0]
        try:
            with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
                await script(reader, writer)
        finally:
            writer.close()

    async def head(self, reader: asyncio.StreamReader) -> bytes:
        head = await reader.readuntil(b"\r\n\r\n")
        self.requests.append(head)
        return head


@contextlib.asynccontextmanager
async def served(
    server: Server,
    *,
    limits: Limits | None = None,
    idle_s: float = 5.0,
    max_body_bytes: int = 10**6,
) -> AsyncIterator[PodClient]:
    listener = await asyncio.start_server(server, "127.0.0.1", 0)
    host, port = listener.sockets[0].getsockname()
    client = PodClient(
        Endpoints(Pod1=f"http://{host}:{port}/v2.1"),
        AiohttpTransport(idle_s=idle_s, max_body_bytes=max_body_bytes),
        Health(limits, jitter=lambda: 0.5),
        connect_s=1.0,
    )
    try:
        yield client
    finally:
        await client.close()
        listener.close()


async def get(client: PodClient, *, deadline_s: float = 5.0, stream: bool = False) -> Reply:
    return await client.call(
        pod(), Service.COMPUTE, "GET", "/servers", deadline_s=deadline_s, stream=stream
    )


async def close(reply: Reply) -> None:
    assert reply.stream is not None
    await reply.stream.aclose()  # type: ignore[attr-defined]


def serving(answer: bytes, server: list[Server], *, times: int = 1, hang: bool = False) -> Script:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in range(times):
            await server[0].head(reader)
            writer.write(answer)
            await writer.drain()
        if hang:
            await reader.read()

    return script


def make(answer: bytes, *, times: int = 1, hang: bool = False) -> Server:
    box: list[Server] = []
    box.append(Server(serving(answer, box, times=times, hang=hang)))
    return box[0]


async def test_a_reply_of_any_status_is_a_value_and_passes_byte_for_byte() -> None:
    body = b"\x1f\x8b not really gzip"
    answer = (
        b"HTTP/1.1 418 Teapot\r\nContent-Encoding: gzip\r\nX-One: a\r\nX-One: b\r\n"
        b"Connection: close, X-Hop\r\nX-Hop: 1\r\nKeep-Alive: 5\r\nX-Latin: \xe9\r\n"
        b"Content-Length: %d\r\n\r\n%s" % (len(body), body)
    )
    async with served(make(answer)) as client:
        reply = await get(client)
    assert reply == Reply(
        418,
        (
            ("Content-Encoding", "gzip"),
            ("X-One", "a"),
            ("X-One", "b"),
            ("X-Latin", "\xe9"),
            ("Content-Length", str(len(body))),
        ),
        body,
    )


async def test_a_redirect_is_not_followed_and_a_cookie_not_kept() -> None:
    answer = (
        b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nSet-Cookie: a=b\r\n"
        b"Content-Length: 0\r\n\r\n"
    )
    server = make(answer, times=2)
    async with served(server) as client:
        assert (await get(client)).status == 302
        assert (await get(client)).header("location") == "http://127.0.0.1:1/"
    assert b"ookie" not in server.requests[1]


async def test_what_a_pod_is_sent() -> None:
    server = make(OK)
    async with served(server) as client:
        await client.call(
            pod(),
            Service.COMPUTE,
            "POST",
            "/servers/a%2Fb",
            query="x=%20&y",
            headers={
                "host": "gateway",
                "content-length": "999",
                "transfer-encoding": "chunked",
                "x-project-id": "other",
                "x-roles": "admin",
                "x-user-id": "root",
                "x-service-roles": "service",
                "x-service-token": "not the one that was checked",
                "x-is-admin-project": "True",
                "x-forwarded-for": "1.2.3.4",
                "x-trio2o-consistency": "strict",
                "x-openstack-request-id": "req-of-the-client",
                "x-auth-token": "stale",
                "x-openstack-nova-api-version": "2.90",
                "content-type": "application/json",
                "x-name": "\xc3\xa9",
            },
            body=b'{"a": 1}',
            caller=CALLER,
            request_id="req-ours",
            deadline_s=5.0,
        )
    line, *headers = server.requests[0].decode().rstrip().split("\r\n")
    assert line == "POST /v2.1/servers/a%2Fb?x=%20&y HTTP/1.1"
    sent = dict(header.split(": ", 1) for header in headers)
    assert sent.pop("Host").startswith("127.0.0.1:")
    assert {name.lower(): value for name, value in sent.items()} == {
        "content-type": "application/json",
        "x-name": "é",
        "x-openstack-nova-api-version": "2.90",
        "x-auth-token": "secret",
        "x-service-token": "nova's",
        "x-openstack-request-id": "req-ours",
        "content-length": "8",
    }


async def test_a_refused_connection_cannot_have_acted() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        endpoints = Endpoints(Pod1=f"http://127.0.0.1:{unused.getsockname()[1]}")
        client = PodClient(endpoints, AiohttpTransport(), Health())
        with pytest.raises(PodDidNotRespond, match=r"Pod1 did not respond: .*refused") as caught:
            await get(client)
        await client.close()
    assert not caught.value.may_have_acted
    assert endpoints.forgotten == ["Pod1"]


async def test_a_host_without_a_name_cannot_have_acted() -> None:
    client = PodClient(
        Endpoints(Pod1="http://no-such-host.invalid:8774"), AiohttpTransport(), Health()
    )
    with pytest.raises(PodDidNotRespond, match="does not resolve") as caught:
        await get(client)
    await client.close()
    assert not caught.value.may_have_acted


async def test_a_connection_that_is_not_taken_cannot_have_acted() -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        address = full.getsockname()
        filling = []
        for _ in range(8):  # until the backlog is full and the next one hangs
            one = socket.socket()
            one.setblocking(False)
            one.connect_ex(address)
            filling.append(one)
        client = PodClient(
            Endpoints(Pod1=f"http://127.0.0.1:{address[1]}"),
            AiohttpTransport(),
            Health(),
            connect_s=0.2,
        )
        with pytest.raises(PodDidNotRespond, match="no connection in time") as caught:
            await get(client)
        assert not caught.value.may_have_acted
        with pytest.raises(PodDidNotRespond) as caught:
            await get(client, deadline_s=0.1)
        assert not caught.value.may_have_acted
        await client.close()
        for one in filling:
            one.close()


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 200 OK\r\n", OK[:-1]])
async def test_a_server_that_hangs_may_have_acted(answer: bytes) -> None:
    async with served(make(answer, hang=True)) as client:
        with pytest.raises(PodDidNotRespond, match=r"timed out \(0.2 s\)") as caught:
            await get(client, deadline_s=0.2)
    assert caught.value.may_have_acted


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(b"", id="closes at once"),
        pytest.param(b"HTTP/1.1 200 OK\r\n", id="closes in the headers"),
        pytest.param(OK[:-1], id="closes in the body"),
        pytest.param(b"SSH-2.0-OpenSSH_9.2\r\n", id="is not HTTP"),
        pytest.param(b"HTTP/1.1 200 OK\r\nX-Big: " + b"x" * 20000 + b"\r\n\r\n", id="big header"),
        pytest.param(CHUNKED + b"zz\r\n", id="bad chunk"),
    ],
)
async def test_a_server_that_answers_rubbish_may_have_acted(answer: bytes) -> None:
    server = make(answer)
    async with served(server) as client:
        with pytest.raises(PodDidNotRespond) as caught:
            await get(client)
    assert caught.value.may_have_acted
    assert server.connections == 1


async def test_a_reset_may_have_acted() -> None:
    async def reset(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        linger = b"\x01\0\0\0\0\0\0\0"
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)

    async with served(Server(reset)) as client:
        with pytest.raises(PodDidNotRespond) as caught:
            await get(client)
    assert caught.value.may_have_acted


async def test_an_endless_body_is_cut_off() -> None:
    async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(CHUNKED)
        while not writer.is_closing():
            writer.write(b"10000\r\n" + b"x" * 0x10000 + b"\r\n")
            await writer.drain()

    async with served(Server(endless)) as client:
        with pytest.raises(PodDidNotRespond, match="longer than 1000000 bytes"):
            await get(client)


async def closed_after_one(
    server: Server, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """Answers, keeps the connection, reads the next request and closes without a word."""
    await server.head(reader)
    writer.write(OK)
    await server.head(reader)


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_a_read_on_a_dead_kept_connection_is_repeated(method: str) -> None:
    server = Server()
    server._scripts = [
        lambda r, w: closed_after_one(server, r, w),
        serving(OK if method == "GET" else OK[:-2], [server]),
    ]
    async with served(server) as client:
        assert (await get(client)).body == b"ok"
        reply = await client.call(pod(), Service.COMPUTE, method, "/servers", deadline_s=5.0)
    assert reply.status == 200
    assert server.connections == 2
    assert len(server.requests) == 3


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
async def test_a_write_is_never_repeated(method: str) -> None:
    server = Server()
    server._scripts = [lambda r, w: closed_after_one(server, r, w), serving(OK, [server])]
    async with served(server) as client:
        await get(client)
        with pytest.raises(PodDidNotRespond) as caught:
            await client.call(pod(), Service.COMPUTE, method, "/servers", deadline_s=5.0)
    assert caught.value.may_have_acted
    assert len(server.requests) == 2


async def test_a_read_is_repeated_once_only() -> None:
    server = Server()
    server._scripts = [
        lambda r, w: closed_after_one(server, r, w),
        serving(b"", [server]),
    ]
    async with served(server) as client:
        await get(client)
        with pytest.raises(PodDidNotRespond):
            await get(client)
    assert len(server.requests) == 3


async def test_a_streamed_reply_may_take_longer_than_the_deadline() -> None:
    async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(CHUNKED)
        for _ in range(4):
            await asyncio.sleep(0.1)
            writer.write(b"1\r\nx\r\n")
        writer.write(b"0\r\n\r\n")
        await writer.drain()

    async with served(Server(slow), idle_s=1.0) as client:
        reply = await get(client, deadline_s=0.2, stream=True)
        assert reply.stream is not None
        assert b"".join([chunk async for chunk in reply.stream]) == b"xxxx"
        assert [state.in_flight for state in client.health.states()] == [0]


async def test_a_streamed_reply_that_stops_is_given_up_after_the_idle_time() -> None:
    async with served(make(CHUNKED + b"1\r\nx\r\n", hang=True), idle_s=0.1) as client:
        reply = await get(client, stream=True)
        assert reply.stream is not None
        assert await anext(reply.stream) == b"x"
        with pytest.raises(PodDidNotRespond, match=r"no data for 0.1 s"):
            await anext(reply.stream)
        state = next(client.health.states())
    assert (state.failures, state.in_flight) == (1, 0)


async def test_a_streamed_reply_that_breaks_off_is_no_end() -> None:
    async with served(make(CHUNKED + b"1\r\nx\r\n")) as client:
        reply = await get(client, stream=True)
        assert reply.stream is not None
        with pytest.raises(PodDidNotRespond, match="broke off"):
            [chunk async for chunk in reply.stream]


async def test_a_streamed_reply_keeps_its_place_until_it_is_closed() -> None:
    server = make(CHUNKED + b"1\r\nx\r\n", hang=True)
    async with served(server, limits=Limits(in_flight=1, waiting=0)) as client:
        reply = await get(client, stream=True)
        with pytest.raises(PodUnusable, match="1 calls under way and 0 waiting"):
            await get(client)
        await close(reply)
        await close(await get(client, stream=True))


class Reading:
    """A server that takes an upload, and says how it was framed."""

    def __init__(self, *, after: int = 2**62) -> None:
        self.after = after  # bytes that it reads, then it stops reading
        self.head = b""
        self.body = b""

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.head = await reader.readuntil(b"\r\n\r\n")
        whole = b"\r\n0\r\n\r\n" if b"chunked" in self.head else b"!"
        while not self.body.endswith(whole):
            if len(self.body) >= self.after:
                await asyncio.sleep(30)
            chunk = await reader.read(65536)
            if not chunk:
                return
            self.body += chunk
        writer.write(OK)
        await writer.drain()


async def upload(client: PodClient, body: AsyncIterator[bytes], **headers: str) -> Reply:
    return await client.call(
        pod(),
        Service.IMAGE,
        "PUT",
        "/images/i/file",
        headers={name.replace("_", "-"): value for name, value in headers.items()},
        body=body,
        deadline_s=0.3,
    )


async def test_an_upload_takes_as_long_as_its_client_likes() -> None:
    async def slow() -> AsyncIterator[bytes]:
        for _ in range(3):
            await asyncio.sleep(0.2)
            yield b"x"

    reading = Reading()
    async with served(Server(reading), idle_s=0.1) as client:
        assert (await upload(client, slow())).status == 200
    assert reading.body == b"1\r\nx\r\n" * 3 + b"0\r\n\r\n"


async def test_an_upload_of_known_length_is_not_chunked() -> None:
    async def chunks() -> AsyncIterator[bytes]:
        yield b"ab"
        yield b"c!"

    reading = Reading()
    async with served(Server(reading)) as client:
        assert (await upload(client, chunks(), content_length="4")).status == 200
    assert b"content-length: 4" in reading.head.lower()
    assert b"chunked" not in reading.head
    assert reading.body == b"abc!"


async def test_an_upload_that_the_pod_does_not_take_is_given_up() -> None:
    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b"x" * 65536

    async with served(Server(Reading(after=65536)), idle_s=0.3) as client:
        with pytest.raises(PodDidNotRespond, match="timed out"):
            await upload(client, endless())


async def test_a_client_that_goes_away_in_an_upload_is_not_the_pods_failure() -> None:
    class Gone(Exception):
        pass

    async def gone() -> AsyncIterator[bytes]:
        yield b"x"
        raise Gone

    async with served(Server(Reading())) as client:
        with pytest.raises(Gone):
            await upload(client, gone())
        state = next(client.health.states())
    assert (state.failures, state.in_flight) == (0, 0)


async def test_a_refusal_in_the_middle_of_an_upload_is_the_reply() -> None:
    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b"x" * 65536
            await asyncio.sleep(0.001)

    refusal = b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    async with served(make(refusal, hang=True)) as client:
        assert (await upload(client, endless())).status == 413


async def test_a_caller_that_goes_away_counts_for_nothing() -> None:
    async with served(make(b"", hang=True)) as client:
        task = asyncio.create_task(get(client))
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        state = next(client.health.states())
    assert (state.failures, state.in_flight) == (0, 0)


async def test_after_failures_in_a_row_a_pod_is_not_asked() -> None:
    server = make(b"")
    async with served(server, limits=Limits(failures=2, open_s=60.0)) as client:
        for _ in range(2):
            with pytest.raises(PodDidNotRespond):
                await get(client)
        with pytest.raises(PodUnusable, match="Pod1 is not asked: compute: it did not respond 2"):
            await get(client)
        assert server.connections == 2
        assert not client.health.responds("Pod1", Service.COMPUTE)
        assert client.health.responds("Pod1", Service.VOLUME)
        assert next(client.health.states()).circuit is Circuit.OPEN


async def test_a_hung_pod_does_not_hold_up_another() -> None:
    async def asked(transport: Transport) -> None:
        endpoints = Endpoints(Pod1="http://hung/v2.1", Pod2="http://well/v2.1")
        client = PodClient(endpoints, transport, Health(Limits(in_flight=2, waiting=1)))
        hung = [asyncio.create_task(get(client, deadline_s=0.3)) for _ in range(4)]
        await asyncio.sleep(0)
        reply = await client.call(pod("Pod2"), Service.COMPUTE, "GET", "/", deadline_s=0.1)
        assert reply.body == b"well"
        outcomes = await asyncio.gather(*hung, return_exceptions=True)
        kinds = sorted(type(outcome).__name__ for outcome in outcomes)
        assert kinds == ["PodDidNotRespond"] * 2 + ["PodUnusable"] * 2
        await client.close()

    await asked(AsgiTransport({"hung": app(hang=True), "well": app(b"well")}))


async def test_calls_are_observed() -> None:
    seen: list[tuple[str, ...]] = []
    client = PodClient(
        Endpoints(Pod1="http://well/v2.1", Pod2="http://nobody"),
        AsgiTransport({"well": app(b"well")}),
        Health(),
        observe=lambda name, service, method, outcome, seconds: seen.append(
            (name, service, method, outcome, "fast" if seconds < 1 else "slow")
        ),
    )
    await get(client)
    with pytest.raises(PodDidNotRespond):
        await client.call(pod("Pod2"), Service.VOLUME, "DELETE", "/volumes/v", deadline_s=1.0)
    assert seen == [
        ("Pod1", "compute", "GET", "200", "fast"),
        ("Pod2", "volume", "DELETE", "no-reply", "fast"),
    ]


def app(body: bytes = b"", *, hang: bool = False, broken: bool = False) -> AsgiApp:
    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        if hang:
            await asyncio.Event().wait()
        sent = b""
        while True:
            message = await receive()
            sent += message["body"]
            if not message["more_body"]:
                break
        if broken:
            raise ZeroDivisionError
        await send({"type": "http.response.start", "status": 200, "headers": [(b"TE", b"x")]})
        await send({"type": "http.response.body", "body": body, "more_body": True})
        await send({"type": "http.response.body", "body": sent})

    return answer


async def test_pods_in_memory_keep_deadlines_and_stream_both_ways() -> None:
    async def two() -> AsyncIterator[bytes]:
        yield b"a"
        yield b"b"

    apps = {"pod": app(b">"), "hung": app(hang=True), "broken": app(broken=True)}
    endpoints = Endpoints(Pod1="http://pod")
    client = PodClient(endpoints, AsgiTransport(apps), Health())
    call = client.call
    reply = await call(pod(), Service.IMAGE, "PUT", "/x", body=two(), deadline_s=1.0, stream=True)
    assert reply.headers == ()
    assert reply.stream is not None
    assert [chunk async for chunk in reply.stream] == [b">", b"ab"]
    for host, acted in (("hung", True), ("broken", True), ("absent", False)):
        endpoints.urls["Pod1"] = f"http://{host}"
        with pytest.raises(PodDidNotRespond) as caught:
            await call(pod(), Service.IMAGE, "GET", "/x", deadline_s=0.1)
        assert caught.value.may_have_acted is acted
    await client.close()

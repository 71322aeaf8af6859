# SPDX-License-Identifier: Apache-2.0
"""A whole OpenStack cloud in memory, as one ASGI application, that fails when it is told to."""

import asyncio
import re
from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from trio2o.ids import new_request_id
from trio2o.pods.fake.cloud import Cloud
from trio2o.pods.fake.compute import Compute
from trio2o.pods.fake.identity import FakeIdentity
from trio2o.pods.fake.image import ImageService
from trio2o.pods.fake.network import NetworkService
from trio2o.pods.fake.placement import Placement
from trio2o.pods.fake.seed import Seeds
from trio2o.pods.fake.service import Service
from trio2o.pods.fake.state import Behaviour, Now
from trio2o.pods.fake.volume import VolumeService
from trio2o.pods.fake.web import Fault, Request, Response, parse_query
from trio2o.pods.memory import AsgiApp, Receive, Scope, Send

How = int | Literal["reset_before", "reset_after", "hang_before", "hang_after"]

_LOGGED = 100_000


@dataclass(frozen=True, slots=True)
class Call:
    """A request that reached the pod.

    path: as it came, with the service's prefix.
    """

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(slots=True)
class _Planned:
    method: str
    path: re.Pattern[str]
    how: How
    left: int


class FakePod(Seeds):
    """One cloud: Nova, Cinder, Glance, Neutron, Placement under one host.

    zone: name of its availability zone; volume_zone: of Cinder's, when it is another.
    latency_s: of each answer.
    vcpus, ram_mb, disk_gb, volume_gb: what there is room for.
    identity: the Keystone that all pods share; the pod adds its endpoints to the catalogue as
        the region ``name``. A pod that is given none has its own.
    seed: makes ids the same in each run.
    now: clock of what is made; a SteppingClock makes all times differ.

    ``app`` is the ASGI application; it raises ConnectionRefusedError or ConnectionResetError
    where a real pod would refuse or break the connection. ``behaviour`` says how fast servers
    and volumes are; ``compute.minimum``, ``compute.maximum`` and their like set its release.
    """

    def __init__(
        self,
        name: str,
        *,
        zone: str = "nova",
        volume_zone: str = "",
        latency_s: float = 0.0,
        vcpus: int = 1_000_000,
        ram_mb: int = 1_000_000_000,
        disk_gb: int = 1_000_000_000,
        volume_gb: int = 1_000_000_000,
        identity: FakeIdentity | None = None,
        seed: int | None = None,
        now: Now | None = None,
    ) -> None:
        self.name = name
        self.latency_s = latency_s
        self.identity = identity or FakeIdentity()
        self.cloud = Cloud(
            name,
            zone=zone,
            volume_zone=volume_zone or zone,
            vcpus=vcpus,
            ram_mb=ram_mb,
            disk_gb=disk_gb,
            volume_gb=volume_gb,
            seed=seed,
            now=now,
        )
        super().__init__(self.cloud)
        self.compute = Compute(self.cloud, self.identity)
        self.volume = VolumeService(self.cloud, self.identity)
        self.image = ImageService(self.cloud, self.identity)
        self.network = NetworkService(self.cloud, self.identity)
        self.placement = Placement(self.cloud, self.identity)
        self._services: tuple[Service, ...] = (
            self.compute,
            self.volume,
            self.image,
            self.network,
            self.placement,
        )
        self.host = f"{name.lower()}.example:80"
        self.url = f"http://{self.host}"
        self.identity.add_region(name, self.url, [service.kind for service in self._services])
        self.requests: Counter[tuple[str, str]] = Counter()
        self.calls: deque[Call] = deque(maxlen=_LOGGED)
        self.body_bytes_received = 0
        self._up = True
        self._gate: asyncio.Event | None = None
        self._held: list[asyncio.Event] = []
        self._until_break: int | None = None
        self._planned: list[_Planned] = []

    # What tests turn.

    @property
    def behaviour(self) -> Behaviour:
        return self.cloud.behaviour

    @property
    def reachable(self) -> bool:
        return self._up

    def down(self) -> None:
        """From now on connections are refused; those that hang are reset."""
        self._up = False
        self._let_go()

    def up(self) -> None:
        """All is well again; what was hanging goes on."""
        self._up = True
        self._until_break = None
        self._planned.clear()
        self._let_go()

    def hang(self) -> None:
        """From now on requests are taken and not answered."""
        self._gate = self._gate or asyncio.Event()

    def slow(self, seconds: float) -> None:
        self.latency_s = seconds

    def break_after(self, count: int) -> None:
        """The pod answers ``count`` more requests and goes down."""
        self._until_break = count
        self._up = count > 0

    def fail_next(self, method: str, path: str, how: How, *, times: int = 1) -> None:
        """Fail the next request, or ``times``, with this method and a path that matches.

        path: regular expression, searched in the whole path.
        how: a status; or "reset_before" and "hang_before": the pod did nothing; "reset_after"
            and "hang_after": it did, and the answer is lost.
        """
        self._planned.append(_Planned(method, re.compile(path), how, times))

    def count(self, method: str = "", path: str = "") -> int:
        """How many requests had this method and a path that matches."""
        pattern = re.compile(path)
        return sum(
            number
            for (seen, where), number in self.requests.items()
            if (not method or seen == method) and pattern.search(where)
        )

    def forget_requests(self) -> None:
        self.requests.clear()
        self.calls.clear()

    def set_quota(self, **limits: int) -> None:
        """Nova's or Cinder's limits of each project: instances, cores, volumes, gigabytes..."""
        for name, limit in limits.items():
            of_volume = name in self.cloud.volume_quota
            quota = self.cloud.volume_quota if of_volume else self.cloud.compute_quota
            quota[name] = limit

    def _let_go(self) -> None:
        for gate in (*self._held, *([self._gate] if self._gate else [])):
            gate.set()
        self._held.clear()
        self._gate = None

    # The application.

    @property
    def app(self) -> AsgiApp:
        return self

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Raises ConnectionRefusedError, ConnectionResetError."""
        if scope["type"] == "lifespan":
            await _live(receive, send)
            return
        self._check_reachable()
        chunks = await self._read(receive)
        headers = {
            name.decode("latin-1").lower(): value.decode("latin-1")
            for name, value in scope["headers"]
        }
        method, path = scope["method"], scope.get("raw_path", b"").decode() or scope["path"]
        path = path.partition("?")[0]
        query = scope.get("query_string", b"").decode("latin-1")
        body = chunks[0] if len(chunks) == 1 else b""
        self.requests[method, path] += 1
        self.calls.append(Call(method, path, query, headers, body))
        how = self._plan(method, path)
        if self._gate is not None:
            await self._wait(self._gate)
        if how == "hang_before":
            await self._hang()
        if how == "reset_before":
            raise ConnectionResetError("the pod reset the connection")
        if self.latency_s:
            await asyncio.sleep(self.latency_s)
        request = Request(
            method=method,
            path=path,
            base=_base(scope.get("scheme", "http"), headers.get("host", self.host)),
            query=parse_query(query),
            headers=headers,
            chunks=chunks,
            request_id=new_request_id(),
        )
        response = self._answer(request, how if isinstance(how, int) else None)
        if how == "reset_after":
            raise ConnectionResetError("the pod reset the connection")
        if how == "hang_after":
            await self._hang()
        await _send(response, send, empty=method == "HEAD")

    def _check_reachable(self) -> None:
        if not self._up:
            raise ConnectionRefusedError(f"{self.name} refused the connection")
        if self._until_break is not None:
            self._until_break -= 1
            self._up = self._until_break > 0

    async def _read(self, receive: Receive) -> list[bytes]:
        chunks = []
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise ConnectionResetError("the client went away")
            chunk = message.get("body", b"")
            if chunk:
                self.body_bytes_received += len(chunk)
                chunks.append(chunk)
            if not message.get("more_body", False):
                return chunks

    def _plan(self, method: str, path: str) -> How | None:
        for planned in self._planned:
            if planned.method == method and planned.path.search(path):
                planned.left -= 1
                if not planned.left:
                    self._planned.remove(planned)
                return planned.how
        return None

    async def _hang(self) -> None:
        """Until the pod is told to be up or down; other requests go on."""
        gate = asyncio.Event()
        self._held.append(gate)
        await self._wait(gate)

    async def _wait(self, gate: asyncio.Event) -> None:
        await gate.wait()
        if not self._up:
            raise ConnectionResetError("the pod reset the connection")

    def _answer(self, request: Request, status: int | None) -> Response:
        for service in self._services:
            prefix = service.root
            if request.path == prefix or request.path.startswith(prefix + "/"):
                request.path = request.path[len(prefix) :]
                request.base += prefix
                if status is not None:
                    return service.fault(request, Fault(status, "The pod was told to fail."))
                return service.answer(request)
        return self._root(request)

    def _root(self, request: Request) -> Response:
        for service in self._services:
            root = "/" + service.kind.value
            versions = (root, root + "/", *(["/image/versions"] if root == "/image" else []))
            if request.path in versions and request.method == "GET":
                request.base += service.root
                response = service.root_document(request)
                if request.path == "/image/versions":
                    response.status = 200
                return response
        return Response(404, b"<html><h1>Not Found</h1></html>", content_type="text/html")


class InMemory(Mapping[str, AsgiApp]):
    """The applications of pods by ``host:port``, without those that are down.

    For a transport that takes an application that is missing for a refused connection.
    """

    def __init__(self, pods: Sequence[FakePod]) -> None:
        self.pods = {pod.host: pod for pod in pods}

    def __getitem__(self, host: str) -> AsgiApp:
        pod = self.pods[host]
        if not pod.reachable:
            raise KeyError(host)
        return pod.app

    def __iter__(self) -> Iterator[str]:
        return (host for host, pod in self.pods.items() if pod.reachable)

    def __len__(self) -> int:
        return sum(pod.reachable for pod in self.pods.values())


def _base(scheme: str, host: str) -> str:
    """The URL as WebOb sees it: without the scheme's own port."""
    own = {"http": ":80", "https": ":443"}[scheme]
    return f"{scheme}://{host.removesuffix(own)}"


async def _send(response: Response, send: Send, *, empty: bool) -> None:
    payload = b"" if response.stream is not None else response.payload()
    headers = list(response.headers)
    if response.content_type:
        headers.append(("Content-Type", response.content_type))
    if response.status != 204 and response.stream is None:
        headers.append(("Content-Length", str(len(payload))))
    await send(
        {
            "type": "http.response.start",
            "status": response.status,
            "headers": [
                (name.lower().encode("latin-1"), value.encode("latin-1"))
                for name, value in headers
            ],
        }
    )
    if response.stream is not None and not empty:
        for chunk in response.stream:
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
    body = b"" if empty else payload
    await send({"type": "http.response.body", "body": body, "more_body": False})


async def _live(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        kind = message["type"]
        await send({"type": f"{kind}.complete"})
        if kind == "lifespan.shutdown":
            return

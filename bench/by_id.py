# SPDX-License-Identifier: Apache-2.0
"""GET /servers/{id}: from the pod itself, through nginx, through the gateway, and through bare.py.

The pod is an nginx that answers a server document at once, so that the proxies are what is
measured. The gateway is `trio2o api` as an operator starts it; Keystone is a stand-in, since
a token that is remembered is not asked about.
"""

import asyncio
import uuid
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from bench import nginx
from bench.figures import Figure, middle
from bench.machine import cpu_s, pin, rss_bytes
from bench.wrk import Load, load
from lab.gateway import Gateway
from lab.layout import HOST, REPO, SECRET, Lab
from lab.processes import Process, stop
from tests.asgi import call
from tests.inprocess.keystone import Keystone, running
from trio2o.clock import now
from trio2o.db import pods, routings
from trio2o.db.session import Database
from trio2o.model import Kind, Routing
from trio2o.pods.fake import FakePod

CONNECTIONS = (1, 16, 64)
IDS = 500
SERVERS = "/compute/v2.1/servers/ID"
IMAGE = "/image/v2/images/ID/file"
IMAGE_BYTES = 32 * 2**20
POD, PROXY, BARE = 174, 80, 81
"""Ports, counted from the lab's."""


@dataclass
class Subject:
    """One that answers. pids: whose CPU counts."""

    name: str
    url: str
    pids: list[int]
    loads: dict[int, list[Load]] = field(default_factory=lambda: defaultdict(list))
    cpu_us: dict[int, list[float]] = field(default_factory=lambda: defaultdict(list))

    def per_s(self, connections: int) -> float:
        return middle(one.per_s for one in self.loads[connections])

    def cpu(self, connections: int) -> float:
        """Microseconds of a request."""
        return middle(self.cpu_us[connections])


@dataclass(frozen=True)
class Stand:
    """Everything that runs.  cpus: of the subject, and of all else; None on a single one."""

    lab: Lab
    token: str
    ids: list[str]
    subjects: Mapping[str, Subject]
    cpus: tuple[int, int] | None

    async def warm(self, subject: Subject) -> None:
        """Until the token and all routings are known."""
        done = 0
        while done <= len(self.ids):  # each load begins with the first of them
            done = (await self.measure(subject, 16, 1))[0].requests

    async def measure(
        self,
        subject: Subject,
        connections: int,
        seconds: int,
        *,
        path: str = SERVERS,
        per_s: float = 0.0,
    ) -> tuple[Load, float]:
        """The load, and microseconds of the subject's CPU for a request."""
        before = cpu_s(subject.pids)
        done = await load(
            subject.url + path,
            self.ids,
            {"X-Auth-Token": self.token, "OpenStack-API-Version": "compute 2.96"},
            connections=connections,
            seconds=seconds,
            directory=self.lab.data,
            per_s=per_s,
            cpu=self.cpus[1] if self.cpus else None,
        )
        return done, (cpu_s(subject.pids) - before) / done.requests * 1e6


async def _documents() -> dict[str, Any]:
    """What a pod answers, as the one in memory does."""
    pod = FakePod("Pod1", seed=1)
    project = pod.identity.project_id("demo")
    metadata = {f"key-{number}": "a value as people write them" for number in range(14)}
    server = pod.add_server(project, "web-1", metadata=metadata)
    token = pod.identity.token()

    async def read(path: str) -> Any:
        headers = {"x-auth-token": token, "openstack-api-version": "compute 2.96"}
        answer = await call(pod.app, "GET", path, headers=headers)
        assert answer.status in (200, 300), (path, answer.body)
        return answer.json

    return {
        "server": await read(f"/compute/v2.1/servers/{server.id}"),
        "compute": await read("/compute/"),
        "volume": await read("/volume/"),
        "image": await read("/image/versions"),
    }


@asynccontextmanager
async def stand(lab: Lab, cpus: tuple[int, int] | None) -> AsyncIterator[Stand]:
    """Everything started, and stopped at the end."""
    documents = await _documents()
    lab.data.mkdir(parents=True, exist_ok=True)
    pod_url, proxy_url, bare_url = (
        f"http://{HOST}:{lab.port + port}" for port in (POD, PROXY, BARE)
    )
    image = bytes(IMAGE_BYTES)
    processes = [
        nginx.start_pod(lab, lab.port + POD, documents, image),
        nginx.start_proxy(lab, lab.port + PROXY, lab.port + POD),
        _start_bare(lab, pod_url),
    ]
    keystone = Keystone()
    keystone.password = SECRET
    paths = {"compute": "compute/v2.1", "volumev3": "volume/v3", "image": "image"}
    keystone.catalogue = [
        (kind, "public", "Pod1", f"{pod_url}/{path}") for kind, path in paths.items()
    ]
    try:
        async with running(keystone):
            gateway = Gateway(lab, options={"service_user.auth_url": f"{keystone.url}/v3"})
            ids = await asyncio.to_thread(_prepare, gateway, lab)
            gateway.start_api()
            processes.append(gateway.api)
            await _answers(gateway)
            subjects = {
                "direct": Subject("direct", pod_url, processes[0].family()),
                "nginx": Subject("nginx", proxy_url, processes[1].family()),
                "bare": Subject("bare", bare_url, processes[2].family()),
                "gateway": Subject("gateway", gateway.url, gateway.api.family()),
            }
            if cpus is not None:
                for subject in subjects.values():
                    pin(subject.pids, cpus[subject.name == "direct"])
            yield Stand(lab, keystone.token(), ids, subjects, cpus)
    finally:
        await asyncio.to_thread(stop, processes)


def _prepare(gateway: Gateway, lab: Lab) -> list[str]:
    """A fresh database with one pod and its servers and images; their ids."""
    for file in (lab.data / gateway.name).glob("trio2o.sqlite*"):
        file.unlink()
    gateway.configure()
    gateway.command("db", "upgrade")
    database = Database(f"sqlite:///{lab.data / gateway.name}/trio2o.sqlite")
    try:
        pod = database.write_now(pods.create, name="Pod1", az_name="az1", pod_az_name="nova")
        ids = [str(uuid.uuid4()) for _ in range(IDS)]
        rows = [
            Routing(kind, ident, pod.id, "d" * 32, now())
            for ident in ids
            for kind in (Kind.SERVER, Kind.IMAGE)
        ]
        database.write_now(routings.learn, rows)
    finally:
        database.close()
    return ids


def _start_bare(lab: Lab, upstream: str) -> Process:
    process = Process(lab, "bare", "bare")
    argv = [str(REPO / ".venv/bin/uvicorn"), "--app-dir", str(REPO), "bench.bare:app"]
    argv += ["--port", str(lab.port + BARE), "--log-level", "error", "--no-access-log"]
    process.start(argv, {"TRIO2O_BENCH_UPSTREAM": upstream})
    return process


async def _answers(gateway: Gateway) -> None:
    for _ in range(300):
        assert gateway.api.pid, f"the gateway died: see {gateway.api.log}"
        try:
            if await asyncio.to_thread(gateway.is_ready):
                return
        except OSError:
            await asyncio.sleep(0.1)
    raise AssertionError("the gateway is not ready")


async def run(lab: Lab, cpus: tuple[int, int] | None, seconds: int, rounds: int) -> list[Figure]:
    async with stand(lab, cpus) as it:
        for subject in it.subjects.values():
            await it.warm(subject)
        for _ in range(rounds):
            for connections in CONNECTIONS:
                for subject in it.subjects.values():
                    done, cpu_us = await it.measure(subject, connections, seconds)
                    subject.loads[connections].append(done)
                    subject.cpu_us[connections].append(cpu_us)
        return [*_figures(it.subjects), *await _latency(it, seconds), *await _image(it)]


def _figures(subjects: Mapping[str, Subject]) -> list[Figure]:
    ours, proxy, direct, bare = (subjects[n] for n in ("gateway", "nginx", "direct", "bare"))
    made = []
    for n in CONNECTIONS:
        rate, cpu = ours.per_s(n), ours.cpu(n)
        made += [
            Figure("by-id", f"requests, {n} connections", "/s", rate, "direct", direct.per_s(n)),
            Figure(
                "by-id", f"requests, {n} connections", "/s", rate, "nginx", proxy.per_s(n),
                ">= 1/12", rate / proxy.per_s(n) >= 1 / 12,
            ),
            Figure(
                "by-id", f"CPU of a request, {n} connections", "us", cpu, "nginx", proxy.cpu(n),
                "<= 300 us", cpu <= 300,
            ),
            Figure(
                "by-id", f"CPU of a request, {n} connections", "us", cpu, "bare", bare.cpu(n)
            ),
        ]  # fmt: skip
    return made


async def _latency(it: Stand, seconds: int) -> list[Figure]:
    """What the gateway adds at 30 % of what it can do, and what nginx adds at the same rate."""
    per_s = 0.3 * it.subjects["gateway"].per_s(16)
    found: dict[str, list[Load]] = defaultdict(list)
    for _ in range(2):
        for subject in _without_bare(it):
            done, _ = await it.measure(subject, 32, max(2, seconds), per_s=per_s)
            found[subject.name].append(done)
    made = []
    for what, value, bound_us in (("p50", "p50_us", 1000), ("p99", "p99_us", 5000)):
        of = {name: middle(getattr(one, value) for one in loads) for name, loads in found.items()}
        added, baseline = of["gateway"] - of["direct"], of["nginx"] - of["direct"]
        made.append(
            Figure(
                "by-id", f"added latency {what} at 30 % load ({per_s:.0f}/s)", "us", added,
                "nginx", max(baseline, 1.0), f"<= {bound_us} us", added <= bound_us,
            )
        )  # fmt: skip
    return made


def _without_bare(it: Stand) -> list[Subject]:
    return [subject for subject in it.subjects.values() if subject.name != "bare"]


async def _image(it: Stand) -> list[Figure]:
    """An image downloaded: throughput, and the memory that it takes."""
    gateway, direct = it.subjects["gateway"], it.subjects["direct"]
    before = rss_bytes(gateway.pids[0])
    found: dict[str, list[float]] = defaultdict(list)
    for _ in range(2):
        for subject in _without_bare(it):
            done, _ = await it.measure(subject, 2, 1, path=IMAGE)
            found[subject.name].append(done.bytes / done.duration_us)
    grown = (rss_bytes(gateway.pids[0], peak=True) - before) / 2**20
    ours, theirs = middle(found[gateway.name]), middle(found[direct.name])
    what = f"image of {IMAGE_BYTES // 2**20} MiB, 2 at a time"
    return [
        Figure("by-id", what, "MB/s", ours, "direct", theirs, ">= 0.8", ours / theirs >= 0.8),
        Figure("by-id", what, "MB/s", ours, "nginx", middle(found["nginx"])),
        Figure(
            "by-id", "memory that it takes", "MiB", grown, "its size", IMAGE_BYTES / 2**20,
            "<= 50 MiB", grown <= 50,
        ),
    ]  # fmt: skip

# SPDX-License-Identifier: Apache-2.0
"""One page of servers of many pods, next to the same page of one pod.

The pods are those in memory, whose answers are made once and then played back after the pod's
latency, since making them costs more than what is measured. With the baseline for CPU, all pods
are asked at the same time and their answers thrown away.
"""

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Mapping, MutableMapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bench.figures import Figure, middle
from lab.layout import Lab
from tests.asgi import call
from tests.inprocess.cloud import Cloud, cloud
from trio2o.pods.fake import FakePod
from trio2o.pods.memory import AsgiApp, Message, Receive, Scope, Send

SERVERS = 100
ROUNDS = 7
LIST = "/compute/v2.1/servers/detail"
VERSION = "compute 2.96"


class Recorded:
    """An application whose answers are kept, and given again after ``latency_s``."""

    def __init__(self, app: AsgiApp, latency_s: float) -> None:
        self._app = app
        self._latency_s = latency_s
        self._kept: dict[tuple[str, str, bytes], list[Message]] = {}
        self.calls = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        key = (scope["method"], scope["path"], scope["query_string"])
        self.calls += 1
        messages = self._kept.get(key)
        if messages is None:
            messages = self._kept[key] = []

            async def keep(message: Message) -> None:
                messages.append(message)

            await self._app(scope, receive, keep)
        await asyncio.sleep(self._latency_s)
        for message in messages:
            await send(message)


@dataclass(frozen=True)
class Stage:
    """A gateway and its recorded pods."""

    cloud: Cloud
    pods: Mapping[str, Recorded]

    @property
    def calls(self) -> int:
        return sum(recorded.calls for recorded in self.pods.values())

    async def page(self, query: str) -> None:
        headers = {"x-auth-token": self.cloud.user, "openstack-api-version": VERSION}
        answer = await call(self.cloud.app, "GET", f"{LIST}?{query}", headers=headers)
        assert answer.status == 200, answer.body
        await self.cloud.deps.settle()

    async def last_id(self, query: str) -> str:
        answer = await self.cloud.call("GET", f"{LIST}?{query}", version=VERSION)
        ident: str = answer.json["servers"][-1]["id"]
        return ident

    async def ask(self, hosts: list[str], query: str) -> None:
        """Each pod is asked, and what it says is not looked at."""
        transport = self.cloud.deps.client._transport  # noqa: SLF001
        headers = {"x-auth-token": self.cloud.user, "openstack-api-version": VERSION}
        await asyncio.gather(
            *(
                transport.send(
                    "GET",
                    f"http://{host}{LIST}?{query}",
                    headers,
                    None,
                    connect_s=5,
                    deadline_s=10,
                    stream=False,
                )
                for host in hosts
            )
        )


@asynccontextmanager
async def stage(count: int, latency_s: float) -> AsyncIterator[Stage]:
    names = {f"Pod{number}": f"az{number}" for number in range(1, count + 1)}
    metadata = {f"key-{number}": "a value as people write them" for number in range(14)}
    with tempfile.TemporaryDirectory() as directory:
        async with cloud(Path(directory), names) as it:
            apps: MutableMapping[str, AsgiApp] = {}
            pods: dict[str, Recorded] = {}
            for place, pod in enumerate(it.pods.values()):
                _fill(pod, it.project, place, count, metadata)
                pods[pod.host] = Recorded(pod.app, latency_s)
                apps[pod.host] = pods[pod.host]
            it.deps.client._transport.apps = apps  # noqa: SLF001
            yield Stage(it, pods)


def _fill(pod: FakePod, project: str, place: int, count: int, metadata: Mapping[str, str]) -> None:
    """Servers that were made in turn with those of the other pods."""
    first = datetime(2026, 1, 1, tzinfo=UTC)
    for number in range(SERVERS):
        server = pod.add_server(project, f"server-{place}-{number}", metadata=dict(metadata))
        server.created = server.updated = first + timedelta(seconds=number * count + place)


async def _timed(work: Awaitable[None]) -> tuple[float, float]:
    """Milliseconds that pass, and those of CPU."""
    wall, cpu = time.perf_counter(), time.process_time()
    await work
    return (time.perf_counter() - wall) * 1e3, (time.process_time() - cpu) * 1e3


async def _compare(count: int, latency_s: float, limit: int) -> list[Figure]:
    async with stage(count, latency_s) as it:
        hosts = list(it.pods)
        first = f"limit={limit}"
        marker = f"{first}&marker={await it.last_id(first)}"
        made = []
        for what, query in (("", first), (" with marker", marker)):
            await it.page(query)  # answers are recorded
            await it.ask(hosts, first)
            times = _Times()
            for _ in range(ROUNDS):
                before = it.calls
                times.ours.append(await _timed(it.page(query)))
                times.calls = it.calls - before
                times.alone.append(await _timed(it.ask(hosts[:1], first)))
                times.thrown.append(await _timed(it.ask(hosts, first)))
            made += _figures(count, latency_s, limit, what, times)
        return made


@dataclass
class _Times:
    """Of each round: milliseconds that passed, and those of CPU.

    ours: a page through the gateway.  alone: one pod.  thrown: all pods, nothing read.
    calls: to pods, for one page.
    """

    ours: list[tuple[float, float]] = field(default_factory=list)
    alone: list[tuple[float, float]] = field(default_factory=list)
    thrown: list[tuple[float, float]] = field(default_factory=list)
    calls: int = 0


def _figures(count: int, latency_s: float, limit: int, what: str, times: _Times) -> list[Figure]:
    name = f"{limit} of {count} pods, {latency_s * 1000:.0f} ms{what}"
    wall, cpu = (middle(one[i] for one in times.ours) for i in (0, 1))
    one_wall = middle(one[0] for one in times.alone)
    thrown_cpu = middle(one[1] for one in times.thrown)
    calls = times.calls
    large, is_target = count == 100, count in (16, 100)
    wall_target = ("<= 150 ms", wall <= 150) if large else ("<= 1.4", wall / one_wall <= 1.4)
    cpu_target = ("<= 80 ms", cpu <= 80) if large else ("", None)
    none = ("", None)
    return [
        Figure(
            "scatter", f"{name}: time", "ms", wall, "one pod's", one_wall,
            *(wall_target if is_target else none),
        ),
        Figure(
            "scatter", f"{name}: calls", "", calls, "pods", count,
            f"<= {count}", calls <= count,
        ),
        Figure(
            "scatter", f"{name}: CPU", "ms", cpu, "answers thrown away", thrown_cpu, *cpu_target
        ),
    ]  # fmt: skip


async def run(_lab: Lab) -> list[Figure]:
    made = []
    for count in (2, 16, 64):
        made += await _compare(count, 0.05, 100)
    made += await _compare(100, 0.02, 100)
    made += await _compare(100, 0.02, 1000)
    return made

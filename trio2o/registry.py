# SPDX-License-Identifier: Apache-2.0
"""The pods as they are now: rows of the database, and what each pod can speak.

A snapshot that is at most ``[pods] refresh_s`` old. Several processes share the truth in the
database and nothing else.
"""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import is_

import orjson

from trio2o.db import pods as pods_table
from trio2o.db.session import Database
from trio2o.errors import PodError
from trio2o.microversion import Range, intersect
from trio2o.model import Pod, PodState, Service
from trio2o.pods.client import PodClient
from trio2o.pods.health import Circuit
from trio2o.settings import Settings

VERSIONED = (Service.COMPUTE, Service.VOLUME)


@dataclass(frozen=True, slots=True)
class Spoken:
    """What a pod said about the versions of its services, and when (monotonic seconds)."""

    ranges: Mapping[Service, Range]
    image_versions: tuple[str, ...]
    read_at: float


class Registry:
    """The live set of pods."""

    def __init__(self, settings: Settings, db: Database, client: PodClient) -> None:
        self._settings = settings
        self._db = db
        self._client = client
        self._pods: tuple[Pod, ...] = ()
        self._pods_read_at = float("-inf")
        self._reading: asyncio.Lock = asyncio.Lock()
        self._spoken: dict[str, Spoken] = {}
        self._asking: dict[str, asyncio.Task[None]] = {}
        self._common: tuple[Sequence[Spoken], Mapping[Service, Range]] = ((), {})

    async def pods(self) -> tuple[Pod, ...]:
        """All registered pods, by number.  Raises DatabaseUnavailable."""
        if time.monotonic() - self._pods_read_at > self._settings.pods.refresh_s:
            async with self._reading:
                if time.monotonic() - self._pods_read_at > self._settings.pods.refresh_s:
                    self._take(tuple(await self._db.read(pods_table.list_)))
        return self._pods

    def _take(self, pods: tuple[Pod, ...]) -> None:
        names = {pod.name for pod in pods}
        for gone in (pod for pod in self._pods if pod.name not in names):
            self._client.health.forget(gone.name)
            self._spoken.pop(gone.id, None)
        self._pods = pods
        self._pods_read_at = time.monotonic()
        by_name = {pod.name: pod for pod in pods}
        for state in self._client.health.states():
            # Nothing but new resources may be asked of a pod, and those avoid one that did not
            # respond: somebody must find out when it is back.
            if state.circuit is Circuit.HALF_OPEN and state.pod_name in by_name:
                self._ask(by_name[state.pod_name])

    def forget(self) -> None:
        """Read the pods anew at the next look."""
        self._pods_read_at = float("-inf")

    async def ranges(self) -> Mapping[Service, Range]:
        """The microversions that every pod speaks, of the services that have them.

        A pod that never answered has no say; with none, what the first release spoke.
        """
        spoken = await self._all_spoken()
        of, common = self._common
        if common and len(of) == len(spoken) and all(map(is_, of, spoken)):
            return common
        found: dict[Service, Range] = {}
        for service in VERSIONED:
            of_pods = [one.ranges[service] for one in spoken if service in one.ranges]
            found[service] = intersect(service, of_pods)
        self._common = (spoken, found)
        return found

    async def image_versions(self) -> tuple[str, ...]:
        """The versions of the Image API that every pod offers, newest first."""
        lists = [one.image_versions for one in await self._all_spoken() if one.image_versions]
        if not lists:
            return ("v2.0",)
        common = set(lists[0]).intersection(*lists[1:])
        return tuple(version for version in lists[0] if version in common)

    async def _all_spoken(self) -> list[Spoken]:
        pods = [pod for pod in await self.pods() if pod.state is not PodState.DISABLED]
        now = time.monotonic()
        stale = [
            pod
            for pod in pods
            if pod.id not in self._spoken
            or now - self._spoken[pod.id].read_at > self._settings.pods.catalogue_s
        ]
        never = [self._ask(pod) for pod in stale if pod.id not in self._spoken]
        for pod in stale:
            self._ask(pod)  # those known from before are asked beside the request
        if never:
            await asyncio.wait(never)
        return [self._spoken[pod.id] for pod in pods if pod.id in self._spoken]

    def _ask(self, pod: Pod) -> asyncio.Task[None]:
        task = self._asking.get(pod.id)
        if task is None:
            task = asyncio.create_task(self._read_versions(pod))
            self._asking[pod.id] = task
            task.add_done_callback(lambda _: self._asking.pop(pod.id, None))
        return task

    async def _read_versions(self, pod: Pod) -> None:
        async def read(service: Service) -> object:
            try:
                reply = await self._client.versions(
                    pod, service, deadline_s=self._settings.pods.connect_timeout_s
                )
                return orjson.loads(reply.body)
            except (PodError, orjson.JSONDecodeError):
                return None

        documents = await asyncio.gather(*(read(s) for s in (*VERSIONED, Service.IMAGE)))
        ranges = {
            service: found
            for service, document in zip(VERSIONED, documents[:2], strict=True)
            if (found := Range.from_document(document)) is not None
        }
        known = self._spoken.get(pod.id)
        if known is not None:  # what a pod does not say now it said before
            ranges = {**known.ranges, **ranges}
        image = _image_versions(documents[2]) or (known.image_versions if known else ())
        self._spoken[pod.id] = Spoken(ranges, image, time.monotonic())


def _image_versions(document: object) -> tuple[str, ...]:
    if not isinstance(document, dict):
        return ()
    return tuple(
        version["id"]
        for version in document.get("versions", ())
        if isinstance(version, dict) and "id" in version
    )

# SPDX-License-Identifier: Apache-2.0
"""Where is it?  The routing cache, the routing table, and at last the pods themselves.

The table is an index and not the truth: what is not in it is asked of the pods once, and
remembered. So an existing cloud is adopted by registering it.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson
from sqlalchemy import Connection

from trio2o import clock
from trio2o.db import routings
from trio2o.db.session import Database
from trio2o.errors import PodError
from trio2o.ids import is_uuid
from trio2o.metrics import count_routing_lookup
from trio2o.model import Kind, Pod, PodState, Reply, Routing, Service
from trio2o.ops.kinds import KINDS
from trio2o.paging import stub_of
from trio2o.plan import Owners
from trio2o.pods.client import PodClient
from trio2o.refs import Need
from trio2o.settings import Settings

from .request import Request

Key = tuple[Kind, str]
COPIES_S = 60.0
"""Seconds for which the copies of an image are not looked for anew."""


class Locator:
    """Answers where resources are."""

    def __init__(self, settings: Settings, db: Database, client: PodClient) -> None:
        self._settings = settings
        self._db = db
        self._client = client
        self._known: OrderedDict[Key, Owners] = OrderedDict()
        self._missed: OrderedDict[tuple[Key, str], float] = OrderedDict()
        self._copies_read: OrderedDict[str, tuple[float, frozenset[str]]] = OrderedDict()

    async def owners(
        self, needed: Iterable[Need], request: Request, pods: Sequence[Pod]
    ) -> Mapping[Key, Owners]:
        """Where each needed resource is.  Raises DatabaseUnavailable."""
        found: dict[Key, Owners] = {}
        unknown: list[Need] = []
        for need in needed:
            key = (need.kind, need.resource_id)
            owners = self._known.get(key)
            if owners is not None:
                self._known.move_to_end(key)
                count_routing_lookup("cache")
                found[key] = owners
            else:
                unknown.append(need)
        if unknown:
            asked = await asyncio.gather(*(self._owners(need, request, pods) for need in unknown))
            for need, owners in zip(unknown, asked, strict=True):
                found[need.kind, need.resource_id] = owners
        return found

    async def _owners(self, need: Need, request: Request, pods: Sequence[Pod]) -> Owners:
        if KINDS[need.kind].uuid and not is_uuid(need.resource_id):
            return Owners()
        key = (need.kind, need.resource_id)
        owners = await self._db.read(_owners_by_index, need.kind, need.resource_id)
        if owners is not None:
            count_routing_lookup("table")
            return self._remember(key, owners)
        missed = self._missed.get((key, request.caller.project_id))
        if missed is not None and missed > time.monotonic():
            count_routing_lookup("missed")
            return Owners()
        return await self.probe(need, request, pods)

    async def probe(self, need: Need, request: Request, pods: Sequence[Pod]) -> Owners:
        """Ask every pod, with the caller's own right to see it, and remember who has it."""
        count_routing_lookup("probe")
        key = (need.kind, need.resource_id)
        asked = [pod for pod in pods if pod.state is not PodState.DISABLED]
        silent = [pod.name for pod in pods if pod.state is PodState.DISABLED]
        replies = await asyncio.gather(*(self._show(need, request, pod) for pod in asked))
        have: list[tuple[Pod, Any]] = []
        for pod, reply in zip(asked, replies, strict=True):
            if reply is None or reply.status >= 500 or reply.status in (401, 429):
                silent.append(pod.name)
            elif reply.status == 200:
                have.append((pod, reply))
        if have:
            home, reply = have[0]
            routing = routing_of(
                need.kind, home, _resource(need.kind, reply), request, need.resource_id
            )
            await self._db.write(routings.learn, [routing])
            if need.kind is Kind.IMAGE:
                pod_ids = [pod.id for pod, _ in have]
                await self._db.write(_learn_copies, need.resource_id, pod_ids)
                owners = await self._db.read(_owners_by_index, need.kind, need.resource_id)
                said = frozenset(pod.id for pod in asked if pod.name not in silent)
                self._copies_read[need.resource_id] = (time.monotonic(), said)
                _trim(self._copies_read, 10_000)
                return self._remember(key, owners or Owners(tuple(pod_ids)))
            return self._remember(key, Owners((home.id,)))
        if not silent:
            expires = time.monotonic() + self._settings.gateway.probe_cache_s
            self._missed[key, request.caller.project_id] = expires
            _trim(self._missed, self._settings.gateway.routing_cache_size)
        return Owners((), tuple(silent))

    async def image_owners(self, need: Need, request: Request, pods: Sequence[Pod]) -> Owners:
        """The pods with a copy of an image, asked anew when that was long ago.

        Copies appear in pods without the gateway: by an operator, or by Glance's own import.
        """
        read_at, said = self._copies_read.get(need.resource_id, (float("-inf"), frozenset()))
        # A pod that was registered since, or was silent then, may have one too.
        if time.monotonic() - read_at < COPIES_S and said.issuperset(pod.id for pod in pods):
            return (await self.owners([need], request, pods))[need.kind, need.resource_id]
        probed = await self.probe(need, request, pods)
        return (
            probed
            if probed.pod_ids or not probed.silent
            else (await self.owners([need], request, pods))[need.kind, need.resource_id]
        )

    async def _show(self, need: Need, request: Request, pod: Pod) -> Reply | None:
        facts = KINDS[need.kind]
        headers = dict(request.version_headers) if facts.service is request.service else {}
        if not headers and facts.since:
            headers = {"openstack-api-version": f"{facts.service} {facts.since}"}
        try:
            return await self._client.call(
                pod,
                facts.service,
                "GET",
                facts.show.format(id=need.resource_id),
                headers=headers,
                caller=request.caller,
                request_id=request.id,
                deadline_s=self._settings.pods.list_deadline_s,
            )
        except PodError:
            return None

    # ------------------------------------------------------------------ what passes by

    def remember(self, kind: Kind, resource_id: str, pod: Pod) -> None:
        self._remember((kind, resource_id), Owners((pod.id,)))

    def knows(self, kind: Kind, resource_id: str) -> bool:
        return (kind, resource_id) in self._known

    def forget(self, kind: Kind, resource_id: str) -> None:
        self._known.pop((kind, resource_id), None)
        self._copies_read.pop(resource_id, None)

    def _remember(self, key: Key, owners: Owners) -> Owners:
        self._known[key] = owners
        self._known.move_to_end(key)
        _trim(self._known, self._settings.gateway.routing_cache_size)
        return owners


def routing_of(
    kind: Kind, pod: Pod, resource: Mapping[str, Any], request: Request, resource_id: str = ""
) -> Routing:
    """The routing of a resource, from what a pod shows of it.

    resource_id: where the resource does not show it.
    """
    facts = KINDS[kind]
    project = resource.get(facts.project_field) if facts.project_field else None
    created = resource.get(facts.created_field) if facts.created_field else None
    return Routing(
        kind=kind,
        resource_id=resource_id or str(resource[facts.id_field]),
        pod_id=pod.id,
        project_id=project if isinstance(project, str) else request.caller.project_id,
        created_at=clock.parse(created) if isinstance(created, str) else clock.now(),
        stub=stub_of(resource) if kind is Kind.SERVER else {},
    )


def _resource(kind: Kind, reply: Reply) -> Mapping[str, Any]:
    facts = KINDS[kind]
    document = orjson.loads(reply.body)
    if facts.service is Service.IMAGE or not facts.body_key:
        return document if isinstance(document, dict) else {}
    inner = document.get(facts.body_key)
    return inner if isinstance(inner, dict) else {}


def _owners_by_index(conn: Connection, kind: Kind, resource_id: str) -> Owners | None:
    routing = routings.find(conn, kind, resource_id)
    if routing is None:
        return None
    copies: frozenset[str] = frozenset()
    if kind is Kind.IMAGE:
        copies = routings.copies_of(conn, kind, resource_id) - {routing.pod_id}
    return Owners((routing.pod_id, *sorted(copies)))


def _learn_copies(conn: Connection, image_id: str, pod_ids: Sequence[str]) -> None:
    for pod_id in pod_ids:
        routings.learn_copies(conn, Kind.IMAGE, pod_id, [image_id])


def _trim(cache: OrderedDict[Any, Any], size: int) -> None:
    while len(cache) > size:
        cache.popitem(last=False)

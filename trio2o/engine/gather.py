# SPDX-License-Identifier: Apache-2.0
"""LIST: every pod lists its part at the same time, and one sorted page comes of it.

Each pod has its own deadline. Where the page ends in each pod is kept with the page's last id,
so that the next page goes on in every pod from there. A pod that does not answer keeps its
place and is named in the reply.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from trio2o import clock, merge, microversion, paging, rewrite
from trio2o.db import cursors, routings
from trio2o.errors import BadRequest, PodDidNotRespond, PodError
from trio2o.metrics import PARTIAL_LISTS
from trio2o.model import Kind, Pod, Reply
from trio2o.ops.kinds import KINDS
from trio2o.plan import Owners
from trio2o.refs import Need
from trio2o.sorting import After, values_of

from .deps import Deps
from .forward import ask, json_reply, parsed, with_missing
from .items import page_of
from .locate import routing_of
from .request import Request

Item = Mapping[str, Any]


class _Refused(Exception):
    """A pod answered the list with an error: that is the answer."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.status)
        self.reply = reply


async def gather(
    deps: Deps, request: Request, pods: Sequence[Pod], unasked: Sequence[Pod]
) -> Reply:
    """One page.

    Raises BadRequest and NotFound as the service does, PodDidNotRespond when no pod responds,
    or one does not and the caller is strict.
    """
    try:
        return await _Page(deps, request, pods, unasked).reply()
    except _Refused as refused:
        return refused.reply


class _Page:
    """One page in the making."""

    def __init__(
        self, deps: Deps, request: Request, pods: Sequence[Pod], unasked: Sequence[Pod]
    ) -> None:
        listing = request.op.listing
        assert listing is not None  # noqa: S101  every LIST row has one
        listing = paging.contract(listing, request.version)
        self.deps, self.request, self.listing = deps, request, listing
        self.pods = {pod.id: pod for pod in pods}
        self.silent = [pod.name for pod in unasked]
        self.kind = request.op.kind
        self.asked = paging.parse(listing, request.query, request.service)
        self.id_field = listing.marker_field or "id"
        self.origin: dict[str, Pod] = {}
        self.counts: dict[str, int] = {}
        self.keeps: dict[str, Callable[[Item], bool]] = {}
        self.template: Mapping[str, Any] = {}

    async def reply(self) -> Reply:
        positions = await self._start()
        merger = merge.Merger(
            self.asked.sort,
            self.pods,
            positions,
            skip=self.asked.offset,
            id_field=self.id_field,
        )
        items: list[Item] = []
        wanted = self.asked.limit
        if wanted == 0:
            await self._feed(merger, 1)  # a page of nothing still needs a pod that agrees
        while len(items) < wanted and not merger.finished:
            await self._feed(merger, wanted - len(items))
            items += merger.take(wanted - len(items))
        self._judge(merger)
        self.origin = {ident: self.pods[pod_id] for ident, pod_id in merger.origins.items()}
        if items and len(items) == wanted:
            await self._save(items[-1], merger.positions)
        self._learn(items)
        return await self._render(items)

    # ---------------------------------------------------------------- where to begin

    async def _start(self) -> merge.Positions:
        """Where each pod goes on after the request's marker."""
        marker = self.asked.marker
        if not marker:
            return {}
        key = self._cursor_key(marker)
        kept = await self.deps.db.read(cursors.find, key, clock.now())
        if kept is not None:
            return merge.from_document(kept)
        return await self._after_lost_cursor(marker)

    async def _after_lost_cursor(self, marker: str) -> merge.Positions:
        """Nobody knows where the page before ended: find the marker, walk the other pods."""
        if self.kind is None:
            return {}
        owners = await self._owner(marker)
        home = next((self.pods[ident] for ident in owners.pod_ids if ident in self.pods), None)
        if home is None:
            if owners.pod_ids or owners.silent:
                raise PodDidNotRespond(
                    "", f"The pod of marker {marker} did not respond.", may_have_acted=False
                )
            # No pod knows it: let one say so in the service's words.
            raise await self._no_marker(marker, next(iter(self.pods.values())))
        item = await self._marker_item(marker, home)
        values = values_of(item, self.asked.sort)
        for pod_id in self.pods:
            if pod_id != home.id:
                self.keeps[pod_id] = After(self.asked.sort, values)
        return {home.id: merge.Position(marker, values)}

    async def _owner(self, marker: str) -> Owners:
        assert self.kind is not None  # noqa: S101
        need = Need(self.kind, marker)
        pods = await self.deps.registry.pods()
        owners = await self.deps.locator.owners([need], self.request, pods)
        return owners[self.kind, marker]

    async def _marker_item(self, marker: str, home: Pod) -> Item:
        """The marker as its pod shows it; what the index knows when it was deleted."""
        assert self.kind is not None  # noqa: S101
        facts = KINDS[self.kind]
        reply = await ask(
            self.deps, self.request, home, path=facts.show.format(id=marker), query=""
        )
        if reply.status == 200:
            document = parsed(reply)
            item = document.get(facts.body_key, document) if facts.body_key else document
            if isinstance(item, dict):
                return item
        routing = await self.deps.db.read(routings.find, self.kind, marker)
        if routing is None:
            raise await self._no_marker(marker, home)
        created = routing.created_at.strftime("%Y-%m-%dT%H:%M:%SZ")
        return {facts.created_field: created, facts.id_field: marker}

    async def _no_marker(self, marker: str, pod: Pod) -> _Refused | BadRequest:
        reply = await ask(self.deps, self.request, pod)
        if reply.status >= 400:
            return _Refused(reply)
        # nova/compute/instance_list.py@34.0.0 get_marker_record: Nova goes on behind servers
        # of other projects too; where they would stand is not for this caller to know.
        return BadRequest(f"marker [{marker}] not found")

    def _cursor_key(self, last: str) -> str:
        caller = self.request.caller
        scope = f"{caller.project_id}/{caller.user_id}"
        return paging.cursor_key(scope, self.request.op.path, self.asked, last)

    async def _save(self, last: Item, positions: merge.Positions) -> None:
        key = self._cursor_key(self._id(last))
        expires = clock.now() + timedelta(seconds=self.deps.settings.gateway.page_cursor_s)
        await self.deps.db.write(cursors.save, key, merge.to_document(positions), expires)

    # ---------------------------------------------------------------- asking the pods

    async def _feed(self, merger: merge.Merger, wanted: int) -> None:
        hungry = merger.hungry
        batch = merge.batch_size(wanted + self.asked.offset, len(self.pods))
        batches = await asyncio.gather(
            *(self._batch(self.pods[pod_id], at, batch) for pod_id, at in hungry.items())
        )
        for pod_id, found in zip(hungry, batches, strict=True):
            if found is None:
                merger.lost(pod_id)
                continue
            items, exhausted = found
            keep = self.keeps.get(pod_id)
            if self.kind is Kind.IMAGE:
                keep = await self._without_copies(pod_id, items, merger, keep)
            merger.feed(pod_id, items, exhausted=exhausted, keep=keep)

    async def _batch(
        self, pod: Pod, at: merge.Position, size: int
    ) -> tuple[Sequence[Item], bool] | None:
        """The next items of one pod's list and whether they are its last; None if it is silent.

        Raises _Refused.
        """
        query = paging.pod_query(self.listing, self.asked, at, size)
        query = rewrite.query_in(self.request.op, query, pod)
        path = self.listing.ask or self.request.path
        try:
            reply = await ask(
                self.deps,
                self.request,
                pod,
                path=path,
                query=query,
                deadline_s=self.deps.settings.pods.list_deadline_s,
            )
        except PodError:
            return None
        if reply.status >= 500 or reply.status == 429:
            return None
        if reply.status >= 400:
            if at.id is not None and reply.status == self.listing.bad_marker_status:
                return await self._without_marker(pod, at, size)
            raise _Refused(reply)
        document = page_of(reply, self.listing.envelope)
        if document is None:
            return None
        items = document.get(self.listing.envelope) or []
        if self.listing.count and isinstance(document.get(self.listing.count), int):
            self.counts[pod.id] = document[self.listing.count]
        if not self.template:
            self.template = document
        return items, paging.ends(self.listing, document, size)

    async def _without_marker(
        self, pod: Pod, at: merge.Position, size: int
    ) -> tuple[Sequence[Item], bool] | None:
        """The item where the pod's list was left is gone: walk up to its place again."""
        after = After(self.asked.sort, at.values, own=True)
        place = merge.START
        while True:
            found = await self._batch(pod, place, size)
            if found is None:
                return None
            items, exhausted = found
            kept = [item for item in items if after(item)]
            if kept or exhausted:
                return kept, exhausted
            place = merge.Position(self._id(items[-1]), values_of(items[-1], self.asked.sort))

    async def _without_copies(
        self,
        pod_id: str,
        items: Sequence[Item],
        merger: merge.Merger,
        keep: Callable[[Item], bool] | None,
    ) -> Callable[[Item], bool]:
        """An image is listed by its home only, unless that pod is not there to list it."""
        idents = [self._id(item) for item in items]
        await self.deps.db.write(
            routings.learn,
            [routing_of(Kind.IMAGE, self.pods[pod_id], item, self.request) for item in items],
        )
        homes = await self.deps.db.read(routings.find_many, Kind.IMAGE, idents)
        away = {
            ident
            for ident, routing in homes.items()
            if routing.pod_id != pod_id
            and routing.pod_id in self.pods
            and routing.pod_id not in merger.missing
        }
        return lambda item: (keep is None or keep(item)) and self._id(item) not in away

    def _id(self, item: Item) -> str:
        return str(item[self.id_field])

    # ---------------------------------------------------------------- the answer

    def _judge(self, merger: merge.Merger) -> None:
        """Raises PodDidNotRespond when what is there may not be shown."""
        lost = [self.pods[pod_id].name for pod_id in merger.missing]
        self.silent.extend(lost)
        if not self.silent:
            return
        PARTIAL_LISTS.labels(self.request.service).inc()
        if self.request.strict or len(lost) == len(self.pods):
            raise PodDidNotRespond(
                self.silent[0],
                f"{', '.join(sorted(self.silent))} did not respond: the list would be incomplete.",
                may_have_acted=False,
            )

    def _learn(self, items: Sequence[Item]) -> None:
        """What passes by is remembered, so that no look-up is needed for it."""
        kind = self.kind
        if kind is None or kind is Kind.IMAGE:
            return
        new = [item for item in items if not self.deps.locator.knows(kind, self._id(item))]
        rows = [routing_of(kind, self.origin[self._id(i)], i, self.request) for i in new]
        if rows:
            for item in new:
                self.deps.locator.remember(kind, self._id(item), self.origin[self._id(item)])
            self.deps.beside(self.deps.db.write(routings.learn, rows))

    async def _render(self, items: Sequence[Item]) -> Reply:
        request = self.request
        shown = [
            rewrite.item_out(request.op, dict(item), self.origin[self._id(item)], request.base)
            for item in items
        ]
        document = paging.envelope(
            self.listing,
            request.service,
            self.asked,
            shown,
            base=request.base,
            path=request.path,
            template=self.template,
            count=sum(self.counts.values()) if self.counts else None,
        )
        if self.silent and self._shows_unknown():
            document[self.listing.envelope][:0] = await self._unknown()
        return with_missing(json_reply(200, document), self.silent)

    def _shows_unknown(self) -> bool:
        return (
            self.kind is Kind.SERVER
            and microversion.exists("2.69", "", self.request.version)
            and paging.shows_unknown(self.asked)
        )

    async def _unknown(self) -> list[dict[str, Any]]:
        """The servers of the pods that did not respond, as far as our index knows them."""
        # Of the query only all_tenants can be there; who may not use it was refused by a pod.
        everybody = self.request.caller.is_admin and any(
            value.lower() in ("", "1", "true", "t", "yes", "y", "on")
            for _, value in self.asked.query
        )
        names = set(self.silent)
        pods = [pod for pod in await self.deps.registry.pods() if pod.name in names]
        found: list[dict[str, Any]] = []
        for pod in pods:
            rows = await self.deps.db.read(
                routings.list_newest,
                Kind.SERVER,
                limit=self.listing.max_limit,
                project_id=None if everybody else self.request.caller.project_id,
                pod_id=pod.id,
            )
            detail = not self.listing.brief
            found += [paging.unknown_server(row, self.request.base, detail=detail) for row in rows]
        return found

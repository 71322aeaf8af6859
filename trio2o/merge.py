# SPDX-License-Identifier: Apache-2.0
"""One list from the lists of many pods, a page at a time.

Each pod lists in its own order, which this module never questions: it only chooses which
pod's next item comes next. Whether an item is shown rests on positions alone: of each pod,
the last item that was taken. A wrong comparison puts an item in another place and never
loses or repeats one. A pod that did not respond keeps its position, so what it owes comes
when it is back. Nothing here knows how pods are asked.

Source of what is done differently: nova/compute/multi_cell_list.py@34.0.0, CrossCellLister,
which asks cells one after another, shares one deadline between them, and loses the rows of
a cell that fails in the middle of a page.
"""

import heapq
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from math import ceil
from typing import Any

from trio2o.sorting import Comparable, Item, Sort, comparable, value_at, values_of

_SMALLEST_BATCH = 100


@dataclass(frozen=True, slots=True)
class Position:
    """How far a pod's list was taken.

    id: of the last item taken; None before the first.
    values: what that item showed for the sort keys, for After, if the id is gone.
    count: items taken, for lists that know offsets and no markers.
    exhausted: there is nothing more and need not be looked again.
    """

    id: str | None = None
    values: tuple[Any, ...] = ()
    count: int = 0
    exhausted: bool = False


START = Position()

Positions = Mapping[str, Position]
"""By the pod's id. A pod that is not in it starts at its first item."""


def to_document(positions: Positions) -> dict[str, Any]:
    """``positions`` as JSON can hold them."""
    return {pod: {**asdict(at), "values": list(at.values)} for pod, at in positions.items()}


def from_document(document: Mapping[str, Any]) -> dict[str, Position]:
    """The positions of which to_document() made ``document``."""
    return {
        pod: Position(at["id"], tuple(at["values"]), at["count"], at["exhausted"])
        for pod, at in document.items()
    }


def batch_size(wanted: int, pods: int) -> int:
    """How many items to ask of each of ``pods``, so that they make ``wanted`` together.

    Source: nova/compute/instance_list.py@34.0.0, get_instance_list_cells_batch_size,
    "distributed": a tenth more than even shares, at least 100, never more than wanted.
    """
    return min(wanted, max(_SMALLEST_BATCH, ceil(1.1 * wanted / max(1, pods))))


class _Lane:
    """One pod: what it gave and was not taken yet, ``items[next:]``.

    head, head_id, values: of items[next], once it is among the heads.
    """

    __slots__ = (
        "at",
        "done",
        "fetched",
        "head",
        "head_id",
        "items",
        "keep",
        "lost",
        "next",
        "number",
        "pod",
        "values",
    )

    def __init__(self, pod: str, number: int, at: Position) -> None:
        self.pod = pod
        self.number = number
        self.at = at
        self.fetched = at
        self.done = at.exhausted
        self.lost = False
        self.items: Sequence[Item] = ()
        self.keep: Callable[[Item], bool] | None = None
        self.next = 0
        self.head: Item = {}
        self.head_id = ""
        self.values: tuple[Any, ...] = ()

    @property
    def dry(self) -> bool:
        return self.next == len(self.items)

    @property
    def hungry(self) -> bool:
        return self.dry and not self.done and not self.lost


class Merger:
    """Merges the pods' lists as they come in.

    ::

        merger = Merger(page.sort, pods, positions, skip=page.offset)
        items = merger.take(page.limit)
        while len(items) < page.limit and not merger.finished:
            for pod, at in merger.hungry.items():     # all at the same time
                ... merger.feed(pod, batch, exhausted=...) or merger.lost(pod)
            items += merger.take(page.limit - len(items))

    pods: ids, in the order that breaks what ties are left.
    skip: items to leave out first (``offset``).
    id_field: path of the item's id; an id that comes again, from any pod, is left out.

    ``origins`` has the pod of each item that was taken, by the item's id.
    """

    def __init__(
        self,
        sort: Sort,
        pods: Iterable[str],
        positions: Positions | None = None,
        *,
        skip: int = 0,
        id_field: str = "id",
    ) -> None:
        self._sort = sort
        self._id_path = tuple(id_field.split("."))
        self._skip = skip
        self._seen: set[str] = set()
        self._kept = dict(positions or {})
        self._lanes = {
            pod: _Lane(pod, number, self._kept.get(pod, START)) for number, pod in enumerate(pods)
        }
        self._heads: list[tuple[Comparable, int, _Lane]] = []
        self.origins: dict[str, str] = {}
        # Where nothing new can sort after what was shown, an end stays an end.
        self._ends_stay = bool(sort) and sort[0].name == "created_at" and sort[0].descending

    @property
    def hungry(self) -> dict[str, Position]:
        """The pods that must be fed before more can be taken, and where each goes on."""
        return {lane.pod: lane.fetched for lane in self._lanes.values() if lane.hungry}

    @property
    def missing(self) -> list[str]:
        """The pods that were lost."""
        return [lane.pod for lane in self._lanes.values() if lane.lost]

    @property
    def finished(self) -> bool:
        """Nothing is left to take, and no pod is left to be asked."""
        return all(lane.dry and not lane.hungry for lane in self._lanes.values())

    @property
    def positions(self) -> dict[str, Position]:
        """Where the next page goes on, pods included that this page did not ask."""
        found = dict(self._kept)
        for lane in self._lanes.values():
            ended = lane.dry and lane.done and not lane.lost and self._ends_stay
            found[lane.pod] = replace(lane.at, exhausted=ended)
        return found

    def feed(
        self,
        pod: str,
        items: Sequence[Item],
        *,
        exhausted: bool,
        keep: Callable[[Item], bool] | None = None,
    ) -> None:
        """Add the next ``items`` of the list of ``pod``, which is hungry, in its order.

        items: looked at one by one as the merge comes to them, and the last one at once.
        exhausted: the pod has no more. No items say so too, and so does the same last item
            again: the pod takes no notice of markers.
        keep: items for which it is false count as taken and are not shown.
        """
        lane = self._lanes[pod]
        lane.items, lane.keep, lane.next = items, keep, 0
        lane.done = exhausted or not items
        if items:
            last = items[-1]
            last_id = self._id(last)
            lane.done = exhausted or last_id == lane.fetched.id
            count = lane.fetched.count + len(items)
            lane.fetched = Position(last_id, values_of(last, self._sort), count)
        self._expose(lane)

    def lost(self, pod: str) -> None:
        """``pod`` did not respond. What it gave before is still taken; it keeps its place."""
        self._lanes[pod].lost = True

    def take(self, limit: int) -> list[Item]:
        """The next items, at most ``limit``; fewer if a pod is hungry or all are at an end."""
        taken: list[Item] = []
        starving = any(lane.hungry for lane in self._lanes.values())
        while self._heads and len(taken) < limit and not starving:
            _, _, lane = heapq.heappop(self._heads)
            if lane.head_id not in self._seen:
                self._seen.add(lane.head_id)
                if self._skip:
                    self._skip -= 1
                else:
                    taken.append(lane.head)
                    self.origins[lane.head_id] = lane.pod
            self._pass(lane, lane.head_id, lane.values)
            self._expose(lane)
            starving = lane.hungry
        # A copy of what was just shown must not open the next page.
        while self._heads and self._heads[0][2].head_id in self._seen:
            _, _, lane = heapq.heappop(self._heads)
            self._pass(lane, lane.head_id, lane.values)
            self._expose(lane)
        return taken

    def _expose(self, lane: _Lane) -> None:
        """Put the first item of ``lane`` that is to be shown among the heads."""
        while not lane.dry:
            item = lane.items[lane.next]
            item_id, values = self._id(item), values_of(item, self._sort)
            shown = lane.keep is None or lane.keep(item)
            if shown and item_id not in self._seen:
                lane.head, lane.head_id, lane.values = item, item_id, values
                heapq.heappush(self._heads, (comparable(values, self._sort), lane.number, lane))
                return
            self._pass(lane, item_id, values)

    def _id(self, item: Item) -> str:
        return str(value_at(item, self._id_path))

    @staticmethod
    def _pass(lane: _Lane, item_id: str, values: tuple[Any, ...]) -> None:
        lane.at = Position(item_id, values, lane.at.count + 1)
        lane.next += 1

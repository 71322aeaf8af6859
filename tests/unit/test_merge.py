# SPDX-License-Identifier: Apache-2.0
"""Lists of many pods become one: nothing is lost, nothing comes twice."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trio2o.merge import Merger, Position, batch_size, from_document, to_document
from trio2o.ops import Listing, SortStyle
from trio2o.sorting import After, Sort, SortKey, comparable, parse_sort, values_of

SERVERS = Listing(
    "servers",
    "servers_links",
    sort=SortStyle.NOVA,
    tie=("uuid", "asc"),
    fields={"created_at": "created", "display_name": "name", "vcpus": "flavor.vcpus"},
)

ORDERS = {
    "default": parse_sort(SERVERS, []),
    "name": parse_sort(SERVERS, [("sort_key", "display_name"), ("sort_dir", "asc")]),
    "two": parse_sort(
        SERVERS,
        [
            ("sort_key", "vcpus"),
            ("sort_dir", "desc"),
            ("sort_key", "created_at"),
            ("sort_dir", "asc"),
        ],
    ),
    "unseen": parse_sort(SERVERS, [("sort_key", "locked_by")]),
}

Items = list[dict[str, Any]]


class Pod:
    """A list that is served as a service serves it: after a marker, so many at a time.

    early: items that stand first whatever their sort values, as servers that Nova builds.
    """

    def __init__(self, sort: Sort, items: Items, early: int = 0) -> None:
        self.sort = sort
        first, rest = items[:early], items[early:]
        self.items = first + sorted(rest, key=self.key)
        self.early = early
        self.gone: set[str] = set()

    def key(self, item: dict[str, Any]) -> tuple[Any, ...]:
        return comparable(values_of(item, self.sort), self.sort)

    def add(self, item: dict[str, Any]) -> None:
        self.items = self.items[: self.early] + sorted(
            [*self.items[self.early :], item], key=self.key
        )

    def page(self, marker: str | None, limit: int) -> tuple[Items, bool]:
        """Items, and whether they are the last. A marker may be gone, as in Nova."""
        ids = [item["id"] for item in self.items]
        start = ids.index(marker) + 1 if marker else 0
        left = [item for item in self.items[start:] if item["id"] not in self.gone]
        return left[:limit], len(left) <= limit


def item_of(number: int, created: int, name: str | None, vcpus: int) -> dict[str, Any]:
    return {
        "id": f"{number * 7919 % 10007:05}",
        "created": f"2026-01-01T00:00:{created:02}Z",
        "name": name,
        "flavor": {"vcpus": vcpus},
    }


@st.composite
def clouds(draw: st.DrawFn) -> list[tuple[Items, int]]:
    """Pods as (items, how many of them come early)."""
    numbers = iter(range(10000))
    made = []
    for _ in range(draw(st.integers(1, 4))):
        rows = draw(
            st.lists(
                st.tuples(
                    st.integers(0, 4),
                    st.sampled_from([None, "a", "B", "b", "c"]),
                    st.integers(1, 3),
                ),
                max_size=14,
            )
        )
        items = [item_of(next(numbers), *row) for row in rows]
        made.append((items, draw(st.integers(0, min(3, len(items))))))
    return made


def turn(merger: Merger, pods: dict[str, Pod], limit: int, batch: int, down: set[str]) -> Items:
    """One page, made as the engine makes it; ``down`` pods do not respond."""
    shown = merger.take(limit)
    while len(shown) < limit and not merger.finished:
        for name, at in merger.hungry.items():
            if name in down:
                merger.lost(name)
            else:
                items, last = pods[name].page(at.id, batch)
                merger.feed(name, items, exhausted=last)
        shown += merger.take(limit - len(shown))
    return shown


def all_pages(pods: dict[str, Pod], sort: Sort, limit: int, batch: int) -> Iterator[Items]:
    positions: dict[str, Position] = {}
    while True:
        merger = Merger(sort, pods, positions)
        page = turn(merger, pods, limit, batch, set())
        positions = from_document(to_document(merger.positions))
        yield page
        if len(page) < limit:
            return


@pytest.mark.parametrize("order", ORDERS)
@given(cloud=clouds(), limit=st.integers(1, 9), batch=st.integers(1, 5))
def test_pages_hold_everything_once(
    order: str, cloud: list[tuple[Items, int]], limit: int, batch: int
) -> None:
    sort = ORDERS[order]
    pods = {f"p{n}": Pod(sort, items, early) for n, (items, early) in enumerate(cloud)}
    shown = [item["id"] for page in all_pages(pods, sort, limit, batch) for item in page]
    assert sorted(shown) == sorted(i["id"] for p in pods.values() for i in p.items)


@pytest.mark.parametrize("order", ["default", "name", "two"])
@given(cloud=clouds(), limit=st.integers(1, 9), batch=st.integers(1, 5))
def test_sorted_pods_make_a_sorted_list(
    order: str, cloud: list[tuple[Items, int]], limit: int, batch: int
) -> None:
    sort = ORDERS[order]
    pods = {f"p{n}": Pod(sort, items) for n, (items, _) in enumerate(cloud)}
    shown = [item for page in all_pages(pods, sort, limit, batch) for item in page]
    assert shown == sorted(shown, key=next(iter(pods.values())).key)


@pytest.mark.parametrize("order", ORDERS)
@settings(max_examples=150)
@given(cloud=clouds(), data=st.data())
def test_storm_loses_nothing_that_stayed_and_repeats_nothing(
    order: str, cloud: list[tuple[Items, int]], data: st.DataObject
) -> None:
    """Pods fail in any page, resources come and go between pages, page sizes change."""
    sort = ORDERS[order]
    pods = {f"p{n}": Pod(sort, items, early) for n, (items, early) in enumerate(cloud)}
    stayed = {item["id"] for pod in pods.values() for item in pod.items}
    numbers = iter(range(5000, 9000))
    positions: dict[str, Position] = {}
    shown: list[str] = []
    for _ in range(data.draw(st.integers(0, 8))):
        down = data.draw(st.sets(st.sampled_from(sorted(pods))))
        merger = Merger(sort, pods, positions)
        limit = data.draw(st.integers(1, 7))
        page = turn(merger, pods, limit, data.draw(st.integers(1, 4)), down)
        assert set(merger.missing) <= down
        positions = from_document(to_document(merger.positions))
        shown += [item["id"] for item in page]
        for pod in pods.values():
            if data.draw(st.booleans()):
                number = next(numbers)
                pod.add(item_of(number, number % 5, "b", 2))
            if pod.items and data.draw(st.booleans()):
                victim = data.draw(st.sampled_from(pod.items))["id"]
                pod.gone.add(victim)
                stayed.discard(victim)
    while True:  # everybody is back
        merger = Merger(sort, pods, positions)
        page = turn(merger, pods, 5, 3, set())
        positions = merger.positions
        shown += [item["id"] for item in page]
        if len(page) < 5:
            break
    assert len(shown) == len(set(shown))
    assert stayed <= set(shown)


@pytest.mark.parametrize("order", ["default", "name", "two"])
@pytest.mark.parametrize("early", [False, True])
@given(cloud=clouds(), first=st.integers(1, 12))
def test_lost_cursor_leaves_no_hole(
    order: str, early: bool, cloud: list[tuple[Items, int]], first: int
) -> None:
    """The marker's pod goes on from it; the others are read from the start."""
    sort = ORDERS[order]
    pods = {
        f"p{n}": Pod(sort, items, some if early else 0) for n, (items, some) in enumerate(cloud)
    }
    before = turn(Merger(sort, pods), pods, first, 4, set())
    if not before:
        return
    marker = before[-1]
    owner = next(n for n, pod in pods.items() if marker in pod.items)
    merger = Merger(sort, pods, {owner: Position(marker["id"], values_of(marker, sort))})
    for name, pod in pods.items():
        if name != owner:
            after = After(sort, values_of(marker, sort))
            merger.feed(name, pod.page(None, 1000)[0], exhausted=True, keep=after)
    rest = turn(merger, pods, 1000, 1000, set())
    shown = [item["id"] for item in before + rest]
    assert set(shown) == {item["id"] for pod in pods.values() for item in pod.items}
    if not early:
        assert len(shown) == len(set(shown))


def test_position_whose_item_is_gone_is_found_by_its_values() -> None:
    sort = ORDERS["default"]
    items = [item_of(n, 9 - n, None, 1) for n in range(5)]
    after = After(sort, values_of(items[2], sort), own=True)
    assert [item["id"] for item in [*items[:2], *items[3:]] if after(item)] == [
        items[3]["id"],
        items[4]["id"],
    ]


def test_position_is_of_what_was_taken_and_not_of_what_was_fetched() -> None:
    sort = ORDERS["default"]
    merger = Merger(sort, ["p"])
    merger.feed("p", [item_of(n, 9 - n, None, 1) for n in range(5)], exhausted=False)
    taken = merger.take(2)
    assert merger.positions["p"].id == taken[-1]["id"]
    assert merger.positions["p"].count == 2


def test_pod_that_is_lost_keeps_its_place_and_gives_what_it_gave() -> None:
    sort = ORDERS["default"]
    merger = Merger(sort, ["p", "q"], {"q": Position("x")})
    merger.feed("p", [item_of(1, 9, None, 1)], exhausted=False)
    merger.lost("q")
    assert len(merger.take(5)) == 1
    assert list(merger.hungry) == ["p"]
    merger.lost("p")
    assert merger.finished
    assert merger.missing == ["p", "q"]
    assert merger.positions["q"] == Position("x")
    assert merger.positions["p"].id == item_of(1, 9, None, 1)["id"]


def test_pod_that_this_page_did_not_ask_keeps_its_place() -> None:
    merger = Merger(ORDERS["default"], ["p"], {"elsewhere": Position("y", (), 3)})
    merger.feed("p", [], exhausted=True)
    assert merger.positions["elsewhere"] == Position("y", (), 3)


def test_take_waits_for_a_pod_that_may_come_first() -> None:
    merger = Merger(ORDERS["default"], ["p", "q"])
    merger.feed("p", [item_of(1, 1, None, 1)], exhausted=True)
    assert merger.take(5) == []
    merger.feed("q", [item_of(2, 9, None, 1)], exhausted=True)
    assert [item["created"][-3:-1] for item in merger.take(5)] == ["09", "01"]


def test_same_id_of_two_pods_is_shown_once_and_does_not_open_the_next_page() -> None:
    sort = ORDERS["default"]
    item, other = item_of(1, 5, None, 1), item_of(2, 4, None, 1)
    merger = Merger(sort, ["p", "q"])
    merger.feed("p", [item], exhausted=True)
    merger.feed("q", [item, other], exhausted=True)
    assert merger.take(1) == [item]
    again = Merger(sort, ["p", "q"], merger.positions)
    again.feed("q", [other], exhausted=True)
    assert again.take(5) == [other]


def test_pod_that_takes_no_notice_of_markers_ends() -> None:
    merger = Merger(ORDERS["default"], ["p"])
    items = [item_of(1, 5, None, 1)]
    merger.feed("p", items, exhausted=False)
    merger.take(5)
    merger.feed("p", items, exhausted=False)
    assert merger.take(5) == []
    assert merger.finished


def test_offset_skips_in_the_merged_order() -> None:
    merger = Merger(ORDERS["default"], ["p", "q"], skip=2)
    merger.feed("p", [item_of(1, 9, None, 1), item_of(2, 7, None, 1)], exhausted=True)
    merger.feed("q", [item_of(3, 8, None, 1)], exhausted=True)
    assert [item["id"] for item in merger.take(5)] == [item_of(2, 7, None, 1)["id"]]


def test_an_end_is_looked_at_again_where_new_items_may_follow() -> None:
    for order, stays in (("default", True), ("name", False)):
        merger = Merger(ORDERS[order], ["p"])
        merger.feed("p", [item_of(1, 1, "a", 1)], exhausted=True)
        merger.take(5)
        assert merger.positions["p"].exhausted is stays


def test_keys_that_items_do_not_show_keep_the_pods_apart() -> None:
    merger = Merger(ORDERS["unseen"], ["p", "q"])
    first = [item_of(n, 9 - n, None, 1) for n in (3, 1, 2)]
    second = [item_of(n, 9, None, 1) for n in (6, 5)]
    merger.feed("q", second, exhausted=True)
    merger.feed("p", first, exhausted=True)
    assert merger.take(9) == first + second


@pytest.mark.parametrize(
    ("smaller", "larger"),
    [(None, "a"), (None, 0), ("a", "B"), ("A", "b"), (2, 10), (1.5, 2), (False, True)],
)
def test_values_compare_as_in_the_pods_databases(smaller: object, larger: object) -> None:
    up = (SortKey("k", ("k",), descending=False),)
    down = (SortKey("k", ("k",), descending=True),)
    assert comparable([smaller], up) < comparable([larger], up)
    assert comparable([larger], down) < comparable([smaller], down)


@pytest.mark.parametrize(
    ("wanted", "pods", "batch"), [(1000, 4, 275), (1000, 100, 100), (20, 3, 20), (1000, 1, 1000)]
)
def test_batches_are_even_shares_and_a_tenth(wanted: int, pods: int, batch: int) -> None:
    assert batch_size(wanted, pods) == batch

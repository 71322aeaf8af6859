# SPDX-License-Identifier: Apache-2.0
"""Shelves: the items of one kind, and their lists in any order, one page at a time.

A sorted list is kept until an item of its shelf changes, so that walking through ten thousand
items costs one sort.
"""

from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import Any, Generic, Protocol, TypeVar
from urllib.parse import urlencode


class Item(Protocol):
    @property
    def id(self) -> str: ...
    @property
    def deleted(self) -> bool: ...


T = TypeVar("T", bound=Item)

_KEPT_VIEWS = 16


class Shelf(Generic[T]):
    """Items by id. Deleted ones may stay, with ``deleted`` set, to serve as markers."""

    def __init__(self) -> None:
        self._items: dict[str, T] = {}
        self._views: dict[Hashable, list[T]] = {}
        self._pages: dict[Hashable, bytes] = {}

    def __len__(self) -> int:
        return len(self._items)

    def __iter__(self) -> Iterator[T]:
        """Over the live items, in the order of their making."""
        return (item for item in self._items.values() if not item.deleted)

    def every(self) -> Iterator[T]:
        return iter(self._items.values())

    def add(self, item: T) -> T:
        self._items[item.id] = item
        self._forget()
        return item

    def find(self, item_id: str) -> T | None:
        """A live item."""
        item = self._items.get(item_id)
        return item if item is not None and not item.deleted else None

    def find_any(self, item_id: str) -> T | None:
        return self._items.get(item_id)

    def drop(self, item_id: str) -> None:
        self._items.pop(item_id, None)
        self._forget()

    def changed(self) -> None:
        """To be called when a field that lists sort or filter by has another value."""
        self._forget()

    def _forget(self) -> None:
        self._views.clear()
        self._pages.clear()

    def page(self, name: Hashable, make: Callable[[], tuple[bytes, bool]]) -> bytes:
        """The page called ``name``, kept until an item changes, if ``make`` says it may be."""
        kept = self._pages.get(name)
        if kept is None:
            kept, keep = make()
            if keep:
                if len(self._pages) >= _KEPT_VIEWS:
                    self._pages.clear()
                self._pages[name] = kept
        return kept

    def view(self, name: Hashable, make: Callable[[], list[T]]) -> list[T]:
        """The list called ``name``, made anew only when an item changed."""
        kept = self._views.get(name)
        if kept is None:
            if len(self._views) >= _KEPT_VIEWS:
                self._views.clear()
            kept = self._views[name] = make()
        return kept


def collate(value: Any) -> tuple[int, Any]:
    """A sort key as MariaDB orders it: NULL first, letters without regard to case."""
    if value is None:
        return (0, 0)
    if isinstance(value, str):
        return (1, value.casefold())
    return (1, value)


def ordered(
    items: Sequence[T], sort: Sequence[tuple[str, str]], read: Callable[[T, str], Any]
) -> list[T]:
    """``items`` by (key, "asc" or "desc") pairs."""
    result = list(items)
    for key, direction in reversed(sort):
        result.sort(key=lambda item: collate(read(item, key)), reverse=direction == "desc")
    return result


def after(
    items: Sequence[T],
    marker: T,
    sort: Sequence[tuple[str, str]],
    read: Callable[[T, str], Any],
) -> int:
    """Index of the first item that comes after ``marker``, which may be on no list."""
    place = [(collate(read(marker, key)), direction) for key, direction in sort]

    def follows(item: T) -> bool:
        for (key, _), (value, direction) in zip(sort, place, strict=True):
            mine = collate(read(item, key))
            if mine != value:
                return (mine > value) == (direction != "desc")
        return False

    low, high = 0, len(items)
    while low < high:
        middle = (low + high) // 2
        if follows(items[middle]):
            high = middle
        else:
            low = middle + 1
    return low


def next_link(url: str, query: list[tuple[str, str]], marker: str) -> str:
    """``url`` with the query of this page and another marker."""
    params = [(key, value) for key, value in query if key != "marker"]
    return f"{url}?{urlencode([*params, ('marker', marker)])}"

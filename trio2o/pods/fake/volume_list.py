# SPDX-License-Identifier: Apache-2.0
"""Lists of Cinder: filters, order, pages; for volumes, snapshots and attachments.

Source: cinder/api/common.py, cinder/db/api.py (process_sort_params,
_generate_paginate_query, _process_volume_filters) @29.0.0.
"""

import ast
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar

from trio2o.pods.fake.paging import Item, Shelf, after, next_link, ordered
from trio2o.pods.fake.server_view import application_url
from trio2o.pods.fake.web import Fault, Request, truth

MAX_LIMIT = 1000
T = TypeVar("T", bound=Item)
Fields = Mapping[str, Callable[[Any], Any]]

_PAGING = ("marker", "limit", "offset", "sort", "sort_key", "sort_dir")


class Listing:
    """How one kind is listed.

    fields: what lists sort and filter by.
    filters: those that are not admins may use; a name that ends in ~ is a pattern too.
    missing: message of the fault about an unknown marker, with {id}.
    names_since: microversion that sorts by ``name``.
    own_markers: a marker must be of the caller's project.
    """

    def __init__(
        self,
        name: str,
        fields: Fields,
        filters: tuple[str, ...],
        missing: str,
        *,
        names_since: int = 0,
        own_markers: bool = False,
    ) -> None:
        self.name = name
        self.fields = fields
        self.filters = filters
        self.missing = missing
        self.names_since = names_since
        self.own_markers = own_markers


def page(shelf: Shelf[T], request: Request, listing: Listing) -> tuple[list[T], int | None]:
    """The items of the page, and the number of all when the query asks for it."""
    limit = limit_of(request)
    sort = _sort(request, listing)
    offset = _offset(request)
    counted = None
    found = shelf.view((request.who.is_admin, request.who.project_id, sort, _key(request)),
                       lambda: _found(shelf, request, listing, sort))  # fmt: skip
    if request.since(45) and truth(request.first("with_count")):
        counted = len(found)
    start = 0
    if request.asks("marker"):
        start = after(found, _marker(shelf, request, listing), sort, _reader(listing))
    return found[start + offset : start + offset + limit], counted


def answer(
    request: Request,
    listing: Listing,
    items: list[dict[str, Any]],
    counted: int | None,
    path: str,
) -> dict[str, Any]:
    body: dict[str, Any] = {listing.name: items}
    if items and limit_of(request) <= (counted or len(items)):
        url = f"{application_url(request)}/{path}"
        query = [(key, value) for key, value in request.query if key != "marker"]
        href = next_link(url, query, items[-1]["id"])
        body[f"{listing.name}_links"] = [{"rel": "next", "href": href}]
    if counted is not None:
        body["count"] = counted
    return body


def _key(request: Request) -> tuple[Any, ...]:
    rest = [pair for pair in request.query if pair[0] not in _PAGING]
    return (*sorted(rest), request.version[1] >= 31)


def limit_of(request: Request) -> int:
    text = request.first("limit", str(MAX_LIMIT))
    try:
        limit = int(text)
    except ValueError:
        raise Fault(400, "limit param must be an integer") from None
    if limit < 0:
        raise Fault(400, "limit param must be positive")
    return min(limit, MAX_LIMIT)


def _offset(request: Request) -> int:
    text = request.first("offset", "0")
    try:
        offset = int(text)
    except ValueError:
        raise Fault(400, "offset must be an integer") from None
    if offset < 0:
        raise Fault(400, "offset must be >= 0")
    return offset


def _sort(request: Request, listing: Listing) -> tuple[tuple[str, str], ...]:
    if request.asks("sort") and (request.asks("sort_key") or request.asks("sort_dir")):
        raise Fault(
            400,
            "The 'sort_key' and 'sort_dir' parameters are deprecated and cannot be used with "
            "the 'sort' parameter.",
        )
    pairs = []
    if request.asks("sort"):
        for part in request.first("sort").strip().split(","):
            key, _, direction = part.partition(":")
            pairs.append((key.strip(), direction.strip() or "desc"))
    else:
        key = request.first("sort_key", "created_at").strip()
        pairs.append((key, request.first("sort_dir", "desc").strip()))
    for key, direction in pairs:
        if direction not in ("asc", "desc"):
            raise Fault(
                400,
                "Invalid input received: Unknown sort direction, must be 'desc' or 'asc'.",
            )
        too_old = key == "name" and not request.since(listing.names_since)
        if key not in listing.fields or too_old:
            raise Fault(400, "Invalid input received: Invalid sort key")
    first = pairs[0][1]
    for key in ("created_at", "id"):
        if all(key != asked for asked, _ in pairs):
            pairs.append((key, first))
    return tuple(pairs)


def _reader(listing: Listing) -> Callable[[Any, str], Any]:
    return lambda item, key: listing.fields[key](item)


def _marker(shelf: Shelf[T], request: Request, listing: Listing) -> T:
    marker: Any = shelf.find(request.first("marker"))
    hidden = listing.own_markers and not request.who.is_admin
    if marker is None or (hidden and marker.project_id != request.who.project_id):
        raise Fault(404, listing.missing.format(id=request.first("marker")))
    found: T = marker
    return found


def _found(
    shelf: Shelf[T], request: Request, listing: Listing, sort: tuple[tuple[str, str], ...]
) -> list[T]:
    who = request.who
    every = (
        who.is_admin
        and request.asks("all_tenants")
        and truth(request.first("all_tenants") or "1", default=True)
    )
    tests = _tests(request, listing)
    if tests is None:
        return []
    kept = [
        item
        for item in shelf
        if (every or item.project_id == who.project_id)  # type: ignore[attr-defined]
        and all(test(item) for test in tests)
    ]
    return ordered(kept, sort, _reader(listing))


def _tests(request: Request, listing: Listing) -> list[Callable[[Any], bool]] | None:
    """What an item must pass; None when nothing can."""
    tests: list[Callable[[Any], bool]] = []
    unknown: list[str] = []
    for key, value in request.query:
        name = key.removesuffix("~")
        if key in (*_PAGING, "all_tenants") or (key == "with_count" and request.since(45)):
            continue
        allowed = (
            request.who.is_admin
            or key in listing.filters
            or (request.since(34) and f"{name}~" in listing.filters)
        )
        if not allowed:
            unknown.append(key)
        elif name not in listing.fields and name not in _SPECIAL:
            return None
        elif key in _SPECIAL:
            tests.append(_SPECIAL[key](value))
        elif key.endswith("~") and request.since(34):
            tests.append(_like(listing.fields[name], value))
        else:
            tests.append(_equal(listing.fields[name], value))
    if unknown and request.since(31):
        listed = ",".join(unknown)
        raise Fault(400, f"Invalid filters {listed} are found in query options.")
    return tests


def _equal(field: Callable[[Any], Any], value: str) -> Callable[[Any], bool]:
    def test(item: Any) -> bool:
        mine = field(item)
        if isinstance(mine, bool):
            return mine == truth(value)
        if isinstance(mine, int):
            return str(mine) == value
        return isinstance(mine, str) and mine.casefold() == value.casefold()

    return test


def _like(field: Callable[[Any], Any], value: str) -> Callable[[Any], bool]:
    return lambda item: value.casefold() in str(field(item) or "").casefold()


def _metadata(value: str) -> Callable[[Any], bool]:
    try:
        wanted = ast.literal_eval(value)
    except (ValueError, SyntaxError):
        wanted = None
    if not isinstance(wanted, dict):
        return lambda _: False
    return lambda item: all(item.metadata.get(key) == text for key, text in wanted.items())


def _moments(name: str) -> Callable[[str], Callable[[Any], bool]]:
    def make(value: str) -> Callable[[Any], bool]:
        tests = [_moment(name, unit) for unit in value.split(",")]
        return lambda item: all(test(item) for test in tests)

    return make


_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "gt": lambda mine, asked: mine > asked,
    "gte": lambda mine, asked: mine >= asked,
    "eq": lambda mine, asked: mine == asked,
    "neq": lambda mine, asked: mine != asked,
    "lt": lambda mine, asked: mine < asked,
    "lte": lambda mine, asked: mine <= asked,
}


def _moment(name: str, unit: str) -> Callable[[Any], bool]:
    operator, _, text = unit.partition(":")
    if operator not in _COMPARE:
        raise Fault(400, f"Invalid {operator} operator")
    try:
        asked = datetime.fromisoformat(text.replace(" ", "+"))
    except ValueError:
        raise Fault(400, f"Invalid {text} value") from None
    asked = asked if asked.tzinfo else asked.replace(tzinfo=UTC)
    attribute = {"created_at": "created", "updated_at": "updated"}[name]

    def test(item: Any) -> bool:
        moment = getattr(item, attribute)
        return moment is not None and _COMPARE[operator](moment.replace(microsecond=0), asked)

    return test


_SPECIAL: dict[str, Callable[[str], Callable[[Any], bool]]] = {
    "metadata": _metadata,
    "created_at": _moments("created_at"),
    "updated_at": _moments("updated_at"),
}

# SPDX-License-Identifier: Apache-2.0
"""What a page is: read from the query, asked of the pods, and written as the service would.

Knows each service's rules for limit, marker, offset and the link to the next page; not how
items of several pods become one list, see merge.py.
"""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC
from typing import Any
from urllib.parse import parse_qsl, urlencode

from trio2o.errors import BadRequest
from trio2o.merge import Position
from trio2o.microversion import exists
from trio2o.model import Routing, Service
from trio2o.ops import Listing
from trio2o.sorting import Item, Sort, parse_sort, value_at

_DB_MAX_INT = 0x7FFFFFFF
_PAGING = ("limit", "marker", "offset")


@dataclass(frozen=True, slots=True)
class PageRequest:
    """What page is asked for.

    limit: items; 0 is an empty page, for which no pod needs to be asked.
    offset: items to leave out, counted from the marker.
    query: all parameters, as the caller gave them.
    rest: those that the pods get too: filters, sort keys, and what is unknown here.
    """

    limit: int
    marker: str | None
    offset: int
    sort: Sort
    query: tuple[tuple[str, str], ...]
    rest: tuple[tuple[str, str], ...]


def parse(listing: Listing, query: str, service: Service) -> PageRequest:
    """The page that ``query`` asks ``service`` for.

    Raises BadRequest, in the service's own words, if it cannot be read.
    """
    pairs = tuple(parse_qsl(query, keep_blank_values=True))
    limit, offset = _LIMITS.get(service, _nova_limits)(listing, pairs)
    most = _DB_MAX_INT if listing.whole else listing.max_limit
    if not listing.marker_field and limit == 0:
        # limited() in nova/api/openstack/common.py@34.0.0, cinder/api/common.py@29.0.0
        limit = most
    markers = [value for name, value in pairs if name == "marker"]
    # Of a repeated parameter Nova reads the last, the others read the first.
    marker = (markers[-1] if service is Service.COMPUTE else markers[0]) if markers else None
    dropped = _PAGING if listing.offset else _PAGING[:2]
    return PageRequest(
        limit=min(limit, most),
        marker=marker,
        offset=offset if listing.offset else 0,
        sort=parse_sort(listing, pairs),
        query=pairs,
        rest=tuple((name, value) for name, value in pairs if name not in dropped),
    )


def pod_query(listing: Listing, page: PageRequest, at: Position, batch: int) -> str:
    """The query that asks a pod for the ``batch`` items that follow ``at``.

    A list without markers is continued by offset; one that comes whole is not continued.
    """
    if listing.whole:
        return urlencode(page.rest)
    more = [("limit", str(batch))]
    if not listing.marker_field and at.count:
        more.append(("offset", str(at.count)))
    elif listing.marker_field and at.id is not None:
        more.append(("marker", at.id))
    return urlencode([*page.rest, *more])


def ends(listing: Listing, body: Mapping[str, Any], batch: int) -> bool:
    """Whether ``body``, the answer to a query for ``batch`` items, ends the pod's list.

    A pod may be set to a smaller page than was asked for, so fewer items say nothing where
    a link tells. The lists without one are read until a page is empty, or is so short that
    no sensible limit cut it.
    """
    if listing.whole:
        return True
    if listing.links:
        return not body.get(listing.links)
    items = body.get(listing.envelope) or ()
    return len(items) < min(batch, 100)


def contract(listing: Listing, version: str) -> Listing:
    """``listing`` as it is in microversion ``version``."""
    if listing.older is None or exists(listing.older[0], "", version):
        return listing
    return contract(listing.older[1], version)


def _default(listing: Listing) -> int:
    return listing.default_limit or (_DB_MAX_INT if listing.whole else listing.max_limit)


def _nova_limits(listing: Listing, query: Sequence[tuple[str, str]]) -> tuple[int, int]:
    # nova/api/validation/parameter_types.py@34.0.0: non_negative_integer, which each list's
    # query schema has; nova/api/openstack/common.py: get_limit_and_marker, limited
    numbers = {"limit": _default(listing), "offset": 0}
    for name, value in query:
        if name not in numbers or (name == "offset" and not listing.offset):
            continue
        if not re.fullmatch("[0-9]+", value):
            why = f"{value!r} does not match '^[0-9]*$'" if value else "'' should be non-empty"
            raise BadRequest(f"Invalid input for query parameters {name}. Value: {value}. {why}")
        # Longer numbers than Python converts are large all the same.
        numbers[name] = min(int(value[:12]), _DB_MAX_INT)
    return numbers["limit"], numbers["offset"]


def _cinder_limits(listing: Listing, query: Sequence[tuple[str, str]]) -> tuple[int, int]:
    # cinder/api/common.py@29.0.0: _get_limit_param, _get_offset_param
    given = dict(reversed(query))
    limit = _limit_param(given, _default(listing))
    try:
        offset = int(given.get("offset", 0))
    except ValueError as error:
        raise BadRequest("offset must be an integer") from error
    if offset < 0:
        raise BadRequest("offset must be >= 0")
    if offset > _DB_MAX_INT:
        raise BadRequest(f"offset must be <= {_DB_MAX_INT}")
    return limit, offset


def _glance_limits(listing: Listing, query: Sequence[tuple[str, str]]) -> tuple[int, int]:
    # glance/api/v2/images.py@33.0.0: RequestDeserializer._validate_limit
    return _limit_param(dict(reversed(query)), _default(listing)), 0


def _limit_param(given: Mapping[str, str], default: int) -> int:
    try:
        limit = int(given.get("limit", default))
    except ValueError as error:
        raise BadRequest("limit param must be an integer") from error
    if limit < 0:
        raise BadRequest("limit param must be positive")
    return limit


_LIMITS = {
    Service.COMPUTE: _nova_limits,
    Service.VOLUME: _cinder_limits,
    Service.IMAGE: _glance_limits,
}


def envelope(
    listing: Listing,
    service: Service,
    page: PageRequest,
    items: Sequence[Item],
    *,
    base: str,
    path: str,
    template: Mapping[str, Any] | None = None,
    count: int | None = None,
) -> dict[str, Any]:
    """The body of the page that ``items`` make.

    base: of the gateway's service, version and project included, as the caller used it:
        "https://cloud/compute/v2.1/5f3a".
    path: of the list, below the base: "/servers/detail"; Glance's links are of it alone.
    template: a pod's body; what it has beside items and links goes on as it is.
    count: items there are in all, if the pods said it.
    """
    replaced = (listing.envelope, listing.links, listing.count, "first", "next")
    shown = [brief_of(listing, item) for item in items] if listing.brief else list(items)
    body: dict[str, Any] = {listing.envelope: shown}
    if service is Service.IMAGE:
        first = [(name, value) for name, value in page.query if name != "marker"]
        body["first"] = _path_link(path, first)
    body |= {key: value for key, value in (template or {}).items() if key not in replaced}
    link = next_link(listing, service, page, items, base=base, path=path, count=count)
    if link is not None:
        body[listing.links] = link
    if listing.count and count is not None:
        body[listing.count] = count
    return body


def next_link(
    listing: Listing,
    service: Service,
    page: PageRequest,
    items: Sequence[Item],
    *,
    base: str,
    path: str,
    count: int | None = None,
) -> list[dict[str, str]] | str | None:
    """The link to the page that follows ``items``, in the service's form; None for none.

    It is there when the page is full, as in each service, and never because a pod owes
    something: a client follows links until there are none. Other than in the services,
    a repeated parameter is kept whole (Nova's and Glance's link keep one value, which is
    another query), and Cinder's offset is not applied to each page again.
    """
    if not listing.links or not items or not page.limit:
        return None
    marker = value_at(items[-1], tuple(listing.marker_field.split(".")))
    params = [(k, v) for k, v in page.query if k not in {"marker", "offset"}]
    match service:
        case Service.VOLUME:
            # cinder/api/common.py@29.0.0: ViewBuilder._get_collection_links
            if page.limit > (count or len(items)):
                return None
        case _:
            # nova/api/openstack/common.py@34.0.0: ViewBuilder._get_collection_links;
            # glance/api/v2/images.py@33.0.0: ImagesController.index
            if len(items) != page.limit:
                return None
    if service is Service.IMAGE:
        return _path_link(path, [*params, ("marker", str(marker))])
    params.append(("marker", str(marker)))
    if service is Service.COMPUTE and page.marker is not None:
        params.sort(key=lambda pair: pair[0])
    elif service is Service.COMPUTE:
        params[:-1] = sorted(params[:-1], key=lambda pair: pair[0])
    return [{"rel": "next", "href": f"{base}{path}?{urlencode(params)}"}]


def _path_link(path: str, params: Sequence[tuple[str, str]]) -> str:
    # glance/api/v2/images.py@33.0.0: ResponseSerializer.index: relative to Glance's root
    return f"/v2{path}?{urlencode(params)}" if params else f"/v2{path}"


def brief_of(listing: Listing, item: Item) -> dict[str, Any]:
    """What a brief list shows of ``item``, which came from a detailed one."""
    return {name: item[name] for name in listing.brief if name in item}


def cursor_key(scope: str, path: str, page: PageRequest, last_id: str) -> str:
    """The name under which the positions of the page after ``last_id`` are kept.

    scope: who may go on with it: project, or user where lists are of all projects.
    The limit is no part of it: a client may change it between pages.
    """
    query = sorted(pair for pair in page.query if pair[0] not in _PAGING)
    # Sort keys mean their order; Nova's link has those of one name side by side.
    order = [pair for pair in page.query if pair[0].startswith("sort")]
    order.sort(key=lambda pair: pair[0])
    text = json.dumps([scope, path, query, order, last_id], separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


_NOT_FOR_UNKNOWN = ("sort_key", "sort_dir", "limit", "marker")


def shows_unknown(page: PageRequest) -> bool:
    """Whether a list of servers names those of pods that did not respond (Nova >= 2.69).

    Source: nova/api/openstack/compute/servers.py@34.0.0, _is_cell_down_supported: only
    without paging, sorting or filters, all_tenants excepted.
    """
    return all(name == "all_tenants" for name, _ in page.query)


def stub_of(server: Item) -> dict[str, Any]:
    """What a routing keeps of ``server``, as a pod showed it, for unknown_server()."""
    stub: dict[str, Any] = {}
    for key in ("name", "user_id", "server_groups"):
        if key in server:
            stub[key] = server[key]
    if server.get("OS-EXT-AZ:availability_zone"):
        stub["availability_zone"] = server["OS-EXT-AZ:availability_zone"]
    image = server.get("image")
    if image is not None:
        stub["image"] = image["id"] if isinstance(image, dict) else ""
    flavor = server.get("flavor")
    if isinstance(flavor, dict) and "original_name" in flavor:  # whole, from 2.47 on
        stub["flavor"] = flavor
    return stub


def unknown_server(routing: Routing, base: str, *, detail: bool = False) -> dict[str, Any]:
    """A server of a pod that did not respond, as Nova >= 2.69 lists those of a down cell.

    base: as in envelope(). They stand before the others in the list.
    Source: nova/api/openstack/compute/views/servers.py@34.0.0, basic, _show_from_down_cell.
    """
    server: dict[str, Any] = {"id": routing.resource_id, "status": "UNKNOWN"}
    if detail:
        server["tenant_id"] = routing.project_id
        server["created"] = f"{routing.created_at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
    path = f"/servers/{routing.resource_id}"
    server["links"] = [
        {"rel": "self", "href": base + path},
        {"rel": "bookmark", "href": _unversioned(base) + path},
    ]
    return server


def _unversioned(base: str) -> str:
    return re.sub(r"/v\d[\d.]*(?=/|$)", "", base, count=1)

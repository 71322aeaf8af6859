# SPDX-License-Identifier: Apache-2.0
"""Pages are asked for, continued and written as each service does it."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest

from trio2o import paging
from trio2o.errors import BadRequest
from trio2o.merge import START, Position
from trio2o.model import Kind, Routing, Service
from trio2o.ops import Listing, SortStyle

CASES = json.loads((Path(__file__).parents[1] / "cases" / "links.json").read_text())["cases"]

SERVERS = Listing(
    "servers",
    "servers_links",
    sort=SortStyle.NOVA,
    tie=("uuid", "asc"),
    fields={"created_at": "created", "display_name": "name"},
)
VOLUMES = Listing(
    "volumes",
    "volumes_links",
    sort=SortStyle.CINDER,
    fields={"created_at": "created_at", "name": "name", "size": "size", "id": "id"},
    offset=True,
    count="count",
)
IMAGES = Listing(
    "images",
    "next",
    sort=SortStyle.GLANCE,
    fields={"created_at": "created_at", "name": "name", "size": "size", "id": "id"},
    default_limit=25,
)
GROUPS = Listing("server_groups", offset=True, default_sort=(), marker_field="")
LISTINGS = {Service.COMPUTE: SERVERS, Service.VOLUME: VOLUMES, Service.IMAGE: IMAGES}


@pytest.mark.parametrize("case", CASES, ids=lambda c: f"{c['service']}-{c['query']}-{c['ids']}")
def test_page_is_written_as_the_service_writes_it(case: dict[str, Any]) -> None:
    service = Service(case["service"])
    listing = LISTINGS[service]
    page = paging.parse(listing, case["query"], service)
    items = [{"id": name} for name in case["ids"]]
    count = case.get("count")
    template = {"schema": "/v2/schemas/images"} if service is Service.IMAGE else {}
    body = paging.envelope(
        listing,
        service,
        page,
        items,
        base=case["base"],
        path=case["path"],
        template=template,
        count=count,
    )
    if "body" in case:
        assert body == case["body"]
        return
    links = {listing.links: case["link"]} if case["link"] else {}
    counts = {} if count is None else {"count": count}
    assert body == {listing.envelope: items, **links, **counts}


@pytest.mark.parametrize(
    ("service", "query", "limit"),
    [
        (Service.COMPUTE, "", 1000),
        (Service.COMPUTE, "limit=0", 0),
        (Service.COMPUTE, "limit=99999", 1000),
        (Service.COMPUTE, "limit=99999999999999999999999", 1000),
        (Service.COMPUTE, "limit=5&limit=7", 7),
        (Service.VOLUME, "limit=5&limit=7", 5),
        (Service.VOLUME, "limit=0", 0),
        (Service.VOLUME, "limit=5000", 1000),
        (Service.IMAGE, "", 25),
        (Service.IMAGE, "limit=0", 0),
        (Service.IMAGE, "limit=5000", 1000),
    ],
)
def test_limit(service: Service, query: str, limit: int) -> None:
    assert paging.parse(LISTINGS[service], query, service).limit == limit


@pytest.mark.parametrize(
    ("service", "query", "words"),
    [
        (
            Service.COMPUTE,
            "limit=abc",
            (
                "Invalid input for query parameters limit. Value: abc. "
                "'abc' does not match '^[0-9]*$'"
            ),
        ),
        (
            Service.COMPUTE,
            "limit=-1",
            "Invalid input for query parameters limit. Value: -1. '-1' does not match '^[0-9]*$'",
        ),
        (
            Service.COMPUTE,
            "limit=",
            "Invalid input for query parameters limit. Value: . '' should be non-empty",
        ),
        (Service.VOLUME, "limit=abc", "limit param must be an integer"),
        (Service.VOLUME, "limit=-1", "limit param must be positive"),
        (Service.VOLUME, "offset=x", "offset must be an integer"),
        (Service.VOLUME, "offset=-1", "offset must be >= 0"),
        (Service.VOLUME, "offset=2147483648", "offset must be <= 2147483647"),
        (
            Service.VOLUME,
            "sort=name&sort_key=size",
            (
                "The 'sort_key' and 'sort_dir' parameters are deprecated and cannot be used "
                "with the 'sort' parameter."
            ),
        ),
        (Service.IMAGE, "limit=", "limit param must be an integer"),
        (Service.IMAGE, "limit=-2", "limit param must be positive"),
        (
            Service.IMAGE,
            "sort=name&sort_dir=asc",
            "Old and new sorting syntax cannot be combined",
        ),
        (
            Service.IMAGE,
            "sort_key=name&sort_dir=asc&sort_dir=desc",
            "Number of sort dirs does not match the number of sort keys",
        ),
    ],
)
def test_what_cannot_be_read_is_refused_in_the_services_words(
    service: Service, query: str, words: str
) -> None:
    with pytest.raises(BadRequest) as caught:
        paging.parse(LISTINGS[service], query, service)
    assert caught.value.message == words


@pytest.mark.parametrize(
    ("service", "query", "order"),
    [
        (Service.COMPUTE, "", "-created_at uuid"),
        (Service.COMPUTE, "sort_key=display_name", "-display_name uuid"),
        (Service.COMPUTE, "sort_dir=asc", "created_at uuid"),
        (
            Service.COMPUTE,
            "sort_key=display_name&sort_dir=asc&sort_key=created_at",
            "display_name created_at uuid",
        ),
        (Service.VOLUME, "", "-created_at -id"),
        (Service.VOLUME, "sort=name:asc,size", "name -size created_at id"),
        (Service.VOLUME, "sort_key=name&sort_dir=asc", "name created_at id"),
        (Service.VOLUME, "sort_dir=asc", "created_at id"),
        (Service.IMAGE, "", "-created_at -id"),
        (Service.IMAGE, "sort=name,size:asc", "-name size -created_at -id"),
        (Service.IMAGE, "sort=name:asc", "name created_at id"),
        (Service.IMAGE, "sort_key=name&sort_key=size&sort_dir=asc", "name size created_at id"),
        (Service.IMAGE, "sort_dir=asc", "created_at id"),
    ],
)
def test_order_ends_with_the_services_own_tie_break(
    service: Service, query: str, order: str
) -> None:
    page = paging.parse(LISTINGS[service], query, service)
    assert " ".join("-" * k.descending + k.name for k in page.sort) == order


def test_pods_get_filters_and_order_but_their_own_page() -> None:
    page = paging.parse(
        VOLUMES, "limit=7&name=a&marker=x&offset=3&sort=size&with_count=1", Service.VOLUME
    )
    assert (page.marker, page.offset) == ("x", 3)
    query = paging.pod_query(VOLUMES, page, Position("own", (), 9), 100)
    assert parse_qsl(query) == [
        ("name", "a"),
        ("sort", "size"),
        ("with_count", "1"),
        ("limit", "100"),
        ("marker", "own"),
    ]
    assert "marker" not in paging.pod_query(VOLUMES, page, START, 100)


def test_list_without_markers_is_continued_by_offset() -> None:
    page = paging.parse(GROUPS, "limit=0&offset=2", Service.COMPUTE)
    assert (page.limit, page.offset) == (1000, 2)
    assert paging.pod_query(GROUPS, page, Position("id", (), 4), 50) == "limit=50&offset=4"


TRANSFERS = Listing("transfers", offset=True, marker_field="", whole=True)


def test_list_that_comes_whole_is_asked_for_once_and_never_cut_unasked() -> None:
    page = paging.parse(TRANSFERS, "limit=2&offset=1&name=a", Service.VOLUME)
    assert (page.limit, page.offset) == (2, 1)
    assert paging.pod_query(TRANSFERS, page, START, 100) == "name=a"
    assert paging.ends(TRANSFERS, {"transfers": [{"id": str(n)} for n in range(2000)]}, 100)
    assert paging.parse(TRANSFERS, "", Service.VOLUME).limit > 10**6


def test_contract_is_that_of_the_microversion() -> None:
    newer = Listing("transfers", "transfers_links", older=("3.59", TRANSFERS))
    assert paging.contract(newer, "3.59") is newer
    assert paging.contract(newer, "3.58") is TRANSFERS
    assert paging.contract(TRANSFERS, "3.0") is TRANSFERS


@pytest.mark.parametrize(
    ("body", "ended"),
    [
        ({"servers": [{"id": "a"}]}, True),
        ({"servers": [{"id": "a"}], "servers_links": [{"rel": "next", "href": "x"}]}, False),
    ],
)
def test_a_pods_link_says_whether_it_has_more(body: dict[str, Any], ended: bool) -> None:
    assert paging.ends(SERVERS, body, 100) is ended


def test_without_links_only_a_short_page_ends() -> None:
    assert paging.ends(GROUPS, {"server_groups": []}, 100)
    assert not paging.ends(GROUPS, {"server_groups": [{"id": str(n)} for n in range(100)]}, 1000)


def test_repeated_parameters_stay_in_the_link() -> None:
    page = paging.parse(IMAGES, "limit=1&tag=a&tag=b", Service.IMAGE)
    link = paging.next_link(IMAGES, Service.IMAGE, page, [{"id": "x"}], base="", path="/images")
    assert link == "/v2/images?limit=1&tag=a&tag=b&marker=x"


def test_offset_is_not_applied_to_the_next_page_again() -> None:
    page = paging.parse(VOLUMES, "limit=1&offset=4", Service.VOLUME)
    link = paging.next_link(
        VOLUMES, Service.VOLUME, page, [{"id": "x"}], base="http://b", path="/volumes"
    )
    assert link == [{"rel": "next", "href": "http://b/volumes?limit=1&marker=x"}]


def test_cursor_is_the_same_for_the_same_question() -> None:
    def key(query: str, scope: str = "p1", path: str = "/servers", last: str = "x") -> str:
        page = paging.parse(SERVERS, query, Service.COMPUTE)
        return paging.cursor_key(scope, path, page, last)

    assert key("limit=5&name=a&status=b") == key("status=b&marker=q&name=a&limit=9")
    different = {
        key(""),
        key("name=a"),
        key("", scope="p2"),
        key("", path="/servers/detail"),
        key("", last="y"),
        key("sort_key=a&sort_key=b"),
        key("sort_key=b&sort_key=a"),
    }
    assert len(different) == 7


SERVER = {
    "id": "s1",
    "name": "web",
    "user_id": "u1",
    "image": {"id": "i1", "links": []},
    "flavor": {"original_name": "m1", "vcpus": 1},
    "OS-EXT-AZ:availability_zone": "az1",
    "server_groups": ["g1"],
}
CREATED = datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=UTC)
BASE = "https://gw/compute/v2.1/p1"


def routing(stub: dict[str, Any]) -> Routing:
    return Routing(Kind.SERVER, "s1", "pod", "p1", CREATED, stub)


def test_unknown_server_is_novas_minimal_one() -> None:
    links = [
        {"rel": "self", "href": "https://gw/compute/v2.1/p1/servers/s1"},
        {"rel": "bookmark", "href": "https://gw/compute/p1/servers/s1"},
    ]
    assert paging.unknown_server(routing({}), BASE) == {
        "id": "s1",
        "status": "UNKNOWN",
        "links": links,
    }
    assert paging.unknown_server(routing({}), BASE, detail=True) == {
        "id": "s1",
        "status": "UNKNOWN",
        "tenant_id": "p1",
        "created": "2026-01-02T03:04:05Z",
        "links": links,
    }


@pytest.mark.parametrize(
    ("query", "shows"),
    [("", True), ("all_tenants=1", True), ("limit=5", False), ("name=x", False)],
)
def test_unknown_servers_are_listed_only_when_all_are(query: str, shows: bool) -> None:
    assert paging.shows_unknown(paging.parse(SERVERS, query, Service.COMPUTE)) is shows


def test_brief_list_is_cut_from_a_detailed_one() -> None:
    listing = Listing("servers", brief=("id", "name"))
    page = paging.parse(listing, "", Service.COMPUTE)
    body = paging.envelope(listing, Service.COMPUTE, page, [SERVER], base=BASE, path="/servers")
    assert body == {"servers": [{"id": "s1", "name": "web"}]}

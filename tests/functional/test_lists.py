# SPDX-License-Identifier: Apache-2.0
"""Lists over two real clouds: every server once, whatever the order and the page."""

from collections.abc import Iterator
from urllib.parse import urlencode

import pytest

from tests.real import LATEST, Top, wait

COUNT = 30


@pytest.fixture(scope="module")
def crowd(top: Top) -> Iterator[set[str]]:
    """Sixty servers, half in each zone."""
    for zone in ("az1", "az2"):
        top.start_boot(f"crowd-{zone}", zone, flavorRef="42", min_count=COUNT, max_count=COUNT)

    def all_there() -> set[str] | None:
        listed = top.call("GET", "/compute/v2.1/servers/detail?name=crowd", headers=LATEST).json
        servers = listed["servers"]
        done = all(one["status"] == "ACTIVE" for one in servers) and len(servers) == 2 * COUNT
        return {one["id"] for one in servers} if done else None

    idents = wait("sixty servers", all_there, 300)
    yield idents
    for ident in idents:
        top.call("DELETE", f"/compute/v2.1/servers/{ident}")
    for ident in idents:
        top.delete_server(ident)


def walk(top: Top, limit: int, **query: str) -> list[dict[str, str]]:
    """All pages, each after the last id of the one before."""
    found: list[dict[str, str]] = []
    marker: dict[str, str] = {}
    while True:
        asked = urlencode({"limit": limit, "name": "crowd", **query, **marker})
        page = top.call("GET", f"/compute/v2.1/servers/detail?{asked}", headers=LATEST)
        assert page.status == 200, page.body
        servers = page.json["servers"]
        found += servers
        if not servers:
            return found
        assert len(servers) <= limit
        marker = {"marker": servers[-1]["id"]}


@pytest.mark.parametrize("limit", [7, 20])
@pytest.mark.parametrize(
    ("order", "field", "descending"),
    [
        ({}, "created", True),
        ({"sort_key": "display_name", "sort_dir": "asc"}, "name", False),
        ({"sort_key": "uuid", "sort_dir": "desc"}, "id", True),
    ],
)
def test_a_walk_meets_every_server_once(
    top: Top, crowd: set[str], limit: int, order: dict[str, str], field: str, descending: bool
) -> None:
    found = walk(top, limit, **order)
    idents = [one["id"] for one in found]
    assert len(idents) == len(set(idents))
    assert set(idents) == crowd
    values = [one[field] for one in found]
    assert values == sorted(values, reverse=descending)


def test_a_walk_goes_on_where_no_cursor_is_kept(top: Top, crowd: set[str]) -> None:
    """As after another query, or after the cursor's time."""
    first = top.call("GET", "/compute/v2.1/servers/detail?limit=60&name=crowd").json["servers"]
    marker = first[24]["id"]
    query = f"name=crowd&limit=100&marker={marker}"
    rest = top.call("GET", f"/compute/v2.1/servers/detail?{query}").json["servers"]
    assert [one["id"] for one in rest] == [one["id"] for one in first[25:]]


def test_links_are_the_gateways_and_can_be_followed(top: Top, crowd: set[str]) -> None:
    page = top.call("GET", "/compute/v2.1/servers?limit=25&name=crowd").json
    seen = [one["id"] for one in page["servers"]]
    while "servers_links" in page:
        href = page["servers_links"][0]["href"]
        assert href.startswith(top.gateway.url)
        page = top.call("GET", href.removeprefix(top.gateway.url)).json
        seen += [one["id"] for one in page["servers"]]
    assert sorted(seen) == sorted(crowd)


def test_an_unknown_marker_is_refused_as_nova_does(top: Top) -> None:
    marker = "11111111-1111-4111-8111-111111111111"
    refused = top.call("GET", f"/compute/v2.1/servers?marker={marker}")
    assert refused.status == 400
    assert refused.json["badRequest"]["message"] == f"marker [{marker}] not found"


def test_the_zone_filter_is_of_the_top_regions_zones(top: Top, crowd: set[str]) -> None:
    headers = {"OpenStack-API-Version": "compute 2.100"}
    asked = "/compute/v2.1/servers/detail?name=crowd&availability_zone=az2"
    servers = top.call("GET", asked, headers=headers).json["servers"]
    assert len(servers) == COUNT
    assert {one["OS-EXT-AZ:availability_zone"] for one in servers} == {"az2"}

# SPDX-License-Identifier: Apache-2.0
"""Walks through lists of three pods: complete, in order, and honest about who is missing."""

import re
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.asgi import Answer
from tests.inprocess.cloud import HOST, Cloud, cloud
from trio2o.pods.fake import SteppingClock

pytestmark = pytest.mark.anyio
SERVERS = "/compute/v2.1/servers"
DETAIL = f"{SERVERS}/detail"
ZONES = {"Pod1": "az1", "Pod2": "az2", "Pod3": "az1"}
QUICK = ("--pods-list-deadline-s", "0.4", "--pods-breaker-failures", "1000")
MISSING = "x-trio2o-missing-pods"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def top(tmp_path: Path) -> AsyncIterator[Cloud]:
    """Three pods with 70, 71 and 72 servers of the project, at one clock."""
    clock = SteppingClock()
    options = {name: {"now": clock} for name in ZONES}
    async with cloud(tmp_path, ZONES, options=QUICK, **options) as one:
        for number in range(213):
            pod = one.pods[f"Pod{number % 3 + 1}"]
            flavor = ("42", "84", "1", "2")[number % 4]
            pod.add_server(one.project, f"s{number * 7919 % 213:03}", flavor=flavor)
        for pod in one.pods.values():
            pod.add_server("somebody else", "not mine")
        yield one


async def walk(top: Cloud, path: str, *, after_page: Any = None, **more: Any) -> list[Any]:
    """All items, following the links that the pages have."""
    items: list[Any] = []
    pages = 0
    link: str | None = path
    while link:
        answer = await top.call("GET", link, **more)
        assert answer.status == 200, answer.body
        envelope = next(key for key in answer.json if not key.endswith("_links"))
        items += answer.json[envelope]
        pages += 1
        if after_page is not None:
            after_page(pages, answer)
        links = answer.json.get(f"{envelope}_links") or [{}]
        link = links[0].get("href", "").removeprefix(f"http://{HOST}") or None
    return items


def all_servers(top: Cloud) -> list[Any]:
    return [s for pod in top.pods.values() for s in pod.cloud.servers_of(top.project)]


@pytest.mark.parametrize("limit", [7, 50, 100, 1000])
@pytest.mark.parametrize("path", [SERVERS, DETAIL])
async def test_a_walk_shows_each_server_once_newest_first(
    top: Cloud, path: str, limit: int
) -> None:
    found = [one["id"] for one in await walk(top, f"{path}?limit={limit}")]
    wanted = sorted(all_servers(top), key=lambda server: server.created, reverse=True)
    assert found == [server.id for server in wanted]


@pytest.mark.parametrize(
    ("query", "key"),
    [
        ("sort_key=display_name&sort_dir=asc", lambda s: s.name),
        ("sort_key=created_at&sort_dir=asc", lambda s: s.created),
        ("sort_key=uuid&sort_dir=asc", lambda s: s.id),
        (
            "sort_key=vm_state&sort_dir=asc&sort_key=display_name&sort_dir=asc",
            lambda s: (s.vm_state, s.name),
        ),
    ],
)
async def test_a_walk_is_in_the_order_that_is_asked_for(top: Cloud, query: str, key: Any) -> None:
    found = [one["id"] for one in await walk(top, f"{DETAIL}?limit=20&{query}")]
    assert found == [server.id for server in sorted(all_servers(top), key=key)]


async def test_a_sort_key_that_servers_do_not_show_loses_none(top: Cloud) -> None:
    found = [one["id"] for one in await walk(top, f"{DETAIL}?limit=20&sort_key=instance_type_id")]
    assert len(found) == len(set(found)) == 213


async def test_filters_are_the_pods(top: Cloud) -> None:
    found = await walk(top, f"{DETAIL}?limit=10&flavor=84")
    assert len(found) == len([s for s in all_servers(top) if s.flavor.id == "84"])
    assert {one["flavor"]["id"] for one in found} == {"84"}
    named = await walk(top, f"{SERVERS}?name=%5Es00.%24")
    assert sorted(one["name"] for one in named) == [f"s00{n}" for n in range(10)]
    nothing = await top.call("GET", f"{SERVERS}?status=ERROR")
    assert nothing.json == {"servers": []}


async def test_a_zone_is_a_filter_too(top: Cloud) -> None:
    found = await walk(top, f"{DETAIL}?limit=50&availability_zone=az2", token=top.admin)
    del found  # of the administrator's own project, which has none
    mine = await walk(
        top, f"{DETAIL}?limit=100&all_tenants=1&availability_zone=az2", token=top.admin
    )
    assert {one["OS-EXT-AZ:availability_zone"] for one in mine} == {"az2"}
    assert len(mine) == 72


async def test_a_page_costs_one_call_to_each_pod(top: Cloud) -> None:
    await top.call("GET", SERVERS)
    top.forget_requests()
    for _ in range(2):
        page = await top.call("GET", f"{SERVERS}?limit=30")
    assert top.counts() == dict.fromkeys(ZONES, 2)
    link = page.json["servers_links"][0]["href"].removeprefix(f"http://{HOST}")
    await top.call("GET", link)
    assert top.counts() == dict.fromkeys(ZONES, 3)


@pytest.mark.parametrize("sort", ["created_at", "display_name"])
async def test_a_pod_that_dies_in_the_middle_of_a_walk_and_comes_back_loses_nothing(
    top: Cloud, sort: str
) -> None:
    told: list[str] = []

    def after_page(number: int, answer: Answer) -> None:
        told.append(answer.headers.get(MISSING, ""))
        if number == 2:
            top.pods["Pod2"].down()
        if number == 5:
            top.pods["Pod2"].up()

    query = f"limit=15&sort_key={sort}&sort_dir=desc"
    found = [one["id"] for one in await walk(top, f"{SERVERS}?{query}", after_page=after_page)]
    assert len(found) == len(set(found)) == 213
    assert told[:6] == ["", "", "Pod2", "Pod2", "Pod2", ""]


async def test_a_pod_that_is_down_for_the_rest_of_a_walk_is_named_on_each_page(top: Cloud) -> None:
    told: list[str] = []

    def after_page(number: int, answer: Answer) -> None:
        told.append(answer.headers.get(MISSING, ""))
        if number == 2:
            top.pods["Pod2"].down()

    found = [one["id"] for one in await walk(top, f"{SERVERS}?limit=15", after_page=after_page)]
    others = {s.id for name in ("Pod1", "Pod3") for s in top.pods[name].cloud.servers}
    assert len(found) == len(set(found))
    assert {s.id for s in all_servers(top)} & others <= set(found)
    assert set(told[2:]) == {"Pod2"}


async def test_a_hung_pod_does_not_hold_a_list_longer_than_its_deadline(top: Cloud) -> None:
    await top.call("GET", SERVERS)
    top.pods["Pod3"].hang()
    started = time.monotonic()
    answer = await top.call("GET", SERVERS)
    assert time.monotonic() - started < 2
    assert answer.headers[MISSING] == "Pod3"
    assert len(answer.json["servers"]) == 142
    top.pods["Pod3"].up()


@pytest.mark.parametrize("how", ["header", "query"])
async def test_who_wants_all_or_nothing_gets_nothing(top: Cloud, how: str) -> None:
    async def ask() -> Answer:
        if how == "header":
            return await top.call("GET", SERVERS, headers={"x-trio2o-consistency": "strict"})
        return await top.call("GET", f"{SERVERS}?consistency=strict")

    assert len((await ask()).json["servers"]) == 213
    top.pods["Pod1"].down()
    answer = await ask()
    assert answer.status == 503
    assert "Pod1" in answer.json["serviceUnavailable"]["message"]


async def test_a_caller_may_want_less_than_the_operator(tmp_path: Path) -> None:
    options = ("--gateway-list-consistency", "strict")
    async with cloud(tmp_path, options=options) as top:
        top.pods["Pod1"].down()
        assert (await top.call("GET", SERVERS)).status == 503
        assert (await top.call("GET", f"{SERVERS}?consistency=partial")).status == 200
        unknown = await top.call("GET", f"{SERVERS}?consistency=maybe")
        assert unknown.status == 400


async def test_our_own_parameter_does_not_reach_a_pod(top: Cloud) -> None:
    page = await top.call("GET", f"{SERVERS}?consistency=partial&limit=1", version="compute 2.75")
    assert page.status == 200
    for pod in top.pods.values():
        assert all("consistency" not in call.query for call in pod.calls)


async def test_all_pods_down_is_a_503_and_no_empty_list(top: Cloud) -> None:
    for pod in top.pods.values():
        pod.down()
    answer = await top.call("GET", SERVERS)
    assert answer.status == 503
    assert answer.json["serviceUnavailable"]["message"].startswith("Pod1, Pod2, Pod3 did not")


@pytest.mark.parametrize("path", [SERVERS, DETAIL])
async def test_servers_of_a_silent_pod_are_unknown_to_those_who_ask_so(
    top: Cloud, path: str
) -> None:
    await top.call("GET", DETAIL)
    top.pods["Pod3"].down()
    answer = await top.call("GET", path, version="compute 2.69")
    listed = answer.json["servers"]
    assert len(listed) == 213
    unknown = [one for one in listed if one.get("status") == "UNKNOWN"]
    assert {one["id"] for one in unknown} == {
        s.id for s in top.pods["Pod3"].cloud.servers_of(top.project)
    }
    assert answer.headers[MISSING] == "Pod3"
    hrefs = {link["href"] for one in unknown for link in one["links"]}
    assert all(href.startswith(f"http://{HOST}/compute/") for href in hrefs)
    for query, version in (("", "2.68"), ("?limit=1000", "2.69"), ("?name=s", "2.69")):
        answer = await top.call("GET", path + query, version=f"compute {version}")
        assert all(one.get("status") != "UNKNOWN" for one in answer.json["servers"])


async def test_a_server_of_a_silent_pod_is_shown_as_far_as_it_is_known(top: Cloud) -> None:
    await top.call("GET", DETAIL)
    ident = next(iter(top.pods["Pod3"].cloud.servers_of(top.project))).id
    top.pods["Pod3"].down()
    assert (await top.call("GET", f"{SERVERS}/{ident}")).status == 503


async def test_a_page_goes_on_behind_a_marker_that_was_deleted_meanwhile(top: Cloud) -> None:
    def after_page(number: int, answer: Answer) -> None:
        if number == 3:
            last = answer.json["servers"][-1]["id"]
            for pod in top.pods.values():
                if (server := pod.cloud.servers.find(last)) is not None:
                    server.deleted = True

    found = [one["id"] for one in await walk(top, f"{SERVERS}?limit=20", after_page=after_page)]
    assert len(found) == len(set(found)) == 213


async def test_markers_of_which_nobody_knows_go_on_in_all_pods(top: Cloud) -> None:
    """A client that kept an id of its own, or came back after the cursors were dropped."""
    wanted = sorted(all_servers(top), key=lambda server: server.created, reverse=True)
    for at in (0, 1, 2, 100, 211):
        answer = await top.call("GET", f"{SERVERS}?marker={wanted[at].id}&limit=50")
        found = [one["id"] for one in answer.json["servers"]]
        assert found == [server.id for server in wanted[at + 1 : at + 51]]


async def test_a_walk_by_markers_of_ones_own_in_another_order(top: Cloud) -> None:
    wanted = [s.id for s in sorted(all_servers(top), key=lambda s: s.name)]
    query = f"sort_key=display_name&sort_dir=asc&marker={wanted[77]}&limit=100"
    answer = await top.call("GET", f"{SERVERS}?{query}")
    assert [one["id"] for one in answer.json["servers"]] == wanted[78:178]


async def test_a_marker_that_is_nowhere_is_refused_in_novas_words(top: Cloud) -> None:
    nowhere = "11111111-1111-4111-8111-111111111111"
    answer = await top.call("GET", f"{SERVERS}?marker={nowhere}")
    assert answer.status == 400
    assert answer.json["badRequest"]["message"] == f"marker [{nowhere}] not found"


async def test_a_marker_of_another_project_is_refused(top: Cloud) -> None:
    other = next(iter(top.pods["Pod1"].cloud.servers_of("somebody else"))).id
    answer = await top.call("GET", f"{SERVERS}?marker={other}")
    assert answer.status == 400
    assert re.fullmatch(r"marker \[.*\] not found", answer.json["badRequest"]["message"])


async def test_a_walk_of_one_user_does_not_move_that_of_another(top: Cloud) -> None:
    mate = top.identity.token("mate", "demo")
    first = await top.call("GET", f"{SERVERS}?limit=10")
    for pod in top.pods.values():
        pod.add_server(top.project, "newer")
    theirs = await top.call("GET", f"{SERVERS}?limit=10", token=mate)
    link = first.json["servers_links"][0]["href"].removeprefix(f"http://{HOST}")
    second = await top.call("GET", link)
    ids = [one["id"] for page in (first, second) for one in page.json["servers"]]
    wanted = [
        s.id
        for s in sorted(all_servers(top), key=lambda s: s.created, reverse=True)
        if s.name != "newer"
    ]
    assert ids == wanted[:20]
    assert theirs.json["servers"][0]["name"] == "newer"


async def test_all_projects_are_for_administrators(top: Cloud) -> None:
    everything = await walk(top, f"{SERVERS}?all_tenants=1&limit=100", token=top.admin)
    assert len(everything) == 216
    refused = await top.call("GET", f"{SERVERS}?all_tenants=1")
    assert refused.status == 403
    assert "forbidden" in refused.json


@pytest.mark.parametrize("query", ["limit=-1", "limit=x", "limit="])
async def test_a_limit_that_is_none_is_refused(top: Cloud, query: str) -> None:
    answer = await top.call("GET", f"{SERVERS}?{query}")
    assert answer.status == 400
    assert answer.json["badRequest"]["message"].startswith("Invalid input for query parameters")


async def test_a_limit_of_nothing_shows_nothing(top: Cloud) -> None:
    answer = await top.call("GET", f"{SERVERS}?limit=0")
    assert answer.json == {"servers": []}

# SPDX-License-Identifier: Apache-2.0
"""Pods in the admin API."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from admin_api import BASE, AdminApi

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def api(tmp_path: Path) -> AsyncIterator[AdminApi]:
    made = AdminApi(tmp_path)
    yield made
    made.db.close()


async def test_a_registered_pod_is_shown_with_its_old_and_new_names(api: AdminApi) -> None:
    api.add_regions("Pod1")
    answer = await api(
        "POST",
        "/v1.0/pods",
        {"pod": {"pod_name": " Pod1 ", "pod_az_name": "nova", "dc_name": "dc1", "az_name": "az1"}},
    )
    assert answer.status == 201
    pod = answer.body["pod"]
    assert {key: pod[key] for key in ("name", "pod_name", "region_name")} == dict.fromkeys(
        ("name", "pod_name", "region_name"), "Pod1"
    )
    assert pod["id"] == pod["pod_id"]
    assert (pod["az_name"], pod["pod_az_name"], pod["dc_name"]) == ("az1", "nova", "dc1")
    assert (pod["state"], pod["tags"], pod["generation"]) == ("enabled", [], 1)
    assert answer.headers["location"] == f"{BASE}/v1.0/pods/{pod['id']}"
    assert answer.headers["x-openstack-request-id"].startswith("req-")
    assert api.registry.forgotten == 1
    for key in (pod["id"], "Pod1"):
        shown = await api("GET", f"/v1.0/pods/{key}")
        assert (shown.status, shown.body["pod"]) == (200, pod)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({}, "'pod' is a required property"),
        ({"pod": {}}, "pod"),
        ({"pod": []}, "pod: [] is not of type 'object'"),
        ({"pod": {"name": "Pod1"}}, "pod: 'az_name' is a required property"),
        ({"pod": {"az_name": "az1"}}, "pod: name or pod_name or region_name is required"),
        ({"pod": {"name": "Pod1", "az_name": ""}}, "pod.az_name"),
        ({"pod": {"name": "  ", "az_name": "az1"}}, "pod.name"),
        ({"pod": {"name": 5, "az_name": "az1"}}, "pod.name: 5 is not of type 'string'"),
        ({"pod": {"name": "P" * 256, "az_name": "az1"}}, "pod.name"),
        ({"pod": {"name": "a\0b", "az_name": "az1"}}, "pod.name"),
        ({"pod": {"name": "Pod1", "az_name": "az1", "weight": 1}}, "weight"),
        ({"pod": {"name": "Pod1", "az_name": "az1", "state": "off"}}, "pod.state"),
        ({"pod": {"name": "Pod1", "az_name": "az1", "tags": ["a", "a"]}}, "pod.tags"),
        ({"pod": {"name": "Pod1", "az_name": "az1", "tags": ["a,b"]}}, "pod.tags[0]"),
        ({"pod": {"name": "Pod1", "pod_name": "Pod2", "az_name": "az1"}}, "different things"),
        ({"pod": {"name": "Pod1", "az_name": "az1"}, "more": 1}, "more"),
    ],
)
async def test_a_pod_that_is_described_wrongly_is_refused(
    api: AdminApi, body: object, said: str
) -> None:
    api.add_regions("Pod1")
    answer = await api("POST", "/v1.0/pods", body)
    assert answer.status == 400
    assert said in answer.message
    assert (await api("GET", "/v1.0/pods")).body == {"pods": []}


async def test_the_region_of_the_gateway_is_not_a_pod(api: AdminApi) -> None:
    api.add_regions("CentralRegion")
    answer = await api("POST", "/v1.0/pods", {"pod": {"name": "CentralRegion", "az_name": "az"}})
    assert answer.status == 409
    assert "[gateway] region" in answer.message


async def test_what_keystone_lacks_is_said_unless_the_pod_is_disabled(api: AdminApi) -> None:
    pod = {"name": "Pod1", "az_name": "az1"}
    answer = await api("POST", "/v1.0/pods", {"pod": pod})
    assert answer.status == 400
    assert "no region Pod1" in answer.message
    answer = await api("POST", "/v1.0/pods", {"pod": {**pod, "state": "disabled"}})
    assert answer.status == 201
    for state in ("enabled", "maintenance"):
        answer = await api("PATCH", "/v1.0/pods/Pod1", {"pod": {"state": state}})
        assert answer.status == 400
    answer = await api("PATCH", "/v1.0/pods/Pod1", {"pod": {"dc_name": "dc1"}})
    assert answer.status == 200
    api.add_regions("Pod1")
    answer = await api("PATCH", "/v1.0/pods/Pod1", {"pod": {"state": "enabled"}})
    assert (answer.status, answer.body["pod"]["state"]) == (200, "enabled")


async def test_a_name_is_taken_once(api: AdminApi) -> None:
    await api.add_pod("Pod1")
    answer = await api("POST", "/v1.0/pods", {"pod": {"name": "Pod1", "az_name": "az2"}})
    assert answer.status == 409
    assert "Pod1" in answer.message


async def test_of_many_who_register_one_name_one_succeeds(api: AdminApi) -> None:
    api.add_regions("Pod1")
    body = {"pod": {"name": "Pod1", "az_name": "az1"}}
    answers = await asyncio.gather(*(api("POST", "/v1.0/pods", body) for _ in range(12)))
    assert sorted(answer.status for answer in answers) == [201] + [409] * 11
    assert len((await api("GET", "/v1.0/pods")).body["pods"]) == 1


async def test_pods_are_listed_by_filters(api: AdminApi) -> None:
    await api.add_pod("Pod1", "az1", tags=["ssd"], dc_name="dc1")
    await api.add_pod("Pod2", "az2", tags=["ssd", "gpu"], state="maintenance")
    await api.add_pod("Pod3", "az2")

    async def names(query: str) -> list[str]:
        return [pod["name"] for pod in (await api("GET", f"/v1.0/pods?{query}")).body["pods"]]

    assert await names("") == ["Pod1", "Pod2", "Pod3"]
    assert await names("az_name=az2") == ["Pod2", "Pod3"]
    assert await names("tag=ssd") == ["Pod1", "Pod2"]
    assert await names("state=maintenance") == ["Pod2"]
    assert await names("dc_name=dc1") == ["Pod1"]
    assert await names("region_name=Pod3") == ["Pod3"]
    assert await names("name=Pod3&az_name=az1") == []
    assert (await names("sort_key=az_name&sort_dir=desc"))[-1] == "Pod1"
    assert (await names("sort_dir=desc")) == ["Pod3", "Pod2", "Pod1"]


@pytest.mark.parametrize("direction", ["asc", "desc"])
async def test_pages_of_pods_make_the_whole_list(api: AdminApi, direction: str) -> None:
    for number in range(7):
        await api.add_pod(f"Pod{number}", f"az{number % 2}")
    path = f"/v1.0/pods?limit=2&az_name=az0&sort_dir={direction}"
    seen, links = [], 0
    while path:
        page = (await api("GET", path)).body
        seen += [pod["name"] for pod in page["pods"]]
        (link,) = page.get("pods_links", [{"rel": "next", "href": BASE}])
        assert link["rel"] == "next"
        path = link["href"].removeprefix(BASE)
        links += 1
    assert seen == sorted(["Pod0", "Pod2", "Pod4", "Pod6"], reverse=direction == "desc")
    assert links == 2


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=-1", "limit=x", "limit=%C2%B2", "limit=" + "9" * 5000, "marker=none",
     "marker=", "color=red", "state=off", "sort_key=id", "sort_dir=up", "name=a&name=b",
     "name=a&pod_name=b", "marker=%00"],
)  # fmt: skip
async def test_a_list_that_is_asked_for_wrongly_is_refused(api: AdminApi, query: str) -> None:
    answer = await api("GET", f"/v1.0/pods?{query}")
    assert answer.status == 400
    assert answer.message


async def test_what_a_change_does_not_name_stays(api: AdminApi) -> None:
    pod = await api.add_pod("Pod1", tags=["a"], dc_name="dc1", pod_az_name="nova")
    answer = await api("PATCH", "/v1.0/pods/Pod1", {"pod": {"state": "maintenance"}})
    assert answer.status == 200
    changed = answer.body["pod"]
    assert changed["generation"] == 2
    assert changed["updated_at"] > pod["updated_at"]
    ignored = {"generation", "updated_at", "state"}
    assert {k: v for k, v in changed.items() if k not in ignored} == {
        k: v for k, v in pod.items() if k not in ignored
    }
    answer = await api("PATCH", "/v1.0/pods/Pod1", {"pod": {"tags": []}})
    assert answer.body["pod"]["tags"] == []


async def test_a_change_of_nothing_changes_nothing(api: AdminApi) -> None:
    pod = await api.add_pod("Pod1")
    answer = await api("PATCH", "/v1.0/pods/Pod1", {"pod": {"state": "enabled"}})
    assert (answer.status, answer.body["pod"]) == (200, pod)


async def test_a_change_to_what_was_read_before_another_change_is_refused(api: AdminApi) -> None:
    await api.add_pod("Pod1")
    first = await api("PATCH", "/v1.0/pods/Pod1", {"pod": {"dc_name": "a", "generation": 1}})
    second = await api("PATCH", "/v1.0/pods/Pod1", {"pod": {"dc_name": "b", "generation": 1}})
    assert (first.status, second.status) == (200, 409)
    assert second.body["error"]["type"] == "stale"


async def test_changes_that_name_no_generation_all_happen(api: AdminApi) -> None:
    await api.add_pod("Pod1")
    fields = ["dc_name", "pod_az_name", "az_name"]
    answers = await asyncio.gather(
        *(api("PATCH", "/v1.0/pods/Pod1", {"pod": {field: "new"}}) for field in fields)
    )
    assert [answer.status for answer in answers] == [200, 200, 200]
    pod = (await api("GET", "/v1.0/pods/Pod1")).body["pod"]
    assert [pod[field] for field in fields] == ["new"] * 3


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"name": "Pod2"},
        {"generation": -1},
        {"generation": 2**80},
        {"state": None},
        {"az_name": " "},
    ],
)
async def test_a_change_that_is_described_wrongly_is_refused(
    api: AdminApi, change: object
) -> None:
    await api.add_pod("Pod1")
    assert (await api("PATCH", "/v1.0/pods/Pod1", {"pod": change})).status == 400


@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
@pytest.mark.parametrize("name", ["Pod9", "%00", "x" * 300])
async def test_a_pod_that_is_not_there_is_not_found(api: AdminApi, method: str, name: str) -> None:
    body = {"pod": {"state": "disabled"}} if method == "PATCH" else None
    assert (await api(method, f"/v1.0/pods/{name}", body)).status == 404


async def test_a_pod_that_nothing_is_in_can_be_taken_out_and_come_back(api: AdminApi) -> None:
    pod = await api.add_pod("Pod1")
    answer = await api("DELETE", "/v1.0/pods/Pod1")
    assert (answer.status, answer.content) == (204, b"")
    assert (await api("GET", f"/v1.0/pods/{pod['id']}")).status == 404
    assert (await api("DELETE", "/v1.0/pods/Pod1")).status == 404
    assert (await api.add_pod("Pod1"))["id"] != pod["id"]

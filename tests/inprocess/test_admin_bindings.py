# SPDX-License-Identifier: Apache-2.0
"""Bindings in the admin API, and pods that are in use."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from admin_api import BASE, AdminApi, Answer

from trio2o import clock
from trio2o.db import intents, routings
from trio2o.model import Intent, IntentState, Kind, Routing

pytestmark = pytest.mark.anyio

PROJECT = "1" * 32
OTHER = "2" * 32


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def api(tmp_path: Path) -> AsyncIterator[AdminApi]:
    made = AdminApi(tmp_path)
    yield made
    made.db.close()


async def bind(api: AdminApi, pod: str, project: str = PROJECT, **more: Any) -> Answer:
    body = {"pod_binding": {"project_id": project, "pod": pod, **more}}
    return await api("POST", "/v1.0/bindings", body)


async def test_a_project_is_bound_to_a_pod_by_old_and_new_names(api: AdminApi) -> None:
    pod = await api.add_pod("Pod1", "az1")
    body = {"pod_binding": {"tenant_id": PROJECT, "pod_id": pod["id"]}}
    answer = await api("POST", "/v1.0/bindings", body)
    assert answer.status == 201
    binding = answer.body["pod_binding"]
    assert binding["tenant_id"] == binding["project_id"] == PROJECT
    assert (binding["pod_id"], binding["pod_name"]) == (pod["id"], "Pod1")
    assert (binding["az_name"], binding["bound_by"]) == ("az1", "admin")
    assert (binding["preferred"], binding["ended_at"]) == (False, None)
    assert answer.headers["location"] == f"{BASE}/v1.0/bindings/{binding['id']}"
    shown = await api("GET", f"/v1.0/bindings/{binding['id']}")
    assert shown.body["pod_binding"] == binding


@pytest.mark.parametrize(
    ("binding", "said"),
    [
        ({}, "is required"),
        ({"project_id": PROJECT}, "pod or pod_id or pod_name is required"),
        ({"pod": "Pod1"}, "project_id or tenant_id is required"),
        ({"project_id": "", "pod": "Pod1"}, "project_id"),
        ({"project_id": "a/b", "pod": "Pod1"}, "project_id"),
        ({"project_id": PROJECT, "pod": "Pod9"}, "no pod Pod9"),
        ({"project_id": "nobody", "pod": "Pod1"}, "no project nobody"),
        ({"project_id": PROJECT, "tenant_id": OTHER, "pod": "Pod1"}, "different things"),
        ({"project_id": PROJECT, "pod": "Pod1", "preferred": "yes"}, "preferred"),
    ],
)
async def test_a_binding_that_is_described_wrongly_is_refused(
    api: AdminApi, binding: object, said: str
) -> None:
    await api.add_pod("Pod1")
    answer = await api("POST", "/v1.0/bindings", {"pod_binding": binding})
    assert answer.status == 400
    assert said in answer.message


async def test_of_many_who_make_one_binding_one_succeeds(api: AdminApi) -> None:
    await api.add_pod("Pod1")
    answers = await asyncio.gather(*(bind(api, "Pod1") for _ in range(8)))
    assert sorted(answer.status for answer in answers) == [201] + [409] * 7


async def test_one_binding_of_a_project_and_zone_is_preferred(api: AdminApi) -> None:
    for name in ("Pod1", "Pod2"):
        await api.add_pod(name, "az1")
    first = (await bind(api, "Pod1", preferred=True)).body["pod_binding"]
    second = (await bind(api, "Pod2", preferred=True)).body["pod_binding"]

    async def preferred() -> dict[str, bool]:
        page = (await api("GET", "/v1.0/bindings")).body["pod_bindings"]
        return {binding["pod_name"]: binding["preferred"] for binding in page}

    assert second["preferred"]
    assert await preferred() == {"Pod1": False, "Pod2": True}
    path = f"/v1.0/bindings/{first['id']}"
    answer = await api("PATCH", path, {"pod_binding": {"preferred": True}})
    assert (answer.status, answer.body["pod_binding"]["preferred"]) == (200, True)
    assert await preferred() == {"Pod1": True, "Pod2": False}
    answer = await api("PATCH", path, {"pod_binding": {"preferred": False}})
    assert answer.status == 400


async def test_a_binding_that_ends_is_history_and_can_be_made_again(api: AdminApi) -> None:
    await api.add_pod("Pod1")
    binding = (await bind(api, "Pod1")).body["pod_binding"]
    path = f"/v1.0/bindings/{binding['id']}"
    assert (await api("DELETE", path)).status == 204
    assert (await api("GET", path)).body["pod_binding"]["ended_at"] is not None
    assert (await api("DELETE", path)).status == 404
    change = {"pod_binding": {"preferred": True}}
    assert (await api("PATCH", path, change)).status == 409
    again = (await bind(api, "Pod1")).body["pod_binding"]

    async def listed(query: str) -> list[str]:
        page = (await api("GET", f"/v1.0/bindings{query}")).body["pod_bindings"]
        return [one["id"] for one in page]

    assert await listed("") == [binding["id"], again["id"]]
    assert await listed("?in_force=true") == [again["id"]]
    assert await listed("?in_force=False") == [binding["id"]]
    assert (await api("GET", "/v1.0/bindings?in_force=maybe")).status == 400


async def test_bindings_are_listed_by_filters_and_pages(api: AdminApi) -> None:
    for number in (1, 2):
        await api.add_pod(f"Pod{number}", f"az{number}")
        for project in (PROJECT, OTHER):
            await bind(api, f"Pod{number}", project)

    async def listed(query: str) -> list[tuple[str, str]]:
        path, found = f"/v1.0/bindings?{query}", []
        while path:
            page = (await api("GET", path)).body
            found += [(one["project_id"][0], one["pod_name"]) for one in page["pod_bindings"]]
            (link,) = page.get("pod_bindings_links", [{"href": BASE}])
            path = link["href"].removeprefix(BASE)
        return found

    every = [("1", "Pod1"), ("2", "Pod1"), ("1", "Pod2"), ("2", "Pod2")]
    for limit in (1, 2, 3, 4, 5):
        assert await listed(f"limit={limit}") == every
        assert await listed(f"limit={limit}&az_name=az2") == every[2:]
    assert await listed(f"project_id={OTHER}") == [("2", "Pod1"), ("2", "Pod2")]
    assert await listed(f"tenant_id={OTHER}&pod=Pod2") == [("2", "Pod2")]
    assert await listed("pod_name=Pod9") == []
    assert (await api("GET", "/v1.0/bindings?marker=none")).status == 400


async def test_a_binding_that_is_not_there_is_not_found(api: AdminApi) -> None:
    for method, body in (
        ("GET", None),
        ("DELETE", None),
        ("PATCH", {"pod_binding": {"preferred": True}}),
    ):
        assert (await api(method, "/v1.0/bindings/none", body)).status == 404


async def test_a_pod_in_use_says_by_what_and_stays(api: AdminApi) -> None:
    pod = await api.add_pod("Pod1")
    await bind(api, "Pod1")
    await fill(api, pod["id"])
    answer = await api("DELETE", "/v1.0/pods/Pod1")
    assert answer.status == 409
    for part in ("Pod1", "2 servers", "1 volume", "1 binding", "1 create"):
        assert part in answer.message
    answer = await api("DELETE", "/v1.0/pods/Pod1?forget=true")
    assert answer.status == 409
    assert "Disable it" in answer.message
    assert (await api("GET", "/v1.0/pods/Pod1")).status == 200


async def test_a_disabled_pod_can_be_forgotten_with_what_is_in_it(api: AdminApi) -> None:
    pod = await api.add_pod("Pod1")
    binding = (await bind(api, "Pod1")).body["pod_binding"]
    await fill(api, pod["id"])
    await api("PATCH", "/v1.0/pods/Pod1", {"pod": {"state": "disabled"}})
    assert (await api("DELETE", "/v1.0/pods/Pod1")).status == 409
    assert (await api("DELETE", "/v1.0/pods/Pod1?forget=true")).status == 204
    assert (await api("GET", "/v1.0/pods/Pod1")).status == 404
    assert (await api("GET", "/v1.0/routings")).body["routings"] == []
    shown = (await api("GET", f"/v1.0/bindings/{binding['id']}")).body["pod_binding"]
    assert shown["ended_at"] is not None
    by_id = (await api("GET", f"/v1.0/bindings?pod={pod['id']}")).body["pod_bindings"]
    assert by_id == [shown]


async def test_a_pod_with_bindings_does_not_leave_its_zone(api: AdminApi) -> None:
    await api.add_pod("Pod1", "az1")
    await bind(api, "Pod1")
    answer = await api("PATCH", "/v1.0/pods/Pod1", {"pod": {"az_name": "az2"}})
    assert answer.status == 409


async def fill(api: AdminApi, pod_id: str) -> None:
    """Two servers and a volume in the pod, and a create in progress."""
    now = clock.now()
    rows = [
        Routing(kind, resource_id, pod_id, PROJECT, now)
        for kind, resource_id in (
            (Kind.SERVER, "server-1"),
            (Kind.SERVER, "server-2"),
            (Kind.VOLUME, "volume-1"),
        )
    ]
    await api.db.write(routings.learn, rows)
    intent = Intent(
        "intent-1", Kind.SERVER, PROJECT, "user", pod_id, "req-1", IntentState.ASKED, now
    )
    await api.db.write(intents.create, intent)

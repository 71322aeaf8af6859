# SPDX-License-Identifier: Apache-2.0
"""Routings and placements in the admin API."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from admin_api import BASE, AdminApi

from trio2o.db import placements, routings
from trio2o.model import Kind, Routing

pytestmark = pytest.mark.anyio

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def api(tmp_path: Path) -> AsyncIterator[AdminApi]:
    made = AdminApi(tmp_path)
    for name in ("Pod1", "Pod2"):
        await made.add_pod(name)
    yield made
    made.db.close()


def uuid(number: int) -> str:
    return f"00000000-0000-0000-0000-{number:012}"


async def learn(api: AdminApi, number: int, kind: Kind = Kind.SERVER, **more: Any) -> Routing:
    """A resource created ``number`` minutes past noon."""
    pods = {pod["name"]: pod["id"] for pod in (await api("GET", "/v1.0/pods")).body["pods"]}
    routing = Routing(
        kind=kind,
        resource_id=uuid(number),
        pod_id=pods[more.pop("pod", "Pod1")],
        project_id=more.pop("project_id", api.identity.project_id("demo")),
        created_at=NOON + timedelta(minutes=number),
        **more,
    )
    await api.db.write(routings.learn, [routing])
    return routing


async def listed(api: AdminApi, query: str, token: str | None = None) -> list[int]:
    """Numbers of all pages."""
    path, found = f"/v1.0/routings?{query}", []
    while path:
        page = (await api("GET", path, token=token)).body
        found += [int(one["resource_id"][-12:]) for one in page["routings"]]
        (link,) = page.get("routings_links", [{"href": BASE}])
        path = link["href"].removeprefix(BASE)
    return found


async def test_a_routing_is_shown_with_its_old_and_new_names(api: AdminApi) -> None:
    await learn(api, 1, pod="Pod2")
    answer = await api("GET", f"/v1.0/routings/{uuid(1)}")
    assert answer.status == 200
    routing = answer.body["routing"]
    names = ("id", "resource_id", "top_id", "bottom_id")
    assert {routing[name] for name in names} == {uuid(1)}
    assert routing["kind"] == routing["resource_type"] == "server"
    assert routing["pod_name"] == "Pod2"
    assert routing["created_at"] == "2026-01-01T12:01:00.000000Z"
    assert routing["deleted_at"] is None


async def test_what_is_not_known_is_not_found(api: AdminApi) -> None:
    assert (await api("GET", f"/v1.0/routings/{uuid(9)}")).status == 404
    assert (await api("GET", f"/v1.0/placements/{uuid(9)}")).status == 404


async def test_an_id_of_several_kinds_needs_the_kind(api: AdminApi) -> None:
    await learn(api, 1, Kind.SERVER)
    await learn(api, 1, Kind.VOLUME)
    answer = await api("GET", f"/v1.0/routings/{uuid(1)}")
    assert answer.status == 409
    assert "server, volume" in answer.message
    answer = await api("GET", f"/v1.0/routings/{uuid(1)}?kind=volume")
    assert answer.body["routing"]["kind"] == "volume"
    assert (await api("GET", f"/v1.0/routings/{uuid(1)}?kind=image")).status == 404


async def test_routings_are_listed_by_filters(api: AdminApi) -> None:
    await learn(api, 1)
    await learn(api, 2, pod="Pod2")
    await learn(api, 3, Kind.VOLUME, project_id=api.identity.project_id("other"))
    await learn(api, 4, deleted_at=NOON)
    assert await listed(api, "") == [1, 2, 3]
    assert await listed(api, "kind=volume") == [3]
    assert await listed(api, "resource_type=server") == [1, 2]
    assert await listed(api, "pod=Pod2") == [2]
    assert await listed(api, f"project_id={api.identity.project_id('other')}") == [3]
    assert await listed(api, "deleted=true") == [4]
    assert await listed(api, f"resource_id={uuid(2)}") == [2]
    assert await listed(api, f"top_id={uuid(2)}&pod=Pod1") == []
    assert await listed(api, "created_since=2026-01-01T12:02:00Z") == [2, 3]
    assert await listed(api, "created_since=2026-01-01T12:02:00&kind=server") == [2]
    for query in ("created_since=yesterday", "kind=router", "created_at=2026-01-01"):
        assert (await api("GET", f"/v1.0/routings?{query}")).status == 400


@pytest.mark.parametrize("limit", [1, 2, 3, 10])
async def test_pages_of_routings_make_the_whole_list(api: AdminApi, limit: int) -> None:
    for number in range(1, 5):
        await learn(api, number)
        await learn(api, number + 10, Kind.VOLUME)
    assert await listed(api, f"limit={limit}") == [1, 2, 3, 4, 11, 12, 13, 14]
    since = f"limit={limit}&created_since=2026-01-01T12:03:00Z"
    assert await listed(api, since) == [4, 3, 14, 13, 12, 11]


async def test_a_list_goes_on_after_a_resource_that_was_forgotten(api: AdminApi) -> None:
    for number in (1, 2, 3):
        await learn(api, number)
    await api.db.write(routings.forget, Kind.SERVER, uuid(2))
    assert await listed(api, f"marker=server:{uuid(2)}") == [3]
    assert await listed(api, f"marker={uuid(1)}") == [3]
    assert (await api("GET", f"/v1.0/routings?marker={uuid(2)}")).status == 400


async def test_a_member_sees_the_routings_of_the_own_project_only(api: AdminApi) -> None:
    await learn(api, 1)
    await learn(api, 2, project_id=api.identity.project_id("other"))
    member = api.identity.token("demo", "demo", ("member",))
    assert await listed(api, "", member) == [1]
    assert await listed(api, f"project_id={api.identity.project_id('demo')}", member) == [1]
    path = f"/v1.0/routings?project_id={api.identity.project_id('other')}"
    assert (await api("GET", path, token=member)).status == 403
    assert (await api("GET", f"/v1.0/routings/{uuid(1)}", token=member)).status == 200
    assert (await api("GET", f"/v1.0/routings/{uuid(2)}", token=member)).status == 404
    stranger = api.identity.token("demo", "demo", ("auditor",))
    assert (await api("GET", f"/v1.0/routings/{uuid(1)}", token=stranger)).status == 403


async def test_placements_are_shown_to_admins_newest_first(api: AdminApi) -> None:
    demo, other = (api.identity.project_id(name) for name in ("demo", "other"))
    for number, project_id in enumerate((demo, other, demo), 1):
        kind = Kind.VOLUME if number == 2 else Kind.SERVER
        document = {"chosen": f"Pod{number}"}
        await api.db.write(placements.record, kind, uuid(number), project_id, document)

    async def found(query: str) -> list[str]:
        path, names = f"/v1.0/placements?{query}", []
        while path:
            page = (await api("GET", path)).body
            names += [one["explanation"]["chosen"] for one in page["placements"]]
            (link,) = page.get("placements_links", [{"href": BASE}])
            path = link["href"].removeprefix(BASE)
        return names

    for limit in (1, 2, 3):
        assert await found(f"limit={limit}") == ["Pod3", "Pod2", "Pod1"]
    assert await found(f"project_id={demo}") == ["Pod3", "Pod1"]
    assert await found("kind=volume") == ["Pod2"]
    assert (await api("GET", "/v1.0/placements?marker=none")).status == 400
    shown = (await api("GET", f"/v1.0/placements/{uuid(2)}")).body["placement"]
    assert shown["explanation"] == {"chosen": "Pod2"}
    assert (shown["kind"], shown["project_id"]) == ("volume", other)
    member = api.identity.token("demo", "demo", ("member",))
    for path in ("/v1.0/placements", f"/v1.0/placements/{uuid(1)}"):
        assert (await api("GET", path, token=member)).status == 403

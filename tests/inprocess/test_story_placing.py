# SPDX-License-Identifier: Apache-2.0
"""In which pod new servers and volumes land, and what the operator is told of it."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.inprocess.cloud import Cloud, cloud
from trio2o.model import BoundBy

pytestmark = pytest.mark.anyio
SERVERS = "/compute/v2.1/servers"
VOLUMES = "/volume/v3/volumes"
TWO_IN_ONE = {"Pod1": "az1", "Pod2": "az1"}


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def top(tmp_path: Path) -> AsyncIterator[Cloud]:
    """Two pods of one zone."""
    async with cloud(tmp_path, TWO_IN_ONE) as one:
        yield one


async def test_no_zone_goes_to_the_roomiest_pod(tmp_path: Path) -> None:
    small = {"vcpus": 4, "ram_mb": 4096, "disk_gb": 40}
    async with cloud(tmp_path, Pod1=small) as top:
        assert await top.pod_of((await top.boot())["id"]) == "Pod2"


async def test_the_roomiest_pod_takes_the_volume(tmp_path: Path) -> None:
    async with cloud(tmp_path, Pod1={"volume_gb": 10}, Pod2={"volume_gb": 100}) as top:
        assert await top.pod_of((await top.volume())["id"]) == "Pod2"


async def test_the_first_server_binds_the_project_and_what_follows_meets_it(top: Cloud) -> None:
    first = await top.pod_of((await top.boot())["id"])
    assert [(one["pod_name"], one["preferred"]) for one in await top.bindings()] == [(first, True)]
    for _ in range(3):
        assert await top.pod_of((await top.boot())["id"]) == first
        assert await top.pod_of((await top.volume("az1"))["id"]) == first
    assert len(await top.bindings()) == 1


async def test_without_a_zone_the_binding_decides(tmp_path: Path) -> None:
    async with cloud(tmp_path) as top:
        await top.boot(zone="az2")
        assert await top.pod_of((await top.boot())["id"]) == "Pod2"
        assert await top.pod_of((await top.volume())["id"]) == "Pod2"


async def test_many_first_boots_at_once_land_in_one_pod(top: Cloud) -> None:
    made = await asyncio.gather(*(top.boot(f"s{n}") for n in range(16)))
    assert len([one for one in await top.bindings() if one["preferred"]]) == 1
    assert len({await top.pod_of(one["id"]) for one in made}) == 1


async def test_what_a_full_pod_cannot_take_goes_to_the_other_and_it_is_told_why(
    tmp_path: Path,
) -> None:
    async with cloud(tmp_path, TWO_IN_ONE, Pod1={"vcpus": 2}) as top:
        await top.bind("Pod1", BoundBy.SCHEDULER)
        made = [await top.boot(f"s{n}", "az1") for n in range(3)]
        pods = [await top.pod_of(one["id"]) for one in made]
        assert pods == ["Pod1", "Pod1", "Pod2"]
        why = (await top.explain(made[2]["id"]))["explanation"]
        assert why["chosen"] == "Pod2"
        assert [(one["pod"], one["filter"]) for one in why["dropped"]] == [("Pod1", "room")]
        assert "1 DISK_GB, 128 MEMORY_MB, 1 VCPU" in why["dropped"][0]["why"]
        ranked = why["ranked"][0]
        assert (ranked["pod"], ranked["room"]["fits"]) == ("Pod2", True)
        assert ranked["room"]["free"] > 0
        assert why["request"]["resources"] == {"VCPU": 1, "MEMORY_MB": 128, "DISK_GB": 1}


async def test_several_servers_need_room_for_all_of_them(tmp_path: Path) -> None:
    async with cloud(tmp_path, TWO_IN_ONE, Pod1={"vcpus": 4}) as top:
        await top.bind("Pod1", BoundBy.SCHEDULER)
        made = await top.boot("many", "az1", min_count=5)
        assert await top.pod_of(made["id"]) == "Pod2"


async def test_where_no_pod_has_room_the_server_goes_to_error_as_in_one_cloud(
    tmp_path: Path,
) -> None:
    full = {"vcpus": 0}
    async with cloud(tmp_path, Pod1=full, Pod2=full) as top:
        made = await top.boot()
        shown = await top.call("GET", f"{SERVERS}/{made['id']}")
        assert shown.json["server"]["status"] == "ERROR"
        assert shown.json["server"]["fault"]["message"].startswith("No valid host was found.")
        assert (await top.explain(made["id"]))["explanation"]["fits"] is False


async def test_an_unknown_zone_is_refused_in_novas_words(top: Cloud) -> None:
    body = {"server": {"name": "x", "flavorRef": "42", "availability_zone": "nowhere"}}
    answer = await top.call("POST", SERVERS, body)
    message = "The requested availability zone is not available"
    assert (answer.status, answer.json) == (400, {"badRequest": {"code": 400, "message": message}})
    assert sum(top.counts("POST", "/servers$").values()) == 0


async def test_an_unknown_zone_is_refused_in_cinders_words(top: Cloud) -> None:
    body = {"volume": {"size": 1, "availability_zone": "nowhere"}}
    answer = await top.call("POST", VOLUMES, body)
    message = "Availability zone 'nowhere' is invalid."
    assert (answer.status, answer.json) == (400, {"badRequest": {"code": 400, "message": message}})


@pytest.mark.parametrize("state", ["maintenance", "disabled"])
async def test_a_pod_that_is_not_enabled_gets_nothing_new(top: Cloud, state: str) -> None:
    await top.set_pod("Pod1", state=state)
    for _ in range(3):
        assert await top.pod_of((await top.boot(zone="az1"))["id"]) == "Pod2"
    why = (await top.explain((await top.boot())["id"]))["explanation"]
    if state == "maintenance":
        assert {"pod": "Pod1", "zone": "az1", "filter": "state"}.items() <= why["dropped"][
            0
        ].items()


async def test_what_is_in_a_pod_in_maintenance_goes_on(tmp_path: Path) -> None:
    async with cloud(tmp_path) as top:
        made = await top.boot(zone="az1")
        await top.set_pod("Pod1", state="maintenance")
        stopped = await top.call("POST", f"{SERVERS}/{made['id']}/action", {"os-stop": None})
        assert stopped.status == 202
        listed = await top.call("GET", SERVERS)
        assert [one["id"] for one in listed.json["servers"]] == [made["id"]]
        assert "x-trio2o-missing-pods" not in listed.headers


async def test_what_is_in_a_disabled_pod_is_missing_and_said_to_be(tmp_path: Path) -> None:
    async with cloud(tmp_path) as top:
        made = await top.boot(zone="az1")
        await top.set_pod("Pod1", state="disabled")
        assert (await top.call("GET", f"{SERVERS}/{made['id']}")).status == 503
        listed = await top.call("GET", SERVERS)
        assert listed.json["servers"] == []
        assert listed.headers["x-trio2o-missing-pods"] == "Pod1"
        await top.set_pod("Pod1", state="enabled")
        assert (await top.call("GET", f"{SERVERS}/{made['id']}")).status == 200


async def test_a_flavor_with_tags_goes_to_a_pod_that_has_them(top: Cloud) -> None:
    await top.set_pod("Pod2", tags=["gpu", "ssd"])
    for pod in top.pods.values():
        pod.add_flavor("g1", "gpu", vcpus=1, ram=128, disk=1).extra_specs["trio2o:tags"] = "gpu"
    for _ in range(3):
        made = await top.boot(flavorRef="g1")
        assert await top.pod_of(made["id"]) == "Pod2"
    why = (await top.explain(made["id"]))["explanation"]
    assert why["request"]["tags"] == ["gpu"]
    assert why["dropped"][0]["filter"] == "tags"


async def test_a_volume_type_with_tags_goes_to_a_pod_that_has_them(top: Cloud) -> None:
    await top.set_pod("Pod2", tags=["ssd"])
    for pod in top.pods.values():
        for one in pod.cloud.volume_types:
            if one.name == "lab":
                one.extra_specs["trio2o:tags"] = "ssd"
    for _ in range(3):
        assert await top.pod_of((await top.volume(volume_type="lab"))["id"]) == "Pod2"


async def test_tags_that_no_pod_has_are_refused(top: Cloud) -> None:
    for pod in top.pods.values():
        pod.add_flavor("g1", "gpu", vcpus=1, ram=128, disk=1).extra_specs["trio2o:tags"] = "gpu"
    body = {"server": {"name": "x", "flavorRef": "g1"}}
    answer = await top.call("POST", SERVERS, body)
    assert answer.status == 409
    assert "g1" in answer.json["conflictingRequest"]["message"]


async def test_an_administrators_binding_restricts_the_project(top: Cloud) -> None:
    await top.bind("Pod2")
    for _ in range(3):
        made = await top.boot(zone="az1")
        assert await top.pod_of(made["id"]) == "Pod2"
    why = (await top.explain(made["id"]))["explanation"]
    assert why["dropped"][0]["filter"] == "binding"


async def test_an_administrators_binding_holds_while_its_pod_is_down(top: Cloud) -> None:
    await top.bind("Pod2")
    top.pods["Pod2"].down()
    body = {"server": {"name": "x", "flavorRef": "42", "availability_zone": "az1"}}
    assert (await top.call("POST", SERVERS, body)).status == 503
    assert top.pods["Pod1"].count("POST", "/servers$") == 0


async def test_a_forced_host_names_the_pod(top: Cloud) -> None:
    zone = "az1:Pod2@pod2"
    body = {"server": {"name": "x", "flavorRef": "42", "availability_zone": zone}}
    answer = await top.call("POST", SERVERS, {**body}, token=top.admin)
    assert answer.status == 400, "no image"
    body["server"]["imageRef"] = "c1220500-0000-4000-8000-000000000001"
    answer = await top.call("POST", SERVERS, body, token=top.admin)
    assert answer.status == 202, answer.body
    assert await top.pod_of(answer.json["server"]["id"]) == "Pod2"


async def test_a_new_pod_takes_part_at_once(tmp_path: Path) -> None:
    async with cloud(tmp_path, {"Pod1": "az1"}) as top:
        extra = await top.add_pod("Pod9", "az9")
        made = await top.boot(zone="az9")
        assert await top.pod_of(made["id"]) == "Pod9"
        assert extra.count("POST", "/servers$") == 1


async def test_a_new_pod_has_images_that_were_looked_for_before_it_came(tmp_path: Path) -> None:
    async with cloud(tmp_path, {"Pod1": "az1", "Pod2": "az2"}) as top:
        await top.boot(zone="az1")  # where the image is, is known now
        await top.add_pod("Pod9", "az9")
        made = await top.boot(zone="az9")
        assert await top.pod_of(made["id"]) == "Pod9"

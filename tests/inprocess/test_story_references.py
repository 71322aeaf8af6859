# SPDX-License-Identifier: Apache-2.0
"""What a new server or volume names decides the pod; what cannot meet is refused."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.inprocess.cloud import IMAGE, Cloud, cloud

pytestmark = pytest.mark.anyio
SERVERS = "/compute/v2.1/servers"
VOLUMES = "/volume/v3/volumes"
SNAPSHOTS = "/volume/v3/snapshots"
GROUPS = "/compute/v2.1/os-server-groups"
NOWHERE = "11111111-1111-4111-8111-111111111111"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def top(tmp_path: Path) -> AsyncIterator[Cloud]:
    """Pod1 and Pod3 in az1, Pod2 in az2; the project is at home in Pod1."""
    async with cloud(tmp_path, {"Pod1": "az1", "Pod2": "az2", "Pod3": "az1"}) as one:
        await one.boot("home", "az1")
        yield one


def bootable(top: Cloud, pod: str) -> str:
    volume = top.pods[pod].add_volume(top.project, size=1)
    volume.bootable = True
    return volume.id


def from_volume(*volumes: str, image: str = "", **more: Any) -> dict[str, Any]:
    """A new server with these volumes, the first one to boot from unless there is an image."""
    first = 1 if image else 0
    mappings = [
        {
            "uuid": volume,
            "source_type": "volume",
            "destination_type": "volume",
            "boot_index": number if number == 0 else -1,
        }
        for number, volume in enumerate(volumes, first)
    ]
    local = {"uuid": image, "source_type": "image", "destination_type": "local", "boot_index": 0}
    server = {"name": "x", "flavorRef": "42", "networks": "none", **more}
    if image:
        server["imageRef"] = image
        mappings.insert(0, local)
    server["block_device_mapping_v2"] = mappings
    return {"server": server}


async def boot(top: Cloud, body: dict[str, Any]) -> str:
    """The pod in which it landed."""
    answer = await top.call("POST", SERVERS, body, version="compute 2.67")
    assert answer.status == 202, answer.body
    return await top.pod_of(answer.json["server"]["id"])


async def refused(top: Cloud, path: str, body: dict[str, Any], version: str = "") -> str:
    answer = await top.call("POST", path, body, version=version)
    assert answer.status == 400, answer.body
    message: str = answer.json["badRequest"]["message"]
    return message


async def test_a_volume_to_boot_from_decides(top: Cloud) -> None:
    for pod in ("Pod2", "Pod3"):
        assert await boot(top, from_volume(bootable(top, pod))) == pod


async def test_a_snapshot_to_boot_from_decides(top: Cloud) -> None:
    volume = bootable(top, "Pod3")
    made = await top.call("POST", SNAPSHOTS, {"snapshot": {"volume_id": volume}})
    assert made.status == 202
    mapping = {
        "uuid": made.json["snapshot"]["id"],
        "source_type": "snapshot",
        "destination_type": "volume",
        "boot_index": 0,
    }
    server = {"name": "x", "flavorRef": "42", "networks": "none"}
    body = {"server": {**server, "block_device_mapping_v2": [mapping]}}
    assert await boot(top, body) == "Pod3"


async def test_an_image_and_a_volume_beside_it(top: Cloud) -> None:
    assert await boot(top, from_volume(bootable(top, "Pod3"), image=IMAGE)) == "Pod3"


async def test_an_image_that_one_pod_has_decides(top: Cloud) -> None:
    image = top.pods["Pod3"].add_image("only here")
    assert await top.pod_of((await top.boot(imageRef=image.id))["id"]) == "Pod3"


async def test_an_image_that_no_pod_has_is_refused_in_novas_words(top: Cloud) -> None:
    body = {"server": {"name": "x", "flavorRef": "42", "imageRef": NOWHERE}}
    assert await refused(top, SERVERS, body) == "Can not find requested image"


async def test_volumes_of_two_zones_are_refused_in_novas_words(top: Cloud) -> None:
    body = from_volume(bootable(top, "Pod1"), bootable(top, "Pod2"))
    message = await refused(top, SERVERS, body, "compute 2.67")
    assert message == (
        "The availability zone between the server and its attached volumes do not match: "
        "Volumes are in different availability zones: az1,az2."
    )


async def test_volumes_of_two_pods_of_one_zone_are_refused(top: Cloud) -> None:
    body = from_volume(bootable(top, "Pod1"), bootable(top, "Pod3"))
    message = await refused(top, SERVERS, body, "compute 2.67")
    assert "are in different clouds of availability zone az1" in message


async def test_a_volume_of_another_zone_than_asked_for_is_refused_in_novas_words(
    top: Cloud,
) -> None:
    body = from_volume(bootable(top, "Pod1"), availability_zone="az2")
    message = await refused(top, SERVERS, body, "compute 2.67")
    assert message.endswith(
        "Server and volumes are not in the same availability zone. Server is in: az2. "
        "Volumes are in: az1."
    )


async def test_a_volume_that_is_nowhere_is_refused_in_novas_words(top: Cloud) -> None:
    message = await refused(top, SERVERS, from_volume(NOWHERE), "compute 2.67")
    assert message == f"Block Device Mapping is Invalid: failed to get volume {NOWHERE}."


async def test_a_volume_whose_pod_is_silent_is_not_said_to_be_nowhere(top: Cloud) -> None:
    volume = bootable(top, "Pod3")
    top.pods["Pod3"].down()
    answer = await top.call("POST", SERVERS, from_volume(volume), version="compute 2.67")
    assert answer.status == 503
    assert "Pod3" in answer.json["serviceUnavailable"]["message"]


async def test_a_network_decides(top: Cloud) -> None:
    network = top.pods["Pod3"].add_network(top.project, "n")
    made = await top.boot(networks=[{"uuid": network.id}])
    assert await top.pod_of(made["id"]) == "Pod3"


async def test_a_port_decides(top: Cloud) -> None:
    pod = top.pods["Pod2"]
    port = pod.add_port(pod.add_network(top.project, "n"))
    made = await top.boot(networks=[{"port": port.id}])
    assert await top.pod_of(made["id"]) == "Pod2"


async def test_networks_of_two_pods_are_refused(top: Cloud) -> None:
    networks = [{"uuid": top.pods[pod].add_network(top.project, "n").id} for pod in top.pods]
    server = {"name": "x", "flavorRef": "42", "imageRef": IMAGE, "networks": networks}
    message = await refused(top, SERVERS, {"server": server})
    assert message.startswith("Invalid input received: network ")


@pytest.mark.parametrize("hints", ["os:scheduler_hints", "OS-SCH-HNT:scheduler_hints"])
async def test_a_server_group_decides(top: Cloud, hints: str) -> None:
    await top.set_pod("Pod1", state="maintenance")
    group = {"server_group": {"name": "g", "policies": ["affinity"]}}
    made = await top.call("POST", GROUPS, group)
    group_id = made.json["server_group"]["id"]
    there = await top.pod_of(group_id)
    assert there != "Pod1"
    await top.set_pod("Pod1", state="enabled")
    server = {"name": "x", "flavorRef": "42", "imageRef": IMAGE, "networks": "none"}
    body = {"server": server, hints: {"group": group_id}}
    assert await boot(top, body) == there


async def test_a_server_may_say_that_it_wants_to_be_where_a_deleted_one_was(top: Cloud) -> None:
    body = {
        "server": {"name": "x", "flavorRef": "42", "imageRef": IMAGE},
        "os:scheduler_hints": {"same_host": [NOWHERE]},
    }
    answer = await top.call("POST", SERVERS, body)
    assert answer.status == 202, answer.body


async def test_a_volume_from_a_snapshot_lands_beside_it(top: Cloud) -> None:
    snapshot = await top.call(
        "POST", SNAPSHOTS, {"snapshot": {"volume_id": bootable(top, "Pod3")}}
    )
    made = await top.volume(snapshot_id=snapshot.json["snapshot"]["id"])
    assert await top.pod_of(made["id"]) == "Pod3"


async def test_a_volume_from_a_volume_lands_beside_it(top: Cloud) -> None:
    made = await top.volume(source_volid=bootable(top, "Pod2"))
    assert await top.pod_of(made["id"]) == "Pod2"


async def test_a_volume_from_a_snapshot_of_another_zone_is_refused_in_cinders_words(
    top: Cloud,
) -> None:
    made = await top.call("POST", SNAPSHOTS, {"snapshot": {"volume_id": bootable(top, "Pod1")}})
    body = {
        "volume": {
            "size": 1,
            "snapshot_id": made.json["snapshot"]["id"],
            "availability_zone": "az2",
        }
    }
    assert await refused(top, VOLUMES, body) == (
        "Invalid input received: Volume must be in the same availability zone as the snapshot"
    )


async def test_a_snapshot_of_a_volume_that_is_nowhere_is_not_found(top: Cloud) -> None:
    answer = await top.call("POST", SNAPSHOTS, {"snapshot": {"volume_id": NOWHERE}})
    assert answer.status == 404
    message = f"Volume {NOWHERE} could not be found."
    assert answer.json == {"itemNotFound": {"code": 404, "message": message}}


async def test_a_snapshot_is_found_afterwards_without_asking_around(top: Cloud) -> None:
    made = await top.call("POST", SNAPSHOTS, {"snapshot": {"volume_id": bootable(top, "Pod2")}})
    ident = made.json["snapshot"]["id"]
    top.forget_requests()
    assert (await top.call("GET", f"{SNAPSHOTS}/{ident}")).status == 200
    assert top.counts("GET", ident) == {"Pod1": 0, "Pod2": 1, "Pod3": 0}


async def attach(top: Cloud, volume: str) -> Any:
    server = (await top.call("GET", SERVERS)).json["servers"][0]["id"]
    path = f"{SERVERS}/{server}/os-volume_attachments"
    return await top.call("POST", path, {"volumeAttachment": {"volumeId": volume}})


async def test_a_volume_of_the_same_pod_is_attached(top: Cloud) -> None:
    volume = (await top.volume("az1"))["id"]
    answer = await attach(top, volume)
    assert answer.status == 200
    assert answer.json["volumeAttachment"]["volumeId"] == volume
    assert (await top.call("GET", f"{VOLUMES}/{volume}")).json["volume"]["status"] == "in-use"


async def test_a_volume_of_another_zone_is_refused_in_novas_words(top: Cloud) -> None:
    answer = await attach(top, bootable(top, "Pod2"))
    assert answer.status == 400
    message = answer.json["badRequest"]["message"]
    assert message.endswith("Instance is in az1. Volume is in az2")


async def test_a_volume_of_another_pod_of_the_zone_is_refused(top: Cloud) -> None:
    answer = await attach(top, bootable(top, "Pod3"))
    assert answer.status == 400
    message = answer.json["badRequest"]["message"]
    assert message.endswith("are in different clouds of availability zone az1")


async def test_a_volume_that_is_nowhere_cannot_be_attached(top: Cloud) -> None:
    answer = await attach(top, NOWHERE)
    assert answer.status == 404
    assert answer.json["itemNotFound"]["message"] == f"Volume {NOWHERE} could not be found."


@pytest.mark.parametrize("version", ["2.1", "2.45"])
async def test_an_image_of_a_server_is_known_and_booted_where_it_is(
    top: Cloud, version: str
) -> None:
    """Before 2.45 the image is in the Location header, from then on in the body."""
    server = await top.boot("x", "az2")
    made = await top.call(
        "POST",
        f"{SERVERS}/{server['id']}/action",
        {"createImage": {"name": "i"}},
        version=f"compute {version}",
    )
    assert made.status == 202
    image = (
        made.headers["location"].rpartition("/")[2] if version == "2.1" else made.json["image_id"]
    )
    if version == "2.1":
        assert made.headers["location"] == f"http://cloud.example:19999/image/v2/images/{image}"
    assert await top.pod_of(image) == "Pod2"
    assert await top.pod_of((await top.boot(imageRef=image))["id"]) == "Pod2"


async def test_a_server_that_was_deleted_behind_our_back_is_gone(top: Cloud) -> None:
    made = await top.boot("x", "az2")
    top.pods["Pod2"].cloud.servers.find(made["id"]).deleted = True
    for _ in range(2):
        assert (await top.call("GET", f"{SERVERS}/{made['id']}")).status == 404
    routing = await top.routing(made["id"])
    assert routing["deleted_at"] is not None
    assert routing["pod_name"] == "Pod2"

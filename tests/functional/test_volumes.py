# SPDX-License-Identifier: Apache-2.0
"""What a user does with volumes, over two real clouds."""

from collections.abc import Iterator

import pytest

from tests.real import IMAGE, Top


@pytest.fixture(scope="module")
def servers(top: Top) -> Iterator[dict[str, str]]:
    made = {zone: top.start_boot(f"for-volumes-{zone}", zone) for zone in ("az1", "az2")}
    for ident in made.values():
        top.wait_server(ident, "ACTIVE")
    yield made
    for ident in made.values():
        top.delete_server(ident)


def attach(top: Top, server: str, volume: str) -> int:
    path = f"/compute/v2.1/servers/{server}/os-volume_attachments"
    return top.call("POST", path, {"volumeAttachment": {"volumeId": volume}}).status


def test_a_volume_is_attached_to_a_server_of_its_zone(top: Top, servers: dict[str, str]) -> None:
    volume = top.make_volume("az1", name="attached", metadata={"a": "b"})
    try:
        assert top.pod_of(volume) == "Pod1"
        assert attach(top, servers["az1"], volume) == 200
        shown = top.wait_volume(volume, "in-use")
        assert shown["availability_zone"] == "az1"
        assert shown["metadata"] == {"a": "b"}
        assert shown["attachments"][0]["server_id"] == servers["az1"]
        path = f"/compute/v2.1/servers/{servers['az1']}/os-volume_attachments/{volume}"
        assert top.call("DELETE", path).status == 202
        top.wait_volume(volume, "available")
    finally:
        top.delete_volume(volume)


def test_a_volume_of_another_zone_is_refused_with_the_reason(
    top: Top, servers: dict[str, str]
) -> None:
    volume = top.make_volume("az1")
    try:
        path = f"/compute/v2.1/servers/{servers['az2']}/os-volume_attachments"
        refused = top.call("POST", path, {"volumeAttachment": {"volumeId": volume}})
        assert refused.status == 400
        message = refused.json["badRequest"]["message"]
        assert message.endswith("Instance is in az2. Volume is in az1")
    finally:
        top.delete_volume(volume)


def test_snapshots_and_what_is_made_of_them_stay_in_the_pod(top: Top) -> None:
    volume = top.make_volume("az2", name="origin")
    made = top.call("POST", "/volume/v3/snapshots", {"snapshot": {"volume_id": volume}})
    assert made.status == 202, made.body
    snapshot = made.json["snapshot"]["id"]
    top.wait_volume(snapshot, "available", "snapshot")
    copy = top.make_volume(snapshot_id=snapshot)
    try:
        assert top.pod_of(snapshot) == top.pod_of(copy) == "Pod2"
        elsewhere = {"size": 1, "snapshot_id": snapshot, "availability_zone": "az1"}
        refused = top.call("POST", "/volume/v3/volumes", {"volume": elsewhere})
        assert refused.status == 400
        extend = {"os-extend": {"new_size": 2}}
        assert top.call("POST", f"/volume/v3/volumes/{copy}/action", extend).status == 202
        assert top.wait_volume(copy, "available")["size"] == 2
    finally:
        top.delete_volume(copy)
        top.delete_volume(snapshot, "snapshot")
        top.delete_volume(volume)


def test_the_client_makes_attaches_and_deletes_a_volume(top: Top, servers: dict[str, str]) -> None:
    made = top.openstack_json("volume", "create", "--size", "1", "--availability-zone", "az2", "v")
    top.wait_volume(made["id"], "available")
    top.openstack("server", "add", "volume", servers["az2"], "v")
    top.wait_volume(made["id"], "in-use")
    listed = {one["Name"]: one for one in top.openstack_json("volume", "list")}
    assert listed["v"]["Status"] == "in-use"
    top.openstack("server", "remove", "volume", servers["az2"], "v")
    top.wait_volume(made["id"], "available")
    top.openstack("volume", "delete", "v")


def test_two_volumes_of_two_pods_cannot_boot_one_server(top: Top) -> None:
    volumes = [top.make_volume(zone, imageRef=IMAGE) for zone in ("az1", "az2")]
    try:
        devices = [
            {
                "uuid": volume,
                "source_type": "volume",
                "destination_type": "volume",
                "boot_index": index,
            }
            for index, volume in enumerate(volumes)
        ]
        server = {
            "name": "torn",
            "flavorRef": "1",
            "networks": "none",
            "block_device_mapping_v2": devices,
        }
        headers = {"OpenStack-API-Version": "compute 2.37"}
        refused = top.call("POST", "/compute/v2.1/servers", {"server": server}, headers=headers)
        assert refused.status == 400
        assert "badRequest" in refused.json
        # one of them decides the pod, with no zone asked for
        server["block_device_mapping_v2"] = devices[:1]
        ident = top.boot("from-volume", imageRef="", block_device_mapping_v2=devices[:1])
        assert top.pod_of(ident) == "Pod1"
        top.delete_server(ident)
    finally:
        for volume in volumes:
            top.delete_volume(volume)

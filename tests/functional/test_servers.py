# SPDX-License-Identifier: Apache-2.0
"""What a user does with servers, over two real clouds."""

import pytest

from lab.processes import LabError
from tests.real import LATEST, Top, wait

NEW = ("--flavor", "m1.tiny", "--image", "cirros", "--no-network")
V237 = ("--os-compute-api-version", "2.37")


def test_the_client_makes_servers_in_both_zones(top: Top) -> None:
    made = {}
    for zone in ("az1", "az2"):
        made[zone] = top.openstack_json(
            "server", "create", *V237, *NEW, "--availability-zone", zone, "--wait", f"cli-{zone}"
        )
        assert made[zone]["status"] == "ACTIVE"
    listed = {one["Name"]: one for one in top.openstack_json("server", "list", "--long")}
    for zone, pod in (("az1", "Pod1"), ("az2", "Pod2")):
        assert listed[f"cli-{zone}"]["Availability Zone"] == zone
        routing = top.openstack_json("routing", "show", made[zone]["id"], user="admin")
        assert routing["pod_name"] == pod
        why = top.openstack_json("placement", "explain", made[zone]["id"], user="admin")
        assert pod in str(why)
    top.openstack("server", "delete", "--wait", "cli-az1", "cli-az2")
    names = {one["Name"] for one in top.openstack_json("server", "list")}
    assert not names & {"cli-az1", "cli-az2"}


@pytest.mark.parametrize("zone", ["az1", "az2"])
def test_the_life_of_a_server(top: Top, zone: str) -> None:
    ident = top.boot(f"life-{zone}", zone, metadata={"mine": "yes"})
    server = f"/compute/v2.1/servers/{ident}"
    shown = top.server(ident)
    assert shown["OS-EXT-AZ:availability_zone"] == zone
    assert shown["metadata"] == {"mine": "yes"}

    assert top.action(ident, "os-stop").status == 202
    top.wait_server(ident, "SHUTOFF")
    assert top.action(ident, "os-start").status == 202
    top.wait_server(ident, "ACTIVE")
    assert top.action(ident, "reboot", {"type": "SOFT"}).status == 202
    top.wait_server(ident, "ACTIVE")
    assert top.action(ident, "resize", {"flavorRef": "84"}).status == 202
    top.wait_server(ident, "VERIFY_RESIZE")
    assert top.action(ident, "confirmResize").status == 204
    assert top.wait_server(ident, "ACTIVE")["flavor"]["original_name"] == "m1.micro"

    renamed = top.call("PUT", server, {"server": {"name": "other"}}, headers=LATEST)
    assert renamed.json["server"]["name"] == "other"
    put = top.call("PUT", f"{server}/metadata", {"metadata": {"new": "1"}})
    assert put.json == {"metadata": {"new": "1"}}
    assert top.call("GET", f"{server}/metadata").json == {"metadata": {"new": "1"}}
    console = top.action(ident, "os-getConsoleOutput", {"length": 5})
    assert "console line" in console.json["output"]
    actions = top.call("GET", f"{server}/os-instance-actions", headers=LATEST).json
    assert {one["action"] for one in actions["instanceActions"]} >= {"create", "stop", "resize"}

    assert top.call("DELETE", server).status == 204
    wait("gone", lambda: top.call("GET", server).status == 404)
    wait("the routing ends", lambda: (top.routing(ident) or {"deleted_at": 1})["deleted_at"])


def test_by_id_answers_carry_the_pods_request_id(top: Top) -> None:
    ident = top.boot("request-id", "az2")
    try:
        stopped = top.action(ident, "os-stop")
        request_id = stopped.headers["X-Openstack-Request-Id"]
        path = f"/compute/v2.1/servers/{ident}/os-instance-actions/{request_id}"
        assert top.call("GET", path).json["instanceAction"]["action"] == "stop"
        top.wait_server(ident, "SHUTOFF")
    finally:
        top.delete_server(ident)


def test_an_unknown_zone_is_refused_as_nova_does(top: Top) -> None:
    server = {"name": "x", "flavorRef": "1", "imageRef": "", "availability_zone": "nowhere"}
    refused = top.call("POST", "/compute/v2.1/servers", {"server": server})
    assert refused.status == 400
    message = refused.json["badRequest"]["message"]
    assert message == "The requested availability zone is not available"
    with pytest.raises(LabError, match="The requested availability zone is not available"):
        top.openstack("server", "create", *V237, *NEW, "--availability-zone", "nowhere", "x")


def test_another_project_sees_nothing_of_it(top: Top) -> None:
    ident = top.boot("mine", "az1")
    try:
        path = f"/compute/v2.1/servers/{ident}"
        assert top.call("GET", path, user="alt").status == 404
        assert top.call("DELETE", path, user="alt").status == 404
        listed = top.call("GET", "/compute/v2.1/servers", user="alt").json["servers"]
        assert ident not in {one["id"] for one in listed}
        everybody = top.call("GET", "/compute/v2.1/servers?all_tenants=1", user="admin").json
        assert ident in {one["id"] for one in everybody["servers"]}
    finally:
        top.delete_server(ident)

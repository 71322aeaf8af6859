# SPDX-License-Identifier: Apache-2.0
"""Definitions are the same in every pod, or are not written at all; numbers are of all pods."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.asgi import Answer
from tests.inprocess.cloud import Cloud, cloud

pytestmark = pytest.mark.anyio
FLAVORS = "/compute/v2.1/flavors"
KEYPAIRS = "/compute/v2.1/os-keypairs"
TYPES = "/volume/v3/types"
MISSING = "x-trio2o-missing-pods"
FLAVOR = {"name": "big", "vcpus": 4, "ram": 4096, "disk": 40}


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def top(tmp_path: Path) -> AsyncIterator[Cloud]:
    async with cloud(tmp_path) as one:
        yield one


async def make(top: Cloud, path: str, body: Any) -> Answer:
    answer = await top.call("POST", path, body, token=top.admin)
    assert MISSING not in answer.headers
    return answer


@pytest.mark.parametrize("chosen", [{}, {"id": None}, {"id": "auto"}, {"id": "mine"}])
async def test_a_flavor_has_the_same_id_in_all_pods(top: Cloud, chosen: dict[str, Any]) -> None:
    made = await make(top, FLAVORS, {"flavor": {**FLAVOR, **chosen}})
    assert made.status == 200, made.body
    ident = made.json["flavor"]["id"]
    assert ident not in (None, "auto")
    for pod in top.pods.values():
        flavor = pod.cloud.flavors.find(ident)
        assert flavor is not None
        assert (flavor.name, flavor.ram) == ("big", 4096)
    for zone in ("az1", "az2"):
        await top.boot(zone=zone, flavorRef=ident)


async def test_extra_specs_are_the_same_in_all_pods(top: Cloud) -> None:
    await make(top, FLAVORS, {"flavor": {**FLAVOR, "id": "mine"}})
    specs = f"{FLAVORS}/mine/os-extra_specs"
    await make(top, specs, {"extra_specs": {"hw:a": "1", "b": "2"}})
    changed = await top.call("PUT", f"{specs}/b", {"b": "3"}, token=top.admin)
    assert changed.json == {"b": "3"}
    deleted = await top.call("DELETE", f"{specs}/hw%3Aa", token=top.admin)
    assert deleted.status == 200
    for pod in top.pods.values():
        assert pod.cloud.flavors.find("mine").extra_specs == {"b": "3"}


async def test_a_flavor_is_deleted_from_all_pods(top: Cloud) -> None:
    await make(top, FLAVORS, {"flavor": {**FLAVOR, "id": "mine"}})
    gone = await top.call("DELETE", f"{FLAVORS}/mine", token=top.admin)
    assert gone.status == 202
    assert all(pod.cloud.flavors.find("mine") is None for pod in top.pods.values())
    assert (await top.call("GET", f"{FLAVORS}/mine")).status == 404


async def test_what_a_pod_refuses_is_written_nowhere(top: Cloud) -> None:
    for body in ({**FLAVOR, "ram": -1}, {**FLAVOR, "id": "42"}):
        answer = await make(top, FLAVORS, {"flavor": body})
        assert answer.status in (400, 409)
    refused = await top.call("POST", FLAVORS, {"flavor": FLAVOR})
    assert refused.status == 403
    assert all(f.name != "big" for pod in top.pods.values() for f in pod.cloud.flavors)


@pytest.mark.parametrize("down", ["Pod1", "Pod2"])
async def test_a_change_while_a_pod_is_down_is_not_begun(top: Cloud, down: str) -> None:
    top.pods[down].down()
    for method, path, body in (
        ("POST", FLAVORS, {"flavor": FLAVOR}),
        ("DELETE", f"{FLAVORS}/42", None),
        ("POST", KEYPAIRS, {"keypair": {"name": "k"}}),
        ("POST", TYPES, {"volume_type": {"name": "t"}}),
    ):
        answer = await top.call(method, path, body, token=top.admin)
        assert answer.status == 503, path
        assert down in answer.json["serviceUnavailable"]["message"]
    for pod in top.pods.values():
        assert pod.count("POST") == pod.count("DELETE") == 0
    top.pods[down].up()
    assert (await make(top, FLAVORS, {"flavor": FLAVOR})).status == 200


async def test_a_change_while_a_pod_is_disabled_is_not_begun(top: Cloud) -> None:
    await top.set_pod("Pod2", state="disabled")
    answer = await top.call("POST", FLAVORS, {"flavor": FLAVOR}, token=top.admin)
    assert answer.status == 503
    assert top.pods["Pod1"].count("POST") == 0


async def test_a_pod_that_fails_after_the_first_is_named(top: Cloud) -> None:
    top.pods["Pod2"].fail_next("POST", "/flavors", "reset_before")
    answer = await top.call("POST", FLAVORS, {"flavor": FLAVOR}, token=top.admin)
    assert answer.status == 200
    assert answer.headers[MISSING] == "Pod2"


async def test_definitions_are_read_while_a_pod_is_down(top: Cloud) -> None:
    for down in ("Pod1", "Pod2"):
        top.pods[down].down()
        assert (await top.call("GET", f"{FLAVORS}/42")).json["flavor"]["name"] == "m1.nano"
        assert len((await top.call("GET", FLAVORS)).json["flavors"]) == 4
        top.pods[down].up()


async def test_flavors_are_listed_once_and_their_links_lead_to_the_gateway(top: Cloud) -> None:
    listed = await top.call("GET", f"{FLAVORS}/detail?limit=3")
    assert len(listed.json["flavors"]) == 3
    assert b"example:80" not in listed.body
    assert b"pod1" not in listed.body.lower()
    rest = await top.call("GET", listed.json["flavors_links"][0]["href"].partition(":19999")[2])
    assert len(rest.json["flavors"]) == 1


async def test_a_generated_key_pair_is_the_same_in_all_pods(top: Cloud) -> None:
    made = await top.call("POST", KEYPAIRS, {"keypair": {"name": "k"}})
    assert made.status == 200
    assert "PRIVATE KEY" in made.json["keypair"]["private_key"]
    pairs = [pair for pod in top.pods.values() for pair in pod.cloud.keypairs]
    assert len(pairs) == 2
    assert len({pair.fingerprint for pair in pairs}) == 1
    assert pairs[0].fingerprint == made.json["keypair"]["fingerprint"]
    for zone in ("az1", "az2"):
        await top.boot(zone=zone, key_name="k")


async def test_the_private_key_is_told_once_and_to_nobody_else(top: Cloud) -> None:
    made = await top.call("POST", KEYPAIRS, {"keypair": {"name": "k"}})
    private = made.json["keypair"]["private_key"].encode()
    for pod in top.pods.values():
        assert all(private not in call.body for call in pod.calls)
    shown = await top.call("GET", f"{KEYPAIRS}/k")
    assert "private_key" not in shown.json["keypair"]


async def test_a_key_pair_is_deleted_from_all_pods(top: Cloud) -> None:
    await top.call("POST", KEYPAIRS, {"keypair": {"name": "a key"}})
    assert (await top.call("DELETE", f"{KEYPAIRS}/a%20key")).status == 202
    assert not [pair for pod in top.pods.values() for pair in pod.cloud.keypairs]


async def test_a_volume_type_is_used_by_the_id_that_clients_know_in_every_pod(
    top: Cloud,
) -> None:
    made = await make(top, TYPES, {"volume_type": {"name": "fast"}})
    assert made.status == 200, made.body
    ident = made.json["volume_type"]["id"]
    for zone in ("az1", "az2"):
        volume = await top.volume(zone, volume_type=ident)
        shown = await top.call("GET", f"/volume/v3/volumes/{volume['id']}")
        assert shown.json["volume"]["volume_type"] == "fast"


async def test_extra_specs_of_a_volume_type_reach_all_pods(top: Cloud) -> None:
    ident = (await make(top, TYPES, {"volume_type": {"name": "fast"}})).json["volume_type"]["id"]
    made = await make(top, f"{TYPES}/{ident}/extra_specs", {"extra_specs": {"a": "b"}})
    assert made.status == 200
    for pod in top.pods.values():
        (kind,) = (one for one in pod.cloud.volume_types if one.name == "fast")
        assert kind.extra_specs == {"a": "b"}


async def test_a_volume_type_is_deleted_from_all_pods_by_the_id_that_clients_know(
    top: Cloud,
) -> None:
    ident = (await make(top, TYPES, {"volume_type": {"name": "fast"}})).json["volume_type"]["id"]
    assert (await top.call("DELETE", f"{TYPES}/{ident}", token=top.admin)).status == 202
    for pod in top.pods.values():
        assert all(one.name != "fast" for one in pod.cloud.volume_types)


async def test_a_volume_type_is_shown_while_the_first_pod_is_down(top: Cloud) -> None:
    ident = (await make(top, TYPES, {"volume_type": {"name": "fast"}})).json["volume_type"]["id"]
    top.pods["Pod1"].down()
    shown = await top.call("GET", f"{TYPES}/{ident}")
    assert shown.status in (200, 503), "never: there is no such type"
    if shown.status == 200:
        assert shown.json["volume_type"]["id"] == ident


async def test_limits_and_usage_are_of_all_pods(top: Cloud) -> None:
    for zone in ("az1", "az2", "az2"):
        await top.boot(zone=zone)
        await top.volume(zone, size=2)
    compute = await top.call("GET", "/compute/v2.1/limits")
    absolute = compute.json["limits"]["absolute"]
    assert (absolute["totalInstancesUsed"], absolute["totalCoresUsed"]) == (3, 3)
    assert absolute["totalRAMUsed"] == 3 * 128
    volume = await top.call("GET", "/volume/v3/limits")
    absolute = volume.json["limits"]["absolute"]
    assert (absolute["totalVolumesUsed"], absolute["totalGigabytesUsed"]) == (3, 6)


async def test_limits_without_a_pod_name_it(top: Cloud) -> None:
    top.pods["Pod2"].down()
    answer = await top.call("GET", "/compute/v2.1/limits")
    assert (answer.status, answer.headers[MISSING]) == (200, "Pod2")
    top.pods["Pod1"].down()
    assert (await top.call("GET", "/compute/v2.1/limits")).status == 503


@pytest.mark.parametrize("service", ["/compute/v2.1", "/volume/v3"])
async def test_zones_are_those_of_the_top_region(top: Cloud, service: str) -> None:
    answer = await top.call("GET", f"{service}/os-availability-zone")
    zones = answer.json["availabilityZoneInfo"]
    assert sorted(zone["zoneName"] for zone in zones) == ["az1", "az2"]
    assert all(zone["zoneState"]["available"] for zone in zones)


async def test_volumes_are_summed_up(top: Cloud) -> None:
    for zone in ("az1", "az2"):
        await top.volume(zone, size=3)
    answer = await top.call("GET", "/volume/v3/volumes/summary", version="volume 3.12")
    assert answer.json["volume-summary"] == {"total_count": 2, "total_size": 6}


async def test_the_circuit_opens_and_closes_again(tmp_path: Path) -> None:
    options = ("--pods-breaker-failures", "3", "--pods-breaker-open-s", "0.05")
    async with cloud(tmp_path, options=options) as top:
        made = await top.boot(zone="az1")
        path = f"/compute/v2.1/servers/{made['id']}"
        pod = top.pods["Pod1"]
        pod.fail_next("GET", made["id"], "reset_before", times=3)
        for _ in range(3):
            assert (await top.call("GET", path)).status == 503
        asked = pod.count("GET", made["id"])
        assert (await top.call("GET", path)).status == 503
        assert pod.count("GET", made["id"]) == asked
        health = (await top.call("GET", "/healthz")).json["pods"]
        circuit = {(one["pod"], one["service"]): one["circuit"] for one in health}
        assert circuit["Pod1", "compute"] == "open"
        for _ in range(250):
            if (await top.call("GET", path)).status == 200:
                break
            await asyncio.sleep(0.02)
        health = (await top.call("GET", "/healthz")).json["pods"]
        circuit = {(one["pod"], one["service"]): one["circuit"] for one in health}
        assert circuit["Pod1", "compute"] == "closed"

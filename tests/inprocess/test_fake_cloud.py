# SPDX-License-Identifier: Apache-2.0
"""What a test sets in a pod in memory: its release, size, speed, zone, clock, ids, contents."""

import pytest

from tests.asgi import Answer, call
from trio2o.pods.fake import CIRROS, FakeIdentity, FakePod, SteppingClock

pytestmark = pytest.mark.anyio

SERVERS = "/compute/v2.1/servers"
VOLUMES = "/volume/v3/volumes"
NEWEST = {"openstack-api-version": "compute latest"}


async def ask(
    pod: FakePod,
    method: str,
    target: str,
    body: object = None,
    *,
    token: str = "",
    headers: dict[str, str] | None = None,
) -> Answer:
    sent = {"x-auth-token": token or pod.identity.token(), **(headers or {})}
    return await call(pod.app, method, target, headers=sent, body=body)


def server(**more: object) -> dict[str, object]:
    return {"server": {"name": "s", "flavorRef": "42", "imageRef": CIRROS, **more}}


async def boot(pod: FakePod, **more: object) -> str:
    answer = await ask(pod, "POST", SERVERS, server(**more))
    assert answer.status == 202, answer.body
    made: str = answer.json["server"]["id"]
    return made


async def status(pod: FakePod, server_id: str) -> str:
    answer = await ask(pod, "GET", f"{SERVERS}/{server_id}")
    found: str = answer.json["server"]["status"]
    return found


async def test_pods_can_be_of_different_releases() -> None:
    pod = FakePod("Pod1")
    pod.compute.maximum = (2, 79)
    pod.volume.maximum = (3, 60)
    document = await ask(pod, "GET", "/compute/v2.1/")
    assert document.json["version"]["version"] == "2.79"
    answer = await ask(pod, "GET", SERVERS, headers={"openstack-api-version": "compute 2.80"})
    assert answer.status == 406
    latest = await ask(pod, "GET", SERVERS, headers=NEWEST)
    assert latest.headers["openstack-api-version"] == "compute 2.79"
    assert (await ask(pod, "GET", "/volume/")).json["versions"][0]["version"] == "3.60"


async def test_servers_take_room_until_there_is_none() -> None:
    pod = FakePod("Pod1", vcpus=2)
    target = "/placement/allocation_candidates?resources=VCPU:1,MEMORY_MB:128,DISK_GB:1"
    admin = pod.identity.admin_token()
    version = {"openstack-api-version": "placement 1.39"}

    async def candidates() -> int:
        answer = await ask(pod, "GET", target, token=admin, headers=version)
        return len(answer.json["allocation_requests"])

    first = await boot(pod)
    assert await candidates() == 1
    await boot(pod)
    assert await candidates() == 0
    third = await boot(pod)
    assert await status(pod, third) == "ERROR"
    assert (await ask(pod, "DELETE", f"{SERVERS}/{first}")).status == 204
    assert await candidates() == 1
    assert await status(pod, await boot(pod)) == "ACTIVE"


async def test_volumes_take_room_until_there_is_none() -> None:
    pod = FakePod("Pod1", volume_gb=10)
    for size, wanted in ((8, "available"), (8, "error"), (2, "available")):
        made = await ask(pod, "POST", VOLUMES, {"volume": {"size": size}})
        shown = await ask(pod, "GET", f"{VOLUMES}/{made.json['volume']['id']}")
        assert shown.json["volume"]["status"] == wanted
    pools = await ask(
        pod,
        "GET",
        "/volume/v3/scheduler-stats/get_pools?detail=true",
        token=pod.identity.admin_token(),
    )
    assert pools.json["pools"][0]["capabilities"]["free_capacity_gb"] == 0


async def test_a_server_can_need_some_looks_to_become_active() -> None:
    pod = FakePod("Pod1")
    pod.behaviour.server_build_looks = 2
    made = await boot(pod)
    assert [await status(pod, made) for _ in range(4)] == ["BUILD", "BUILD", "ACTIVE", "ACTIVE"]


async def test_lists_are_looks_too() -> None:
    pod = FakePod("Pod1")
    pod.behaviour.volume_build_looks = 1
    await ask(pod, "POST", VOLUMES, {"volume": {"size": 1}})
    seen = [(await ask(pod, "GET", f"{VOLUMES}/detail")).json["volumes"][0] for _ in range(3)]
    assert [volume["status"] for volume in seen] == ["creating", "creating", "available"]


async def test_deleting_can_take_some_looks() -> None:
    pod = FakePod("Pod1")
    pod.behaviour.server_delete_looks = 1
    made = await boot(pod)
    assert (await ask(pod, "DELETE", f"{SERVERS}/{made}")).status == 204
    assert await status(pod, made) == "ACTIVE"
    assert (await ask(pod, "GET", f"{SERVERS}/{made}")).status == 404


async def test_builds_can_be_made_to_fail() -> None:
    pod = FakePod("Pod1")
    pod.behaviour.server_build_error = "Build of instance aborted"
    made = await boot(pod)
    shown = await ask(pod, "GET", f"{SERVERS}/{made}")
    assert shown.json["server"]["fault"]["message"] == "Build of instance aborted"


async def test_build_requests_come_first_whatever_the_order() -> None:
    pod = FakePod("Pod1", now=SteppingClock())
    pod.add_server(pod.identity.project_id("demo"), "a")
    pod.behaviour.server_build_looks = 9
    for name in ("z", "y"):
        await boot(pod, name=name)
    answer = await ask(pod, "GET", f"{SERVERS}?sort_key=display_name&sort_dir=asc")
    assert [one["name"] for one in answer.json["servers"]] == ["y", "z", "a"]


async def test_a_pod_calls_its_zone_as_it_is_told() -> None:
    pod = FakePod("Pod1", zone="left", volume_zone="right")
    assert (await ask(pod, "POST", SERVERS, server(availability_zone="nova"))).status == 400
    made = await boot(pod, availability_zone="left")
    shown = await ask(pod, "GET", f"{SERVERS}/{made}", headers=NEWEST)
    assert shown.json["server"]["OS-EXT-AZ:availability_zone"] == "left"
    assert shown.json["server"]["pinned_availability_zone"] == "left"
    zones = await ask(pod, "GET", "/volume/v3/os-availability-zone")
    assert zones.json["availabilityZoneInfo"][0]["zoneName"] == "right"


async def test_a_seed_and_a_clock_make_two_pods_the_same() -> None:
    pods = [FakePod("Pod1", seed=1, now=SteppingClock()) for _ in range(2)]
    made = [await boot(pod) for pod in pods]
    assert made[0] == made[1]
    shown = [(await ask(pod, "GET", f"{SERVERS}/{made[0]}")).body for pod in pods]
    assert shown[0] == shown[1]


async def test_a_stepping_clock_makes_all_times_differ() -> None:
    pod = FakePod("Pod1", now=SteppingClock(step_s=2))
    servers = pod.add_servers(pod.identity.project_id("demo"), 3)
    assert len({one.created for one in servers}) == 3
    answer = await ask(pod, "GET", SERVERS)
    assert [one["name"] for one in answer.json["servers"]] == ["server-2", "server-1", "server-0"]


async def test_quotas_can_be_set() -> None:
    pod = FakePod("Pod1")
    pod.set_quota(instances=1, volumes=1)
    await boot(pod)
    refused = await ask(pod, "POST", SERVERS, server())
    assert refused.status == 403
    assert refused.json["forbidden"]["message"] == (
        "Quota exceeded for instances: Requested 1, but already used 1 of 1 instances"
    )
    for wanted in (202, 413):
        made = await ask(pod, "POST", VOLUMES, {"volume": {"size": 1}})
        assert made.status == wanted


async def test_ten_thousand_servers_are_listed_page_by_page() -> None:
    pod = FakePod("Pod1")
    pod.add_servers(pod.identity.project_id("demo"), 10_000)
    token = pod.identity.token()
    seen: set[str] = set()
    target = f"{SERVERS}/detail?limit=500"
    while target:
        page = (await ask(pod, "GET", target, token=token)).json
        seen |= {one["id"] for one in page["servers"]}
        links = page.get("servers_links", [])
        target = links[0]["href"].removeprefix("http://pod1.example") if links else ""
    assert len(seen) == 10_000


async def test_servers_of_a_network_show_their_addresses() -> None:
    pod = FakePod("Pod1")
    network = pod.add_network(pod.identity.project_id("demo"), "blue")
    made = await boot(pod, networks=[{"uuid": network.id}])
    shown = (await ask(pod, "GET", f"{SERVERS}/{made}")).json["server"]
    assert [ip["OS-EXT-IPS:type"] for ip in shown["addresses"]["blue"]] == ["fixed"]
    ports = (await ask(pod, "GET", f"/network/v2.0/ports?device_id={made}")).json["ports"]
    assert [port["mac_address"] for port in ports] == [
        shown["addresses"]["blue"][0]["OS-EXT-IPS-MAC:mac_addr"]
    ]


async def test_pods_share_one_identity() -> None:
    identity = FakeIdentity()
    pods = [FakePod(name, identity=identity) for name in ("Pod1", "Pod2")]
    token = identity.token("demo", "demo")
    for pod in pods:
        assert (await ask(pod, "GET", SERVERS, token=token)).status == 200
    identity.revoke(token)
    for pod in pods:
        assert (await ask(pod, "GET", SERVERS, token=token)).status == 401


async def test_another_projects_server_is_not_found() -> None:
    pod = FakePod("Pod1")
    made = await boot(pod)
    other = pod.identity.token("eve", "evil")
    assert (await ask(pod, "GET", f"{SERVERS}/{made}", token=other)).status == 404
    admin = pod.identity.admin_token()
    assert (await ask(pod, "GET", f"{SERVERS}/{made}", token=admin)).status == 200
    every = await ask(pod, "GET", f"{SERVERS}?all_tenants=1", token=admin)
    assert [one["id"] for one in every.json["servers"]] == [made]

# SPDX-License-Identifier: Apache-2.0
"""Servers made, found, changed and deleted through the gateway."""

import asyncio
from pathlib import Path

from tests.inprocess.cloud import HOST, cloud

SERVERS = "/compute/v2.1/servers"
NOWHERE = "11111111-1111-4111-8111-111111111111"


def test_a_server_lands_in_the_pod_of_its_zone(tmp_path: Path) -> None:
    async def story() -> None:
        async with cloud(tmp_path) as top:
            for zone, pod in (("az1", "Pod1"), ("az2", "Pod2")):
                made = await top.boot(f"in-{zone}", zone)
                assert await top.pod_of(made["id"]) == pod
                shown = await top.call("GET", f"{SERVERS}/{made['id']}")
                assert shown.status == 200
                assert shown.json["server"]["OS-EXT-AZ:availability_zone"] == zone
                assert shown.json["server"]["metadata"] == {}

    asyncio.run(story())


def test_links_lead_to_the_gateway(tmp_path: Path) -> None:
    async def story() -> None:
        async with cloud(tmp_path) as top:
            made = await top.boot()
            shown = await top.call("GET", f"{SERVERS}/{made['id']}")
            assert b"example:80" not in shown.body
            hrefs = {link["rel"]: link["href"] for link in shown.json["server"]["links"]}
            assert hrefs["self"] == f"http://{HOST}/compute/v2.1/servers/{made['id']}"
            listed = await top.call("GET", f"{SERVERS}?limit=1")
            link = listed.json["servers_links"][0]["href"]
            assert link == f"http://{HOST}/compute/v2.1/servers?limit=1&marker={made['id']}"

    asyncio.run(story())


def test_one_list_shows_the_servers_of_all_pods(tmp_path: Path) -> None:
    async def story() -> None:
        async with cloud(tmp_path) as top:
            made = [await top.boot(f"s{n}", f"az{n % 2 + 1}") for n in range(6)]
            listed = await top.call("GET", f"{SERVERS}/detail")
            assert {one["id"] for one in listed.json["servers"]} == {one["id"] for one in made}
            brief = await top.call("GET", SERVERS)
            assert all(set(one) == {"id", "name", "links"} for one in brief.json["servers"])

    asyncio.run(story())


def test_actions_updates_and_delete_go_to_the_pod(tmp_path: Path) -> None:
    async def story() -> None:
        async with cloud(tmp_path) as top:
            server = f"{SERVERS}/{(await top.boot('x', 'az2'))['id']}"
            stopped = await top.call("POST", f"{server}/action", {"os-stop": None})
            assert stopped.status == 202
            renamed = await top.call("PUT", server, {"server": {"name": "y"}})
            assert renamed.json["server"]["name"] == "y"
            made = await top.call("POST", f"{server}/metadata", {"metadata": {"a": "b"}})
            assert made.json == {"metadata": {"a": "b"}}
            assert (await top.call("DELETE", server)).status == 204
            gone = await top.call("GET", server)
            assert gone.status == 404
            assert gone.json["itemNotFound"]["code"] == 404

    asyncio.run(story())


def test_a_server_that_was_there_before_is_found_and_remembered(tmp_path: Path) -> None:
    async def story() -> None:
        async with cloud(tmp_path) as top:
            old = top.pods["Pod2"].add_server(top.project, "old")
            shown = await top.call("GET", f"{SERVERS}/{old.id}")
            assert shown.status == 200
            assert await top.pod_of(old.id) == "Pod2"
            asked = top.pods["Pod1"].count("GET", old.id)
            await top.call("GET", f"{SERVERS}/{old.id}")
            assert top.pods["Pod1"].count("GET", old.id) == asked

    asyncio.run(story())


def test_a_name_in_the_place_of_an_id_asks_no_pod(tmp_path: Path) -> None:
    async def story() -> None:
        async with cloud(tmp_path) as top:
            for pod in top.pods.values():
                pod.forget_requests()
            found = await top.call("GET", f"{SERVERS}/my-server")
            assert found.status == 404
            message = "Instance my-server could not be found."
            assert found.json == {"itemNotFound": {"code": 404, "message": message}}
            assert sum(pod.count("GET", "my-server") for pod in top.pods.values()) == 0

    asyncio.run(story())


def test_an_id_that_no_pod_has_is_not_found(tmp_path: Path) -> None:
    async def story() -> None:
        async with cloud(tmp_path) as top:
            assert (await top.call("GET", f"{SERVERS}/{NOWHERE}")).status == 404
            top.pods["Pod2"].down()
            later = "22222222-2222-4222-8222-222222222222"
            unsure = await top.call("GET", f"{SERVERS}/{later}")
            assert unsure.status == 503
            assert "Pod2" in unsure.json["serviceUnavailable"]["message"]

    asyncio.run(story())


def test_another_projects_server_is_not_found(tmp_path: Path) -> None:
    async def story() -> None:
        async with cloud(tmp_path) as top:
            made = await top.boot()
            stranger = top.identity.token("eve", "other")
            for method in ("GET", "DELETE"):
                answer = await top.call(method, f"{SERVERS}/{made['id']}", token=stranger)
                assert answer.status == 404
            assert (await top.call("GET", f"{SERVERS}/{made['id']}")).status == 200

    asyncio.run(story())


def test_the_url_names_the_tokens_project_or_none(tmp_path: Path) -> None:
    async def story() -> None:
        async with cloud(tmp_path) as top:
            own = f"/compute/v2.1/{top.project}/servers"
            assert (await top.call("GET", own)).status == 200
            other = top.identity.project_id("other")
            refused = await top.call("GET", f"/compute/v2.1/{other}/servers")
            assert refused.status == 400
            assert "doesn't match Context's" in refused.json["badRequest"]["message"]

    asyncio.run(story())


def test_microversions_are_those_of_all_pods(tmp_path: Path) -> None:
    async def story() -> None:
        async with cloud(tmp_path) as top:
            document = await top.call("GET", "/compute/v2.1/", token="")
            highest = document.json["version"]["version"]
            latest = await top.call("GET", SERVERS, version="compute latest")
            assert latest.headers["openstack-api-version"] == f"compute {highest}"
            refused = await top.call("GET", SERVERS, version="compute 2.999")
            assert refused.status == 406
            assert "Version 2.999 is not supported" in refused.json["computeFault"]["message"]

    asyncio.run(story())

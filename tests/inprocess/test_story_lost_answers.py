# SPDX-License-Identifier: Apache-2.0
"""Creates whose answer is lost on the way: nothing is made twice, nothing is left alone."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.inprocess.cloud import IMAGE, Cloud, cloud
from trio2o.model import IntentState

pytestmark = pytest.mark.anyio
SERVERS = "/compute/v2.1/servers"
VOLUMES = "/volume/v3/volumes"
IMAGES = "/image/v2/images"
NEW_SERVER = {"server": {"name": "x", "flavorRef": "42", "imageRef": IMAGE}}
QUICK = ("--pods-deadline-s", "0.5", "--pods-list-deadline-s", "0.5")


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def top(tmp_path: Path) -> AsyncIterator[Cloud]:
    """Two pods of one zone; the project is at home in Pod1."""
    async with cloud(tmp_path, {"Pod1": "az1", "Pod2": "az1"}, options=QUICK) as one:
        await one.boot("first")
        one.forget_requests()
        yield one


def names(top: Cloud, pod: str) -> list[str]:
    return [server.name for server in top.pods[pod].cloud.servers]


async def states(top: Cloud) -> list[IntentState]:
    return [intent.state for intent in await top.intents()][1:]


async def test_a_pod_that_refuses_connections_is_left_for_the_next(top: Cloud) -> None:
    home = (await top.bindings())[0]["pod_name"]
    other = {"Pod1": "Pod2", "Pod2": "Pod1"}[home]
    await top.boot()
    asked = top.pods[home].count()
    top.pods[home].break_after(asked - 1)
    made = await top.boot("x")
    assert await top.pod_of(made["id"]) == other
    why = (await top.explain(made["id"]))["explanation"]
    assert why["chosen"] == other
    assert why["failures"][0].startswith(f"{home}: ")
    assert (await states(top))[1:] == [IntentState.REFUSED, IntentState.CONFIRMED]


async def test_a_first_server_binds_to_the_pod_that_took_it(tmp_path: Path) -> None:
    async with cloud(tmp_path, {"Pod1": "az1", "Pod2": "az1"}) as top:
        top.pods["Pod1"].down()
        made = await top.boot()
        assert await top.pod_of(made["id"]) == "Pod2"
        top.pods["Pod1"].up()
        assert [one["pod_name"] for one in await top.bindings()] == ["Pod2"]


async def test_all_pods_refusing_connections_is_a_503_and_nothing_is_made(top: Cloud) -> None:
    for pod in top.pods.values():
        pod.down()
    answer = await top.call("POST", SERVERS, NEW_SERVER)
    assert answer.status == 503
    assert answer.json["serviceUnavailable"]["code"] == 503
    assert set(await states(top)) == {IntentState.REFUSED}


@pytest.mark.parametrize("how", ["reset_after", "hang_after"])
async def test_an_answer_that_is_lost_never_makes_a_second_server(top: Cloud, how: str) -> None:
    for pod in top.pods.values():
        pod.fail_next("POST", "/servers$", how)
    answer = await top.call("POST", SERVERS, NEW_SERVER)
    assert answer.status == 503
    assert sum(top.counts("POST", "/servers$").values()) == 1
    assert (names(top, "Pod1") + names(top, "Pod2")).count("x") == 1
    assert await states(top) == [IntentState.ASKED]


@pytest.mark.parametrize("how", ["reset_after", "hang_after"])
async def test_the_worker_adopts_the_server_whose_answer_was_lost(top: Cloud, how: str) -> None:
    for pod in top.pods.values():
        pod.fail_next("POST", "/servers$", how)
    await top.call("POST", SERVERS, NEW_SERVER)
    await top.work()
    assert await states(top) == [IntentState.ADOPTED]
    listed = (await top.call("GET", f"{SERVERS}/detail?name=x")).json["servers"]
    assert len(listed) == 1
    routing = await top.routing(listed[0]["id"])
    assert routing["project_id"] == top.project
    assert [i.resource_ids for i in await top.intents()][1] == (listed[0]["id"],)
    assert (await top.call("DELETE", f"{SERVERS}/{listed[0]['id']}")).status == 204


@pytest.mark.parametrize("how", ["reset_before", "hang_before"])
async def test_where_nothing_was_made_the_worker_says_so(top: Cloud, how: str) -> None:
    for pod in top.pods.values():
        pod.fail_next("POST", "/servers$", how)
    answer = await top.call("POST", SERVERS, NEW_SERVER)
    assert answer.status == 503
    await top.work()
    assert await states(top) == [IntentState.NOTHING]


async def test_a_service_that_failed_after_it_made_the_server_is_looked_into(top: Cloud) -> None:
    for pod in top.pods.values():
        pod.fail_next("POST", "/servers$", 500)
    assert (await top.call("POST", SERVERS, NEW_SERVER)).status == 500
    assert await states(top) == [IntentState.ASKED]
    await top.work()
    assert await states(top) == [IntentState.NOTHING]


async def test_a_refusal_of_the_pod_ends_the_intent(top: Cloud) -> None:
    body = {"server": {**NEW_SERVER["server"], "key_name": "none"}}
    answer = await top.call("POST", SERVERS, body)
    assert answer.json["badRequest"]["message"] == "Invalid key_name provided."
    assert await states(top) == [IntentState.REFUSED]


async def test_a_pod_that_is_down_is_looked_into_when_it_is_back(top: Cloud) -> None:
    for pod in top.pods.values():
        pod.fail_next("POST", "/servers$", "reset_after")
    await top.call("POST", SERVERS, NEW_SERVER)
    for pod in top.pods.values():
        pod.down()
    await top.work()
    intent = (await top.intents())[1]
    assert (intent.state, intent.attempts) == (IntentState.ASKED, 0)
    for pod in top.pods.values():
        pod.up()
    await top.work()
    assert await states(top) == [IntentState.ADOPTED]


async def test_a_pod_that_errs_is_looked_into_again(top: Cloud) -> None:
    for pod in top.pods.values():
        pod.fail_next("POST", "/servers$", "reset_after")
    await top.call("POST", SERVERS, NEW_SERVER)
    for pod in top.pods.values():
        pod.fail_next("GET", "/servers/detail", 500)
    await top.work()
    assert await states(top) == [IntentState.ASKED]
    await top.work()
    assert await states(top) == [IntentState.ADOPTED]


async def test_several_servers_of_one_request_are_all_adopted(top: Cloud) -> None:
    for pod in top.pods.values():
        pod.fail_next("POST", "/servers$", "reset_after")
    body = {"server": {**NEW_SERVER["server"], "min_count": 3}}
    assert (await top.call("POST", SERVERS, body)).status == 503
    await top.work()
    adopted = (await top.intents())[1].resource_ids
    assert len(set(adopted)) == 3
    for one in adopted:
        assert (await top.routing(one))["kind"] == "server"


async def test_several_servers_of_one_request_are_all_found(top: Cloud) -> None:
    made = await top.boot("many", min_count=3)
    listed = (await top.call("GET", f"{SERVERS}?name=many")).json["servers"]
    assert len(listed) == 3
    assert made["id"] in {one["id"] for one in listed}
    for one in listed:
        assert (await top.call("DELETE", f"{SERVERS}/{one['id']}")).status == 204


async def test_a_reservation_that_names_no_server_is_confirmed_by_the_worker(top: Cloud) -> None:
    body = {"server": {**NEW_SERVER["server"], "min_count": 2, "return_reservation_id": True}}
    answer = await top.call("POST", SERVERS, body)
    assert set(answer.json) == {"reservation_id"}
    listed = (await top.call("GET", f"{SERVERS}?name=x")).json["servers"]
    assert len(listed) == 2
    await top.work()
    for one in listed:
        assert (await top.routing(one["id"]))["project_id"] == top.project


async def test_a_volume_whose_answer_is_lost_is_adopted_once(top: Cloud) -> None:
    for pod in top.pods.values():
        pod.fail_next("POST", "/volumes$", "reset_after")
    answer = await top.call("POST", VOLUMES, {"volume": {"size": 1, "name": "v"}})
    assert answer.status == 503
    assert sum(top.counts("POST", "/volumes$").values()) == 1
    await top.work()
    assert await states(top) == [IntentState.ADOPTED]
    listed = (await top.call("GET", f"{VOLUMES}?name=v")).json["volumes"]
    assert len(listed) == 1
    assert (await top.routing(listed[0]["id"]))["project_id"] == top.project


async def test_an_image_whose_answer_is_lost_is_adopted_by_its_id(top: Cloud) -> None:
    for pod in top.pods.values():
        pod.fail_next("POST", "/images$", "reset_after")
    assert (await top.call("POST", IMAGES, {"name": "i"})).status == 503
    await top.work()
    assert await states(top) == [IntentState.ADOPTED]
    listed = (await top.call("GET", f"{IMAGES}?name=i")).json["images"]
    assert [one["id"] for one in listed] == [(await top.intents())[1].id]


async def test_an_image_with_an_id_of_its_own_is_adopted_by_that(top: Cloud) -> None:
    chosen = "12345678-1234-4234-8234-123456789012"
    for pod in top.pods.values():
        pod.fail_next("POST", "/images$", "reset_after")
    assert (await top.call("POST", IMAGES, {"name": "i", "id": chosen})).status == 503
    await top.work()
    assert await states(top) == [IntentState.ADOPTED]
    assert (await top.routing(chosen))["kind"] == "image"


async def test_an_image_that_was_chosen_an_id_is_made_with_it(top: Cloud) -> None:
    chosen = "12345678-1234-4234-8234-123456789012"
    answer = await top.call("POST", IMAGES, {"name": "i", "id": chosen})
    assert (answer.status, answer.json["id"]) == (201, chosen)
    again = await top.call("POST", IMAGES, {"name": "j", "id": chosen})
    assert again.status == 409
    assert len((await top.call("GET", f"{IMAGES}?id={chosen}")).json["images"]) == 1


async def test_an_id_that_an_image_has_is_refused_wherever_the_new_one_would_go(
    top: Cloud,
) -> None:
    chosen = "12345678-1234-4234-8234-123456789012"
    top.pods["Pod2"].add_image("there", image_id=chosen)
    answer = await top.call("POST", IMAGES, {"name": "i", "id": chosen})
    assert answer.status == 409
    assert top.pods["Pod1"].count("POST", "/images$") == 0


async def test_a_server_group_whose_answer_is_lost_is_found_when_it_is_named(top: Cloud) -> None:
    for pod in top.pods.values():
        pod.fail_next("POST", "/os-server-groups$", "reset_after")
    body = {"server_group": {"name": "g", "policies": ["affinity"]}}
    assert (await top.call("POST", "/compute/v2.1/os-server-groups", body)).status == 503
    await top.work()
    listed = (await top.call("GET", "/compute/v2.1/os-server-groups")).json["server_groups"]
    assert [one["name"] for one in listed] == ["g"]
    shown = await top.call("GET", f"/compute/v2.1/os-server-groups/{listed[0]['id']}")
    assert shown.status == 200

# SPDX-License-Identifier: Apache-2.0
"""The mark of the intent on servers and volumes is never seen; the user's own metadata is."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.inprocess.cloud import IMAGE, Cloud, cloud
from trio2o.rewrite import MARKER

pytestmark = pytest.mark.anyio
SERVERS = "/compute/v2.1/servers"
VOLUMES = "/volume/v3/volumes"
OWN = {"a": "b", "trio2o": "mine", "links": "http://pod1.example/x"}


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def top(tmp_path: Path) -> AsyncIterator[Cloud]:
    async with cloud(tmp_path) as one:
        yield one


@pytest.fixture(params=["servers", "volumes"])
async def thing(request: pytest.FixtureRequest, top: Cloud) -> str:
    """The path of a server or a volume with metadata."""
    if request.param == "servers":
        return f"{SERVERS}/{(await top.boot(metadata=OWN))['id']}"
    return f"{VOLUMES}/{(await top.volume(metadata=OWN))['id']}"


async def body(top: Cloud, method: str, path: str, sent: Any = None) -> Any:
    """The body of a good answer, in which there is no marker."""
    answer = await top.call(method, path, sent)
    assert answer.status < 300, answer.body
    assert MARKER.encode() not in answer.body
    assert b"intent" not in answer.body
    return answer.json


async def test_the_marker_is_in_the_pod(top: Cloud) -> None:
    made = await top.boot(zone="az1", metadata=OWN)
    intent = (await top.intents())[0]
    assert top.pods["Pod1"].cloud.servers.find(made["id"]).metadata == {**OWN, MARKER: intent.id}
    made = await top.volume(zone="az1", metadata=OWN)
    intent = (await top.intents())[1]
    assert top.pods["Pod1"].cloud.volumes.find(made["id"]).metadata == {**OWN, MARKER: intent.id}


async def test_what_is_made_does_not_show_it(top: Cloud) -> None:
    server = {"name": "x", "flavorRef": "42", "imageRef": IMAGE, "metadata": OWN}
    await body(top, "POST", SERVERS, {"server": server})
    made = await body(top, "POST", VOLUMES, {"volume": {"size": 1, "metadata": OWN}})
    assert made["volume"]["metadata"] == OWN


async def test_shows_and_lists_do_not_show_it(top: Cloud, thing: str) -> None:
    (shown,) = (await body(top, "GET", thing)).values()
    assert shown["metadata"] == OWN
    collection = thing.rpartition("/")[0]
    (listed,) = next(iter((await body(top, "GET", f"{collection}/detail")).values()))
    assert listed["metadata"] == OWN
    await body(top, "GET", collection)


async def test_metadata_by_itself_does_not_show_it(top: Cloud, thing: str) -> None:
    assert await body(top, "GET", f"{thing}/metadata") == {"metadata": OWN}
    assert await body(top, "GET", f"{thing}/metadata/a") == {"meta": {"a": "b"}}


async def test_what_a_change_of_metadata_echoes_does_not_show_it(top: Cloud, thing: str) -> None:
    more = await body(top, "POST", f"{thing}/metadata", {"metadata": {"c": "d"}})
    assert more == {"metadata": {**OWN, "c": "d"}}
    await body(top, "PUT", f"{thing}/metadata/c", {"meta": {"c": "e"}})
    new = await body(top, "PUT", f"{thing}/metadata", {"metadata": {"only": "this"}})
    assert new == {"metadata": {"only": "this"}}
    assert await body(top, "GET", f"{thing}/metadata") == {"metadata": {"only": "this"}}


async def test_the_markers_own_key_is_not_there(top: Cloud, thing: str) -> None:
    answer = await top.call("GET", f"{thing}/metadata/{MARKER}")
    assert answer.status == 404
    absent = await top.call("GET", f"{thing}/metadata/absent")
    told = {"itemNotFound": answer.json["itemNotFound"]["message"].replace(MARKER, "absent")}
    assert told == {"itemNotFound": absent.json["itemNotFound"]["message"]}


async def test_an_update_does_not_show_it(top: Cloud, thing: str) -> None:
    kind = thing.split("/")[-2].removesuffix("s")
    changed = await body(top, "PUT", thing, {kind: {"name": "y"}})
    assert changed[kind]["metadata"] == OWN


async def test_a_rebuild_does_not_show_it(top: Cloud) -> None:
    made = await top.boot(metadata=OWN)
    again = {"rebuild": {"imageRef": IMAGE}}
    await body(top, "POST", f"{SERVERS}/{made['id']}/action", again)


async def test_a_refusal_that_repeats_the_request_does_not_show_it(top: Cloud) -> None:
    for metadata in ({}, {"metadata": {}}, {"metadata": OWN}):
        asked = {"name": "x", "flavorRef": "42", **metadata}
        answer = await top.call("POST", SERVERS, {"server": asked}, version="compute 2.67")
        assert answer.status == 400
        assert f"Value: {asked}." in answer.json["badRequest"]["message"]


async def test_a_boot_without_a_place_for_it_is_refused_by_the_pod(top: Cloud) -> None:
    answer = await top.call(
        "POST",
        SERVERS,
        {"server": {"name": "x", "flavorRef": "42", "imageRef": IMAGE, "metadata": "text"}},
    )
    assert answer.status == 400
    assert "intent" not in answer.json["badRequest"]["message"]

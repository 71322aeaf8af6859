# SPDX-License-Identifier: Apache-2.0
"""What clients get wrong, or try on: refused in the services' own words, and never a 500."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.asgi import call
from tests.inprocess.cloud import HOST, IMAGE, Cloud, cloud

pytestmark = pytest.mark.anyio
SERVERS = "/compute/v2.1/servers"
VOLUMES = "/volume/v3/volumes"
IMAGES = "/image/v2/images"
JSON = {"content-type": "application/json"}


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def top(tmp_path: Path) -> AsyncIterator[Cloud]:
    async with cloud(tmp_path) as one:
        yield one


@pytest.mark.parametrize("path", [SERVERS, VOLUMES, IMAGES, "/compute/v2.1/flavors"])
@pytest.mark.parametrize("body", [b"{", b"nonsense", b"\xff\xfe", b'{"a": NaN}', b"[" * 5000])
async def test_what_is_no_json_is_refused(top: Cloud, path: str, body: bytes) -> None:
    answer = await top.call("POST", path, body, headers=JSON)
    assert answer.status == 400
    assert b"Malformed" in answer.body


@pytest.mark.parametrize("path", [SERVERS, VOLUMES, IMAGES])
@pytest.mark.parametrize("body", [[], [1], "text", 1, None, True, {}])
async def test_what_is_no_object_is_refused(top: Cloud, path: str, body: Any) -> None:
    sent = json.dumps(body).encode()
    answer = await top.call("POST", path, sent, headers=JSON)
    if path == IMAGES and body == {}:
        assert answer.status == 201
    elif path == VOLUMES and body is None:
        assert answer.status == top.pods["Pod1"].count("POST") * 500, "Cinder's own accident"
    else:
        assert answer.status == 400, answer.body


@pytest.mark.parametrize("body", [{"server": []}, {"server": "x"}, {"server": None}, {"x": {}}])
async def test_a_server_that_is_none_is_refused(top: Cloud, body: Any) -> None:
    assert (await top.call("POST", SERVERS, body)).status == 400


@pytest.mark.parametrize(
    "server",
    [
        {"imageRef": 7},
        {"imageRef": ["a"]},
        {"flavorRef": {"id": "42"}},
        {"flavorRef": ["42"]},
        {"networks": "all of them"},
        {"networks": [None, 7, {"uuid": 3}]},
        {"block_device_mapping_v2": {"uuid": "x"}},
        {"block_device_mapping_v2": [None, "x"]},
        {"availability_zone": 7},
        {"availability_zone": ["az1"]},
        {"min_count": "many"},
        {"min_count": -1},
        {"min_count": 10**30},
        {"metadata": []},
        {"name": 7},
    ],
)
async def test_a_field_of_another_type_is_refused(top: Cloud, server: Any) -> None:
    good = {"name": "x", "flavorRef": "42", "imageRef": IMAGE}
    answer = await top.call("POST", SERVERS, {"server": {**good, **server}})
    assert answer.status == 400, answer.body


@pytest.mark.parametrize(
    "volume",
    [
        {"availability_zone": 7},
        {"availability_zone": {"a": "b"}},
        {"volume_type": ["lab"]},
        {"volume_type": {"id": 1}},
        {"snapshot_id": 7},
        {"snapshot_id": []},
        {"metadata": "x"},
        {"size": "big"},
        {"size": {}},
    ],
)
async def test_a_volumes_field_of_another_type_is_no_accident(top: Cloud, volume: Any) -> None:
    answer = await top.call("POST", VOLUMES, {"volume": {"size": 1, **volume}})
    assert answer.status < 500, answer.body


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/compute/v2.1/nothing", 404),
        ("GET", "/compute/v9/servers", 404),
        ("GET", "/volume/v3/nothing/at/all", 404),
        ("GET", "/image/v2/nothing", 404),
        ("GET", "/nothing", 404),
        ("PATCH", SERVERS, 404),
        ("PUT", VOLUMES, 404),
        ("PUT", IMAGES, 405),
        ("BREW", SERVERS, 404),
        ("OPTIONS", SERVERS, 404),
        ("GET", SERVERS + "/", 404),
        ("GET", "/compute/v2.1//servers", 404),
        ("GET", SERVERS + "/../flavors", 404),
        ("GET", SERVERS + "/%2e%2e/flavors", 404),
        ("GET", SERVERS + "/%2e%2e", 404),
        ("GET", SERVERS + "/..%2fflavors", 404),
        ("GET", SERVERS + "/%00", 404),
        ("GET", SERVERS + "/%ff%fe", 404),
        ("GET", SERVERS + "/%zz", 404),
        ("GET", SERVERS + "/%", 404),
        ("GET", SERVERS + "/%0d%0aX-Evil:%201", 404),
        ("GET", "/compute/v2.1/flavors/%0d%0aX-Evil:%201", 404),
        ("GET", "/compute/v2.1/os-keypairs/..%2f..%2fservers", 404),
    ],
)
async def test_what_is_not_there_is_not_there(
    top: Cloud, method: str, path: str, status: int
) -> None:
    answer = await top.call(method, path)
    assert answer.status == status, answer.body
    assert "x-evil" not in answer.headers


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"dance": None}, "There is no such action: dance"),
        ({"os-stop": None, "os-start": None}, "Malformed request body"),
        ({}, "Malformed request body"),
        ([], "Malformed request body"),
        (None, "Malformed request body"),
    ],
)
async def test_an_action_that_is_none_is_refused(top: Cloud, body: Any, message: str) -> None:
    made = await top.boot()
    answer = await top.call("POST", f"{SERVERS}/{made['id']}/action", body)
    assert (answer.status, answer.json["badRequest"]["message"]) == (400, message)


async def test_an_action_of_a_server_that_is_nowhere_is_not_found(top: Cloud) -> None:
    nowhere = "11111111-1111-4111-8111-111111111111"
    answer = await top.call("POST", f"{SERVERS}/{nowhere}/action", {"os-stop": None})
    assert answer.status == 404


@pytest.mark.parametrize("path", [SERVERS, VOLUMES, IMAGES, "/v1.0/pods"])
@pytest.mark.parametrize("token", ["", "nonsense", "\xe9\xff", "x" * 100_000])
async def test_a_token_that_is_none_is_refused(top: Cloud, path: str, token: str) -> None:
    headers = {"x-auth-token": token}
    answer = await call(top.app, "GET", path, headers=_latin(headers), host=HOST)
    assert answer.status == 401
    assert answer.json["error"]["code"] == 401


def _latin(headers: dict[str, str]) -> dict[str, str]:
    return {name: value.encode().decode("latin-1") for name, value in headers.items()}


async def test_a_token_that_expires_is_refused_from_then_on(top: Cloud) -> None:
    assert (await top.call("GET", SERVERS)).status == 200
    top.identity.expire(top.user)
    assert (await top.call("GET", SERVERS)).status == 401


@pytest.mark.parametrize("path", [SERVERS, VOLUMES, IMAGES, "/v1.0/pods"])
async def test_without_keystone_it_is_503_and_not_401(top: Cloud, path: str) -> None:
    top.identity.down()
    assert (await top.call("GET", path)).status == 503
    top.identity.up()
    assert (await top.call("GET", path, token=top.admin)).status == 200


async def test_a_body_that_is_too_large_is_refused_before_it_is_taken(top: Cloud) -> None:
    taken = 0

    async def flood() -> AsyncIterator[bytes]:
        nonlocal taken
        for _ in range(200):
            taken += 1024 * 1024
            yield bytes(1024 * 1024)

    answer = await top.call("POST", SERVERS, flood(), headers=JSON)
    assert answer.status == 413
    assert taken <= 3 * 1024 * 1024
    assert "overLimit" in answer.json


async def test_a_body_that_says_it_is_too_large_is_not_taken_at_all(top: Cloud) -> None:
    taken = 0

    async def flood() -> AsyncIterator[bytes]:
        nonlocal taken
        taken += 1
        yield b"x"

    length = {"content-length": str(200 * 1024 * 1024)}
    for path in (SERVERS, VOLUMES, IMAGES, f"{SERVERS}/x/action"):
        answer = await top.call("POST", path, flood(), headers={**JSON, **length})
        assert answer.status == 413, path
    assert taken == 0


async def test_bodies_of_all_sizes_below_the_limit_pass(top: Cloud) -> None:
    data = "A" * 60_000
    body = {"server": {"name": "x", "flavorRef": "42", "imageRef": IMAGE, "user_data": data}}
    assert (await top.call("POST", SERVERS, body)).status in (202, 400)


async def test_huge_headers_are_no_accident(top: Cloud) -> None:
    headers = {"x-long": "y" * 500_000, **{f"x-{n}": "z" for n in range(2000)}}
    assert (await top.call("GET", SERVERS, headers=headers)).status == 200


@pytest.mark.parametrize(
    ("service", "path", "given", "status"),
    [
        ("compute", SERVERS, "compute nonsense", 400),
        ("compute", SERVERS, "compute 2", 400),
        ("compute", SERVERS, "compute 2.1.1", 400),
        ("compute", SERVERS, "compute 2.01", 400),
        ("compute", SERVERS, "compute 1.1", 406),
        ("compute", SERVERS, "compute 3.0", 406),
        ("compute", SERVERS, "compute 2.99999", 406),
        ("compute", SERVERS, "volume 3.50", 200),
        ("compute", SERVERS, "compute latest", 200),
        ("volume", VOLUMES, "volume nonsense", 400),
        ("volume", VOLUMES, "volume 4.0", 406),
        ("volume", VOLUMES, "volume 3.9999", 406),
        ("volume", VOLUMES, "volume latest", 200),
        ("volume", VOLUMES, "compute 2.1", 400),
    ],
)
async def test_microversions(top: Cloud, service: str, path: str, given: str, status: int) -> None:
    answer = await top.call("GET", path, version=given)
    assert answer.status == status, answer.body
    assert (answer.headers.get("openstack-api-version") or service).startswith(service)


async def test_an_old_header_names_novas_version_too(top: Cloud) -> None:
    headers = {"x-openstack-nova-api-version": "2.26"}
    answer = await top.call("GET", SERVERS, headers=headers)
    assert answer.headers["x-openstack-nova-api-version"] == "2.26"


@pytest.mark.parametrize(
    ("path", "status"),
    [("/compute/v2.1/{other}/servers", 400), ("/volume/v3/{other}/volumes", 400)],
)
async def test_the_urls_project_is_the_tokens(top: Cloud, path: str, status: int) -> None:
    mine = await top.call("GET", path.replace("{other}", top.project))
    assert mine.status == 200
    other = top.identity.project_id("other")
    assert (await top.call("GET", path.replace("{other}", other))).status == status
    admin = await top.call("GET", path.replace("{other}", other), token=top.admin)
    assert admin.status == status


async def test_access_rules_of_an_application_credential_are_kept(top: Cloud) -> None:
    rules = [{"service": "compute", "method": "GET", "path": "/v2.1/servers/**"}]
    token = top.identity.token("demo", "demo", access_rules=rules)
    made = await top.boot()
    shown = await top.call("GET", f"{SERVERS}/{made['id']}", token=token)
    assert shown.status == 200
    for method, path in (
        ("DELETE", f"{SERVERS}/{made['id']}"),
        ("GET", SERVERS),
        ("GET", VOLUMES),
        ("GET", IMAGES),
        ("GET", f"{SERVERS}/%2e%2e/flavors"),
        ("GET", "/v1.0/pods"),
    ):
        answer = await top.call(method, path, token=token)
        assert answer.status in (401, 404), path
    assert (await top.call("GET", f"{SERVERS}/{made['id']}")).status == 200


async def test_a_token_without_a_project_is_no_accident(top: Cloud) -> None:
    token = top.identity.token("demo", "", ())
    for path in (SERVERS, VOLUMES, IMAGES):
        answer = await top.call("GET", path, token=token)
        assert answer.status < 500, (path, answer.body)
        body = {"server": {"name": "x", "flavorRef": "42", "imageRef": IMAGE}}
        answer = await top.call("POST", path, body, token=token)
        assert answer.status < 500, (path, answer.body)


async def test_headers_of_a_client_do_not_speak_for_keystone(top: Cloud) -> None:
    forged = {"x-project-id": "other", "x-roles": "admin", "x-identity-status": "Confirmed"}
    await top.boot(zone="az1")
    answer = await top.call("GET", f"{SERVERS}?all_tenants=1", headers=forged)
    assert answer.status == 403
    for sent in top.pods["Pod1"].calls:
        assert not set(forged) & set(sent.headers)


async def test_a_client_that_leaves_in_the_middle_of_its_body_harms_nobody(top: Cloud) -> None:
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "scheme": "http",
        "path": SERVERS,
        "raw_path": SERVERS.encode(),
        "query_string": b"",
        "headers": [(b"x-auth-token", top.user.encode()), (b"host", HOST.encode())],
    }
    await asyncio.wait_for(top.app(scope, receive, send), 5)
    assert await top.intents() == []
    assert (await top.call("GET", SERVERS)).status == 200


async def test_every_answer_names_its_request(top: Cloud) -> None:
    asked = "req-12345678-1234-4234-8234-123456789012"
    for path in (SERVERS, VOLUMES, IMAGES, f"{SERVERS}/nonsense", "/compute/v2.1/nothing"):
        answer = await top.call("GET", path, headers={"x-openstack-request-id": asked})
        assert answer.headers["x-openstack-request-id"].startswith("req-"), path
    answer = await top.call("GET", SERVERS, headers={"x-openstack-request-id": "a\tb"})
    assert answer.headers["x-openstack-request-id"].startswith("req-")

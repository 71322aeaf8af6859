# SPDX-License-Identifier: Apache-2.0
"""What every operation of the admin API has in common: who may, what is refused, and how."""

import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from admin_api import BASE, AdminApi

from trio2o.api.admin_table import OPERATIONS, Operation
from trio2o.metrics import exposition

pytestmark = pytest.mark.anyio

GUARDED = [operation for operation in OPERATIONS if operation.rule]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def api(tmp_path: Path) -> AsyncIterator[AdminApi]:
    made = AdminApi(tmp_path)
    yield made
    made.db.close()


def a_path(path: str) -> str:
    return path.replace("{", "").replace("}", "")


@pytest.mark.parametrize("path", ["/", ""])
async def test_the_root_lists_the_versions_to_anybody(api: AdminApi, path: str) -> None:
    answer = await api("GET", path, token="")
    assert answer.status == 200
    (version,) = answer.body["versions"]
    assert (version["id"], version["status"]) == ("v1.0", "CURRENT")
    assert version["links"] == [{"rel": "self", "href": f"{BASE}/v1.0/"}]


@pytest.mark.parametrize("path", ["/v1.0", "/v1.0/"])
async def test_the_version_links_to_what_it_has(api: AdminApi, path: str) -> None:
    answer = await api("GET", path, token="")
    links = {link["rel"]: link["href"] for link in answer.body["links"]}
    assert links.pop("self") == f"{BASE}/v1.0/"
    assert sorted(links) == ["bindings", "placements", "pods", "routings"]
    for href in links.values():
        assert (await api("GET", href.removeprefix(BASE))).status == 200


async def test_a_slash_too_many_does_no_harm(api: AdminApi) -> None:
    assert (await api("GET", "/v1.0/pods/")).status == 200
    await api.add_pod("Pod1")
    assert (await api("GET", "/v1.0/pods/Pod1/")).status == 200


async def test_links_follow_the_configured_url(tmp_path: Path) -> None:
    api = AdminApi(tmp_path, base_url="https://trio2o.example/multipod/")
    (version,) = (await api("GET", "/")).body["versions"]
    assert version["links"][0]["href"] == "https://trio2o.example/multipod/v1.0/"
    api.db.close()


async def test_a_host_header_that_is_no_host_breaks_nothing(api: AdminApi) -> None:
    for host in ("[", "a b", "", "x" * 3000):
        assert (await api("GET", "/", headers={"host": host})).status == 200


@pytest.mark.parametrize("operation", GUARDED, ids=lambda operation: operation.name)
async def test_without_a_token_there_is_401_in_the_form_of_keystone(
    api: AdminApi, operation: Operation
) -> None:
    for token in ("", "none"):
        answer = await api(operation.method, a_path(operation.path), content=b"{", token=token)
        assert answer.status == 401
        assert answer.body["error"]["title"] == "Unauthorized"
        assert answer.headers["x-openstack-request-id"]


@pytest.mark.parametrize("operation", GUARDED, ids=lambda operation: operation.name)
async def test_who_is_no_admin_gets_403_whatever_was_sent(
    api: AdminApi, operation: Operation
) -> None:
    member = api.identity.token("demo", "demo", ("auditor",))
    path = a_path(operation.path) + "?nonsense=1"
    answer = await api(operation.method, path, content=b"{", token=member)
    assert answer.status == 403
    assert answer.body["error"]["type"] == "forbidden"
    assert operation.rule in answer.message


@pytest.mark.parametrize(
    "token",
    [
        {"roles": ("admin", "member", "reader")},
        {"roles": ("admin",), "project": "", "system_scope": "all"},
    ],
)
async def test_an_admin_of_several_roles_or_of_the_system_may(
    api: AdminApi, token: dict[str, Any]
) -> None:
    assert (await api("GET", "/v1.0/pods", token=api.identity.token(**token))).status == 200


async def test_a_token_without_project_and_system_is_of_nothing(api: AdminApi) -> None:
    unscoped = api.identity.token("demo", "", ("reader",))
    assert (await api("GET", "/v1.0/routings", token=unscoped)).status == 403


async def test_an_application_credential_with_access_rules_is_refused(api: AdminApi) -> None:
    rules = [{"service": "compute", "method": "GET", "path": "/v2.1/**"}]
    token = api.identity.token("admin", "admin", ("admin",), access_rules=rules)
    assert (await api("GET", "/v1.0/pods", token=token)).status == 401


async def test_the_operators_policy_counts_and_is_read_again(tmp_path: Path) -> None:
    api = AdminApi(tmp_path, policy='"pods:list": "role:reader"\n')
    reader = api.identity.token("demo", "demo", ("reader",))
    assert (await api("GET", "/v1.0/pods", token=reader)).status == 200
    assert (await api("GET", "/v1.0/pods/Pod1", token=reader)).status == 403
    (tmp_path / "policy.yaml").write_text('"pods:list": "role:admin"     # back\n')
    assert (await api("GET", "/v1.0/pods", token=reader)).status == 403
    (tmp_path / "policy.yaml").write_text("- not a mapping of rules\n")
    answer = await api("GET", "/v1.0/pods", token=reader)
    assert answer.status == 503
    api.db.close()


async def test_bindings_can_be_shown_to_their_projects_by_policy(tmp_path: Path) -> None:
    rule = "rule:admin_or_project_reader"
    api = AdminApi(tmp_path, policy=f'"bindings:list": "{rule}"\n"bindings:show": "{rule}"\n')
    await api.add_pod("Pod1")
    ids = {}
    for name in ("demo", "other"):
        body = {"pod_binding": {"project_id": api.identity.project_id(name), "pod": "Pod1"}}
        ids[name] = (await api("POST", "/v1.0/bindings", body)).body["pod_binding"]["id"]
    demo = api.identity.token("demo", "demo", ("reader",))
    page = (await api("GET", "/v1.0/bindings", token=demo)).body["pod_bindings"]
    assert [binding["id"] for binding in page] == [ids["demo"]]
    assert (await api("GET", f"/v1.0/bindings/{ids['demo']}", token=demo)).status == 200
    assert (await api("GET", f"/v1.0/bindings/{ids['other']}", token=demo)).status == 404
    assert (await api("DELETE", f"/v1.0/bindings/{ids['demo']}", token=demo)).status == 403
    api.db.close()


@pytest.mark.parametrize("path", ["/v2.0", "/v1.0/jobs", "/v1.0/pods/a/b", "/favicon.ico", "//"])
async def test_what_is_not_there_is_404_in_the_one_form(api: AdminApi, path: str) -> None:
    answer = await api("GET", path)
    if path == "//":
        assert answer.status == 200
        return
    assert answer.status == 404
    assert answer.body["error"]["code"] == 404
    assert answer.body["error"]["request_id"] == answer.headers["x-openstack-request-id"]


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("POST", "/", "GET, HEAD"),
        ("DELETE", "/v1.0/", "GET, HEAD"),
        ("PUT", "/v1.0/pods", "GET, HEAD, POST"),
        ("PUT", "/v1.0/pods/Pod1", "DELETE, GET, HEAD, PATCH"),
        ("OPTIONS", "/v1.0/bindings", "GET, HEAD, POST"),
        ("POST", "/v1.0/routings", "GET, HEAD"),
    ],
)
async def test_what_a_path_does_not_take_is_405(
    api: AdminApi, method: str, path: str, allow: str
) -> None:
    answer = await api(method, path)
    assert answer.status == 405
    assert answer.headers["allow"] == allow
    assert answer.body["error"]["type"] == "method-not-allowed"


async def test_head_is_get_without_the_body(api: AdminApi) -> None:
    answer = await api("HEAD", "/v1.0/pods")
    assert answer.status == 200
    assert (await api("HEAD", "/v1.0/pods/Pod1")).status == 404


async def test_a_body_must_be_json(api: AdminApi) -> None:
    path = "/v1.0/pods"
    text = {"content-type": "text/plain"}
    assert (await api("POST", path, content=b"{}", headers=text)).status == 415
    json_utf8 = {"content-type": "application/json; charset=UTF-8"}
    for content in (b"", b"{", b"\xff", b"[" * 100_0, b'{"pod": NaN}'):
        assert (await api("POST", path, content=content, headers=json_utf8)).status == 400
    deep = b'{"pod": ' + b"[" * 900 + b"]" * 900 + b"}"
    assert (await api("POST", path, content=deep)).status == 400


async def test_a_body_must_not_be_large(api: AdminApi) -> None:
    answer = await api("POST", "/v1.0/pods", {"pod": {"name": "x" * 70_000}})
    assert answer.status == 413
    answer = await api("POST", "/v1.0/pods", {"pod": {"name": "x" * 60_000, "az_name": "az1"}})
    assert answer.status == 400
    assert len(answer.message) < 1000


async def test_the_request_id_of_a_caller_is_kept_if_it_is_one(api: AdminApi) -> None:
    mine = "req-12345678-1234-1234-1234-123456789abc"
    answer = await api("GET", "/v1.0/pods", headers={"x-openstack-request-id": mine})
    assert answer.headers["x-openstack-request-id"] == mine
    answer = await api("GET", "/v1.0/pods", headers={"x-openstack-request-id": "a\x0bb"})
    assert answer.headers["x-openstack-request-id"].startswith("req-")


async def test_what_fails_for_lack_of_keystone_or_database_is_503(api: AdminApi) -> None:
    await api.add_pod("Pod1")
    api.identity.down()
    answer = await api("GET", "/v1.0/pods")
    assert (answer.status, answer.body["error"]["type"]) == (503, "identity-unavailable")
    api.identity.up()
    with api.db.engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE bindings")
    answer = await api("GET", "/v1.0/bindings")
    assert (answer.status, answer.body["error"]["type"]) == (503, "database-unavailable")
    assert "trio2o db upgrade" in answer.message


async def test_a_member_is_not_told_more_than_the_message(api: AdminApi) -> None:
    member = api.identity.token("demo", "demo", ("auditor",))
    answer = await api("GET", "/v1.0/pods", token=member)
    assert sorted(answer.body["error"]) == ["code", "message", "request_id", "type"]
    assert member not in json.dumps(answer.body)


async def test_requests_are_counted_by_status(api: AdminApi) -> None:
    def counted(status: str) -> float:
        text = exposition([]).decode()
        labels = f'{{routing="LOCAL",service="multipod",status="{status}"}}'
        found = re.search(rf"trio2o_request_seconds_count{re.escape(labels)} (\S+)", text)
        return float(found[1]) if found else 0.0

    before = {status: counted(status) for status in ("200", "404")}
    await api("GET", "/v1.0/pods")
    await api("GET", "/v1.0/pods/none")
    assert {status: counted(status) - known for status, known in before.items()} == {
        "200": 1.0,
        "404": 1.0,
    }

# SPDX-License-Identifier: Apache-2.0

"""The real Keystone and the real services of the lab.

Needs a running lab: `scripts/lab up 2`, or `scripts/test functional`, which sees to it.
"""

import asyncio
import json
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from lab.identity import environment
from lab.layout import Lab
from tests.inprocess.keystone import settings_for
from trio2o.errors import Misconfigured, Unauthenticated
from trio2o.microversion import Range
from trio2o.model import Pod, PodState, Service
from trio2o.pods.access import allowed
from trio2o.pods.client import PodClient
from trio2o.pods.health import Health
from trio2o.pods.identity import Identity
from trio2o.pods.service_user import check_service_user
from trio2o.pods.transport import AiohttpTransport
from trio2o.settings import Settings

pytestmark = pytest.mark.anyio

CASES = json.loads((Path(__file__).parent.parent / "cases" / "microversion.json").read_text())
COUNTED = {"compute": "/flavors?limit=1", "volume": "/types?limit=1"}


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def lab() -> Lab:
    lab = Lab.from_environment()
    try:
        urllib.request.urlopen(lab.auth_url, timeout=5).close()
    except OSError as error:
        pytest.fail(f"no lab at {lab.auth_url} ({error}); run scripts/lab up 2")
    return lab


class User:
    """Somebody of the lab who talks to Keystone by himself."""

    def __init__(self, lab: Lab, name: str) -> None:
        self.facts = environment(lab, "pod1", name)
        self.url = self.facts["OS_AUTH_URL"]
        self.token, self.body = self._log_in(
            {
                "methods": ["password"],
                "password": {
                    "user": {
                        "name": name,
                        "domain": {"id": self.facts["OS_USER_DOMAIN_ID"]},
                        "password": self.facts["OS_PASSWORD"],
                    }
                },
            },
            {
                "scope": {
                    "project": {
                        "name": self.facts["OS_PROJECT_NAME"],
                        "domain": {"id": self.facts["OS_PROJECT_DOMAIN_ID"]},
                    }
                }
            },
        )

    def _log_in(self, identity: dict[str, Any], scope: dict[str, Any]) -> tuple[str, Any]:
        headers, body = self.ask("POST", "/auth/tokens", {"auth": {"identity": identity, **scope}})
        return headers["X-Subject-Token"], body["token"]

    def ask(
        self, method: str, path: str, body: Any = None, **headers: str
    ) -> tuple[dict[str, str], Any]:
        request = urllib.request.Request(
            self.url + path, None if body is None else json.dumps(body).encode(), method=method
        )
        request.add_header("Content-Type", "application/json")
        for name, value in headers.items():
            request.add_header(name.replace("_", "-"), value)
        with urllib.request.urlopen(request, timeout=30) as response:
            content = response.read()
            return dict(response.headers), json.loads(content) if content else None

    def restricted(self, *rules: dict[str, str]) -> str:
        """Token of a new application credential with these access rules."""
        path = f"/users/{self.body['user']['id']}/application_credentials"
        wanted = {"application_credential": {"name": f"t{id(rules)}", "access_rules": list(rules)}}
        _, made = self.ask("POST", path, wanted, X_Auth_Token=self.token)
        credential = made["application_credential"]
        self.made = f"{path}/{credential['id']}"
        return self._log_in(
            {
                "methods": ["application_credential"],
                "application_credential": {
                    "id": credential["id"],
                    "secret": credential["secret"],
                },
            },
            {},
        )[0]

    def clean_up(self) -> None:
        if hasattr(self, "made"):
            self.ask("DELETE", self.made, X_Auth_Token=self.token)

    def revoke(self, token: str) -> None:
        self.ask("DELETE", "/auth/tokens", X_Auth_Token=token, X_Subject_Token=token)


@pytest.fixture
def demo(lab: Lab) -> Iterator[User]:
    user = User(lab, "demo")
    yield user
    user.clean_up()


def settings(lab: Lab, directory: Path, **options: str) -> Settings:
    facts = environment(lab, "pod1", "trio2o")
    chosen = {
        "username": "trio2o",
        "password": facts["OS_PASSWORD"],
        "project_name": facts["OS_PROJECT_NAME"],
        **options,
    }
    lines = "".join(f"{name} = {value}\n" for name, value in chosen.items())
    return settings_for(
        lab.auth_url.removesuffix("/v3"), directory, lines, "[gateway]\ntoken_cache_s = 0.2\n"
    )


@pytest.fixture
async def identity(lab: Lab, tmp_path: Path) -> AsyncIterator[Identity]:
    transport = AiohttpTransport()
    one = Identity(settings(lab, tmp_path), transport)
    yield one
    await one.close()
    await transport.close()


@pytest.fixture
async def client(identity: Identity) -> AsyncIterator[PodClient]:
    one = PodClient(identity, AiohttpTransport(), Health())
    yield one
    await one.close()


def pod(name: str = "Pod1") -> Pod:
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    return Pod(
        id=name,
        number=1,
        name=name,
        az_name="az1",
        pod_az_name="",
        dc_name="",
        state=PodState.ENABLED,
        tags=frozenset(),
        generation=1,
        created_at=moment,
        updated_at=moment,
    )


async def test_a_real_token_says_who_asks(identity: Identity, demo: User) -> None:
    caller = await identity.authenticate({"x-auth-token": demo.token, "x-roles": "admin"})
    assert (caller.user_name, caller.project_name) == ("demo", "demo")
    assert caller.user_id == demo.body["user"]["id"]
    assert caller.project_id == demo.body["project"]["id"]
    assert caller.roles == {role["name"] for role in demo.body["roles"]}
    assert caller.expires_at.isoformat()[:19] == demo.body["expires_at"][:19]


@pytest.mark.parametrize("token", ["garbage", "gAAAAAB" + "x" * 180, "x" * 5000, "\xff", "a b"])
async def test_a_real_keystone_refuses_rubbish(identity: Identity, token: str) -> None:
    with pytest.raises(Unauthenticated) as caught:
        await identity.authenticate({"x-auth-token": token})
    assert caught.value.headers[0][0] == "WWW-Authenticate"


async def test_a_revoked_token_ends_with_the_window(identity: Identity, demo: User) -> None:
    await identity.authenticate({"x-auth-token": demo.token})
    await asyncio.to_thread(demo.revoke, demo.token)
    await asyncio.sleep(0.25)
    with pytest.raises(Unauthenticated):
        await identity.authenticate({"x-auth-token": demo.token})


async def test_a_service_token_is_recognised(identity: Identity, lab: Lab, demo: User) -> None:
    nova = User(lab, "nova")
    headers = {"x-auth-token": demo.token, "x-service-token": nova.token}
    caller = await identity.authenticate(headers)
    assert caller.service_token == nova.token
    assert "service" in caller.service_roles
    with pytest.raises(Unauthenticated):  # a user's token is none
        await identity.authenticate({**headers, "x-service-token": demo.token})


async def test_what_access_rules_forbid_is_refused_here_and_by_the_pod(
    identity: Identity, client: PodClient, demo: User
) -> None:
    token = demo.restricted({"service": "compute", "method": "GET", "path": "/v2.1/servers"})
    caller = await identity.authenticate({"x-auth-token": token})
    assert allowed(caller, Service.COMPUTE, "GET", "/v2.1/servers")
    assert not allowed(caller, Service.COMPUTE, "GET", "/v2.1/flavors")
    # What they allow, a pod takes only if its [keystone_authtoken] has a service_type.
    reply = await client.call(
        pod(), Service.COMPUTE, "GET", "/flavors", caller=caller, deadline_s=30.0
    )
    assert reply.status == 401


async def test_our_token_opens_every_pod(identity: Identity, client: PodClient) -> None:
    headers = {"x-auth-token": await identity.service_token()}
    for name in ("Pod1", "Pod2"):
        for service, path in (
            (Service.COMPUTE, "/servers"),
            (Service.VOLUME, "/volumes"),
            (Service.IMAGE, "/images"),
            (Service.NETWORK, "/networks"),
            (Service.PLACEMENT, "/resource_providers"),
        ):
            reply = await client.call(
                pod(name), service, "GET", path, headers=headers, deadline_s=30.0
            )
            assert reply.status == 200, (name, service, reply)


async def test_a_request_id_becomes_the_pods_global_one_and_replies_stream(
    identity: Identity, client: PodClient, demo: User
) -> None:
    caller = await identity.authenticate({"x-auth-token": demo.token})
    reply = await client.call(
        pod(),
        Service.COMPUTE,
        "GET",
        "/flavors",
        caller=caller,
        request_id="req-11111111-2222-3333-4444-555555555555",
        deadline_s=30.0,
        stream=True,
    )
    assert reply.stream is not None
    body = b"".join([chunk async for chunk in reply.stream])
    assert json.loads(body)["flavors"]
    assert (reply.header("x-openstack-request-id") or "").startswith("req-")


async def test_a_cinder_with_a_project_in_its_endpoint_is_spoken_to(
    identity: Identity, demo: User
) -> None:
    caller = await identity.authenticate({"x-auth-token": demo.token})
    plain = await identity.endpoint(pod(), Service.VOLUME)

    class Templated:
        async def endpoint(self, pod: Pod, service: Service) -> str:  # noqa: ARG002
            return f"{plain}/{{project_id}}"

        async def forget(self, pod: Pod) -> None: ...

    own = PodClient(Templated(), AiohttpTransport(), Health())
    good = await own.call(pod(), Service.VOLUME, "GET", "/volumes", caller=caller, deadline_s=30.0)
    other = replace(caller, project_id="0" * 32)
    bad = await own.call(pod(), Service.VOLUME, "GET", "/volumes", caller=other, deadline_s=30.0)
    await own.close()
    assert (good.status, bad.status) == (200, 400)


async def test_regions_of_the_lab_can_be_pods_and_others_not(identity: Identity) -> None:
    assert await identity.check_region("Pod1") == []
    assert await identity.check_region("Pod2") == []
    (problem,) = await identity.check_region("Pod8")
    assert problem.startswith("Keystone has no region Pod8; it has ")


async def test_ranges_are_read_from_the_services(client: PodClient) -> None:
    for service, low in (
        (Service.COMPUTE, "2.1"),
        (Service.VOLUME, "3.0"),
        (Service.PLACEMENT, "1.0"),
    ):
        reply = await client.versions(pod(), service, deadline_s=30.0)
        found = Range.from_document(json.loads(reply.body))
        assert found is not None
        assert str(found.low) == low
    image = await client.versions(pod(), Service.IMAGE, deadline_s=30.0)
    assert "v2.9" in {one["id"] for one in json.loads(image.body)["versions"]}


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['service']} {case['headers']}")
def test_the_services_negotiate_as_our_table_says(
    lab: Lab, admin_token: str, case: dict[str, Any]
) -> None:
    port, root = {"compute": ("compute", "/v2.1"), "volume": ("volume", "/v3")}[case["service"]]
    url = lab.pod("pod1").url(port, root + COUNTED[case["service"]])
    request = urllib.request.Request(url, headers={"X-Auth-Token": admin_token})
    for name, value in case["headers"].items():
        request.add_header(name, value)
    try:
        with urllib.request.urlopen(request, timeout=30) as response:
            status, headers = response.status, response.headers
    except urllib.error.HTTPError as error:
        status, headers = error.code, error.headers
        if "pod_status" not in case:
            ((fault, said),) = json.loads(error.read()).items()
            assert (fault, said["message"]) in (
                ("badRequest", case["message"]),
                ("computeFault", case["message"]),
            )
    assert status == case.get("pod_status", case["status"])
    told = headers.get("OpenStack-API-Version")
    assert (told.split()[1] if told else None) == case.get("told")


@pytest.fixture(scope="session")
def admin_token(lab: Lab) -> str:
    return User(lab, "admin").token


def test_a_service_user_that_can_log_in_is_taken(lab: Lab, tmp_path: Path) -> None:
    check_service_user(settings(lab, tmp_path))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"password": "wrong"}, "refuses user trio2o; check username, password"),
        ({"username": "nobody"}, "refuses user nobody"),
        ({"project_name": "services"}, "knows user trio2o, but not project services"),
        ({"project_name": "demo"}, "knows user trio2o, but not project demo"),
        (
            {"username": "demo", "password": "lab", "project_name": "demo"},
            "demo lacks the role admin in project demo",
        ),
        ({"auth_url": "http://127.0.0.1:{pod_port}/"}, "is not a Keystone with API v3"),
    ],
)
def test_what_is_wrong_with_a_service_user_is_told(
    lab: Lab, tmp_path: Path, options: dict[str, str], said: str
) -> None:
    pod_port = lab.pod("pod1").port("compute")
    options = {name: value.format(pod_port=pod_port) for name, value in options.items()}
    with pytest.raises(Misconfigured, match=said):
        check_service_user(settings(lab, tmp_path, **options))

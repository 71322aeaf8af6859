# SPDX-License-Identifier: Apache-2.0
"""Tokens, our own user and the catalogue, with a Keystone that has bad days."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.inprocess.keystone import SERVICE_PROJECT, Keystone, running, settings_for
from trio2o.errors import IdentityUnavailable, PodUnusable, Unauthenticated
from trio2o.model import Pod, PodState, Service
from trio2o.pods.identity import Identity
from trio2o.pods.memory import AsgiTransport, Receive, Scope, Send

pytestmark = pytest.mark.anyio

VALIDATE = "GET /v3/auth/tokens"
LOG_IN = "POST /v3/auth/tokens"
CATALOG = "GET /v3/auth/catalog"
POD1 = Pod(
    id="1",
    number=1,
    name="Pod1",
    az_name="az1",
    pod_az_name="",
    dc_name="",
    state=PodState.ENABLED,
    tags=frozenset(),
    generation=1,
    created_at=datetime(2026, 1, 1, tzinfo=UTC),
    updated_at=datetime(2026, 1, 1, tzinfo=UTC),
)
POD2 = replace(POD1, id="2", number=2, name="Pod2")
ENTRIES = [
    ("compute", "public", "Pod1", "http://pod1:8774/v2.1"),
    ("volumev3", "public", "Pod1", f"http://pod1:8776/v3/{SERVICE_PROJECT}"),
    ("image", "public", "Pod1", "http://pod1:9292"),
]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def versions(scope: Scope, receive: Receive, send: Send) -> None:
    """What stands at a pod's endpoints."""
    good = scope["path"] in ("/", "/versions")
    await send({"type": "http.response.start", "status": 300 if good else 404, "headers": []})
    await send({"type": "http.response.body", "body": b'{"versions": []}'})


@pytest.fixture
async def keystone() -> AsyncIterator[Keystone]:
    async with running(Keystone()) as one:
        one.catalogue = list(ENTRIES)
        yield one


@contextlib.asynccontextmanager
async def gateway(keystone: Keystone, directory: Path, more: str = "") -> AsyncIterator[Identity]:
    pods = dict.fromkeys(("pod1:8774", "pod1:8776", "pod1:9292"), versions)
    identity = Identity(settings_for(keystone.url, directory, more=more), AsgiTransport(pods))
    try:
        yield identity
    finally:
        await identity.close()


@pytest.fixture
async def identity(keystone: Keystone, tmp_path: Path) -> AsyncIterator[Identity]:
    async with gateway(keystone, tmp_path) as one:
        yield one


# ---------------------------------------------------------------------------- tokens


async def test_who_asks_is_what_keystone_says_and_not_what_headers_say(
    keystone: Keystone, identity: Identity
) -> None:
    token = keystone.token("member", "reader")
    caller = await identity.authenticate(
        {
            "x-auth-token": token,
            "x-project-id": "somebody-elses",
            "x-roles": "admin",
            "x-user-id": "root",
            "x-identity-status": "Confirmed",
            "x-is-admin-project": "True",
            "openstack-system-scope": "all",
            "x-service-roles": "service",
        }
    )
    assert (caller.project_id, caller.project_name) == ("d" * 32, "demo")
    assert (caller.user_name, caller.token) == ("demo", token)
    assert caller.roles == {"member", "reader"}
    assert not caller.is_admin
    assert (caller.system_scope, caller.service_roles, caller.access_rules) == (
        "",
        frozenset(),
        None,
    )


async def test_scopes_are_told_apart(keystone: Keystone, identity: Identity) -> None:
    system = await identity.authenticate({"x-auth-token": keystone.token(system=True)})
    assert (system.system_scope, system.project_id) == ("all", "")
    unscoped = await identity.authenticate({"x-auth-token": keystone.token(scoped=False)})
    assert (unscoped.system_scope, unscoped.project_id) == ("", "")


async def test_a_good_token_is_asked_about_once(keystone: Keystone, identity: Identity) -> None:
    headers = {"x-auth-token": keystone.token()}
    first = await identity.authenticate(headers)
    assert await identity.authenticate(dict(headers)) is first
    assert keystone.asked[VALIDATE] == 1


async def test_a_hundred_at_once_are_one_question(keystone: Keystone, identity: Identity) -> None:
    keystone.latency_s = 0.05
    headers = {"x-auth-token": keystone.token()}
    await asyncio.gather(*(identity.authenticate(headers) for _ in range(100)))
    assert keystone.asked[VALIDATE] == 1


async def test_who_goes_away_takes_nobody_along(keystone: Keystone, identity: Identity) -> None:
    keystone.latency_s = 0.05
    headers = {"x-auth-token": keystone.token()}
    gone, stays = (asyncio.create_task(identity.authenticate(headers)) for _ in range(2))
    await asyncio.sleep(0.01)
    gone.cancel()
    assert (await stays).user_name == "demo"


async def test_a_revoked_token_is_good_for_the_window_only(
    keystone: Keystone, tmp_path: Path
) -> None:
    async with gateway(keystone, tmp_path, "[gateway]\ntoken_cache_s = 0.2\n") as identity:
        headers = {"x-auth-token": keystone.token()}
        await identity.authenticate(headers)
        keystone.revoke(headers["x-auth-token"])
        await identity.authenticate(headers)
        await asyncio.sleep(0.25)
        with pytest.raises(Unauthenticated):
            await identity.authenticate(headers)


async def test_a_token_is_not_remembered_beyond_its_end(
    keystone: Keystone, identity: Identity
) -> None:
    headers = {"x-auth-token": keystone.token(lifetime_s=0.4)}
    await identity.authenticate(headers)
    await asyncio.sleep(0.45)
    with pytest.raises(Unauthenticated):
        await identity.authenticate(headers)


@pytest.mark.parametrize("token", ["", "garbage", "x" * 5000, "\xff\xfe", " "])
async def test_a_bad_token_is_refused_once_with_the_way_to_a_good_one(
    keystone: Keystone, identity: Identity, token: str
) -> None:
    for _ in range(3):
        with pytest.raises(Unauthenticated) as caught:
            await identity.authenticate({"x-auth-token": token})
    assert caught.value.headers == (("WWW-Authenticate", f'Keystone uri="{keystone.url}/v3"'),)
    assert keystone.asked[VALIDATE] == (1 if token.strip() else 0)


async def test_refused_tokens_do_not_fill_the_memory(keystone: Keystone, tmp_path: Path) -> None:
    async with gateway(keystone, tmp_path, "[gateway]\ntoken_cache_size = 3\n") as identity:
        for number in range(10):
            with pytest.raises(Unauthenticated):
                await identity.authenticate({"x-auth-token": f"bad{number}"})
        assert len(identity._tokens._refused) == 3


async def test_keystone_that_fails_is_not_the_callers_fault(
    keystone: Keystone, identity: Identity
) -> None:
    headers = {"x-auth-token": keystone.token()}
    keystone.up = False
    with pytest.raises(IdentityUnavailable):
        await identity.authenticate(headers)
    keystone.up = True
    assert (await identity.authenticate(headers)).user_name == "demo"


async def test_keystone_that_hangs_is_not_the_callers_fault(
    keystone: Keystone, identity: Identity
) -> None:
    headers = {"x-auth-token": keystone.token()}
    await identity.authenticate(headers)
    keystone.latency_s = 3.0
    assert (await identity.authenticate(headers)).user_name == "demo"
    with pytest.raises(IdentityUnavailable):
        await identity.authenticate({"x-auth-token": keystone.token()})


async def test_keystone_that_is_not_there_is_not_the_callers_fault(tmp_path: Path) -> None:
    nowhere = Keystone()
    nowhere.url = "http://127.0.0.1:1"
    async with gateway(nowhere, tmp_path) as identity:
        with pytest.raises(IdentityUnavailable):
            await identity.authenticate({"x-auth-token": "gAAAA"})


async def test_keystone_that_refuses_us_is_not_the_callers_fault(
    keystone: Keystone, identity: Identity
) -> None:
    keystone.password = "changed"
    with pytest.raises(IdentityUnavailable):
        await identity.authenticate({"x-auth-token": keystone.token()})


async def test_a_service_token_goes_on_and_lets_an_expired_token_through(
    keystone: Keystone, identity: Identity
) -> None:
    expired, service = keystone.token(lifetime_s=-60.0), keystone.token("service")
    with pytest.raises(Unauthenticated):
        await identity.authenticate({"x-auth-token": expired})
    caller = await identity.authenticate({"x-auth-token": expired, "x-service-token": service})
    assert caller.service_token == service
    assert caller.service_roles == {"service"}


@pytest.mark.parametrize("roles", [("member",), None])
async def test_a_bad_service_token_spoils_a_good_token(
    keystone: Keystone, identity: Identity, roles: tuple[str, ...] | None
) -> None:
    user = keystone.token()
    await identity.authenticate({"x-auth-token": user})
    service = keystone.token(*roles) if roles else "garbage"
    with pytest.raises(Unauthenticated):
        await identity.authenticate({"x-auth-token": user, "x-service-token": service})


async def test_access_rules_come_along_and_are_not_yet_judged(
    keystone: Keystone, identity: Identity
) -> None:
    rules = [{"id": "r", "service": "compute", "method": "GET", "path": "/v2.1/servers"}]
    some = await identity.authenticate({"x-auth-token": keystone.token(access_rules=rules)})
    assert some.access_rules == tuple(rules)
    none = await identity.authenticate({"x-auth-token": keystone.token(access_rules=[])})
    assert none.access_rules == ()


# ------------------------------------------------------------------------ our own user


async def test_our_token_is_made_once_and_made_anew_before_it_ends(
    keystone: Keystone, tmp_path: Path
) -> None:
    async with gateway(keystone, tmp_path) as identity:
        first, second = await asyncio.gather(identity.service_token(), identity.service_token())
        assert first == second
        assert keystone.asked[LOG_IN] == 1
    keystone.lifetime_s = 0.4
    async with gateway(keystone, tmp_path) as identity:
        first = await identity.service_token()
        await asyncio.sleep(0.35)
        assert await identity.service_token() != first


async def test_our_token_serves_on_while_keystone_is_down(
    keystone: Keystone, tmp_path: Path
) -> None:
    keystone.lifetime_s = 60.0
    async with gateway(keystone, tmp_path) as identity:
        token = await identity.service_token()
        assert identity._user._login is not None
        identity._user._login = replace(identity._user._login, renew_at=0.0)
        keystone.up = False
        assert await identity.service_token() == token


# --------------------------------------------------------------------------- catalogue


async def test_endpoints_are_those_of_the_catalogue(
    keystone: Keystone, identity: Identity
) -> None:
    assert await identity.endpoint(POD1, Service.COMPUTE) == "http://pod1:8774/v2.1"
    assert await identity.endpoint(POD1, Service.VOLUME) == "http://pod1:8776/v3/{project_id}"
    assert keystone.asked[CATALOG] == 1


async def test_a_missing_endpoint_is_looked_for_but_not_all_the_time(
    keystone: Keystone, identity: Identity
) -> None:
    for _ in range(3):
        with pytest.raises(PodUnusable, match=r"Pod2 is not asked: .* in region Pod2"):
            await identity.endpoint(POD2, Service.COMPUTE)
    assert keystone.asked[CATALOG] == 1


async def test_the_catalogue_serves_on_while_keystone_is_down(
    keystone: Keystone, tmp_path: Path
) -> None:
    async with gateway(keystone, tmp_path, "[pods]\ncatalogue_s = 0.01\n") as identity:
        await identity.endpoint(POD1, Service.COMPUTE)
        keystone.up = False
        await asyncio.sleep(0.02)
        for _ in range(3):
            assert await identity.endpoint(POD1, Service.COMPUTE) == "http://pod1:8774/v2.1"
            await asyncio.sleep(0.05)


async def test_an_endpoint_that_moved_is_found(keystone: Keystone, tmp_path: Path) -> None:
    async with gateway(keystone, tmp_path, "[pods]\ncatalogue_s = 0.01\n") as identity:
        await identity.endpoint(POD1, Service.COMPUTE)
        keystone.catalogue[0] = ("compute", "public", "Pod1", "http://moved/v2.1")
        await asyncio.sleep(0.02)
        await identity.endpoint(POD1, Service.COMPUTE)  # the old one, and the new one is read
        async with asyncio.timeout(5):
            while await identity.endpoint(POD1, Service.COMPUTE) != "http://moved/v2.1":  # noqa: ASYNC110
                await asyncio.sleep(0.01)


async def test_without_a_catalogue_nothing_is_known_of_pods(
    keystone: Keystone, identity: Identity
) -> None:
    keystone.up = False
    with pytest.raises(IdentityUnavailable):
        await identity.endpoint(POD1, Service.COMPUTE)


async def test_a_region_that_can_be_a_pod_has_no_problems(identity: Identity) -> None:
    assert await identity.check_region("Pod1") == []


async def test_what_is_wrong_with_a_region_is_told(keystone: Keystone, identity: Identity) -> None:
    keystone.regions = ["Pod1", "Pod2"]
    assert await identity.check_region("Pod3") == [
        "Keystone has no region Pod3; it has Pod1, Pod2"
    ]
    assert await identity.check_region("Pod2") == [
        "region Pod2 has no endpoints in the catalogue of the gateway's service user"
    ]
    keystone.catalogue = [
        ("compute", "internal", "Pod1", "http://pod1:8774/v2.1"),
        ("volumev3", "public", "Pod1", "ftp://pod1:8776/v3"),
        ("image", "public", "Pod1", "http://nobody:9292"),
    ]
    compute, volume, image = await identity.check_region("Pod1")
    assert compute == (
        "service type compute has no endpoint with interface public in region Pod1 "
        "(it has internal)"
    )
    assert volume == (
        "the public endpoint of service type volumev3 in region Pod1 is no URL that can be used: "
        "ftp://pod1:8776/v3"
    )
    assert image == (
        "image of region Pod1 does not answer at http://nobody:9292/versions: Connection refused"
    )
    keystone.catalogue[2] = ("image", "public", "Pod1", "http://pod1:9292/glance")
    assert (await identity.check_region("Pod1"))[2] == (
        "image of region Pod1: http://pod1:9292/glance/versions shows no list of versions "
        "(status 404); correct its endpoint"
    )

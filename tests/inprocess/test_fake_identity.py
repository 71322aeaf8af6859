# SPDX-License-Identifier: Apache-2.0
"""The Keystone in memory does what the real one is asked for."""

import inspect
from datetime import UTC, datetime, timedelta

import pytest

from trio2o.errors import IdentityUnavailable, PodUnusable, Unauthenticated
from trio2o.model import Pod, PodState, Service
from trio2o.pods.fake import FakeIdentity, FakePod
from trio2o.pods.identity import IdentityService

pytestmark = pytest.mark.anyio

MOMENT = datetime(2026, 1, 1, tzinfo=UTC)


def pod(name: str) -> Pod:
    return Pod(
        id=name,
        number=1,
        name=name,
        az_name="az1",
        pod_az_name="nova",
        dc_name="",
        state=PodState.ENABLED,
        tags=frozenset(),
        generation=1,
        created_at=MOMENT,
        updated_at=MOMENT,
    )


def test_it_has_the_interface_of_the_real_one() -> None:
    identity: IdentityService = FakeIdentity()
    for name, wanted in inspect.getmembers(IdentityService, inspect.isfunction):
        if name.startswith("__"):
            continue
        mine = inspect.signature(getattr(FakeIdentity, name))
        assert mine == inspect.signature(wanted), name
    assert identity


async def test_a_token_says_who_asks() -> None:
    identity = FakeIdentity()
    token = identity.token("alice", "blue", ("admin",))
    caller = await identity.authenticate({"x-auth-token": token})
    assert (caller.user_name, caller.project_name) == ("alice", "blue")
    assert caller.project_id == identity.project_id("blue")
    assert caller.roles == {"admin", "manager", "member", "reader"}
    assert identity.authentications == 1


async def test_a_service_may_ask_for_a_user() -> None:
    identity = FakeIdentity()
    headers = {
        "x-auth-token": identity.token(),
        "x-service-token": identity.token("nova", "service", ("service",)),
    }
    caller = await identity.authenticate(headers)
    assert caller.service_roles == {"service"}
    with pytest.raises(Unauthenticated):
        await identity.authenticate({**headers, "x-service-token": "nonsense"})


async def test_tokens_end() -> None:
    now = [MOMENT]
    identity = FakeIdentity(now=lambda: now[0])
    short, revoked, expired = (identity.token(lifetime_s=60) for _ in range(3))
    identity.revoke(revoked)
    identity.expire(expired)
    await identity.authenticate({"x-auth-token": short})
    now[0] += timedelta(seconds=61)
    for token in (short, revoked, expired, "", "nonsense"):
        with pytest.raises(Unauthenticated):
            await identity.authenticate({"x-auth-token": token})


async def test_keystone_can_be_down() -> None:
    identity = FakeIdentity()
    there = FakePod("Pod1", identity=identity)
    headers = {"x-auth-token": identity.token()}
    identity.down()
    for question in (
        identity.authenticate(headers),
        identity.service_token(),
        identity.endpoint(pod(there.name), Service.COMPUTE),
        identity.check_region(there.name),
    ):
        with pytest.raises(IdentityUnavailable):
            await question
    identity.up()
    await identity.authenticate(headers)


async def test_pods_are_in_the_catalogue() -> None:
    identity = FakeIdentity()
    FakePod("Pod1", identity=identity)
    assert await identity.check_region("Pod1") == []
    url = await identity.endpoint(pod("Pod1"), Service.VOLUME)
    assert url == "http://pod1.example:80/volume/v3"
    identity.set_endpoint("Pod1", Service.VOLUME, None)
    assert len(await identity.check_region("Pod1")) == 1
    with pytest.raises(PodUnusable):
        await identity.endpoint(pod("Pod1"), Service.VOLUME)
    assert len(await identity.check_region("Pod2")) == 1


async def test_the_gateways_own_token_is_kept_until_it_ends() -> None:
    identity = FakeIdentity()
    token = await identity.service_token()
    assert await identity.service_token() == token
    identity.expire(token)
    assert await identity.service_token() != token

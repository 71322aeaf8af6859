# SPDX-License-Identifier: Apache-2.0
"""What a process is told at start when it cannot log in."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.inprocess.keystone import Keystone, running, settings_for
from trio2o.errors import IdentityUnavailable, Misconfigured
from trio2o.pods.service_user import check_service_user
from trio2o.settings import load

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def keystone() -> AsyncIterator[Keystone]:
    async with running(Keystone()) as one:
        yield one


async def check(url: str, directory: Path, options: str = "") -> None:
    await asyncio.to_thread(check_service_user, settings_for(url, directory, options))


async def test_all_is_well(keystone: Keystone, tmp_path: Path) -> None:
    await check(keystone.url, tmp_path)


async def test_a_wrong_password(keystone: Keystone, tmp_path: Path) -> None:
    keystone.password = "another"
    with pytest.raises(Misconfigured, match=r"refuses user trio2o; check username, password"):
        await check(keystone.url, tmp_path)


async def test_a_project_that_is_not_there_or_has_no_role_for_us(
    keystone: Keystone, tmp_path: Path
) -> None:
    keystone.project = "services"
    with pytest.raises(Misconfigured, match="knows user trio2o, but not project service") as told:
        await check(keystone.url, tmp_path)
    assert "openstack role add --user trio2o --project service admin" in told.value.message


async def test_a_role_that_is_missing(keystone: Keystone, tmp_path: Path) -> None:
    keystone.roles = ("service", "member")
    with pytest.raises(Misconfigured, match=r"lacks the role admin .*it has: member, service"):
        await check(keystone.url, tmp_path)


async def test_no_project(keystone: Keystone, tmp_path: Path) -> None:
    options = "project_name =\nproject_domain_name =\n"
    with pytest.raises(Misconfigured, match="without a project"):
        await check(keystone.url, tmp_path, options)


async def test_an_address_that_is_not_keystones(keystone: Keystone, tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="is not a Keystone with API v3"):
        await check(f"{keystone.url}/elsewhere", tmp_path)


async def test_keystone_is_down(keystone: Keystone, tmp_path: Path) -> None:
    keystone.up = False
    with pytest.raises(IdentityUnavailable, match=r"auth_url\) does not answer"):
        await check(keystone.url, tmp_path)


async def test_nobody_is_there(tmp_path: Path) -> None:
    with pytest.raises(IdentityUnavailable, match=r"auth_url\) does not answer"):
        await check("http://127.0.0.1:1", tmp_path)


async def test_nothing_is_configured(tmp_path: Path) -> None:
    empty = tmp_path / "empty.conf"
    empty.write_text("")
    with pytest.raises(Misconfigured, match=r"\[service_user\] auth_type is not set"):
        check_service_user(load([], [str(empty)]))


async def test_an_option_that_makes_no_sense(keystone: Keystone, tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="auth_type: there is no passwort"):
        await check(keystone.url, tmp_path, "auth_type = passwort\n")

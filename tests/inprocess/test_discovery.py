# SPDX-License-Identifier: Apache-2.0
"""keystoneauth, which every Python client discovers with, reads our version documents."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web
from keystoneauth1 import discover, session

from trio2o import microversion
from trio2o.microversion import ROOT_STATUS, Range, Version
from trio2o.model import Service

pytestmark = pytest.mark.anyio

RANGES = {
    Service.COMPUTE: Range(Version(2, 1), Version(2, 96)),
    Service.VOLUME: Range(Version(3, 0), Version(3, 70)),
}
IMAGE_VERSIONS = ("v2.9", "v2.17", "v2.0")


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def base() -> AsyncIterator[str]:
    """URL of a server that shows nothing but the documents."""

    async def answer(request: web.Request) -> web.Response:
        root = f"http://{request.host}"
        documents: dict[str, tuple[int, Any]] = {
            "/image/": (300, microversion.image_versions(f"{root}/image", IMAGE_VERSIONS)),
            "/image/versions": (200, microversion.image_versions(f"{root}/image", IMAGE_VERSIONS)),
        }
        for service, prefix, versioned in (
            (Service.COMPUTE, "/compute", "/v2.1/"),
            (Service.VOLUME, "/volume", "/v3/"),
        ):
            url, offered = root + prefix, RANGES[service]
            roots = microversion.versions(service, url, offered)
            documents[f"{prefix}/"] = (ROOT_STATUS[service], roots)
            documents[prefix + versioned] = (200, microversion.version(service, url, offered))
        status, document = documents[request.path.rstrip("/") + "/" * (request.path[-2:] != "ns")]
        return web.json_response(document, status=status)

    application = web.Application()
    application.router.add_get("/{path:.*}", answer)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    yield f"http://{host}:{port}"
    await runner.cleanup()


def discovered(url: str) -> list[dict[str, Any]]:
    keystone_session = session.Session()
    try:
        found: list[dict[str, Any]] = discover.get_discovery(
            keystone_session, url, authenticated=False
        ).version_data()
        return found
    finally:
        keystone_session.close()


@pytest.mark.parametrize("path", ["/compute/", "/compute/v2.1/", "/compute/v2.1"])
async def test_compute_is_discovered_with_its_microversions(base: str, path: str) -> None:
    (found,) = await asyncio.to_thread(discovered, base + path)
    assert (found["version"], found["url"]) == ((2, 1), f"{base}/compute/v2.1/")
    assert (found["min_microversion"], found["max_microversion"]) == ((2, 1), (2, 96))
    assert found["status"] == "CURRENT"


@pytest.mark.parametrize("path", ["/volume/", "/volume/v3/", "/volume/v3"])
async def test_volume_is_discovered_with_its_microversions(base: str, path: str) -> None:
    (found,) = await asyncio.to_thread(discovered, base + path)
    assert (found["version"], found["url"]) == ((3, 0), f"{base}/volume/v3/")
    assert (found["min_microversion"], found["max_microversion"]) == ((3, 0), (3, 70))


@pytest.mark.parametrize("path", ["/image/", "/image/versions"])
async def test_image_is_discovered_with_its_versions(base: str, path: str) -> None:
    found = await asyncio.to_thread(discovered, base + path)
    assert {one["version"]: one["raw_status"] for one in found} == {
        (2, 17): "CURRENT",
        (2, 9): "SUPPORTED",
        (2, 0): "SUPPORTED",
    }
    assert {one["url"] for one in found} == {f"{base}/image/v2/"}

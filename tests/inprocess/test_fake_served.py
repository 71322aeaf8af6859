# SPDX-License-Identifier: Apache-2.0
"""A pod in memory behind a real HTTP server."""

import asyncio
import socket
from collections.abc import AsyncIterator

import pytest
import uvicorn

from trio2o.pods.fake import CIRROS, FakePod
from trio2o.pods.transport import AiohttpTransport

pytestmark = pytest.mark.anyio


@pytest.fixture
async def url() -> AsyncIterator[str]:
    pod = FakePod("Pod1")
    sock = socket.socket()
    sock.bind(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(pod.app, log_level="warning"))
    task = asyncio.create_task(server.serve(sockets=[sock]))
    yield f"http://127.0.0.1:{sock.getsockname()[1]}?{pod.identity.token()}"
    server.should_exit = True
    await task


async def test_a_pod_can_be_served(url: str) -> None:
    base, _, token = url.partition("?")
    transport = AiohttpTransport()

    async def send(method: str, path: str, body: bytes | None = None) -> tuple[int, bytes]:
        headers = {"x-auth-token": token, "content-type": "application/json"}
        reply = await transport.send(
            method, base + path, headers, body, connect_s=5, deadline_s=5, stream=False
        )
        return reply.status, reply.body

    asked = f'{{"server": {{"name": "s", "flavorRef": "42", "imageRef": "{CIRROS}"}}}}'
    assert (await send("POST", "/compute/v2.1/servers", asked.encode()))[0] == 202
    status, body = await send("GET", "/compute/v2.1/servers/detail?limit=1")
    assert status == 200
    assert f"{base}/compute/v2.1/servers/".encode() in body
    assert (await send("GET", f"/image/v2/images/{CIRROS}/file"))[1] == bytes(65536)
    assert (await send("GET", "/nosuch"))[0] == 404
    await transport.close()

# SPDX-License-Identifier: Apache-2.0
"""The gateway dies by SIGKILL in the middle of a create: what it began has one owner in the end.

The gateway is a process of its own that reaches the pods by HTTP; see tests/faults for the same
on real pods.
"""

import asyncio
import contextlib
import os
import signal
import socket
import sys
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from tests.asgi import call
from tests.inprocess.cloud import HOST, IMAGE, Cloud, cloud
from trio2o.api.app import create_app
from trio2o.model import IntentState, Service
from trio2o.pods.fake import FakeIdentity, FakePod
from trio2o.settings import load

ROOT = Path(__file__).parents[2]
SERVICES = (Service.COMPUTE, Service.VOLUME, Service.IMAGE, Service.NETWORK, Service.PLACEMENT)
SERVERS = "/compute/v2.1/servers"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@contextlib.contextmanager
def served(pods: Mapping[str, FakePod]) -> Iterator[dict[str, str]]:
    """The pods' URLs, while they are served."""
    sockets = {name: socket.create_server(("127.0.0.1", 0)) for name in pods}
    servers, threads = [], []
    for name, listener in sockets.items():
        server = uvicorn.Server(uvicorn.Config(pods[name].app, lifespan="off", log_level="error"))
        thread = threading.Thread(target=server.run, args=[[listener]])
        thread.start()
        servers.append(server)
        threads.append(thread)
    yield {name: f"http://127.0.0.1:{one.getsockname()[1]}" for name, one in sockets.items()}
    for server in servers:
        server.should_exit = True
    for thread in threads:
        thread.join()


async def die(top: Cloud, directory: Path, point: str, method: str, target: str) -> None:
    """Let another gateway on the same database and pods do this, and die at ``point``."""
    with served(top.pods) as urls:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "tests.inprocess.test_story_crash",
            str(directory),
            method,
            target,
            *(f"{name}={url}" for name, url in urls.items()),
            cwd=ROOT,
            env={**os.environ, "TRIO2O_FAULT_POINTS": point},
        )
        assert await process.wait() == -signal.SIGKILL


BODIES: dict[str, Any] = {
    SERVERS: {"server": {"name": "x", "flavorRef": "42", "imageRef": IMAGE}},
    "/image/v2/images": {"name": "x"},
}
OUTCOMES = {
    "create.intended": IntentState.NOTHING,
    "create.answered": IntentState.ADOPTED,
    "create.confirmed": IntentState.CONFIRMED,
}


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("point", "target"),
    [*((point, SERVERS) for point in OUTCOMES), ("create.answered", "/image/v2/images")],
)
async def test_what_a_dead_gateway_began_has_one_owner(
    tmp_path: Path, point: str, target: str
) -> None:
    async with cloud(tmp_path) as top:
        await top.deps.identity.service_token()
        await die(top, tmp_path, point, "POST", target)
        (intent,) = await top.intents()
        made = point != "create.intended"
        assert intent.state is (
            IntentState.CONFIRMED if point == "create.confirmed" else IntentState.ASKED
        )
        await top.work()
        (intent,) = await top.intents()
        assert intent.state is OUTCOMES[point]
        assert len(intent.resource_ids) == made
        listed = next(iter((await top.call("GET", f"{target}?name=x")).json.values()))
        assert [one["id"] for one in listed] == list(intent.resource_ids)
        for ident in intent.resource_ids:
            assert (await top.routing(ident))["project_id"] == top.project
            assert (await top.call("DELETE", f"{target}/{ident}")).status in (202, 204)
        assert sum(top.counts("POST", f"{target.rpartition('/')[2]}$").values()) == made


async def _gateway(directory: str, method: str, target: str, *urls: str) -> None:
    """The other gateway. Its tokens are those of Cloud, since they are made in the same order."""
    identity = FakeIdentity()
    token = identity.token("demo", "demo", ("member",))
    identity.admin_token()
    await identity.service_token()
    for url in urls:
        name, _, base = url.partition("=")
        identity.add_region(name, base, SERVICES)
    options = ["--gateway-region", "CentralRegion", "--database-url"]
    url = f"sqlite:///{directory}/trio2o.sqlite"
    app = create_app(load([*options, url], default_files=[]), identity=identity)
    headers = {"x-auth-token": token}
    await call(app, method, target, headers=headers, body=BODIES[target], host=HOST)
    await app.close()


if __name__ == "__main__":
    asyncio.run(_gateway(*sys.argv[1:]))

# SPDX-License-Identifier: Apache-2.0
"""Whatever is sent to the gateways, the answer is one of a service, and never an accident."""

import asyncio
import json
import logging
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.asgi import call
from tests.inprocess.cloud import HOST, IMAGE, Cloud, cloud
from trio2o.model import Service
from trio2o.ops import Op
from trio2o.ops.tables import TABLES

ROOTS = {
    Service.COMPUTE: "/compute/v2.1",
    Service.VOLUME: "/volume/v3",
    Service.IMAGE: "/image/v2",
}
VERSIONS = {Service.COMPUTE: "compute", Service.VOLUME: "volume", Service.IMAGE: "image"}
ROWS = [op for table in TABLES if table.service in ROOTS for op in table]
SERVER = "5e5e5e5e-0000-4000-8000-000000000001"
VOLUME = "70707070-0000-4000-8000-000000000001"
KNOWN = [
    SERVER,
    VOLUME,
    IMAGE,
    "42",
    "lab",
    "az1",
    "nowhere",
    "11111111-1111-4111-8111-111111111111",
    "",
]

words = st.one_of(st.sampled_from(KNOWN), st.sampled_from(KNOWN), st.text(max_size=8))
scalars = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), words)
documents = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(words, inner, max_size=3)
    ),
    max_leaves=8,
)
PARAMETERS = (
    *("limit", "marker", "offset", "sort", "sort_key", "sort_dir", "with_count", "consistency"),
    *("all_tenants", "name", "status", "availability_zone", "delete_info", "detailed", "start"),
)
queries = st.dictionaries(
    st.one_of(
        st.sampled_from(PARAMETERS),
        st.text(max_size=5),
    ),
    words | st.integers().map(str),
    max_size=3,
)


def _shaped(op: Op, draw: st.DrawFn) -> Any:
    """A body whose outer form may be the one that the operation has."""
    inner = draw(documents)
    if op.action:
        return {op.action: inner}
    paths = [ref.at for ref in op.refs if not ref.at.startswith("?")]
    body: Any = {}
    for path in paths:
        node = body
        *outer, last = path.removesuffix("[]").split(".")
        for step in outer:
            name = step.removesuffix("[]")
            found = node.setdefault(name, [{}] if step.endswith("[]") else {})
            node = found[0] if isinstance(found, list) else found
            if not isinstance(node, dict):
                return inner
        node.setdefault(last, draw(documents))
    if not body and op.kind is not None:
        body = {op.kind.value: inner}
    return body or inner


def _segment(name: str, draw: st.DrawFn) -> str:
    fitting = {"{server}": SERVER, "{volume}": VOLUME, "{image}": IMAGE, "{flavor}": "42"}
    if name in fitting and draw(st.integers(0, 3)):
        return fitting[name]
    return quote(draw(words), safe="%" if draw(st.booleans()) else "")


@st.composite
def requests(draw: st.DrawFn) -> tuple[str, str, dict[str, str], bytes]:
    op: Op = draw(st.sampled_from(ROWS))
    path = "/".join(
        _segment(part, draw) if part.startswith("{") else part for part in op.path.split("/")
    )
    query = "&".join(f"{quote(k)}={quote(v)}" for k, v in draw(queries).items())
    method = draw(st.sampled_from([op.method] * 5 + ["GET", "POST", "PUT", "DELETE", "PATCH"]))
    headers = {}
    name = VERSIONS[op.service]
    least = op.since or {"compute": "2.1", "volume": "3.0"}.get(name, "2.0")
    version = draw(st.sampled_from(["", f"{name} latest", f"{name} {least}"]))
    if version:
        headers["openstack-api-version"] = version
    body = b""
    if method not in ("GET", "HEAD"):
        shaped = _shaped(op, draw) if draw(st.integers(0, 3)) else draw(documents)
        body = draw(st.one_of(st.just(json.dumps(shaped).encode()), st.binary(max_size=20)))
        headers["content-type"] = draw(st.sampled_from(["application/json", "text/plain", ""]))
    return method, f"{ROOTS[op.service]}{path}?{query}", headers, body


class Story:
    """One cloud for all examples: making one takes longer than asking it."""

    def __init__(self, directory: Path) -> None:
        self.loop = asyncio.new_event_loop()
        self.context = cloud(directory, options=("--pods-breaker-failures", "1000000"))
        self.top: Cloud = self.loop.run_until_complete(self.context.__aenter__())

    def restore(self) -> None:
        """There is a server and a volume, whatever was done to them before."""
        project = self.top.identity.project_id("admin")
        first, second = self.top.pods["Pod1"], self.top.pods["Pod2"]
        for pod in (first, second):
            if pod.cloud.flavors.find("42") is None:
                pod.add_flavor("42", "m1.nano", vcpus=1, ram=128, disk=1)
        if first.cloud.servers.find(SERVER) is None:
            server = first.add_server(project)
            first.cloud.servers.drop(server.id)
            server.id = SERVER
            first.cloud.servers.add(server)
        if second.cloud.volumes.find(VOLUME) is None:
            volume = second.add_volume(project)
            second.cloud.volumes.drop(volume.id)
            volume.id = VOLUME
            second.cloud.volumes.add(volume)

    def close(self) -> None:
        self.loop.run_until_complete(self.context.__aexit__(None, None, None))
        self.loop.close()


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Any:
    one = Story(tmp_path_factory.mktemp("anything"))
    yield one
    one.close()


@settings(
    max_examples=400,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(request_=requests())
def test_no_request_is_an_accident(
    story: Story,
    caplog: pytest.LogCaptureFixture,
    request_: tuple[str, str, dict[str, str], bytes],
) -> None:
    method, target, headers, body = request_
    top = story.top

    async def ask() -> int:
        sent = {"x-auth-token": top.admin, **headers}
        answer = await call(top.app, method, target, headers=sent, body=body, host=HOST)
        return answer.status

    story.restore()
    caplog.clear()
    with caplog.at_level(logging.ERROR):
        story.loop.run_until_complete(ask())
    failed = [record for record in caplog.records if record.name == "trio2o.api.gateway"]
    assert not failed, failed[0].exc_text

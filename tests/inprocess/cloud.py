# SPDX-License-Identifier: Apache-2.0
"""The real application on a real database, in front of pods in memory."""

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tests.asgi import Answer, call
from trio2o.api.app import App, create_app
from trio2o.db import migrate
from trio2o.db import pods as pods_table
from trio2o.pods.fake import FakeIdentity, FakePod, InMemory
from trio2o.pods.memory import AsgiTransport
from trio2o.settings import load

HOST = "cloud.example:19999"


class Cloud:
    """One top region.  pods: by name.  user: token of a member of project "demo"."""

    def __init__(self, app: App, pods: Mapping[str, FakePod], identity: FakeIdentity) -> None:
        self.app = app
        self.pods = pods
        self.identity = identity
        self.user = identity.token("demo", "demo", ("member",))
        self.admin = identity.admin_token()
        self.project = identity.project_id("demo")

    @property
    def deps(self) -> Any:
        return self.app.deps

    async def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        token: str | None = None,
        version: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """path: from the gateway's root.  version: "compute 2.100" and the like."""
        sent = {"x-auth-token": self.user if token is None else token}
        if version:
            sent["openstack-api-version"] = version
        sent.update(headers or {})
        answer = await call(self.app, method, path, headers=sent, body=body, host=HOST)
        await self.app.deps.settle()
        return answer

    async def boot(self, name: str = "s", zone: str | None = None, **more: Any) -> dict[str, Any]:
        """A new server as POST answers it."""
        server = {"name": name, "flavorRef": "42", "imageRef": IMAGE, **more}
        if zone:
            server["availability_zone"] = zone
        answer = await self.call("POST", "/compute/v2.1/servers", {"server": server})
        assert answer.status == 202, answer.body
        made: dict[str, Any] = answer.json["server"]
        return made

    async def volume(self, zone: str | None = None, size: int = 1, **more: Any) -> dict[str, Any]:
        volume = {"size": size, **more}
        if zone:
            volume["availability_zone"] = zone
        answer = await self.call("POST", "/volume/v3/volumes", {"volume": volume})
        assert answer.status == 202, answer.body
        made: dict[str, Any] = answer.json["volume"]
        return made

    async def routing(self, resource_id: str) -> dict[str, Any]:
        answer = await self.call("GET", f"/v1.0/routings/{resource_id}", token=self.admin)
        assert answer.status == 200, answer.body
        found: dict[str, Any] = answer.json["routing"]
        return found

    async def pod_of(self, resource_id: str) -> str:
        name: str = (await self.routing(resource_id))["pod_name"]
        return name

    async def explain(self, resource_id: str) -> dict[str, Any]:
        answer = await self.call("GET", f"/v1.0/placements/{resource_id}", token=self.admin)
        assert answer.status == 200, answer.body
        found: dict[str, Any] = answer.json["placement"]
        return found


IMAGE = "c1220500-0000-4000-8000-000000000001"


@asynccontextmanager
async def cloud(
    directory: Path,
    zones: Mapping[str, str] | None = None,
    *,
    options: Iterable[str] = (),
    url: str = "",
    **pod_options: Mapping[str, Any],
) -> AsyncIterator[Cloud]:
    """zones: pod name -> its zone in the top region.  pod_options: per pod, of FakePod."""
    zones = {"Pod1": "az1", "Pod2": "az2"} if zones is None else zones
    identity = FakeIdentity()
    pods = {name: FakePod(name, identity=identity, **pod_options.get(name, {})) for name in zones}
    url = url or f"sqlite:///{directory}/trio2o.sqlite"
    settings = load(
        ["--gateway-region", "CentralRegion", "--database-url", url, *options], default_files=[]
    )
    transport = AsgiTransport(InMemory(list(pods.values())))
    app = create_app(settings, identity=identity, transport=transport)
    migrate.upgrade(app.deps.db)
    for name, zone in zones.items():
        await app.deps.db.write(pods_table.create, name=name, az_name=zone, pod_az_name="nova")
    try:
        yield Cloud(app, pods, identity)
    finally:
        await app.close()

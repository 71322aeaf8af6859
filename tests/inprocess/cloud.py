# SPDX-License-Identifier: Apache-2.0
"""The real application on a real database, in front of pods in memory."""

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from tests.asgi import Answer, call
from trio2o.api.app import App, create_app
from trio2o.db import bindings, intents, migrate
from trio2o.db import pods as pods_table
from trio2o.model import BoundBy, Intent, Pod
from trio2o.pods.fake import FakeIdentity, FakePod, InMemory
from trio2o.pods.memory import AsgiTransport
from trio2o.settings import load
from trio2o.worker.loop import work_once

HOST = "cloud.example:19999"


class Cloud:
    """One top region.  pods: by name.  user: token of a member of project "demo"."""

    def __init__(
        self, app: App, pods: dict[str, FakePod], identity: FakeIdentity, reach: InMemory
    ) -> None:
        self.app = app
        self.pods = pods
        self.identity = identity
        self._reach = reach
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

    async def add_pod(self, name: str, zone: str, **options: Any) -> FakePod:
        """Build a cloud and register it as an operator does."""
        pod = FakePod(name, identity=self.identity, **options)
        self.pods[name] = pod
        self._reach.pods[pod.host] = pod
        body = {"pod": {"name": name, "az_name": zone, "pod_az_name": "nova"}}
        answer = await self.call("POST", "/v1.0/pods", body, token=self.admin)
        assert answer.status == 201, answer.body
        return pod

    async def set_pod(self, name: str, **changes: Any) -> None:
        """Change a pod as an operator does."""
        answer = await self.call("PATCH", f"/v1.0/pods/{name}", {"pod": changes}, token=self.admin)
        assert answer.status == 200, answer.body
        self.deps.registry.forget()

    async def pod(self, name: str) -> Pod:
        found: Pod = await self.deps.db.read(pods_table.find_by_name, name)
        return found

    async def bind(self, pod: str, by: BoundBy = BoundBy.ADMIN) -> None:
        """As an administrator, who has a Keystone to ask for the project, or the scheduler."""
        await self.deps.db.write(
            bindings.bind_preferred, self.project, await self.pod(pod), bound_by=by
        )

    async def bindings(self) -> list[dict[str, Any]]:
        query = f"project_id={self.project}&in_force=true"
        answer = await self.call("GET", f"/v1.0/bindings?{query}", token=self.admin)
        found: list[dict[str, Any]] = answer.json["pod_bindings"]
        return found

    async def work(self) -> None:
        """A round of the worker, long after all that is under way."""
        worker = replace(self.deps.settings.worker, intent_grace_s=0.0, interval_s=0.0)
        settings = replace(self.deps.settings, worker=worker)
        await work_once(replace(self.deps, settings=settings), "worker")

    async def intents(self) -> list[Intent]:
        found: list[Intent] = await self.deps.db.read(intents.list_)
        return found

    def forget_requests(self) -> None:
        for pod in self.pods.values():
            pod.forget_requests()

    def counts(self, method: str = "", path: str = "") -> dict[str, int]:
        """How often each pod was asked so."""
        return {name: pod.count(method, path) for name, pod in self.pods.items()}

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
    reach = InMemory(list(pods.values()))
    app = create_app(settings, identity=identity, transport=AsgiTransport(reach))
    migrate.upgrade(app.deps.db)
    for name, zone in zones.items():
        await app.deps.db.write(pods_table.create, name=name, az_name=zone, pod_az_name="nova")
    try:
        yield Cloud(app, pods, identity, reach)
    finally:
        await app.close()

# SPDX-License-Identifier: Apache-2.0
"""The real admin API on a real database, and callers of it."""

import dataclasses
import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from starlette.types import ASGIApp

from trio2o import clock
from trio2o import settings as options
from trio2o.api.admin import create_admin_app
from trio2o.db import migrate
from trio2o.db.session import Database
from trio2o.model import Service
from trio2o.pods.fake.identity import FakeIdentity
from trio2o.pods.memory import AsgiTransport

BASE = "https://cloud.example"
SERVICES = (Service.COMPUTE, Service.VOLUME, Service.IMAGE)

logging.getLogger("trio2o").addHandler(logging.NullHandler())


class Registry:
    """Counts how often it was told that pods have changed."""

    def __init__(self) -> None:
        self.forgotten = 0

    def forget(self) -> None:
        self.forgotten += 1


class Projects:
    """All projects are there but ``nobody``."""

    async def has(self, project_id: str) -> bool:
        return project_id != "nobody"


@dataclasses.dataclass(frozen=True)
class Deps:
    settings: options.Settings
    db: Database
    identity: FakeIdentity
    registry: Registry


@dataclasses.dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def body(self) -> Any:
        return json.loads(self.content)

    @property
    def message(self) -> str:
        message: str = self.body["error"]["message"]
        return message


class AdminApi:
    """An admin API with one caller, an admin unless ``token`` says another."""

    def __init__(
        self, folder: Path, *, policy: str = "", base_url: str = "", max_limit: int = 1000
    ) -> None:
        self.now = clock.now()
        (folder / "policy.yaml").write_text(policy or "{}")
        conf = folder / "trio2o.conf"
        conf.write_text(
            f"[database]\nurl = sqlite:///{folder}/trio2o.sqlite\n"
            f"[api]\nbase_url = {base_url}\n"
            f"[gateway]\nregion = CentralRegion\nmax_limit = {max_limit}\n"
            f"[oslo_policy]\npolicy_file = {folder}/policy.yaml\n"
        )
        loaded = options.load([], [str(conf)])
        self.identity = FakeIdentity()
        self.db = Database.configured(loaded.database)
        migrate.upgrade(self.db)
        self.registry = Registry()
        self.deps = Deps(loaded, self.db, self.identity, self.registry)
        self.app: ASGIApp = create_admin_app(self.deps, Projects())
        self.transport = AsgiTransport({"cloud.example": self.app})
        self.admin = self.identity.admin_token()

    def add_regions(self, *names: str) -> None:
        for name in names:
            self.identity.add_region(name, f"http://{name.lower()}.example", SERVICES)

    async def __call__(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        token: str | None = None,
        headers: Mapping[str, str] | None = None,
        content: bytes | None = None,
    ) -> Answer:
        sent = {"x-auth-token": self.admin if token is None else token, **(headers or {})}
        if body is not None:
            content = json.dumps(body).encode()
            sent.setdefault("content-type", "application/json")
        reply = await self.transport.send(
            method, BASE + path, sent, content, connect_s=1, deadline_s=30, stream=False
        )
        return Answer(
            reply.status, {name.lower(): value for name, value in reply.headers}, reply.body
        )

    async def add_pod(self, name: str, az_name: str = "az1", **more: Any) -> dict[str, Any]:
        """Register a pod, and its region with it."""
        self.add_regions(name)
        answer = await self(
            "POST", "/v1.0/pods", {"pod": {"name": name, "az_name": az_name, **more}}
        )
        assert answer.status == 201, answer.content
        pod: dict[str, Any] = answer.body["pod"]
        return pod

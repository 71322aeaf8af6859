# SPDX-License-Identifier: Apache-2.0
"""A real cloud of the lab and an in-memory one, asked the same and compared.

Each keeps a transcript of what it answered, in which its own names (ids, times, its URL) are
replaced by what kind of name they are, so that two transcripts of one story are equal when the
clouds are.
"""

import asyncio
import json
import os
import re
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import aiohttp

from lab.layout import Lab
from tests.asgi import call
from trio2o.pods.fake import FakeIdentity, FakePod

QUOTAS = {
    "compute": {"instances": 10, "cores": 20, "ram": 51200},
    "volume": {
        "volumes": 10,
        "snapshots": 10,
        "gigabytes": 1000,
        "backups": 10,
        "backup_gigabytes": 1000,
    },
}
"""Of every project, whatever the lab's defaults are."""
_QUOTA_PATHS = {"compute": "/v2.1/os-quota-sets", "volume": "/v3/os-quota-sets"}
SERVICES = ("compute", "volume", "image", "network", "placement")
_FAKE_ROOTS = {"image": "/image", "network": "/network", "placement": "/placement"}
_FAKE_ROOTS |= {"compute": "/compute", "volume": "/volume"}

_HEADERS = (
    "allow",
    "accept-patch",
    "content-type",
    "content-md5",
    "location",
    "openstack-api-version",
    "openstack-image-import-methods",
    "openstack-image-store-ids",
    "retry-after",
    "vary",
    "www-authenticate",
    "x-compute-request-id",
    "x-openstack-nova-api-version",
    "x-openstack-request-id",
)
_KINDS = (
    (re.compile(r"req-[0-9a-f-]{36}"), "<request>"),
    (re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"), "<uuid>"),
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}"), "<micros>"),
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"), "<seconds>"),
    (re.compile(r"[0-9a-f]{2}(?::[0-9a-f]{2}){5,}"), "<colons>"),
    (re.compile(r"\br-[0-9a-z]{8}\b"), "<reservation>"),
    (re.compile(r"instance-[0-9a-f]{8}"), "<instance>"),
    (re.compile(r"\b[0-9a-f]{128}\b"), "<sha512>"),
    (re.compile(r"\b[0-9a-f]{56}\b"), "<sha224>"),
    (re.compile(r"\b[0-9a-f]{32}\b"), "<hex>"),
)


@dataclass(frozen=True)
class Said:
    """An answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Cloud(Protocol):
    """Where a story happens.

    words: text that stands for the same thing in both clouds -> what it stands for.
    """

    words: dict[str, str]
    transcript: list[str]

    def project(self, name: str) -> str: ...
    def user(self, name: str) -> str: ...
    async def send(
        self,
        method: str,
        target: str,
        *,
        service: str,
        user: str,
        headers: dict[str, str],
        body: bytes | None,
    ) -> Said: ...


class Story:
    """What happens, told to one cloud.

    loose: keys of which only the type is compared.
    """

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud

    async def __call__(
        self,
        request: str,
        body: Any = None,
        *,
        user: str = "member",
        version: str = "",
        headers: Mapping[str, str] | None = None,
        quiet: bool = False,
    ) -> Said:
        """Send ``request``, "METHOD service /path", and write down the answer."""
        method, service, target = request.split(" ", 2)
        sent = {"accept": "application/json"}
        raw: bytes | None = body if isinstance(body, bytes) else None
        if body is not None and raw is None:
            raw = json.dumps(body).encode()
        if raw is not None:
            sent["content-type"] = "application/json"
        if version:
            sent["openstack-api-version"] = f"{service} {version}"
        sent |= headers or {}
        said = await self.cloud.send(
            method, target, service=service, user=user, headers=sent, body=raw
        )
        if not quiet:
            line = self._normal(f"{request} [{version}] {user} {body!r}"[:300])
            self.cloud.transcript.append("\n".join([line, *self._lines(said)]))
        return said

    async def until(
        self,
        request: str,
        good: Callable[[Said], bool],
        *,
        user: str = "member",
        version: str = "",
    ) -> Said:
        """The first answer that is ``good``; what came before is not written down."""
        for _ in range(240):
            said = await self(request, user=user, version=version, quiet=True)
            if good(said):
                return said
            await asyncio.sleep(0.25)
        raise AssertionError(f"{request} did not become as wanted: {said}")

    def call(self, text: str, name: str) -> str:
        """From now on ``text`` is written down as ``<name>``."""
        self.cloud.words[text] = f"<{name}>"
        return text

    def project(self, name: str = "mine") -> str:
        return self.cloud.project(name)

    def user(self, name: str) -> str:
        return self.cloud.user(name)

    def _normal(self, text: str) -> str:
        for word, meaning in sorted(self.cloud.words.items(), key=lambda item: -len(item[0])):
            text = text.replace(word, meaning)
        for pattern, meaning in _KINDS:
            text = pattern.sub(meaning, text)
        return text

    def _lines(self, said: Said) -> Iterator[str]:
        yield f"  {said.status}"
        for name in _HEADERS:
            if name in said.headers:
                value = said.headers[name]
                yield f"  {name}: {'given' if 'request-id' in name else self._normal(value)}"
        try:
            parsed = json.loads(said.body)
        except ValueError:
            yield f"  {self._normal(said.body.decode(errors='replace'))}"
            return
        yield from sorted({f"  {line}" for line in self._walk("", parsed)})

    def _walk(self, path: str, value: Any) -> Iterator[str]:
        """One line for each leaf; list items are one after the other, without their place."""
        if isinstance(value, dict):
            if not value:
                yield f"{path} = {{}}"
            for key, item in value.items():
                yield from self._walk(f"{path}.{self._normal(str(key))}", item)
        elif isinstance(value, list):
            if not value:
                yield f"{path} = []"
            # Placement shows traits in the order in which its database has them.
            items = sorted(value) if path.endswith(".traits") else value
            for index, item in enumerate(items):
                yield from self._walk(f"{path}[{index}]", item)
        elif isinstance(value, str):
            yield f"{path} = {self._normal(value)!r}"
        else:
            yield f"{path} = {value!r}"


@dataclass
class FakeCloud:
    """A pod in memory, with the lab's sizes and names."""

    pod: FakePod
    identity: FakeIdentity
    tokens: dict[str, str] = field(default_factory=dict)
    words: dict[str, str] = field(default_factory=dict)
    transcript: list[str] = field(default_factory=list)

    @classmethod
    def make(cls) -> "FakeCloud":
        identity = FakeIdentity()
        pod = FakePod(
            "pod1",
            vcpus=1000,
            ram_mb=800_000,
            disk_gb=600_000,
            volume_gb=100_000,
            identity=identity,
        )
        pod.behaviour.server_build_looks = 1
        pod.behaviour.server_delete_looks = 1
        pod.behaviour.server_action_looks = 1
        pod.behaviour.volume_build_looks = 1
        pod.behaviour.volume_delete_looks = 1
        pod.set_quota(**QUOTAS["compute"], **QUOTAS["volume"])
        pod.add_network(identity.project_id("admin"), "public", external=True)
        cloud = cls(pod, identity)
        for name, project, roles in USERS:
            cloud.tokens[name] = identity.token(name, project, roles)
            cloud.words[identity.user_id(name)] = f"<user {name}>"
            cloud.words[identity.project_id(project)] = f"<project {project}>"
        cloud.words["http://keystone.example:5000/v3"] = "<keystone>"
        cloud.words["/v2.1"] = "/v2.1"
        for service in SERVICES:
            cloud.words[f"http://pod1.example/{service}"] = f"<{service}>"
        return cloud

    def project(self, name: str) -> str:
        return self.identity.project_id(name)

    def user(self, name: str) -> str:
        return self.identity.user_id(name)

    async def send(
        self,
        method: str,
        target: str,
        *,
        service: str,
        user: str,
        headers: dict[str, str],
        body: bytes | None,
    ) -> Said:
        if user in self.tokens:
            headers["x-auth-token"] = self.tokens[user]
        answer = await call(
            self.pod.app, method, f"/{service}{target}", headers=headers, body=body
        )
        return Said(answer.status, answer.headers, answer.body)


USERS = (
    ("member", "mine", ("member",)),
    ("other", "theirs", ("member",)),
    ("operator", "operators", ("admin",)),
)
"""user, project and roles; in a real cloud their names begin with a word of the run."""


class RealCloud:
    """The first pod of the lab, with projects of this run only."""

    def __init__(self, session: aiohttp.ClientSession, run: str) -> None:
        lab = Lab.from_environment()
        pod = lab.pod("pod1")
        self.session = session
        self.run = run
        self.auth_url = lab.auth_url
        self.urls = {service: f"http://127.0.0.1:{pod.port(service)}" for service in SERVICES}
        self.tokens: dict[str, str] = {}
        self.projects: dict[str, str] = {}
        self.users: dict[str, str] = {}
        self.words: dict[str, str] = {}
        self.transcript: list[str] = []
        self.admin = ""

    async def make(self) -> None:
        """Users and projects. Fails when there is no lab."""
        self.admin, _ = await self._log_in("admin", "admin")
        roles = {role["name"]: role["id"] for role in await self._list("roles")}
        for name, project, held in USERS:
            self.projects[project] = await self._make("project", f"{self.run}-{project}")
            self.users[name] = await self._make("user", f"{self.run}-{name}", password="lab")
            for role in held:
                path = f"projects/{self.projects[project]}/users/{self.users[name]}/roles"
                await self._keystone("PUT", f"{path}/{roles[role]}")
            full = f"{self.run}-{name}"
            self.tokens[name], _ = await self._log_in(full, f"{self.run}-{project}")
            self.words[self.users[name]] = f"<user {name}>"
            self.words[self.projects[project]] = f"<project {project}>"
            await self._limit(project)
        self.words[self.auth_url] = "<keystone>"
        self.words["/dev/sd"] = "/dev/vd"  # the lab's driver calls the first disk so
        for service, url in self.urls.items():
            self.words[url] = f"<{service}>"

    async def _limit(self, project: str) -> None:
        self.tokens["lab admin"] = self.admin
        for service, quotas in QUOTAS.items():
            said = await self.send(
                "PUT",
                f"{_QUOTA_PATHS[service]}/{self.projects[project]}",
                service=service,
                user="lab admin",
                headers={"content-type": "application/json"},
                body=json.dumps({"quota_set": quotas}).encode(),
            )
            assert said.status == 200, said

    async def clear(self) -> None:
        """Remove what the stories left behind, and the users."""
        for name, project, _ in USERS:
            await self._clear_project(name)
            await self._keystone("DELETE", f"users/{self.users[name]}")
            await self._keystone("DELETE", f"projects/{self.projects[project]}")

    async def _clear_project(self, user: str) -> None:
        for service, path, key in (
            ("compute", "/v2.1/servers", "servers"),
            ("volume", "/v3/snapshots", "snapshots"),
            ("volume", "/v3/volumes", "volumes"),
            ("image", "/v2/images?visibility=shared", "images"),
            ("image", "/v2/images?visibility=private", "images"),
            ("compute", "/v2.1/os-server-groups", "server_groups"),
        ):
            for _ in range(60):
                said = await self.send(
                    "GET", path, service=service, user=user, headers={}, body=None
                )
                items = said.json[key]
                if not items:
                    break
                for item in items:
                    target = f"{path.partition('?')[0]}/{item['id']}"
                    await self.send(
                        "DELETE", target, service=service, user=user, headers={}, body=None
                    )
                await asyncio.sleep(0.5)

    def project(self, name: str) -> str:
        return self.projects[name]

    def user(self, name: str) -> str:
        return self.users[name]

    async def send(
        self,
        method: str,
        target: str,
        *,
        service: str,
        user: str,
        headers: dict[str, str],
        body: bytes | None,
    ) -> Said:
        if user in self.tokens:
            headers["x-auth-token"] = self.tokens[user]
        async with self.session.request(
            method,
            self.urls[service] + target,
            headers=headers,
            data=body,
            skip_auto_headers=("Content-Type", "User-Agent"),
            allow_redirects=False,
        ) as response:
            joined: dict[str, str] = {}
            for name, value in response.headers.items():
                key = name.lower()
                joined[key] = f"{joined[key]}, {value}" if key in joined else value
            return Said(response.status, joined, await response.read())

    async def _log_in(self, user: str, project: str) -> tuple[str, Any]:
        domain = {"domain": {"id": "default"}}
        body = {
            "auth": {
                "identity": {
                    "methods": ["password"],
                    "password": {"user": {"name": user, "password": "lab", **domain}},
                },
                "scope": {"project": {"name": project, **domain}},
            }
        }
        async with self.session.post(f"{self.auth_url}/auth/tokens", json=body) as response:
            assert response.status == 201, await response.text()
            return response.headers["X-Subject-Token"], await response.json()

    async def _keystone(self, method: str, path: str, body: Any = None) -> Any:
        async with self.session.request(
            method,
            f"{self.auth_url}/{path}",
            json=body,
            headers={"X-Auth-Token": self.admin},
        ) as response:
            assert response.status < 300, await response.text()
            return await response.json() if response.status != 204 else None

    async def _list(self, collection: str) -> list[Any]:
        return list((await self._keystone("GET", collection))[collection])

    async def _make(self, kind: str, name: str, **more: str) -> str:
        made = await self._keystone("POST", f"{kind}s", {kind: {"name": name, **more}})
        return str(made[kind]["id"])


Telling = Callable[[Story], Awaitable[None]]


def run_name() -> str:
    return f"conformance-{os.getpid()}"

# SPDX-License-Identifier: Apache-2.0
"""A Keystone that does as a test says: slow, down, or with another catalogue.

tests/functional/test_identity.py has the real one.
"""

import asyncio
import contextlib
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from aiohttp import web

from trio2o.settings import Settings, load

SERVICE_PROJECT = "5e41ce" + "0" * 26


class Keystone:
    """up, latency_s, password, roles, project: may change at any time; asked: counts requests.

    catalogue: what every token's is: (service type, interface, region, URL).
    """

    def __init__(self) -> None:
        self.url = ""
        self.up = True
        self.latency_s = 0.0
        self.password = "secret"
        self.project: str | None = "service"
        self.roles: tuple[str, ...] = ("admin", "service")
        self.lifetime_s = 3600.0
        self.regions: list[str] = []
        self.catalogue: list[tuple[str, str, str, str]] = []
        self.asked: Counter[str] = Counter()
        self._tokens: dict[str, dict[str, Any]] = {}

    def token(
        self,
        *roles: str,
        lifetime_s: float = 3600.0,
        access_rules: Iterable[Mapping[str, str]] | None = None,
        system: bool = False,
        scoped: bool = True,
    ) -> str:
        document = _document("demo", roles or ("member",), lifetime_s)
        if system:
            document["token"]["system"] = {"all": True}
        elif scoped:
            document["token"]["project"] = _project("d" * 32, "demo")
        if access_rules is not None:
            document["token"]["application_credential"] = {
                "id": "a",
                "restricted": True,
                "access_rules": list(access_rules),
            }
        return self._keep(document)

    def _keep(self, document: dict[str, Any]) -> str:
        token = f"gAAAA{uuid.uuid4().hex}"
        self._tokens[token] = document
        return token

    def revoke(self, token: str) -> None:
        del self._tokens[token]

    def application(self) -> web.Application:
        application = web.Application(middlewares=[self._behave])
        application.router.add_get("/v3", self._version)
        application.router.add_get("/v3/", self._version)
        application.router.add_post("/v3/auth/tokens", self._log_in)
        application.router.add_get("/v3/auth/tokens", self._validate)
        application.router.add_get("/v3/auth/catalog", self._catalog)
        application.router.add_get("/v3/regions", self._list_regions)
        return application

    @web.middleware
    async def _behave(self, request: web.Request, handler: Any) -> web.StreamResponse:
        self.asked[f"{request.method} {request.path}"] += 1
        await asyncio.sleep(self.latency_s)
        if not self.up:
            return web.Response(status=503)
        response: web.StreamResponse = await handler(request)
        return response

    async def _version(self, request: web.Request) -> web.Response:  # noqa: ARG002
        link = {"rel": "self", "href": f"{self.url}/v3/"}
        return web.json_response({"version": {"id": "v3.14", "status": "stable", "links": [link]}})

    async def _log_in(self, request: web.Request) -> web.Response:
        auth = (await request.json())["auth"]
        user = auth["identity"]["password"]["user"]
        scope = auth.get("scope", {}).get("project", {}).get("name")
        if user["password"] != self.password or scope not in (None, self.project):
            return self._error(401)
        document = _document(user["name"], self.roles if scope else (), self.lifetime_s)
        if scope:
            document["token"]["project"] = _project(SERVICE_PROJECT, scope)
        document["token"]["catalog"] = [
            {
                "type": "identity",
                "id": "k",
                "name": "keystone",
                "endpoints": [
                    {
                        "id": "e",
                        "interface": interface,
                        "region": "RegionOne",
                        "region_id": "RegionOne",
                        "url": f"{self.url}/v3",
                    }
                    for interface in ("public", "internal", "admin")
                ],
            }
        ]
        token = self._keep(document)
        return web.json_response(document, status=201, headers={"X-Subject-Token": token})

    async def _validate(self, request: web.Request) -> web.Response:
        if request.headers.get("X-Auth-Token") not in self._tokens:
            return self._error(401)
        document = self._tokens.get(request.headers["X-Subject-Token"])
        if document is None:
            return self._error(404)
        expired = datetime.fromisoformat(document["token"]["expires_at"]) <= datetime.now(UTC)
        if expired and not request.query.get("allow_expired"):
            return self._error(404)
        return web.json_response(document)

    async def _catalog(self, request: web.Request) -> web.Response:
        if request.headers.get("X-Auth-Token") not in self._tokens:
            return self._error(401)
        entries = [
            {
                "type": kind,
                "endpoints": [
                    {"region": region, "region_id": region, "interface": interface, "url": url}
                ],
            }
            for kind, interface, region, url in self.catalogue
        ]
        return web.json_response({"catalog": entries})

    async def _list_regions(self, request: web.Request) -> web.Response:  # noqa: ARG002
        return web.json_response({"regions": [{"id": name} for name in self.regions]})

    @staticmethod
    def _error(status: int) -> web.Response:
        return web.json_response(
            {"error": {"code": status, "message": "no", "title": "no"}}, status=status
        )


def _document(user: str, roles: Iterable[str], lifetime_s: float) -> dict[str, Any]:
    now = datetime.now(UTC)
    return {
        "token": {
            "methods": ["password"],
            "user": {"id": user, "name": user, "domain": {"id": "default", "name": "Default"}},
            "roles": [{"id": role, "name": role} for role in roles],
            "issued_at": now.isoformat(),
            "expires_at": (now + timedelta(seconds=lifetime_s)).isoformat(),
            "audit_ids": ["a"],
        }
    }


def _project(ident: str, name: str) -> dict[str, Any]:
    return {"id": ident, "name": name, "domain": {"id": "default", "name": "Default"}}


@contextlib.asynccontextmanager
async def running(keystone: Keystone) -> AsyncIterator[Keystone]:
    runner = web.AppRunner(keystone.application(), shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    keystone.url = f"http://{host}:{port}"
    try:
        yield keystone
    finally:
        await runner.cleanup()


def settings_for(url: str, directory: Path, service_user: str = "", more: str = "") -> Settings:
    """Settings of a gateway with a Keystone at ``url``.

    service_user, more: options of [service_user], and whole sections.
    """
    file = directory / "trio2o.conf"
    file.write_text(
        f"""
[service_user]
auth_type = password
auth_url = {url}/v3
username = trio2o
password = secret
user_domain_name = Default
project_name = service
project_domain_name = Default
{service_user}
[keystone_authtoken]
www_authenticate_uri = {url}/v3
http_connect_timeout = 1
http_request_max_retries = 0
{more}
"""
    )
    return load([], [str(file)])

# SPDX-License-Identifier: Apache-2.0
"""A Keystone in memory: users, projects and tokens that a test declares.

It offers what trio2o.pods.identity offers, and what the in-memory pods need to know who asks.
"""

import asyncio
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from trio2o import clock
from trio2o.errors import IdentityUnavailable, PodUnusable, Unauthenticated
from trio2o.model import Caller, Headers, Pod, Service

_IMPLIED = {
    "admin": frozenset({"manager", "member", "reader"}),
    "manager": frozenset({"member", "reader"}),
    "member": frozenset({"reader"}),
}
_VERSION_SEGMENT = {
    Service.COMPUTE: "/v2.1",
    Service.VOLUME: "/v3",
    Service.IMAGE: "",
    Service.NETWORK: "",
    Service.PLACEMENT: "",
}


def hex_id(name: str) -> str:
    """The id of the project or user called ``name``: 32 hexadecimal digits."""
    return uuid.uuid5(uuid.NAMESPACE_OID, name).hex


class FakeIdentity:
    """Projects and users exist as soon as they are named; their ids come from their names.

    latency_s: of each token that is looked at.
    Counters say how often the gateway asked: ``authentications``, ``catalogue_reads``.
    """

    def __init__(self, *, now: Callable[[], datetime] = clock.now, latency_s: float = 0.0) -> None:
        self._now = now
        self._callers: dict[str, Caller] = {}
        self._regions: dict[str, dict[Service, str]] = {}
        self._service_token = ""
        self._up = True
        self._count = 0
        self.latency_s = latency_s
        self.authentications = 0
        self.catalogue_reads = 0
        self.forgotten: list[str] = []

    # What tests declare.

    def project_id(self, name: str) -> str:
        return hex_id(f"project {name}")

    def user_id(self, name: str) -> str:
        return hex_id(f"user {name}")

    def token(
        self,
        user: str = "demo",
        project: str = "demo",
        roles: Iterable[str] = ("member",),
        *,
        lifetime_s: float = 3600.0,
        access_rules: Iterable[Mapping[str, Any]] | None = None,
        system_scope: str = "",
        domain: str = "default",
        is_admin_project: bool = True,
    ) -> str:
        """A new token of ``user`` in ``project``, with these roles and those they imply.

        access_rules: of an application credential.
        project: "" for a token without a project.
        """
        self._count += 1
        token = f"token-{self._count}-{user}-{project or 'unscoped'}"
        held = frozenset(roles)
        for role in tuple(held):
            held |= _IMPLIED.get(role, frozenset())
        self._callers[token] = Caller(
            user_id=self.user_id(user),
            project_id=self.project_id(project) if project else "",
            project_name=project,
            user_name=user,
            domain_id=domain,
            roles=held,
            token=token,
            expires_at=self._now() + timedelta(seconds=lifetime_s),
            system_scope=system_scope,
            is_admin_project=is_admin_project,
            access_rules=None if access_rules is None else tuple(access_rules),
        )
        return token

    def admin_token(self, user: str = "admin", project: str = "admin") -> str:
        return self.token(user, project, ("admin",))

    def revoke(self, token: str) -> None:
        self._callers.pop(token, None)

    def expire(self, token: str) -> None:
        caller = self._callers[token]
        self._callers[token] = replace(caller, expires_at=self._now() - timedelta(seconds=1))

    def down(self) -> None:
        """From now on every question is IdentityUnavailable. Pods still know old tokens."""
        self._up = False

    def up(self) -> None:
        self._up = True

    def add_region(self, name: str, base_url: str, services: Iterable[Service]) -> None:
        """Endpoints of a pod at ``base_url``, one path for each of ``services``."""
        self._regions[name] = {
            service: f"{base_url}/{service.value}{_VERSION_SEGMENT[service]}"
            for service in services
        }

    def remove_region(self, name: str) -> None:
        self._regions.pop(name, None)

    def set_endpoint(self, region: str, service: Service, url: str | None) -> None:
        """Another URL for one endpoint; None takes it away."""
        endpoints = self._regions.setdefault(region, {})
        if url is None:
            endpoints.pop(service, None)
        else:
            endpoints[service] = url

    # What pods ask.

    def who(self, token: str) -> Caller | None:
        """The caller of a valid token."""
        caller = self._callers.get(token)
        if caller is None or caller.expires_at <= self._now():
            return None
        return caller

    # What the gateway asks.

    async def authenticate(self, headers: Headers) -> Caller:
        """Raises Unauthenticated, IdentityUnavailable."""
        self.authentications += 1
        await asyncio.sleep(self.latency_s)
        self._check_up()
        caller = self.who(headers.get("x-auth-token", ""))
        if caller is None:
            raise Unauthenticated("The request you have made requires authentication.")
        return self._with_service(caller, headers.get("x-service-token", ""))

    async def service_token(self) -> str:
        """Raises IdentityUnavailable."""
        self._check_up()
        if self.who(self._service_token) is None:
            self._service_token = self.token("trio2o", "service", ("admin", "service"))
        return self._service_token

    async def endpoint(self, pod: Pod, service: Service) -> str:
        """A URL, with ``{project_id}`` where the caller's project goes.

        Raises PodUnusable, IdentityUnavailable.
        """
        self._check_up()
        self.catalogue_reads += 1
        url = self._regions.get(pod.name, {}).get(service)
        if url is None:
            raise PodUnusable(
                pod.name, f"Pod {pod.name} has no {service} endpoint in the catalogue."
            )
        return url

    async def check_region(self, name: str) -> list[str]:
        """What an operator must put right before ``name`` can be a pod."""
        self._check_up()
        if name not in self._regions:
            return [f"The catalogue has no region {name}."]
        wanted = (Service.COMPUTE, Service.VOLUME, Service.IMAGE)
        return [
            f"Region {name} has no {service} endpoint."
            for service in wanted
            if service not in self._regions[name]
        ]

    async def forget(self, pod: Pod) -> None:
        self.forgotten.append(pod.name)

    async def close(self) -> None:
        """Nothing is held."""

    def _check_up(self) -> None:
        if not self._up:
            raise IdentityUnavailable("Keystone did not respond.")

    def _with_service(self, caller: Caller, token: str) -> Caller:
        if not token:
            return caller
        service = self.who(token)
        if service is None:
            raise Unauthenticated("The request you have made requires authentication.")
        return replace(caller, service_token=token, service_roles=service.roles)

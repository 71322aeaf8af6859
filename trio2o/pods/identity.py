# SPDX-License-Identifier: Apache-2.0
"""Keystone, as the gateway needs it: who asks, who we are, where the pods are."""

import asyncio
import logging
import time
from collections.abc import Sequence
from typing import Protocol

import orjson

from trio2o.errors import IdentityUnavailable, PodUnusable
from trio2o.model import Caller, Headers, Pod, Service
from trio2o.settings import Settings

from . import catalogue
from .catalogue import Catalogue
from .client import versions_url
from .flight import SingleFlight
from .service_user import ServiceUser
from .tokens import Tokens
from .transport import NoReply, Transport

LOG = logging.getLogger(__name__)

ESSENTIAL = (Service.COMPUTE, Service.VOLUME, Service.IMAGE)
"""What a region must have to be a pod."""
_NOT_SOONER_S = 10.0
_PROBE_S = 5.0


class IdentityService(Protocol):
    async def authenticate(self, headers: Headers) -> Caller:
        """Who asks, by the tokens in ``headers`` (names in lower case) and nothing else.

        Raises Unauthenticated, IdentityUnavailable.
        """
        ...

    async def service_token(self) -> str:
        """A token of the gateway's own user, for what no user asked for.

        Raises IdentityUnavailable.
        """
        ...

    async def endpoint(self, pod: Pod, service: Service) -> str:
        """The URL of the catalogue; ``{project_id}`` in it is the caller's project.

        Raises PodUnusable, IdentityUnavailable.
        """
        ...

    async def check_region(self, name: str) -> list[str]:
        """What an operator must put right before ``name`` can be a pod.

        Raises IdentityUnavailable.
        """
        ...

    async def forget(self, pod: Pod) -> None:
        """The pod's endpoints may have changed: look again soon."""
        ...

    async def close(self) -> None: ...


class Identity:
    """The real one.  Raises Misconfigured.

    transport: for looking at what a region's endpoints answer.
    """

    def __init__(self, settings: Settings, transport: Transport) -> None:
        self._interface = settings.pods.interface
        self._keep_s = settings.pods.catalogue_s
        self._transport = transport
        self._user = ServiceUser(settings.conf)
        self._tokens = Tokens(
            settings.conf,
            keep_s=settings.gateway.token_cache_s,
            size=settings.gateway.token_cache_size,
        )
        self._catalogue = Catalogue()
        self._read_at = float("-inf")
        self._fresh_until = float("-inf")
        self._flights: SingleFlight[str, None] = SingleFlight()

    async def authenticate(self, headers: Headers) -> Caller:
        return await self._tokens.authenticate(headers)

    async def service_token(self) -> str:
        return await self._user.token()

    async def endpoint(self, pod: Pod, service: Service) -> str:
        found = self._catalogue.urls.get((pod.name, service))
        now = time.monotonic()
        if found is not None:
            if now >= self._fresh_until:
                self._flights.start(
                    "catalogue", self._refresh_quietly
                )  # beside the request: what was true for minutes is good enough
            return found
        if now - self._read_at >= _NOT_SOONER_S:
            await self._flights.run("catalogue", self._refresh)
            found = self._catalogue.urls.get((pod.name, service))
        if found is None:
            why = catalogue.missing(self._catalogue, pod.name, service, self._interface)
            raise PodUnusable(pod.name, f"{pod.name} is not asked: {why}")
        return found

    async def forget(self, pod: Pod) -> None:  # noqa: ARG002  one catalogue has them all
        if time.monotonic() - self._read_at >= _NOT_SOONER_S:
            self._fresh_until = float("-inf")

    async def _refresh(self) -> None:
        """Read the catalogue.  Raises IdentityUnavailable, and keeps what was read before."""
        login = await self._user.login()
        status, document = await self._user.get("/auth/catalog")
        if status != 200:
            raise IdentityUnavailable(f"Keystone answered GET /auth/catalog with {status}")
        self._catalogue = catalogue.read(
            document["catalog"], interface=self._interface, project_id=login.project_id
        )
        self._read_at = time.monotonic()
        self._fresh_until = self._read_at + self._keep_s

    async def _refresh_quietly(self) -> None:
        try:
            await self._refresh()
        except IdentityUnavailable as error:
            LOG.warning("the catalogue of before is used further: %s", error.message)
            self._fresh_until = time.monotonic() + _NOT_SOONER_S

    async def check_region(self, name: str, services: Sequence[Service] = ESSENTIAL) -> list[str]:
        await self._flights.run("catalogue", self._refresh)
        if name not in self._catalogue.regions:
            return [await self._why_no_region(name)]
        problems = await asyncio.gather(*(self._check_service(name, one) for one in services))
        return [problem for problem in problems if problem]

    async def _why_no_region(self, name: str) -> str:
        status, document = await self._user.get("/regions")
        known = sorted(region["id"] for region in document["regions"]) if status == 200 else []
        if name not in known:
            return f"Keystone has no region {name}; it has {', '.join(known) or 'none'}"
        return f"region {name} has no endpoints in the catalogue of the gateway's service user"

    async def _check_service(self, region: str, service: Service) -> str:
        lacking = catalogue.missing(self._catalogue, region, service, self._interface)
        if lacking:
            return lacking
        url = versions_url(service, self._catalogue.urls[region, service])
        try:
            reply = await self._transport.send(
                "GET",
                url,
                {"accept": "application/json"},
                None,
                connect_s=_PROBE_S,
                deadline_s=_PROBE_S,
                stream=False,
            )
            offered = orjson.loads(reply.body)
        except NoReply as error:
            return f"{service} of region {region} does not answer at {url}: {error.message}"
        except orjson.JSONDecodeError:
            offered = None
        if reply.status not in (200, 300) or not isinstance(offered, dict):
            return (
                f"{service} of region {region}: {url} shows no list of versions (status "
                f"{reply.status}); correct its endpoint"
            )
        return self._catalogue.problems.get((region, service), "")

    async def close(self) -> None:
        await self._flights.close()
        await self._user.close()
        await self._tokens.close()

# SPDX-License-Identifier: Apache-2.0
"""How much room have the pods?  Their Placement and their Cinder pools tell.

Asked with the gateway's own token: room is not a project's business. A pod that does not say
is not dropped for it, it only comes last.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from trio2o import place
from trio2o.errors import IdentityUnavailable, PodError
from trio2o.model import Kind, Pod, Service

from .deps import Deps
from .request import Request


class Room:
    """The looks at the pods that one placement needs."""

    def __init__(self, deps: Deps, request: Request) -> None:
        self._deps = deps
        self._request = request

    async def complete(
        self, wish: "place.Wish", pods: Sequence[Pod], healthy: Mapping[str, bool]
    ) -> "place.Wish":
        """The wish with what its flavor or volume type asks for; unchanged when none says."""
        path = wish.definition_path
        if not path:
            return wish
        for pod in sorted(pods, key=lambda pod: not healthy[pod.id]):
            found = await self._read(
                pod,
                wish.definition_service,
                path,
                wish.definition_query,
                wish.definition_version,
            )
            if found is not None:
                return wish.defined_by(found)
        return wish

    async def of(
        self, wish: "place.Wish", pods: Sequence[Pod]
    ) -> Mapping[str, "place.RoomReport | None"]:
        """By pod id; None for a pod that did not tell."""
        if len(pods) < 2 and wish.kind is not Kind.SERVER:
            return {}
        reports = await asyncio.gather(*(self._of_one(wish, pod) for pod in pods))
        return dict(zip((pod.id for pod in pods), reports, strict=True))

    async def _of_one(self, wish: "place.Wish", pod: Pod) -> "place.RoomReport | None":
        match wish.kind:
            case Kind.SERVER if wish.resources:
                query = place.candidates_query(wish)
                body = await self._read(
                    pod, Service.PLACEMENT, "/allocation_candidates", query, "placement 1.36"
                )
                return None if body is None else place.room_for_server(body, wish)
            case Kind.VOLUME:
                body = await self._read(
                    pod, Service.VOLUME, "/scheduler-stats/get_pools", "detail=true"
                )
                return None if body is None else place.room_for_volume(body, wish)
            case _:
                return None

    async def _read(
        self, pod: Pod, service: Service, path: str, query: str = "", version: str = ""
    ) -> Any:
        try:
            headers = {"x-auth-token": await self._deps.identity.service_token()}
            if version:
                headers["openstack-api-version"] = version
            reply = await self._deps.client.call(
                pod,
                service,
                "GET",
                path,
                query=query,
                headers=headers,
                request_id=self._request.id,
                deadline_s=self._deps.settings.pods.list_deadline_s,
            )
        except (PodError, IdentityUnavailable):
            return None
        if reply.status != 200:
            return None
        try:
            return orjson.loads(reply.body)
        except orjson.JSONDecodeError:
            return None

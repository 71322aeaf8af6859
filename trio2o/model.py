# SPDX-License-Identifier: Apache-2.0
"""The things that Trio2o talks about, as plain values.

Nothing here knows where a value came from or where it is kept.
"""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any


class Service(StrEnum):
    COMPUTE = "compute"
    VOLUME = "volume"
    IMAGE = "image"
    NETWORK = "network"
    PLACEMENT = "placement"
    IDENTITY = "identity"


class Kind(StrEnum):
    """What a routing can be of: resources whose pod matters."""

    SERVER = "server"
    SERVER_GROUP = "server_group"
    VOLUME = "volume"
    SNAPSHOT = "snapshot"
    BACKUP = "backup"
    GROUP = "group"
    GROUP_SNAPSHOT = "group_snapshot"
    CONSISTENCY_GROUP = "consistencygroup"
    CGSNAPSHOT = "cgsnapshot"
    ATTACHMENT = "attachment"
    TRANSFER = "transfer"
    MESSAGE = "message"
    IMAGE = "image"
    TASK = "task"
    CONSOLE_TOKEN = "console_token"  # noqa: S105  the name of a kind
    NETWORK = "network"
    PORT = "port"


class PodState(StrEnum):
    ENABLED = "enabled"
    MAINTENANCE = "maintenance"
    """Everything works but new servers and volumes go elsewhere."""
    DISABLED = "disabled"
    """The pod is not asked for anything."""


@dataclass(frozen=True, slots=True)
class Pod:
    """One OpenStack cloud, a region of Keystone.

    number: small integer, never used again after a pod is deleted; part of encoded ids.
    az_name: the availability zone of the top region that the pod serves.
    pod_az_name: what that zone is called in the pod; "" sends no zone to the pod.
    generation: changes with every write; for compare-and-swap.
    """

    id: str
    number: int
    name: str
    az_name: str
    pod_az_name: str
    dc_name: str
    state: PodState
    tags: frozenset[str]
    generation: int
    created_at: datetime
    updated_at: datetime

    def zone_to_pod(self, zone: str) -> str:
        """The pod's own name of the top region's ``zone``; "" for none."""
        return self.pod_az_name if zone == self.az_name else zone

    def zone_from_pod(self, zone: str) -> str:
        """The top region's name for the pod's ``zone``.

        A pod registered without a zone name of its own has one zone, whatever it calls it.
        """
        if zone and (not self.pod_az_name or zone == self.pod_az_name):
            return self.az_name
        return zone


class BoundBy(StrEnum):
    SCHEDULER = "scheduler"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Binding:
    """A project's resources of one availability zone go to a pod.

    ended_at: None while in force; ended bindings are kept as history.
    preferred: the pod that is tried first in its zone; at most one per project and zone.
    """

    id: str
    project_id: str
    pod_id: str
    pod_name: str
    az_name: str
    bound_by: BoundBy
    preferred: bool
    started_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class Routing:
    """Where a resource lives.

    created_at: of the resource, as far as known.
    stub: what a list shows of it while its pod is down (name, user_id, flavor, image...).
    deleted_at: when the pod said that it is gone; the row stays a while, for markers.
    """

    kind: Kind
    resource_id: str
    pod_id: str
    project_id: str
    created_at: datetime
    stub: Mapping[str, Any] = field(default_factory=dict)
    deleted_at: datetime | None = None


class IntentState(StrEnum):
    ASKED = "asked"
    """A pod may have been asked; whether it made the resource is not known yet."""
    CONFIRMED = "confirmed"
    REFUSED = "refused"
    """The pod answered with an error: nothing was made."""
    ADOPTED = "adopted"
    """The worker found the resource by its marker and took it over."""
    NOTHING = "nothing"
    """The worker looked and found nothing."""


@dataclass(frozen=True, slots=True)
class Intent:
    """A create that was about to be sent to a pod. Its id is the marker on the resource.

    resource_ids: what was made; until that is known, the id that the request chose.
    """

    id: str
    kind: Kind
    project_id: str
    user_id: str
    pod_id: str
    request_id: str
    state: IntentState
    created_at: datetime
    resource_ids: tuple[str, ...] = ()
    attempts: int = 0


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, as Keystone said.

    token: goes to the pods as it came.
    service_token: of another OpenStack service that asks for a user; goes on as it came.
    expires_at: of the token.
    access_rules: of an application credential; None when there are none to keep.
    """

    user_id: str
    project_id: str
    project_name: str
    user_name: str
    domain_id: str
    roles: frozenset[str]
    token: str = field(repr=False)
    expires_at: datetime
    service_token: str = field(default="", repr=False)
    service_roles: frozenset[str] = frozenset()
    system_scope: str = ""
    is_admin_project: bool = True
    access_rules: tuple[Mapping[str, Any], ...] | None = None

    @property
    def is_admin(self) -> bool:
        return "admin" in self.roles


Headers = Mapping[str, str]
"""Header names in lower case."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An HTTP answer, of a pod or ours.

    headers: in order, names as they came; hop-by-hop headers are not in it.
    body: whole, unless ``stream`` has it.
    stream: chunks of the body, to be read once.
    """

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    stream: AsyncIterator[bytes] | None = None

    def header(self, name: str) -> str | None:
        name = name.lower()
        for key, value in self.headers:
            if key.lower() == name:
                return value
        return None

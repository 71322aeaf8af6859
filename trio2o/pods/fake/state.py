# SPDX-License-Identifier: Apache-2.0
"""What an in-memory cloud holds: plain records, and what there is room for.

Nothing here speaks HTTP.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

Now = Callable[[], datetime]


class Pending(Protocol):
    """What is not yet as it will be.

    looks: how often it must be looked at until then.
    then: makes it so; None when nothing is under way.
    """

    looks: int
    then: Callable[[], None] | None


def later(item: Pending, looks: int, change: Callable[[], None]) -> None:
    """Do ``change`` when ``item`` was looked at ``looks`` times; 0 is now."""
    if looks:
        item.looks, item.then = looks, change
    else:
        item.then = None
        change()


def look(item: Pending) -> None:
    if item.then is not None:
        item.looks -= 1
        if item.looks < 0:
            change, item.then = item.then, None
            change()


class SteppingClock:
    """A clock that is one step later each time it is looked at."""

    def __init__(self, start: datetime | None = None, *, step_s: float = 1.0) -> None:
        self.at = start or datetime(2026, 1, 1, tzinfo=UTC)
        self.step = timedelta(seconds=step_s)

    def __call__(self) -> datetime:
        self.at += self.step
        return self.at


@dataclass(slots=True)
class Flavor:
    id: str
    name: str
    vcpus: int
    ram: int
    disk: int
    ephemeral: int = 0
    swap: int = 0
    rxtx_factor: float = 1.0
    is_public: bool = True
    description: str | None = None
    extra_specs: dict[str, str] = field(default_factory=dict)
    access: set[str] = field(default_factory=set)
    deleted: bool = False


@dataclass(slots=True)
class Keypair:
    number: int
    user_id: str
    name: str
    public_key: str
    fingerprint: str
    kind: str
    created: datetime
    deleted: bool = False

    @property
    def id(self) -> str:
        return f"{self.user_id}/{self.name}"


@dataclass(slots=True)
class ServerGroup:
    id: str
    name: str
    policy: str
    project_id: str
    user_id: str
    rules: dict[str, Any] = field(default_factory=dict)
    members: list[str] = field(default_factory=list)
    metadata: dict[str, str] = field(default_factory=dict)
    deleted: bool = False


@dataclass(slots=True)
class Attachment:
    """A volume on a server, or on its way there; it is on both.

    device: "" until it is known.
    """

    id: str
    bdm_id: str
    server_id: str
    volume_id: str
    device: str
    tag: str | None = None
    delete_on_termination: bool = False
    attached: datetime | None = None
    mode: str = "rw"
    status: str = "attached"
    deleted: bool = False


@dataclass(slots=True)
class Server:
    """A server. vm_state and task_state are Nova's own words.

    number: counts the servers of the cloud.
    host: None while it is a build request, or when no host took it.
    room: vcpus, MiB and GiB that it takes from the cloud.
    """

    id: str
    number: int
    name: str
    project_id: str
    user_id: str
    flavor: Flavor
    image_id: str
    created: datetime
    updated: datetime
    vm_state: str = "building"
    task_state: str | None = "scheduling"
    power_state: int = 0
    looks: int = 0
    then: Callable[[], None] | None = None
    host: str | None = None
    zone: str = ""
    pinned_zone: str | None = None
    room: tuple[int, int, int] = (0, 0, 0)
    metadata: dict[str, str] = field(default_factory=dict)
    tags: list[str] = field(default_factory=list)
    description: str | None = None
    hostname: str = ""
    key_name: str | None = None
    config_drive: str = ""
    user_data: str | None = None
    access_ipv4: str = ""
    access_ipv6: str = ""
    disk_config: str = "MANUAL"
    reservation_id: str = ""
    launch_index: int = 0
    launched: datetime | None = None
    terminated: datetime | None = None
    root_device: str | None = None
    addresses: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    security_groups: list[str] = field(default_factory=lambda: ["default"])
    attachments: list[Attachment] = field(default_factory=list)
    hints: dict[str, Any] = field(default_factory=dict)
    group_id: str | None = None
    locked: bool = False
    locked_reason: str | None = None
    fault: dict[str, Any] | None = None
    old_flavor: Flavor | None = None
    deleted: bool = False


@dataclass(slots=True)
class VolumeType:
    id: str
    name: str
    description: str | None = None
    is_public: bool = True
    extra_specs: dict[str, str] = field(default_factory=dict)
    deleted: bool = False


@dataclass(slots=True)
class Volume:
    """held: GiB that it takes from the cloud."""

    id: str
    project_id: str
    user_id: str
    size: int
    created: datetime
    updated: datetime | None
    kind: VolumeType
    name: str | None = None
    description: str | None = None
    zone: str = ""
    status: str = "creating"
    looks: int = 0
    then: Callable[[], None] | None = None
    snapshot_id: str | None = None
    source_volid: str | None = None
    image: dict[str, str] | None = None
    bootable: bool = False
    readonly: bool = False
    metadata: dict[str, str] = field(default_factory=dict)
    attachments: list[Attachment] = field(default_factory=list)
    held: int = 0
    deleted: bool = False


@dataclass(slots=True)
class Snapshot:
    id: str
    project_id: str
    user_id: str
    volume_id: str
    size: int
    created: datetime
    updated: datetime | None
    name: str | None = None
    description: str | None = None
    status: str = "creating"
    looks: int = 0
    then: Callable[[], None] | None = None
    metadata: dict[str, str] = field(default_factory=dict)
    deleted: bool = False


@dataclass(slots=True)
class Image:
    """properties: what is not of the schema's own."""

    id: str
    owner: str
    created: datetime
    updated: datetime
    name: str | None = None
    status: str = "queued"
    visibility: str = "shared"
    disk_format: str | None = None
    container_format: str | None = None
    min_disk: int = 0
    min_ram: int = 0
    protected: bool = False
    os_hidden: bool = False
    tags: list[str] = field(default_factory=list)
    properties: dict[str, Any] = field(default_factory=dict)
    chunks: list[bytes] = field(default_factory=list)
    size: int | None = None
    checksum: str | None = None
    os_hash_value: str | None = None
    members: dict[str, str] = field(default_factory=dict)
    deleted: bool = False

    def store(self, chunks: list[bytes]) -> None:
        """Take the data; the image is active then."""
        md5 = hashlib.md5(usedforsecurity=False)
        sha = hashlib.sha512()
        for chunk in chunks:
            md5.update(chunk)
            sha.update(chunk)
        self.chunks = chunks
        self.size = sum(map(len, chunks))
        self.checksum, self.os_hash_value = md5.hexdigest(), sha.hexdigest()
        self.status = "active"


@dataclass(slots=True)
class Network:
    id: str
    name: str
    project_id: str
    created: datetime
    shared: bool = False
    external: bool = False
    mtu: int = 1450
    subnets: list[str] = field(default_factory=list)
    zones: list[str] = field(default_factory=list)
    deleted: bool = False


@dataclass(slots=True)
class Port:
    id: str
    name: str
    project_id: str
    network_id: str
    mac: str
    ip: str
    subnet_id: str
    created: datetime
    device_id: str = ""
    device_owner: str = ""
    host: str = ""
    deleted: bool = False


@dataclass(slots=True)
class Behaviour:
    """How fast the cloud is with what it was asked for: looks until it is done, 0 is at once."""

    server_build_looks: int = 0
    server_delete_looks: int = 0
    server_action_looks: int = 0
    volume_build_looks: int = 0
    volume_delete_looks: int = 0
    server_build_error: str = ""
    """Every new server goes ERROR with this message."""


def seconds(moment: datetime | None) -> str | None:
    """As Nova writes it: ``2026-01-31T12:00:00Z``."""
    return None if moment is None else moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def micros(moment: datetime | None) -> str | None:
    """As Nova and Cinder write what comes straight from the database: no zone."""
    return None if moment is None else moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000000")

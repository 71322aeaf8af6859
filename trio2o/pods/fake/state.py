# SPDX-License-Identifier: Apache-2.0
"""What an in-memory cloud holds: plain records, and what there is room for.

Nothing here speaks HTTP.
"""

import hashlib
import random
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from trio2o import clock
from trio2o.pods.fake.paging import Shelf

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


class Cloud:
    """All that a pod holds."""

    def __init__(
        self,
        name: str,
        *,
        zone: str,
        volume_zone: str,
        vcpus: int,
        ram_mb: int,
        disk_gb: int,
        volume_gb: int,
        seed: int | None,
        now: Now | None,
    ) -> None:
        self.name = name
        self.zone = zone
        self.volume_zone = volume_zone
        self.vcpus = vcpus
        self.ram_mb = ram_mb
        self.disk_gb = disk_gb
        self.volume_gb = volume_gb
        self.host = name.lower()
        self.behaviour = Behaviour()
        self._now: Now = now or clock.now
        self._random = random.Random(seed) if seed is not None else None  # noqa: S311
        self.provider_id = self.new_id()
        self.flavors: Shelf[Flavor] = Shelf()
        self.keypairs: Shelf[Keypair] = Shelf()
        self.groups: Shelf[ServerGroup] = Shelf()
        self.servers: Shelf[Server] = Shelf()
        self.volumes: Shelf[Volume] = Shelf()
        self.snapshots: Shelf[Snapshot] = Shelf()
        self.volume_types: Shelf[VolumeType] = Shelf()
        self.attachments: Shelf[Attachment] = Shelf()
        self.images: Shelf[Image] = Shelf()
        self.networks: Shelf[Network] = Shelf()
        self.ports: Shelf[Port] = Shelf()
        self.used = [0, 0, 0]
        self.server_count = 0
        self.keypair_count = 0
        self.compute_quota: dict[str, int] = dict(COMPUTE_QUOTA)
        self.volume_quota: dict[str, int] = dict(VOLUME_QUOTA)
        self.image_bytes_received = 0

    def now(self) -> datetime:
        return self._now()

    def new_id(self) -> str:
        if self._random is None:
            return str(uuid.uuid4())
        return str(uuid.UUID(int=self._random.getrandbits(128), version=4))

    def has_room(self, vcpus: int, ram: int, disk: int) -> bool:
        total = (self.vcpus, self.ram_mb, self.disk_gb)
        asked = (vcpus, ram, disk)
        return all(
            used + more <= limit for used, more, limit in zip(self.used, asked, total, strict=True)
        )

    def take(self, server: Server, room: tuple[int, int, int]) -> None:
        self.free(server)
        server.room = room
        self.used = [used + more for used, more in zip(self.used, room, strict=True)]

    def free(self, server: Server) -> None:
        self.used = [used - less for used, less in zip(self.used, server.room, strict=True)]
        server.room = (0, 0, 0)

    def volume_gb_used(self) -> int:
        return sum(volume.size for volume in self.volumes if volume.status != "error")

    def servers_of(self, project_id: str) -> Iterable[Server]:
        return (server for server in self.servers if server.project_id == project_id)

    def volumes_of(self, project_id: str) -> Iterable[Volume]:
        return (volume for volume in self.volumes if volume.project_id == project_id)


# Unlimited, as of pods behind a gateway that counts; what a pod cannot do without has its
# default: nova/conf/quota.py@34.0.0.
COMPUTE_QUOTA = {
    "instances": -1,
    "cores": -1,
    "ram": -1,
    "metadata_items": 128,
    "injected_files": 5,
    "injected_file_content_bytes": 10240,
    "injected_file_path_bytes": 255,
    "key_pairs": 100,
    "server_groups": 10,
    "server_group_members": 10,
}
VOLUME_QUOTA = {
    "volumes": -1,
    "snapshots": -1,
    "gigabytes": -1,
    "backups": -1,
    "backup_gigabytes": -1,
}


def seconds(moment: datetime | None) -> str | None:
    """As Nova writes it: ``2026-01-31T12:00:00Z``."""
    return None if moment is None else moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def micros(moment: datetime | None) -> str | None:
    """As Nova and Cinder write what comes straight from the database: no zone."""
    return None if moment is None else moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000000")

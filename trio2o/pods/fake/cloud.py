# SPDX-License-Identifier: Apache-2.0
"""All that a pod holds, and what there is room for."""

import random
import uuid
from collections.abc import Iterable
from datetime import datetime

from trio2o import clock
from trio2o.pods.fake.paging import Shelf
from trio2o.pods.fake.state import (
    Attachment,
    Behaviour,
    Flavor,
    Image,
    Keypair,
    Network,
    Now,
    Port,
    Server,
    ServerGroup,
    Snapshot,
    Volume,
    VolumeType,
)


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
        self.volume_gb_used = 0
        self.server_count = 0
        self.keypair_count = 0
        self.compute_quota: dict[str, int] = dict(COMPUTE_QUOTA)
        self.volume_quota: dict[str, int] = dict(VOLUME_QUOTA)

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

    def hold(self, volume: Volume, size: int) -> bool:
        """Give the volume room for ``size`` GiB in place of what it had; False without any."""
        fits = self.volume_gb_used - volume.held + size <= self.volume_gb
        if fits:
            self.volume_gb_used += size - volume.held
            volume.held = size
        return fits

    def drop_volume(self, volume: Volume) -> None:
        self.hold(volume, 0)
        self.volumes.drop(volume.id)

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

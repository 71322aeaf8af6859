# SPDX-License-Identifier: Apache-2.0
"""The volumes of a server: which it asks for at its start, and how they come and go."""

from dataclasses import dataclass
from typing import Any

from trio2o.pods.fake.cloud import Cloud
from trio2o.pods.fake.state import Attachment, Server, Volume
from trio2o.pods.fake.volumes import new_volume
from trio2o.pods.fake.web import Fault, Request, truth


@dataclass(slots=True)
class Disk:
    """volume: None when it is to be made, of ``size`` GiB from ``source``."""

    volume: Volume | None
    size: int
    source: dict[str, Any]
    boot: bool
    device: str
    tag: str | None
    delete_on_termination: bool
    mapping: dict[str, Any]


def check_disks(
    cloud: Cloud, request: Request, asked: list[dict[str, Any]], image_id: str
) -> list[Disk]:
    """The volumes of ``block_device_mapping_v2``; local disks need nothing. Raises Fault(400)."""
    boots = [item for item in asked if str(item.get("boot_index", "")) == "0"]
    if asked and not image_id and not boots:
        first = str(asked[0].get("uuid") or asked[0].get("volume_id") or "")
        if asked[0].get("source_type") == "volume" and cloud.volumes.find(first) is None:
            raise Fault(400, f"Volume {first} could not be found.")
        raise Fault(
            400,
            "Block Device Mapping is Invalid: Boot sequence for the instance and image/block "
            "device mapping combination is not valid.",
        )
    disks = []
    for item in asked:
        disk = _disk(cloud, request, item)
        if disk is not None:
            disks.append(disk)
    return disks


def _disk(cloud: Cloud, request: Request, item: dict[str, Any]) -> Disk | None:
    kind = item.get("source_type", "blank")
    if kind in ("image", "blank") and item.get("destination_type", "local") == "local":
        return None
    source_id = str(item.get("uuid") or item.get("volume_id") or item.get("snapshot_id") or "")
    disk = Disk(
        volume=None,
        size=int(item.get("volume_size") or 1),
        source={},
        boot=str(item.get("boot_index", "")) == "0",
        device=str(item.get("device_name") or ""),
        tag=item.get("tag"),
        delete_on_termination=truth(item.get("delete_on_termination", False)),
        mapping=item,
    )
    if kind == "volume":
        disk.volume = _given_volume(cloud, request, source_id)
    elif kind == "snapshot":
        snapshot = cloud.snapshots.find(source_id)
        if snapshot is None or snapshot.project_id != request.who.project_id:
            raise Fault(
                400, f"Block Device Mapping is Invalid: failed to get snapshot {source_id}."
            )
        disk.source = {"snapshot_id": source_id}
        disk.size = int(item.get("volume_size") or snapshot.size)
    elif kind == "image":
        if cloud.images.find(source_id) is None:
            raise Fault(400, f"Block Device Mapping is Invalid: failed to get image {source_id}.")
        disk.source = {"image_id": source_id}
    return disk


def _given_volume(cloud: Cloud, request: Request, volume_id: str) -> Volume:
    volume = cloud.volumes.find(volume_id)
    if volume is None or volume.project_id != request.who.project_id:
        raise Fault(400, f"Block Device Mapping is Invalid: failed to get volume {volume_id}.")
    check_free(volume)
    return volume


def check_free(volume: Volume) -> None:
    """Raises Fault(400) unless the volume can be attached."""
    several = volume.kind.extra_specs.get("multiattach") == "<is> True"
    if volume.status == "available" or (volume.status == "in-use" and several):
        return
    # nova/volume/cinder.py@34.0.0 check_availability_zone, check_attach
    raise Fault(
        400,
        f"Invalid volume: volume '{volume.id}' status must be 'available' or 'in-use'. "
        f"Currently in '{volume.status}' status"
        if volume.status != "in-use"
        else f"Invalid volume: volume {volume.id} is already attached to instances: "
        f"{', '.join(item.server_id for item in volume.attachments)}",
    )


def connect_disks(cloud: Cloud, server: Server, disks: list[Disk]) -> None:
    for disk in disks:
        volume = disk.volume
        if volume is None:
            volume = new_volume(
                cloud, server.project_id, server.user_id, size=disk.size, **disk.source
            )
            volume.then = None
            volume.name = volume.description = ""
        connect(
            cloud,
            server,
            volume,
            device=disk.device,
            tag=disk.tag,
            delete_on_termination=disk.delete_on_termination,
        )
        if disk.boot:
            server.root_device = server.attachments[-1].device


def connect(
    cloud: Cloud,
    server: Server,
    volume: Volume,
    *,
    device: str = "",
    tag: str | None = None,
    delete_on_termination: bool = False,
) -> Attachment:
    attachment = Attachment(
        id=cloud.new_id(),
        bdm_id=cloud.new_id(),
        server_id=server.id,
        volume_id=volume.id,
        device=device or _next_device(server),
        tag=tag,
        delete_on_termination=delete_on_termination,
        attached=cloud.now(),
    )
    cloud.attachments.add(attachment)
    server.attachments.append(attachment)
    volume.attachments.append(attachment)
    volume.status = "in-use"
    volume.updated = cloud.now()
    cloud.volumes.changed()
    cloud.servers.changed()
    return attachment


def _next_device(server: Server) -> str:
    used = {attachment.device for attachment in server.attachments}
    first = 0 if not server.image_id else 1
    letters = "abcdefghijklmnopqrstuvwxyz"[first:]
    return next(f"/dev/vd{letter}" for letter in letters if f"/dev/vd{letter}" not in used)


def disconnect(cloud: Cloud, server: Server, attachment: Attachment) -> None:
    server.attachments.remove(attachment)
    cloud.attachments.drop(attachment.id)
    volume = cloud.volumes.find(attachment.volume_id)
    if volume is not None:
        volume.attachments = [item for item in volume.attachments if item is not attachment]
        volume.status = "in-use" if volume.attachments else "available"
        volume.updated = cloud.now()
        cloud.volumes.changed()
    cloud.servers.changed()


def disconnect_all(cloud: Cloud, server: Server) -> None:
    for attachment in list(server.attachments):
        disconnect(cloud, server, attachment)
        volume = cloud.volumes.find(attachment.volume_id)
        if attachment.delete_on_termination and volume is not None:
            cloud.drop_volume(volume)

# SPDX-License-Identifier: Apache-2.0
"""What Cinder shows of volumes and snapshots, by microversion and role.

Source: cinder/api/v3/views/volumes.py, cinder/api/contrib/volume_*_attribute.py @29.0.0.
"""

from typing import Any

from trio2o.pods.fake.cloud import Cloud
from trio2o.pods.fake.server_view import links
from trio2o.pods.fake.state import Snapshot, Volume, micros
from trio2o.pods.fake.web import Request


def brief(request: Request, volume: Volume) -> dict[str, Any]:
    return {"id": volume.id, "name": volume.name, "links": links(request, "volumes", volume.id)}


def detail(
    cloud: Cloud, request: Request, volume: Volume, *, extended: bool = True
) -> dict[str, Any]:
    """extended: False in the answers to POST and PUT, which extensions do not touch."""
    admin = request.who.is_admin
    metadata = volume.metadata
    if volume.readonly or volume.attachments:
        metadata = {**metadata, **({"readonly": "True"} if volume.readonly else {})}
    view: dict[str, Any] = {
        "id": volume.id,
        "status": volume.status,
        "size": volume.size,
        "availability_zone": volume.zone,
        "created_at": micros(volume.created),
        "updated_at": micros(volume.updated),
        "name": volume.name,
        "description": volume.description,
        "volume_type": volume.kind.name,
        "snapshot_id": volume.snapshot_id,
        "source_volid": volume.source_volid,
        "metadata": metadata,
        "links": links(request, "volumes", volume.id),
        "user_id": volume.user_id,
        "bootable": "true" if volume.bootable else "false",
        "encrypted": False,
        "replication_status": None,
        "consistencygroup_id": None,
        "multiattach": volume.kind.extra_specs.get("multiattach") == "<is> True",
        "attachments": [
            {
                "id": volume.id,
                "attachment_id": attachment.id,
                "volume_id": volume.id,
                "server_id": attachment.server_id,
                "host_name": cloud.host if admin else None,
                "device": attachment.device,
                "attached_at": micros(attachment.attached),
            }
            for attachment in volume.attachments
            if attachment.status == "attached"
        ],
    }
    if admin:
        view["migration_status"] = None
    _newer(cloud, request, volume, view)
    if extended:
        _extend(cloud, request, volume, view)
    return view


def _newer(cloud: Cloud, request: Request, volume: Volume, view: dict[str, Any]) -> None:
    admin = request.who.is_admin
    if request.since(13):
        view["group_id"] = None
    if request.since(21) and admin:
        view["provider_id"] = None
    if request.since(48):
        view["shared_targets"] = True
        view["service_uuid"] = None if volume.status == "creating" else cloud.provider_id
    if request.since(61) and admin:
        view["cluster_name"] = None
    if request.since(63):
        view["volume_type_id"] = volume.kind.id
    if request.since(65):
        view["consumes_quota"] = True


def _extend(cloud: Cloud, request: Request, volume: Volume, view: dict[str, Any]) -> None:
    view["os-vol-tenant-attr:tenant_id"] = volume.project_id
    if request.who.is_admin:
        view["os-vol-mig-status-attr:migstat"] = None
        view["os-vol-mig-status-attr:name_id"] = None
        view["os-vol-host-attr:host"] = f"{cloud.host}@lab#lab"
    if volume.image is not None:
        view["volume_image_metadata"] = volume.image


def snapshot(request: Request, item: Snapshot, *, whole: bool, extended: bool) -> dict[str, Any]:
    """whole: in its own show and in detail lists.  extended: not in the answer to POST."""
    view: dict[str, Any] = {
        "id": item.id,
        "created_at": micros(item.created),
        "updated_at": micros(item.updated),
        "name": item.name,
        "description": item.description,
        "volume_id": item.volume_id,
        "status": item.status,
        "size": item.size,
        "metadata": item.metadata,
    }
    if whole:
        if request.since(14):
            view["group_snapshot_id"] = None
        if request.since(41):
            view["user_id"] = item.user_id
        if request.since(65):
            view["consumes_quota"] = True
    if whole and extended:
        view["os-extended-snapshot-attributes:project_id"] = item.project_id
        done = "100%" if item.status == "available" else "0%"
        view["os-extended-snapshot-attributes:progress"] = done
    return view

# SPDX-License-Identifier: Apache-2.0
"""Volumes of Cinder: making, showing, changing, deleting, and their actions.

Source: cinder/api/v3/volumes.py, cinder/volume/api.py, cinder/api/contrib/volume_actions.py
@29.0.0.
"""

from typing import Any

import orjson

from trio2o.ids import is_uuid
from trio2o.pods.fake import volume_view
from trio2o.pods.fake.cloud import Cloud
from trio2o.pods.fake.schema import Schema
from trio2o.pods.fake.service import validate
from trio2o.pods.fake.state import (
    Image,
    Snapshot,
    Volume,
    VolumeType,
    later,
    look,
)
from trio2o.pods.fake.volume_list import Listing, answer, page
from trio2o.pods.fake.web import Fault, Request, Response, Row, truth

LISTING = Listing(
    "volumes",
    {
        "id": lambda volume: volume.id,
        "created_at": lambda volume: volume.created.replace(microsecond=0),
        "updated_at": lambda volume: volume.updated,
        "name": lambda volume: volume.name,
        "display_name": lambda volume: volume.name,
        "status": lambda volume: volume.status,
        "size": lambda volume: volume.size,
        "availability_zone": lambda volume: volume.zone,
        "bootable": lambda volume: volume.bootable,
        "snapshot_id": lambda volume: volume.snapshot_id,
        "source_volid": lambda volume: volume.source_volid,
        "volume_type_id": lambda volume: volume.kind.id,
        "user_id": lambda volume: volume.user_id,
        "project_id": lambda volume: volume.project_id,
        "host": lambda _: None,
        "migration_status": lambda _: None,
        "group_id": lambda _: None,
        "consumes_quota": lambda _: True,
    },
    (
        "name",
        "status",
        "metadata",
        "bootable",
        "migration_status",
        "availability_zone",
        "group_id",
        "size",
        "created_at",
        "updated_at",
        "consumes_quota",
    ),
    "Volume {id} could not be found.",
)
DELETE_REFUSED = (
    "Invalid volume: Volume status must be available or error or error_restoring or "
    "error_extending or error_managing and must not be migrating, attached, belong to a group, "
    "have snapshots, awaiting a transfer, or be disassociated from snapshots after volume "
    "transfer."
)

_TEXT: Schema = {"type": ["string", "null"], "maxLength": 255}
_NAMES: dict[str, Schema] = {
    name: {"type": ["string", "null"]}
    for name in ("name", "description", "display_name", "display_description")
}
METADATA: Schema = {
    "type": ["object", "null"],
    "patternProperties": {"^[a-zA-Z0-9-_:. /]{1,255}$": {"type": "string", "maxLength": 255}},
    "additionalProperties": False,
}


def _body(key: str, known: dict[str, Any], *, closed: bool, required: tuple[str, ...]) -> Schema:
    inner = {
        "type": "object",
        "properties": known,
        "required": list(required),
        "additionalProperties": not closed,
    }
    return {
        "type": "object",
        "properties": {key: inner, "OS-SCH-HNT:scheduler_hints": {"type": ["object", "null"]}},
        "required": [key],
        "additionalProperties": False,
    }


def _create_schema(minor: int) -> Schema:
    uuid = {"anyOf": [{"type": "string", "format": "uuid"}, {"type": "null"}]}
    known: dict[str, Any] = {
        **_NAMES,
        "volume_type": _TEXT,
        "metadata": METADATA,
        "snapshot_id": uuid,
        "source_volid": uuid,
        "consistencygroup_id": uuid,
        "size": {"type": ["integer", "string", "null"], "pattern": "^[0-9]+$", "minimum": 1},
        "availability_zone": _TEXT,
        "multiattach": {},
        "image_id": _TEXT,
        "imageRef": _TEXT,
        "scheduler_hints": {},
    }
    if minor >= 13:
        known["group_id"] = _TEXT
    if minor >= 47:
        known["backup_id"] = uuid
    return _body("volume", known, closed=minor >= 53, required=())


_UPDATE: Schema = _body(
    "volume",
    {**_NAMES, "metadata": METADATA},
    closed=True,
    required=(),
)


def check_names(asked: dict[str, Any]) -> None:
    """Raises Fault(400) for a name or description that is too long."""
    for name in _NAMES:
        size = len(asked.get(name) or "")
        if size > 255:
            raise Fault(
                400, f"Invalid input received: {name} has {size} characters, more than 255."
            )


def find_volume(cloud: Cloud, request: Request, volume_id: str | None = None) -> Volume:
    """The caller's volume. Raises Fault(404), also for those of other projects."""
    wanted = volume_id if volume_id is not None else request["volume"]
    volume = cloud.volumes.find(wanted)
    if volume is None or (
        volume.project_id != request.who.project_id and not request.who.is_admin
    ):
        raise Fault(404, f"Volume {wanted} could not be found.")
    return volume


def find_type(cloud: Cloud, wanted: str) -> VolumeType:
    """By id or name. Raises Fault(404)."""
    for kind in cloud.volume_types:
        if wanted in (kind.id, kind.name):
            return kind
    if is_uuid(wanted):
        raise Fault(404, f"Volume type {wanted} could not be found.")
    raise Fault(404, f"Volume type with name {wanted} could not be found.")


def check_quota(cloud: Cloud, request: Request, kind: str, size: int) -> None:
    """Raises Fault(413) when one more ``kind`` of ``size`` GiB is too much."""
    if cloud.volume_quota["gigabytes"] < 0 and cloud.volume_quota[kind] < 0:
        return
    project = request.who.project_id
    volumes = list(cloud.volumes_of(project))
    snapshots = [item for item in cloud.snapshots if item.project_id == project]
    used_gb = sum(item.size for item in volumes) + sum(item.size for item in snapshots)
    limit_gb = cloud.volume_quota["gigabytes"]
    if 0 <= limit_gb < used_gb + size:
        raise over_limit(
            "VolumeSizeExceedsAvailableQuota: Requested volume or snapshot exceeds allowed "
            f"gigabytes quota. Requested {size}G, quota is {limit_gb}G and {used_gb}G has been "
            "consumed."
        )
    count = len(volumes) if kind == "volumes" else len(snapshots)
    limit = cloud.volume_quota[kind]
    if 0 <= limit < count + 1:
        name = "Volume" if kind == "volumes" else "Snapshot"
        raise over_limit(
            f"{name}LimitExceeded: Maximum number of {kind} allowed ({limit}) exceeded for "
            f"quota '{kind}'."
        )


def over_limit(message: str) -> Fault:
    return Fault(413, message, headers=(("Retry-After", "0"),))


def new_volume(
    cloud: Cloud,
    project_id: str,
    user_id: str,
    *,
    size: int,
    kind: VolumeType | None = None,
    snapshot_id: str | None = None,
    source_volid: str | None = None,
    image_id: str = "",
) -> Volume:
    """A volume that becomes available, or an error when there is no room."""
    volume = Volume(
        id=cloud.new_id(),
        project_id=project_id,
        user_id=user_id,
        size=size,
        created=cloud.now(),
        updated=None,
        kind=kind or find_type(cloud, "__DEFAULT__"),
        zone=cloud.volume_zone,
        snapshot_id=snapshot_id,
        source_volid=source_volid,
    )
    if image_id:
        volume.image = _image_metadata(cloud.images.find(image_id))
        volume.bootable = True
    fits = cloud.hold(volume, size)
    cloud.volumes.add(volume)
    later(
        volume,
        cloud.behaviour.volume_build_looks,
        lambda: set_status(cloud, volume, "available" if fits else "error"),
    )
    return volume


def _image_metadata(image: Image | None) -> dict[str, str]:
    if image is None:
        return {}
    return {
        "image_id": image.id,
        "image_name": image.name or "",
        "checksum": image.checksum or "",
        "container_format": image.container_format or "",
        "disk_format": image.disk_format or "",
        "min_disk": str(image.min_disk),
        "min_ram": str(image.min_ram),
        "size": str(image.size or 0),
    }


def set_status(cloud: Cloud, volume: Volume, status: str) -> None:
    volume.status = status
    volume.updated = cloud.now()
    cloud.volumes.changed()


def _create(cloud: Cloud, request: Request) -> Response:
    if request.body is None:
        raise Fault(500)
    body = validate(_create_schema(request.version[1]), request.body)
    asked: dict[str, Any] = body["volume"]
    check_names(asked)
    if not asked:
        raise Fault(400)
    kind = find_type(cloud, asked["volume_type"]) if asked.get("volume_type") else None
    size, source = _source(cloud, request, asked)
    if truth(asked.get("multiattach", False)):
        raise Fault(400, _NO_MULTIATTACH)
    if size is None:
        raise Fault(400)
    zone = asked.get("availability_zone")
    if zone and zone != cloud.volume_zone:
        raise Fault(400, f"Availability zone '{zone}' is invalid.")
    check_quota(cloud, request, "volumes", size)
    who = request.who
    if kind is not None:
        source["kind"] = kind
    volume = new_volume(cloud, who.project_id, who.user_id, size=size, **source)
    volume.name = asked.get("name", asked.get("display_name"))
    volume.description = asked.get("description", asked.get("display_description"))
    volume.metadata = dict(asked.get("metadata") or {})
    shown = volume_view.detail(cloud, request, volume, extended=False)
    shown |= {"status": "creating", "updated_at": None, "bootable": "false"}
    if "service_uuid" in shown:
        shown["service_uuid"] = None
    return Response(202, {"volume": shown})


_NO_MULTIATTACH = (
    "multiattach parameter has been removed. The default behavior is to use multiattach enabled "
    "volume types. Contact your administrator to create a multiattach enabled volume type and "
    "use it to create multiattach volumes."
)


def _source(
    cloud: Cloud, request: Request, asked: dict[str, Any]
) -> tuple[int | None, dict[str, Any]]:
    """The size, and what the volume is made from."""
    size = int(asked["size"]) if asked.get("size") is not None else None
    if asked.get("snapshot_id"):
        snapshot = find_snapshot(cloud, request, asked["snapshot_id"])
        origin = cloud.volumes.find(snapshot.volume_id)
        more = {"kind": origin.kind} if origin else {}
        return size or snapshot.size, {"snapshot_id": snapshot.id, **more}
    if asked.get("source_volid"):
        source = find_volume(cloud, request, asked["source_volid"])
        return size or source.size, {"source_volid": source.id, "kind": source.kind}
    reference = asked.get("imageRef") or asked.get("image_id")
    if reference:
        return size, {"image_id": _image(cloud, reference).id}
    return size, {}


def _image(cloud: Cloud, reference: str) -> Image:
    wanted = reference.rpartition("/")[2]
    image = cloud.images.find(wanted)
    named = [item for item in cloud.images if item.name == reference]
    if image is None and len(named) > 1:
        raise Fault(
            409, f"Multiple matches found for '{reference}', use an ID to be more specific."
        )
    image = image or (named[0] if named else None)
    if image is None:
        raise Fault(400, "Invalid image identifier or unable to access requested image.")
    return image


def find_snapshot(cloud: Cloud, request: Request, snapshot_id: str | None = None) -> Snapshot:
    wanted = snapshot_id if snapshot_id is not None else request["snapshot"]
    snapshot = cloud.snapshots.find(wanted)
    if snapshot is None or (
        snapshot.project_id != request.who.project_id and not request.who.is_admin
    ):
        raise Fault(404, f"Snapshot {wanted} could not be found.")
    return snapshot


def _show(cloud: Cloud, request: Request) -> Response:
    look(find_volume(cloud, request))
    volume = find_volume(cloud, request)
    return Response(body={"volume": volume_view.detail(cloud, request, volume)})


def _index(cloud: Cloud, request: Request) -> Response:
    def make() -> tuple[bytes, bool]:
        found, counted = page(cloud.volumes, request, LISTING)
        items = [volume_view.brief(request, volume) for volume in found]
        return orjson.dumps(answer(request, LISTING, items, counted, "volumes")), True

    return Response(body=cloud.volumes.page(request.page_name, make))


def _detail(cloud: Cloud, request: Request) -> Response:
    def make() -> tuple[bytes, bool]:
        found, counted = page(cloud.volumes, request, LISTING)
        items = [volume_view.detail(cloud, request, volume) for volume in found]
        settled = all(volume.then is None for volume in found)
        for volume in found:
            look(volume)
        body = answer(request, LISTING, items, counted, "volumes/detail")
        return orjson.dumps(body), settled

    return Response(body=cloud.volumes.page(request.page_name, make))


def _summary(cloud: Cloud, request: Request) -> Response:
    every = request.who.is_admin and request.asks("all_tenants")
    found = list(cloud.volumes if every else cloud.volumes_of(request.who.project_id))
    body: dict[str, Any] = {
        "total_count": len(found),
        "total_size": sum(volume.size for volume in found),
    }
    if request.since(36):
        distinct: dict[str, set[str]] = {}
        for volume in found:
            for key, value in volume.metadata.items():
                distinct.setdefault(key, set()).add(value)
        body["metadata"] = {key: sorted(values) for key, values in distinct.items()}
    return Response(body={"volume-summary": body})


def _update(cloud: Cloud, request: Request) -> Response:
    asked = validate(_UPDATE, request.body)["volume"]
    check_names(asked)
    if request.since(53) and not asked:
        raise Fault(
            400,
            "Invalid input for field/attribute volume. Value: {}. {} is not valid under any of "
            "the given schemas",
        )
    volume = find_volume(cloud, request)
    volume.name = asked.get("name", asked.get("display_name", volume.name))
    volume.description = asked.get(
        "description", asked.get("display_description", volume.description)
    )
    if asked.get("metadata") is not None:
        volume.metadata = dict(asked["metadata"])
    if asked:
        set_status(cloud, volume, volume.status)
    shown = volume_view.detail(cloud, request, volume, extended=False)
    return Response(body={"volume": shown})


def _delete(cloud: Cloud, request: Request) -> Response:
    volume = find_volume(cloud, request)
    mine = [item for item in cloud.snapshots if item.volume_id == volume.id]
    cascade = truth(request.first("cascade"))
    deletable = ("available", "error", "error_restoring", "error_extending", "error_managing")
    if volume.status not in deletable or volume.attachments or (mine and not cascade):
        raise Fault(400, DELETE_REFUSED)
    for snapshot in mine:
        cloud.snapshots.drop(snapshot.id)
    remove_volume(cloud, volume)
    return Response(202, content_type="text/html; charset=UTF-8", bare=True)


def remove_volume(cloud: Cloud, volume: Volume) -> None:
    set_status(cloud, volume, "deleting")
    later(
        volume,
        cloud.behaviour.volume_delete_looks,
        lambda: cloud.drop_volume(volume),
    )


ROWS = (
    Row("POST /volumes", _create),
    Row("GET /volumes", _index),
    Row("GET /volumes/detail", _detail),
    Row("GET /volumes/summary", _summary, since=12),
    Row("GET /volumes/{volume}", _show),
    Row("PUT /volumes/{volume}", _update),
    Row("DELETE /volumes/{volume}", _delete),
)

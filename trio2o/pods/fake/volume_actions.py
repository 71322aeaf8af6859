# SPDX-License-Identifier: Apache-2.0
"""Metadata of volumes, and actions on them.

Source: cinder/api/contrib/volume_actions.py, cinder/volume/api.py @29.0.0.
"""

from trio2o.pods.fake.cloud import Cloud
from trio2o.pods.fake.service import require_role
from trio2o.pods.fake.state import (
    Image,
    Volume,
)
from trio2o.pods.fake.volumes import check_quota, find_type, find_volume, remove_volume, set_status
from trio2o.pods.fake.web import Fault, Request, Response, Row, truth


def _metadata(cloud: Cloud, request: Request) -> Response:
    return Response(body={"metadata": find_volume(cloud, request).metadata})


def _metadata_change(cloud: Cloud, request: Request) -> Response:
    volume = find_volume(cloud, request)
    kept = {} if request.method == "PUT" else volume.metadata
    volume.metadata = {**kept, **(request.body or {}).get("metadata", {})}
    cloud.volumes.changed()
    return Response(body={"metadata": volume.metadata})


def _meta(cloud: Cloud, request: Request) -> Volume:
    volume = find_volume(cloud, request)
    if request["key"] not in volume.metadata:
        raise Fault(404, f"Volume {volume.id} has no metadata with key {request['key']}.")
    return volume


def _meta_show(cloud: Cloud, request: Request) -> Response:
    volume = _meta(cloud, request)
    return Response(body={"meta": {request["key"]: volume.metadata[request["key"]]}})


def _meta_put(cloud: Cloud, request: Request) -> Response:
    volume = find_volume(cloud, request)
    meta = (request.body or {}).get("meta", {})
    if request["key"] not in meta:
        raise Fault(400, "Request body and URI mismatch")
    volume.metadata = {**volume.metadata, **meta}
    cloud.volumes.changed()
    return Response(body={"meta": meta})


def _meta_delete(cloud: Cloud, request: Request) -> Response:
    volume = _meta(cloud, request)
    volume.metadata = {k: v for k, v in volume.metadata.items() if k != request["key"]}
    cloud.volumes.changed()
    return Response(200, content_type="text/html; charset=UTF-8", bare=True)


def _extend(cloud: Cloud, request: Request) -> Response:
    volume = find_volume(cloud, request)
    size = int(request.body["os-extend"]["new_size"])
    if volume.status not in ("available", "in-use"):
        raise Fault(
            400,
            f"Invalid volume: Volume {volume.id} status must be '{{'status': 'available'}}' to "
            f"extend, currently {volume.status}.",
        )
    if size <= volume.size:
        raise Fault(
            400,
            "Invalid input received: New size for extend must be greater than current size. "
            f"(current: {volume.size}, extended: {size}).",
        )
    check_quota(cloud, request, "volumes", size - volume.size)
    if cloud.hold(volume, size):
        volume.size = size
        set_status(cloud, volume, volume.status)
    else:
        set_status(cloud, volume, "error_extending")
    return Response(202)


def _set_bootable(cloud: Cloud, request: Request) -> Response:
    volume = find_volume(cloud, request)
    volume.bootable = truth(request.body["os-set_bootable"]["bootable"])
    cloud.volumes.changed()
    return Response(200)


def _set_readonly(cloud: Cloud, request: Request) -> Response:
    volume = find_volume(cloud, request)
    volume.readonly = truth(request.body["os-update_readonly_flag"]["readonly"])
    cloud.volumes.changed()
    return Response(202)


def _reset_status(cloud: Cloud, request: Request) -> Response:
    require_role(request, "volume_extension:volume_admin_actions:reset_status", "admin")
    volume = find_volume(cloud, request)
    set_status(cloud, volume, request.body["os-reset_status"]["status"])
    return Response(202)


def _force_delete(cloud: Cloud, request: Request) -> Response:
    require_role(request, "volume_extension:volume_admin_actions:force_delete", "admin")
    remove_volume(cloud, find_volume(cloud, request))
    return Response(202)


def _retype(cloud: Cloud, request: Request) -> Response:
    volume = find_volume(cloud, request)
    volume.kind = find_type(cloud, request.body["os-retype"]["new_type"])
    set_status(cloud, volume, volume.status)
    return Response(202)


def _upload(cloud: Cloud, request: Request) -> Response:
    volume = find_volume(cloud, request)
    asked = request.body["os-volume_upload_image"]
    now = cloud.now()
    image = cloud.images.add(
        Image(
            id=cloud.new_id(),
            owner=request.who.project_id,
            created=now,
            updated=now,
            name=asked["image_name"],
            status="active",
            disk_format=asked.get("disk_format", "raw"),
            container_format=asked.get("container_format", "bare"),
            size=volume.size << 30,
        )
    )
    shown = {
        "id": volume.id,
        "updated_at": None,
        "status": "uploading",
        "display_description": volume.description,
        "size": volume.size,
        "volume_type": {"id": volume.kind.id, "name": volume.kind.name},
        "image_id": image.id,
        "container_format": image.container_format,
        "disk_format": image.disk_format,
        "image_name": image.name,
        "visibility": "private",
        "protected": False,
    }
    return Response(202, {"os-volume_upload_image": shown})


ROWS = (
    Row("GET /volumes/{volume}/metadata", _metadata),
    Row("POST /volumes/{volume}/metadata", _metadata_change),
    Row("PUT /volumes/{volume}/metadata", _metadata_change),
    Row("GET /volumes/{volume}/metadata/{key}", _meta_show),
    Row("PUT /volumes/{volume}/metadata/{key}", _meta_put),
    Row("DELETE /volumes/{volume}/metadata/{key}", _meta_delete),
    Row("POST /volumes/{volume}/action os-extend", _extend),
    Row("POST /volumes/{volume}/action os-set_bootable", _set_bootable),
    Row("POST /volumes/{volume}/action os-update_readonly_flag", _set_readonly),
    Row("POST /volumes/{volume}/action os-reset_status", _reset_status),
    Row("POST /volumes/{volume}/action os-force_delete", _force_delete),
    Row("POST /volumes/{volume}/action os-retype", _retype),
    Row("POST /volumes/{volume}/action os-volume_upload_image", _upload),
)

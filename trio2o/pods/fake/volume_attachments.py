# SPDX-License-Identifier: Apache-2.0
"""Attachments of Cinder, as Nova makes them."""

from typing import Any

from trio2o.pods.fake import volumes
from trio2o.pods.fake.cloud import Cloud
from trio2o.pods.fake.state import Attachment, micros
from trio2o.pods.fake.web import Fault, Request, Response, Row


def _attachment_view(item: Attachment) -> dict[str, Any]:
    return {
        "id": item.id,
        "status": item.status,
        "instance": item.server_id,
        "volume_id": item.volume_id,
        "attached_at": micros(item.attached) or "",
        "detached_at": "",
        "attach_mode": item.mode,
        "connection_info": {},
    }


def _attachment(cloud: Cloud, request: Request) -> Attachment:
    item = cloud.attachments.find(request["attachment"])
    volume = cloud.volumes.find(item.volume_id) if item else None
    if (
        item is None
        or volume is None
        or (volume.project_id != request.who.project_id and not request.who.is_admin)
    ):
        raise Fault(
            404,
            "Volume attachment could not be found with filter: attachment_id = "
            f"{request['attachment']}.",
        )
    return item


def _attachment_create(cloud: Cloud, request: Request) -> Response:
    asked = request.body["attachment"]
    volume = volumes.find_volume(cloud, request, asked["volume_uuid"])
    if volume.status not in ("available", "in-use"):
        raise Fault(
            400,
            f"Invalid volume: Volume {volume.id} status must be available or in-use or "
            f"downloading to reserve, but the current status is {volume.status}.",
        )
    item = Attachment(
        id=cloud.new_id(),
        bdm_id="",
        server_id=asked.get("instance_uuid") or "",
        volume_id=volume.id,
        device="",
        attached=cloud.now(),
        status="reserved",
    )
    cloud.attachments.add(item)
    volume.attachments.append(item)
    volumes.set_status(cloud, volume, "reserved")
    return Response(body={"attachment": _attachment_view(item)})


def _attachment_complete(cloud: Cloud, request: Request) -> Response:
    item = _attachment(cloud, request)
    item.status = "attached"
    volumes.set_status(cloud, volumes.find_volume(cloud, request, item.volume_id), "in-use")
    return Response(204)


def _attachment_list(cloud: Cloud, request: Request) -> Response:
    every = request.who.is_admin and request.asks("all_tenants")
    found = [
        {key: value for key, value in _attachment_view(item).items()
         if key in ("id", "status", "instance", "volume_id")}
        for item in cloud.attachments
        if (every or _owner(cloud, item) == request.who.project_id)
        and request.first("volume_id", item.volume_id) == item.volume_id
        and request.first("instance_id", item.server_id) == item.server_id
    ]  # fmt: skip
    return Response(body={"attachments": found})


def _owner(cloud: Cloud, item: Attachment) -> str:
    volume = cloud.volumes.find(item.volume_id)
    return volume.project_id if volume else ""


def _attachment_show(cloud: Cloud, request: Request) -> Response:
    return Response(body={"attachment": _attachment_view(_attachment(cloud, request))})


def _attachment_delete(cloud: Cloud, request: Request) -> Response:
    item = _attachment(cloud, request)
    volume = volumes.find_volume(cloud, request, item.volume_id)
    cloud.attachments.drop(item.id)
    volume.attachments = [other for other in volume.attachments if other is not item]
    volumes.set_status(cloud, volume, "in-use" if volume.attachments else "available")
    return Response(body={"attachments": []})


ROWS = (
    Row("GET /attachments", _attachment_list, since=27),
    Row("GET /attachments/detail", _attachment_list, since=27),
    Row("POST /attachments", _attachment_create, since=27),
    Row("GET /attachments/{attachment}", _attachment_show, since=27),
    Row("DELETE /attachments/{attachment}", _attachment_delete, since=27),
    Row("POST /attachments/{attachment}/action os-complete", _attachment_complete, since=44),
)

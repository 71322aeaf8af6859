# SPDX-License-Identifier: Apache-2.0
"""Volumes on servers, as Nova sees them.

Source: nova/api/openstack/compute/volume_attachments.py@34.0.0.
"""

from typing import Any

from trio2o.pods.fake.cloud import Cloud
from trio2o.pods.fake.schema import Schema
from trio2o.pods.fake.server_disks import check_free, connect, disconnect
from trio2o.pods.fake.servers import find_server
from trio2o.pods.fake.service import validate
from trio2o.pods.fake.state import Attachment, Server
from trio2o.pods.fake.web import Fault, Request, Response, Row, truth


def _schema(minor: int) -> Schema:
    known: dict[str, Any] = {
        "volumeId": {"type": "string", "format": "uuid"},
        "device": {"type": ["string", "null"]},
    }
    if minor >= 49:
        known["tag"] = {"type": "string", "maxLength": 60}
    if minor >= 79:
        known["delete_on_termination"] = {"type": ["boolean", "string"]}
    return {
        "type": "object",
        "properties": {
            "volumeAttachment": {
                "type": "object",
                "properties": known,
                "required": ["volumeId"],
                "additionalProperties": False,
            }
        },
        "required": ["volumeAttachment"],
        "additionalProperties": False,
    }


def _view(request: Request, attachment: Attachment) -> dict[str, Any]:
    view: dict[str, Any] = {
        "device": attachment.device,
        "serverId": attachment.server_id,
        "volumeId": attachment.volume_id,
    }
    if request.since(89):
        view["attachment_id"] = attachment.id
        view["bdm_uuid"] = attachment.bdm_id
    else:
        view["id"] = attachment.volume_id
    if request.since(70):
        view["tag"] = attachment.tag
    if request.since(79):
        view["delete_on_termination"] = attachment.delete_on_termination
    return view


def _attached(request: Request, server: Server) -> Attachment:
    for attachment in server.attachments:
        if attachment.volume_id == request["volume"]:
            return attachment
    raise Fault(404, f"Instance {request['server']} is not attached to volume {request['volume']}")


def _list(cloud: Cloud, request: Request) -> Response:
    server = find_server(cloud, request)
    offset = int(request.first("offset", "0"))
    limit = int(request.first("limit", "0")) or 1000
    # The page is one of all disks; that of the image is not shown.
    disks: list[Attachment | None] = [*([None] if server.image_id else []), *server.attachments]
    page = disks[offset : offset + limit]
    shown = [_view(request, item) for item in page if item is not None]
    return Response(body={"volumeAttachments": shown})


def _show(cloud: Cloud, request: Request) -> Response:
    attachment = _attached(request, find_server(cloud, request))
    return Response(body={"volumeAttachment": _view(request, attachment)})


def _create(cloud: Cloud, request: Request) -> Response:
    asked = validate(_schema(request.version[1]), request.body)["volumeAttachment"]
    server = find_server(cloud, request)
    volume = cloud.volumes.find(asked["volumeId"])
    if volume is None or (
        volume.project_id != request.who.project_id and not request.who.is_admin
    ):
        raise Fault(404, f"Volume {asked['volumeId']} could not be found.")
    if server.vm_state not in ("active", "paused", "stopped", "suspended", "resized"):
        raise Fault(
            409,
            f"Cannot 'attach_volume' instance {server.id} while it is in vm_state "
            f"{server.vm_state}",
        )
    if any(item.volume_id == volume.id for item in server.attachments):
        raise Fault(
            400,
            f"Invalid volume: volume {volume.id} is already attached to instances: {server.id}",
        )
    check_free(volume)
    attachment = connect(
        cloud,
        server,
        volume,
        device=asked.get("device") or "",
        tag=asked.get("tag"),
        delete_on_termination=truth(asked.get("delete_on_termination", False)),
    )
    if request.since(101):
        return Response(202, content_type="text/html; charset=UTF-8")
    shown: dict[str, Any] = {
        "id": volume.id,
        "serverId": server.id,
        "volumeId": volume.id,
        "device": attachment.device,
    }
    if request.since(70):
        shown["tag"] = attachment.tag
    if request.since(79):
        shown["delete_on_termination"] = attachment.delete_on_termination
    return Response(body={"volumeAttachment": shown})


def _update(cloud: Cloud, request: Request) -> Response:
    server = find_server(cloud, request)
    asked = (request.body or {}).get("volumeAttachment") or {}
    attachment = _attached(request, server)
    if asked.get("volumeId") != attachment.volume_id:
        volume_id = attachment.volume_id
        raise Fault(
            409,
            f"volume {volume_id} is not migrating; this API should only be called by Cinder",
        )
    if "delete_on_termination" in asked:
        attachment.delete_on_termination = truth(asked["delete_on_termination"])
        cloud.servers.changed()
    return Response(202)


def _delete(cloud: Cloud, request: Request) -> Response:
    server = find_server(cloud, request)
    if cloud.volumes.find(request["volume"]) is None:
        raise Fault(404, f"Volume {request['volume']} could not be found.")
    attachment = _attached(request, server)
    if server.root_device and attachment.device == server.root_device:
        raise Fault(400, "Cannot detach a root device volume")
    disconnect(cloud, server, attachment)
    return Response(202)


ROWS = (
    Row(
        "GET /servers/{server}/os-volume_attachments", _list, strict=75, known=("limit", "offset")
    ),
    Row("POST /servers/{server}/os-volume_attachments", _create),
    Row("GET /servers/{server}/os-volume_attachments/{volume}", _show),
    Row("PUT /servers/{server}/os-volume_attachments/{volume}", _update),
    Row("DELETE /servers/{server}/os-volume_attachments/{volume}", _delete),
)

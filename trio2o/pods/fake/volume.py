# SPDX-License-Identifier: Apache-2.0
"""Cinder: its versions and faults, snapshots, types, attachments, limits, pools."""

from typing import Any

import orjson

from trio2o.model import Service as ServiceType
from trio2o.pods.fake import volume_view, volumes
from trio2o.pods.fake.compute import FAULT_NAMES
from trio2o.pods.fake.identity import FakeIdentity
from trio2o.pods.fake.service import (
    EXPLANATIONS,
    Service,
    dotted,
    out_of_range,
    require_role,
    version_of,
)
from trio2o.pods.fake.state import Attachment, Cloud, Snapshot, VolumeType, later, look, micros
from trio2o.pods.fake.volume_list import Listing, answer, page
from trio2o.pods.fake.web import Fault, Request, Response, Row, truth

SNAPSHOTS = Listing(
    "snapshots",
    {
        "id": lambda item: item.id,
        "created_at": lambda item: item.created.replace(microsecond=0),
        "updated_at": lambda item: item.updated,
        "name": lambda item: item.name,
        "display_name": lambda item: item.name,
        "status": lambda item: item.status,
        "volume_id": lambda item: item.volume_id,
        "volume_size": lambda item: item.size,
        "user_id": lambda item: item.user_id,
        "project_id": lambda item: item.project_id,
    },
    ("name", "status", "volume_id", "metadata", "availability_zone", "consumes_quota"),
    "Snapshot {id} could not be found.",
    names_since=30,
    own_markers=True,
)


class VolumeService(Service):
    kind = ServiceType.VOLUME
    root = "/volume/v3"
    minimum = (3, 0)
    maximum = (3, 71)

    def __init__(self, cloud: Cloud, identity: FakeIdentity) -> None:
        super().__init__(cloud, identity, (*ROWS, *volumes.ROWS))

    def unprotected(self, request: Request) -> Response | None:  # noqa: ARG002
        return None

    def root_document(self, request: Request) -> Response:
        request.version = self.minimum
        version = {
            "id": "v3.0",
            "status": "CURRENT",
            "version": dotted(self.maximum),
            "min_version": dotted(self.minimum),
            "updated": "2023-08-31T00:00:00Z",
            "links": [
                {
                    "rel": "describedby",
                    "type": "text/html",
                    "href": "https://docs.openstack.org/",
                },
                {"rel": "self", "href": request.base + "/"},
            ],
            "media-types": [
                {
                    "base": "application/json",
                    "type": "application/vnd.openstack.volume+json;version=3",
                }
            ],
        }
        response = Response(300, {"versions": [version]})
        response.headers.extend(self.stamp(request, response))
        response.headers.append(("x-compute-request-id", request.request_id))
        return response

    def negotiate(self, request: Request) -> None:
        header = request.headers.get("openstack-api-version")
        if header is None:
            request.version = self.minimum
            return
        parts = [part.split() for part in header.split(",") if "volume" in part]
        if not parts:
            raise Fault(400)
        if len(parts[0]) != 2:
            raise Fault(500)
        wanted = parts[0][1]
        if wanted == "latest":
            request.version = self.maximum
            return
        version = version_of(wanted)
        request.version = version
        if not self.minimum <= version <= self.maximum:
            raise out_of_range(version, self.minimum, self.maximum)

    def check_project(self, request: Request) -> None:
        if request.project_in_url and request.project_in_url != request.who.project_id:
            raise Fault(400, "Malformed request url")

    def no_action(self, name: str) -> Fault:
        return Fault(
            400,
            f"There is no such action: {name}. Verify the request body and Content-Type header "
            "and try again.",
        )

    def stamp(self, request: Request, response: Response) -> list[tuple[str, str]]:
        headers = [("x-openstack-request-id", request.request_id)]
        if request.caller is not None and request.method_known and not response.bare:
            headers.append(("x-compute-request-id", request.request_id))
        # cinder/api/openstack/wsgi.py@29.0.0 _is_legacy_endpoint looks for "1.0" and "2.0".
        version = dotted(request.version)
        if request.version[0] and "1.0" not in version and "2.0" not in version:
            headers += [
                ("OpenStack-API-Version", f"volume {version}"),
                ("Vary", "OpenStack-API-Version"),
            ]
        return headers

    def fault(self, request: Request, fault: Fault) -> Response:  # noqa: ARG002
        headers = list(fault.headers)
        if fault.body is not None:
            return Response(fault.status, fault.body, headers)
        name = "overLimit" if fault.status == 413 else FAULT_NAMES.get(fault.status)
        inner: dict[str, Any] = {
            "code": fault.status,
            "message": fault.message or EXPLANATIONS.get(fault.status, ""),
        }
        for key, value in headers:
            if fault.status == 413 and key == "Retry-After":
                inner["retryAfter"] = value
        return Response(fault.status, orjson.dumps({name or "computeFault": inner}), headers)


def _snapshot_create(cloud: Cloud, request: Request) -> Response:
    asked = (request.body or {}).get("snapshot")
    if not isinstance(asked, dict):
        raise Fault(400, "'snapshot' is a required property")
    if "volume_id" not in asked:
        raise Fault(
            400,
            f"Invalid input for field/attribute snapshot. Value: {asked}. 'volume_id' is a "
            "required property",
        )
    volume = volumes.find_volume(cloud, request, asked["volume_id"])
    if volume.status == "error":
        raise Fault(
            400,
            "Invalid volume: The snapshot cannot be created when the volume is in error status.",
        )
    allowed = ["available"]
    if truth(asked.get("force", False)) or request.since(66):
        allowed.append("in-use")
    if volume.status not in allowed:
        raise Fault(
            400,
            f"Invalid volume: Volume {volume.id} status must be {' or '.join(allowed)}, but "
            f"current status is: {volume.status}.",
        )
    volumes.check_quota(cloud, request, "snapshots", volume.size)
    snapshot = cloud.snapshots.add(
        Snapshot(
            id=cloud.new_id(),
            project_id=volume.project_id,
            user_id=request.who.user_id,
            volume_id=volume.id,
            size=volume.size,
            created=cloud.now(),
            updated=None,
            name=asked.get("name", asked.get("display_name")),
            description=asked.get("description", asked.get("display_description")),
            metadata=dict(asked.get("metadata") or {}),
        )
    )
    shown = volume_view.snapshot(request, snapshot, whole=True, extended=False)

    def done() -> None:
        snapshot.status = "available"
        snapshot.updated = cloud.now()
        cloud.snapshots.changed()

    later(snapshot, cloud.behaviour.volume_build_looks, done)
    return Response(202, {"snapshot": shown})


def _snapshot_show(cloud: Cloud, request: Request) -> Response:
    snapshot = volumes.find_snapshot(cloud, request)
    look(snapshot)
    shown = volume_view.snapshot(request, snapshot, whole=True, extended=True)
    return Response(body={"snapshot": shown})


def _snapshot_index(cloud: Cloud, request: Request) -> Response:
    found, counted = page(cloud.snapshots, request, SNAPSHOTS)
    items = [volume_view.snapshot(request, item, whole=False, extended=False) for item in found]
    return Response(body=answer(request, SNAPSHOTS, items, counted, "snapshots"))


def _snapshot_detail(cloud: Cloud, request: Request) -> Response:
    found, counted = page(cloud.snapshots, request, SNAPSHOTS)
    items = [volume_view.snapshot(request, item, whole=True, extended=True) for item in found]
    for item in found:
        look(item)
    return Response(body=answer(request, SNAPSHOTS, items, counted, "snapshots/detail"))


def _snapshot_update(cloud: Cloud, request: Request) -> Response:
    snapshot = volumes.find_snapshot(cloud, request)
    asked = (request.body or {}).get("snapshot") or {}
    snapshot.name = asked.get("name", snapshot.name)
    snapshot.description = asked.get("description", snapshot.description)
    snapshot.updated = cloud.now()
    cloud.snapshots.changed()
    shown = volume_view.snapshot(request, snapshot, whole=True, extended=False)
    return Response(body={"snapshot": shown})


def _snapshot_delete(cloud: Cloud, request: Request) -> Response:
    snapshot = volumes.find_snapshot(cloud, request)
    if snapshot.status not in ("available", "error"):
        raise Fault(
            400,
            "Invalid snapshot: Snapshot status must be available or error, and must not be part "
            "of a group.",
        )
    snapshot.status = "deleting"
    cloud.snapshots.changed()
    later(
        snapshot,
        cloud.behaviour.volume_delete_looks,
        lambda: cloud.snapshots.drop(snapshot.id),
    )
    return Response(202, content_type="text/html; charset=UTF-8", bare=True)


# cinder/api/views/types.py, cinder/policies/type_extra_specs.py USER_VISIBLE_EXTRA_SPECS
_VISIBLE_SPECS = ("RESKEY:availability_zones", "multiattach", "replication_enabled")


def _type_view(
    request: Request, kind: VolumeType, *, extended: bool = True, qos: bool = True
) -> dict[str, Any]:
    admin = request.who.is_admin
    view: dict[str, Any] = {
        "id": kind.id,
        "name": kind.name,
        "is_public": kind.is_public,
        "description": kind.description,
        "extra_specs": {
            key: value for key, value in kind.extra_specs.items() if admin or key in _VISIBLE_SPECS
        },
    }
    if admin and qos:
        view["qos_specs_id"] = None
    if extended:
        view["os-volume-type-access:is_public"] = kind.is_public
    return view


def _type_list(cloud: Cloud, request: Request) -> Response:
    kinds = reversed(list(cloud.volume_types))
    return Response(body={"volume_types": [_type_view(request, kind) for kind in kinds]})


def _type_show(cloud: Cloud, request: Request) -> Response:
    kind = cloud.volume_types.find(request["type"])
    if kind is None:
        raise Fault(404, f"Volume type {request['type']} could not be found.")
    return Response(body={"volume_type": _type_view(request, kind)})


def _type_default(cloud: Cloud, request: Request) -> Response:
    kind = volumes.find_type(cloud, "__DEFAULT__")
    return Response(body={"volume_type": _type_view(request, kind, extended=False)})


def _type_create(cloud: Cloud, request: Request) -> Response:
    require_role(request, "volume_extension:type_create", "admin")
    asked = request.body["volume_type"]
    if any(kind.name == asked["name"] for kind in cloud.volume_types):
        raise Fault(409, f"Volume Type {asked['name']} already exists.")
    kind = cloud.volume_types.add(
        VolumeType(
            id=cloud.new_id(),
            name=asked["name"],
            description=asked.get("description"),
            is_public=truth(asked.get("os-volume-type-access:is_public", True)),
            extra_specs=dict(asked.get("extra_specs") or {}),
        )
    )
    return Response(body={"volume_type": _type_view(request, kind, qos=False)})


def _type_delete(cloud: Cloud, request: Request) -> Response:
    require_role(request, "volume_extension:type_delete", "admin")
    kind = cloud.volume_types.find(request["type"])
    if kind is None:
        raise Fault(404, f"Volume type {request['type']} could not be found.")
    cloud.volume_types.drop(kind.id)
    return Response(202, content_type="text/html; charset=UTF-8", bare=True)


def _type_specs(cloud: Cloud, request: Request) -> Response:
    require_role(request, "volume_extension:types_extra_specs:create", "admin")
    kind = cloud.volume_types.find(request["type"])
    if kind is None:
        raise Fault(404, f"Volume type {request['type']} could not be found.")
    kind.extra_specs = {**kind.extra_specs, **request.body["extra_specs"]}
    return Response(body={"extra_specs": request.body["extra_specs"]})


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


def _limits(cloud: Cloud, request: Request) -> Response:
    project = request.who.project_id
    mine = list(cloud.volumes_of(project))
    snapshots = [item for item in cloud.snapshots if item.project_id == project]
    quota = cloud.volume_quota
    size = sum(item.size for item in mine) + sum(item.size for item in snapshots)
    absolute = {
        "maxTotalVolumes": quota["volumes"],
        "maxTotalSnapshots": quota["snapshots"],
        "maxTotalVolumeGigabytes": quota["gigabytes"],
        "maxTotalBackups": quota["backups"],
        "maxTotalBackupGigabytes": quota["backup_gigabytes"],
        "totalVolumesUsed": len(mine),
        "totalGigabytesUsed": size,
        "totalSnapshotsUsed": len(snapshots),
        "totalBackupsUsed": 0,
        "totalBackupGigabytesUsed": 0,
    }
    return Response(body={"limits": {"rate": [], "absolute": absolute}})


def _zones(cloud: Cloud, request: Request) -> Response:  # noqa: ARG001
    zone = {"zoneName": cloud.volume_zone, "zoneState": {"available": True}}
    return Response(body={"availabilityZoneInfo": [zone]})


def _pools(cloud: Cloud, request: Request) -> Response:
    require_role(request, "scheduler_extension:scheduler_stats:get_pools", "admin")
    pool: dict[str, Any] = {"name": f"{cloud.host}@lab#lab"}
    if truth(request.first("detail")):
        used = cloud.volume_gb_used()
        pool["capabilities"] = {
            "pool_name": "lab",
            "total_capacity_gb": cloud.volume_gb,
            "free_capacity_gb": cloud.volume_gb - used,
            "allocated_capacity_gb": used,
            "reserved_percentage": 0,
            "thin_provisioning_support": False,
            "thick_provisioning_support": True,
            "online_extend_support": True,
            "multiattach": True,
            "QoS_support": True,
            "consistencygroup_support": False,
            "consistent_group_snapshot_enabled": False,
            "cacheable": True,
            "volume_backend_name": "lab",
            "storage_protocol": "iSCSI",
            "vendor_name": "Open Source",
            "driver_version": "1.0",
            "timestamp": micros(cloud.now()),
            "filter_function": None,
            "goodness_function": None,
        }
    return Response(body={"pools": [pool]})


def _nothing(key: str) -> Any:
    def handle(cloud: Cloud, request: Request) -> Response:  # noqa: ARG001
        return Response(body={key: []})

    return handle


ROWS = (
    Row("POST /snapshots", _snapshot_create),
    Row("GET /snapshots", _snapshot_index),
    Row("GET /snapshots/detail", _snapshot_detail),
    Row("GET /snapshots/{snapshot}", _snapshot_show),
    Row("PUT /snapshots/{snapshot}", _snapshot_update),
    Row("DELETE /snapshots/{snapshot}", _snapshot_delete),
    Row("GET /types", _type_list),
    Row("POST /types", _type_create),
    Row("GET /types/default", _type_default),
    Row("GET /types/{type}", _type_show),
    Row("DELETE /types/{type}", _type_delete),
    Row("POST /types/{type}/extra_specs", _type_specs),
    Row("GET /attachments", _attachment_list, since=27),
    Row("GET /attachments/detail", _attachment_list, since=27),
    Row("POST /attachments", _attachment_create, since=27),
    Row("GET /attachments/{attachment}", _attachment_show, since=27),
    Row("DELETE /attachments/{attachment}", _attachment_delete, since=27),
    Row("POST /attachments/{attachment}/action os-complete", _attachment_complete, since=44),
    Row("GET /limits", _limits),
    Row("GET /os-availability-zone", _zones),
    Row("GET /scheduler-stats/get_pools", _pools),
    Row("GET /backups", _nothing("backups")),
    Row("GET /backups/detail", _nothing("backups")),
    Row("GET /volume-transfers", _nothing("transfers")),
    Row("GET /messages", _nothing("messages"), since=3),
    Row("GET /groups", _nothing("groups"), since=13),
)

# SPDX-License-Identifier: Apache-2.0
"""Cinder: its versions and faults, snapshots, types, attachments, limits, pools."""

from typing import Any

import orjson

from trio2o.model import Service as ServiceType
from trio2o.pods.fake import snapshots, volume_actions, volume_attachments, volume_types, volumes
from trio2o.pods.fake.cloud import Cloud
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
from trio2o.pods.fake.state import micros
from trio2o.pods.fake.web import Fault, Request, Response, Row, truth


class VolumeService(Service):
    kind = ServiceType.VOLUME
    root = "/volume/v3"
    minimum = (3, 0)
    maximum = (3, 71)

    def __init__(self, cloud: Cloud, identity: FakeIdentity) -> None:
        super().__init__(
            cloud,
            identity,
            (
                *ROWS,
                *volumes.ROWS,
                *volume_actions.ROWS,
                *snapshots.ROWS,
                *volume_types.ROWS,
                *volume_attachments.ROWS,
            ),
        )

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
        used = cloud.volume_gb_used
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
    Row("GET /limits", _limits),
    Row("GET /os-availability-zone", _zones),
    Row("GET /scheduler-stats/get_pools", _pools),
    Row("GET /backups", _nothing("backups")),
    Row("GET /backups/detail", _nothing("backups")),
    Row("GET /volume-transfers", _nothing("transfers")),
    Row("GET /messages", _nothing("messages"), since=3),
    Row("GET /groups", _nothing("groups"), since=13),
)

# SPDX-License-Identifier: Apache-2.0
"""Nova: its versions, faults, zones, limits and server groups; the rest is beside it."""

import orjson

from trio2o.model import Service as ServiceType
from trio2o.pods.fake import (
    attachments,
    flavors,
    keypairs,
    server_actions,
    server_extras,
    server_list,
    servers,
)
from trio2o.pods.fake.cloud import Cloud
from trio2o.pods.fake.identity import FakeIdentity
from trio2o.pods.fake.service import (
    EXPLANATIONS,
    Service,
    dotted,
    out_of_range,
    require_role,
    validate,
    version_of,
)
from trio2o.pods.fake.state import ServerGroup, micros
from trio2o.pods.fake.web import Fault, Request, Response, Row, truth

FAULT_NAMES = {
    400: "badRequest",
    401: "unauthorized",
    403: "forbidden",
    404: "itemNotFound",
    405: "badMethod",
    409: "conflictingRequest",
    413: "overLimit",
    415: "badMediaType",
    429: "overLimit",
    501: "notImplemented",
    503: "serviceUnavailable",
}
_HEADER = "openstack-api-version"
_LEGACY_HEADER = "x-openstack-nova-api-version"


class Compute(Service):
    kind = ServiceType.COMPUTE
    root = "/compute/v2.1"
    minimum = (2, 1)
    maximum = (2, 104)

    def __init__(self, cloud: Cloud, identity: FakeIdentity) -> None:
        rows = (
            *ROWS,
            *servers.ROWS,
            *server_extras.ROWS,
            *server_list.ROWS,
            *server_actions.ROWS,
            *attachments.ROWS,
            *flavors.ROWS,
            *keypairs.ROWS,
        )
        super().__init__(cloud, identity, rows)

    def unprotected(self, request: Request) -> Response | None:
        if request.path in ("", "/") and request.method == "GET":
            request.version = self.minimum
            return Response(body={"version": self._version(request.base)})
        return None

    def root_document(self, request: Request) -> Response:
        base = request.base
        old = {"id": "v2.0", "status": "DEPRECATED", "version": "", "min_version": ""}
        old["updated"] = "2025-07-04T12:00:00Z"
        current = self._version(base)
        versions = [
            {**old, "links": [{"rel": "self", "href": base.removesuffix("v2.1") + "v2/"}]},
            {key: value for key, value in current.items() if key != "media-types"}
            | {"links": [{"rel": "self", "href": base + "/"}]},
        ]
        return Response(body={"versions": versions})

    def _version(self, base: str) -> dict[str, object]:
        return {
            "id": "v2.1",
            "status": "CURRENT",
            "version": dotted(self.maximum),
            "min_version": dotted(self.minimum),
            "updated": "2013-07-23T11:33:21Z",
            "links": [
                {"rel": "self", "href": base + "/"},
                {
                    "rel": "describedby",
                    "type": "text/html",
                    "href": "http://docs.openstack.org/",
                },
            ],
            "media-types": [
                {
                    "base": "application/json",
                    "type": "application/vnd.openstack.compute+json;version=2.1",
                }
            ],
        }

    def negotiate(self, request: Request) -> None:
        wanted = request.headers.get(_LEGACY_HEADER, "").strip()
        for part in request.headers.get(_HEADER, "").split(","):
            service, _, version = part.strip().partition(" ")
            if service == "compute" and version:
                wanted = version.strip()
        if not wanted:
            request.version = self.minimum
        elif wanted == "latest":
            request.version = self.maximum
        else:
            version_asked = version_of(wanted)
            request.version = version_asked
            if not self.minimum <= version_asked <= self.maximum:
                raise out_of_range(version_asked, self.minimum, self.maximum)

    def check_project(self, request: Request) -> None:
        mine = request.who.project_id
        if request.project_in_url and request.project_in_url != mine:
            raise Fault(
                400,
                f"Malformed request URL: URL's project_id '{request.project_in_url}' doesn't "
                f"match Context's project_id '{mine}'",
            )

    def stamp(self, request: Request, response: Response) -> list[tuple[str, str]]:  # noqa: ARG002
        headers = [
            ("x-openstack-request-id", request.request_id),
            ("x-compute-request-id", request.request_id),
        ]
        if request.version[0]:
            version = dotted(request.version)
            headers += [
                ("OpenStack-API-Version", f"compute {version}"),
                ("X-OpenStack-Nova-API-Version", version),
                ("Vary", "OpenStack-API-Version"),
                ("Vary", "X-OpenStack-Nova-API-Version"),
            ]
        return headers

    def fault(self, request: Request, fault: Fault) -> Response:  # noqa: ARG002
        headers = list(fault.headers)
        if fault.body is not None:
            return Response(fault.status, fault.body, headers)
        name = FAULT_NAMES.get(fault.status, "computeFault")
        message = fault.message or EXPLANATIONS.get(fault.status, "")
        body = orjson.dumps({name: {"code": fault.status, "message": message}})
        return Response(fault.status, body, headers, "application/json; charset=UTF-8")


def _zones(cloud: Cloud, request: Request) -> Response:  # noqa: ARG001
    zone = {"zoneName": cloud.zone, "zoneState": {"available": True}, "hosts": None}
    return Response(body={"availabilityZoneInfo": [zone]})


def _zones_detail(cloud: Cloud, request: Request) -> Response:
    require_role(request, "os_compute_api:os-availability-zone:detail", "admin")
    seen = {"available": True, "active": True, "updated_at": micros(cloud.now())}
    inside = {"nova-conductor": seen, "nova-scheduler": seen}
    zones = [
        {"zoneName": "internal", "zoneState": {"available": True}, "hosts": {cloud.host: inside}},
        {
            "zoneName": cloud.zone,
            "zoneState": {"available": True},
            "hosts": {cloud.host: {"nova-compute": seen}},
        },
    ]
    return Response(body={"availabilityZoneInfo": zones})


def _limits(cloud: Cloud, request: Request) -> Response:
    project = request.who.project_id
    if request.asks("tenant_id"):
        require_role(request, "os_compute_api:limits:other_project", "admin")
        project = request.first("tenant_id")
    mine = list(cloud.servers_of(project))
    quota = cloud.compute_quota
    absolute: dict[str, int] = {
        "maxTotalCores": quota["cores"],
        "maxTotalInstances": quota["instances"],
        "maxTotalKeypairs": quota["key_pairs"],
        "maxServerMeta": quota["metadata_items"],
        "maxTotalRAMSize": quota["ram"],
        "maxServerGroups": quota["server_groups"],
        "maxServerGroupMembers": quota["server_group_members"],
        "totalRAMUsed": sum(server.flavor.ram for server in mine),
        "totalCoresUsed": sum(server.flavor.vcpus for server in mine),
        "totalInstancesUsed": len(mine),
        "totalServerGroupsUsed": sum(group.project_id == project for group in cloud.groups),
    }
    # nova/api/openstack/compute/limits.py@34.0.0: what 2.36, 2.39 and 2.57 took away.
    if not request.since(36):
        absolute |= {"maxTotalFloatingIps": -1, "maxSecurityGroups": -1}
        absolute |= {"maxSecurityGroupRules": -1}
        absolute |= {"totalFloatingIpsUsed": 0, "totalSecurityGroupsUsed": 0}
    if not request.since(39):
        absolute["maxImageMeta"] = quota["metadata_items"]
    if not request.since(57):
        absolute["maxPersonality"] = quota["injected_files"]
        absolute["maxPersonalitySize"] = quota["injected_file_content_bytes"]
    return Response(body={"limits": {"rate": [], "absolute": absolute}})


_GROUP_NAME = {"type": "string", "minLength": 1, "maxLength": 255}
_GROUP_OLD = {
    "type": "object",
    "properties": {
        "server_group": {
            "type": "object",
            "properties": {
                "name": _GROUP_NAME,
                "policies": {
                    "type": "array",
                    "items": {"enum": ["anti-affinity", "affinity"]},
                    "maxItems": 1,
                },
            },
            "required": ["name", "policies"],
            "additionalProperties": False,
        }
    },
    "required": ["server_group"],
    "additionalProperties": False,
}
_GROUP_NEW = {
    "type": "object",
    "properties": {
        "server_group": {
            "type": "object",
            "properties": {
                "name": _GROUP_NAME,
                "policy": {
                    "type": "string",
                    "enum": ["anti-affinity", "affinity", "soft-anti-affinity", "soft-affinity"],
                },
                "rules": {"type": "object"},
            },
            "required": ["name", "policy"],
            "additionalProperties": False,
        }
    },
    "required": ["server_group"],
    "additionalProperties": False,
}


def _group_view(cloud: Cloud, request: Request, group: ServerGroup) -> dict[str, object]:
    members = [member for member in group.members if cloud.servers.find(member)]
    view: dict[str, object] = {"id": group.id, "name": group.name}
    if request.since(64):
        view |= {"policy": group.policy, "rules": group.rules}
    else:
        view |= {"policies": [group.policy], "metadata": group.metadata}
    view["members"] = members
    if request.since(13):
        view |= {"project_id": group.project_id, "user_id": group.user_id}
    return view


def _group(cloud: Cloud, request: Request) -> ServerGroup:
    group = cloud.groups.find(request["id"])
    if group is None or (group.project_id != request.who.project_id and not request.who.is_admin):
        raise Fault(404, f"Instance group {request['id']} could not be found.")
    return group


def _group_create(cloud: Cloud, request: Request) -> Response:
    body = validate(_GROUP_NEW if request.since(64) else _GROUP_OLD, request.body)["server_group"]
    policy = body["policy"] if request.since(64) else body["policies"][0]
    who = request.who
    group = ServerGroup(
        cloud.new_id(), body["name"], policy, who.project_id, who.user_id, body.get("rules", {})
    )
    cloud.groups.add(group)
    return Response(body={"server_group": _group_view(cloud, request, group)})


def _group_list(cloud: Cloud, request: Request) -> Response:
    every = request.who.is_admin and truth(request.first("all_projects"))
    groups = [g for g in cloud.groups if every or g.project_id == request.who.project_id]
    offset = int(request.first("offset", "0"))
    limit = int(request.first("limit", "1000")) or 1000
    page = groups[offset : offset + limit]
    return Response(body={"server_groups": [_group_view(cloud, request, g) for g in page]})


def _group_show(cloud: Cloud, request: Request) -> Response:
    return Response(body={"server_group": _group_view(cloud, request, _group(cloud, request))})


def _group_delete(cloud: Cloud, request: Request) -> Response:
    cloud.groups.drop(_group(cloud, request).id)
    return Response(204)


_GROUP_QUERY = ("all_projects", "limit", "offset")
ROWS = (
    Row("GET /os-availability-zone", _zones, strict=102),
    Row("GET /os-availability-zone/detail", _zones_detail, strict=102),
    Row("GET /limits", _limits, strict=75, known=("tenant_id", "reserved")),
    Row("POST /os-server-groups", _group_create),
    Row("GET /os-server-groups", _group_list, strict=75, known=_GROUP_QUERY),
    Row("GET /os-server-groups/{id}", _group_show),
    Row("DELETE /os-server-groups/{id}", _group_delete),
)

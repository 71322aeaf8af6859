# SPDX-License-Identifier: Apache-2.0
"""Volume types of Cinder."""

from typing import Any

from trio2o.pods.fake import volumes
from trio2o.pods.fake.cloud import Cloud
from trio2o.pods.fake.service import (
    require_role,
)
from trio2o.pods.fake.state import VolumeType
from trio2o.pods.fake.web import Fault, Request, Response, Row, truth

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


ROWS = (
    Row("GET /types", _type_list),
    Row("POST /types", _type_create),
    Row("GET /types/default", _type_default),
    Row("GET /types/{type}", _type_show),
    Row("DELETE /types/{type}", _type_delete),
    Row("POST /types/{type}/extra_specs", _type_specs),
)

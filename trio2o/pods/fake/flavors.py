# SPDX-License-Identifier: Apache-2.0
"""Flavors of Nova and their extra specs; a change makes a new record, so servers keep theirs.

Source: nova/api/openstack/compute/flavors.py@34.0.0.
"""

import re
from dataclasses import replace
from typing import Any

from trio2o.pods.fake.cloud import Cloud
from trio2o.pods.fake.paging import ordered
from trio2o.pods.fake.schema import Schema
from trio2o.pods.fake.server_list import MAX_LIMIT, bad_query
from trio2o.pods.fake.server_view import links, next_page
from trio2o.pods.fake.service import require_role, validate
from trio2o.pods.fake.state import Flavor
from trio2o.pods.fake.web import Fault, Request, Response, Row, truth

_NUMBER: Schema = {"type": ["integer", "string"], "pattern": "^[0-9]*$", "minLength": 1}


def _schema(minor: int) -> Schema:
    known: dict[str, Any] = {
        "name": {"type": "string", "minLength": 1, "maxLength": 255},
        "id": {"type": ["string", "number", "null"]},
        "ram": {**_NUMBER, "minimum": 1},
        "vcpus": {**_NUMBER, "minimum": 1},
        "disk": {**_NUMBER, "minimum": 0},
        "OS-FLV-EXT-DATA:ephemeral": {**_NUMBER, "minimum": 0},
        "swap": {**_NUMBER, "minimum": 0},
        "os-flavor-access:is_public": {"type": ["boolean", "string"]},
    }
    if minor < 102:
        known["rxtx_factor"] = {"type": ["number", "string"]}
    if minor >= 55:
        known["description"] = {"type": ["string", "null"], "maxLength": 65535}
    flavor = {
        "type": "object",
        "properties": known,
        "required": ["name", "ram", "vcpus", "disk"],
        "additionalProperties": False,
    }
    return {
        "type": "object",
        "properties": {"flavor": flavor},
        "required": ["flavor"],
        "additionalProperties": False,
    }


def _view(request: Request, flavor: Flavor) -> dict[str, Any]:
    view: dict[str, Any] = {
        "id": flavor.id,
        "name": flavor.name,
        "ram": flavor.ram,
        "disk": flavor.disk,
        "swap": flavor.swap or (0 if request.since(75) else ""),
        "OS-FLV-EXT-DATA:ephemeral": flavor.ephemeral,
        "vcpus": flavor.vcpus,
        "os-flavor-access:is_public": flavor.is_public,
        "links": links(request, "flavors", flavor.id),
    }
    if not request.since(102):
        view["OS-FLV-DISABLED:disabled"] = False
        view["rxtx_factor"] = flavor.rxtx_factor
    if request.since(55):
        view["description"] = flavor.description
    if request.since(61):
        view["extra_specs"] = flavor.extra_specs
    return view


def _brief(request: Request, flavor: Flavor) -> dict[str, Any]:
    view: dict[str, Any] = {
        "id": flavor.id,
        "name": flavor.name,
        "links": links(request, "flavors", flavor.id),
    }
    if request.since(55):
        view["description"] = flavor.description
    return view


def _visible(request: Request, flavor: Flavor) -> bool:
    return flavor.is_public or request.who.is_admin or request.who.project_id in flavor.access


def find_flavor(cloud: Cloud, request: Request) -> Flavor:
    flavor = cloud.flavors.find(request["flavor"])
    if flavor is None or not _visible(request, flavor):
        raise Fault(404, f"Flavor {request['flavor']} could not be found.")
    return flavor


def _page(cloud: Cloud, request: Request) -> list[Flavor]:
    for key, value in request.query:
        if key == "limit" and not value.isdigit():
            raise bad_query(key, value, f"{value!r} does not match '^[0-9]*$'")
    found = [flavor for flavor in cloud.flavors if _listed(request, flavor)]
    for key, attribute in (("minRam", "ram"), ("minDisk", "disk")):
        if request.asks(key):
            value = request.first(key)
            if not value.isdigit():
                raise Fault(400, f"Invalid {key} filter [{value}]")
            found = [flavor for flavor in found if getattr(flavor, attribute) >= int(value)]
    if request.asks("name") and request.since(102):
        pattern = re.compile(request.first("name"), re.IGNORECASE)
        found = [flavor for flavor in found if pattern.search(flavor.name)]
    sort_key = {"flavorid": "id", "memory_mb": "ram", "root_gb": "disk"}.get(
        request.first("sort_key", "flavorid"), request.first("sort_key")
    )
    sort = ((sort_key, request.first("sort_dir", "asc")), ("id", "asc"))
    found = ordered(found, sort, getattr)
    start = 0
    if request.asks("marker"):
        names = [flavor.id for flavor in found]
        if request.first("marker") not in names:
            raise Fault(400, f"marker [{request.first('marker')}] not found")
        start = names.index(request.first("marker")) + 1
    limit = min(int(request.first("limit") or MAX_LIMIT), MAX_LIMIT)
    return found[start : start + limit]


def _listed(request: Request, flavor: Flavor) -> bool:
    asked = request.first("is_public", "true") if request.who.is_admin else "mine"
    if asked.lower() == "none":
        return True
    if asked == "mine":
        return _visible(request, flavor)
    return flavor.is_public == truth(asked)


def _answer(request: Request, path: str, items: list[dict[str, Any]]) -> Response:
    body: dict[str, Any] = {"flavors": items}
    limit = min(int(request.first("limit") or MAX_LIMIT), MAX_LIMIT)
    if items and limit == len(items):
        body["flavors_links"] = next_page(request, path, items[-1]["id"])
    return Response(body=body)


def _index(cloud: Cloud, request: Request) -> Response:
    items = [_brief(request, flavor) for flavor in _page(cloud, request)]
    return _answer(request, "flavors", items)


def _detail(cloud: Cloud, request: Request) -> Response:
    items = [_view(request, flavor) for flavor in _page(cloud, request)]
    return _answer(request, "flavors/detail", items)


def _show(cloud: Cloud, request: Request) -> Response:
    return Response(body={"flavor": _view(request, find_flavor(cloud, request))})


def _create(cloud: Cloud, request: Request) -> Response:
    asked = validate(_schema(request.version[1]), request.body)["flavor"]
    require_role(request, "os_compute_api:os-flavor-manage:create", "admin")
    flavor_id = asked.get("id")
    if flavor_id in (None, "", "auto"):
        flavor_id = cloud.new_id()
    name = asked["name"]
    if cloud.flavors.find(str(flavor_id)):
        raise Fault(409, f"Flavor with ID {flavor_id} already exists.")
    if any(flavor.name == name for flavor in cloud.flavors):
        raise Fault(409, f"Flavor with name {name} already exists.")
    flavor = Flavor(
        id=str(flavor_id),
        name=name,
        vcpus=int(asked["vcpus"]),
        ram=int(asked["ram"]),
        disk=int(asked["disk"]),
        ephemeral=int(asked.get("OS-FLV-EXT-DATA:ephemeral", 0)),
        swap=int(asked.get("swap", 0)),
        rxtx_factor=float(asked.get("rxtx_factor", 1.0)),
        is_public=truth(asked.get("os-flavor-access:is_public", True)),
        description=asked.get("description"),
    )
    cloud.flavors.add(flavor)
    return Response(body={"flavor": _view(request, flavor)})


def _update(cloud: Cloud, request: Request) -> Response:
    require_role(request, "os_compute_api:os-flavor-manage:update", "admin")
    flavor = find_flavor(cloud, request)
    flavor = cloud.flavors.add(replace(flavor, description=request.body["flavor"]["description"]))
    return Response(body={"flavor": _view(request, flavor)})


def _delete(cloud: Cloud, request: Request) -> Response:
    require_role(request, "os_compute_api:os-flavor-manage:delete", "admin")
    cloud.flavors.drop(find_flavor(cloud, request).id)
    return Response(202)


def _specs(cloud: Cloud, request: Request) -> Response:
    return Response(body={"extra_specs": find_flavor(cloud, request).extra_specs})


def _specs_add(cloud: Cloud, request: Request) -> Response:
    require_role(request, "os_compute_api:os-flavor-extra-specs:create", "admin")
    flavor = find_flavor(cloud, request)
    specs = request.body["extra_specs"]
    cloud.flavors.add(replace(flavor, extra_specs={**flavor.extra_specs, **specs}))
    return Response(body={"extra_specs": specs})


def _spec(cloud: Cloud, request: Request) -> Flavor:
    flavor = find_flavor(cloud, request)
    if request["key"] not in flavor.extra_specs:
        raise Fault(404, f"Flavor {flavor.id} has no extra specs with key {request['key']}.")
    return flavor


def _spec_show(cloud: Cloud, request: Request) -> Response:
    flavor = _spec(cloud, request)
    return Response(body={request["key"]: flavor.extra_specs[request["key"]]})


def _spec_put(cloud: Cloud, request: Request) -> Response:
    require_role(request, "os_compute_api:os-flavor-extra-specs:update", "admin")
    flavor = find_flavor(cloud, request)
    cloud.flavors.add(replace(flavor, extra_specs={**flavor.extra_specs, **request.body}))
    return Response(body=request.body)


def _spec_delete(cloud: Cloud, request: Request) -> Response:
    require_role(request, "os_compute_api:os-flavor-extra-specs:delete", "admin")
    flavor = _spec(cloud, request)
    cloud.flavors.add(
        replace(
            flavor,
            extra_specs={k: v for k, v in flavor.extra_specs.items() if k != request["key"]},
        )
    )
    return Response(200)


def _access_view(flavor: Flavor) -> Response:
    pairs = [{"flavor_id": flavor.id, "tenant_id": project} for project in sorted(flavor.access)]
    return Response(body={"flavor_access": pairs})


def _access(cloud: Cloud, request: Request) -> Response:
    require_role(request, "os_compute_api:os-flavor-access", "admin")
    flavor = find_flavor(cloud, request)
    if flavor.is_public:
        raise Fault(404, "Access list not available for public flavors.")
    return _access_view(flavor)


def _access_add(cloud: Cloud, request: Request) -> Response:
    require_role(request, "os_compute_api:os-flavor-access:add_tenant_access", "admin")
    flavor = find_flavor(cloud, request)
    project = request.body["addTenantAccess"]["tenant"]
    if project in flavor.access:
        raise Fault(
            409,
            f"Flavor access already exists for flavor {flavor.id} and project {project} "
            "combination.",
        )
    flavor.access.add(project)
    return _access_view(flavor)


def _access_remove(cloud: Cloud, request: Request) -> Response:
    require_role(request, "os_compute_api:os-flavor-access:remove_tenant_access", "admin")
    flavor = find_flavor(cloud, request)
    project = request.body["removeTenantAccess"]["tenant"]
    if project not in flavor.access:
        raise Fault(404, f"Flavor access not found for {flavor.id} / {project} combination.")
    flavor.access.discard(project)
    return _access_view(flavor)


_KNOWN = (
    "limit",
    "marker",
    "is_public",
    "minRam",
    "minDisk",
    "sort_key",
    "sort_dir",
)
ROWS = (
    Row("GET /flavors", _index, until=101, strict=75, known=_KNOWN),
    Row("GET /flavors", _index, since=102, strict=75, known=(*_KNOWN, "name")),
    Row("POST /flavors", _create),
    Row("GET /flavors/detail", _detail, until=101, strict=75, known=_KNOWN),
    Row("GET /flavors/detail", _detail, since=102, strict=75, known=(*_KNOWN, "name")),
    Row("GET /flavors/{flavor}", _show, strict=102),
    Row("PUT /flavors/{flavor}", _update, since=55),
    Row("DELETE /flavors/{flavor}", _delete),
    Row("GET /flavors/{flavor}/os-extra_specs", _specs, strict=102),
    Row("POST /flavors/{flavor}/os-extra_specs", _specs_add),
    Row("GET /flavors/{flavor}/os-extra_specs/{key}", _spec_show, strict=102),
    Row("PUT /flavors/{flavor}/os-extra_specs/{key}", _spec_put),
    Row("DELETE /flavors/{flavor}/os-extra_specs/{key}", _spec_delete),
    Row("GET /flavors/{flavor}/os-flavor-access", _access),
    Row("POST /flavors/{flavor}/action addTenantAccess", _access_add),
    Row("POST /flavors/{flavor}/action removeTenantAccess", _access_remove),
)

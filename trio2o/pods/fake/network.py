# SPDX-License-Identifier: Apache-2.0
"""Neutron: networks and ports, shown and listed; enough to tell what a server is plugged into."""

from typing import Any

import orjson

from trio2o.model import Service as ServiceType
from trio2o.pods.fake.cloud import Cloud
from trio2o.pods.fake.identity import FakeIdentity
from trio2o.pods.fake.paging import next_link
from trio2o.pods.fake.service import EXPLANATIONS, Service
from trio2o.pods.fake.state import Network, Port, seconds
from trio2o.pods.fake.web import Fault, Request, Response, Row


class NeutronFault(Fault):
    def __init__(self, status: int, kind: str, message: str) -> None:
        super().__init__(status, message)
        self.kind = kind


class NetworkService(Service):
    kind = ServiceType.NETWORK
    root = "/network/v2.0"

    def __init__(self, cloud: Cloud, identity: FakeIdentity) -> None:
        super().__init__(cloud, identity, ROWS)

    def unprotected(self, request: Request) -> Response | None:  # noqa: ARG002
        return None

    def root_document(self, request: Request) -> Response:
        link = {"rel": "self", "href": request.base + "/"}
        return Response(body={"versions": [{"id": "v2.0", "status": "CURRENT", "links": [link]}]})

    def no_path(self) -> Fault:
        return NeutronFault(404, "HTTPNotFound", EXPLANATIONS[404])

    def fault(self, request: Request, fault: Fault) -> Response:  # noqa: ARG002
        if fault.body is not None:
            return Response(fault.status, fault.body, list(fault.headers))
        kind = fault.kind if isinstance(fault, NeutronFault) else "HTTPError"
        inner = {"type": kind, "message": fault.message, "detail": ""}
        body = orjson.dumps({"NeutronError": inner})
        return Response(fault.status, body, list(fault.headers))


def _network_view(cloud: Cloud, request: Request, network: Network) -> dict[str, Any]:
    view: dict[str, Any] = {
        "id": network.id,
        "name": network.name,
        "tenant_id": network.project_id,
        "project_id": network.project_id,
        "admin_state_up": True,
        "mtu": network.mtu,
        "status": "ACTIVE",
        "subnets": network.subnets,
        "shared": network.shared,
        "availability_zone_hints": network.zones,
        "availability_zones": [],
        "ipv4_address_scope": None,
        "ipv6_address_scope": None,
        "router:external": network.external,
        "qinq": False,
        "vlan_transparent": False,
        "description": "",
        "port_security_enabled": True,
        "qos_policy_id": None,
        "l2_adjacency": True,
        "tags": [],
        "created_at": seconds(network.created),
        "updated_at": seconds(network.created),
        "revision_number": 1,
    }
    if network.external:
        view["is_default"] = False
    if request.who.is_admin:
        view["provider:network_type"] = "vxlan"
        view["provider:physical_network"] = None
        view["provider:segmentation_id"] = 1000 + sorted(n.id for n in cloud.networks).index(
            network.id
        )
    return view


def _port_view(cloud: Cloud, request: Request, port: Port) -> dict[str, Any]:  # noqa: ARG001
    fixed = {"subnet_id": port.subnet_id, "ip_address": port.ip}
    view: dict[str, Any] = {
        "id": port.id,
        "name": port.name,
        "network_id": port.network_id,
        "tenant_id": port.project_id,
        "project_id": port.project_id,
        "mac_address": port.mac,
        "admin_state_up": True,
        "status": "ACTIVE" if port.device_id else "DOWN",
        "device_id": port.device_id,
        "device_owner": port.device_owner,
        "fixed_ips": [fixed],
        "allowed_address_pairs": [],
        "extra_dhcp_opts": [],
        "security_groups": [],
        "description": "",
        "binding:vnic_type": "normal",
        "port_security_enabled": True,
        "qos_policy_id": None,
        "qos_network_policy_id": None,
        "tags": [],
        "created_at": seconds(port.created),
        "updated_at": seconds(port.created),
        "revision_number": 1,
    }
    if request.who.is_admin:
        view["binding:host_id"] = port.host
        view["binding:profile"] = {}
        view["binding:vif_type"] = "ovs" if port.host else "unbound"
        view["binding:vif_details"] = {}
    return view


def _sees(request: Request, item: Network | Port) -> bool:
    if request.who.is_admin or item.project_id == request.who.project_id:
        return True
    return isinstance(item, Network) and (item.shared or item.external)


_KINDS: dict[str, Any] = {"networks": _network_view, "ports": _port_view}


def _list(collection: str) -> Any:
    def handle(cloud: Cloud, request: Request) -> Response:
        items: list[Any] = sorted(getattr(cloud, collection), key=lambda item: item.id)
        views = [
            _KINDS[collection](cloud, request, item) for item in items if _sees(request, item)
        ]
        wanted = [pair for pair in request.query if pair[0] not in _PAGING]
        views = [view for view in views if all(_equal(view, key, text) for key, text in wanted)]
        return _page(request, collection, views)

    return handle


_PAGING = ("limit", "marker", "page_reverse", "sort_key", "sort_dir", "fields")


def _equal(view: dict[str, Any], key: str, text: str) -> bool:
    if key not in view:
        return True
    mine = view[key]
    return str(mine).lower() == text.lower() if isinstance(mine, bool) else str(mine) == text


def _page(request: Request, collection: str, views: list[dict[str, Any]]) -> Response:
    if not request.asks("limit"):
        return Response(body={collection: views})
    ids = [view["id"] for view in views]
    start = 0
    if request.asks("marker"):
        if request.first("marker") not in ids:
            raise _missing(collection, request.first("marker"))
        start = ids.index(request.first("marker")) + 1
    limit = int(request.first("limit"))
    page = views[start : start + limit]
    body: dict[str, Any] = {collection: page}
    url = f"{request.base}/{collection}"
    links = []
    if page and len(page) == limit:
        href = next_link(url, request.query, page[-1]["id"])
        links.append({"rel": "next", "href": href})
    if page:
        href = next_link(url, request.query, page[0]["id"]) + "&page_reverse=True"
        links.append({"rel": "previous", "href": href})
    if links:
        body[f"{collection}_links"] = links
    return Response(body=body)


def _missing(collection: str, item_id: str) -> Fault:
    name = collection.capitalize().removesuffix("s")
    return NeutronFault(404, f"{name}NotFound", f"{name} {item_id} could not be found.")


def _show(collection: str) -> Any:
    def handle(cloud: Cloud, request: Request) -> Response:
        item = getattr(cloud, collection).find(request["id"])
        if item is None or not _sees(request, item):
            raise _missing(collection, request["id"])
        view = _KINDS[collection](cloud, request, item)
        return Response(body={collection.removesuffix("s"): view})

    return handle


ROWS = (
    Row("GET /networks", _list("networks")),
    Row("GET /networks/{id}", _show("networks")),
    Row("GET /ports", _list("ports")),
    Row("GET /ports/{id}", _show("ports")),
)

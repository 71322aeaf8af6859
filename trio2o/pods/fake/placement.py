# SPDX-License-Identifier: Apache-2.0
"""Placement: where there is room.

Source: placement/handlers/allocation_candidate.py, placement/util.py @16.0.0.
"""

import re
from typing import Any

import orjson

from trio2o.model import Service as ServiceType
from trio2o.pods.fake.cloud import Cloud
from trio2o.pods.fake.identity import FakeIdentity
from trio2o.pods.fake.service import EXPLANATIONS, STATUS_TITLES, Service, dotted
from trio2o.pods.fake.web import Fault, Request, Response, Row, parse_version

CLASSES = ("VCPU", "MEMORY_MB", "DISK_GB")
TRAITS = (
    "COMPUTE_TRUSTED_CERTS",
    "COMPUTE_RESCUE_BFV",
    "COMPUTE_NET_ATTACH_INTERFACE_WITH_TAG",
    "COMPUTE_IMAGE_TYPE_RAW",
    "COMPUTE_VOLUME_MULTI_ATTACH",
    "COMPUTE_NODE",
    "COMPUTE_MEM_BACKING_FILE",
    "COMPUTE_SAME_HOST_COLD_MIGRATE",
    "COMPUTE_DEVICE_TAGGING",
    "COMPUTE_VOLUME_ATTACH_WITH_TAG",
    "COMPUTE_STORAGE_VIRTIO_FS",
    "COMPUTE_ADDRESS_SPACE_EMULATED",
    "OWNER_NOVA",
    "COMPUTE_ADDRESS_SPACE_PASSTHROUGH",
    "COMPUTE_NET_ATTACH_INTERFACE",
    "COMPUTE_SECURITY_STATELESS_FIRMWARE",
    "COMPUTE_ACCELERATORS",
    "COMPUTE_VOLUME_EXTEND",
)
_RESOURCE = re.compile(r"([A-Z0-9_]+):(\d+)")


class PlacementFault(Fault):
    """code: Placement's own, from 1.23 on; "" for none."""

    def __init__(
        self, status: int, detail: str, code: str = "", *, more: dict[str, str] | None = None
    ) -> None:
        super().__init__(status, detail)
        self.bare = False
        self.code = code
        self.more = more or {}


class Placement(Service):
    kind = ServiceType.PLACEMENT
    root = "/placement"
    negotiates_first = True
    minimum = (1, 0)
    maximum = (1, 39)

    def __init__(self, cloud: Cloud, identity: FakeIdentity) -> None:
        super().__init__(cloud, identity, ROWS)

    def unprotected(self, request: Request) -> Response | None:
        if request.path in ("", "/") and request.method == "GET":
            request.version = self.minimum
            return self.root_document(request)
        return None

    def root_document(self, request: Request) -> Response:  # noqa: ARG002
        version = {
            "id": "v1.0",
            "max_version": dotted(self.maximum),
            "min_version": dotted(self.minimum),
            "status": "CURRENT",
            "links": [{"rel": "self", "href": ""}],
        }
        return Response(body={"versions": [version]})

    def negotiate(self, request: Request) -> None:
        wanted = ""
        for part in request.headers.get("openstack-api-version", "").split(","):
            service, _, version = part.strip().partition(" ")
            if service == "placement":
                wanted = version.strip()
        if not wanted:
            request.version = self.minimum
            return
        version_asked = self.maximum if wanted == "latest" else parse_version(wanted)
        if version_asked is None:
            reason = f"invalid version string: {wanted}; {_why_no_number(wanted)}"
            raise PlacementFault(400, f"{EXPLANATIONS[400]}\n\n Invalid microversion: {reason}  ")
        if not self.minimum <= version_asked <= self.maximum:
            raise PlacementFault(
                406,
                "The resource could not be generated that was acceptable to your browser "
                "(content of type application/json. \n\n Invalid microversion: Unacceptable "
                f"version header: {wanted}",
                more={
                    "max_version": dotted(self.maximum),
                    "min_version": dotted(self.minimum),
                },
            )
        request.version = version_asked

    def no_path(self) -> Fault:
        fault = PlacementFault(404, f"{EXPLANATIONS[404]}\n\n   ")
        fault.bare = True
        return fault

    def no_version(self) -> Fault:
        return PlacementFault(404, f"{EXPLANATIONS[404]}\n\n   ")

    def no_method(self, request: Request, allowed: list[str]) -> Fault:
        fault = PlacementFault(
            405,
            f"The method {request.method} is not allowed for this resource. \n\n The method "
            "specified is not allowed for this resource.",
        )
        fault.headers = (("Allow", ", ".join(allowed)),)
        return fault

    def stamp(self, request: Request, response: Response) -> list[tuple[str, str]]:
        headers = [("x-openstack-request-id", request.request_id)]
        if request.version[0]:
            headers.append(("OpenStack-API-Version", f"placement {dotted(request.version)}"))
            if not response.bare:
                headers.append(("Vary", "openstack-api-version"))
        return headers

    def fault(self, request: Request, fault: Fault) -> Response:
        headers = list(fault.headers)
        if fault.body is not None:
            return Response(fault.status, fault.body, headers)
        error: dict[str, Any] = {
            "status": fault.status,
            "title": STATUS_TITLES.get(fault.status, "Error"),
            "detail": fault.message,
        }
        if isinstance(fault, PlacementFault):
            if fault.code and request.version[1] >= 23:
                error["code"] = fault.code
            error |= fault.more
        error["request_id"] = request.request_id
        bare = isinstance(fault, PlacementFault) and fault.bare
        return Response(fault.status, orjson.dumps({"errors": [error]}), headers, bare=bare)


def _why_no_number(text: str) -> str:
    try:
        major, minor = (int(part) for part in text.split("."))
    except ValueError as error:
        return str(error)
    return f"{major}.{minor}"


def _allowed(request: Request, rule: str) -> None:
    if not request.who.roles & {"admin", "service"}:
        fault = PlacementFault(
            403,
            f"Access was denied to this resource.\n\n Policy does not allow {rule} to be "
            "performed.  ",
            "placement.undefined_code",
        )
        fault.bare = True
        raise fault


def _asked(request: Request) -> dict[str, int]:
    found: dict[str, int] = {}
    for key, value in request.query:
        if key.startswith("resources"):
            for name, amount in _RESOURCE.findall(value):
                if name not in CLASSES:
                    raise PlacementFault(
                        400,
                        f"{EXPLANATIONS[400]}\n\n Invalid resource class in resources "
                        f"parameter: No such resource class {name}.  ",
                        "placement.undefined_code",
                    )
                found[name] = found.get(name, 0) + int(amount)
    if not found:
        raise PlacementFault(
            400,
            f"{EXPLANATIONS[400]}\n\n There must be at least one resources or resources[$S] "
            "parameter.  ",
            "placement.query.missing_value",
        )
    return found


def _candidates(cloud: Cloud, request: Request) -> Response:
    _allowed(request, "placement:allocation_candidates:list")
    asked = _asked(request)
    total = dict(zip(CLASSES, (cloud.vcpus, cloud.ram_mb, cloud.disk_gb), strict=True))
    used = dict(zip(CLASSES, cloud.used, strict=True))
    if any(used[name] + amount > total[name] for name, amount in asked.items()):
        return Response(body={"allocation_requests": [], "provider_summaries": {}})
    provider = cloud.provider_id
    allocation: dict[str, Any] = {"allocations": {provider: {"resources": asked}}}
    if not request.since(12):
        one = {"resource_provider": {"uuid": provider}, "resources": asked}
        allocation = {"allocations": [one]}
    if request.since(34):
        allocation["mappings"] = {"": [provider]}
    shown = CLASSES if request.since(27) else tuple(asked)
    summary: dict[str, Any] = {
        "resources": {name: {"capacity": total[name], "used": used[name]} for name in shown}
    }
    if request.since(17):
        summary["traits"] = list(TRAITS)
    if request.since(29):
        summary["parent_provider_uuid"] = None
        summary["root_provider_uuid"] = provider
    body = {"allocation_requests": [allocation], "provider_summaries": {provider: summary}}
    return Response(body=body)


def _providers(cloud: Cloud, request: Request) -> Response:
    _allowed(request, "placement:resource_providers:list")
    path = f"/resource_providers/{cloud.provider_id}"
    names = ("inventories", "usages", "aggregates", "traits", "allocations")
    links = [{"rel": name, "href": f"{path}/{name}"} for name in names]
    provider: dict[str, Any] = {
        "uuid": cloud.provider_id,
        "name": cloud.host,
        "generation": 1,
        "links": [{"rel": "self", "href": path}, *links],
    }
    if request.since(14):
        provider["parent_provider_uuid"] = None
        provider["root_provider_uuid"] = cloud.provider_id
    return Response(body={"resource_providers": [provider]})


def _provider(cloud: Cloud, request: Request) -> None:
    _allowed(request, "placement:resource_providers:show")
    if request["provider"] != cloud.provider_id:
        detail = f"No resource provider with uuid {request['provider']} found "
        raise PlacementFault(404, f"{EXPLANATIONS[404]}\n\n {detail} ")


def _inventories(cloud: Cloud, request: Request) -> Response:
    _provider(cloud, request)
    total = zip(CLASSES, (cloud.vcpus, cloud.ram_mb, cloud.disk_gb), strict=True)
    inventories = {
        name: {
            "total": amount,
            "reserved": 0,
            "min_unit": 1,
            "max_unit": amount,
            "step_size": 1,
            "allocation_ratio": 1.0,
        }
        for name, amount in total
    }
    return Response(body={"resource_provider_generation": 1, "inventories": inventories})


def _usages(cloud: Cloud, request: Request) -> Response:
    _provider(cloud, request)
    usages = dict(zip(CLASSES, cloud.used, strict=True))
    return Response(body={"resource_provider_generation": 1, "usages": usages})


ROWS = (
    Row("GET /allocation_candidates", _candidates, since=10),
    Row("GET /resource_providers", _providers),
    Row("GET /resource_providers/{provider}/inventories", _inventories),
    Row("GET /resource_providers/{provider}/usages", _usages),
)

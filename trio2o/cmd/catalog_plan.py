# SPDX-License-Identifier: Apache-2.0
"""What ``trio2o catalog`` has to change: a comparison of what is wanted and what is there.

No I/O.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

_NAMES: Final = {
    "compute": "nova",
    "volumev3": "cinderv3",
    "block-storage": "cinder",
    "image": "glance",
    "network": "neutron",
    "multipod": "trio2o",
}
_INTERFACES: Final = ("public", "internal")


@dataclass(frozen=True, slots=True)
class Region:
    id: str
    parent: str | None


@dataclass(frozen=True, slots=True)
class ServiceEntry:
    id: str
    type: str
    name: str
    enabled: bool


@dataclass(frozen=True, slots=True)
class Endpoint:
    """type: of its service."""

    id: str
    region: str
    service_id: str
    type: str
    interface: str
    url: str
    enabled: bool


@dataclass(frozen=True, slots=True)
class Wanted:
    """region: of the gateway.  urls: by service type.  pods: names of the registered ones."""

    region: str
    urls: Mapping[str, str]
    pods: tuple[str, ...]

    @classmethod
    def of(cls, region: str, base_url: str, network: str, pods: tuple[str, ...]) -> "Wanted":
        """network: URL of the network service; "" for the gateway's own."""
        base = base_url.rstrip("/")
        # Nova and older clients ask for volumev3, tempest and the SDK for block-storage.
        volume = f"{base}/volume/v3"
        return cls(
            region,
            {
                "compute": f"{base}/compute/v2.1",
                "volumev3": volume,
                "block-storage": volume,
                "image": f"{base}/image",
                "network": network or f"{base}/network",
                "multipod": base,
            },
            pods,
        )


@dataclass(frozen=True, slots=True)
class There:
    """endpoints: of the gateway's region and of the pods'."""

    regions: tuple[Region, ...]
    services: tuple[ServiceEntry, ...]
    endpoints: tuple[Endpoint, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """A call to Keystone, and how it is told.

    makes_service: type of the service that the call makes.
    of_new_service: type of the service, made before, whose id goes into the body.
    """

    text: str
    method: str
    path: tuple[str, ...]
    body: Mapping[str, Any]
    makes_service: str = ""
    of_new_service: str = ""


def changes(wanted: Wanted, there: There) -> list[Change]:
    """In the order in which they are to be made."""
    return [
        *_region(wanted, there),
        *(change for kind in wanted.urls for change in _service(kind, wanted, there)),
        *_children(wanted, there),
    ]


def _region(wanted: Wanted, there: There) -> Iterator[Change]:
    if all(region.id != wanted.region for region in there.regions):
        fields = {"id": wanted.region, "description": "All pods as one cloud"}
        yield Change(f"create region {wanted.region}", "POST", ("regions",), {"region": fields})


def _service(kind: str, wanted: Wanted, there: There) -> Iterator[Change]:
    service = _row_of(kind, wanted, there)
    if service is None:
        fields = {"type": kind, "name": _NAMES[kind], "enabled": True}
        yield Change(
            f"create service {kind} ({_NAMES[kind]})",
            "POST",
            ("services",),
            {"service": fields},
            makes_service=kind,
        )
    elif not service.enabled:
        yield Change(
            f"enable service {kind} ({service.name})",
            "PATCH",
            ("services", service.id),
            {"service": {"enabled": True}},
        )
    for interface in _interfaces(kind, wanted, there):
        yield from _endpoint(kind, interface, service, wanted, there)


def _row_of(kind: str, wanted: Wanted, there: There) -> ServiceEntry | None:
    """The service that our endpoints go to: of several rows, the gateway's, else the pods'."""
    rows = [service for service in there.services if service.type == kind]
    own = {one.service_id for one in there.endpoints if one.region == wanted.region}
    used = Counter(one.service_id for one in there.endpoints)
    return min(
        rows,
        key=lambda row: (row.id not in own, not row.enabled, -used[row.id], row.id),
        default=None,
    )


def _interfaces(kind: str, wanted: Wanted, there: There) -> tuple[str, ...]:
    """Admin endpoints only where the pods have them: nothing has needed them for long."""
    has_admin = any(
        one.type == kind and one.interface == "admin" and one.region in wanted.pods
        for one in there.endpoints
    )
    return (*_INTERFACES, "admin") if has_admin else _INTERFACES


def _endpoint(
    kind: str, interface: str, service: ServiceEntry | None, wanted: Wanted, there: There
) -> Iterator[Change]:
    url = wanted.urls[kind]
    known = _ours(kind, interface, wanted, there)
    what = f"endpoint {wanted.region} {kind} {interface}"
    if not known:
        fields: dict[str, Any] = {"region_id": wanted.region, "interface": interface, "url": url}
        if service is not None:
            fields["service_id"] = service.id
        yield Change(
            f"create {what}: {url}",
            "POST",
            ("endpoints",),
            {"endpoint": fields},
            of_new_service="" if service else kind,
        )
    elif not any(one.url == url and one.enabled for one in known):
        first = known[0]
        text = f"change {what}: {first.url} -> {url}" if first.url != url else f"enable {what}"
        yield Change(
            text,
            "PATCH",
            ("endpoints", first.id),
            {"endpoint": {"url": url, "enabled": True}},
        )


def _ours(kind: str, interface: str, wanted: Wanted, there: There) -> list[Endpoint]:
    found = [
        one
        for one in there.endpoints
        if (one.region, one.type, one.interface) == (wanted.region, kind, interface)
    ]
    return sorted(found, key=lambda one: (one.url != wanted.urls[kind], one.id))


def _children(wanted: Wanted, there: There) -> Iterator[Change]:
    for region in there.regions:
        if region.id in wanted.pods and region.parent is None:
            yield Change(
                f"put region {region.id} below {wanted.region}",
                "PATCH",
                ("regions", region.id),
                {"region": {"parent_region_id": wanted.region}},
            )


def notes(wanted: Wanted, there: There) -> Iterator[str]:
    """What an operator should know and is left alone."""
    regions = {region.id: region for region in there.regions}
    for pod in wanted.pods:
        if pod not in regions:
            yield f"pod {pod} is registered, and Keystone has no such region"
        elif regions[pod].parent not in (None, wanted.region):
            yield f"region {pod} stays below {regions[pod].parent}"
    for kind in wanted.urls:
        for interface in (*_INTERFACES, "admin"):
            for one in _ours(kind, interface, wanted, there)[1:]:
                yield (
                    f"{wanted.region} has more than one {interface} endpoint of {kind}; if "
                    f"{one.url} is not needed: openstack endpoint delete {one.id}"
                )
    if not any(one.type == "identity" and one.region == wanted.region for one in there.endpoints):
        yield (
            f"{wanted.region} has no endpoint of identity, where clients look for projects and "
            f"users: openstack endpoint create --region {wanted.region} identity public URL"
        )

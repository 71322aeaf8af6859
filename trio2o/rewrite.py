# SPDX-License-Identifier: Apache-2.0
"""What of a body names the pod, so that clients see the gateway and pods see themselves.

Three things only: links, names of availability zones, and the marker on what was created
through the gateway. Each is done where a table below says that a service puts it, and
nowhere else: what users write (names, metadata, extra specs) passes as it is, whatever it
looks like, and so does every field that is not known here.

Not rewritten, on purpose: ``hostId`` (equal host names of two pods give equal values), the
URLs of consoles, zones in aggregates and in the ``RESKEY:availability_zones`` of volume
types (operators' business in the pod's own words), and Glance's links, which are paths.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl, urlencode

import orjson

from trio2o.model import Pod, Reply, Service
from trio2o.ops import Op

MARKER = "trio2o:intent"
"""Metadata key whose value is the id of the intent that a server or volume came from."""

INTERNAL_ZONE = "internal"
"""Nova's zone of what is not a hypervisor; never a zone of the top region."""


@dataclass(frozen=True, slots=True)
class _Entity:
    """What is rewritten in the things under one key of a body.

    links: fields with links, a dot goes into a dict.
    depth: how many last segments of a link's path name the thing: "servers/<id>" are 2.
    zones: fields with the name of a zone.
    marked: whether ``metadata`` may hold the marker.
    """

    links: tuple[str, ...] = ()
    depth: int = 2
    zones: tuple[str, ...] = ()
    marked: bool = False


_SERVER = _Entity(
    ("links", "image.links", "flavor.links"),
    zones=("OS-EXT-AZ:availability_zone", "pinned_availability_zone"),
    marked=True,
)
_LINKED = _Entity(("links",))
_ZONED = _Entity(("links",), zones=("availability_zone",))
_SERVICE = _Entity(zones=("zone",))

# Sources: the view builders in nova/api/openstack/compute/views@34.0.0 and migrations.py,
# cinder/api/views and cinder/api/v3/views@29.0.0.
_ENTITIES: Mapping[Service, Mapping[str, _Entity]] = {
    Service.COMPUTE: {
        "server": _SERVER,
        "servers": _SERVER,
        "flavor": _LINKED,
        "flavors": _LINKED,
        "migrations": _Entity(("links",), depth=4),
        "service": _SERVICE,
        "services": _SERVICE,
        "hosts": _SERVICE,
    },
    Service.VOLUME: {
        "volume": _Entity(("links",), zones=("availability_zone",), marked=True),
        "volumes": _Entity(("links",), zones=("availability_zone",), marked=True),
        "snapshot": _ZONED,
        "snapshots": _ZONED,
        "backup": _ZONED,
        "backups": _ZONED,
        "group": _ZONED,
        "groups": _ZONED,
        "consistencygroup": _ZONED,
        "consistencygroups": _ZONED,
        "transfer": _LINKED,
        "transfers": _LINKED,
        "message": _LINKED,
        "messages": _LINKED,
        "service": _SERVICE,
        "services": _SERVICE,
        "hosts": _SERVICE,
    },
}

# Keys of a body that hold links to the next page, and where the links of a thing that
# Cinder wraps badly stand beside it.
_PAGE_LINKS: Mapping[Service, frozenset[str]] = {
    Service.COMPUTE: frozenset(
        (
            "servers_links",
            "flavors_links",
            "keypairs_links",
            "migrations_links",
            "hypervisors_links",
            "tenant_usages_links",
            "tenant_usage_links",
            "links",  # beside instanceActions
        )
    ),
    Service.VOLUME: frozenset(
        (
            "volumes_links",
            "snapshots_links",
            "backups_links",
            "messages_links",
            "transfers_links",
            "qos_specs_links",
            "group_links",
            "group_snapshot_links",
            "group_type_links",
            "volume_type_links",
            "consistencygroup_links",
            "links",  # beside qos_specs
        )
    ),
}

# Metadata that is a body of its own: GET /servers/{id}/metadata, .../metadata/{key}.
_METADATA = ("metadata", "meta")

# Collections that a Location header points to; images are another service's for Nova, whose
# createImage and createBackup name one before 2.45.
_LOCATIONS: Mapping[Service, tuple[str, ...]] = {
    Service.COMPUTE: ("servers", "images"),
    Service.IMAGE: ("images", "tasks"),
}


@dataclass(frozen=True, slots=True)
class _Bases:
    """Where the client finds the gateway: the service, the same unversioned, and images."""

    service: str
    bookmark: str
    image: str


@lru_cache(maxsize=1024)
def _bases(base: str) -> _Bases:
    # of a URL such as https://cloud/compute/v2.1/5f3a
    found = re.fullmatch(r"(?P<cloud>.*)/(?P<name>[^/]+)/v\d[\d.]*(?P<project>/[^/]+)?", base)
    if found is None:
        return _Bases(base, base, base)
    cloud, name, project = found.group("cloud", "name", "project")
    return _Bases(base, f"{cloud}/{name}{project or ''}", f"{cloud}/image/v2")


# ------------------------------------------------------------------------------ outbound


def reply_out(op: Op, reply: Reply, document: Any, pod: Pod, base: str) -> Reply:
    """The reply of ``pod`` as the client gets it.

    document: its body as JSON, which is changed in place; None if it is none.
    base: URL of the gateway's service, with version, and with the project if the client's
        own URL had it: "https://cloud/compute/v2.1/5f3a".
    """
    headers = reply.headers
    location = reply.header("location")
    if location:
        ours = _location_out(op.service, location, _bases(base))
        headers = tuple((k, ours if k.lower() == "location" else v) for k, v in headers)
    if not _document_out(op, document, pod, base):
        return reply if headers is reply.headers else replace(reply, headers=headers)
    headers = tuple((k, v) for k, v in headers if k.lower() != "content-length")
    return replace(reply, headers=headers, body=orjson.dumps(document))


def item_out(op: Op, item: dict[str, Any], pod: Pod, base: str) -> dict[str, Any]:
    """``item`` of a list of ``pod``, changed in place, as the client gets it."""
    envelope = op.listing.envelope if op.listing is not None else ""
    entity = _ENTITIES.get(op.service, {}).get(envelope)
    if entity is not None:
        _thing_out(item, entity, pod, _bases(base))
    return item


def _document_out(op: Op, document: Any, pod: Pod, base: str) -> bool:
    """Change ``document`` in place; whether it has anything that could have been changed."""
    entities = _ENTITIES.get(op.service)
    if entities is None or not isinstance(document, dict):
        return False
    bases = _bases(base)
    pages = _PAGE_LINKS[op.service]
    touched = False
    for key, value in document.items():
        entity = entities.get(key)
        if entity is not None:
            for thing in value if isinstance(value, list) else (value,):
                if isinstance(thing, dict):
                    _thing_out(thing, entity, pod, bases)
                    touched = True
        elif key in pages and isinstance(value, list):
            # A link to a next page has the request's own path.
            _links_out(value, 2, op.path.count("/"), bases)
            touched = True
        elif key in _METADATA and isinstance(value, dict):
            touched |= value.pop(MARKER, None) is not None
    return touched


def _thing_out(thing: dict[str, Any], entity: _Entity, pod: Pod, bases: _Bases) -> None:
    for field in entity.links:
        holder: Any = thing
        name, _, inner = field.partition(".")
        if inner:
            holder, name = thing.get(name), inner
        links = holder.get(name) if isinstance(holder, dict) else None
        if isinstance(links, list):
            _links_out(links, entity.depth, entity.depth, bases)
    for field in entity.zones:
        zone = thing.get(field)
        if zone and isinstance(zone, str) and zone != INTERNAL_ZONE:
            thing[field] = pod.zone_from_pod(zone)
    if entity.marked:
        metadata = thing.get("metadata")
        if isinstance(metadata, dict):
            metadata.pop(MARKER, None)


def _links_out(links: list[Any], depth: int, next_depth: int, bases: _Bases) -> None:
    """Put the last ``depth`` segments of each link's path below the gateway's URL."""
    for link in links:
        href = link.get("href") if isinstance(link, dict) else None
        if isinstance(href, str):
            path, mark, query = href.partition("?")
            rel = link.get("rel")
            base = bases.bookmark if rel == "bookmark" else bases.service
            tail = path.rsplit("/", next_depth if rel == "next" else depth)[1:]
            link["href"] = "/".join((base, *tail)) + mark + query


def _location_out(service: Service, location: str, bases: _Bases) -> str:
    for collection in _LOCATIONS.get(service, ()):
        at = location.rfind(f"/{collection}/")
        if at >= 0:
            return (bases.image if collection == "images" else bases.service) + location[at:]
    return location


# ------------------------------------------------------------------------------ inbound


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What is rewritten in the body of one request.

    under: key of the body; zone: its field with a zone; marked: its metadata takes the
    marker.
    """

    under: str
    zone: str
    marked: bool = False


_NEW_SERVER = _Wanted("server", "availability_zone", marked=True)
_NEW_VOLUME = _Wanted("volume", "availability_zone", marked=True)
_MANAGED = _Wanted("volume", "availability_zone")

# Sources: schemas in nova/api/openstack/compute/schemas@34.0.0 and cinder/api/schemas@29.0.0
_REQUESTS: Mapping[tuple[Service, str, str, str], _Wanted] = {
    (Service.COMPUTE, "POST", "/servers", ""): _NEW_SERVER,
    (Service.COMPUTE, "POST", "/os-volumes_boot", ""): _NEW_SERVER,
    (Service.COMPUTE, "PUT", "/servers/{server}", ""): _Wanted(
        "server", "pinned_availability_zone"
    ),
    (Service.COMPUTE, "POST", "/servers/{server}/action", "unshelve"): _Wanted(
        "unshelve", "availability_zone"
    ),
    (Service.VOLUME, "POST", "/volumes", ""): _NEW_VOLUME,
    (Service.VOLUME, "POST", "/groups", ""): _Wanted("group", "availability_zone"),
    (Service.VOLUME, "POST", "/consistencygroups", ""): _Wanted(
        "consistencygroup", "availability_zone"
    ),
    (Service.VOLUME, "POST", "/backups", ""): _Wanted("backup", "availability_zone"),
    (Service.VOLUME, "POST", "/os-volume-manage", ""): _MANAGED,
    (Service.VOLUME, "POST", "/manageable_volumes", ""): _MANAGED,
}


def _wanted(op: Op, document: Any) -> tuple[_Wanted, dict[str, Any]] | None:
    """What ``op`` says of ``document``, and the part of it that this is about."""
    wanted = _REQUESTS.get((op.service, op.method, op.path, op.action))
    thing = document.get(wanted.under) if wanted and isinstance(document, dict) else None
    return (wanted, thing) if wanted and isinstance(thing, dict) else None


def wanted_zone(op: Op, document: Any) -> str:
    """The zone of the top region that ``document`` asks for; "" for any.

    Of Nova's "zone:host:node" it is the first part.
    """
    found = _wanted(op, document)
    zone = found[1].get(found[0].zone) if found else None
    if not isinstance(zone, str):
        return ""
    return zone.partition(":")[0] if op.service is Service.COMPUTE else zone


def body_in(op: Op, document: Any, pod: Pod) -> Any:
    """The body that ``pod`` gets; ``document`` itself when nothing in it is of the gateway.

    A pod that was registered without a zone name gets none.
    """
    found = _wanted(op, document)
    if found is None:
        return document
    wanted, thing = found
    zone = thing.get(wanted.zone)
    if not zone or not isinstance(zone, str):
        return document
    mapped = _zone_to_pod(op.service, zone, pod)
    if mapped == zone:
        return document
    thing = {**thing, wanted.zone: mapped}
    if not mapped:
        del thing[wanted.zone]
    return {**document, wanted.under: thing}


def with_marker(op: Op, document: Any, intent_id: str) -> Any:
    """``document`` with the marker in its metadata; itself when there is no place for it.

    That is a body which the pod will refuse.
    """
    found = _wanted(op, document)
    if found is None or not found[0].marked:
        return document
    wanted, thing = found
    metadata = thing.get("metadata", {})
    if metadata is None and op.service is Service.VOLUME:
        metadata = {}  # Cinder takes it for none; Nova refuses it
    if not isinstance(metadata, dict):
        return document
    thing = {**thing, "metadata": {**metadata, MARKER: intent_id}}
    return {**document, wanted.under: thing}


def refusal_out(reply: Reply, op: Op, document: Any, intent_id: str) -> Reply:
    """The pod's refusal of a marked ``document``, of which it may repeat parts, without the mark.

    document: as the client sent it.
    """
    if intent_id.encode() not in reply.body:
        return reply
    found = _wanted(op, document)
    bare = found is not None and "metadata" not in found[1]
    quote = rb"[\\'\"]+"
    mark = quote + MARKER.encode() + quote + b": ?" + quote + intent_id.encode() + quote
    body = reply.body
    if bare:
        body = re.sub(
            b"(, ?)?" + quote + b"metadata" + quote + rb": ?\{" + mark + rb"\}", b"", body
        )
    body = re.sub(b"(, ?)?" + mark, b"", body)
    headers = tuple((k, v) for k, v in reply.headers if k.lower() != "content-length")
    return replace(reply, headers=headers, body=body)


def no_such_item(op: Op, resource_id: str) -> str:
    """What a service says of metadata that is not there, as the marker's own key is to users."""
    if op.service is Service.COMPUTE:
        # nova/api/openstack/compute/server_metadata.py@34.0.0: show
        return "Metadata item was not found"
    # cinder/exception.py@29.0.0: VolumeMetadataNotFound
    return f"Volume {resource_id} has no metadata with key {MARKER}."


def _zone_to_pod(service: Service, zone: str, pod: Pod) -> str:
    if service is not Service.COMPUTE:
        return pod.zone_to_pod(zone)
    # nova/compute/api.py@34.0.0: parse_availability_zone: zone:host, zone:host:node,
    # zone::node; an empty zone with a host is the default zone
    name, colon, forced = zone.partition(":")
    return pod.zone_to_pod(name) + colon + forced.removeprefix(f"{pod.name}@")


_ZONE_FILTERS: Mapping[Service, tuple[str, ...]] = {
    Service.COMPUTE: ("availability_zone",),
    Service.VOLUME: ("availability_zone", "zone"),
}

# No zone has this name: both services refuse spaces at the ends. To Nova, which reads the
# filter as a regular expression, it matches nothing either.
_NO_ZONE = "^ $"


def query_in(op: Op, query: str, pod: Pod) -> str:
    """``query`` with the pod's own zone names; the same text when it names no zone.

    A pod that was registered without a zone name has one zone: of that the filter goes, of
    another it matches nothing.
    """
    names = _ZONE_FILTERS.get(op.service, ())
    if not any(name in query for name in names):
        return query
    made = []
    for name, value in parse_qsl(query, keep_blank_values=True):
        if name not in names or not value:
            made.append((name, value))
        elif pod.pod_az_name:
            made.append((name, pod.zone_to_pod(value)))
        elif value != pod.az_name:
            made.append((name, _NO_ZONE))
    return urlencode(made)

# SPDX-License-Identifier: Apache-2.0
"""Rows: every operation of a service's API, with how it is routed.

This package says what is to be done for each operation and does none of it.
"""

from collections.abc import Iterator
from dataclasses import KW_ONLY, dataclass, field, replace
from enum import StrEnum

from trio2o.model import Kind, Service


class RoutingClass(StrEnum):
    LOCAL = "LOCAL"
    """Answered by the gateway; no pod is asked. ``answer`` names the answer."""
    BY_ID = "BY_ID"
    """The path names a routed resource; its pod answers."""
    BY_REF = "BY_REF"
    """The body or query names a routed resource; its pod answers."""
    LIST = "LIST"
    """Every pod that can hold rows; sorted merge, one page."""
    CREATE = "CREATE"
    """One pod is placed; intent first, then the call, then the routing is confirmed."""
    REPLICATED = "REPLICATED"
    """One definition, the same in every pod."""
    AGGREGATE = "AGGREGATE"
    """Every pod is asked; ``fold`` names how the bodies become one."""
    QUOTA = "QUOTA"
    """The gateway is the authority."""
    SPLIT = "SPLIT"
    """A batch; each item goes to the pod of the resource that it names."""
    BY_POD = "BY_POD"
    """A pod's own infrastructure, for operators: shown as pod@name, integer ids encoded."""
    GONE = "GONE"
    """Removed upstream; no pod is asked. ``reason`` and ``status``."""
    REFUSED = "REFUSED"
    """No meaning across pods; the row says why. ``reason`` and ``status``."""


class AnswerName(StrEnum):
    """What the gateway itself answers (LOCAL)."""

    VERSION = "version"
    """The version document of the service, with the microversions that every pod has."""
    EXTENSIONS = "extensions"
    EXTENSION = "extension"
    """One of the extensions, by its alias."""
    RESOURCE_FILTERS = "resource_filters"
    SCHEMA = "schema"
    """Glance's JSON schema that the path names."""
    IMPORT_INFO = "import_info"


class FoldName(StrEnum):
    """How the bodies of several pods become one (AGGREGATE)."""

    COMPUTE_LIMITS = "compute_limits"
    VOLUME_LIMITS = "volume_limits"
    ZONES = "zones"
    """Availability zones of compute or volume, with hosts or without."""
    TENANT_USAGES = "tenant_usages"
    """Of all projects."""
    TENANT_USAGE = "tenant_usage"
    """Of the project in the path."""
    HYPERVISOR_STATISTICS = "hypervisor_statistics"
    USAGE_AUDIT_LOG = "usage_audit_log"
    VOLUME_SUMMARY = "volume_summary"
    IMAGE_USAGE = "image_usage"


class SortStyle(StrEnum):
    """How a service's lists are sorted by the query."""

    NOVA = "nova"  # sort_key and sort_dir, repeated in pairs
    CINDER = "cinder"  # sort=key:dir,key:dir, or one sort_key with sort_dir
    GLANCE = "glance"  # sort=key:dir,... or sort_key and sort_dir repeated
    FIXED = "fixed"  # not by the query


@dataclass(frozen=True, slots=True)
class Listing:
    """How the lists of several pods become one.

    envelope: key of the items in the body.
    links: key of the next link ("servers_links"; "next" for Glance's path; "" for none).
    sort: how the query says the order;  default_sort: (key, direction) pairs when it does not.
    tie: the service's own last sort key and its direction ("same": the last direction asked).
    fields: sort key -> path of the item's field that shows it, dots go into dicts.
    marker_field: the item's field that ``marker`` is compared with; "" for a list without
        markers, which is continued by ``offset``.
    max_limit, default_limit: items; default_limit None means max_limit.
    bad_marker_status: how the service refuses an unknown marker.
    ask: path to ask the pods when it is another than the row's (a brief list lacks sort
        fields); ``brief`` are then the item's fields that stay.
    offset: whether the service knows ``offset``.
    count: key of a total in the body, when the query has ``with_count``; "" for none.
    whole: pods are asked for everything at once, without limit, offset or marker, which they
        do not take: they ignore them, or list nothing at all.
    older: (microversion, listing): the contract below that microversion.
    """

    envelope: str
    links: str = ""
    _: KW_ONLY
    sort: SortStyle = SortStyle.FIXED
    default_sort: tuple[tuple[str, str], ...] = (("created_at", "desc"),)
    tie: tuple[str, str] = ("id", "same")
    fields: dict[str, str] = field(default_factory=dict)
    marker_field: str = "id"
    max_limit: int = 1000
    default_limit: int | None = None
    bad_marker_status: int = 400
    ask: str = ""
    brief: tuple[str, ...] = ()
    offset: bool = False
    count: str = ""
    whole: bool = False
    older: "tuple[str, Listing] | None" = None


@dataclass(frozen=True, slots=True)
class Ref:
    """A place in a request's body or query that names a routed resource.

    at: path in the body, dots go into dicts, ``[]`` over a list: "server.networks[].port";
        or "?name" for a query parameter, whose value is JSON if dots follow: "?info.volume_id".
        What is found is an id, a URL that ends with one, a list of them, or several with
        commas between them.
    when: (field, value) of the same dict that must hold: a block device whose
        ``source_type`` is ``volume`` names a volume in ``uuid``.
    missing: message when no pod has it, with {id}; "" uses the kind's own.
    missing_status: HTTP status then.
    loose: an id that no pod has is no error here: the pod that gets the request judges, or
        the id may name something outside of OpenStack.
    """

    at: str
    kind: Kind
    _: KW_ONLY
    when: tuple[str, str] | None = None
    missing: str = ""
    missing_status: int = 400
    loose: bool = False


@dataclass(frozen=True, slots=True)
class Op:
    """One operation.

    route: "METHOD /path/{param} [action]"; the path is below the version and project.
    kind: of the resource that the path names (BY_ID), or that is listed or created (LIST,
        CREATE).
    param: the path parameter with that resource's id; "" takes the one named as the kind.
    makes: kind of a resource that a good reply names (an image from createImage).
    made_at: where, also for CREATE: path in the reply's body, or "location" for the Location
        header; the first of several places with "|" between them that has something.
    refs: references in the request, see Ref.
    fold, answer: a FoldName for AGGREGATE, an AnswerName for LOCAL.
    definition: which definition a REPLICATED operation is about, a key of DEFINITIONS.
    since, until: microversions in which the operation exists; "" is open.
    reason, status: what is said when GONE (410 unless the row says another status) or
        REFUSED (404).
    upload, download: the body is a stream and is never held whole.
    writes: whether it changes something; None derives it from the method.
    """

    route: str
    routing: RoutingClass
    kind: Kind | None = None
    _: KW_ONLY
    param: str = ""
    makes: Kind | None = None
    made_at: str = ""
    refs: tuple[Ref, ...] = ()
    listing: Listing | None = None
    fold: str = ""
    answer: str = ""
    definition: str = ""
    since: str = ""
    until: str = ""
    reason: str = ""
    status: int = 0
    upload: bool = False
    download: bool = False
    writes: bool | None = None
    service: Service = Service.COMPUTE  # set by Table
    method: str = ""  # these three are taken from route by Table
    path: str = ""
    action: str = ""

    @property
    def changes(self) -> bool:
        return self.method not in ("GET", "HEAD") if self.writes is None else self.writes


@dataclass(frozen=True, slots=True)
class Table:
    """All operations of one service, in the order in which they are shown."""

    service: Service
    ops: tuple[Op, ...]

    def __iter__(self) -> Iterator[Op]:
        return iter(self.ops)


_STATUS = {RoutingClass.GONE: 410, RoutingClass.REFUSED: 404}


def table(service: Service, *ops: Op) -> Table:
    """The rows of ``service``, each with its route taken apart."""
    rows = []
    for op in ops:
        method, path, *action = op.route.split()
        rows.append(
            replace(
                op,
                service=service,
                method=method,
                path=path,
                action=action[0] if action else "",
                status=op.status or _STATUS.get(op.routing, 0),
            )
        )
    return Table(service, tuple(rows))

# SPDX-License-Identifier: Apache-2.0
"""How the bodies of several pods become one, for the operations that are AGGREGATE.

Each fold is named by a row (ops.FoldName). A field that is not known here takes part as its
fold says for the unknown, so that what a release adds is not lost. Bodies of pods that did
not respond are not here; whoever asks the pods names them to the caller.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, assert_never
from urllib.parse import parse_qsl, urlencode

from trio2o import paging, rewrite
from trio2o.errors import BadRequest
from trio2o.microversion import exists
from trio2o.model import Pod, PodState, Service
from trio2o.ops import FoldName, Listing

Bodies = Sequence[tuple[Pod, Any]]
"""In the order of the pods. A pod that was asked for several pages is there for each."""

UNLIMITED = -1


@dataclass(frozen=True, slots=True)
class Question:
    """What was asked, as far as a fold depends on it.

    query: without "?".  params: of the path.  version: microversion.  base: URL of the
    gateway's service.  missing: pods that did not respond or were not asked.
    """

    query: str = ""
    params: Mapping[str, str] | None = None
    version: str = ""
    base: str = ""
    missing: Sequence[Pod] = ()


def fold(
    name: str,
    bodies: Bodies,
    *,
    query: str = "",
    params: Mapping[str, str] | None = None,
    version: str = "",
    base: str = "",
    missing: Sequence[Pod] = (),
) -> dict[str, Any]:
    """The one body that all ``bodies`` make.

    Raises BadRequest, in the service's words, for a page that cannot be read.
    """
    question = Question(query, params, version, base, missing)
    match FoldName(name):
        case FoldName.COMPUTE_LIMITS | FoldName.VOLUME_LIMITS:
            return _limits(bodies)
        case FoldName.ZONES:
            return _zones(bodies, missing)
        case FoldName.TENANT_USAGES | FoldName.TENANT_USAGE as usage:
            return _usages(usage, bodies, question)
        case FoldName.HYPERVISOR_STATISTICS:
            return _statistics(bodies)
        case FoldName.USAGE_AUDIT_LOG:
            return _audit_log(bodies)
        case FoldName.VOLUME_SUMMARY:
            return _volume_summary(bodies)
        case FoldName.IMAGE_USAGE:
            return _image_usage(bodies)
        case _ as never:
            assert_never(never)


def pod_query(name: str, query: str, version: str) -> str:
    """The query that the pods get for the caller's ``query``.

    Only a page of usage differs: a pod knows no marker of another pod, so all of it is read,
    with the servers that the page is cut from.
    """
    if not _is_page(name, query, version):
        return query
    pairs = parse_qsl(query, keep_blank_values=True)
    kept = [(k, v) for k, v in pairs if k not in {"limit", "marker", "detailed"}]
    return urlencode([*kept, ("detailed", "1")])


def next_query(name: str, body: Any) -> str | None:
    """The query that asks the same pod for what ``body`` leaves out; None if it is whole."""
    links = body.get(_LINKS.get(name, "")) if isinstance(body, dict) else None
    for link in links or ():
        if link.get("rel") == "next":
            return str(link.get("href", "")).partition("?")[2] or None
    return None


# --------------------------------------------------------------------------- limits

# What is of a user or of one thing, and so is no more when there are more pods.
_NOT_ADDED = ("maxTotalKeypairs",)
# What is of a project and does not say so in its name.
_ADDED = ("maxServerGroups", "maxSecurityGroups", "maxSecurityGroupRules")


def _limits(bodies: Bodies) -> dict[str, Any]:
    """Used and maximum of a project are added up; limits of one thing are the least of all.

    Sources: nova/api/openstack/compute/views/limits.py@34.0.0, cinder/api/views/limits.py
    and contrib/used_limits.py@29.0.0.
    """
    absolute: dict[str, list[Any]] = {}
    for _, body in bodies:
        for name, value in body["limits"].get("absolute", {}).items():
            absolute.setdefault(name, []).append(value)
    return {
        "limits": {
            "rate": next((body["limits"].get("rate", []) for _, body in bodies), []),
            "absolute": {name: _limit(name, values) for name, values in absolute.items()},
        }
    }


def _limit(name: str, values: Sequence[Any]) -> Any:
    numbers = [value for value in values if isinstance(value, (int, float))]
    if len(numbers) != len(values):
        return values[0]
    added = name in _ADDED or (name.startswith(("total", "maxTotal")) and name not in _NOT_ADDED)
    if added:
        return UNLIMITED if name.startswith("max") and UNLIMITED in numbers else sum(numbers)
    return min((n for n in numbers if n != UNLIMITED), default=UNLIMITED)


def _image_usage(bodies: Bodies) -> dict[str, Any]:
    # glance/api/v2/discovery.py@33.0.0: {"usage": {name: {"usage": n, "limit": n}}}
    usage: dict[str, dict[str, int]] = {}
    for _, body in bodies:
        for name, part in body["usage"].items():
            whole = usage.setdefault(name, {"usage": 0, "limit": 0})
            whole["usage"] += part["usage"]
            unlimited = UNLIMITED in (whole["limit"], part["limit"])
            whole["limit"] = UNLIMITED if unlimited else whole["limit"] + part["limit"]
    return {"usage": usage}


# ---------------------------------------------------------------------------- zones


def _zones(bodies: Bodies, missing: Iterable[Pod]) -> dict[str, Any]:
    """The gateway's zones; one is available if it is in a pod that takes new resources.

    A pod's other zones, its internal one among them, are not shown: nothing can be put there
    through the gateway. Hosts, in Nova's detailed list, are named pod@host.
    Sources: nova/api/openstack/compute/availability_zone.py@34.0.0,
    cinder/api/views/availability_zones.py@29.0.0.
    """
    zones: dict[str, dict[str, Any]] = {}
    shows_hosts = False
    for pod, body in bodies:
        zone = zones.setdefault(pod.az_name, _zone(pod.az_name))
        for own in body["availabilityZoneInfo"]:
            shows_hosts = shows_hosts or "hosts" in own
            if not _serves(pod, own["zoneName"]):
                continue
            available = own["zoneState"]["available"] and pod.state is PodState.ENABLED
            zone["zoneState"]["available"] |= bool(available)
            if own.get("hosts") is not None:
                hosts = {f"{pod.name}@{host}": value for host, value in own["hosts"].items()}
                zone["hosts"] = {**(zone["hosts"] or {}), **hosts}
    for pod in missing:
        zones.setdefault(pod.az_name, _zone(pod.az_name))
    if not shows_hosts:  # Cinder
        for zone in zones.values():
            del zone["hosts"]
    # Nova lists those that are available first.
    ordered = sorted(zones.values(), key=lambda zone: not zone["zoneState"]["available"])
    return {"availabilityZoneInfo": ordered}


def _zone(name: str) -> dict[str, Any]:
    return {"zoneName": name, "zoneState": {"available": False}, "hosts": None}


def _serves(pod: Pod, zone: str) -> bool:
    return zone != rewrite.INTERNAL_ZONE and pod.zone_from_pod(zone) == pod.az_name


# ---------------------------------------------------------------------------- usage

_LINKS: Mapping[str, str] = {
    FoldName.TENANT_USAGES: "tenant_usages_links",
    FoldName.TENANT_USAGE: "tenant_usage_links",
}
_USAGE_PATH = "/os-simple-tenant-usage"
_PAGED_SINCE = "2.40"


def _is_page(name: str, query: str, version: str) -> bool:
    if name not in _LINKS or not exists(_PAGED_SINCE, "", version):
        return False
    return any(k in ("limit", "marker") for k, _ in parse_qsl(query, keep_blank_values=True))


def _usages(name: FoldName, bodies: Bodies, question: Question) -> dict[str, Any]:
    """Usage of each project, added up.

    A page (limit and marker, from 2.40 on) is of so many servers, in the order of project and
    id, and its sums are of these servers only, as Nova's are. Without, it is of all: Nova
    would stop at a thousand servers.
    Source: nova/api/openstack/compute/simple_tenant_usage.py@34.0.0.
    """
    key = name.value
    paged = _is_page(name, question.query, question.version)
    summaries: dict[str, dict[str, Any]] = {}
    for _, body in bodies:
        found = body[key]
        for part in found if isinstance(found, list) else [found]:
            if part:
                _add_usage(summaries, part)
    links = None
    if paged:
        links = _cut_usage(name, summaries, question)
    usages = list(summaries.values())
    folded: dict[str, Any] = {
        key: usages if name is FoldName.TENANT_USAGES else next(iter(usages), {})
    }
    if links:
        folded[_LINKS[name]] = links
    return folded


def _add_usage(summaries: dict[str, dict[str, Any]], part: Mapping[str, Any]) -> None:
    whole = summaries.get(part["tenant_id"])
    if whole is None:
        summaries[part["tenant_id"]] = dict(part)
        return
    for field, value in part.items():
        if field == "server_usages":
            whole[field] = [*whole.get(field, []), *value]
        elif field == "start":
            whole[field] = min(whole[field], value)
        elif field == "stop":
            whole[field] = max(whole[field], value)
        elif field.startswith("total_"):
            whole[field] += value


def _cut_usage(
    name: FoldName, summaries: dict[str, dict[str, Any]], question: Question
) -> list[dict[str, str]] | str | None:
    """Leave only the servers of the page in ``summaries``; the link to the next page."""
    listing = Listing(name, _LINKS[name], marker_field="instance_id")
    page = paging.parse(listing, question.query, Service.COMPUTE)
    servers = sorted(
        (server for summary in summaries.values() for server in summary["server_usages"]),
        key=lambda server: (server["tenant_id"], server["instance_id"]),
    )
    if page.marker is not None:
        at = [server["instance_id"] for server in servers]
        if page.marker not in at:
            raise BadRequest(f"Marker {page.marker} could not be found.")
        servers = servers[at.index(page.marker) + 1 :]
    servers = servers[: page.limit]
    of_project: dict[str, list[Mapping[str, Any]]] = {}
    for server in servers:
        of_project.setdefault(server["tenant_id"], []).append(server)
    # Nova reads "detailed" as itself only; one project's usage is always detailed.
    detailed = name is FoldName.TENANT_USAGE or dict(reversed(page.query)).get("detailed") == "1"
    for project in list(summaries):
        if project not in of_project:
            del summaries[project]
        else:
            _sum_up(summaries[project], of_project[project], detailed=detailed)
    path = _USAGE_PATH
    if name is FoldName.TENANT_USAGE:
        path += "/" + (question.params or {}).get("project", "")
    return paging.next_link(listing, Service.COMPUTE, page, servers, base=question.base, path=path)


def _sum_up(
    summary: dict[str, Any], servers: Sequence[Mapping[str, Any]], *, detailed: bool
) -> None:
    for field, of_server in (
        ("total_local_gb_usage", "local_gb"),
        ("total_vcpus_usage", "vcpus"),
        ("total_memory_mb_usage", "memory_mb"),
    ):
        summary[field] = sum(server[of_server] * server["hours"] for server in servers)
    summary["total_hours"] = sum(server["hours"] for server in servers)
    if detailed:
        summary["server_usages"] = list(servers)
    else:
        summary.pop("server_usages", None)


# --------------------------------------------------------------------------- others


def _added(parts: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Numbers of the same name added up; what is no number anywhere is the first one's."""
    whole: dict[str, Any] = {}
    for part in parts:
        for name, value in part.items():
            known = whole.get(name)
            if isinstance(known, (int, float)) and isinstance(value, (int, float)):
                whole[name] = known + value
            elif known is None:
                whole[name] = value
    return whole


def _statistics(bodies: Bodies) -> dict[str, Any]:
    # nova/api/openstack/compute/hypervisors.py@34.0.0: statistics, until 2.87
    key = "hypervisor_statistics"
    return {key: _added(body[key] for _, body in bodies)}


def _volume_summary(bodies: Bodies) -> dict[str, Any]:
    """Counts added up, and the different values of each metadata key (from 3.36 on).

    Source: cinder/api/v3/views/volumes.py@29.0.0, quick_summary.
    """
    key = "volume-summary"
    whole = _added(body[key] for _, body in bodies)
    metadata: dict[str, list[str]] = {}
    for _, body in bodies:
        for name, values in (body[key].get("metadata") or {}).items():
            if name != rewrite.MARKER:
                known = metadata.setdefault(name, [])
                known += [value for value in values if value not in known]
    if "metadata" in whole:
        whole["metadata"] = metadata
    return {key: whole}


def _audit_log(bodies: Bodies) -> dict[str, Any]:
    """Counts added up; hosts are named pod@host.

    Source: nova/api/openstack/compute/instance_usage_audit_log.py@34.0.0.
    """
    # "instance_usage_audit_logs" of the list, "instance_usage_audit_log" of one period
    key = next((key for _, body in bodies for key in body), "instance_usage_audit_logs")
    parts = [(pod, body[key]) for pod, body in bodies]
    whole = _added(part for _, part in parts)
    whole["hosts_not_run"] = [
        f"{p.name}@{host}" for p, part in parts for host in part["hosts_not_run"]
    ]
    whole["log"] = {f"{p.name}@{host}": v for p, part in parts for host, v in part["log"].items()}
    done, hosts = whole["num_hosts_done"], whole["num_hosts"]
    share = "ALL" if done == hosts else f"{done} of {hosts}"
    whole["overall_status"] = f"{share} hosts done. {whole['total_errors']} errors."
    return {key: whole}

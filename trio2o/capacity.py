# SPDX-License-Identifier: Apache-2.0
"""What a new server or volume takes, and how much of that a pod has.

Knows how Nova asks Placement and how Cinder's scheduler reads its pools. It is an estimate
by intention: what an image asks for (its traits and CPU policies), ports, PCI devices and
scheduler hints are not in it. The pod's own scheduler has the last word.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

_CANDIDATES = 1000
"""As many as nova-scheduler reads ([scheduler]max_placement_results)."""


@dataclass(frozen=True, slots=True)
class Group:
    """Resources and traits that must come from one provider."""

    resources: Mapping[str, int] = field(default_factory=dict)
    required: tuple[str, ...] = ()
    forbidden: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Needed:
    """What one server asks Placement for.

    groups: by suffix, "" has what need not be together.
    policy: "none" or "isolate", whether suffixed groups may share a provider.
    """

    groups: Mapping[str, Group] = field(default_factory=dict)
    policy: str = "none"

    @property
    def resources(self) -> dict[str, int]:
        """The sums over all groups."""
        sums: dict[str, int] = {}
        for group in self.groups.values():
            for name, amount in group.resources.items():
                sums[name] = sums.get(name, 0) + amount
        return sums


@dataclass(frozen=True, slots=True)
class RoomReport:
    """Whether the new resource fits in a pod, and how much is free there.

    free: how many such servers, or how many GiB, there is room for; infinity if it has no
        bound, 0 if the pod does not say.
    why: in words, for the operator.
    """

    fits: bool
    free: float
    why: str


# --------------------------------------------------------------------------- servers

# nova/scheduler/utils.py@34.0.0: ResourceRequest.XS_KEYPAT
_EXTRA_SPEC = re.compile(r"(resources|trait)([a-zA-Z0-9_-]{1,64})?:(.*)")


def needed_by(flavor: Mapping[str, Any], *, boots_from_volume: bool) -> Needed:
    """What a server of ``flavor`` (as GET /flavors/{id} >= 2.61 shows it) asks for.

    A number that cannot be read counts as absent; the pod refuses such a flavor.
    Source: nova/scheduler/utils.py@34.0.0, ResourceRequest.from_request_spec.
    """
    specs = flavor.get("extra_specs") or {}
    resources: dict[str, dict[str, int]] = {"": {}}
    traits: dict[str, dict[str, str]] = {"": {}}
    for key, value in specs.items():
        found = _EXTRA_SPEC.fullmatch(key)
        if not found:
            continue
        what, suffix, name = found[1], found[2] or "", found[3]
        if what == "resources":
            resources.setdefault(suffix, {})[name] = _number(value)
        elif value in ("required", "forbidden"):
            traits.setdefault(suffix, {})[name] = value
    given = {name for group in resources.values() for name in group}
    plain = resources[""]
    vcpus = _number(flavor.get("vcpus"))
    pinned = _pinned(specs, vcpus)
    if pinned is not None:
        plain["PCPU"] = pinned + (specs.get("hw:emulator_threads_policy") == "isolate")
        if specs.get("hw:cpu_policy") == "mixed":
            plain["VCPU"] = vcpus - pinned
    elif not given & {"VCPU", "PCPU"}:
        plain["VCPU"] = vcpus
    threads = {"isolate": "forbidden", "require": "required"}.get(
        str(specs.get("hw:cpu_thread_policy"))
    )
    if threads:
        traits[""]["HW_CPU_HYPERTHREADING"] = threads
    if "MEMORY_MB" not in given:
        plain["MEMORY_MB"] = _number(flavor.get("ram"))
    if "DISK_GB" not in given:
        disk = _number(flavor.get("OS-FLV-EXT-DATA:ephemeral"))
        disk += math.ceil(_number(flavor.get("swap")) / 1024)
        plain["DISK_GB"] = disk if boots_from_volume else disk + _number(flavor.get("disk"))
    groups = {
        suffix: Group(
            {name: amount for name, amount in resources.get(suffix, {}).items() if amount},
            tuple(sorted(n for n, how in traits.get(suffix, {}).items() if how == "required")),
            tuple(sorted(n for n, how in traits.get(suffix, {}).items() if how == "forbidden")),
        )
        for suffix in sorted({*resources, *traits})
    }
    return Needed(groups, str(specs.get("group_policy") or "none"))


def _number(value: Any) -> int:
    try:
        return int(value or 0)
    except (TypeError, ValueError):
        return 0


def _pinned(specs: Mapping[str, Any], vcpus: int) -> int | None:
    """How many CPUs of the flavor are dedicated; None if it says nothing of it.

    Source: nova/virt/hardware.py@34.0.0, get_dedicated_cpu_constraint; a mixed policy by
    hw:cpu_realtime_mask counts all CPUs of the mask as well.
    """
    match specs.get("hw:cpu_policy"):
        case "dedicated":
            return vcpus
        case "mixed":
            mask = str(
                specs.get("hw:cpu_dedicated_mask") or specs.get("hw:cpu_realtime_mask") or ""
            )
            if mask.strip().startswith("^"):
                mask = f"0-{vcpus - 1},{mask}"
            return len(_cpus(mask))
        case _:
            return None


def _cpus(mask: str) -> set[int]:
    # nova/virt/hardware.py@34.0.0: parse_cpu_spec: "0-3,^2,7"
    included: set[int] = set()
    excluded: set[int] = set()
    for part in mask.split(","):
        found = re.fullmatch(r"\s*(\^?)(\d{1,4})(?:-(\d{1,4}))?\s*", part)
        if found:
            first, last = int(found[2]), int(found[3] or found[2])
            (excluded if found[1] else included).update(range(first, last + 1))
    return included - excluded


def candidates_query(needed: Needed) -> str:
    """The query of GET /allocation_candidates (Placement >= 1.35).

    Source: nova/scheduler/utils.py@34.0.0, ResourceRequest.to_querystring, and
    request_filter.py, compute_status_filter.
    """
    params = [("limit", str(_CANDIDATES)), ("root_required", "!COMPUTE_STATUS_DISABLED")]
    if len([suffix for suffix in needed.groups if suffix]) > 1:
        params.append(("group_policy", needed.policy))
    for suffix, group in needed.groups.items():
        if group.resources:
            amounts = (f"{name}:{amount}" for name, amount in sorted(group.resources.items()))
            params.append((f"resources{suffix}", ",".join(amounts)))
            traits = [*group.required, *(f"!{name}" for name in group.forbidden)]
            if traits:
                params.append((f"required{suffix}", ",".join(traits)))
    return urlencode(sorted(params))


def room_in_hosts(body: Mapping[str, Any], needed: Needed, count: int) -> RoomReport:
    """Room for ``count`` servers, of what GET /allocation_candidates answered.

    Of each host, as many servers are counted as its scarcest resource allows. Storage that
    hosts share is counted for each of them.
    """
    summaries = body.get("provider_summaries") or {}
    hosts: dict[str, int] = {}
    for candidate in body.get("allocation_requests") or ():
        allocations = candidate.get("allocations") or {}
        slots = min(
            (
                _slots(summaries.get(provider) or {}, allocation.get("resources") or {})
                for provider, allocation in allocations.items()
            ),
            default=0,
        )
        root = next(
            (
                (summaries.get(provider) or {}).get("root_provider_uuid") or provider
                for provider in allocations
            ),
            "",
        )
        hosts[root] = max(hosts.get(root, 0), slots)
    free = sum(hosts.values())
    wanted = ", ".join(f"{n} {name}" for name, n in sorted(needed.resources.items()))
    if free >= count and hosts:
        return RoomReport(True, free, f"{free} servers of {wanted} fit in {len(hosts)} hosts.")
    if not hosts:
        return RoomReport(False, 0.0, f"No host has {wanted} with the traits that are required.")
    return RoomReport(False, free, f"{count} servers of {wanted} are wanted, {free} fit.")


def _slots(summary: Mapping[str, Any], taken: Mapping[str, int]) -> int:
    inventory = summary.get("resources") or {}
    return min(
        (
            max(0, inventory[name]["capacity"] - inventory[name]["used"]) // amount
            for name, amount in taken.items()
            if amount and name in inventory
        ),
        default=0,
    )


# --------------------------------------------------------------------------- volumes

_NO_NUMBER = ("infinite", "unknown")
_DEFAULT_RATIO = 20.0
"""[DEFAULT]max_over_subscription_ratio of Cinder, when a pool does not say; also the one that
"auto" begins with (sched_utils.INITIAL_AUTO_MOSR)."""


def room_in_pools(
    body: Mapping[str, Any], size_gb: int, extra_specs: Mapping[str, Any]
) -> RoomReport:
    """Room for a volume, of what GET /scheduler-stats/get_pools?detail=true answered.

    extra_specs: of the volume type; ``volume_backend_name`` chooses pools and
        ``provisioning:type`` says whether thin provisioning counts.
    Source: cinder/scheduler/filters/capacity_filter.py@29.0.0, backend_passes, and
    cinder/scheduler/sched_utils.py, calculate_capacity_factors.
    """
    backend = extra_specs.get("volume_backend_name")
    pools = [
        pool
        for pool in body.get("pools") or ()
        if backend in (None, (pool.get("capabilities") or {}).get("volume_backend_name"))
    ]
    if not pools:
        named = f" of back end {backend}" if backend else ""
        return RoomReport(False, 0.0, f"There is no pool{named}.")
    thick = extra_specs.get("provisioning:type") == "thick"
    found = [_pool_room(pool.get("capabilities") or {}, size_gb, thick=thick) for pool in pools]
    free = sum(room for fits, room in found if fits)
    count = sum(1 for fits, _ in found if fits)
    if count:
        told = "no bound" if math.isinf(free) else f"{free:.0f} GiB free"
        why = f"{size_gb} GiB fit in {count} of {len(found)} pools, with {told}."
        return RoomReport(True, free, why)
    most = max((room for _, room in found), default=0.0)
    why = f"{size_gb} GiB fit in none of {len(found)} pools; the roomiest has {most:.0f} GiB."
    return RoomReport(False, max(0.0, most), why)


def _pool_room(pool: Mapping[str, Any], size_gb: int, *, thick: bool) -> tuple[bool, float]:
    """Whether the volume fits in the pool, and what is free there."""
    free, total = pool.get("free_capacity_gb"), pool.get("total_capacity_gb", 0)
    reserved = _float(pool.get("reserved_percentage")) / 100
    if free is None:
        return False, 0.0
    if free in _NO_NUMBER:
        return True, math.inf if free == "infinite" else 0.0
    if total in _NO_NUMBER:
        # What is reserved cannot be told of a total that cannot.
        return reserved == 0, _float(free)
    if _float(total) <= 0:
        return False, 0.0
    available = _float(total) - math.floor(_float(total) * reserved)
    provisioned = _float(pool.get("provisioned_capacity_gb", pool.get("allocated_capacity_gb", 0)))
    if pool.get("thin_provisioning_support") and not thick:
        ratio = _over_subscription(pool, provisioned)
        room = available * ratio - provisioned
        # The filter's second test, of the ratio, divides by what is multiplied already: it
        # lets through all that the first one does.
        return ratio >= 1 and room >= size_gb, room
    room = min(available - provisioned, _float(free))
    return room >= size_gb, room


def _over_subscription(pool: Mapping[str, Any], provisioned: float) -> float:
    # cinder/scheduler/sched_utils.py@29.0.0: calculate_max_over_subscription_ratio
    ratio = pool.get("max_over_subscription_ratio") or _DEFAULT_RATIO
    if ratio != "auto":
        return _float(ratio)
    if not provisioned:
        return _DEFAULT_RATIO
    used = _float(pool.get("total_capacity_gb")) - _float(pool.get("free_capacity_gb"))
    return 1 + provisioned / (used + 1)


def _float(value: Any) -> float:
    try:
        return float(value or 0)
    except (TypeError, ValueError):
        return 0.0


def tags_of(extra_specs: Mapping[str, Any]) -> frozenset[str]:
    """Tags of pods that a flavor or volume type requires: ``trio2o:tags`` = "ssd,gpu"."""
    text = extra_specs.get("trio2o:tags")
    return frozenset(tag.strip() for tag in str(text or "").split(",") if tag.strip())

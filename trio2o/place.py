# SPDX-License-Identifier: Apache-2.0
"""In which pod a new resource goes: filters, then weights, and why.

Facts come in (pods, health, bindings, where references are, what room there is), a decision
goes out; nothing is asked here. Filters say what is impossible, weights what is better, and
both leave words for the operator that asks why (GET /v1.0/placements).

Nova takes a server for which there is no room, with a 202, and turns it to ERROR later;
Cinder does so with a volume. So when no pod has room, the best one is chosen all the same: it
answers as a single cloud would. The explanation says that it was so.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from trio2o import capacity, unplaced
from trio2o.capacity import RoomReport
from trio2o.errors import PodUnusable, Trio2oError
from trio2o.model import Binding, BoundBy, Kind, Pod, PodState
from trio2o.unplaced import Fixed
from trio2o.wish import Wish, wish

__all__ = [
    "WEIGHTS",
    "Decision",
    "Dropped",
    "First",
    "Fixed",
    "Options",
    "RoomReport",
    "Wish",
    "candidates_query",
    "filter_first",
    "rank",
    "room_for_server",
    "room_for_volume",
    "wish",
]

WEIGHTS: Mapping[str, float] = {"preferred": 1000.0, "bound": 100.0, "room": 1.0}
"""How much each weigher counts, unless the operator says otherwise.

preferred: the project's preferred pod in the zone; so its servers and volumes meet.
bound: another pod that the project is bound to.
room: what is free, as a share of what the roomiest pod has free.
"""


class Options(Protocol):
    """The operator's choices. weights: by name, in the place of those in WEIGHTS."""

    @property
    def weights(self) -> Mapping[str, float]: ...


# ----------------------------------------------------------------------------- room


def candidates_query(wanted: Wish) -> str:
    """The query of GET /allocation_candidates (1.36) that asks a pod's Placement for room."""
    return capacity.candidates_query(wanted.needed)


def room_for_server(body: Mapping[str, Any], wanted: Wish) -> RoomReport:
    """What the pod's answer to it says."""
    return capacity.room_in_hosts(body, wanted.needed, wanted.count)


def room_for_volume(body: Mapping[str, Any], wanted: Wish) -> RoomReport:
    """What the pod's pools say (GET /scheduler-stats/get_pools?detail=true)."""
    return capacity.room_in_pools(body, wanted.size_gb, wanted.extra_specs)


# -------------------------------------------------------------------------- filters


@dataclass(frozen=True, slots=True)
class Dropped:
    """A pod that cannot be, the filter that says so, and why."""

    pod: Pod
    filter: str
    why: str


@dataclass(frozen=True, slots=True)
class First:
    """What the filters leave. error: what to say when that is nothing."""

    pods: tuple[Pod, ...]
    dropped: tuple[Dropped, ...]
    fixed: Fixed
    error: Trio2oError | None = None


def filter_first(
    wanted: Wish,
    pods: Sequence[Pod],
    bound: Sequence[Binding],
    healthy: Mapping[str, bool],
    fixed: Fixed,
) -> First:
    """The pods that are possible as far as can be told without asking them for room.

    bound: the project's bindings in force.  healthy: by pod id; absent is healthy.
    """
    left = list(pods)
    dropped: list[Dropped] = []
    error: Trio2oError | None = None
    filters: Sequence[tuple[str, Callable[[Pod], str], Callable[[], Trio2oError]]] = (
        ("reference", lambda pod: _away(pod, fixed), lambda: unplaced.apart(wanted, fixed)),
        (
            "zone",
            lambda pod: _other_zone(pod, wanted),
            lambda: unplaced.no_zone(wanted, fixed, pods),
        ),
        ("host", lambda pod: _other_host(pod, wanted), lambda: unplaced.no_host(wanted)),
        ("state", _closed, lambda: unplaced.closed(wanted, fixed)),
        (
            "binding",
            lambda pod: _unbound(pod, bound, fixed),
            lambda: unplaced.nothing(wanted, "bound to"),
        ),
        ("tags", lambda pod: _untagged(pod, wanted), lambda: unplaced.untagged(wanted)),
        ("health", lambda pod: _silent(pod, healthy), lambda: unplaced.silent(wanted)),
    )
    for name, reason, refusal in filters:
        kept = []
        for pod in left:
            why = reason(pod)
            if why:
                dropped.append(Dropped(pod, name, why))
            else:
                kept.append(pod)
        if left and not kept:
            error = refusal()
        left = kept
    if not pods:
        error = unplaced.nothing(wanted, "that takes")
    return First(tuple(left), tuple(dropped), fixed, error)


def _away(pod: Pod, fixed: Fixed) -> str:
    for need, holders in fixed:
        if all(pod.id != holder.id for holder in holders):
            names = ", ".join(holder.name for holder in holders)
            return f"{need.kind} {need.resource_id} is in {names}."
    return ""


def _other_zone(pod: Pod, wanted: Wish) -> str:
    if not wanted.zone or wanted.grouped or pod.az_name == wanted.zone:
        return ""
    return f"It serves {pod.az_name}, and {wanted.zone} is asked for."


def _other_host(pod: Pod, wanted: Wish) -> str:
    return "" if wanted.pod_name in ("", pod.name) else f"A host of {wanted.pod_name} is forced."


def _closed(pod: Pod) -> str:
    return "" if pod.state is PodState.ENABLED else f"It is in state {pod.state}."


def _silent(pod: Pod, healthy: Mapping[str, bool]) -> str:
    return "" if healthy.get(pod.id, True) else "It does not respond."


def _unbound(pod: Pod, bound: Sequence[Binding], fixed: Fixed) -> str:
    if any(need.kind is not Kind.IMAGE for need, _ in fixed):
        return ""  # what the project has in a pod is used there
    chosen = {
        binding.pod_id: binding.pod_name
        for binding in bound
        if binding.bound_by is BoundBy.ADMIN and binding.az_name == pod.az_name
    }
    if not chosen or pod.id in chosen:
        return ""
    return f"An administrator bound the project to {', '.join(sorted(chosen.values()))}."


def _untagged(pod: Pod, wanted: Wish) -> str:
    lacking = sorted(wanted.tags - pod.tags)
    return f"It lacks the tags {', '.join(lacking)}." if lacking else ""


# -------------------------------------------------------------------------- weights

Rooms = Mapping[str, RoomReport | None]
"""By pod id. None: the pod did not say. Not in it: it was not asked."""


@dataclass(frozen=True, slots=True)
class _Weighed:
    pod: Pod
    room: RoomReport | None
    asked: bool
    weights: Mapping[str, float]

    @property
    def score(self) -> float:
        return sum(self.weights.values())


@dataclass(frozen=True, slots=True)
class Decision:
    """The pods to try, best first, and why it is these.

    fits: whether any of them is known to have, or may have, room.
    """

    pods: tuple[Pod, ...]
    wanted: Wish
    first: First
    weighed: tuple[_Weighed, ...]
    fits: bool

    def error(self) -> Trio2oError:
        """What to say when there is no pod to try."""
        return self.first.error or PodUnusable("", "There is no pod to try.")

    def document(self, pod: Pod | None, failures: Sequence[str] = ()) -> dict[str, Any]:
        """Why, for the operator; JSON can hold it.

        pod: that took it.  failures: what became of those tried before, in words.
        """
        dropped = [
            {"pod": one.pod.name, "zone": one.pod.az_name, "filter": one.filter, "why": one.why}
            for one in self.first.dropped
        ]
        dropped += [
            {"pod": one.pod.name, "zone": one.pod.az_name, "filter": "room", "why": one.room.why}
            for one in self.weighed
            if one.room is not None and one.pod not in self.pods
        ]
        ranked = {one.pod.id: one for one in self.weighed}
        return {
            "request": self._request(),
            "dropped": dropped,
            "ranked": [_ranked(ranked[one.id]) for one in self.pods],
            "chosen": pod.name if pod else None,
            "failures": list(failures),
            "fits": self.fits,
        }

    def _request(self) -> dict[str, Any]:
        wanted = self.wanted
        asked: dict[str, Any] = {
            "kind": wanted.kind.value,
            "project_id": wanted.project_id,
            "zone": wanted.zone or None,
            "count": wanted.count,
            "definition": wanted.definition or None,
            "tags": sorted(wanted.tags),
            "resources": dict(wanted.resources),
            "references": [
                {
                    "kind": need.kind.value,
                    "id": need.resource_id,
                    "pods": [holder.name for holder in holders],
                }
                for need, holders in self.first.fixed
            ],
        }
        if wanted.size_gb:
            asked["size_gb"] = wanted.size_gb
        return asked


def _ranked(one: _Weighed) -> dict[str, Any]:
    if not one.asked:
        room: dict[str, Any] = {"known": False, "why": "It was not asked."}
    elif one.room is None:
        room = {"known": False, "why": "It did not say."}
    else:
        free = None if math.isinf(one.room.free) else one.room.free
        room = {"known": True, "fits": one.room.fits, "free": free, "why": one.room.why}
    return {
        "pod": one.pod.name,
        "zone": one.pod.az_name,
        "room": room,
        "weights": dict(one.weights),
        "score": one.score,
    }


def rank(
    wanted: Wish, first: First, rooms: Rooms, bound: Sequence[Binding], options: Options
) -> Decision:
    """The pods that are left, best first.

    A pod without room is left out, unless none has any. One that did not say how much it
    has comes after those that did. Equal pods stand in the order of their numbers.
    """
    multipliers = {**WEIGHTS, **options.weights}
    shares = _shares({pod_id: room.free for pod_id, room in rooms.items() if room is not None})
    preferred = {binding.pod_id for binding in bound if binding.preferred}
    known = {binding.pod_id for binding in bound} - preferred
    weighed = tuple(
        _Weighed(
            pod,
            rooms.get(pod.id),
            pod.id in rooms,
            {
                "preferred": multipliers["preferred"] * (pod.id in preferred),
                "bound": multipliers["bound"] * (pod.id in known),
                "room": multipliers["room"] * shares.get(pod.id, 0.0),
            },
        )
        for pod in first.pods
    )
    fitting = [one for one in weighed if one.room is None or one.room.fits]
    order = sorted(
        fitting or weighed,
        key=lambda one: (one.asked and one.room is None, -one.score, one.pod.number),
    )
    return Decision(tuple(one.pod for one in order), wanted, first, weighed, fits=bool(fitting))


def _shares(free: Mapping[str, float]) -> dict[str, float]:
    """What each has free, as a share of what the roomiest has; without bound is all."""
    most = max(free.values(), default=0.0)
    if math.isinf(most):
        return {pod_id: float(math.isinf(room)) for pod_id, room in free.items()}
    return {pod_id: room / most if most > 0 else 0.0 for pod_id, room in free.items()}

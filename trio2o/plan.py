# SPDX-License-Identifier: Apache-2.0
"""What is to be done with a request, given what is known.

The one place where a routing class turns into a decision. Nothing is asked here: what the
decision needs is looked up before (refs.needs), what it says is carried out after (engine).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import assert_never

from trio2o.errors import (
    BadRequest,
    Gone,
    NotFound,
    NotOffered,
    PodDidNotRespond,
    PodUnusable,
    Trio2oError,
)
from trio2o.model import Kind, Pod, PodState, Service
from trio2o.ops import Op, RoutingClass
from trio2o.ops.kinds import KINDS
from trio2o.refs import Need

REFUSALS: dict[int, type[Trio2oError]] = {400: BadRequest, 404: NotFound, 410: Gone}


@dataclass(frozen=True, slots=True)
class Owners:
    """Where a resource is.

    pod_ids: the pods that have it, its home first; several only for images. Empty: none has.
    silent: names of pods that could not say, when none has it.
    """

    pod_ids: tuple[str, ...] = ()
    silent: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Known:
    """What the plan may rest on: the registered pods, and where the named resources are."""

    pods: tuple[Pod, ...]
    owners: Mapping[tuple[Kind, str], Owners]

    def pod(self, pod_id: str) -> Pod:
        for pod in self.pods:
            if pod.id == pod_id:
                return pod
        raise PodUnusable(pod_id, "The pod of this resource is not registered any more.")


# ------------------------------------------------------------------ the decisions


@dataclass(frozen=True, slots=True)
class Answer:
    """The gateway answers by itself; ``name`` says with what."""

    name: str


@dataclass(frozen=True, slots=True)
class Forward:
    """One pod answers."""

    pod: Pod


@dataclass(frozen=True, slots=True)
class ForwardAll:
    """Each pod that has a copy must do it; the first one's reply is the answer."""

    pods: tuple[Pod, ...]


@dataclass(frozen=True, slots=True)
class Gather:
    """All pods list; one sorted page.  ``unasked``: disabled pods, missing from the page."""

    pods: tuple[Pod, ...]
    unasked: tuple[Pod, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """A pod must be found.

    fixed: for each reference that lives in certain pods only, these pods.
    """

    pods: tuple[Pod, ...]
    fixed: tuple[tuple[Need, tuple[Pod, ...]], ...]


@dataclass(frozen=True, slots=True)
class Fold:
    """All pods are asked; their bodies become one.  ``unasked`` as in Gather."""

    pods: tuple[Pod, ...]
    unasked: tuple[Pod, ...]


@dataclass(frozen=True, slots=True)
class ReadDefinition:
    """The first of these pods that responds answers for all."""

    pods: tuple[Pod, ...]


@dataclass(frozen=True, slots=True)
class WriteDefinition:
    """Every pod gets it; the first one's reply is the answer."""

    pods: tuple[Pod, ...]


Plan = Answer | Forward | ForwardAll | Gather | Place | Fold | ReadDefinition | WriteDefinition


def plan(op: Op, needed: Sequence[Need], known: Known) -> Plan:
    """Return what to do.

    Raises NotFound, BadRequest, PodDidNotRespond, PodUnusable when the request can go nowhere,
    and what the row says for GONE and REFUSED.
    """
    asked = tuple(pod for pod in known.pods if pod.state is not PodState.DISABLED)
    unasked = tuple(pod for pod in known.pods if pod.state is PodState.DISABLED)
    match op.routing:
        case RoutingClass.LOCAL:
            return Answer(op.answer)
        case RoutingClass.BY_ID:
            return _by_id(op, needed, known)
        case RoutingClass.BY_REF:
            return _by_ref(needed, known)
        case RoutingClass.LIST:
            return Gather(_some(asked), unasked)
        case RoutingClass.CREATE:
            named = [need for need in needed if need.ref and not _may_be_ignored(need, known)]
            return Place(_some(asked), tuple((need, _holders(need, known)) for need in named))
        case RoutingClass.AGGREGATE:
            return Fold(_some(asked), unasked)
        case RoutingClass.REPLICATED:
            if op.changes:
                if unasked:
                    raise PodUnusable(
                        unasked[0].name,
                        f"Pod {unasked[0].name} is disabled, so that this change cannot be made "
                        "in every pod. Enable or delete the pod, then try again.",
                    )
                return WriteDefinition(_some(asked))
            return ReadDefinition(_some(asked))
        case RoutingClass.QUOTA | RoutingClass.SPLIT | RoutingClass.BY_POD:
            raise NotOffered(
                f"{op.method} {op.path} is not offered over several pods yet "
                f"({op.routing.lower()}). Ask the pod's own region."
            )
        case RoutingClass.GONE | RoutingClass.REFUSED:
            raise REFUSALS.get(op.status, NotOffered)(op.reason)
        case _ as never:
            assert_never(never)


def _some(pods: tuple[Pod, ...]) -> tuple[Pod, ...]:
    if not pods:
        raise PodUnusable("", "No pod is registered and enabled.")
    return pods


def _holders(need: Need, known: Known) -> tuple[Pod, ...]:
    """The pods that have it.  Raises what the service says when none has."""
    owners = known.owners[need.kind, need.resource_id]
    if owners.pod_ids:
        return tuple(known.pod(pod_id) for pod_id in owners.pod_ids)
    if owners.silent:
        names = ", ".join(owners.silent)
        raise PodDidNotRespond(
            owners.silent[0],
            f"{need.kind} {need.resource_id} is in none of the pods that responded, and "
            f"{names} did not respond.",
            may_have_acted=False,
        )
    if need.ref is None:
        raise NotFound(KINDS[need.kind].not_found.format(id=need.resource_id))
    text = need.ref.missing or KINDS[need.kind].not_found
    error = NotFound if need.ref.missing_status == 404 else BadRequest
    raise error(text.format(id=need.resource_id))


def _may_be_ignored(need: Need, known: Known) -> bool:
    """Whether nothing is known of it and nothing needs to be."""
    owners = known.owners[need.kind, need.resource_id]
    return bool(need.ref and need.ref.loose and not owners.pod_ids and not owners.silent)


def _usable(pod: Pod, what: str) -> Pod:
    if pod.state is PodState.DISABLED:
        raise PodUnusable(pod.name, f"{what} is in a pod that the operator has disabled.")
    return pod


def _by_id(op: Op, needed: Sequence[Need], known: Known) -> Plan:
    subject, *others = needed
    pods = tuple(
        _usable(pod, f"{subject.kind} {subject.resource_id}") for pod in _holders(subject, known)
    )
    if subject.kind is Kind.IMAGE and op.changes and not op.upload and len(pods) > 1:
        return ForwardAll(pods)
    home = pods[0]
    _meet(subject, home, others, known)
    return Forward(home)


def _by_ref(needed: Sequence[Need], known: Known) -> Plan:
    if not needed:
        # Nothing in the request names a pod: it is malformed, and any pod says how.
        enabled = tuple(pod for pod in known.pods if pod.state is not PodState.DISABLED)
        return ReadDefinition(_some(enabled))
    first, *others = sorted(needed, key=lambda need: _may_be_ignored(need, known))
    home = _usable(_holders(first, known)[0], f"{first.kind} {first.resource_id}")
    _meet(first, home, others, known)
    return Forward(home)


def _meet(subject: Need, home: Pod, others: Sequence[Need], known: Known) -> None:
    """Raises what the service says when one of ``others`` is not in the pod of ``subject``."""
    for need in others:
        if _may_be_ignored(need, known):
            continue
        holders = _holders(need, known)
        if home not in holders:
            raise _apart(need, holders[0], subject, home)


def _apart(need: Need, there: Pod, subject: Need, here: Pod) -> Trio2oError:
    """The service's own words for two resources that cannot meet."""
    if need.kind is Kind.VOLUME and subject.kind is Kind.SERVER:
        # nova/volume/cinder.py check_availability_zone@34.0.0
        if there.az_name == here.az_name:
            return BadRequest(
                f"Invalid volume: Instance {subject.resource_id} and volume {need.resource_id} "
                f"are in different clouds of availability zone {here.az_name}"
            )
        return BadRequest(
            f"Invalid volume: Instance {subject.resource_id} and volume {need.resource_id} are "
            f"not in the same availability_zone. Instance is in {here.az_name}. Volume is in "
            f"{there.az_name}"
        )
    if need.ref is not None and need.ref.missing:
        error = NotFound if need.ref.missing_status == 404 else BadRequest
        return error(need.ref.missing.format(id=need.resource_id))
    service = KINDS[need.kind].service
    what = "Image" if service is Service.IMAGE else need.kind.replace("_", " ").capitalize()
    return BadRequest(
        f"{what} {need.resource_id} is in availability zone {there.az_name}, but "
        f"{subject.kind.replace('_', ' ')} {subject.resource_id} is in {here.az_name}."
    )

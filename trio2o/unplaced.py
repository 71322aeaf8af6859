# SPDX-License-Identifier: Apache-2.0
"""What is said when a new resource can be in no pod: as Nova or Cinder would say it."""

from collections.abc import Sequence

from trio2o.errors import BadRequest, NoRoom, PodUnusable, Trio2oError
from trio2o.model import Kind, Pod, Service
from trio2o.refs import Need
from trio2o.wish import Wish

Fixed = Sequence[tuple[Need, Sequence[Pod]]]
"""Of each reference in the request, the pods that it can be used in."""


def no_zone(wanted: Wish, fixed: Fixed, pods: Sequence[Pod]) -> Trio2oError:
    """Nothing that could be is in the zone that is asked for."""
    if fixed and any(pod.az_name == wanted.zone for pod in pods):
        return _elsewhere(wanted, fixed)
    return _zone_unknown(wanted)


def _zone_unknown(wanted: Wish) -> Trio2oError:
    if wanted.service is Service.COMPUTE:
        # nova/compute/api.py@34.0.0: _create_instance
        return BadRequest("The requested availability zone is not available")
    # cinder/exception.py@29.0.0: InvalidAvailabilityZone
    return BadRequest(f"Availability zone '{wanted.zone}' is invalid.")


_SOURCES = {Kind.SNAPSHOT: "snapshot", Kind.VOLUME: "source volume"}


def _elsewhere(wanted: Wish, fixed: Fixed) -> Trio2oError:
    """A reference is not in the zone that is asked for."""
    need, holders = next(
        (need, holders)
        for need, holders in fixed
        if all(holder.az_name != wanted.zone for holder in holders)
    )
    there = holders[0].az_name
    if wanted.service is Service.VOLUME:
        # cinder/volume/flows/api/create_volume.py@29.0.0: _extract_availability_zones
        source = _SOURCES.get(need.kind, need.kind.replace("_", " "))
        return BadRequest(
            f"Invalid input received: Volume must be in the same availability zone as the {source}"
        )
    if need.kind is Kind.VOLUME:
        # nova/compute/api.py@34.0.0: _validate_vol_az_for_create
        return _volumes_do_not_match(
            "Server and volumes are not in the same availability zone. "
            f"Server is in: {wanted.zone}. Volumes are in: {there}"
        )
    return BadRequest(
        f"Invalid input received: {_called(need)} is in availability zone {there}, and "
        f"{wanted.zone} is asked for."
    )


def apart(wanted: Wish, fixed: Fixed) -> Trio2oError:
    """No pod has all references: name two that do not meet."""
    for number, (one, here) in enumerate(fixed):
        for other, there in fixed[number + 1 :]:
            if not {pod.id for pod in here} & {pod.id for pod in there}:
                return _two_apart(wanted, (one, here[0]), (other, there[0]))
    named = " and ".join(_called(need) for need, _ in fixed)
    common = set.intersection(*({pod.id for pod in holders} for _, holders in fixed))
    if common:
        return PodUnusable("", f"The pod of {named} is not enabled.")
    return BadRequest(f"Invalid input received: {named} are not all in one cloud.")


def _two_apart(wanted: Wish, one: tuple[Need, Pod], other: tuple[Need, Pod]) -> Trio2oError:
    zones = one[1].az_name, other[1].az_name
    volumes = one[0].kind is Kind.VOLUME and other[0].kind is Kind.VOLUME
    if wanted.service is Service.COMPUTE and volumes and zones[0] != zones[1]:
        # nova/compute/api.py@34.0.0: _validate_vol_az_for_create
        return _volumes_do_not_match(
            f"Volumes are in different availability zones: {','.join(zones)}"
        )
    if zones[0] == zones[1]:
        where = f"are in different clouds of availability zone {zones[0]}"
        return BadRequest(
            f"Invalid input received: {_called(one[0])} and {_called(other[0])} {where}."
        )
    return BadRequest(
        f"Invalid input received: {_called(one[0])} is in availability zone {zones[0]}, and "
        f"{_called(other[0])} is in {zones[1]}."
    )


def _volumes_do_not_match(reason: str) -> Trio2oError:
    # nova/exception.py@34.0.0: MismatchVolumeAZException; a 400 from POST /servers
    return BadRequest(
        "The availability zone between the server and its attached volumes do not match: "
        f"{reason}."
    )


def _called(need: Need) -> str:
    return f"{need.kind.replace('_', ' ')} {need.resource_id}"


def no_host(wanted: Wish) -> Trio2oError:
    return BadRequest(f"No host of {wanted.pod_name} is in the availability zone.")


def closed(wanted: Wish, fixed: Fixed) -> Trio2oError:
    if fixed or not wanted.zone:
        return PodUnusable("", f"No pod takes a new {_kind(wanted)} now; try again later.")
    return _zone_unknown(wanted)


def silent(wanted: Wish) -> Trio2oError:
    where = f" of availability zone {wanted.zone}" if wanted.zone else ""
    return PodUnusable("", f"No pod{where} that could take the {_kind(wanted)} responds.")


def untagged(wanted: Wish) -> Trio2oError:
    what = "flavor" if wanted.kind is Kind.SERVER else "volume type"
    where = f" in availability zone {wanted.zone}" if wanted.zone else ""
    return NoRoom(f"Nothing{where} has what {what} {wanted.definition} requires.")


def nothing(wanted: Wish, why: str) -> Trio2oError:
    return PodUnusable("", f"There is no pod {why} a new {_kind(wanted)}.")


def _kind(wanted: Wish) -> str:
    return wanted.kind.replace("_", " ")

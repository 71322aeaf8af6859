# SPDX-License-Identifier: Apache-2.0
"""What is decided, given what is known."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from trio2o import plan
from trio2o.errors import BadRequest, Gone, NotFound, NotOffered, PodDidNotRespond, PodUnusable
from trio2o.match import Matcher
from trio2o.model import Kind, Pod, PodState, Service
from trio2o.ops.tables import TABLES
from trio2o.plan import Known, Owners
from trio2o.refs import needs

MATCHER = Matcher(TABLES)
NOW = datetime(2026, 1, 1, tzinfo=UTC)
S, V, W, I = (f"{n:08x}-0000-4000-8000-000000000000" for n in range(1, 5))  # noqa: E741


def pod(number: int, zone: str = "az1", state: PodState = PodState.ENABLED) -> Pod:
    return Pod(
        id=f"p{number}",
        number=number,
        name=f"Pod{number}",
        az_name=zone,
        pod_az_name="nova",
        dc_name="",
        state=state,
        tags=frozenset(),
        generation=1,
        created_at=NOW,
        updated_at=NOW,
    )


ONE, TWO = pod(1), pod(2, "az2")


def decide(
    route: str,
    document: Any = None,
    *,
    owners: Mapping[tuple[Kind, str], Owners] | None = None,
    pods: tuple[Pod, ...] = (ONE, TWO),
    service: Service = Service.COMPUTE,
) -> plan.Plan:
    method, path, *action = route.split()
    op, params = MATCHER.find(service, method, path, action[0] if action else None)
    needed = needs(op, params, document, "")
    known = {(need.kind, need.resource_id): Owners() for need in needed} | dict(owners or {})
    return plan.plan(op, needed, Known(pods, known))


AT_ONE, AT_TWO = Owners(("p1",)), Owners(("p2",))
ATTACH = f"POST /servers/{S}/os-volume_attachments"
VOLUME_BODY = {"volumeAttachment": {"volumeId": V}}


def test_a_known_resource_is_forwarded_to_its_pod() -> None:
    owners = {(Kind.SERVER, S): AT_TWO}
    assert decide(f"GET /servers/{S}", owners=owners) == plan.Forward(TWO)


def test_what_no_pod_has_is_not_found_in_the_services_words() -> None:
    with pytest.raises(NotFound, match=f"Instance {S} could not be found."):
        decide(f"GET /servers/{S}")


def test_what_a_silent_pod_may_have_is_not_said_to_be_absent() -> None:
    owners = {(Kind.SERVER, S): Owners((), ("Pod2",))}
    with pytest.raises(PodDidNotRespond, match="Pod2"):
        decide(f"GET /servers/{S}", owners=owners)


def test_a_disabled_pod_is_not_asked() -> None:
    pods = (pod(1, state=PodState.DISABLED), TWO)
    with pytest.raises(PodUnusable):
        decide(f"GET /servers/{S}", owners={(Kind.SERVER, S): AT_ONE}, pods=pods)
    assert decide("GET /servers", pods=pods) == plan.Gather((TWO,), (pods[0],))


def test_a_pod_in_maintenance_is_still_asked() -> None:
    resting = pod(1, state=PodState.MAINTENANCE)
    owners = {(Kind.SERVER, S): AT_ONE}
    assert decide(f"GET /servers/{S}", owners=owners, pods=(resting, TWO)) == plan.Forward(resting)


def test_a_volume_of_another_zone_cannot_be_attached() -> None:
    owners = {(Kind.SERVER, S): AT_ONE, (Kind.VOLUME, V): AT_TWO}
    with pytest.raises(BadRequest) as caught:
        decide(ATTACH, VOLUME_BODY, owners=owners)
    assert caught.value.message == (
        f"Invalid volume: Instance {S} and volume {V} are not in the same availability_zone. "
        "Instance is in az1. Volume is in az2"
    )


def test_a_volume_of_another_pod_of_the_zone_cannot_be_attached() -> None:
    owners = {(Kind.SERVER, S): AT_ONE, (Kind.VOLUME, V): AT_TWO}
    with pytest.raises(BadRequest, match="different clouds of availability zone az1"):
        decide(ATTACH, VOLUME_BODY, owners=owners, pods=(ONE, pod(2)))


def test_a_volume_of_the_same_pod_is_attached_there() -> None:
    owners = {(Kind.SERVER, S): AT_ONE, (Kind.VOLUME, V): AT_ONE}
    assert decide(ATTACH, VOLUME_BODY, owners=owners) == plan.Forward(ONE)


def test_an_unknown_volume_is_said_as_nova_says_it() -> None:
    owners = {(Kind.SERVER, S): AT_ONE}
    with pytest.raises(NotFound, match=f"Volume {V} could not be found."):
        decide(ATTACH, VOLUME_BODY, owners=owners)


def test_a_snapshot_is_made_where_its_volume_is() -> None:
    document = {"snapshot": {"volume_id": V}}
    owners = {(Kind.VOLUME, V): AT_TWO}
    found = decide("POST /snapshots", document, owners=owners, service=Service.VOLUME)
    assert found == plan.Forward(TWO)


def test_a_create_keeps_what_each_reference_allows() -> None:
    devices = [{"source_type": "volume", "uuid": V}, {"source_type": "volume", "uuid": W}]
    document = {"server": {"imageRef": I, "block_device_mapping_v2": devices}}
    owners = {
        (Kind.VOLUME, V): AT_ONE,
        (Kind.VOLUME, W): AT_TWO,
        (Kind.IMAGE, I): Owners(("p1", "p2")),
    }
    found = decide("POST /servers", document, owners=owners)
    assert isinstance(found, plan.Place)
    assert {need.resource_id: pods for need, pods in found.fixed} == {
        V: (ONE,),
        W: (TWO,),
        I: (ONE, TWO),
    }


def test_a_create_with_an_unknown_image() -> None:
    with pytest.raises(BadRequest, match="Can not find requested image"):
        decide("POST /servers", {"server": {"imageRef": I}})


def test_a_hint_that_names_an_unknown_server_fixes_nothing() -> None:
    document = {"server": {}, "os:scheduler_hints": {"same_host": [S]}}
    assert decide("POST /servers", document) == plan.Place((ONE, TWO), ())


def test_a_change_of_an_image_goes_to_all_its_copies() -> None:
    owners = {(Kind.IMAGE, I): Owners(("p2", "p1"))}
    found = decide(f"PATCH /images/{I}", owners=owners, service=Service.IMAGE)
    assert found == plan.ForwardAll((TWO, ONE))
    assert decide(f"GET /images/{I}", owners=owners, service=Service.IMAGE) == plan.Forward(TWO)


def test_definitions_are_read_from_any_and_written_to_all() -> None:
    assert decide("GET /flavors/42") == plan.ReadDefinition((ONE, TWO))
    assert decide("POST /flavors") == plan.WriteDefinition((ONE, TWO))


def test_a_get_that_writes_is_a_write() -> None:
    route = "GET /qos-specs/abc/associate"
    assert decide(route, service=Service.VOLUME) == plan.WriteDefinition((ONE, TWO))


def test_a_definition_is_not_written_past_a_disabled_pod() -> None:
    with pytest.raises(PodUnusable, match="Pod2 is disabled"):
        decide("POST /flavors", pods=(ONE, pod(2, state=PodState.DISABLED)))


def test_removed_refused_and_not_offered() -> None:
    with pytest.raises(Gone):
        decide("GET /os-cells")
    with pytest.raises(NotFound, match="use the Image API"):
        decide("GET /images")
    with pytest.raises(NotOffered):
        decide("GET /os-hypervisors")


def test_without_a_pod_nothing_can_be_asked() -> None:
    for route in ("GET /servers", "POST /servers", "GET /limits", "GET /flavors"):
        with pytest.raises(PodUnusable, match="No pod"):
            decide(route, pods=())

# SPDX-License-Identifier: Apache-2.0
"""A new resource goes where it can be, best first, and the operator is told why."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trio2o import place
from trio2o.capacity import RoomReport
from trio2o.errors import BadRequest, NoRoom, PodUnusable
from trio2o.model import Binding, BoundBy, Kind, Pod, PodState, Service
from trio2o.ops import Op
from trio2o.refs import Need

THEN = datetime(2026, 1, 1, tzinfo=UTC)


def pod(number: int, zone: str = "az1", state: PodState = PodState.ENABLED, tags: str = "") -> Pod:
    name = f"Pod{number}"
    return Pod(
        f"id{number}",
        number,
        name,
        zone,
        "nova",
        "",
        state,
        frozenset(tags.split()),
        1,
        THEN,
        THEN,
    )


ONE, TWO, THREE = pod(1), pod(2), pod(3, "az2")
PODS = (ONE, TWO, THREE)


def bind(target: Pod, by: BoundBy = BoundBy.SCHEDULER, *, preferred: bool = False) -> Binding:
    return Binding(
        "b", "project", target.id, target.name, target.az_name, by, preferred, THEN, None
    )


@dataclass
class Options:
    weights: Mapping[str, float] = field(default_factory=dict)


def server(**more: Any) -> place.Wish:
    return place.Wish(Kind.SERVER, Service.COMPUTE, "project", **more)


def volume(**more: Any) -> place.Wish:
    return place.Wish(Kind.VOLUME, Service.VOLUME, "project", **more)


def room(free: float, *, fits: bool = True) -> RoomReport:
    return RoomReport(fits, free, "because")


def decide(
    wanted: place.Wish,
    pods: Sequence[Pod] = PODS,
    *,
    bound: Sequence[Binding] = (),
    healthy: Mapping[str, bool] | None = None,
    fixed: Sequence[tuple[Need, Sequence[Pod]]] = (),
    rooms: Mapping[str, RoomReport | None] | None = None,
    weights: Mapping[str, float] | None = None,
) -> place.Decision:
    first = place.filter_first(wanted, pods, bound, healthy or {}, fixed)
    return place.rank(wanted, first, rooms or {}, bound, Options(weights or {}))


def names(decision: place.Decision) -> str:
    return " ".join(one.name for one in decision.pods)


# ---------------------------------------------------------------------------- filters


def test_zone() -> None:
    assert names(decide(server(zone="az2"))) == "Pod3"
    assert names(decide(server())) == "Pod1 Pod2 Pod3"


def test_pods_that_are_not_enabled_or_do_not_respond_get_nothing_new() -> None:
    pods = (pod(1, state=PodState.MAINTENANCE), pod(2, state=PodState.DISABLED), pod(4), pod(5))
    assert names(decide(server(), pods, healthy={"id4": False, "id5": True})) == "Pod5"


def test_administrators_binding_restricts_its_zone_only() -> None:
    bound = [bind(TWO, BoundBy.ADMIN)]
    assert names(decide(server(zone="az1"), bound=bound)) == "Pod2"
    assert names(decide(server(zone="az2"), bound=bound)) == "Pod3"


def test_schedulers_binding_only_prefers() -> None:
    assert names(decide(server(), bound=[bind(TWO, preferred=True)])) == "Pod2 Pod1 Pod3"


def test_tags_must_all_be_there() -> None:
    pods = (pod(1, tags="ssd"), pod(2, tags="ssd gpu"))
    assert names(decide(server(tags=frozenset({"ssd", "gpu"})), pods)) == "Pod2"


def test_reference_decides_the_pod_whatever_a_binding_says() -> None:
    fixed = [(Need(Kind.VOLUME, "v1"), [ONE])]
    bound = [bind(TWO, BoundBy.ADMIN)]
    assert names(decide(server(), fixed=fixed, bound=bound)) == "Pod1"


def test_image_does_not_lift_an_administrators_binding() -> None:
    fixed = [(Need(Kind.IMAGE, "i1"), [ONE, TWO])]
    assert names(decide(server(), fixed=fixed, bound=[bind(TWO, BoundBy.ADMIN)])) == "Pod2"


def test_forced_host_names_its_pod() -> None:
    assert names(decide(server(zone="az1", pod_name="Pod2"))) == "Pod2"


def test_volume_of_a_group_goes_where_the_group_is_as_in_cinder() -> None:
    fixed = [(Need(Kind.GROUP, "g1"), [THREE])]
    assert names(decide(volume(zone="az1", grouped=True), fixed=fixed)) == "Pod3"


# ---------------------------------------------------------------------------- weights


def test_more_room_is_better_and_equal_pods_stand_by_number() -> None:
    rooms = {"id1": room(5), "id2": room(50), "id3": room(5)}
    assert names(decide(server(), rooms=rooms)) == "Pod2 Pod1 Pod3"
    assert names(decide(server(), PODS[::-1])) == "Pod1 Pod2 Pod3"


def test_preferred_pod_comes_before_a_bound_one_before_a_roomy_one() -> None:
    bound = [bind(ONE), bind(TWO, preferred=True)]
    rooms = {"id1": room(1), "id2": room(1), "id3": room(99)}
    assert names(decide(server(), bound=bound, rooms=rooms)) == "Pod2 Pod1 Pod3"


def test_operator_changes_weights() -> None:
    bound = [bind(ONE), bind(TWO, preferred=True)]
    rooms = {"id1": room(1), "id2": room(1), "id3": room(99)}
    weights = {"preferred": 0.0, "bound": 0.0}
    assert names(decide(server(), bound=bound, rooms=rooms, weights=weights)) == "Pod3 Pod1 Pod2"


def test_pod_that_did_not_tell_its_room_comes_last_but_comes() -> None:
    rooms = {"id1": None, "id2": room(1), "id3": room(2)}
    bound = [bind(ONE, preferred=True)]
    assert names(decide(server(), rooms=rooms, bound=bound)) == "Pod3 Pod2 Pod1"


def test_pod_without_room_is_left_out() -> None:
    rooms = {"id1": room(0, fits=False), "id2": room(1), "id3": None}
    assert names(decide(server(), rooms=rooms)) == "Pod2 Pod3"


def test_when_no_pod_has_room_the_best_one_answers_as_a_single_cloud_would() -> None:
    rooms = {one.id: room(0, fits=False) for one in PODS}
    decision = decide(server(), rooms=rooms, bound=[bind(TWO, preferred=True)])
    assert names(decision) == "Pod2 Pod1 Pod3"
    assert decision.document(TWO)["fits"] is False


def test_room_without_bound_is_more_than_any() -> None:
    rooms = {"id1": room(10**9), "id2": room(math.inf), "id3": room(0)}
    decision = decide(volume(), rooms=rooms)
    assert names(decision) == "Pod2 Pod1 Pod3"
    json.dumps(decision.document(TWO), allow_nan=False)


# ----------------------------------------------------------------------------- errors

VOLUME_1, VOLUME_2 = Need(Kind.VOLUME, "v1"), Need(Kind.VOLUME, "v2")
SNAPSHOT = Need(Kind.SNAPSHOT, "s1")


@pytest.mark.parametrize(
    ("wanted", "fixed", "words"),
    [
        (server(zone="no"), [], "The requested availability zone is not available"),
        (volume(zone="no"), [], "Availability zone 'no' is invalid."),
        (
            server(),
            [(VOLUME_1, [ONE]), (VOLUME_2, [THREE])],
            (
                "The availability zone between the server and its attached volumes do not match: "
                "Volumes are in different availability zones: az1,az2."
            ),
        ),
        (
            server(),
            [(VOLUME_1, [ONE]), (VOLUME_2, [TWO])],
            (
                "Invalid input received: volume v1 and volume v2 are in different clouds of "
                "availability zone az1."
            ),
        ),
        (
            volume(),
            [(SNAPSHOT, [ONE]), (Need(Kind.GROUP, "g1"), [THREE])],
            (
                "Invalid input received: snapshot s1 is in availability zone az1, and group g1 is "
                "in az2."
            ),
        ),
        (
            server(zone="az2"),
            [(VOLUME_1, [ONE])],
            (
                "The availability zone between the server and its attached volumes do not match: "
                "Server and volumes are not in the same availability zone. Server is in: az2. "
                "Volumes are in: az1."
            ),
        ),
        (
            server(zone="az2"),
            [(Need(Kind.IMAGE, "i1"), [ONE])],
            "Invalid input received: image i1 is in availability zone az1, and az2 is asked for.",
        ),
        (
            volume(zone="az2"),
            [(SNAPSHOT, [ONE])],
            "Invalid input received: Volume must be in the same availability zone as the snapshot",
        ),
        (
            volume(zone="az2"),
            [(VOLUME_1, [ONE])],
            (
                "Invalid input received: Volume must be in the same availability zone as the "
                "source volume"
            ),
        ),
    ],
)
def test_what_cannot_be_is_refused_in_the_services_words(
    wanted: place.Wish, fixed: Sequence[tuple[Need, Sequence[Pod]]], words: str
) -> None:
    decision = decide(wanted, fixed=fixed)
    assert not decision.pods
    error = decision.error()
    assert isinstance(error, BadRequest)
    assert error.message == words


def test_three_references_of_which_each_two_meet() -> None:
    fixed = [
        (Need(Kind.IMAGE, "a"), [ONE, TWO]),
        (Need(Kind.IMAGE, "b"), [TWO, THREE]),
        (Need(Kind.IMAGE, "c"), [ONE, THREE]),
    ]
    error = decide(server(), fixed=fixed).error()
    assert error.message == (
        "Invalid input received: image a and image b and image c are not all in one cloud."
    )


def test_zone_whose_pods_take_nothing_new_is_not_available() -> None:
    pods = (pod(1, state=PodState.MAINTENANCE),)
    error = decide(server(zone="az1"), pods).error()
    assert error.message == "The requested availability zone is not available"
    assert isinstance(decide(server(), pods).error(), PodUnusable)


def test_errors_that_pass() -> None:
    silent = decide(server(zone="az1"), healthy={"id1": False, "id2": False}).error()
    assert isinstance(silent, PodUnusable)
    assert isinstance(decide(server(), ()).error(), PodUnusable)
    disabled = decide(server(), (TWO,), fixed=[(VOLUME_1, [ONE])]).error()
    assert disabled.message == "The pod of volume v1 is not enabled."


def test_nothing_with_the_tags() -> None:
    error = decide(server(tags=frozenset({"gpu"}), definition="f1", zone="az1")).error()
    assert isinstance(error, NoRoom)
    assert error.message == "Nothing in availability zone az1 has what flavor f1 requires."


# ----------------------------------------------------------------------------- the wish


def op(kind: Kind, service: Service, path: str) -> Op:
    return Op(
        "POST " + path,
        "CREATE",  # type: ignore[arg-type]
        kind,
        service=service,
        method="POST",
        path=path,
    )


NEW_SERVER = op(Kind.SERVER, Service.COMPUTE, "/servers")
NEW_VOLUME = op(Kind.VOLUME, Service.VOLUME, "/volumes")


def test_wish_of_a_server() -> None:
    body = {
        "server": {
            "availability_zone": "az1:Pod2@host",
            "flavorRef": "http://x/flavors/f1",
            "imageRef": "i",
            "min_count": "3",
        }
    }
    made = place.wish(NEW_SERVER, body, "", "project")
    assert (made.zone, made.pod_name, made.count, made.definition, made.boots_from_volume) == (
        "az1",
        "Pod2",
        3,
        "f1",
        False,
    )
    assert made.definition_path == "/flavors/f1"
    assert made.resources == {}
    flavor = {"vcpus": 2, "ram": 512, "disk": 1, "extra_specs": {"trio2o:tags": "ssd, gpu"}}
    made = made.defined_by({"flavor": flavor})
    assert made.resources == {"VCPU": 2, "MEMORY_MB": 512, "DISK_GB": 1}
    assert made.tags == {"ssd", "gpu"}
    assert "resources=DISK_GB%3A1%2CMEMORY_MB%3A512%2CVCPU%3A2" in place.candidates_query(made)


@pytest.mark.parametrize(
    ("server_part", "from_volume"),
    [
        ({"imageRef": "i"}, False),
        ({"imageRef": ""}, True),
        ({}, True),
        (
            {"block_device_mapping_v2": [{"boot_index": "0", "destination_type": "volume"}]},
            True,
        ),
        (
            {
                "imageRef": "i",
                "block_device_mapping_v2": [
                    {"boot_index": 0, "source_type": "image", "destination_type": "local"},
                    {"boot_index": -1, "destination_type": "volume"},
                ],
            },
            False,
        ),
        ({"imageRef": "i", "block_device_mapping_v2": "nonsense"}, False),
    ],
)
def test_root_disk_counts_unless_it_is_a_volume(
    server_part: dict[str, Any], from_volume: bool
) -> None:
    made = place.wish(NEW_SERVER, {"server": server_part}, "", "project")
    assert made.boots_from_volume is from_volume


def test_wish_of_a_volume() -> None:
    body = {"volume": {"size": 7, "volume_type": "fast", "availability_zone": "az1"}}
    made = place.wish(NEW_VOLUME, body, "", "project")
    assert (made.zone, made.size_gb, made.definition_path) == ("az1", 7, "/types")
    types = [
        {"id": "t1", "name": "slow", "extra_specs": {}},
        {"id": "t2", "name": "fast", "extra_specs": {"volume_backend_name": "ssd"}},
    ]
    made = made.defined_by({"volume_types": types})
    assert made.extra_specs == {"volume_backend_name": "ssd"}
    pools = {
        "pools": [
            {
                "capabilities": {
                    "volume_backend_name": "ssd",
                    "total_capacity_gb": 10,
                    "free_capacity_gb": 9,
                }
            }
        ]
    }
    assert place.room_for_volume(pools, made).fits


@pytest.mark.parametrize("body", [None, [], {}, {"server": 1}, {"server": {"min_count": "x"}}])
def test_request_that_cannot_be_read_is_placed_anywhere(body: Any) -> None:
    made = place.wish(NEW_SERVER, body, "", "project")
    assert (made.zone, made.count, made.definition_path) == ("", 1, "")
    assert names(decide(made)) == "Pod1 Pod2 Pod3"


# -------------------------------------------------------------------------- explanation


def test_explanation_tells_of_each_pod_what_became_of_it() -> None:
    wanted = server(zone="az1", definition="f1", count=2)
    pods = (ONE, TWO, THREE, pod(4, state=PodState.MAINTENANCE), pod(5), pod(6))
    rooms = {"id1": room(4), "id2": None, "id6": RoomReport(False, 0.0, "No host.")}
    decision = decide(
        wanted,
        pods,
        rooms=rooms,
        healthy={"id5": False},
        bound=[bind(ONE, preferred=True)],
        fixed=[(Need(Kind.IMAGE, "i1"), pods)],
    )
    assert decision.document(TWO, ["Pod1: refused the connection."]) == {
        "request": {
            "kind": "server",
            "project_id": "project",
            "zone": "az1",
            "count": 2,
            "definition": "f1",
            "tags": [],
            "resources": {},
            "references": [
                {"kind": "image", "id": "i1", "pods": [f"Pod{n}" for n in range(1, 7)]}
            ],
        },
        "dropped": [
            {
                "pod": "Pod3",
                "zone": "az2",
                "filter": "zone",
                "why": "It serves az2, and az1 is asked for.",
            },
            {
                "pod": "Pod4",
                "zone": "az1",
                "filter": "state",
                "why": "It is in state maintenance.",
            },
            {"pod": "Pod5", "zone": "az1", "filter": "health", "why": "It does not respond."},
            {"pod": "Pod6", "zone": "az1", "filter": "room", "why": "No host."},
        ],
        "ranked": [
            {
                "pod": "Pod1",
                "zone": "az1",
                "room": {"known": True, "fits": True, "free": 4, "why": "because"},
                "weights": {"preferred": 1000.0, "bound": 0.0, "room": 1.0},
                "score": 1001.0,
            },
            {
                "pod": "Pod2",
                "zone": "az1",
                "room": {"known": False, "why": "It did not say."},
                "weights": {"preferred": 0.0, "bound": 0.0, "room": 0.0},
                "score": 0.0,
            },
        ],
        "chosen": "Pod2",
        "failures": ["Pod1: refused the connection."],
        "fits": True,
    }


@given(
    states=st.lists(st.sampled_from(list(PodState)), min_size=1, max_size=5),
    zone=st.sampled_from(["", "az1", "az2", "az3"]),
    data=st.data(),
)
def test_every_pod_is_chosen_or_explained(
    states: list[PodState], zone: str, data: st.DataObject
) -> None:
    pods = [pod(n, f"az{1 + n % 2}", state) for n, state in enumerate(states)]
    rooms: dict[str, RoomReport | None] = {}
    for one in pods:
        free = data.draw(st.sampled_from([None, -1, 0, 5]))
        rooms[one.id] = None if free is None else room(max(free, 0), fits=free >= 0)
    healthy = {one.id: data.draw(st.booleans()) for one in pods}
    decision = decide(server(zone=zone), pods, rooms=rooms, healthy=healthy)
    document = decision.document(None)
    told = [part["pod"] for part in (*document["dropped"], *document["ranked"])]
    assert sorted(told) == sorted(one.name for one in pods)
    assert all(one.state is PodState.ENABLED and healthy[one.id] for one in decision.pods)
    if not decision.pods:
        assert decision.error().message
    json.dumps(document, allow_nan=False)

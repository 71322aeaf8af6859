# SPDX-License-Identifier: Apache-2.0
"""Pods: registered, changed by compare-and-swap, deleted but for their number."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from trio2o import clock, ids
from trio2o.db import bindings, intents, pods, routings
from trio2o.db.session import Database
from trio2o.errors import Conflict, NotFound, Stale
from trio2o.model import Intent, IntentState, Kind, Pod, PodState, Routing

PROJECT = "a" * 32


@pytest.fixture
def pod(database: Database) -> Pod:
    return database.write_now(pods.create, name="Pod1", az_name="az1")


def _intent(pod: Pod) -> Intent:
    return Intent(
        ids.new_uuid(),
        Kind.SERVER,
        PROJECT,
        "user",
        pod.id,
        ids.new_request_id(),
        IntentState.ASKED,
        clock.now(),
    )


def _routing(pod: Pod) -> Routing:
    return Routing(Kind.SERVER, ids.new_uuid(), pod.id, PROJECT, clock.now())


def test_a_pod_comes_back_as_it_was_registered(database: Database) -> None:
    made = database.write_now(
        pods.create,
        name="Pod1",
        az_name="az1",
        pod_az_name="nova",
        dc_name="dc1",
        state=PodState.MAINTENANCE,
        tags=frozenset({"gpu", "größe"}),
    )
    assert database.read_now(pods.find, made.id) == made
    assert database.read_now(pods.find_by_name, "Pod1") == made
    assert database.read_now(pods.find_by_name, "pod1") is None
    assert database.read_now(pods.list_) == [made]


def test_two_pods_cannot_have_one_name(database: Database, pod: Pod) -> None:
    with pytest.raises(Conflict, match="already a pod named Pod1"):
        database.write_now(pods.create, name="Pod1", az_name="az2")
    other = database.write_now(pods.create, name="Pod2", az_name="az2")
    with pytest.raises(Conflict, match="already a pod named Pod1"):
        database.write_now(pods.update, replace(other, name=pod.name))


def test_a_change_needs_the_generation_that_was_read(database: Database, pod: Pod) -> None:
    changed = database.write_now(pods.update, replace(pod, state=PodState.DISABLED))
    assert changed.generation == pod.generation + 1
    assert database.read_now(pods.find, pod.id) == changed
    with pytest.raises(Stale, match="Pod1 was changed meanwhile"):
        database.write_now(pods.update, replace(pod, state=PodState.ENABLED))
    with pytest.raises(Stale):
        database.write_now(pods.delete, pod.id, pod.generation)


def test_of_many_changes_of_one_generation_one_is_made(database: Database, pod: Pod) -> None:
    def change(number: int) -> bool:
        try:
            database.write_now(pods.update, replace(pod, dc_name=f"dc{number}"))
        except Stale:
            return False
        return True

    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(change, range(8))) == 1


def test_a_number_is_never_used_again(database: Database, pod: Pod) -> None:
    database.write_now(pods.delete, pod.id)
    again = database.write_now(pods.create, name="Pod1", az_name="az1")
    assert again.number != pod.number
    assert again.id != pod.id


def test_pods_registered_at_a_time_get_different_numbers(database: Database) -> None:
    with ThreadPoolExecutor(8) as threads:
        made = list(
            threads.map(
                lambda n: database.write_now(pods.create, name=f"Pod{n}", az_name="az1"),
                range(8),
            )
        )
    assert len({one.number for one in made}) == 8


def test_one_name_registered_many_times_at_a_time_is_one_pod(database: Database) -> None:
    def register(_: int) -> bool:
        try:
            database.write_now(pods.create, name="Pod1", az_name="az1")
        except Conflict:
            return False
        return True

    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(register, range(8))) == 1


def test_a_pod_in_use_is_not_deleted(database: Database, pod: Pod) -> None:
    database.write_now(routings.learn, [_routing(pod)])
    database.write_now(bindings.bind_preferred, PROJECT, pod)
    database.write_now(intents.create, _intent(pod))
    uses = database.read_now(pods.uses, pod.id)
    assert uses.routings == {Kind.SERVER: 1}
    assert (uses.active_bindings, uses.open_intents) == (1, 1)
    with pytest.raises(
        Conflict, match="Pod1 is in use: 1 servers, 1 bindings, 1 creates in progress"
    ):
        database.write_now(pods.delete, pod.id)


def test_a_pod_in_use_is_deleted_by_force(database: Database, pod: Pod) -> None:
    routing, intent = _routing(pod), _intent(pod)
    database.write_now(routings.learn, [routing])
    database.write_now(routings.learn_copies, Kind.IMAGE, pod.id, [ids.new_uuid()])
    binding = database.write_now(bindings.bind_preferred, PROJECT, pod)
    database.write_now(intents.create, intent)
    database.write_now(pods.delete, pod.id, force=True)
    assert database.read_now(pods.list_) == []
    assert database.read_now(routings.find, Kind.SERVER, routing.resource_id) is None
    assert database.read_now(bindings.active, PROJECT) == []
    past = database.read_now(bindings.find, binding.id)
    assert past is not None
    assert past.ended_at is not None
    assert past.pod_name == "Pod1"
    ended = database.read_now(intents.find, intent.id)
    assert ended is not None
    assert ended.state is IntentState.NOTHING


def test_a_deleted_pod_is_gone_for_everybody(database: Database, pod: Pod) -> None:
    database.write_now(pods.delete, pod.id)
    for call in (
        lambda: database.write_now(pods.update, pod),
        lambda: database.write_now(pods.delete, pod.id),
        lambda: database.read_now(pods.uses, pod.id),
        lambda: database.write_now(routings.learn, [_routing(pod)]),
        lambda: database.write_now(bindings.bind_preferred, PROJECT, pod),
        lambda: database.write_now(intents.create, _intent(pod)),
    ):
        with pytest.raises(NotFound, match=pod.id):
            call()


def test_a_pod_is_not_moved_from_under_its_bindings(database: Database, pod: Pod) -> None:
    binding = database.write_now(bindings.bind_preferred, PROJECT, pod)
    with pytest.raises(Conflict, match="end these bindings"):
        database.write_now(pods.update, replace(pod, az_name="az2"))
    database.write_now(bindings.end, binding.id)
    assert database.write_now(pods.update, replace(pod, az_name="az2")).az_name == "az2"


def test_a_pod_is_not_deleted_while_a_project_is_being_bound(database: Database) -> None:
    """Either the pod is gone, and nobody is bound to it, or it is there."""
    for number in range(10):
        pod = database.write_now(pods.create, name=f"Pod{number}", az_name="az1")
        with ThreadPoolExecutor(2) as threads:
            bound = threads.submit(database.write_now, bindings.bind_preferred, PROJECT, pod)
            deleted = threads.submit(database.write_now, pods.delete, pod.id)
            outcomes = {type(bound.exception()), type(deleted.exception())}
        assert outcomes in ({type(None), NotFound}, {type(None), Conflict})
        for binding in database.read_now(bindings.active, PROJECT):
            database.write_now(bindings.end, binding.id)

# SPDX-License-Identifier: Apache-2.0
"""Intents: one end each, one worker at a time, and who comes late changes nothing."""

import multiprocessing
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from trio2o import clock, ids
from trio2o.db import cursors, intents, placements, pods, routings
from trio2o.db.session import Database
from trio2o.errors import NotFound, Stale
from trio2o.model import Intent, IntentState, Kind, Pod, Routing

PROJECT = "a" * 32
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def pod(database: Database) -> Pod:
    return database.write_now(pods.create, name="Pod1", az_name="az1")


def _intent(pod: Pod, made: datetime = LONG_AGO) -> Intent:
    return Intent(
        id=ids.new_uuid(),
        kind=Kind.SERVER,
        project_id=PROJECT,
        user_id="cafe" * 16,
        pod_id=pod.id,
        request_id=ids.new_request_id(),
        state=IntentState.ASKED,
        created_at=made,
    )


def _made(intent: Intent) -> Routing:
    return Routing(Kind.SERVER, ids.new_uuid(), intent.pod_id, PROJECT, clock.now())


def _lease(database: Database, owner: str = "me", **more: float) -> list[intents.Lease]:
    options = {"limit": 10, "lease_s": 60} | more
    return database.write_now(
        intents.lease,
        owner,
        older_than=clock.now(),
        limit=int(options["limit"]),
        lease_s=options["lease_s"],
    )


def _state(database: Database, intent: Intent) -> IntentState:
    found = database.read_now(intents.find, intent.id)
    assert found is not None
    return found.state


def test_a_confirmed_intent_has_its_routings(database: Database, pod: Pod) -> None:
    intent = _intent(pod)
    database.write_now(intents.create, intent)
    assert database.read_now(intents.find, intent.id) == intent
    made = [_made(intent), _made(intent)]
    database.write_now(intents.confirm, intent.id, made)
    found = database.read_now(intents.find, intent.id)
    ids_made = tuple(one.resource_id for one in made)
    assert found == replace(intent, state=IntentState.CONFIRMED, resource_ids=ids_made)
    for one in made:
        assert database.read_now(routings.find, Kind.SERVER, one.resource_id) == one
    assert _lease(database) == []


def test_a_refused_intent_is_not_looked_into(database: Database, pod: Pod) -> None:
    intent = _intent(pod)
    database.write_now(intents.create, intent)
    database.write_now(intents.refuse, intent.id)
    assert _state(database, intent) is IntentState.REFUSED
    assert _lease(database) == []


def test_confirming_what_was_never_intended_is_an_error_and_routes_nothing(
    database: Database, pod: Pod
) -> None:
    made = _made(_intent(pod))
    with pytest.raises(NotFound):
        database.write_now(intents.confirm, ids.new_uuid(), [made])
    assert database.read_now(routings.find, Kind.SERVER, made.resource_id) is None


def test_only_old_intents_are_leased_the_oldest_first(database: Database, pod: Pod) -> None:
    old = [_intent(pod, LONG_AGO + timedelta(days=n)) for n in (2, 0, 1)]
    for intent in [*old, _intent(pod, clock.now())]:
        database.write_now(intents.create, intent)
    leased = database.write_now(
        intents.lease, "me", older_than=clock.now() - timedelta(hours=1), limit=2, lease_s=60
    )
    assert [one.intent for one in leased] == [old[1], old[2]]


def test_no_intent_is_leased_twice_by_many_threads(database: Database, pod: Pod) -> None:
    every = [_intent(pod) for _ in range(60)]
    for intent in every:
        database.write_now(intents.create, intent)
    with ThreadPoolExecutor(12) as threads:
        taken = [
            one.intent.id
            for leases in threads.map(lambda n: _lease(database, f"w{n}"), range(12))
            for one in leases
        ]
    assert len(taken) == len(set(taken))
    # Those that another one was just looking at are left for the next round.
    taken += [one.intent.id for one in _lease(database, "last", limit=100)]
    assert sorted(taken) == sorted(one.id for one in every)


def _take(url: str, owner: str) -> list[str]:
    database = Database(url, threads=1)
    taken = [one.intent.id for _ in range(5) for one in _lease(database, owner, limit=5)]
    database.close()
    return taken


def test_no_intent_is_leased_twice_by_many_processes(database: Database, pod: Pod) -> None:
    every = [_intent(pod) for _ in range(40)]
    for intent in every:
        database.write_now(intents.create, intent)
    url = database.engine.url.render_as_string(hide_password=False)
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(3, mp_context=spawn) as processes:
        futures = [processes.submit(_take, url, f"p{n}") for n in range(3)]
        taken = [one for future in futures for one in future.result()]
    assert len(taken) == len(set(taken))
    taken += [one.intent.id for one in _lease(database, "last", limit=100)]
    assert sorted(taken) == sorted(one.id for one in every)


def test_a_late_worker_changes_nothing(database: Database, pod: Pod) -> None:
    intent = _intent(pod)
    database.write_now(intents.create, intent)
    [late] = _lease(database, "late", lease_s=-1)
    [new] = _lease(database, "new")
    assert new.generation > late.generation
    made = _made(intent)
    for call in (
        lambda: database.write_now(intents.settle, late, IntentState.ADOPTED, [made]),
        lambda: database.write_now(intents.renew, late, 60),
        lambda: database.write_now(intents.again, late, 60),
    ):
        with pytest.raises(Stale, match="lease of late"):
            call()
    assert database.read_now(routings.find, Kind.SERVER, made.resource_id) is None
    database.write_now(intents.settle, new, IntentState.NOTHING)
    assert _state(database, intent) is IntentState.NOTHING
    with pytest.raises(Stale):
        database.write_now(intents.settle, new, IntentState.ADOPTED)


def test_an_adopted_resource_is_routed(database: Database, pod: Pod) -> None:
    intent = _intent(pod)
    database.write_now(intents.create, intent)
    [lease] = _lease(database)
    made = _made(intent)
    database.write_now(intents.settle, lease, IntentState.ADOPTED, [made])
    assert database.read_now(routings.find, Kind.SERVER, made.resource_id) == made
    found = database.read_now(intents.find, intent.id)
    assert found is not None
    assert (found.state, found.attempts) == (IntentState.ADOPTED, 1)
    assert found.resource_ids == (made.resource_id,)


def test_the_answer_of_the_pod_ends_a_lease(database: Database, pod: Pod) -> None:
    intent = _intent(pod)
    database.write_now(intents.create, intent)
    [lease] = _lease(database)
    database.write_now(intents.confirm, intent.id, [_made(intent)])
    with pytest.raises(Stale):
        database.write_now(intents.settle, lease, IntentState.NOTHING)
    assert _state(database, intent) is IntentState.CONFIRMED


def test_a_lease_that_was_renewed_holds(database: Database, pod: Pod) -> None:
    database.write_now(intents.create, _intent(pod))
    [lease] = _lease(database, lease_s=-1)
    renewed = database.write_now(intents.renew, lease, 60)
    assert renewed.until > lease.until
    assert _lease(database, "other") == []


def test_an_intent_given_back_waits_and_counts_only_real_attempts(
    database: Database, pod: Pod
) -> None:
    database.write_now(intents.create, _intent(pod))
    [lease] = _lease(database)
    database.write_now(intents.again, lease, 0, counts=False)
    [lease] = _lease(database)
    assert lease.intent.attempts == 0
    database.write_now(intents.again, lease, 0)
    [lease] = _lease(database)
    assert lease.intent.attempts == 1
    database.write_now(intents.again, lease, 60)
    assert _lease(database) == []


def test_lists_are_filtered_and_paged(database: Database, pod: Pod) -> None:
    every = [_intent(pod, LONG_AGO + timedelta(days=n // 2)) for n in range(7)]
    for intent in every:
        database.write_now(intents.create, intent)
    database.write_now(intents.refuse, every[0].id)
    paged: list[Intent] = []
    while page := database.read_now(intents.list_, limit=2, after=paged[-1] if paged else None):
        paged += page
    assert sorted(one.id for one in paged) == sorted(one.id for one in every)
    asked = intents.Filters(
        state=IntentState.ASKED, kind=Kind.SERVER, project_id=PROJECT, pod_id=pod.id
    )
    assert len(database.read_now(intents.list_, asked)) == 6


def test_finished_intents_are_purged_and_open_ones_stay(database: Database, pod: Pod) -> None:
    done, still = _intent(pod), _intent(pod)
    for intent in (done, still):
        database.write_now(intents.create, intent)
    database.write_now(intents.refuse, done.id)
    later = clock.now() + timedelta(seconds=1)
    assert database.write_now(intents.purge, LONG_AGO) == 0
    assert database.write_now(intents.purge, later) == 1
    assert database.read_now(intents.list_) == [still]


def test_the_explanation_of_a_placement_is_kept_and_purged(database: Database) -> None:
    key = (Kind.SERVER, ids.new_uuid())
    assert database.read_now(placements.find, *key) is None
    database.write_now(placements.record, *key, PROJECT, {"filters": ["az"]})
    database.write_now(placements.record, *key, PROJECT, {"filters": ["az", "room"]})
    database.write_now(placements.record, Kind.VOLUME, key[1], PROJECT, {})
    found = database.read_now(placements.find, *key)
    assert found is not None
    assert found.document == {"filters": ["az", "room"]}
    assert database.write_now(placements.purge, LONG_AGO) == 0
    assert database.write_now(placements.purge, clock.now() + timedelta(seconds=1)) == 2
    assert database.read_now(placements.find, *key) is None


def test_a_cursor_is_found_until_it_expires(database: Database) -> None:
    now = clock.now()
    database.write_now(cursors.save, "k", {"pods": {"1": "a"}}, now + timedelta(seconds=60))
    assert database.read_now(cursors.find, "k", now) == {"pods": {"1": "a"}}
    assert database.read_now(cursors.find, "k", now + timedelta(seconds=60)) is None
    assert database.read_now(cursors.find, "other", now) is None
    assert database.write_now(cursors.purge) == 0
    database.write_now(cursors.save, "k", {"pods": {}}, now - timedelta(seconds=1))
    assert database.write_now(cursors.purge) == 1

# SPDX-License-Identifier: Apache-2.0
"""Routings: learnt, confirmed, found, listed, forgotten."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from trio2o import ids
from trio2o.db import pods, routings
from trio2o.db.session import Database
from trio2o.errors import NotFound
from trio2o.model import Kind, Pod, Routing

PROJECT = "a" * 32
OTHER = "b" * 32
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.fixture
def two(database: Database) -> list[Pod]:
    return [database.write_now(pods.create, name=name, az_name="az1") for name in ("Pod1", "Pod2")]


def _server(pod: Pod, project: str = PROJECT, age_s: float = 0) -> Routing:
    return Routing(Kind.SERVER, ids.new_uuid(), pod.id, project, NOON - timedelta(seconds=age_s))


def test_a_routing_comes_back_as_it_was_learnt(database: Database, two: list[Pod]) -> None:
    stub = {"name": "wéb", "user_id": "u1", "flavor": {"vcpus": 2}, "image": None}
    routing = replace(_server(two[0]), stub=stub)
    database.write_now(routings.learn, [routing])
    assert database.read_now(routings.find, Kind.SERVER, routing.resource_id) == routing
    assert database.read_now(routings.find, Kind.VOLUME, routing.resource_id) is None
    assert database.read_now(routings.find, Kind.SERVER, ids.new_uuid()) is None
    upper = routing.resource_id.upper()
    assert database.read_now(routings.find, Kind.SERVER, upper) == routing


def test_what_is_known_is_not_learnt_anew_but_confirmed(
    database: Database, two: list[Pod]
) -> None:
    known = _server(two[0])
    new, other = _server(two[1]), replace(known, pod_id=two[1].id, stub={"name": "x"})
    database.write_now(routings.learn, [known])
    database.write_now(routings.learn, [other, new, other])
    assert database.read_now(routings.find, Kind.SERVER, known.resource_id) == known
    assert database.read_now(routings.find, Kind.SERVER, new.resource_id) == new
    database.write_now(routings.mark_deleted, Kind.SERVER, known.resource_id, NOON)
    database.write_now(routings.confirm, [other])
    assert database.read_now(routings.find, Kind.SERVER, known.resource_id) == other


def test_learning_nothing_is_nothing(database: Database) -> None:
    database.write_now(routings.learn, [])
    database.write_now(routings.confirm, [])
    assert database.read_now(routings.find_many, Kind.SERVER, []) == {}


def test_a_routing_to_an_unknown_pod_is_refused(database: Database, two: list[Pod]) -> None:
    stray = replace(_server(two[0]), pod_id=ids.new_uuid())
    with pytest.raises(NotFound, match=stray.pod_id):
        database.write_now(routings.learn, [_server(two[0]), stray])
    assert database.read_now(routings.list_) == []


def test_many_are_found_at_once(database: Database, two: list[Pod]) -> None:
    made = [_server(two[n % 2]) for n in range(1203)]
    database.write_now(routings.learn, made)
    asked = [one.resource_id for one in made]
    found = database.read_now(routings.find_many, Kind.SERVER, [*asked, ids.new_uuid(), "no"])
    assert found == {one.resource_id: one for one in made}
    loud = made[7].resource_id.upper()
    assert database.read_now(routings.find_many, Kind.SERVER, [loud]) == {loud: made[7]}


def test_the_same_routings_are_learnt_by_many_at_a_time(
    database: Database, two: list[Pod]
) -> None:
    made = [_server(two[0]) for _ in range(50)]
    with ThreadPoolExecutor(8) as threads:
        list(
            threads.map(
                lambda n: database.write_now(routings.learn, made[::-1] if n % 2 else made),
                range(16),
            )
        )
    assert len(database.read_now(routings.list_)) == 50


def test_a_deleted_resource_is_remembered_for_a_while(database: Database, two: list[Pod]) -> None:
    gone, here = _server(two[0]), _server(two[0])
    database.write_now(routings.learn, [gone, here])
    assert database.write_now(routings.mark_deleted, Kind.SERVER, gone.resource_id, NOON)
    assert not database.write_now(routings.mark_deleted, Kind.SERVER, gone.resource_id, NOON)
    found = database.read_now(routings.find, Kind.SERVER, gone.resource_id)
    assert found == replace(gone, deleted_at=NOON)
    assert database.read_now(routings.list_) == [here]
    everything = routings.Filters(deleted=None)
    assert len(database.read_now(routings.list_, everything)) == 2
    assert database.read_now(routings.count_by_pod, two[0].id) == {Kind.SERVER: 1}
    assert database.write_now(routings.forget_deleted, NOON) == 0
    assert database.write_now(routings.forget_deleted, NOON + timedelta(seconds=1)) == 1
    assert database.read_now(routings.find, Kind.SERVER, gone.resource_id) is None


def test_a_forgotten_routing_is_gone_with_its_copies(database: Database, two: list[Pod]) -> None:
    image = replace(_server(two[0]), kind=Kind.IMAGE)
    key = (Kind.IMAGE, image.resource_id)
    database.write_now(routings.learn, [image])
    database.write_now(routings.learn_copies, Kind.IMAGE, two[1].id, [image.resource_id] * 2)
    assert database.read_now(routings.copies_of, *key) == {two[1].id}
    database.write_now(routings.forget_copy, *key, two[1].id)
    assert database.read_now(routings.copies_of, *key) == frozenset()
    database.write_now(routings.learn_copies, Kind.IMAGE, two[1].id, [image.resource_id])
    assert database.write_now(routings.forget, *key)
    assert not database.write_now(routings.forget, *key)
    assert database.read_now(routings.copies_of, *key) == frozenset()


def test_pages_of_a_list_have_each_routing_once(database: Database, two: list[Pod]) -> None:
    made = [_server(two[n % 2], (PROJECT, OTHER)[n % 3 == 0]) for n in range(30)]
    made += [replace(_server(two[0]), kind=Kind.VOLUME) for _ in range(7)]
    database.write_now(routings.learn, made)
    for filters, expected in (
        (routings.Filters(), made),
        (routings.Filters(kind=Kind.SERVER), made[:30]),
        (routings.Filters(project_id=OTHER), [one for one in made if one.project_id == OTHER]),
        (
            routings.Filters(kind=Kind.SERVER, pod_id=two[1].id),
            [one for one in made if one.pod_id == two[1].id],
        ),
        (routings.Filters(resource_id=made[3].resource_id), [made[3]]),
    ):
        paged: list[Routing] = []
        while page := database.read_now(
            routings.list_, filters, limit=4, after=paged[-1] if paged else None
        ):
            paged += page
        assert len(paged) == len(expected)
        assert {one.resource_id for one in paged} == {one.resource_id for one in expected}


@pytest.mark.parametrize("ascending", [True, False])
def test_the_newest_come_first_and_ids_decide_between_twins(
    database: Database, two: list[Pod], ascending: bool
) -> None:
    made = [_server(two[n % 2], age_s=n // 4) for n in range(20)]
    gone = replace(_server(two[0], age_s=2), deleted_at=NOON)
    other = _server(two[0], OTHER)
    database.write_now(routings.learn, [*made, gone, other])
    expected = sorted(made, key=lambda one: one.resource_id, reverse=not ascending)
    expected.sort(key=lambda one: one.created_at, reverse=True)
    paged: list[Routing] = []
    while page := database.read_now(
        routings.list_newest,
        Kind.SERVER,
        project_id=PROJECT,
        limit=3,
        after=paged[-1] if paged else None,
        ids_ascending=ascending,
    ):
        paged += page
    assert paged == expected
    of_pod = database.read_now(
        routings.list_newest, Kind.SERVER, pod_id=two[1].id, limit=100, ids_ascending=ascending
    )
    assert of_pod == [one for one in expected if one.pod_id == two[1].id]
    everything = database.read_now(
        routings.list_newest, Kind.SERVER, limit=100, deleted=None, ids_ascending=ascending
    )
    assert len(everything) == 22

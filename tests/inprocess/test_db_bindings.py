# SPDX-License-Identifier: Apache-2.0
"""Bindings: one preferred pod per project and zone, whoever comes first, and a history."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from trio2o.db import bindings, pods
from trio2o.db.session import Database
from trio2o.errors import Conflict, NotFound
from trio2o.model import Binding, BoundBy, Pod

PROJECT = "a" * 32
OTHER = "some-project-of-a-federated-domain"


@pytest.fixture
def zone(database: Database) -> list[Pod]:
    """Sixteen pods of one zone."""
    return [
        database.write_now(pods.create, name=f"Pod{number}", az_name="az1") for number in range(16)
    ]


def test_the_first_pod_of_a_zone_becomes_the_preferred_one(
    database: Database, zone: list[Pod]
) -> None:
    binding = database.write_now(bindings.bind_preferred, PROJECT, zone[0])
    assert (binding.project_id, binding.pod_name, binding.az_name) == (PROJECT, "Pod0", "az1")
    assert binding.preferred
    assert binding.bound_by is BoundBy.SCHEDULER
    assert binding.ended_at is None
    assert database.write_now(bindings.bind_preferred, PROJECT, zone[1]) == binding
    assert database.read_now(bindings.active, PROJECT) == [binding]
    assert database.read_now(bindings.find, binding.id) == binding


def test_of_sixteen_at_a_time_one_wins_and_all_get_it(database: Database, zone: list[Pod]) -> None:
    with ThreadPoolExecutor(16) as threads:
        got = list(
            threads.map(
                lambda pod: database.write_now(bindings.bind_preferred, PROJECT, pod), zone
            )
        )
    assert len(set(got)) == 1
    assert database.read_now(bindings.active, PROJECT) == [got[0]]


def test_projects_and_zones_do_not_mix(database: Database, zone: list[Pod]) -> None:
    elsewhere = database.write_now(pods.create, name="Far", az_name="az2")
    for project in (PROJECT, OTHER):
        database.write_now(bindings.bind_preferred, project, zone[0])
        database.write_now(bindings.bind_preferred, project, elsewhere)
    for project in (PROJECT, OTHER):
        found = database.read_now(bindings.active, project)
        assert [one.pod_name for one in found] == ["Pod0", "Far"]
        assert {one.project_id for one in found} == {project}


def test_an_admin_binds_to_further_pods(database: Database, zone: list[Pod]) -> None:
    first = database.write_now(bindings.bind_preferred, PROJECT, zone[0])
    second = database.write_now(bindings.bind, PROJECT, zone[1])
    assert not second.preferred
    assert second.bound_by is BoundBy.ADMIN
    third = database.write_now(bindings.bind, PROJECT, zone[2], preferred=True)
    assert [one.pod_id for one in database.read_now(bindings.active, PROJECT)] == [
        zone[2].id,
        zone[0].id,
        zone[1].id,
    ]
    with pytest.raises(Conflict, match="bound to pod Pod1 already"):
        database.write_now(bindings.bind, PROJECT, zone[1])
    database.write_now(bindings.prefer, first.id)
    now = {one.id: one.preferred for one in database.read_now(bindings.active, PROJECT)}
    assert now == {first.id: True, second.id: False, third.id: False}


def test_binding_as_preferred_what_is_bound_already_promotes_it(
    database: Database, zone: list[Pod]
) -> None:
    bound = database.write_now(bindings.bind, PROJECT, zone[0])
    again = database.write_now(bindings.bind_preferred, PROJECT, zone[0])
    assert again == replace(bound, preferred=True)


def test_an_ended_binding_is_history_and_makes_room(database: Database, zone: list[Pod]) -> None:
    first = database.write_now(bindings.bind_preferred, PROJECT, zone[0])
    ended = database.write_now(bindings.end, first.id)
    assert ended.ended_at is not None
    for change in (bindings.end, bindings.prefer):
        with pytest.raises(NotFound, match=first.id):
            database.write_now(change, first.id)
    again = database.write_now(bindings.bind_preferred, PROJECT, zone[0])
    assert again.id != first.id
    assert database.read_now(bindings.active, PROJECT) == [again]
    listed = database.read_now(bindings.list_, bindings.Filters(project_id=PROJECT))
    assert listed == [ended, again]


def test_lists_are_filtered_and_paged(database: Database, zone: list[Pod]) -> None:
    for pod in zone[:5]:
        database.write_now(bindings.bind, PROJECT, pod)
        database.write_now(bindings.bind, OTHER, pod)
    every = database.read_now(bindings.list_)
    paged: list[Binding] = []
    while page := database.read_now(bindings.list_, limit=3, after=paged[-1] if paged else None):
        paged += page
    assert paged == every
    assert len(every) == 10
    database.write_now(bindings.end, every[0].id)
    count = {
        filters: len(database.read_now(bindings.list_, filters))
        for filters in (
            bindings.Filters(active=True),
            bindings.Filters(active=False),
            bindings.Filters(pod_id=zone[0].id),
            bindings.Filters(pod_id=zone[0].id, active=True, project_id=OTHER),
        )
    }
    assert list(count.values()) == [9, 1, 2, 1]

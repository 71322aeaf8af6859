# SPDX-License-Identifier: Apache-2.0
"""Two real pods in one zone: when one is full, the next server goes to the other."""

from collections.abc import Iterator

import pytest

from lab import cli, pods
from lab.rest import as_admin
from tests.real import Top


@pytest.fixture
def one_zone(top: Top) -> Iterator[None]:
    """Both pods serve az1 during the test."""
    move(top, "az1")
    yield
    move(top, "az2")


def move(top: Top, zone: str) -> None:
    bound = top.call("GET", "/v1.0/bindings?pod=Pod2", user="admin")
    assert bound.status == 200, bound.body
    for one in bound.json["pod_bindings"]:
        if not one["ended_at"]:
            top.call("DELETE", f"/v1.0/bindings/{one['id']}", user="admin")
    path = "/v1.0/pods/Pod2"
    moved = top.call("PATCH", path, {"pod": {"az_name": zone}}, user="admin")
    assert moved.status == 200, moved.body


@pytest.fixture
def nearly_full(top: Top) -> Iterator[None]:
    """Pod1 has room for one more server."""
    pod = top.lab.pod("pod1")
    url = pod.url("compute", "/v2.1/os-hypervisors/statistics")
    before = as_admin(top.lab).get(url)["hypervisor_statistics"]
    cli.resize(top.lab, "pod1", pods.Size(vcpus=before["vcpus_used"] + 1))
    yield
    cli.resize(top.lab, "pod1", pods.Size(vcpus=before["vcpus"]))


def test_a_full_pod_is_followed_by_the_next_one(
    top: Top, one_zone: None, nearly_full: None
) -> None:
    first = top.boot("first", "az1")
    second = top.boot("second", "az1")
    try:
        assert top.pod_of(first) == "Pod1"
        assert top.pod_of(second) == "Pod2"
        why = top.call("GET", f"/v1.0/placements/{second}", user="admin").json["placement"]
        dropped = str(why)
        assert "Pod1" in dropped
        assert "room" in dropped
        explained = top.openstack("placement", "explain", second, user="admin")
        assert "Pod1" in explained
        assert "room" in explained
    finally:
        top.delete_server(first)
        top.delete_server(second)

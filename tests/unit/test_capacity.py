# SPDX-License-Identifier: Apache-2.0
"""What a server or volume takes is what Nova and Cinder would have counted."""

import json
import math
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest

from trio2o.capacity import (
    Group,
    Needed,
    candidates_query,
    needed_by,
    room_in_hosts,
    room_in_pools,
)

CASES = json.loads((Path(__file__).parents[1] / "cases" / "room.json").read_text())


@pytest.mark.parametrize("case", CASES["servers"], ids=lambda c: str(c["flavor"]["extra_specs"]))
def test_placement_is_asked_what_nova_would_ask(case: dict[str, Any]) -> None:
    needed = needed_by(case["flavor"], boots_from_volume=case["boots_from_volume"])
    asked = parse_qsl(candidates_query(needed))
    assert sorted(asked) == sorted((name, value) for name, value in case["query"])


@pytest.mark.parametrize(
    "case", CASES["volumes"], ids=lambda c: f"{c['pool']}-{c['size']}-{c['thick']}"
)
def test_volume_fits_where_cinders_filter_says_so(case: dict[str, Any]) -> None:
    body = {"pools": [{"name": "h@b#p", "capabilities": case["pool"]}]}
    specs = {"provisioning:type": "thick"} if case["thick"] else {}
    assert room_in_pools(body, case["size"], specs).fits is case["passes"]


def provider(used: int, root: str = "") -> dict[str, Any]:
    return {
        "resources": {
            "VCPU": {"capacity": 16, "used": used},
            "MEMORY_MB": {"capacity": 4096, "used": 0},
        },
        "root_provider_uuid": root or None,
    }


NEEDED = Needed({"": Group({"VCPU": 2, "MEMORY_MB": 512})})
ONE = {"VCPU": 2, "MEMORY_MB": 512}
CANDIDATES = {
    "allocation_requests": [
        {"allocations": {"a": {"resources": ONE}}},
        {"allocations": {"b": {"resources": ONE}}},
    ],
    "provider_summaries": {"a": provider(0), "b": provider(10)},
}


def test_room_is_how_many_such_servers_the_scarcest_resources_allow() -> None:
    report = room_in_hosts(CANDIDATES, NEEDED, 1)
    assert (report.fits, report.free) == (True, 11)
    assert "11 servers" in report.why


@pytest.mark.parametrize(("count", "fits"), [(11, True), (12, False)])
def test_all_servers_of_one_request_must_fit(count: int, fits: bool) -> None:
    assert room_in_hosts(CANDIDATES, NEEDED, count).fits is fits


def test_no_candidate_is_no_room() -> None:
    report = room_in_hosts({"allocation_requests": [], "provider_summaries": {}}, NEEDED, 1)
    assert (report.fits, report.free) == (False, 0)
    assert report.why == "No host has 512 MEMORY_MB, 2 VCPU with the traits that are required."


def test_one_host_is_counted_once_however_many_ways_there_are_into_it() -> None:
    body = {
        "allocation_requests": [
            {"allocations": {"numa0": {"resources": ONE}}},
            {"allocations": {"numa1": {"resources": ONE}}},
        ],
        "provider_summaries": {"numa0": provider(0, "host"), "numa1": provider(4, "host")},
    }
    assert room_in_hosts(body, NEEDED, 1).free == 8


@pytest.mark.parametrize("flavor", [{}, {"vcpus": "x", "ram": None, "extra_specs": None}])
def test_flavor_that_cannot_be_read_asks_for_nothing(flavor: dict[str, Any]) -> None:
    assert needed_by(flavor, boots_from_volume=False).resources == {}


def pool(name: str, free: object, **more: object) -> dict[str, Any]:
    capabilities = {
        "volume_backend_name": name,
        "total_capacity_gb": 100,
        "free_capacity_gb": free,
        **more,
    }
    return {"name": f"h@{name}#p", "capabilities": capabilities}


def test_pools_of_other_back_ends_do_not_count() -> None:
    body = {"pools": [pool("ssd", 5), pool("disk", 90)]}
    assert not room_in_pools(body, 10, {"volume_backend_name": "ssd"}).fits
    assert room_in_pools(body, 10, {"volume_backend_name": "disk"}).free == 90
    report = room_in_pools(body, 10, {"volume_backend_name": "none"})
    assert (report.fits, report.why) == (False, "There is no pool of back end none.")


def test_room_of_pools_adds_up() -> None:
    body = {"pools": [pool("a", 20), pool("b", 30), pool("c", 1)]}
    report = room_in_pools(body, 10, {})
    assert report.free == 50
    assert report.why == "10 GiB fit in 2 of 3 pools, with 50 GiB free."
    assert math.isinf(room_in_pools({"pools": [pool("a", "infinite")]}, 10, {}).free)

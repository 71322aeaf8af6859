# SPDX-License-Identifier: Apache-2.0
"""The bodies of several pods become the one that a single cloud would have sent."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest

from trio2o.errors import BadRequest
from trio2o.fold import fold, next_query, pod_query
from trio2o.model import Pod, PodState

CASES = json.loads((Path(__file__).parents[1] / "cases" / "fold.json").read_text())["cases"]
THEN = datetime(2026, 1, 1, tzinfo=UTC)


def pod(name: str, zone: str = "az-east", state: PodState = PodState.ENABLED) -> Pod:
    return Pod(name, int(name[-1]), name, zone, "nova", "", state, frozenset(), 1, THEN, THEN)


PODS = {"Pod1": pod("Pod1"), "Pod2": pod("Pod2"), "Pod3": pod("Pod3", "az-west")}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_fold(case: dict[str, Any]) -> None:
    made = fold(
        case["fold"],
        [(PODS[name], body) for name, body in case["bodies"].items()],
        query=case.get("query", ""),
        params=case.get("params"),
        version=case.get("version", ""),
        base="https://cloud/compute/v2.1",
        missing=[PODS[name] for name in case.get("missing", ())],
    )
    assert made == case["folded"]
    assert list(made) == list(case["folded"])


def test_zone_whose_pods_take_nothing_new_is_not_available() -> None:
    body = {"availabilityZoneInfo": [{"zoneName": "nova", "zoneState": {"available": True}}]}
    made = fold("zones", [(replace(PODS["Pod1"], state=PodState.MAINTENANCE), body)])
    assert made["availabilityZoneInfo"][0]["zoneState"] == {"available": False}


def test_pod_without_a_zone_name_of_its_own_has_one_zone() -> None:
    zones = [
        {"zoneName": name, "zoneState": {"available": name == "b"}} for name in ("a", "b", "c")
    ]
    made = fold(
        "zones", [(replace(PODS["Pod1"], pod_az_name=""), {"availabilityZoneInfo": zones})]
    )
    assert made == {
        "availabilityZoneInfo": [{"zoneName": "az-east", "zoneState": {"available": True}}]
    }


def server(project: str, number: int) -> dict[str, Any]:
    return {
        "tenant_id": project,
        "instance_id": f"s{number}",
        "hours": 1.0 + number,
        "memory_mb": 10,
        "local_gb": 2,
        "vcpus": 1,
    }


def usage(project: str, *numbers: int) -> dict[str, Any]:
    return {
        "tenant_id": project,
        "server_usages": [server(project, number) for number in numbers],
        "total_hours": 0,
        "total_memory_mb_usage": 0,
        "total_local_gb_usage": 0,
        "total_vcpus_usage": 0,
        "start": "a",
        "stop": "b",
    }


BODIES = [
    (PODS["Pod1"], {"tenant_usages": [usage("p2", 5), usage("p1", 1, 3)]}),
    (PODS["Pod2"], {"tenant_usages": [usage("p1", 4, 2)]}),
]
BASE = "https://cloud/compute/v2.1/admin"


def page(query: str) -> tuple[dict[str, list[str]], str]:
    """Servers of each project, and the marker in the link to the next page."""
    made = fold("tenant_usages", BODIES, query=query, version="2.40", base=BASE)
    links = made.get("tenant_usages_links")
    marker = parse_qs(links[0]["href"].partition("?")[2])["marker"][0] if links else ""
    servers = {
        part["tenant_id"]: [one["instance_id"] for one in part["server_usages"]]
        for part in made["tenant_usages"]
    }
    return servers, marker


def test_pages_of_usage_go_over_all_pods() -> None:
    assert page("detailed=1&limit=3") == ({"p1": ["s1", "s2", "s3"]}, "s3")
    assert page("detailed=1&limit=3&marker=s3") == ({"p2": ["s5"], "p1": ["s4"]}, "")
    assert page("detailed=1&limit=0") == ({}, "")


def test_sums_of_a_page_are_of_its_servers() -> None:
    made = fold("tenant_usages", BODIES, query="limit=2&start=x", version="2.40", base=BASE)
    assert made == {
        "tenant_usages": [
            {
                "tenant_id": "p1",
                "total_hours": 5.0,
                "total_memory_mb_usage": 50.0,
                "total_local_gb_usage": 10.0,
                "total_vcpus_usage": 5.0,
                "start": "a",
                "stop": "b",
            }
        ],
        "tenant_usages_links": [
            {
                "rel": "next",
                "href": f"{BASE}/os-simple-tenant-usage?limit=2&start=x&marker=s2",
            }
        ],
    }


def test_page_of_one_project_links_to_itself() -> None:
    made = fold(
        "tenant_usage",
        [
            (PODS["Pod1"], {"tenant_usage": usage("p1", 1, 3)}),
            (PODS["Pod2"], {"tenant_usage": {}}),
        ],
        query="limit=1",
        params={"project": "p1"},
        version="2.104",
        base=BASE,
    )
    assert made["tenant_usage"]["total_hours"] == 2.0
    assert made["tenant_usage_links"][0]["href"] == (
        f"{BASE}/os-simple-tenant-usage/p1?limit=1&marker=s1"
    )


def test_marker_that_no_pod_has_is_refused_in_novas_words() -> None:
    with pytest.raises(BadRequest, match=r"Marker zz could not be found\."):
        page("marker=zz")


@pytest.mark.parametrize(
    ("name", "query", "version", "asked"),
    [
        ("tenant_usages", "start=a&limit=5&marker=x&detailed=0", "2.40", "start=a&detailed=1"),
        ("tenant_usages", "start=a&limit=5", "2.39", "start=a&limit=5"),
        ("tenant_usages", "start=a", "2.40", "start=a"),
        ("zones", "limit=5", "2.40", "limit=5"),
    ],
)
def test_pods_are_asked_for_all_of_what_a_page_is_cut_from(
    name: str, query: str, version: str, asked: str
) -> None:
    assert pod_query(name, query, version) == asked


def test_rest_of_a_pods_usage_is_asked_for() -> None:
    link = {"rel": "next", "href": "http://pod/v2.1/os-simple-tenant-usage?marker=s9&detailed=1"}
    body = {"tenant_usages": [], "tenant_usages_links": [link]}
    assert next_query("tenant_usages", body) == "marker=s9&detailed=1"
    assert next_query("tenant_usages", {"tenant_usages": []}) is None
    assert next_query("zones", {"availabilityZoneInfo": []}) is None

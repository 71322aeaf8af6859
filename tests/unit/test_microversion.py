# SPDX-License-Identifier: Apache-2.0
"""Negotiation, row by row as nova 34 and cinder 29 do it (tests/cases/microversion.json).

tests/functional/test_identity.py asks the real services the same rows.
"""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trio2o.errors import CallerError
from trio2o.microversion import (
    FIRST,
    Range,
    Version,
    exists,
    image_versions,
    intersect,
    negotiate,
    spoken,
    version,
    versions,
)
from trio2o.model import Service

CASES = json.loads((Path(__file__).parent.parent / "cases" / "microversion.json").read_text())
OFFERED = {
    Service.COMPUTE: Range(Version(2, 1), Version(2, 104)),
    Service.VOLUME: Range(Version(3, 0), Version(3, 71)),
}
BASE = "https://cloud.example/compute"


def told(headers: tuple[tuple[str, str], ...]) -> str | None:
    return next((v.split()[1] for k, v in headers if k == "OpenStack-API-Version"), None)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['service']} {case['headers']}")
def test_a_request_is_negotiated_as_the_service_does(case: dict[str, Any]) -> None:
    service = Service(case["service"])
    if case["status"] == 200:
        found = negotiate(service, case["headers"], OFFERED[service])
        assert (found.version, told(found.reply_headers)) == (case["told"], case["told"])
        return
    with pytest.raises(CallerError) as caught:
        negotiate(service, case["headers"], OFFERED[service])
    assert (caught.value.status, caught.value.message) == (case["status"], case["message"])
    assert told(caught.value.headers) == case.get("told")


def test_latest_is_the_newest_that_all_pods_speak() -> None:
    older = Range(Version(2, 1), Version(2, 96))
    offered = intersect(Service.COMPUTE, [OFFERED[Service.COMPUTE], older])
    asked = {"openstack-api-version": "compute latest"}
    assert negotiate(Service.COMPUTE, asked, offered).version == "2.96"


def test_a_pod_gets_the_number_and_no_other_services_version() -> None:
    asked = {"openstack-api-version": "volume 3.60, compute latest"}
    assert negotiate(Service.COMPUTE, asked, OFFERED[Service.COMPUTE]).pod_headers == {
        "openstack-api-version": "compute 2.104",
        "x-openstack-nova-api-version": "2.104",
    }
    assert negotiate(Service.VOLUME, asked, OFFERED[Service.VOLUME]).pod_headers == {
        "openstack-api-version": "volume 3.60"
    }


def test_a_reply_varies_with_the_headers_that_were_looked_at() -> None:
    assert spoken(Service.COMPUTE, Version(2, 1)).reply_headers == (
        ("OpenStack-API-Version", "compute 2.1"),
        ("X-OpenStack-Nova-API-Version", "2.1"),
        ("Vary", "OpenStack-API-Version"),
        ("Vary", "X-OpenStack-Nova-API-Version"),
    )
    assert spoken(Service.VOLUME, Version(3, 9)).reply_headers == (
        ("OpenStack-API-Version", "volume 3.9"),
        ("Vary", "OpenStack-API-Version"),
    )


@pytest.mark.parametrize(
    ("since", "until", "asked", "answer"),
    [
        ("", "", "2.1", True),
        ("2.10", "", "2.9", False),
        ("2.9", "", "2.10", True),
        ("", "2.35", "2.35", True),
        ("", "2.35", "2.36", False),
        ("2.2", "2.4", "2.3", True),
        ("2.2", "2.4", "", True),
    ],
)
def test_an_operation_exists_from_a_version_to_a_version(
    since: str, until: str, asked: str, *, answer: bool
) -> None:
    assert exists(since, until, asked) is answer


def test_ranges_without_a_common_version_come_down_to_the_first() -> None:
    apart = [Range(Version(2, 1), Version(2, 50)), Range(Version(2, 60), Version(2, 90))]
    first = FIRST[Service.COMPUTE]
    assert intersect(Service.COMPUTE, apart) == Range(first, first)
    assert intersect(Service.COMPUTE, []) == Range(first, first)


VERSION = st.builds(Version, st.just(2), st.integers(1, 110))
RANGE = st.tuples(VERSION, VERSION).map(lambda pair: Range(min(pair), max(pair)))


@given(st.lists(RANGE, min_size=1), VERSION)
def test_the_common_range_holds_what_every_range_holds(ranges: list[Range], one: Version) -> None:
    common = intersect(Service.COMPUTE, ranges)
    if all(one in each for each in ranges):
        assert one in common
    elif one in common:
        assert common == Range(FIRST[Service.COMPUTE], FIRST[Service.COMPUTE])


@pytest.mark.parametrize("service", [Service.COMPUTE, Service.VOLUME])
def test_our_list_of_versions_reads_as_what_it_was_made_of(service: Service) -> None:
    assert Range.from_document(versions(service, BASE, OFFERED[service])) == OFFERED[service]


@pytest.mark.parametrize(
    ("document", "found"),
    [
        (
            {
                "versions": [
                    {"id": "v2.0", "version": "", "min_version": ""},
                    {"id": "v2.1", "version": "2.104", "min_version": "2.1"},
                ]
            },
            Range(Version(2, 1), Version(2, 104)),
        ),
        (
            {"versions": [{"id": "v1.0", "max_version": "1.39", "min_version": "1.0"}]},
            Range(Version(1, 0), Version(1, 39)),
        ),
        ({"versions": [{"id": "v2.17", "status": "CURRENT"}]}, None),
        ({"versions": None}, None),
        ({"versions": ["v2.1"]}, None),
        ({"error": {}}, None),
        ([], None),
        (None, None),
    ],
)
def test_a_range_is_read_from_what_a_service_shows(document: Any, found: Range | None) -> None:
    assert Range.from_document(document) == found


def test_the_version_documents_are_those_of_the_services() -> None:
    brief = versions(Service.COMPUTE, BASE, OFFERED[Service.COMPUTE])["versions"][0]
    assert brief == {
        "id": "v2.1",
        "status": "CURRENT",
        "version": "2.104",
        "min_version": "2.1",
        "updated": "2013-07-23T11:33:21Z",
        "links": [{"rel": "self", "href": f"{BASE}/v2.1/"}],
    }
    full = version(Service.COMPUTE, BASE, OFFERED[Service.COMPUTE])["version"]
    assert {key: full[key] for key in ("id", "version", "min_version")} == {
        "id": "v2.1",
        "version": "2.104",
        "min_version": "2.1",
    }
    assert [link["rel"] for link in full["links"]] == ["self", "describedby"]


def test_the_newest_image_version_is_the_current_one() -> None:
    shown = image_versions("http://h/image/", ["v2.9", "v2.17", "v2.2"])["versions"]
    assert [(one["id"], one["status"]) for one in shown] == [
        ("v2.17", "CURRENT"),
        ("v2.9", "SUPPORTED"),
        ("v2.2", "SUPPORTED"),
    ]
    assert shown[0]["links"] == [{"rel": "self", "href": "http://h/image/v2/"}]

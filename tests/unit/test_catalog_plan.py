# SPDX-License-Identifier: Apache-2.0
"""What has to be changed in Keystone's catalogue."""

from dataclasses import replace
from typing import Any

import pytest

from trio2o.cmd.catalog_plan import (
    Change,
    Endpoint,
    Region,
    ServiceEntry,
    There,
    Wanted,
    changes,
    notes,
)

WANTED = Wanted.of("Top", "https://top.example/", "", ("Pod1", "Pod2"))
NOTHING = There((), (), ())
KINDS = ("compute", "volumev3", "block-storage", "image", "network", "multipod")


def after(there: There, made: list[Change]) -> There:
    """Keystone after the changes."""
    regions = {region.id: region for region in there.regions}
    services = {service.id: service for service in there.services}
    endpoints = {endpoint.id: endpoint for endpoint in there.endpoints}
    new_services: dict[str, str] = {}
    for number, change in enumerate(made):
        ((_, fields),) = change.body.items()
        match change.method, change.path:
            case "POST", ("regions",):
                regions[fields["id"]] = Region(fields["id"], None)
            case "PATCH", ("regions", region):
                regions[region] = replace(regions[region], parent=fields["parent_region_id"])
            case "POST", ("services",):
                key = new_services[change.makes_service] = f"new-{number}"
                services[key] = ServiceEntry(key, fields["type"], fields["name"], enabled=True)
            case "PATCH", ("services", service):
                services[service] = replace(services[service], **fields)
            case "POST", ("endpoints",):
                service = fields.get("service_id") or new_services[change.of_new_service]
                endpoints[f"new-{number}"] = Endpoint(
                    f"new-{number}",
                    fields["region_id"],
                    service,
                    services[service].type,
                    fields["interface"],
                    fields["url"],
                    enabled=True,
                )
            case "PATCH", ("endpoints", endpoint):
                endpoints[endpoint] = replace(endpoints[endpoint], **fields)
            case _:
                pytest.fail(f"{change}")
    return There(tuple(regions.values()), tuple(services.values()), tuple(endpoints.values()))


def of_top(there: There) -> dict[tuple[str, str], str]:
    return {(e.type, e.interface): e.url for e in there.endpoints if e.region == "Top"}


def pods(*more: Any) -> There:
    """Two pods with compute, one of them disabled in Keystone, and one row of another type."""
    services = (
        ServiceEntry("s1", "compute", "nova", enabled=True),
        ServiceEntry("s2", "compute", "old nova", enabled=True),
        ServiceEntry("s3", "image", "glance", enabled=False),
    )
    endpoints = tuple(
        Endpoint(f"e{name}", name, "s1", "compute", "public", f"http://{name}", enabled=True)
        for name in ("Pod1", "Pod2")
    )
    return There((Region("Pod1", None), Region("Pod2", "Europe")), services, (*endpoints, *more))


@pytest.mark.parametrize("there", [NOTHING, pods()], ids=["nothing", "pods"])
def test_what_is_missing_is_made_once(there: There) -> None:
    done = after(there, changes(WANTED, there))
    assert of_top(done) == {
        (kind, interface): WANTED.urls[kind]
        for kind in KINDS
        for interface in ("public", "internal")
    }
    assert Region("Top", None) in done.regions
    assert changes(WANTED, done) == []


def test_the_service_rows_of_the_pods_are_used_and_enabled() -> None:
    there = pods()
    done = after(there, changes(WANTED, there))
    rows = {e.service_id for e in done.endpoints if e.type == "compute"}
    assert rows == {"s1"}
    assert [s.enabled for s in done.services if s.type == "image"] == [True]
    types = [service.type for service in done.services]
    assert {kind: types.count(kind) for kind in KINDS} == dict.fromkeys(KINDS, 1) | {"compute": 2}


def test_urls_are_those_of_the_mounts_and_of_the_network_service() -> None:
    wanted = Wanted.of("Top", "https://top.example/", "https://neutron.example", ())
    assert wanted.urls == {
        "compute": "https://top.example/compute/v2.1",
        "volumev3": "https://top.example/volume/v3",
        "block-storage": "https://top.example/volume/v3",
        "image": "https://top.example/image",
        "network": "https://neutron.example",
        "multipod": "https://top.example",
    }


def test_a_url_that_changed_is_changed_in_place() -> None:
    there = after(NOTHING, changes(WANTED, NOTHING))
    moved = Wanted.of("Top", "https://new.example", "", ())
    planned = changes(moved, there)
    assert {change.method for change in planned} == {"PATCH"}
    done = after(there, planned)
    assert of_top(done)["compute", "public"] == "https://new.example/compute/v2.1"
    assert len(done.endpoints) == len(there.endpoints)
    assert changes(moved, done) == []


def test_a_disabled_endpoint_is_enabled() -> None:
    there = after(NOTHING, changes(WANTED, NOTHING))
    first, *rest = there.endpoints
    off = replace(there, endpoints=(replace(first, enabled=False), *rest))
    (change,) = changes(WANTED, off)
    assert change.text.startswith("enable endpoint Top")
    assert changes(WANTED, after(off, [change])) == []


def test_admin_endpoints_are_made_where_the_pods_have_them() -> None:
    there = pods(Endpoint("e9", "Pod1", "s1", "compute", "admin", "http://x", enabled=True))
    done = after(there, changes(WANTED, there))
    assert {kind for kind, interface in of_top(done) if interface == "admin"} == {"compute"}


def test_only_a_pod_without_a_parent_becomes_a_child() -> None:
    there = pods()
    done = after(there, changes(WANTED, there))
    assert {region.id: region.parent for region in done.regions} == {
        "Top": None,
        "Pod1": "Top",
        "Pod2": "Europe",
    }
    assert any("Pod2 stays below Europe" in note for note in notes(WANTED, done))


def test_endpoints_of_other_regions_and_services_are_left_alone() -> None:
    there = pods(
        Endpoint("e8", "Top", "s8", "identity", "public", "http://keystone", enabled=True)
    )
    done = after(there, changes(WANTED, there))
    assert set(there.endpoints) <= set(done.endpoints)


def test_what_is_left_alone_and_wrong_is_told() -> None:
    there = after(NOTHING, changes(WANTED, NOTHING))
    double = Endpoint("e7", "Top", "s7", "image", "public", "http://old", enabled=True)
    told = list(notes(WANTED, replace(there, endpoints=(*there.endpoints, double))))
    assert any("http://old" in note and "e7" in note for note in told)
    assert any("Keystone has no such region" in note for note in told)
    assert any("identity" in note for note in told)

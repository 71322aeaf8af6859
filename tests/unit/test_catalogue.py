# SPDX-License-Identifier: Apache-2.0
"""What is read out of Keystone's catalogue, and how URLs are put together from it."""

from typing import Any

import pytest

from trio2o.model import Service
from trio2o.pods.catalogue import Catalogue, missing, read, well_formed
from trio2o.pods.client import operations_root, versions_url

PROJECT = "0123456789abcdef0123456789abcdef"


def entry(
    kind: str, *urls: str, region: str = "Pod1", interface: str = "public"
) -> dict[str, Any]:
    endpoints = [{"region_id": region, "interface": interface, "url": url} for url in urls]
    return {"type": kind, "endpoints": endpoints}


def one(*entries: dict[str, Any], interface: str = "public") -> Catalogue:
    return read(entries, interface=interface, project_id=PROJECT)


def test_a_service_of_two_types_is_the_preferred_one() -> None:
    found = one(entry("volumev3", "http://old/v3"), entry("block-storage", "http://new/v3"))
    assert found.urls == {("Pod1", Service.VOLUME): "http://new/v3"}
    assert not found.problems


def test_types_of_older_apis_are_not_looked_at() -> None:
    assert one(entry("volume", "http://h/v1"), entry("volumev2", "http://h/v2")) == Catalogue()


@pytest.mark.parametrize(
    "url",
    [
        f"http://h/v3/{PROJECT}",
        "http://h/v3/%(project_id)s",
        "http://h/v3/$(project_id)s/",
        "http://h/v3/%(tenant_id)s",
        "http://h/v3/$(tenant_id)s",
    ],
)
def test_a_template_stays_one(url: str) -> None:
    assert one(entry("volumev3", url)).urls["Pod1", Service.VOLUME] == "http://h/v3/{project_id}"


def test_only_the_wanted_interface_counts_and_the_others_are_named() -> None:
    found = one(
        entry("compute", "http://i/v2.1", interface="internal"),
        entry("compute", "http://a/v2.1", interface="admin"),
    )
    assert not found.urls
    assert missing(found, "Pod1", Service.COMPUTE, "public") == (
        "service type compute has no endpoint with interface public in region Pod1 "
        "(it has admin, internal)"
    )
    assert missing(found, "Pod1", Service.VOLUME, "public") == (
        "service type block-storage or volumev3 has no endpoint with interface public in "
        "region Pod1"
    )


def test_of_two_endpoints_the_same_one_is_always_taken_and_it_is_told() -> None:
    for urls in (("http://b", "http://a"), ("http://a", "http://b")):
        found = one(entry("image", *urls))
        assert found.urls["Pod1", Service.IMAGE] == "http://a"
        assert "http://a, http://b" in found.problems["Pod1", Service.IMAGE]


def test_the_same_endpoint_twice_is_one() -> None:
    found = one(entry("image", "http://a", "http://a/"), entry("image", "http://a"))
    assert found.urls["Pod1", Service.IMAGE] == "http://a"
    assert not found.problems


@pytest.mark.parametrize(
    "url",
    [
        "ftp://h/",
        "file:///etc/passwd",
        "//h/v3",
        "h:8774/v2.1",
        "http://",
        "http:///v3",
        "http://user:secret@h/",
        "http://h:port/",
        "http://h:99999/",
        "http://h/?a=b",
        "http://h/#x",
        "http://[::1",
        "http://h/a b",
        "http://h/\r\nX: y",
        "",
    ],
)
def test_a_url_that_is_none_is_not_called(url: str) -> None:
    assert not well_formed(url)
    found = one(entry("compute", url))
    assert not found.urls
    assert "is no URL that can be used" in missing(found, "Pod1", Service.COMPUTE, "public")


@pytest.mark.parametrize("url", ["http://h", "https://h:8774/compute/v2.1/", "http://[::1]:80/x"])
def test_a_url_that_is_one_is_taken(url: str) -> None:
    assert well_formed(url)


@pytest.mark.parametrize(
    ("service", "endpoint", "operations", "documents"),
    [
        (Service.COMPUTE, "http://h:8774", "http://h:8774/v2.1", "http://h:8774/"),
        (Service.COMPUTE, "http://h/compute/v2.1", "http://h/compute/v2.1", "http://h/compute/"),
        (Service.COMPUTE, "http://h/v2.1/{project_id}", "http://h/v2.1", "http://h/"),
        (Service.VOLUME, "http://h/volume/v3", "http://h/volume/v3", "http://h/volume/"),
        (Service.VOLUME, "http://h/v3/{project_id}", "http://h/v3/{project_id}", "http://h/"),
        (Service.VOLUME, "http://h/volume/v3/", "http://h/volume/v3", "http://h/volume/"),
        (Service.IMAGE, "http://h/image", "http://h/image/v2", "http://h/image/versions"),
        (Service.IMAGE, "http://h/image/v2", "http://h/image/v2", "http://h/image/versions"),
        (Service.NETWORK, "http://h:9696", "http://h:9696/v2.0", "http://h:9696/"),
        (Service.PLACEMENT, "http://h/placement", "http://h/placement", "http://h/placement/"),
        (Service.IDENTITY, "http://h/identity/v3", "http://h/identity/v3", "http://h/identity/"),
    ],
)
def test_where_operations_and_versions_are(
    service: Service, endpoint: str, operations: str, documents: str
) -> None:
    assert operations_root(service, endpoint) == operations
    assert versions_url(service, endpoint) == documents

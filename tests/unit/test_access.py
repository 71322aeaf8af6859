# SPDX-License-Identifier: Apache-2.0
"""Access rules of application credentials, compared with keystonemiddleware's own matcher."""

import warnings
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import os_service_types
import pytest

from trio2o.model import Caller, Service
from trio2o.pods.access import SERVICE_TYPES, allowed

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # webob imports cgi
    from keystonemiddleware.auth_token import _path_matches

PLAIN = Caller(
    user_id="u",
    project_id="p",
    project_name="demo",
    user_name="demo",
    domain_id="",
    roles=frozenset({"member"}),
    token="t",
    expires_at=datetime(2026, 1, 1, tzinfo=UTC),
)


def restricted(*rules: Mapping[str, Any]) -> Caller:
    return replace(PLAIN, access_rules=rules)


def rule(path: str, method: str = "GET", service: str = "compute") -> dict[str, str]:
    return {"id": "r", "path": path, "method": method, "service": service}


@pytest.mark.parametrize("path", ["/v2.1/servers", "/v2.1/servers/s", "/v2.1/servers/s/ips", "/"])
@pytest.mark.parametrize(
    "pattern",
    [
        "/v2.1/servers",
        "/v2.1/servers/*",
        "/v2.1/servers/{server_id}",
        "/v2.1/servers/**",
        "/v2.1/**",
        "/**",
        "**",
        "*",
        "/v2.1/*/s",
        "/v2.1/servers/{a}/{b}",
        "/v2.1/ser*",
        "/v2.1/***",
        "/v2.1/servers/",
        "",
    ],
)
def test_a_path_matches_as_in_keystonemiddleware(pattern: str, path: str) -> None:
    expected = _path_matches(path, pattern) is not None
    assert allowed(restricted(rule(pattern)), Service.COMPUTE, "GET", path) is expected


@pytest.mark.parametrize("path", ["/v2x1/servers", "/v2.1/servers\n", "/v2.1/serversx"])
def test_a_rule_means_what_it_says(path: str) -> None:
    assert not allowed(restricted(rule("/v2.1/servers")), Service.COMPUTE, "GET", path)


@pytest.mark.parametrize("pattern", ["/v2.1/(", "/v2.1/[", "/v2.1/{open", "/v2.1/a+"])
def test_a_rule_is_no_regular_expression(pattern: str) -> None:
    assert allowed(restricted(rule(pattern)), Service.COMPUTE, "GET", pattern)
    assert not allowed(restricted(rule(pattern)), Service.COMPUTE, "GET", "/v2.1/aa")


def test_a_token_without_rules_may_everything() -> None:
    assert allowed(PLAIN, Service.COMPUTE, "DELETE", "/v2.1/servers/s")


def test_a_token_with_an_empty_list_of_rules_may_nothing() -> None:
    assert not allowed(restricted(), Service.COMPUTE, "GET", "/v2.1/servers")


def test_method_and_service_count() -> None:
    caller = restricted(rule("/v2.1/servers"), rule("/v2/images", "POST", "image"))
    assert allowed(caller, Service.COMPUTE, "GET", "/v2.1/servers")
    assert not allowed(caller, Service.COMPUTE, "HEAD", "/v2.1/servers")
    assert not allowed(caller, Service.IMAGE, "GET", "/v2.1/servers")
    assert allowed(caller, Service.IMAGE, "POST", "/v2/images")


@pytest.mark.parametrize("service", ["block-storage", "volumev3"])
def test_a_rule_may_use_an_alias(service: str) -> None:
    caller = restricted(rule("/v3/volumes", service=service))
    assert allowed(caller, Service.VOLUME, "GET", "/v3/volumes")


def test_the_aliases_are_those_of_the_authority() -> None:
    authority = os_service_types.ServiceTypes()
    for types in SERVICE_TYPES.values():
        assert set(types) == set(authority.get_all_types(types[0]))


def test_a_request_of_another_service_goes_on_from_one_that_was_allowed() -> None:
    caller = replace(restricted(), service_token="nova's")
    assert allowed(caller, Service.VOLUME, "POST", "/v3/attachments")

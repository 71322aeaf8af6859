# SPDX-License-Identifier: Apache-2.0
"""Errors leave byte for byte as the real service writes them."""

import json
from pathlib import Path
from typing import Any

import pytest

from trio2o import errors, fault
from trio2o.model import Service

CASES = json.loads((Path(__file__).parents[1] / "cases" / "fault.json").read_text())["cases"]


def name(case: dict[str, Any]) -> str:
    return f"{case['service']}-{case['status']}-{case['accept']}"


@pytest.mark.parametrize("case", CASES, ids=name)
def test_body_is_the_services_own(case: dict[str, Any]) -> None:
    service = Service(case["service"])
    if case.get("no_route"):
        made = fault.no_route_body(
            service, case["status"], method=case["method"], accept=case["accept"]
        )
    else:
        made = fault.body(
            service,
            case["status"],
            case["message"],
            accept=case["accept"],
            headers=case["headers"].items(),
            type_=case.get("type", ""),
        )
    assert made == (case["content_type"], case["body"].encode())


@pytest.mark.parametrize("service", [Service.COMPUTE, Service.VOLUME, Service.IMAGE])
def test_401_is_keystonemiddlewares(service: Service) -> None:
    error = errors.Unauthenticated(
        "token expired", headers=(("WWW-Authenticate", 'Keystone uri="http://k"'),)
    )
    reply = fault.reply(service, error)
    assert reply.status == 401
    assert reply.header("www-authenticate") == 'Keystone uri="http://k"'
    assert reply.header("content-type") == "application/json"
    assert json.loads(reply.body)["error"] == {
        "code": 401,
        "title": "Unauthorized",
        "message": "The request you have made requires authentication.",
    }


def test_quota_error_says_when_to_try_again_in_header_and_body() -> None:
    reply = fault.reply(Service.VOLUME, errors.TooLarge("VolumeSizeExceedsAvailableQuota"))
    assert reply.header("retry-after") == "0"
    assert json.loads(reply.body)["overLimit"]["retryAfter"] == "0"


def test_path_that_no_service_has_gets_the_routers_page() -> None:
    reply = fault.reply(Service.COMPUTE, errors.NotFound(), accept="text/plain")
    assert reply.body.startswith(b"404 Not Found\n\nThe resource could not be found.")


def test_method_that_a_path_has_not_names_those_that_it_has() -> None:
    reply = fault.reply(Service.IMAGE, errors.MethodNotAllowed("", ("GET", "POST")), method="PUT")
    assert reply.status == 405
    assert reply.header("allow") == "GET, POST"
    assert b"The method PUT is not allowed" in reply.body


def test_own_api_has_one_schema_for_all_errors() -> None:
    reply = fault.reply(None, errors.NotFound("No pod 'x'."), request_id="req-1")
    assert json.loads(reply.body) == {
        "error": {
            "code": 404,
            "type": "not-found",
            "message": "No pod 'x'.",
            "request_id": "req-1",
        }
    }


def test_pod_that_did_not_respond_is_a_503_in_the_services_form() -> None:
    error = errors.PodDidNotRespond("Pod1", "Pod1 did not respond.", may_have_acted=True)
    reply = fault.reply(Service.COMPUTE, error)
    assert reply.status == 503
    assert json.loads(reply.body) == {
        "serviceUnavailable": {"code": 503, "message": "Pod1 did not respond."}
    }


def test_message_cannot_bring_markup_into_a_page() -> None:
    _, page = fault.body(Service.IMAGE, 400, "<script>1</script>", accept="text/html")
    assert b"<script>" not in page

# SPDX-License-Identifier: Apache-2.0
"""Clients see the gateway, pods see themselves, and what users wrote is left alone."""

import copy
import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trio2o import rewrite
from trio2o.model import Pod, PodState, Reply, Service
from trio2o.ops import Listing, Op

CASES = json.loads((Path(__file__).parents[1] / "cases" / "rewrite.json").read_text())

THEN = datetime(2026, 1, 1, tzinfo=UTC)
POD = Pod("id1", 1, "Pod1", "az-east", "nova", "dc", PodState.ENABLED, frozenset(), 1, THEN, THEN)
BARE = replace(POD, pod_az_name="")
BASE = "https://cloud/compute/v2.1/p1"


def op(service: str, route: str, listing: Listing | None = None) -> Op:
    method, path, *action = route.split()
    return Op(
        route,
        "BY_ID",  # type: ignore[arg-type]
        service=Service(service),
        method=method,
        path=path,
        action="".join(action),
        listing=listing,
    )


def reply_of(document: Any, *headers: tuple[str, str]) -> Reply:
    return Reply(200, headers, json.dumps(document).encode())


@pytest.mark.parametrize("case", CASES["outbound"], ids=lambda case: case["name"])
def test_outbound(case: dict[str, Any]) -> None:
    document = copy.deepcopy(case["pod"])
    made = rewrite.reply_out(
        op(case["service"], case["route"]), reply_of(document), document, POD, case["base"]
    )
    assert json.loads(made.body) == case["client"]


@pytest.mark.parametrize("case", CASES["outbound"], ids=lambda case: case["name"])
def test_outbound_is_the_same_when_it_was_done(case: dict[str, Any]) -> None:
    document = copy.deepcopy(case["client"])
    operation = op(case["service"], case["route"])
    made = rewrite.reply_out(operation, reply_of(document), document, POD, case["base"])
    assert json.loads(made.body) == case["client"]


@pytest.mark.parametrize("case", CASES["inbound"], ids=lambda case: case["name"])
def test_inbound(case: dict[str, Any]) -> None:
    operation = op(case["service"], case["route"])
    before = copy.deepcopy(case["client"])
    assert rewrite.body_in(operation, case["client"], POD) == case["pod"]
    assert rewrite.wanted_zone(operation, case["client"]) == case["zone"]
    assert case["client"] == before, "the caller's document stays as it is"


NEW_SERVER = op("compute", "POST /servers")


def test_unchanged_body_is_the_same_object() -> None:
    document = {"server": {"name": "a"}}
    assert rewrite.body_in(NEW_SERVER, document, POD) is document
    assert rewrite.body_in(op("compute", "POST /flavors"), document, POD) is document


def test_pod_without_a_zone_name_gets_no_zone() -> None:
    document = {"server": {"name": "a", "availability_zone": "az-east"}}
    assert rewrite.body_in(NEW_SERVER, document, BARE) == {"server": {"name": "a"}}
    document = {"server": {"availability_zone": "az-east:h"}}
    assert rewrite.body_in(NEW_SERVER, document, BARE) == {"server": {"availability_zone": ":h"}}


def test_whatever_a_pod_without_a_zone_name_calls_its_zone_is_the_gateways() -> None:
    document = {"server": {"OS-EXT-AZ:availability_zone": "anything"}}
    rewrite.reply_out(op("compute", "GET /servers/{server}"), reply_of({}), document, BARE, BASE)
    assert document["server"]["OS-EXT-AZ:availability_zone"] == "az-east"


@pytest.mark.parametrize(
    ("document", "marked"),
    [
        ({"server": {"name": "a"}}, {"server": {"name": "a", "metadata": {"trio2o:intent": "i"}}}),
        (
            {"server": {"metadata": {"k": "v"}}},
            {"server": {"metadata": {"k": "v", "trio2o:intent": "i"}}},
        ),
        ({"server": {"metadata": [1]}}, {"server": {"metadata": [1]}}),
        ({"server": None}, {"server": None}),
        ([], []),
    ],
)
def test_marker(document: Any, marked: Any) -> None:
    before = copy.deepcopy(document)
    assert rewrite.with_marker(NEW_SERVER, document, "i") == marked
    assert document == before


def test_marker_goes_on_volumes_and_on_nothing_else() -> None:
    volume = {"volume": {"metadata": None}}
    made = rewrite.with_marker(op("volume", "POST /volumes"), volume, "i")
    assert made == {"volume": {"metadata": {"trio2o:intent": "i"}}}
    group = {"group": {}}
    assert rewrite.with_marker(op("volume", "POST /groups"), group, "i") is group


@pytest.mark.parametrize(
    ("pod", "query", "made"),
    [
        (POD, "name=a&availability_zone=az-east&name=b", "name=a&availability_zone=nova&name=b"),
        (POD, "name=%3Cx%3E", "name=%3Cx%3E"),
        (POD, "availability_zone=", "availability_zone="),
        (BARE, "availability_zone=az-east&limit=1", "limit=1"),
        (BARE, "availability_zone=nova", "availability_zone=%5E+%24"),
        (POD, "availability_zone=other", "availability_zone=other"),
    ],
)
def test_filters(pod: Pod, query: str, made: str) -> None:
    assert rewrite.query_in(op("compute", "GET /servers"), query, pod) == made


@pytest.mark.parametrize(
    ("service", "base", "location", "made"),
    [
        ("compute", BASE, "http://pod/v2.1/servers/s1", BASE + "/servers/s1"),
        ("compute", BASE, "http://pod/v2.1/servers/s1/tags/t", BASE + "/servers/s1/tags/t"),
        ("compute", BASE, "http://pod/images/i1", "https://cloud/image/v2/images/i1"),
        (
            "image",
            "https://cloud/image/v2",
            "http://pod:9/v2/images/i",
            "https://cloud/image/v2/images/i",
        ),
        ("volume", BASE, "http://elsewhere/x", "http://elsewhere/x"),
    ],
)
def test_location(service: str, base: str, location: str, made: str) -> None:
    reply = rewrite.reply_out(
        op(service, "POST /x"), reply_of({}, ("Location", location), ("X-A", "b")), None, POD, base
    )
    assert reply.header("location") == made
    assert reply.header("x-a") == "b"


def test_reply_of_which_nothing_is_known_goes_back_byte_for_byte() -> None:
    body = b'{"unknown":  {"links": [{"href": "http://pod/v2.1/servers/x"}]}}'
    reply = Reply(200, (("Content-Length", str(len(body))),), body)
    operation = op("compute", "GET /servers/{server}")
    assert rewrite.reply_out(operation, reply, json.loads(body), POD, BASE) is reply
    image = op("image", "GET /images/{image}")
    assert rewrite.reply_out(image, reply, json.loads(body), POD, BASE) is reply


def test_length_of_a_changed_body_is_not_told() -> None:
    document = {"server": {"id": "s"}}
    operation = op("compute", "GET /servers/{server}")
    made = rewrite.reply_out(
        operation, reply_of(document, ("Content-Length", "3")), document, POD, BASE
    )
    assert made.header("content-length") is None


def test_item_of_a_list() -> None:
    operation = op("compute", "GET /servers/detail", Listing("servers", "servers_links"))
    item = {
        "links": [{"rel": "self", "href": "http://pod/v2.1/servers/s1"}],
        "OS-EXT-AZ:availability_zone": "nova",
        "metadata": {"trio2o:intent": "x"},
    }
    assert rewrite.item_out(operation, item, POD, BASE) == {
        "links": [{"rel": "self", "href": BASE + "/servers/s1"}],
        "OS-EXT-AZ:availability_zone": "az-east",
        "metadata": {},
    }


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["server", "servers", "links", "href", "rel", "metadata", "image", "a"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)


@given(JSON)
def test_no_body_is_too_strange(document: Any) -> None:
    operation = op("compute", "POST /servers")
    rewrite.reply_out(operation, reply_of({}), copy.deepcopy(document), POD, BASE)
    rewrite.with_marker(operation, rewrite.body_in(operation, document, POD), "i")


@given(st.dictionaries(st.text(max_size=12), st.text(max_size=30)))
def test_metadata_of_users_is_never_touched(metadata: dict[str, str]) -> None:
    document = {"server": {"metadata": dict(metadata)}}
    operation = op("compute", "GET /servers/{server}")
    rewrite.reply_out(operation, reply_of({}), document, POD, BASE)
    metadata.pop(rewrite.MARKER, None)
    assert document["server"]["metadata"] == metadata

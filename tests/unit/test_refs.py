# SPDX-License-Identifier: Apache-2.0
"""Which resources a request names."""

from typing import Any
from urllib.parse import urlencode

import orjson

from trio2o.match import Matcher
from trio2o.model import Kind, Service
from trio2o.ops.tables import TABLES
from trio2o.refs import needs

MATCHER = Matcher(TABLES)
A, B, C, D = (f"{n:08x}-0000-4000-8000-000000000000" for n in range(1, 5))


def named(
    route: str, document: Any = None, query: str = "", service: Service = Service.COMPUTE
) -> list[tuple[Kind, str]]:
    method, path, *action = route.split()
    op, params = MATCHER.find(service, method, path, action[0] if action else None)
    return [(need.kind, need.resource_id) for need in needs(op, params, document, query)]


def test_the_path_comes_first() -> None:
    document = {"volumeAttachment": {"volumeId": B}}
    route = f"POST /servers/{A}/os-volume_attachments"
    assert named(route, document) == [(Kind.SERVER, A), (Kind.VOLUME, B)]


def test_a_block_device_names_what_its_source_type_says() -> None:
    devices = [
        {"source_type": "volume", "uuid": A, "destination_type": "volume"},
        {"source_type": "snapshot", "uuid": B, "destination_type": "volume"},
        {"source_type": "image", "uuid": C, "destination_type": "local"},
        {"source_type": "blank", "destination_type": "local"},
    ]
    document = {"server": {"name": "x", "block_device_mapping_v2": devices}}
    found = named("POST /servers", document)
    assert sorted(found) == sorted([(Kind.VOLUME, A), (Kind.SNAPSHOT, B), (Kind.IMAGE, C)])


def test_an_empty_image_is_no_reference() -> None:
    assert named("POST /servers", {"server": {"imageRef": ""}}) == []


def test_what_is_no_uuid_is_left_to_the_service() -> None:
    assert named("POST /servers", {"server": {"imageRef": "../../etc"}}) == []


def test_the_same_resource_is_needed_once() -> None:
    document = {"server": {"networks": [{"uuid": A}, {"uuid": A}, {"port": B}]}}
    assert named("POST /servers", document) == [(Kind.NETWORK, A), (Kind.PORT, B)]


def test_a_hint_may_be_one_id_or_several() -> None:
    for hint in (A, [A], [A, B]):
        document = {"server": {}, "os:scheduler_hints": {"same_host": hint}}
        wanted = [hint] if isinstance(hint, str) else hint
        assert named("POST /servers", document) == [(Kind.SERVER, ident) for ident in wanted]


def test_ids_with_commas_between_them() -> None:
    document = {"group": {"add_volumes": f"{B},{C}"}}
    found = named(f"PUT /groups/{A}", document, service=Service.VOLUME)
    assert found == [(Kind.GROUP, A), (Kind.VOLUME, B), (Kind.VOLUME, C)]


def test_a_reference_in_json_in_the_query() -> None:
    info = urlencode({"delete_info": orjson.dumps({"volume_id": A}).decode()})
    assert named("DELETE /os-assisted-volume-snapshots/x", query=info) == [(Kind.VOLUME, A)]
    assert named("DELETE /os-assisted-volume-snapshots/x", query="delete_info=%7Bnope") == []


def test_shapes_that_no_client_should_send() -> None:
    for document in (None, [], "text", {"server": None}, {"server": {"networks": "auto"}},
                     {"server": {"networks": {"uuid": A}}}, {"server": [A]}):  # fmt: skip
        assert named("POST /servers", document) == []

# SPDX-License-Identifier: Apache-2.0
"""Items of a pod's page: read when they are looked at, and as JSON says."""

import orjson
import pytest

from trio2o.engine.items import Items, page_of
from trio2o.model import Reply

JSON = (("Content-Type", "application/json"),)


def test_items_are_read_and_the_rest_of_the_page_is_as_it_was() -> None:
    page = {
        "servers": [{"id": "a", "tags": ["x", 'a "quoted" }]{']}, {"id": "b", "name": "Zoë 🐍"}],
        "servers_links": [{"rel": "next", "href": "http://pod/servers?marker=b"}],
        "count": 2,
        "schema": {"deep": [1, {"er": None}]},
        "nothing": None,
        "flag": True,
        "ratio": 0.5,
    }
    found = page_of(Reply(200, JSON, orjson.dumps(page)), "servers")
    assert found is not None
    items = found["servers"]
    assert isinstance(items, Items)
    assert {**found, "servers": list(items)} == page
    assert items[-1] == page["servers"][1]
    assert list(items[1:]) == page["servers"][1:]
    assert len(items) == 2


def test_each_look_gives_an_item_of_its_own() -> None:
    found = page_of(Reply(200, JSON, b'{"servers": [{"id": "a"}]}'), "servers")
    assert found is not None
    found["servers"][0]["id"] = "changed"
    assert found["servers"][0] == {"id": "a"}


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{", b'{"servers": [{"id": 1]}', b'{"servers": ["\xff"]}', b"null"]
)
def test_what_is_no_json_object_is_no_page(body: bytes) -> None:
    assert page_of(Reply(200, JSON, body), "servers") is None


def test_a_page_says_that_it_is_json() -> None:
    assert page_of(Reply(200, (("Content-Type", "text/html"),), b"{}"), "servers") is None

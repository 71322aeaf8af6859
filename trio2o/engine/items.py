# SPDX-License-Identifier: Apache-2.0
"""A pod's page of a list, whose items are read when they are looked at.

Of all that the pods send for one page most is never shown, and to read an item costs many
times what it costs to find its end.
"""

from collections.abc import Sequence
from typing import Any, overload

import msgspec
import orjson

from trio2o.model import Reply
from trio2o.sorting import Item

_PAGE = msgspec.json.Decoder(
    dict[str, list[msgspec.Raw] | dict[str, Any] | str | int | float | bool | None]
)


class Items(Sequence[Item]):
    """Each look at an item reads it anew: a new dict, to be changed at will."""

    def __init__(self, raw: Sequence[msgspec.Raw]) -> None:
        self._raw = raw

    def __len__(self) -> int:
        return len(self._raw)

    @overload
    def __getitem__(self, index: int) -> Item: ...

    @overload
    def __getitem__(self, index: slice) -> "Items": ...

    def __getitem__(self, index: int | slice) -> "Item | Items":
        if isinstance(index, slice):
            return Items(self._raw[index])
        item: Item = orjson.loads(memoryview(self._raw[index]))
        return item


def page_of(reply: Reply, envelope: str) -> dict[str, Any] | None:
    """The body as JSON, with Items as ``envelope``; None if it is no JSON object."""
    if "json" not in (reply.header("content-type") or ""):
        return None
    try:
        reply.body.decode()  # what is in the items' strings is not looked at by the decoder
        page = _PAGE.decode(reply.body)
    except ValueError:
        return None
    return {
        key: value
        if not isinstance(value, list)
        else Items(value)
        if key == envelope
        else [orjson.loads(memoryview(one)) for one in value]
        for key, value in page.items()
    }

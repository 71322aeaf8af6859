# SPDX-License-Identifier: Apache-2.0
"""Which resources does a request name?

Reads the places that the operation's row declares (ops.Ref) out of a request's body and
query. Knows nothing of where the resources live.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qs

import orjson

from trio2o.ids import is_uuid
from trio2o.model import Kind
from trio2o.ops import Op, Ref


@dataclass(frozen=True, slots=True)
class Need:
    """A resource whose pod must be known before the request can be planned.

    ref: the place in the request that names it; None when the path does.
    """

    kind: Kind
    resource_id: str
    ref: Ref | None = None


def needs(op: Op, params: Mapping[str, str], document: Any, query: str) -> tuple[Need, ...]:
    """Return what the request names, the path's resource first, each once.

    Texts that are no UUIDs are left out of the body's references: the service that checks
    the body refuses them in its own words.
    """
    found: dict[tuple[Kind, str], Need] = {}
    if op.kind is not None and (ident := params.get(op.param or op.kind)):
        found[op.kind, ident] = Need(op.kind, ident)
    for ref in op.refs:
        for value in _values(ref, document, query):
            if is_uuid(value):
                found.setdefault((ref.kind, value), Need(ref.kind, value, ref))
    return tuple(found.values())


def _values(ref: Ref, document: Any, query: str) -> Iterator[str]:
    if not ref.at.startswith("?"):
        yield from _walk(document, _steps(ref.at), ref.when)
        return
    name, _, inner = ref.at[1:].partition(".")
    for value in parse_qs(query).get(name, ()):
        if not inner:
            yield from _texts(value)
            continue
        try:
            yield from _walk(orjson.loads(value), _steps(inner), ref.when)
        except orjson.JSONDecodeError:
            continue  # the service says what it thinks of it


def _texts(value: Any) -> Iterator[str]:
    """The ids of a reference, whose forms ops.Ref lists."""
    if isinstance(value, str):
        yield from (part.strip().rpartition("/")[2] for part in value.split(","))
    elif isinstance(value, list):
        yield from (item.rpartition("/")[2] for item in value if isinstance(item, str))


@lru_cache(maxsize=512)
def _steps(at: str) -> tuple[str, ...]:
    steps: list[str] = []
    for part in at.split("."):
        name = part.removesuffix("[]")
        if name:
            steps.append(name)
        if part.endswith("[]"):
            steps.append("[]")
    return tuple(steps)


def _walk(node: Any, steps: tuple[str, ...], when: tuple[str, str] | None) -> Iterator[str]:
    if not steps:
        yield from _texts(node)
        return
    step, rest = steps[0], steps[1:]
    if step == "[]":
        if isinstance(node, list):
            for item in node:
                yield from _walk(item, rest, when)
        return
    if not isinstance(node, dict) or step not in node:
        return
    if not rest and when is not None and node.get(when[0]) != when[1]:
        return
    yield from _walk(node[step], rest, when)

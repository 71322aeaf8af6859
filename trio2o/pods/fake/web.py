# SPDX-License-Identifier: Apache-2.0
"""What the in-memory services have in common: requests, replies, faults, rows and their tree.

It knows nothing of servers or volumes, and nothing of the gateway's own matcher, so that a
mistake in one does not hide in the other.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote

import orjson

from trio2o.model import Caller

Version = tuple[int, int]
OLDEST: Version = (0, 0)

_PROJECT = re.compile(r"[0-9a-f-]{8,}")


class Fault(Exception):
    """An answer that is an error; the service gives it its form.

    body: the whole body when it is not of the service's usual form.
    """

    def __init__(
        self,
        status: int,
        message: str = "",
        *,
        headers: tuple[tuple[str, str], ...] = (),
        body: bytes | None = None,
    ) -> None:
        super().__init__(status, message)
        self.status = status
        self.message = message
        self.headers = headers
        self.body = body


@dataclass(slots=True)
class Request:
    """A request as a handler sees it.

    path: below the service's root.  base: URL of that root, as the caller sees it.
    query: in order, values as they came.
    chunks: the body, in the pieces in which it came.
    body: parsed JSON; None without a body.
    project_in_url: "" when the URL has none.
    method_known: the service has this method at this path.
    """

    method: str
    path: str
    base: str
    query: list[tuple[str, str]]
    headers: Mapping[str, str]
    chunks: list[bytes]
    request_id: str
    caller: Caller | None = None
    version: Version = OLDEST
    params: dict[str, str] = field(default_factory=dict)
    body: Any = None
    project_in_url: str = ""
    action: str = ""
    method_known: bool = False

    @property
    def who(self) -> Caller:
        if self.caller is None:
            raise Fault(401)
        return self.caller

    def __getitem__(self, param: str) -> str:
        return self.params[param]

    def first(self, name: str, default: str = "") -> str:
        for key, value in self.query:
            if key == name:
                return value
        return default

    def every(self, name: str) -> list[str]:
        return [value for key, value in self.query if key == name]

    def asks(self, name: str) -> bool:
        return any(key == name for key, _ in self.query)

    @property
    def page_name(self) -> tuple[object, ...]:
        """What the answer to a list depends on, beside the items."""
        who = self.who
        return (self.path, *self.query, self.version, self.base, self.project_in_url,
                who.project_id, who.roles)  # fmt: skip

    def since(self, minor: int) -> bool:
        return self.version[1] >= minor


@dataclass(slots=True)
class Response:
    """An answer.

    body: what becomes JSON; bytes leave as they are; None is empty.
    content_type: "" for none.
    stream: instead of body.
    bare: made below what adds the last headers in the real service.
    """

    status: int = 200
    body: Any = None
    headers: list[tuple[str, str]] = field(default_factory=list)
    content_type: str = "application/json"
    stream: Iterator[bytes] | None = None
    bare: bool = False

    def payload(self) -> bytes:
        if self.body is None:
            return b""
        if isinstance(self.body, bytes):
            return self.body
        return orjson.dumps(self.body, option=orjson.OPT_NON_STR_KEYS)


Handler = Callable[[Any, Request], Response]


@dataclass(frozen=True, slots=True)
class Row:
    """One operation: ``METHOD /path/{param} [action]``.

    since, until: minor microversions in which it exists.
    raw: the body is not JSON.
    strict: minor microversion from which a query parameter that is not in ``known`` is refused.
    """

    route: str
    handle: Handler
    since: int = 0
    until: int = 999
    raw: bool = False
    strict: int = 999
    known: tuple[str, ...] = ()


@dataclass(slots=True)
class _Node:
    literal: dict[str, "_Node"] = field(default_factory=dict)
    param: "_Node | None" = None
    name: str = ""
    rows: dict[str, dict[str, list[Row]]] = field(default_factory=dict)
    """method -> action -> rows, in order"""


class Tree:
    """All rows of a service."""

    def __init__(self, rows: Iterable[Row]) -> None:
        self._root = _Node()
        for row in rows:
            method, path, *action = row.route.split()
            node = self._root
            for segment in _segments(path):
                if segment.startswith("{"):
                    node.param = node.param or _Node(name=segment[1:-1])
                    node = node.param
                else:
                    node = node.literal.setdefault(segment, _Node())
            name = action[0] if action else ""
            node.rows.setdefault(method, {}).setdefault(name, []).append(row)

    def find(self, path: str) -> tuple[dict[str, dict[str, list[Row]]], dict[str, str]] | None:
        """The rows of ``path`` by method and action, and the parameters; None without any."""
        found = self._walk(self._root, _segments(path), {})
        return (found[0].rows, found[1]) if found else None

    def _walk(
        self, node: _Node, segments: list[str], params: dict[str, str]
    ) -> tuple[_Node, dict[str, str]] | None:
        if not segments:
            return (node, params) if node.rows else None
        head, rest = segments[0], segments[1:]
        literal = node.literal.get(head)
        if literal is not None:
            found = self._walk(literal, rest, params)
            if found:
                return found
        if node.param is not None:
            return self._walk(node.param, rest, {**params, node.param.name: unquote(head)})
        return None


def _segments(path: str) -> list[str]:
    return path.strip("/").split("/") if path.strip("/") else []


def split_project(path: str) -> tuple[str, str]:
    """The project at the front of ``path``, or "", and the rest."""
    head, _, rest = path.lstrip("/").partition("/")
    if _PROJECT.fullmatch(head):
        return head, "/" + rest
    return "", path


def parse_query(text: str) -> list[tuple[str, str]]:
    return parse_qsl(text, keep_blank_values=True)


def truth(value: object, *, default: bool = False) -> bool:
    """What oslo.utils' bool_from_string makes of ``value``."""
    if isinstance(value, bool):
        return value
    text = str(value).strip().lower()
    if text in {"t", "true", "on", "y", "yes", "1"}:
        return True
    if text in {"f", "false", "off", "n", "no", "0"}:
        return False
    return default


def parse_version(text: str) -> Version | None:
    """A microversion; None when ``text`` is none."""
    match = re.fullmatch(r"([1-9]\d*)\.([1-9]\d*|0)", text)
    return (int(match[1]), int(match[2])) if match else None

# SPDX-License-Identifier: Apache-2.0
"""Finds the row that a request is about.

A tree of path segments, built once from the tables. It knows methods, paths and the names of
actions; it does not know microversions, and does not say what is to be done.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from trio2o.errors import BadRequest, MethodNotAllowed, NotFound
from trio2o.model import Service
from trio2o.ops import Op, Table

# nova/api/openstack/__init__.py ProjectMapper._get_project_id_token@34.0.0, and the default of
# project_id_regex, cinder/api/openstack/__init__.py@29.0.0. No path's first literal is like it.
_PROJECT = re.compile(r"/([0-9a-f-]+)(/.*)")
# No id is like this, and what is forwarded must not climb out of its place.
_DOTS = re.compile(r"(\.|%2e){1,2}", re.IGNORECASE)
# The order in which Glance's router says them.
_METHODS = ("GET", "POST", "PATCH", "PUT", "DELETE")
_MALFORMED = "Malformed request body"


class Match(NamedTuple):
    """params: as they stand in the path, percent-encoded."""

    op: Op
    params: dict[str, str]


class _Row(NamedTuple):
    """names: of the parameters, with the number of their segment."""

    op: Op
    names: tuple[tuple[str, int], ...]


@dataclass(slots=True)
class _Node:
    """rows: of the path that ends here, by method and action ("" for none)."""

    literals: dict[str, "_Node"] = field(default_factory=dict)
    parameter: "_Node | None" = None
    rows: dict[str, dict[str, _Row]] = field(default_factory=dict)


class Matcher:
    """The tables as one tree for each service."""

    def __init__(self, tables: Iterable[Table]) -> None:
        self._roots: dict[Service, _Node] = {}
        for table in tables:
            root = self._roots.setdefault(table.service, _Node())
            for op in table:
                _add(root, op)

    def find(self, service: Service, method: str, path: str, action: str | None = None) -> Match:
        """The row and the path's parameters.

        path: below the version and the project: "/servers/abc/action".
        action: key of the body, for paths that have actions.

        Raises NotFound; MethodNotAllowed where the service does (Glance); BadRequest for an
        action that is not known, or that the body does not name.
        """
        segments = _segments(service, path)
        methods = _find(self._roots[service], segments, 0, _wanted(service, method))
        if methods is None:
            raise NotFound  # without a message: the page of the service's router (fault.py)
        rows = methods.get(method)
        if rows is None:
            raise MethodNotAllowed(
                f"The method {method} is not allowed for this resource.",
                tuple(known for known in _METHODS if known in methods),
            )
        row = rows.get(action or "")
        if row is None:
            raise _no_action(service, action)
        return Match(row.op, {name: segments[i] for name, i in row.names})

    def has_actions(self, service: Service, path: str) -> bool:
        """Whether POST to ``path`` is decided by the body, which must be read first."""
        rows = self._posts(service, path)
        return rows is not None and "" not in rows

    def action(self, service: Service, path: str, document: Any) -> str:
        """The action of ``path`` that a body names: its only key.

        Raises BadRequest when the body has not one key, or the path not that action.
        """
        # nova/api/openstack/wsgi.py action_peek@34.0.0; Cinder's copy is the same.
        if not isinstance(document, dict) or len(document) != 1:
            raise BadRequest(_MALFORMED)
        name = str(next(iter(document)))
        rows = self._posts(service, path)
        if rows is None or name not in rows:
            raise _no_action(service, name)
        return name

    def _posts(self, service: Service, path: str) -> Mapping[str, _Row] | None:
        """The rows of POST to ``path``, by action."""
        methods = _find(self._roots[service], _segments(service, path), 0, "POST")
        return methods.get("POST") if methods is not None else None

    def split_project(self, service: Service, path: str) -> tuple[str | None, str]:
        """The project id that ``path`` (below the version) begins with, and the rest."""
        if service is not Service.IMAGE and (found := _PROJECT.fullmatch(path)):
            project, rest = found.groups()
            # cinder/api/v3/router.py@29.0.0: the root has no twin with a project; Nova's has.
            if rest != "/" or service is Service.COMPUTE:
                return project, rest
        return None, path


def _add(root: _Node, op: Op) -> None:
    node = root
    names = []
    for i, segment in enumerate(_segments(op.service, op.path)):
        if segment.startswith("{"):
            names.append((segment[1:-1], i))
            if node.parameter is None:
                node.parameter = _Node()
            node = node.parameter
        else:
            node = node.literals.setdefault(segment, _Node())
    rows = node.rows.setdefault(op.method, {})
    if op.action in rows:
        raise ValueError(f"Two rows for {op.route}")
    rows[op.action] = _Row(op, tuple(names))


def _segments(service: Service, path: str) -> Sequence[str]:
    # cinder/api/openstack/wsgi.py APIMapper@29.0.0: a format may follow any path.
    if service is Service.VOLUME and path.endswith(".json"):
        path = path[:-5]
    return path.split("/")[1:]


def _wanted(service: Service, method: str) -> str | None:
    """The method that a path must have to be taken; None if it need not.

    routes.Mapper knows no 405. Nova and Cinder answer 404, and PUT /servers/detail is the update
    of a server called "detail"; Glance's router has a reject route for each path.
    """
    return None if service is Service.IMAGE else method


def _find(
    node: _Node, segments: Sequence[str], i: int, method: str | None
) -> dict[str, dict[str, _Row]] | None:
    """The rows of the first path that fits and has ``method``, literals before parameters."""
    if i == len(segments):
        rows = node.rows
        return rows if method in rows or (method is None and rows) else None
    segment = segments[i]
    literal = node.literals.get(segment)
    if literal is not None:
        found = _find(literal, segments, i + 1, method)
        if found is not None:
            return found
    if node.parameter is not None and segment and not _DOTS.fullmatch(segment):
        return _find(node.parameter, segments, i + 1, method)
    return None


def _no_action(service: Service, action: str | None) -> BadRequest:
    if not action:
        return BadRequest(_MALFORMED)
    text = f"There is no such action: {action}"
    if service is Service.VOLUME:
        text += ". Verify the request body and Content-Type header and try again."
    return BadRequest(text)

# SPDX-License-Identifier: Apache-2.0
"""The tables have every live route of the installed services, and none besides."""

import json
import os
import re
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from trio2o.errors import BadRequest, MethodNotAllowed, NotFound
from trio2o.match import Matcher
from trio2o.model import Service
from trio2o.ops import Op, RoutingClass, Table
from trio2o.ops.tables import TABLES

ROOT = Path(__file__).parents[2]
PYTHON = Path(os.environ.get("TRIO2O_LAB_PYTHON", ROOT / ".lab/venv/bin/python"))

pytestmark = pytest.mark.skipif(
    not PYTHON.exists(), reason=f"{PYTHON} is not there: make it with scripts/lab install"
)

Key = tuple[str, str, str]  # method, path with {} for parameters, action

# Live routes that have no row, and why.
NO_ROW: dict[Service, dict[Key, str]] = {
    Service.COMPUTE: {},
    Service.VOLUME: {},
    Service.IMAGE: {
        ("DELETE", "/tasks/{}", ""): "answers 405 with Allow: GET and nothing else ever; so "
        "does the matcher for a path that has only GET",
    },
}
# Rejecting routes of Glance whose Allow is another than ours, and why.
OTHER_ALLOW = {
    "/tasks/{}": "names DELETE, which is never allowed",
    "/cache/{}": "names the same methods in another order",
    "/images/{}/locations": "does not name GET, which is allowed",
}
LOWEST = {Service.COMPUTE: "2.1", Service.VOLUME: "3.0", Service.IMAGE: ""}
# What clients ask that is nearly right: paths are tried with each method.
PROBES = {
    Service.COMPUTE: (
        "/servers", "/servers/", "/servers/detail", "/servers/detail/", "/servers.json",
        "/servers/a.json", "/servers/a/action", "/servers//action", "/servers/a/b", "/nope",
        "//servers", "/SERVERS", "/os-volumes/detail", "/os-cells/info", "/os-networks/add",
        "/flavors/a.b/os-extra_specs/hw:cpu", "/os-hypervisors/x/search", "/os-services/enable",
        "/abc", "/extensions/x", "/servers/a/tags/b", "/os-hosts/a/reboot", "/limits/x",
    ),
    Service.VOLUME: (
        "/volumes", "/volumes/", "/volumes/detail", "/volumes/summary", "/volumes.json",
        "/volumes/a.json", "/volumes/detail.json", "/volumes/a/action", "/volumes//action",
        "/groups/action", "/groups/a/action", "/groups/action/action", "/types/a/extra_specs/b:c",
        "/clusters/enable", "/clusters/detail", "/os-services/enable", "/os-services/x", "/nope",
        "/consistencygroups/create_from_src", "/backups/import_record", "/snapshots/a/metadata",
        "/capabilities/host@backend", "/os-volume-transfer/detail", "/workers/cleanup", "/abc",
    ),
    Service.IMAGE: (
        "/images", "/images/", "/images/a", "/images/a.json", "/images/a/file",
        "/metadefs/namespaces/OS::X/objects/a.b", "/metadefs/namespaces/a/objects/b/c", "/nope",
        "/schemas/image", "/schemas/images/x", "/info/stores/detail", "/cache/clean", "/cache/a",
        "/images/a/members", "/stores/a/b", "/images/a/actions/deactivate", "/tasks",
        "/images/a/actions/nothing",
    ),
}  # fmt: skip
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")


def probes(service: Service) -> list[tuple[str, str]]:
    return [(method, path) for path in PROBES[service] for method in METHODS]


@cache
def installed(service: Service) -> dict[str, Any]:
    done = subprocess.run(
        [PYTHON, Path(__file__).with_name("dump_routes.py"), service],
        input=json.dumps(probes(service)),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def anonymous(path: str) -> str:
    return re.sub(r"\{\w+\}", "{}", path)


def key_of(op: Op) -> Key:
    return op.method, anonymous(op.path), op.action


def live(service: Service) -> dict[Key, dict[str, Any]]:
    return {
        (route["method"], route["path"], route["action"]): route
        for route in installed(service)["routes"]
        if not route["dead"]
    }


def differences(service: Service, ops: Iterable[Op]) -> Iterator[str]:
    """What is wrong with a table, a line each."""
    rows = {key_of(op): op for op in ops}
    routes = live(service)
    excepted = NO_ROW[service]
    for key in sorted(set(routes) - set(rows) - set(excepted)):
        yield f"no row for {key}"
    for key in sorted(set(rows) - set(routes)):
        yield f"no route for {key}"
    for key in sorted(set(excepted) & set(rows)):
        yield f"both a row and an exception for {key}"
    for key in sorted(set(excepted) - set(routes)):
        yield f"an exception for what is not there: {key}"
    for key in sorted(set(rows) & set(routes)):
        theirs = (_low(service, routes[key]["since"]), routes[key]["until"])
        ours = (_low(service, rows[key].since), rows[key].until)
        if theirs != ours:
            yield f"microversions of {key}: the service has {theirs}, the row {ours}"


def _low(service: Service, version: str) -> str:
    if version in ("", "2.0"):
        return LOWEST[service]
    return version


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.service)
def test_a_table_is_the_services_own_router(table: Table) -> None:
    assert list(differences(table.service, table)) == []


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.service)
def test_a_missing_row_is_noticed(table: Table) -> None:
    for number, op in enumerate(table.ops):
        less = table.ops[:number] + table.ops[number + 1 :]
        assert list(differences(table.service, less)) == [f"no row for {key_of(op)}"]


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.service)
def test_a_row_too_many_is_noticed(table: Table) -> None:
    more = replace(table.ops[0], path="/invented/{by}/us")
    assert list(differences(table.service, (*table.ops, more))) == [f"no route for {key_of(more)}"]


def test_wrong_microversions_are_noticed() -> None:
    ops = TABLES[0].ops
    number = next(i for i, op in enumerate(ops) if op.path.endswith("/topology"))
    wrong = (*ops[:number], replace(ops[number], since="2.79"), *ops[number + 1 :])
    (difference,) = differences(Service.COMPUTE, wrong)
    assert difference == (
        "microversions of ('GET', '/servers/{}/topology', ''): the service has "
        "('2.78', ''), the row ('2.79', '')"
    )


def test_gone_is_what_nova_marks_as_removed() -> None:
    removed = {key for key, route in live(Service.COMPUTE).items() if route["removed"]}
    gone = {key_of(op) for op in TABLES[0] if op.routing is RoutingClass.GONE}
    assert gone == removed


@pytest.mark.parametrize("service", PROBES, ids=str)
def test_the_matcher_takes_what_the_router_takes(service: Service) -> None:
    matcher = Matcher(TABLES)
    dead = {(r["method"], r["path"]) for r in installed(service)["routes"] if r["dead"]}
    rowless = {key[:2] for key in NO_ROW[service]}
    for (method, path), theirs in zip(probes(service), installed(service)["probes"], strict=True):
        if (method, theirs) in dead | rowless:
            theirs = None  # noqa: PLW2901
        assert (method, path, ours(matcher, service, method, path)) == (method, path, theirs)


def ours(matcher: Matcher, service: Service, method: str, path: str) -> str | None:
    """The path of the row that the matcher takes, whatever the action."""
    project, rest = matcher.split_project(service, path)
    assert project is None
    has_actions = method == "POST" and matcher.has_actions(service, rest)
    try:
        if has_actions:
            paths = {
                anonymous(op.path)
                for table in TABLES
                for op in table
                if op.service == service and op.action and _is(matcher, op, rest)
            }
            return paths.pop()
        return anonymous(matcher.find(service, method, rest).op.path)
    except (NotFound, MethodNotAllowed):
        return None


def _is(matcher: Matcher, op: Op, path: str) -> bool:
    try:
        return matcher.find(op.service, "POST", path, op.action).op is op
    except BadRequest:
        return False


def test_glance_says_which_methods_a_path_has() -> None:
    matcher = Matcher(TABLES)
    for path, allowed in installed(Service.IMAGE)["rejects"].items():
        with pytest.raises(MethodNotAllowed) as caught:
            matcher.find(Service.IMAGE, "TRACE", path.replace("{}", "x"))
        if path not in OTHER_ALLOW:
            assert (path, list(caught.value.allow)) == (path, allowed)

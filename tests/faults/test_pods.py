# SPDX-License-Identifier: Apache-2.0
"""A real pod dies, or hangs, and comes back."""

import signal
import time
from collections.abc import Iterator

import pytest

from lab import cli
from lab.gateway import Gateway
from lab.layout import Lab
from tests.real import LATEST, ZONES, Top, wait
from trio2o.ids import new_uuid

LIST_DEADLINE_S = 4.0
SERVERS = "/compute/v2.1/servers"
NAME = f"outage-{new_uuid()}"


@pytest.fixture(scope="module")
def top() -> Iterator[Top]:
    options = {"pods.list_deadline_s": str(LIST_DEADLINE_S), "pods.deadline_s": "5"}
    one = Gateway(Lab.from_environment(), options=options)
    one.stop()
    one.start()
    one.register(ZONES)
    yield Top(one)
    one.stop()


@pytest.fixture(scope="module")
def servers(top: Top) -> Iterator[dict[str, str]]:
    made = {zone: top.start_boot(NAME, zone) for zone in ("az1", "az2")}
    for ident in made.values():
        top.wait_server(ident, "ACTIVE")
    yield made
    for ident in made.values():
        top.delete_server(ident)


def listed(top: Top) -> tuple[set[str], str]:
    answer = top.call("GET", f"{SERVERS}/detail?name={NAME}")
    assert answer.status == 200, answer.body
    found = {one["id"] for one in answer.json["servers"]}
    return found, answer.headers.get("X-Trio2o-Missing-Pods") or ""


@pytest.fixture(params=["killed", "hung"])
def outage(request: pytest.FixtureRequest, top: Top, servers: dict[str, str]) -> Iterator[str]:
    """Pod2 does not answer during the test."""
    wait("both pods", lambda: listed(top) == (set(servers.values()), ""))
    killed = request.param == "killed"
    cli.send(top.lab, "pod2", signal.SIGKILL if killed else signal.SIGSTOP)
    yield request.param
    if killed:
        cli.start(top.lab, "pod2")
    else:
        cli.send(top.lab, "pod2", signal.SIGCONT)
    wait("the pod is back", lambda: listed(top) == (set(servers.values()), ""))


def test_what_users_meet_while_a_pod_does_not_answer(
    top: Top, servers: dict[str, str], outage: str
) -> None:
    begun = time.monotonic()
    found, missing = listed(top)
    assert found == {servers["az1"]}
    assert missing == "Pod2"
    assert time.monotonic() - begun < LIST_DEADLINE_S + 2

    lost = top.call("GET", f"{SERVERS}/{servers['az2']}")
    assert lost.status == 503
    assert "Pod2" in lost.json["serviceUnavailable"]["message"]
    assert top.call("GET", f"{SERVERS}/{servers['az1']}").status == 200

    strict = top.call("GET", SERVERS, headers={"X-Trio2o-Consistency": "strict"})
    assert strict.status == 503
    with_unknown = top.call("GET", SERVERS, headers=LATEST).json["servers"]
    unknown = {one["id"] for one in with_unknown if one.get("status") == "UNKNOWN"}
    assert servers["az2"] in unknown
    assert servers["az1"] not in unknown

    # The other pod's users notice nothing, and nobody waits for long.
    rebooted = top.action(servers["az1"], "reboot", {"type": "SOFT"})
    assert rebooted.status == 202
    top.wait_server(servers["az1"], "ACTIVE")
    if outage == "killed":  # one that hangs may do it later: the request is in its socket
        assert top.call("DELETE", f"{SERVERS}/{servers['az2']}").status == 503
    flavor = {"flavor": {"name": "while-down", "ram": 64, "vcpus": 1, "disk": 1}}
    written = top.call("POST", "/compute/v2.1/flavors", flavor, user="admin")
    assert written.status == 503
    names = {one["name"] for one in top.call("GET", "/compute/v2.1/flavors").json["flavors"]}
    assert "while-down" not in names

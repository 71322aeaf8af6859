# SPDX-License-Identifier: Apache-2.0
"""The processes: they start with a file and a Keystone alone, serve, and end when told to."""

import contextlib
import json
import re
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.databases import Databases
from tests.inprocess.command import KeystoneThread, Place
from tests.inprocess.keystone import Keystone
from trio2o.cmd.exits import Exit
from trio2o.db import pods
from trio2o.db.session import Database

LISTENING = "listening on"


@pytest.fixture
def keystone() -> Iterator[Keystone]:
    with KeystoneThread() as one:
        yield one


@pytest.fixture
def place(tmp_path: Path, keystone: Keystone, databases: Databases) -> Place:
    with databases.open("sqlite") as database:
        url = database.engine.url.render_as_string()
    return Place(tmp_path, keystone.url, url)


def _get(url: str) -> tuple[int, bytes]:
    parts = urlsplit(url)
    connection = HTTPConnection(parts.hostname or "", parts.port, timeout=30)
    with contextlib.closing(connection):
        connection.request("GET", parts.path)
        response = connection.getresponse()
        return response.status, response.read()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_gateway_serves_and_stops_when_told_to(place: Place, number: int) -> None:
    with place.start("api", LISTENING) as api:
        assert _get(f"{api.url}/healthz")[0] == 200
        assert _get(f"{api.url}/readyz")[0] == 200
        assert api.end(number) == Exit.OK
        assert "Traceback" not in api.said


def test_a_request_in_progress_is_finished(place: Place, keystone: Keystone) -> None:
    with place.start("api", LISTENING) as api, ThreadPoolExecutor(1) as thread:
        _get(f"{api.url}/healthz")
        arrived = threading.Event()
        keystone.latency_s = 1.0
        asked = keystone.asked

        class Seen(type(asked)):  # type: ignore[misc]  # a Counter that tells
            def __setitem__(self, key: str, value: int) -> None:
                super().__setitem__(key, value)
                arrived.set()

        keystone.asked = Seen(asked)
        reply = thread.submit(_get, f"{api.url}/readyz")
        assert arrived.wait(30)
        assert api.end(signal.SIGTERM) == Exit.OK
        assert reply.result()[0] == 200


def test_workers_share_the_port_and_what_they_count(place: Place) -> None:
    place.values["api", "workers"] = "2"
    with place.start("api", LISTENING) as api:
        for _ in range(2):
            api.wait_for("Started server process")
        for _ in range(20):
            _get(f"{api.url}/compute/v2.1/servers")
        _, body = _get(f"{api.url}/metrics")
        counts = re.findall(r"trio2o_request_seconds_count{.*} ([0-9.]+)", body.decode())
        assert sum(map(float, counts)) == 20
        assert api.end(signal.SIGTERM) == Exit.OK


def test_the_worker_starts_and_stops_when_told_to(place: Place) -> None:
    with place.start("worker", "worker .* started") as worker:
        assert worker.end(signal.SIGTERM) == Exit.OK
        assert "stopped" in worker.said


def test_lines_of_the_log_are_json_when_asked_for(place: Place) -> None:
    place.values["log", "format"] = "json"
    with place.start("api", LISTENING) as api:
        api.end(signal.SIGTERM)
        lines = [json.loads(line) for line in api.said.splitlines()]
    assert {"time", "level", "logger", "request_id", "process", "message"} <= set(lines[0])


def test_the_upgrade_check_looks_at_tables_and_catalogue(
    place: Place, keystone: Keystone, databases: Databases
) -> None:
    assert place.run("status upgrade check").returncode == Exit.OK
    database = Database(place.values["database", "url"])
    database.write_now(pods.create, name="Nowhere", az_name="az1")
    database.close()
    keystone.regions = ["RegionOne"]
    done = place.run("status upgrade check")
    assert done.returncode == 1
    assert "Nowhere" in done.stdout
    place.values["database", "url"] = databases.url("sqlite")
    done = place.run("status upgrade check")
    assert done.returncode == 2
    assert "trio2o db" in done.stdout


def test_the_upgrade_check_speaks_json(place: Place) -> None:
    place.write()
    done = place.run(f"status --config-file {place.file} upgrade check --json")
    assert done.returncode == Exit.OK, done.stderr
    document = json.loads(done.stdout)
    assert [one["result"] for one in document["checks"]] == [0, 0, 0]


@pytest.mark.parametrize("server", ["mariadb", "postgresql"])
def test_the_gateway_runs_on_a_server(place: Place, databases: Databases, server: str) -> None:
    with databases.open(server) as database:
        place.values["database", "url"] = database.engine.url.render_as_string()
    assert place.run("status upgrade check").returncode == Exit.OK
    with place.start("api", LISTENING) as api:
        assert _get(f"{api.url}/readyz")[0] == 200
        assert api.end(signal.SIGTERM) == Exit.OK

# SPDX-License-Identifier: Apache-2.0
"""The commands of openstackclient's plugin over HTTP, without openstackclient around them."""

import asyncio
import contextlib
import threading
import warnings
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import uvicorn
from admin_api import AdminApi
from keystoneauth1 import session, token_endpoint

from trio2o.db import placements
from trio2o.model import Kind

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # osc_lib, of what it imports itself
    from osc_lib.exceptions import CommandError

    from trio2o.osc import binding, pod, routing
    from trio2o.osc.client import AdminClient


class Shell:
    """What a command needs of openstackclient."""

    def __init__(self, api: AdminApi, url: str) -> None:
        self.api = api
        self._http = session.Session(auth=token_endpoint.Token(url, api.admin))
        identity = SimpleNamespace(
            find_project=lambda name, **_: SimpleNamespace(id=api.identity.project_id(name))
        )
        self.client_manager = SimpleNamespace(
            multipod=AdminClient(self._http), sdk_connection=SimpleNamespace(identity=identity)
        )

    def run(self, command: Any, *words: str) -> Any:
        made = command(self, None)
        return made.take_action(made.get_parser("openstack").parse_args(list(words)))

    def rows(self, command: Any, *words: str) -> list[dict[str, Any]]:
        headings, values = self.run(command, *words)
        return [dict(zip(headings, row, strict=True)) for row in values]

    def fields(self, command: Any, *words: str) -> dict[str, Any]:
        return dict(zip(*self.run(command, *words), strict=True))

    def close(self) -> None:
        self._http.session.close()


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    api = AdminApi(tmp_path, max_limit=2)
    api.add_regions("Pod1", "Pod2", "Pod3", "Pod4", "Pod5")
    server = uvicorn.Server(uvicorn.Config(api.app, port=0, log_level="error", lifespan="off"))
    thread = threading.Thread(target=asyncio.run, args=(_serve(server),))
    thread.start()
    while not server.started:
        thread.join(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    made = Shell(api, f"http://127.0.0.1:{port}")
    yield made
    made.close()
    server.should_exit = True
    thread.join()
    api.db.close()


async def _serve(server: uvicorn.Server) -> None:
    with contextlib.suppress(asyncio.CancelledError):
        await server.serve()


def test_lists_are_whole_however_short_the_pages_are(shell: Shell) -> None:
    for number in range(1, 6):
        shell.run(pod.CreatePod, f"Pod{number}", "--availability-zone", "az1")
    every = [f"Pod{number}" for number in range(1, 6)]
    assert [row["Name"] for row in shell.rows(pod.ListPod)] == every
    for limit in (1, 2, 3, 5, 9):
        listed = shell.rows(pod.ListPod, "--limit", str(limit))
        assert [row["Name"] for row in listed] == every[:limit]
    third = shell.fields(pod.ShowPod, "Pod3")["id"]
    after = shell.rows(pod.ListPod, "--marker", third)
    assert [row["Name"] for row in after] == every[3:]


def test_a_pods_life(shell: Shell) -> None:
    words = ("--availability-zone", "az1", "--tag", "b", "--tag", "a", "--state", "maintenance")
    made = shell.fields(pod.CreatePod, "Pod1", *words)
    assert (made["state"], made["tags"].machine_readable()) == ("maintenance", ["a", "b"])
    shell.run(pod.SetPod, "Pod1", "--no-tag", "--tag", "c", "--data-center", "dc1")
    shell.run(pod.SetPod, "Pod1", "--pod-availability-zone", "nova", "--state", "enabled")
    shown = shell.fields(pod.ShowPod, "Pod1")
    assert shown["tags"].machine_readable() == ["c"]
    assert (shown["dc_name"], shown["pod_az_name"], shown["state"]) == ("dc1", "nova", "enabled")
    shell.run(pod.UnsetPod, "Pod1", "--all-tag", "--pod-availability-zone")
    shown = shell.fields(pod.ShowPod, "Pod1")
    assert (shown["tags"].machine_readable(), shown["pod_az_name"]) == ([], "")
    with pytest.raises(CommandError, match="Nothing to change"):
        shell.run(pod.UnsetPod, "Pod1")
    with pytest.raises(CommandError, match=r"(?s)None1: There is no pod.*None2: There is no pod"):
        shell.run(pod.DeletePod, "None1", "Pod1", "None2")
    assert shell.rows(pod.ListPod) == []


def test_a_bindings_life(shell: Shell) -> None:
    shell.run(pod.CreatePod, "Pod1", "--availability-zone", "az1")
    made = shell.fields(binding.CreateBinding, "demo", "Pod1")
    assert made["project_id"] == shell.api.identity.project_id("demo")
    shell.run(binding.SetBinding, made["id"], "--preferred")
    assert shell.fields(binding.ShowBinding, made["id"])["preferred"]
    assert len(shell.rows(binding.ListBinding, "--project", "demo", "--pod", "Pod1")) == 1
    shell.run(binding.DeleteBinding, made["id"])
    assert shell.rows(binding.ListBinding) == []
    assert len(shell.rows(binding.ListBinding, "--ended")) == 1
    assert len(shell.rows(binding.ListBinding, "--history")) == 1


def test_why_a_resource_is_where_it_is(shell: Shell) -> None:
    document = {
        "chosen": "Pod1",
        "ranked": [{"pod": "Pod1", "score": 1.0, "weights": {"room": 1}}],
    }
    project_id = shell.api.identity.project_id("demo")
    shell.api.db.write_now(placements.record, Kind.SERVER, "s1", project_id, document)
    assert shell.rows(routing.ExplainPlacement, "s1") == [
        {
            "Pod": "Pod1",
            "Availability Zone": "",
            "Outcome": "chosen",
            "Score": 1.0,
            "Why": "room 1",
        }
    ]
    shown = shell.fields(routing.ShowPlacement, "s1")["explanation"]
    assert shown.machine_readable() == document
    listed = shell.rows(routing.ListPlacement, "--kind", "server", "--project", "demo")
    assert [row["Resource ID"] for row in listed] == ["s1"]
    with pytest.raises(CommandError, match="No routing of s1 is known"):
        shell.run(routing.ShowRouting, "s1")
    assert shell.rows(routing.ListRouting, "--created-since", "2026-01-01") == []

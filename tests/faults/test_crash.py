# SPDX-License-Identifier: Apache-2.0
"""The gateway is killed in the middle of a create, on real pods."""

import dataclasses
import http.client
from collections.abc import Iterator
from typing import Any

import pytest

from lab.gateway import Gateway
from lab.layout import Lab
from tests.real import IMAGE, ZONES, Top, wait
from trio2o.ids import new_uuid

SOON = {"pods.deadline_s": "5", "worker.interval_s": "0.5", "worker.intent_grace_s": "6"}


@pytest.fixture
def top() -> Iterator[Top]:
    """A gateway whose worker looks into open creates at once."""
    one = Gateway(Lab.from_environment(), options=SOON)
    one.stop()
    one.start()
    one.register(ZONES)
    yield Top(one)
    one.stop()


def die_at(top: Top, point: str, method: str, path: str, body: Any) -> None:
    """Send a request to a gateway that kills itself at ``point``; then start a sound one."""
    sound = top.gateway
    sound.stop()
    armed = dataclasses.replace(sound, environ={"TRIO2O_FAULT_POINTS": point})
    armed.start_api()
    wait("the armed gateway", lambda: ready(armed))
    with pytest.raises((OSError, http.client.HTTPException)):
        top.call(method, path, body)
    wait("its death", lambda: armed.api.pid is None)
    sound.start()


def ready(gateway: Gateway) -> bool:
    try:
        return gateway.is_ready()
    except OSError:
        return False


def named(top: Top, kind: str, name: str) -> list[dict[str, Any]]:
    path = "/compute/v2.1/servers/detail" if kind == "server" else "/volume/v3/volumes/detail"
    items = top.call("GET", path).json[f"{kind}s"]
    return [item for item in items if item["name"] == name]


@pytest.mark.parametrize("point", ["create.answered", "create.confirmed"])
def test_a_server_that_the_pod_made_is_owned_after_the_restart(top: Top, point: str) -> None:
    name = f"{point}-{new_uuid()}"
    before = routings(top, "server")
    server = {"name": name, "flavorRef": "42", "imageRef": IMAGE, "availability_zone": "az2"}
    die_at(top, point, "POST", "/compute/v2.1/servers", {"server": server})
    # by the worker, before anybody asks for it
    (ident,) = wait("its routing", lambda: routings(top, "server") - before)
    (found,) = named(top, "server", name)
    assert found["id"] == ident
    assert top.pod_of(found["id"]) == "Pod2"
    assert found["metadata"] == {}
    top.delete_server(found["id"])


def test_a_volume_that_the_pod_made_is_owned_after_the_restart(top: Top) -> None:
    name = f"crash-{new_uuid()}"
    volume = {"name": name, "size": 1, "availability_zone": "az1"}
    before = routings(top, "volume")
    die_at(top, "create.answered", "POST", "/volume/v3/volumes", {"volume": volume})
    (ident,) = wait("its routing", lambda: routings(top, "volume") - before)
    (found,) = named(top, "volume", name)
    assert found["id"] == ident
    top.wait_volume(found["id"], "available")
    top.delete_volume(found["id"])


def test_nothing_is_left_of_a_create_that_no_pod_was_asked_for(top: Top) -> None:
    server = {"name": "never", "flavorRef": "42", "imageRef": IMAGE, "availability_zone": "az1"}
    die_at(top, "create.intended", "POST", "/compute/v2.1/servers", {"server": server})
    wait("the worker's verdict", lambda: "nothing" in top.gateway.worker.log.read_text())
    assert named(top, "server", "never") == []


def routings(top: Top, kind: str) -> set[str]:
    """Ids of what is known to be in some pod."""
    path = f"/v1.0/routings?kind={kind}&limit=1000"
    found = top.call("GET", path, user="admin").json["routings"]
    return {one["resource_id"] for one in found if not one["deleted_at"]}

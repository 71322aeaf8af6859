# SPDX-License-Identifier: Apache-2.0
"""How a pod in memory fails, seen through the transport and without it."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.asgi import Answer, call
from trio2o.pods.fake import CIRROS, FakePod, InMemory
from trio2o.pods.memory import AsgiTransport
from trio2o.pods.transport import NoReply

pytestmark = pytest.mark.anyio

SERVERS = "/compute/v2.1/servers"
BODY = {"server": {"name": "s", "flavorRef": "42", "imageRef": CIRROS}}


@pytest.fixture
def pod() -> FakePod:
    return FakePod("Pod1")


async def turns() -> None:
    """Let other tasks run until they wait for something that does not come by itself."""
    for _ in range(20):
        await asyncio.sleep(0)


class Caller:
    """A member of a project, by the ASGI door or by the transport."""

    def __init__(self, pod: FakePod) -> None:
        self.pod = pod
        self.headers = {"x-auth-token": pod.identity.token()}
        self.transport = AsgiTransport(InMemory([pod]))

    async def ask(self, method: str = "GET", target: str = SERVERS, body: object = None) -> Answer:
        return await call(self.pod.app, method, target, headers=self.headers, body=body)

    async def send(self, deadline_s: float = 5.0) -> int:
        url = self.pod.url + SERVERS
        reply = await self.transport.send(
            "GET", url, self.headers, None, connect_s=1, deadline_s=deadline_s, stream=False
        )
        return reply.status


@pytest.fixture
def caller(pod: FakePod) -> Caller:
    return Caller(pod)


async def test_a_pod_that_is_down_refuses_connections(pod: FakePod, caller: Caller) -> None:
    pod.down()
    with pytest.raises(ConnectionRefusedError):
        await caller.ask()
    with pytest.raises(NoReply) as caught:
        await caller.send()
    assert not caught.value.may_have_acted
    pod.up()
    assert await caller.send() == 200


async def test_what_hangs_goes_on_when_the_pod_is_up_again(pod: FakePod, caller: Caller) -> None:
    pod.hang()
    task = asyncio.create_task(caller.ask("POST", SERVERS, BODY))
    await turns()
    assert pod.requests
    assert not task.done()
    assert not list(pod.cloud.servers)
    pod.up()
    assert (await task).status == 202


async def test_what_hangs_is_reset_when_the_pod_goes_down(pod: FakePod, caller: Caller) -> None:
    pod.hang()
    task = asyncio.create_task(caller.ask())
    await turns()
    assert pod.requests
    pod.down()
    with pytest.raises(ConnectionResetError):
        await task


async def test_a_pod_that_hangs_may_have_acted(pod: FakePod, caller: Caller) -> None:
    pod.hang()
    with pytest.raises(NoReply) as caught:
        await caller.send(deadline_s=0.02)
    assert caught.value.may_have_acted


async def test_a_pod_can_break_after_some_answers(pod: FakePod, caller: Caller) -> None:
    pod.break_after(2)
    assert await caller.send() == 200
    assert await caller.send() == 200
    with pytest.raises(NoReply) as caught:
        await caller.send()
    assert not caught.value.may_have_acted


async def test_a_slow_pod_answers_late(pod: FakePod, caller: Caller) -> None:
    pod.slow(10)
    with pytest.raises(NoReply):
        await caller.send(deadline_s=0.02)
    pod.slow(0)
    assert await caller.send() == 200


async def test_reset_before_leaves_nothing_behind(pod: FakePod, caller: Caller) -> None:
    pod.fail_next("POST", "/servers$", "reset_before")
    with pytest.raises(ConnectionResetError):
        await caller.ask("POST", SERVERS, BODY)
    assert not list(pod.cloud.servers)


async def test_reset_after_leaves_what_was_asked_for(pod: FakePod, caller: Caller) -> None:
    pod.fail_next("POST", "/servers$", "reset_after")
    with pytest.raises(ConnectionResetError):
        await caller.ask("POST", SERVERS, BODY)
    assert len(list(pod.cloud.servers)) == 1
    assert (await caller.ask("POST", SERVERS, BODY)).status == 202


async def test_hang_after_has_acted_before_it_hangs(pod: FakePod, caller: Caller) -> None:
    pod.fail_next("POST", "/servers$", "hang_after")
    task = asyncio.create_task(caller.ask("POST", SERVERS, BODY))
    await turns()
    assert len(list(pod.cloud.servers)) == 1
    assert not task.done()
    assert (await caller.ask()).status == 200
    pod.up()
    assert (await task).status == 202


async def test_a_planned_status_has_the_form_of_its_service(pod: FakePod, caller: Caller) -> None:
    pod.fail_next("GET", "/servers", 503)
    pod.fail_next("GET", "/volumes", 500, times=2)
    pod.fail_next("GET", "/images", 503)
    answer = await caller.ask()
    assert answer.status == 503
    assert answer.json["serviceUnavailable"]["code"] == 503
    for _ in range(2):
        answer = await caller.ask("GET", "/volume/v3/volumes")
        assert answer.json["computeFault"]["code"] == 500
    assert (await caller.ask("GET", "/image/v2/images")).json["title"] == "Service Unavailable"
    for target in (SERVERS, "/volume/v3/volumes", "/image/v2/images"):
        assert (await caller.ask("GET", target)).status == 200


async def test_a_plan_for_another_path_waits(pod: FakePod, caller: Caller) -> None:
    pod.fail_next("GET", "/flavors", 500)
    assert (await caller.ask()).status == 200
    assert (await caller.ask("GET", "/compute/v2.1/flavors")).status == 500


async def test_requests_are_counted_and_kept(pod: FakePod, caller: Caller) -> None:
    await caller.ask("POST", SERVERS, BODY)
    await caller.ask("GET", SERVERS + "?limit=1")
    await caller.ask("GET", SERVERS + "/detail")
    assert pod.requests["GET", SERVERS] == 1
    assert pod.count("GET") == 2
    assert pod.count(path="/servers") == 3
    assert pod.calls[1].query == "limit=1"
    assert pod.calls[0].headers["x-auth-token"] == caller.headers["x-auth-token"]
    assert b'"flavorRef": "42"' in pod.calls[0].body
    pod.forget_requests()
    assert pod.count() == 0


async def test_a_body_is_taken_piece_by_piece(pod: FakePod, caller: Caller) -> None:
    image = await caller.ask("POST", "/image/v2/images", {"name": "i", "disk_format": "raw"})
    target = f"/image/v2/images/{image.json['id']}/file"
    seen: list[int] = []

    async def pieces() -> AsyncIterator[bytes]:
        before = pod.body_bytes_received
        for _ in range(3):
            yield b"x" * 100
            await asyncio.sleep(0)
            seen.append(pod.body_bytes_received - before)

    headers = {**caller.headers, "content-type": "application/octet-stream"}
    answer = await call(pod.app, "PUT", target, headers=headers, body=pieces())
    assert answer.status == 204
    assert seen[0] < 300
    assert (await caller.ask("GET", target)).body == b"x" * 300

# SPDX-License-Identifier: Apache-2.0
"""The circuit: when a pod's service is asked, and when it is left alone."""

import asyncio

import pytest

from trio2o.errors import PodUnusable
from trio2o.model import Service
from trio2o.pods.health import Circuit, Gate, Health, Limits, Pass

LIMITS = Limits(failures=3, open_s=10.0, open_max_s=25.0, in_flight=2, waiting=1)


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def gate(clock: Clock, jitter: float = 0.5) -> Gate:
    return Health(LIMITS, clock=clock, jitter=lambda: jitter).gate("Pod1", Service.COMPUTE)


def enter(one: Gate) -> Pass:
    """Take a place where there is one: that does not wait, so it needs no event loop."""
    with pytest.raises(StopIteration) as caught:
        one.enter(1.0).send(None)
    place: Pass = caught.value.value
    return place


def refused(one: Gate) -> str:
    with pytest.raises(PodUnusable) as caught:
        one.enter(1.0).send(None)
    return caught.value.message


def fail(one: Gate, times: int = 1) -> None:
    for _ in range(times):
        enter(one).failed()


def test_failures_in_a_row_open_the_circuit_and_a_success_starts_the_count_anew() -> None:
    one = gate(Clock())
    fail(one, 2)
    enter(one).succeeded()
    fail(one, 2)
    assert one.state.circuit is Circuit.CLOSED
    fail(one)
    assert one.state.circuit is Circuit.OPEN
    assert (
        refused(one) == "Pod1 is not asked: compute: it did not respond 3 times; again in 10.0 s"
    )


def test_a_call_that_its_caller_left_counts_for_nothing() -> None:
    one = gate(Clock())
    for _ in range(10):
        enter(one).left()
    assert (one.state.failures, one.state.in_flight) == (0, 0)


def test_after_a_while_one_probe_goes_through_and_closes_it() -> None:
    clock = Clock()
    one = gate(clock)
    fail(one, 3)
    clock.now += 10.0
    assert one.state.circuit is Circuit.HALF_OPEN
    probe = enter(one)
    assert "being probed now" in refused(one)
    probe.succeeded()
    assert one.state.circuit is Circuit.CLOSED
    enter(one)


def test_a_probe_that_its_caller_left_makes_room_for_another() -> None:
    clock = Clock()
    one = gate(clock)
    fail(one, 3)
    clock.now += 10.0
    enter(one).left()
    assert one.state.circuit is Circuit.HALF_OPEN
    enter(one)


def test_each_failed_probe_doubles_the_time_up_to_the_most() -> None:
    clock = Clock()
    one = gate(clock)
    fail(one, 3)
    waits = []
    for _ in range(4):
        waits.append(one.state.retry_in_s)
        clock.now += one.state.retry_in_s
        fail(one)
    assert waits == [10.0, 20.0, 25.0, 25.0]


@pytest.mark.parametrize(("jitter", "wait"), [(0.0, 7.5), (0.999, 12.495)])
def test_gateways_do_not_all_probe_at_once(jitter: float, wait: float) -> None:
    one = gate(Clock(), jitter)
    fail(one, 3)
    assert one.state.retry_in_s == pytest.approx(wait)


def test_calls_from_before_it_opened_do_not_prolong_it() -> None:
    clock = Clock()
    one = gate(clock)
    fail(one)
    early, late = enter(one), enter(one)
    early.failed()
    fail(one)
    assert one.state.retry_in_s == 10.0
    clock.now += 10.0
    probe = enter(one)
    late.failed()
    assert "being probed now" in refused(one)
    assert one.state.retry_in_s == 0.0
    probe.succeeded()
    assert one.state.circuit is Circuit.CLOSED


def test_a_place_is_given_back_once() -> None:
    one = gate(Clock())
    place = enter(one)
    place.succeeded()
    place.failed()
    place.left()
    assert (one.state.failures, one.state.in_flight) == (0, 0)


def test_a_call_waits_for_a_place_and_one_too_many_is_refused() -> None:
    async def story() -> None:
        one = gate(Clock())
        first, second = await one.enter(1.0), await one.enter(1.0)
        waiting = asyncio.create_task(one.enter(1.0))
        await asyncio.sleep(0)
        assert (one.state.in_flight, one.state.waiting) == (2, 1)
        with pytest.raises(PodUnusable, match="2 calls under way and 1 waiting"):
            await one.enter(1.0)
        first.succeeded()
        third = await waiting
        assert (one.state.in_flight, one.state.waiting) == (2, 0)
        with pytest.raises(PodUnusable, match=r"2 calls under way, none ended in 0\.01 s"):
            await one.enter(0.01)
        second.left()
        third.left()
        assert (one.state.in_flight, one.state.waiting) == (0, 0)
        await one.enter(0.01)

    asyncio.run(story())


def test_who_waited_for_a_pod_that_stopped_to_respond_does_not_ask_it() -> None:
    async def story() -> None:
        one = gate(Clock())
        fail(one)
        first, second = await one.enter(1.0), await one.enter(1.0)
        third = asyncio.create_task(one.enter(1.0))
        await asyncio.sleep(0)
        first.failed()
        second.failed()
        with pytest.raises(PodUnusable, match="did not respond 3 times"):
            await third
        assert one.state.in_flight == 0

    asyncio.run(story())


def test_pods_and_services_have_a_gate_each() -> None:
    health = Health(LIMITS, clock=Clock(), jitter=lambda: 0.5)
    fail(health.gate("Pod1", Service.COMPUTE), 3)
    assert not health.responds("Pod1", Service.COMPUTE)
    assert health.responds("Pod1", Service.VOLUME)
    assert health.responds("Pod2", Service.COMPUTE)
    health.forget("Pod1")
    assert list(health.states()) == []

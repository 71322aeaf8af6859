# SPDX-License-Identifier: Apache-2.0
"""Whether a pod's service is asked at all: a circuit and a bounded number of calls in flight.

One gate per pod and service, so that a hung image service stops neither the pod's servers nor
another pod. Knows nothing of HTTP: a reply of any status is a success here.
"""

import asyncio
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from trio2o.errors import PodUnusable
from trio2o.model import Service


class Circuit(StrEnum):
    CLOSED = "closed"
    """Calls go through."""
    OPEN = "open"
    """The service did not respond several times in a row: nothing is sent for a while."""
    HALF_OPEN = "half-open"
    """The while is over: one call is let through; its outcome closes or opens the circuit."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Of one pod's service.

    failures: in a row, until the circuit opens.
    open_s, open_max_s: how long it stays open at first, and at most; it doubles with each probe
        that fails, and varies by a quarter so that gateways do not all probe at once.
    in_flight: calls at once.   waiting: calls that wait for one of those to end.
    """

    failures: int = 5
    open_s: float = 5.0
    open_max_s: float = 60.0
    in_flight: int = 100
    waiting: int = 400


@dataclass(frozen=True, slots=True)
class GateState:
    """What a gate looks like now.  retry_in_s: until the next probe; 0 unless open."""

    pod_name: str
    service: Service
    circuit: Circuit
    failures: int
    retry_in_s: float
    in_flight: int
    waiting: int


class Gate:
    """The way to one service of one pod."""

    def __init__(
        self,
        pod_name: str,
        service: Service,
        limits: Limits,
        *,
        clock: Callable[[], float],
        jitter: Callable[[], float],
    ) -> None:
        self.pod_name = pod_name
        self.service = service
        self._limits = limits
        self._clock = clock
        self._jitter = jitter
        self._slots = asyncio.Semaphore(limits.in_flight)
        self._in_flight = 0
        self._waiting = 0
        self._failures = 0
        self._open_s = 0.0  # 0: closed
        self._open_until = 0.0
        self._probing = False

    async def enter(self, deadline_s: float) -> "Pass":
        """Take a place, waiting at most ``deadline_s``.  Raises PodUnusable."""
        self._check()
        if self._slots.locked():
            await self._wait(deadline_s)
        else:
            await self._slots.acquire()  # does not suspend
        self._in_flight += 1
        probe = self._open_s > 0
        self._probing = self._probing or probe
        return Pass(self, probe=probe)

    async def _wait(self, deadline_s: float) -> None:
        if self._waiting >= self._limits.waiting:
            raise self._unusable(f"{self._in_flight} calls under way and {self._waiting} waiting")
        self._waiting += 1
        try:
            async with asyncio.timeout(deadline_s):
                await self._slots.acquire()
        except TimeoutError:
            raise self._unusable(
                f"{self._in_flight} calls under way, none ended in {deadline_s:.3g} s"
            ) from None
        finally:
            self._waiting -= 1
        try:
            self._check()  # those before may have opened the circuit
        except PodUnusable:
            self._slots.release()
            raise

    def _check(self) -> None:
        if not self._open_s:
            return
        left = self._open_until - self._clock()
        if left > 0:
            raise self._unusable(
                f"it did not respond {self._failures} times; again in {left:.1f} s"
            )
        if self._probing:
            raise self._unusable(f"it did not respond {self._failures} times; being probed now")

    def _unusable(self, why: str) -> PodUnusable:
        return PodUnusable(self.pod_name, f"{self.pod_name} is not asked: {self.service}: {why}")

    def leave(self, *, probe: bool, responded: bool | None) -> None:
        """Give a place back (Pass).

        A call from before the circuit opened tells nothing new when it fails after that.
        """
        if responded:
            self._failures = 0
            self._open_s = 0.0
        elif responded is False:
            self._failures += 1
            if probe:
                self._open(min(self._open_s * 2, self._limits.open_max_s))
            elif not self._open_s and self._failures >= self._limits.failures:
                self._open(self._limits.open_s)
        if probe:
            self._probing = False
        self._in_flight -= 1
        self._slots.release()

    def _open(self, open_s: float) -> None:
        self._open_s = open_s
        self._open_until = self._clock() + open_s * (0.75 + 0.5 * self._jitter())

    @property
    def state(self) -> GateState:
        left = max(0.0, self._open_until - self._clock()) if self._open_s else 0.0
        circuit = Circuit.CLOSED
        if self._open_s:
            circuit = Circuit.OPEN if left > 0 else Circuit.HALF_OPEN
        return GateState(
            self.pod_name,
            self.service,
            circuit,
            self._failures,
            left,
            self._in_flight,
            self._waiting,
        )


class Pass:
    """A place in a gate, to be given back once; what is said after that does not count."""

    __slots__ = ("_gate", "_probe")

    def __init__(self, gate: Gate, *, probe: bool) -> None:
        self._gate: Gate | None = gate
        self._probe = probe

    def succeeded(self) -> None:
        """A reply came."""
        self._back(responded=True)

    def failed(self) -> None:
        """No reply came."""
        self._back(responded=False)

    def left(self) -> None:
        """Neither: our caller went away."""
        self._back(responded=None)

    def _back(self, *, responded: bool | None) -> None:
        gate, self._gate = self._gate, None
        if gate is not None:
            gate.leave(probe=self._probe, responded=responded)


class Health:
    """The gates of all pods, made when first used."""

    def __init__(
        self,
        limits: Limits | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._limits = limits or Limits()
        self._clock = clock
        self._jitter = jitter
        self._gates: dict[tuple[str, Service], Gate] = {}

    def gate(self, pod_name: str, service: Service) -> Gate:
        key = (pod_name, service)
        gate = self._gates.get(key)
        if gate is None:
            gate = Gate(pod_name, service, self._limits, clock=self._clock, jitter=self._jitter)
            self._gates[key] = gate
        return gate

    def states(self) -> Iterator[GateState]:
        """Of every pod's service that was ever asked."""
        return (gate.state for gate in list(self._gates.values()))

    def responds(self, pod_name: str, service: Service) -> bool:
        """Whether nothing speaks against asking it; a half-open circuit does."""
        gate = self._gates.get((pod_name, service))
        return gate is None or gate.state.circuit is Circuit.CLOSED

    def forget(self, pod_name: str) -> None:
        """Drop what is known of a pod that is no longer registered."""
        for key in [key for key in self._gates if key[0] == pod_name]:
            del self._gates[key]

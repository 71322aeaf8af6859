# SPDX-License-Identifier: Apache-2.0
"""What is counted, for Prometheus.

Labels have few values: names of pods, services, routing classes, statuses; never ids, users
or projects. ``trio2o api`` with several workers sets PROMETHEUS_MULTIPROC_DIR, where
prometheus-client then keeps the numbers, so that any of them can show those of all.
"""

import os
from collections.abc import Iterable
from functools import lru_cache
from typing import Protocol

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

_REGISTRY = CollectorRegistry()
_BUCKETS = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)

REQUESTS = Histogram(
    "trio2o_request_seconds",
    "Requests answered, by service, routing class of the operation, and HTTP status; how long "
    "each took until its reply was sent.",
    ("service", "routing", "status"),
    buckets=_BUCKETS,
    registry=_REGISTRY,
)
POD_CALLS = Histogram(
    "trio2o_pod_call_seconds",
    "Calls to pods, by pod, service, method, and outcome (the HTTP status's class, or why there "
    "was no reply); how long each took until the reply's head was there.",
    ("pod", "service", "method", "outcome"),
    buckets=_BUCKETS,
    registry=_REGISTRY,
)
CIRCUITS = Gauge(
    "trio2o_pod_circuit_open",
    "Whether a service of a pod is not asked because it did not respond: 0 no, 0.5 it is being "
    "tried, 1 yes. Of the process that answers.",
    ("pod", "service"),
    multiprocess_mode="livemostrecent",
    registry=_REGISTRY,
)
IN_FLIGHT = Gauge(
    "trio2o_pod_calls_in_flight",
    "Calls to a service of a pod that are in progress, or waiting for one of these to end. Of "
    "the process that answers.",
    ("pod", "service", "state"),
    multiprocess_mode="livemostrecent",
    registry=_REGISTRY,
)
ROUTING_LOOKUPS = Counter(
    "trio2o_routing_lookups",
    "Where the pod of a resource was found: cache, table, probe (all pods were asked), or "
    "missed (no pod knew it a moment ago).",
    ("source",),
    registry=_REGISTRY,
)
TOKEN_LOOKUPS = Counter(
    "trio2o_token_lookups",
    "Where it was found that a token is good: cache, or keystone (its middleware, which has a "
    "cache of its own); or refused.",
    ("source",),
    registry=_REGISTRY,
)
PARTIAL_LISTS = Counter(
    "trio2o_partial_lists",
    "Lists for which a pod did not respond, whether they were shown without it or refused.",
    ("service",),
    registry=_REGISTRY,
)
INTENTS = Counter(
    "trio2o_intents",
    "Creates, by kind of resource and how they ended: confirmed, refused, adopted (a worker "
    "found what was made), nothing (a worker found nothing).",
    ("kind", "state"),
    registry=_REGISTRY,
)

_OPEN = {"closed": 0.0, "half-open": 0.5, "open": 1.0}


class GateState(Protocol):
    """What is shown of the way to one service of one pod (see pods/health.py)."""

    @property
    def pod_name(self) -> str: ...
    @property
    def service(self) -> str: ...
    @property
    def circuit(self) -> str: ...
    @property
    def in_flight(self) -> int: ...
    @property
    def waiting(self) -> int: ...


# Finding a metric by its labels costs more than counting.
_request = lru_cache(maxsize=1024)(REQUESTS.labels)
_pod_call = lru_cache(maxsize=4096)(POD_CALLS.labels)
_routing_lookup = lru_cache(maxsize=16)(ROUTING_LOOKUPS.labels)


def observe_request(service: str, routing: str, status: int, seconds: float) -> None:
    """Count a request that was answered."""
    _request(service, routing, status).observe(seconds)


def observe_call(pod: str, service: str, method: str, outcome: str, seconds: float) -> None:
    """Count a call to a pod."""
    _pod_call(pod, service, method, outcome).observe(seconds)


def count_routing_lookup(source: str) -> None:
    """Count that the pod of a resource was found, or not."""
    _routing_lookup(source).inc()


def exposition(gates: Iterable[GateState]) -> bytes:
    """Everything in Prometheus's text format, of all processes that share a port."""
    for gate in gates:
        CIRCUITS.labels(gate.pod_name, gate.service).set(_OPEN[gate.circuit])
        IN_FLIGHT.labels(gate.pod_name, gate.service, "in-progress").set(gate.in_flight)
        IN_FLIGHT.labels(gate.pod_name, gate.service, "waiting").set(gate.waiting)
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        every = CollectorRegistry()
        MultiProcessCollector(every)  # type: ignore[no-untyped-call]
        return generate_latest(every)
    return generate_latest(_REGISTRY)

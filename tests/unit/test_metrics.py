# SPDX-License-Identifier: Apache-2.0
"""Metrics: shown in Prometheus's format, and explained."""

from dataclasses import dataclass

from prometheus_client.parser import text_string_to_metric_families

from trio2o import metrics


@dataclass(frozen=True)
class Gate:
    pod_name: str = "Pod1"
    service: str = "compute"
    circuit: str = "open"
    in_flight: int = 3
    waiting: int = 2


def _value(name: str, **labels: str) -> float | None:
    for family in text_string_to_metric_families(metrics.exposition([Gate()]).decode()):
        for sample in family.samples:
            if sample.name == name and labels.items() <= sample.labels.items():
                return sample.value
    return None


def test_calls_are_counted_by_pod_service_and_outcome() -> None:
    metrics.observe_call("Pod9", "volume", "GET", "2xx", 0.02)
    labels = {"pod": "Pod9", "service": "volume", "method": "GET", "outcome": "2xx"}
    assert _value("trio2o_pod_call_seconds_count", **labels) == 1
    assert _value("trio2o_pod_call_seconds_bucket", le="0.01", **labels) == 0
    assert _value("trio2o_pod_call_seconds_bucket", le="0.025", **labels) == 1


def test_circuits_are_shown_as_they_are_now() -> None:
    assert _value("trio2o_pod_circuit_open", pod="Pod1", service="compute") == 1
    assert _value("trio2o_pod_calls_in_flight", pod="Pod1", state="waiting") == 2


def test_every_metric_is_ours_and_explained() -> None:
    for family in text_string_to_metric_families(metrics.exposition([]).decode()):
        assert family.name.startswith("trio2o_")
        assert family.documentation.endswith(".")

# SPDX-License-Identifier: Apache-2.0
"""Names, ports and directories."""

import pathlib

import pytest

from lab.layout import MAX_PODS, PORTS, Lab


def test_ports_are_where_the_documentation_says() -> None:
    lab = Lab()
    assert (lab.port, lab.mariadb_port) == (20000, 20001)
    ports = {service: lab.pod("pod2").port(service) for service in PORTS}
    assert ports == {
        "compute": 20274,
        "volume": 20276,
        "placement": 20278,
        "image": 20292,
        "network": 20296,
    }


def test_no_two_services_of_a_lab_share_a_port() -> None:
    lab = Lab()
    ports = [lab.port, lab.mariadb_port]
    ports += [pod.port(service) for pod in lab.pods(MAX_PODS) for service in PORTS]
    assert len(set(ports)) == len(ports)


def test_a_lab_stays_within_the_thousand_ports_above_its_base() -> None:
    lab = Lab(port=30000)
    highest = max(lab.pod(f"pod{MAX_PODS}").port(service) for service in PORTS)
    assert 30000 <= highest < 31000


def test_the_environment_makes_a_second_lab_that_shares_only_the_tools() -> None:
    environ = {"TRIO2O_LAB_STATE": "/tmp/other", "TRIO2O_LAB_PORT": "30000"}  # noqa: S108
    first, second = Lab.from_environment({}), Lab.from_environment(environ)
    assert second.state == pathlib.Path("/tmp/other")  # noqa: S108
    assert second.auth_url == "http://127.0.0.1:30000/v3"
    assert (second.venv, second.cache) == (first.venv, first.cache)
    for name in ("etc", "log", "run", "data", "tempest"):
        assert getattr(second, name) != getattr(first, name)


def test_an_empty_variable_is_no_variable() -> None:
    assert Lab.from_environment({"TRIO2O_LAB_STATE": "", "TRIO2O_LAB_PORT": ""}) == Lab()


@pytest.mark.parametrize("name", ["pod0", "pod10", "pod", "Pod1", "podx", "top", "pod01", "pod²"])
def test_what_is_no_pod_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="is no pod"):
        Lab().pod(name)


@pytest.mark.parametrize("count", [0, 10])
def test_there_is_at_least_one_pod_and_at_most_nine(count: int) -> None:
    with pytest.raises(ValueError, match=f"1 to 9 pods, not {count}"):
        Lab().pods(count)


def test_a_target_is_a_pod_or_the_top() -> None:
    assert Lab().region("top") == "CentralRegion"
    assert Lab().region("pod3") == "Pod3"

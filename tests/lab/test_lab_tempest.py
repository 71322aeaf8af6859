# SPDX-License-Identifier: Apache-2.0
"""tempest.conf, and what the gateway breaks."""

import json
import pathlib

import pytest

from lab import cli
from lab.layout import Lab
from lab.processes import LabError
from lab.tempest import Target, compare, configuration, regions, report, summary

POD = dict.fromkeys(("compute", "block-storage", "image", "network", "placement"), "http://pod")
TOP = dict.fromkeys(("compute", "block-storage", "image", "identity"), "http://top")


def test_a_pod_is_tested_by_itself() -> None:
    assert regions({"Pod1": POD}, "Pod1", "Pod1") == ("Pod1", "Pod1")


def test_the_top_borrows_networks_while_it_has_none() -> None:
    assert regions({"Pod1": POD, "CentralRegion": TOP}, "CentralRegion", "Pod1") == (
        "Pod1",
        "Pod1",
    )
    own = {**TOP, "network": "http://top"}
    assert regions({"Pod1": POD, "CentralRegion": own}, "CentralRegion", "Pod1") == (
        "CentralRegion",
        "Pod1",
    )


def test_the_top_is_not_tested_while_tempest_would_test_a_pod() -> None:
    only_identity = {"identity": "http://keystone"}
    with pytest.raises(LabError, match="no compute, block-storage, image in CentralRegion"):
        regions({"Pod1": POD, "CentralRegion": only_identity}, "CentralRegion", "Pod1")


def test_the_target_decides_regions_network_and_extensions(lab: Lab) -> None:
    target = Target("CentralRegion", "Pod1", "Pod1", "c0ffee", ("qos", "router"))
    conf = configuration(lab, target)
    assert conf["identity"]["region"] == "CentralRegion"
    assert conf["network"]["region"] == conf["placement"]["region"] == "Pod1"
    assert conf["network"]["public_network_id"] == "c0ffee"
    assert conf["network-feature-enabled"]["api_extensions"] == "qos,router"
    for section in ("compute", "volume", "image"):
        assert "region" not in conf.get(section, {})


def test_images_and_flavors_are_those_of_every_pod(lab: Lab) -> None:
    compute = configuration(lab, Target("Pod1", "Pod1", "Pod1", "x", ()))["compute"]
    assert compute["image_ref"] != compute["image_ref_alt"]
    assert (compute["flavor_ref"], compute["flavor_ref_alt"]) == ("42", "84")


POD_RESULTS = {"a": "pass", "b": "pass", "c": "fail", "d": "skip", "e": "pass"}


def test_broken_is_what_passes_on_the_pod_only() -> None:
    top = {"a": "pass", "b": "fail", "c": "fail", "d": "fail", "e": "skip", "f": "fail"}
    assert compare(POD_RESULTS, top) == {"b": "fail", "e": "skip"}


def test_a_test_that_did_not_run_at_the_top_is_broken() -> None:
    assert compare({"a": "pass"}, {}) == {"a": "absent"}


def test_nothing_is_broken_where_results_are_equal() -> None:
    assert compare(POD_RESULTS, POD_RESULTS) == {}


def test_the_summary_counts_and_names_failures() -> None:
    assert summary(POD_RESULTS) == "FAILED c\n3 passed, 1 failed, 1 skipped"
    assert summary({}) == "0 passed, 0 failed, 0 skipped"


def test_the_report_names_each_broken_test_and_counts() -> None:
    top = {**POD_RESULTS, "b": "fail"}
    assert report(POD_RESULTS, top) == (
        "fail   b\n3 tests pass on the pod, 1 of them not at the top"
    )


def test_comparing_exits_with_1_if_anything_is_broken(
    tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pod, top = tmp_path / "pod.json", tmp_path / "top.json"
    pod.write_text(json.dumps(POD_RESULTS))
    top.write_text(json.dumps({**POD_RESULTS, "b": "fail"}))
    assert cli.compare(pod, top) == 1
    assert "fail   b\n" in capsys.readouterr().out
    assert cli.compare(pod, pod) == 0

# SPDX-License-Identifier: Apache-2.0
"""How big a pod pretends to be."""

import dataclasses
import json
import os
import pathlib
import signal
import threading

import pytest
from labkit import capacity, image

from lab.layout import Lab
from lab.pods import Size, resize


def test_both_sides_of_the_file_know_the_same_sizes() -> None:
    ours, theirs = dataclasses.fields(Size), dataclasses.fields(capacity.Size)
    assert [field.name for field in ours] == [field.name for field in theirs]


def test_a_pod_without_a_file_is_large(
    monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path
) -> None:
    monkeypatch.setenv("TRIO2O_LAB_SIZE", str(tmp_path / "size.json"))
    assert capacity.size() == capacity.Size()
    monkeypatch.delenv("TRIO2O_LAB_SIZE")
    assert capacity.size() == capacity.Size()


def test_a_size_is_kept_until_it_is_changed(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    pod = lab.pod("pod3")
    monkeypatch.setenv("TRIO2O_LAB_SIZE", str(pod.size_file))
    resize(pod, Size(vcpus=4), None)
    resize(pod, Size(ram_mb=2048), None)
    assert capacity.size() == capacity.Size(vcpus=4, ram_mb=2048)
    resize(pod, Size(vcpus=8), None)
    assert json.loads(pod.size_file.read_text()) == {"vcpus": 8, "ram_mb": 2048}


def test_the_services_look_again_when_told() -> None:
    told = threading.Event()
    before = signal.getsignal(signal.SIGHUP)
    try:
        capacity.on_change(told.set)
        os.kill(os.getpid(), signal.SIGHUP)
        assert told.wait(5)
    finally:
        signal.signal(signal.SIGHUP, before)


@pytest.mark.parametrize("disk_format", ["raw", "qcow2"])
def test_an_image_has_the_size_and_the_magic_of_its_format(disk_format: str) -> None:
    data = image.content(disk_format).read()
    assert len(data) == image.SIZE_BYTES
    assert data.startswith(b"QFI\xfb") is (disk_format == "qcow2")

# SPDX-License-Identifier: Apache-2.0
"""The lab is no part of the installed package: find it in the checkout."""

import pathlib
import sys

import pytest

REPO = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(REPO), str(REPO / "lab/kit")]

from lab.layout import Lab  # noqa: E402


@pytest.fixture
def lab(tmp_path: pathlib.Path) -> Lab:
    return Lab(state=tmp_path / "state", port=40000, tools=tmp_path / "tools")

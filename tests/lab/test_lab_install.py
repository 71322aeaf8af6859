# SPDX-License-Identifier: Apache-2.0
"""When the virtual environment is made anew."""

import pathlib
import shutil

import pytest

from lab import install
from lab.layout import HERE, Lab


@pytest.fixture
def here(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    """A copy of what decides the environment."""
    copy = tmp_path / "lab"
    shutil.copytree(HERE / "kit", copy / "kit", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("requirements.txt", "constraints.txt"):
        shutil.copy(HERE / name, copy)
    monkeypatch.setattr(install, "HERE", copy)
    monkeypatch.setattr(install, "KIT", copy / "kit")
    return copy


@pytest.mark.parametrize(
    "name",
    ["requirements.txt", "constraints.txt", "kit/pyproject.toml", "kit/labkit/virt.py",
     "kit/labkit/new.py"],
)  # fmt: skip
def test_the_stamp_follows_everything_that_is_installed(here: pathlib.Path, name: str) -> None:
    before = install.stamp()
    assert install.stamp() == before
    with (here / name).open("a") as handle:
        handle.write("\n")
    assert install.stamp() != before


def test_the_stamp_does_not_follow_the_rest(here: pathlib.Path) -> None:
    before = install.stamp()
    (here / "cli.py").write_text("")
    (here / "kit/labkit/__pycache__").mkdir()
    (here / "kit/labkit/__pycache__/virt.cpython-311.pyc").write_bytes(b"\0")
    assert install.stamp() == before


def test_a_lab_is_current_while_stamp_and_packages_are_there(
    here: pathlib.Path, lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(install, "missing_packages", list)
    assert not install.is_current(lab)
    lab.tools.mkdir()
    (lab.tools / "venv.stamp").write_text(install.stamp())
    assert install.is_current(lab)
    (here / "constraints.txt").write_text("nova==35.0.0\n")
    assert not install.is_current(lab)


def test_the_missing_packages_are_those_of_missing_tools(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert install.missing_packages() == ["mariadb-client", "mariadb-server-core"]
    for tool in ("mariadb", "mariadb-dump"):
        (tmp_path / tool).touch(0o755)
    assert install.missing_packages() == ["mariadb-server-core"]

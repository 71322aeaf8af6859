# SPDX-License-Identifier: Apache-2.0
"""The command line."""

import pathlib
import subprocess

import pytest

from lab import cli
from lab.layout import Lab
from lab.processes import LabError

SCRIPT = pathlib.Path(__file__).resolve().parents[2] / "scripts/lab"


def test_two_pods_are_the_default() -> None:
    assert cli.parser().parse_args(["up"]).count == 2


def test_the_environment_is_admins_unless_said_otherwise() -> None:
    args = cli.parser().parse_args(["env", "pod1"])
    assert (args.target, args.user) == ("pod1", "admin")


def test_only_users_of_the_lab_have_an_environment() -> None:
    with pytest.raises(SystemExit):
        cli.parser().parse_args(["env", "pod1", "--user", "nobody"])


def test_the_environment_is_what_a_shell_can_source(lab: Lab) -> None:
    lines = cli.env(lab, "top", "demo")
    script = f"PATH=/bin; {lines}\n{lines}\necho $OS_USERNAME $OS_REGION_NAME $PATH"
    out = subprocess.run(["sh", "-ec", script], check=True, capture_output=True, text=True).stdout
    assert out == f"demo CentralRegion {lab.tools}/bin:/bin\n"


def test_a_pod_that_was_never_up_is_named_with_those_that_were(lab: Lab) -> None:
    lab.pod("pod1").etc.mkdir(parents=True)
    with pytest.raises(LabError, match="There is no pod2 yet; there are: pod1"):
        cli.known(lab, "pod2")


def test_a_wrong_name_is_a_message_and_no_traceback() -> None:
    done = subprocess.run([SCRIPT, "kill", "pod99"], check=False, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr == "'pod99' is no pod: pods are pod1 ... pod9\n"


def test_a_size_for_a_pod_that_does_not_run_waits_for_its_start(lab: Lab) -> None:
    args = cli.parser().parse_args(["resize", "pod3", "--vcpus", "4"])
    cli.run_verb(lab, args)
    assert lab.pod("pod3").size_file.read_text() == '{"vcpus": 4}'


def test_reset_forgets_data_and_keeps_tools(lab: Lab) -> None:
    for directory in (lab.data, lab.etc, lab.venv, lab.cache):
        directory.mkdir(parents=True)
    cli.reset(lab)
    assert not lab.data.exists()
    assert not lab.etc.exists()
    assert lab.venv.exists()
    assert lab.cache.exists()

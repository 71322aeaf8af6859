# SPDX-License-Identifier: Apache-2.0
"""Processes that outlive their starter, and commands that end."""

import concurrent.futures
import os
import pathlib
import signal
import subprocess
import time
from collections.abc import Iterator

import pytest

from lab.layout import Lab
from lab.processes import LabError, Process, locked, processes, run, stat_fields, stop, wait_for
from lab.status import rows


@pytest.fixture
def sleeper(lab: Lab) -> Iterator[Process]:
    proc = Process(lab, "pod1", "nova")
    proc.start(["sleep", "60"])
    yield proc
    stop([proc], 1)


def eventually(check: object) -> None:
    assert callable(check)
    deadline = time.monotonic() + 5
    while not check():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_started_process_is_found_again_by_group_and_name(lab: Lab, sleeper: Process) -> None:
    (found,) = processes(lab)
    assert (found.group, found.name, found.pid) == ("pod1", "nova", sleeper.pid)
    assert processes(lab, "pod2") == []


def test_starting_what_runs_does_nothing(sleeper: Process) -> None:
    before = sleeper.pid
    assert sleeper.start(["sleep", "60"]) is False
    assert sleeper.pid == before


def test_a_killed_process_is_dead_but_not_forgotten(lab: Lab, sleeper: Process) -> None:
    sleeper.signal(signal.SIGKILL)
    eventually(lambda: sleeper.pid is None)
    assert [proc.name for proc in processes(lab)] == ["nova"]


def test_a_later_process_with_the_same_pid_is_another(sleeper: Process) -> None:
    pid, started = sleeper.pidfile.read_text().split()
    sleeper.pidfile.write_text(f"{pid} {int(started) - 1}")
    assert sleeper.pid is None
    sleeper.pidfile.write_text(f"{pid} {started}")


@pytest.mark.parametrize("content", ["", "12", "x y z", "1 2 3"])
def test_a_broken_pid_file_is_no_process(lab: Lab, content: str) -> None:
    proc = Process(lab, "pod1", "nova")
    proc.pidfile.parent.mkdir(parents=True)
    proc.pidfile.write_text(content)
    assert proc.pid is None


def test_a_hung_process_lives_and_says_so(sleeper: Process) -> None:
    sleeper.signal(signal.SIGSTOP)
    eventually(lambda: sleeper.hung)
    assert sleeper.pid
    sleeper.signal(signal.SIGCONT)
    eventually(lambda: not sleeper.hung)


def test_stop_ends_hung_processes_too_and_forgets_them(lab: Lab, sleeper: Process) -> None:
    sleeper.signal(signal.SIGSTOP)
    begun = time.monotonic()
    stop([sleeper])
    assert time.monotonic() - begun < 5
    assert processes(lab) == []


def test_stop_kills_what_ignores_sigterm(lab: Lab) -> None:
    proc = Process(lab, "pod1", "stubborn")
    proc.start(["sh", "-c", "trap '' TERM; echo ready; while :; do sleep 0.1; done"])
    eventually(lambda: proc.log.read_text() == "ready\n")
    pid = proc.pid
    assert pid
    stop([proc], 0.2)
    eventually(lambda: (stat_fields(pid) or ["Z"])[0] == "Z")


def test_a_family_is_the_process_and_its_children(lab: Lab) -> None:
    proc = Process(lab, "pod1", "parent")
    proc.start(["sh", "-c", "sleep 60 & wait"])
    eventually(lambda: len(proc.family()) == 2)
    assert proc.family()[0] == proc.pid
    stop([proc], 1)


def test_status_has_a_row_for_each_process_and_a_total_for_each_group(
    lab: Lab, sleeper: Process
) -> None:
    Process(lab, "pod1", "glance").pidfile.write_text("1 1")
    lines = [line.split() for line in rows(processes(lab))]
    assert lines[0][:3] == ["group", "process", "state"]
    assert lines[1][:4] == ["pod1", "glance", "dead", "-"]
    assert lines[2][:4] == ["pod1", "nova", "up", str(sleeper.pid)]
    assert lines[3][:2] == ["pod1", "total"]


def test_a_command_that_fails_shows_the_end_of_its_output(tmp_path: pathlib.Path) -> None:
    log = tmp_path / "log/command.log"
    with pytest.raises(LabError, match=r"no such table(.|\n)*failed with 3: sh -c"):
        run(["sh", "-c", "echo no such table >&2; exit 3"], log=log)
    assert log.read_text() == "no such table\n"


def test_a_command_that_is_missing_says_what_to_do() -> None:
    with pytest.raises(LabError, match="scripts/lab install"):
        run(["/nonexistent/keystone-manage"])


def test_waiting_ends_when_the_process_dies(lab: Lab) -> None:
    proc = Process(lab, "pod1", "nova")
    proc.start(["true"])
    with pytest.raises(LabError, match=r"pod1/nova died: see .*nova\.log"):
        wait_for("nova", lambda: False, [proc])


def test_waiting_too_long_says_why(sleeper: Process) -> None:
    def refused() -> bool:
        raise ConnectionRefusedError("connection refused")

    with pytest.raises(LabError, match=r"nova: not ready .* \(connection refused\)"):
        wait_for("nova", refused, [sleeper], timeout_s=0)


def test_a_lock_has_one_holder_at_a_time(tmp_path: pathlib.Path) -> None:
    inside = []

    def work(number: int) -> None:
        with locked(tmp_path / "lock"):
            inside.append(number)
            time.sleep(0.01)
            assert inside == [number]
            inside.remove(number)

    with concurrent.futures.ThreadPoolExecutor(4) as executor:
        list(executor.map(work, range(8)))


def test_a_lock_goes_with_its_holder(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "lock"
    holder = subprocess.Popen(["flock", path, "sh", "-c", "echo held; exec sleep 60"],
                              stdout=subprocess.PIPE, process_group=0)  # fmt: skip
    assert holder.stdout
    assert holder.stdout.readline() == b"held\n"
    os.killpg(holder.pid, signal.SIGKILL)
    holder.wait()
    holder.stdout.close()
    with locked(path):
        pass

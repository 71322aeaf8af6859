# SPDX-License-Identifier: Apache-2.0
"""Long-running processes of ours, and commands that end.

A process is known by its pid and its start time, kept in
``run/GROUP/NAME.pid``; it leads a session of its own, so a signal reaches its
children too. A group is a pod, or ``infra`` or ``keystone``.
"""

import contextlib
import fcntl
import os
import pathlib
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TypeVar

from lab.layout import Lab

Argv = Sequence[str | pathlib.Path]
START = time.monotonic()
T = TypeVar("T")


class LabError(Exception):
    """What went wrong and what to do, in words for whoever typed the command."""


@contextlib.contextmanager
def locked(path: pathlib.Path) -> Iterator[None]:
    """Hold a lock among threads and processes; it goes with its holder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def say(text: str) -> None:
    print(f"[{time.monotonic() - START:6.1f}s] {text}", file=sys.stderr, flush=True)


def stat_fields(pid: int) -> list[str] | None:
    """Return the fields of /proc/PID/stat from the state on, None if there is no such process.

    The command's name is left out: it may hold spaces and brackets.
    """
    try:
        stat = pathlib.Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    return stat.rpartition(")")[2].split()


class Process:
    def __init__(self, lab: Lab, group: str, name: str) -> None:
        self.group, self.name = group, name
        self.pidfile = lab.run / group / f"{name}.pid"
        self.log = lab.log / group / f"{name}.log"

    @property
    def pid(self) -> int | None:
        """The pid while that process lives; a later process with the same pid is another."""
        try:
            pid, started = self.pidfile.read_text().split()
        except (OSError, ValueError):
            return None
        fields = stat_fields(int(pid))
        alive = fields and fields[0] != "Z" and fields[19] == started
        return int(pid) if alive else None

    @property
    def hung(self) -> bool:
        pid = self.pid
        fields = stat_fields(pid) if pid else None
        return bool(fields and fields[0] == "T")

    def start(self, argv: Argv, env: Mapping[str, str] | None = None) -> bool:
        """Start it unless it runs; return whether it was started."""
        if self.pid:
            return False
        self.pidfile.parent.mkdir(parents=True, exist_ok=True)
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            child = subprocess.Popen(
                [str(a) for a in argv],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                cwd="/",
                env={**os.environ, **(env or {})},
            )
        fields = stat_fields(child.pid)
        self.pidfile.write_text(f"{child.pid} {fields[19] if fields else 0}")
        # it outlives us; not a subprocess to be waited for
        child.returncode = 0
        return True

    def signal(self, number: int) -> None:
        pid = self.pid
        if pid:
            try:
                os.killpg(pid, number)
            except ProcessLookupError:
                pass

    def family(self) -> list[int]:
        """Return the pids of the process's session, itself first; empty if it is dead."""
        leader = self.pid
        if not leader:
            return []
        pids = (int(path.name) for path in pathlib.Path("/proc").glob("[0-9]*"))
        return [leader, *(pid for pid in pids if pid != leader and session_of(pid) == leader)]


def session_of(pid: int) -> int | None:
    try:
        return os.getsid(pid)
    except ProcessLookupError:
        return None


def processes(lab: Lab, group: str = "*") -> list[Process]:
    """Return what was ever started and not stopped since, dead or alive."""
    return [Process(lab, f.parent.name, f.stem) for f in sorted(lab.run.glob(f"{group}/*.pid"))]


def stop(procs: Iterable[Process], grace_s: float = 10.0) -> None:
    procs = list(procs)
    for proc in procs:
        proc.signal(signal.SIGTERM)
        proc.signal(signal.SIGCONT)
    deadline = time.monotonic() + grace_s
    while time.monotonic() < deadline and any(p.pid for p in procs):
        time.sleep(0.05)
    for proc in procs:
        proc.signal(signal.SIGKILL)
        proc.pidfile.unlink(missing_ok=True)


def run(
    argv: Argv,
    env: Mapping[str, str] | None = None,
    data: bytes | None = None,
    log: pathlib.Path | None = None,
) -> bytes:
    """Run to the end and return the output; LabError with the end of the output if it fails."""
    words = [str(a) for a in argv]
    try:
        done = subprocess.run(
            words,
            check=False,
            input=data,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**os.environ, **(env or {})},
        )
    except FileNotFoundError as missing:
        raise LabError(f"{missing.filename} is missing: run scripts/lab install") from missing
    if log:
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as handle:
            handle.write(done.stdout)
    if done.returncode:
        tail = done.stdout[-4000:].decode(errors="replace")
        raise LabError(f"{tail}\nfailed with {done.returncode}: {' '.join(words)}")
    return done.stdout


def wait_for(
    what: str, check: Callable[[], T], procs: Iterable[Process] = (), timeout_s: float = 180
) -> T:
    """Return the first true value of ``check``, which may raise OSError meanwhile.

    LabError when one of ``procs`` dies first, or after ``timeout_s``.
    """
    procs = list(procs)
    deadline = time.monotonic() + timeout_s
    while True:
        reason = ""
        try:
            if result := check():
                return result
        except OSError as error:
            reason = f" ({error})"
        for proc in procs:
            if not proc.pid:
                raise LabError(f"{proc.group}/{proc.name} died: see {proc.log}")
        if time.monotonic() > deadline:
            raise LabError(f"{what}: not ready after {timeout_s:.0f} s{reason}")
        time.sleep(0.1)

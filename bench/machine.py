# SPDX-License-Identifier: Apache-2.0
"""The machine, and what its processes used of it."""

import os
import platform
import re
from collections.abc import Iterable
from pathlib import Path

from lab.processes import stat_fields

_TICK_S = 1 / os.sysconf("SC_CLK_TCK")


def facts() -> dict[str, str | int]:
    cpus = Path("/proc/cpuinfo").read_text()
    model = re.search(r"model name\s*: (.*)", cpus)
    return {
        "cpu": model[1] if model else platform.machine(),
        "cores": os.cpu_count() or 1,
        "kernel": platform.release(),
        "python": platform.python_version(),
        "load_average": f"{os.getloadavg()[0]:.1f}",
    }


def cpu_s(pids: Iterable[int]) -> float:
    """Seconds of CPU that the processes used until now, all threads, user and system."""
    used = 0
    for pid in pids:
        fields = stat_fields(pid)
        assert fields is not None, f"process {pid} is gone"
        used += int(fields[11]) + int(fields[12])
    return used * _TICK_S


def rss_bytes(pid: int, *, peak: bool = False) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    found = re.search(rf"{'VmHWM' if peak else 'VmRSS'}:\s+(\d+) kB", status)
    assert found is not None, status
    return int(found[1]) * 1024


def pin(pids: Iterable[int], cpu: int) -> None:
    """Let the processes, with all their threads, run on one CPU only."""
    for pid in pids:
        for task in Path(f"/proc/{pid}/task").iterdir():
            os.sched_setaffinity(int(task.name), {cpu})

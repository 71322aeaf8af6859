# SPDX-License-Identifier: Apache-2.0
"""What runs, and what it costs."""

import dataclasses
import os
import pathlib
from collections.abc import Iterator

from lab.layout import Lab
from lab.processes import Process, processes, stat_fields

TICKS_PER_S = os.sysconf("SC_CLK_TCK")
ROW = "{:9} {:9} {:5} {:>7} {:>7} {:>8} {:>7}"


@dataclasses.dataclass(frozen=True)
class Cost:
    # proportional set size: shared pages are divided among the sharers
    pss_mib: float = 0
    threads: int = 0
    cpu_s: float = 0

    def __add__(self, other: "Cost") -> "Cost":
        return Cost(
            self.pss_mib + other.pss_mib,
            self.threads + other.threads,
            self.cpu_s + other.cpu_s,
        )


def status(lab: Lab) -> str:
    return "\n".join(rows(processes(lab)))


def rows(procs: list[Process]) -> Iterator[str]:
    yield ROW.format("group", "process", "state", "pid", "threads", "PSS MiB", "CPU s")
    totals: dict[str, Cost] = {}
    for proc in procs:
        family = proc.family()
        cost = sum(map(cost_of, family), Cost())
        totals[proc.group] = totals.get(proc.group, Cost()) + cost
        state = "hung" if proc.hung else "up" if family else "dead"
        yield row(proc.group, proc.name, state, str(family[0]) if family else "-", cost)
    for group, cost in totals.items():
        yield row(group, "total", "", "", cost)


def row(group: str, name: str, state: str, pid: str, cost: Cost) -> str:
    numbers = (cost.threads, round(cost.pss_mib), f"{cost.cpu_s:.1f}")
    return ROW.format(group, name, state, pid, *numbers)


def cost_of(pid: int) -> Cost:
    """Return what one process costs; nothing if it is gone."""
    fields = stat_fields(pid)
    try:
        rollup = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return Cost()
    if not fields:
        return Cost()
    pss_kib = next(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:"))
    ticks = int(fields[11]) + int(fields[12])
    return Cost(pss_kib / 1024, int(fields[17]), ticks / TICKS_PER_S)

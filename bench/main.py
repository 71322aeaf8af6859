# SPDX-License-Identifier: Apache-2.0
"""Runs benchmarks and prints what came of them. See scripts/bench."""

import argparse
import asyncio
import json
import os
import pathlib
import sys

from bench import by_id, figures, machine, routings, scatter
from lab.layout import REPO, Lab
from lab.processes import LabError

HELP = """Measure the gateway next to baselines, on this machine and in one run.

  by-id      GET of one server through the whole gateway, through nginx, and from the pod;
             an image downloaded
  scatter    one page of servers of 2 to 100 pods, next to the page of one pod
  routings   finding one of a million routings, next to a plain query

Figures are ratios; the times beside them hold for this machine only. Nothing fails when a
target is missed. Servers are started and stopped; their files are in .lab/bench.
"""


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="scripts/bench",
        description=HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "part", nargs="?", default="all", choices=("all", "by-id", "scatter", "routings")
    )
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE", help="write the figures too")
    parser.add_argument(
        "--all-engines", action="store_true", help="routings: MariaDB and PostgreSQL too"
    )
    parser.add_argument("--seconds", type=int, default=1, help="by-id: of each measurement")
    parser.add_argument("--rounds", type=int, default=3, help="by-id: how often each is made")
    parser.add_argument("--port", type=int, default=23000, help="by-id: the first of its ports")
    args = parser.parse_args()
    lab = Lab(state=REPO / ".lab/bench", port=args.port)
    cpus = sorted(os.sched_getaffinity(0))
    pair = (cpus[0], cpus[1]) if len(cpus) > 1 else None
    found: list[figures.Figure] = []
    facts = machine.facts()
    print(", ".join(f"{name} {value}" for name, value in facts.items()))
    try:
        if args.part in ("all", "by-id"):
            found += _show(asyncio.run(by_id.run(lab, pair, args.seconds, args.rounds)))
        if args.part in ("all", "scatter"):
            found += _show(asyncio.run(scatter.run(lab)))
        if args.part in ("all", "routings"):
            found += _show(asyncio.run(routings.run(lab, all_engines=args.all_engines)))
    except LabError as error:
        print(error, file=sys.stderr)
        return 1
    if args.json:
        args.json.write_text(
            json.dumps({"machine": facts, "figures": figures.document(found)}, indent=2) + "\n"
        )
    return 0


def _show(found: list[figures.Figure]) -> list[figures.Figure]:
    print(f"\n{found[0].bench}\n{figures.table(found)}", flush=True)
    return found


if __name__ == "__main__":
    sys.exit(main())

# SPDX-License-Identifier: Apache-2.0
"""What scripts/test runs: the parts, and what each needs to be there first."""

import argparse
import os
import pathlib
import subprocess
import sys
from collections.abc import Callable, Sequence

from lab import cli as lab_cli
from lab import gateway as gateways
from lab import install, tempest
from lab.layout import REPO, ZONES, Lab
from lab.processes import LabError, say

PODS = 2
# Debian's package of the second database that the tests of the state run on
POSTGRESQL = "postgresql"
SUITES = {
    "compute": r"tempest\.api\.compute",
    "volume": r"tempest\.api\.volume",
    "image": r"tempest\.api\.image",
    "network": r"tempest\.api\.network",
}
# What a change must not break; whole suites are run by hand, with `scripts/test tempest`.
TEMPEST_SUBSET = (
    r"tempest\.api\.compute\.servers\.(test_create_server|test_servers\.|test_list_server_filters)"
    r"|tempest\.api\.volume\.(test_volumes_get|test_volumes_list)"
)

HELP = """Run the tests.

  all (the default)   every part below, tempest's subset too
  unit                decisions: no I/O
  inprocess           the real application and real databases, pods in memory
  conformance         the tables against nova, cinder and glance; the pod in memory
                      against a real one
  functional          real pods, the real client
  faults              pods die, the gateway is killed
  tempest SUITE [REGEX]
                      compute, volume, image or network: on a pod itself and through the
                      gateway; prints what passes on the pod only, and fails if there is any
  tempest subset      what `all` runs of it

The pods are those of a lab of their own (.lab/test, ports from 21000), unless
TRIO2O_LAB_STATE and TRIO2O_LAB_PORT name another one.
"""


def pytest(*words: str) -> None:
    """Raises LabError when a test fails."""
    done = subprocess.run([REPO / ".venv/bin/python", "-m", "pytest", *words], check=False)
    if done.returncode:
        raise LabError(f"tests failed: pytest {' '.join(words)}")


class Tests:
    def __init__(self, lab: Lab, words: Sequence[str]) -> None:
        self.lab = lab
        self.words = list(words)
        self._lab_is_up = False

    def lab_up(self) -> None:
        if not self._lab_is_up:
            lab_cli.up(self.lab, PODS)
            self._lab_is_up = True

    def databases(self) -> None:
        packages = install.missing_packages()
        if not any(pathlib.Path("/usr/lib/postgresql").glob("*/bin/postgres")):
            packages.append(POSTGRESQL)
        if packages:
            install.install_packages(packages)

    def unit(self) -> None:
        pytest("tests/unit", "tests/lab", *self.words)

    def inprocess(self) -> None:
        self.databases()
        # a database that is not there is a failure here, and not a skip
        os.environ["TRIO2O_TEST_DATABASES"] = "mariadb,postgresql"
        pytest("tests/inprocess", *self.words)

    def conformance(self) -> None:
        self.lab_up()
        pytest("tests/conformance", *self.words)

    def functional(self) -> None:
        self.lab_up()
        pytest("tests/functional", *self.words)

    def faults(self) -> None:
        self.lab_up()
        pytest("tests/faults", *self.words)

    def tempest(self) -> None:
        """The same tests on a pod and through the gateway."""
        suite, *more = self.words or ["subset"]
        if suite not in (*SUITES, "subset"):
            raise LabError(f"{suite} is none of {', '.join(SUITES)}, subset")
        regex = more[0] if more else SUITES.get(suite, TEMPEST_SUBSET)
        self.lab_up()
        gateway = gateways.Gateway(self.lab)
        gateway.start()
        gateway.register(ZONES)
        results = {}
        for target in ("pod1", "top"):
            say(f"tempest on {target}: {regex}")
            results[target] = tempest.run_suite(self.lab, target, regex)
        broken = tempest.compare(results["pod1"], results["top"])
        print(tempest.report(results["pod1"], results["top"]))
        if broken:
            raise LabError(f"{len(broken)} tests pass on a pod but not through the gateway")

    def all(self) -> None:
        self.words = []
        for part in (
            self.unit,
            self.inprocess,
            self.conformance,
            self.functional,
            self.faults,
            self.tempest,
        ):
            say(f"tests: {part.__name__}")
            part()


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="scripts/test",
        description=HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("part", nargs="?", default="all")
    parser.add_argument("words", nargs=argparse.REMAINDER, help="for pytest, or tempest's suite")
    args = parser.parse_args()
    os.environ.setdefault("TRIO2O_LAB_STATE", str(REPO / ".lab/test"))
    os.environ.setdefault("TRIO2O_LAB_PORT", "21000")
    os.chdir(REPO)
    install.widen_path()
    lab = Lab.from_environment()
    tests = Tests(lab, args.words)
    parts: dict[str, Callable[[], None]] = {
        name: getattr(tests, name)
        for name in ("all", "unit", "inprocess", "conformance", "functional", "faults", "tempest")
    }
    if args.part not in parts:
        parser.error(f"{args.part} is none of {', '.join(parts)}")
    try:
        install.ensure_uv(lab)
        gateways.install(lab)
        parts[args.part]()
    except LabError as error:
        print(error, file=sys.stderr)
        return 1
    return 0

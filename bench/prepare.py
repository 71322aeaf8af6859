# SPDX-License-Identifier: Apache-2.0
"""What benchmarks need on the machine; then they run in the gateway's own environment."""

import os
import pathlib
import shutil
import sys

from lab import gateway, install
from lab.layout import REPO, Lab
from lab.processes import LabError

APT = {"nginx": "nginx-light", "wrk": "wrk"}
DATABASES = {"mariadbd": "mariadb-server-core", "mariadb-install-db": "mariadb-server-core"}


def packages(argv: list[str]) -> list[str]:
    """The packages that are missing for what ``argv`` asks for."""
    wanted: dict[str, str] = {}
    if {"-h", "--help"}.isdisjoint(argv) and not {"scatter", "routings"} & set(argv):
        wanted |= APT
    if "--all-engines" in argv:
        wanted |= DATABASES
    missing = {package for tool, package in wanted.items() if not shutil.which(tool)}
    if "--all-engines" in argv and not pathlib.Path("/usr/lib/postgresql").is_dir():
        missing.add("postgresql")
    return sorted(missing)


def main() -> str:
    """Replace this process by the benchmarks; return why that cannot be."""
    argv = sys.argv[1:]
    lab = Lab.from_environment()
    install.widen_path()
    try:
        install.ensure_uv(lab)
        gateway.install(lab)
        if missing := packages(argv):
            install.install_packages(missing)
    except LabError as error:
        return str(error)
    python = REPO / ".venv/bin/python"
    os.chdir(REPO)
    return os.execv(python, [str(python), "-m", "bench.main", *argv])  # noqa: S606  it is ours

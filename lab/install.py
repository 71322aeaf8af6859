# SPDX-License-Identifier: Apache-2.0
"""Everything a lab needs on the machine: MariaDB, uv, one virtual environment."""

import hashlib
import importlib.util
import os
import pathlib
import shutil
import sys

from lab.layout import HERE, Lab
from lab.processes import Argv, LabError, locked, run, say

# The packages without the maintainer scripts that start a system service
APT = {
    "mariadbd": "mariadb-server-core",
    "mariadb-install-db": "mariadb-server-core",
    "mariadb": "mariadb-client",
    "mariadb-dump": "mariadb-client",
}
# What a user of the lab wants in PATH: not python, which would hide theirs
TOOLS = ("openstack", "tempest", "stestr")
KIT = HERE / "kit"
SBIN = "/usr/sbin:/sbin"
# While it says 101, packages that are installed start none of their services
POLICY = pathlib.Path("/usr/sbin/policy-rc.d")


def widen_path() -> None:
    """Find mariadbd, which lives where ordinary users do not look."""
    os.environ["PATH"] = f"{os.environ.get('PATH', '')}:{SBIN}"


def stamp() -> str:
    """Return a digest of everything that decides what the virtual environment holds."""
    digest = hashlib.sha256(sys.version.encode())
    files = [HERE / "requirements.txt", HERE / "constraints.txt", KIT / "pyproject.toml"]
    for path in [*files, *sorted(KIT.glob("labkit/*.py"))]:
        digest.update(f"\0{path.relative_to(HERE)}\0".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def missing_packages() -> list[str]:
    return sorted({package for tool, package in APT.items() if not shutil.which(tool)})


def is_current(lab: Lab) -> bool:
    kept = lab.tools / "venv.stamp"
    return kept.exists() and kept.read_text() == stamp() and not missing_packages()


def install(lab: Lab) -> None:
    if is_current(lab):
        return
    with locked(lab.tools / "install.lock"):
        if is_current(lab):
            return
        if packages := missing_packages():
            install_packages(packages)
        kept = lab.tools / "venv.stamp"
        kept.unlink(missing_ok=True)
        say("the virtual environment: keystone, nova, placement, glance, cinder, neutron, tempest")
        constraints = ("-c", str(HERE / "constraints.txt"))
        make_environment(lab, lab.venv, "-r", str(HERE / "requirements.txt"), *constraints)
        make_environment(lab, lab.venv, "--no-deps", "--reinstall-package", "labkit", str(KIT))
        link_tools(lab)
        kept.write_text(stamp())
        say("installed")


def link_tools(lab: Lab) -> None:
    tools = lab.tools / "bin"
    tools.mkdir(exist_ok=True)
    for name in TOOLS:
        (tools / name).unlink(missing_ok=True)
        (tools / name).symlink_to(lab.bin / name)


def install_packages(packages: list[str]) -> None:
    if not shutil.which("apt-get"):
        raise LabError(f"Install MariaDB's server and client first (on Debian: {packages})")
    prefix: Argv = []
    if os.geteuid() != 0:
        if not shutil.which("sudo"):
            raise LabError(f"Run as root: apt-get install --no-install-recommends {packages}")
        prefix = ["sudo"]
    say(f"apt: {' '.join(packages)}")
    apt = [*prefix, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get"]
    apt += ["-q", "-o", "DPkg::Lock::Timeout=300"]
    get = [*apt, "install", "-y", "--no-install-recommends", *packages]
    ours = not POLICY.exists()
    if ours:
        run(
            [
                *prefix,
                "sh",
                "-c",
                f"printf '#!/bin/sh\\nexit 101\\n' > {POLICY}; chmod +x {POLICY}",
            ]
        )
    try:
        try:
            run(get)
        except LabError:
            # the lists of packages are absent, or older than what the mirror has
            run([*apt, "update"])
            run(get)
    finally:
        if ours:
            run([*prefix, "rm", "-f", str(POLICY)])


def ensure_uv(lab: Lab) -> pathlib.Path:
    """Return uv, installing it from PyPI if need be."""
    home = lab.tools / "uv"
    uv = home / "bin/uv"
    with locked(lab.tools / "uv.lock"):
        if not uv.exists():
            if not importlib.util.find_spec("ensurepip"):
                # Debian's Python comes without what makes virtual environments
                version = f"{sys.version_info.major}.{sys.version_info.minor}"
                install_packages([f"python{version}-venv"])
            say("uv from PyPI")
            run([sys.executable, "-m", "venv", home])
            run([home / "bin/pip", "install", "-q", "uv"])
    return uv


def make_environment(lab: Lab, venv: pathlib.Path, *what: str) -> None:
    """Install ``what`` (arguments of pip install) into a virtual environment, made if need be."""
    uv = ensure_uv(lab)
    python = venv / "bin/python"
    if not python.exists():
        run([uv, "venv", "-q", "--python", sys.executable, venv])
    run([uv, "pip", "install", "-q", "--compile-bytecode", "--python", python, *what])

# SPDX-License-Identifier: Apache-2.0
"""Trio2o in front of a lab's pods: its own virtual environment, database and processes.

What an operator does by hand is done here by the same commands: write a configuration, `trio2o
db upgrade`, `trio2o catalog`, start `trio2o api` and `trio2o worker`, register the pods.
"""

import configparser
import dataclasses
import hashlib
import os
import pathlib
import signal
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping

from lab.install import ensure_uv, make_environment
from lab.layout import HOST, REPO, SECRET, TOP, Lab
from lab.processes import Argv, LabError, Process, run, say, stop, wait_for

EXTRAS = "client,mysql,postgresql,test"


def environment_stamp() -> str:
    digest = hashlib.sha256(sys.version.encode())
    for name in ("pyproject.toml", "constraints.txt"):
        digest.update((REPO / name).read_bytes())
    return digest.hexdigest()


def install(lab: Lab, venv: pathlib.Path = REPO / ".venv") -> None:
    """Make the virtual environment with Trio2o itself, its client and what its tests need."""
    kept = venv / "trio2o.stamp"
    if kept.exists() and kept.read_text() == environment_stamp():
        return
    say("the virtual environment of Trio2o")
    make_environment(lab, venv, "-e", f"{REPO}[{EXTRAS}]", "-c", str(REPO / "constraints.txt"))
    kept.write_text(environment_stamp())


@dataclasses.dataclass(frozen=True)
class Gateway:
    """One gateway: `trio2o api` and `trio2o worker` on one database.

    name: of its processes' group, and of its directories below the lab's.
    options: of the configuration file, "section.option" -> value, beside the usual ones.
    environ: of its processes, beside ours.
    """

    lab: Lab
    name: str = "gateway"
    offset: int = 10
    options: Mapping[str, str] = dataclasses.field(default_factory=dict)
    environ: Mapping[str, str] = dataclasses.field(default_factory=dict)
    venv: pathlib.Path = REPO / ".venv"

    @property
    def port(self) -> int:
        return self.lab.port + self.offset

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    @property
    def conf(self) -> pathlib.Path:
        return self.lab.etc / self.name / "trio2o.conf"

    @property
    def api(self) -> Process:
        return Process(self.lab, self.name, "api")

    @property
    def worker(self) -> Process:
        return Process(self.lab, self.name, "worker")

    def configure(self) -> None:
        data = self.lab.data / self.name
        data.mkdir(parents=True, exist_ok=True)
        values = {
            "api.bind_host": HOST,
            "api.port": str(self.port),
            "gateway.region": TOP,
            "database.url": f"sqlite:///{data}/trio2o.sqlite",
            "service_user.auth_type": "password",
            "service_user.auth_url": self.lab.auth_url,
            "service_user.username": "trio2o",
            "service_user.password": SECRET,
            "service_user.project_name": "service",
            "service_user.user_domain_name": "Default",
            "service_user.project_domain_name": "Default",
            **self.options,
        }
        parser = configparser.RawConfigParser()
        for key, value in values.items():
            section, _, option = key.partition(".")
            if not parser.has_section(section):
                parser.add_section(section)
            parser.set(section, option, value)
        self.conf.parent.mkdir(parents=True, exist_ok=True)
        with self.conf.open("w") as handle:
            parser.write(handle)

    def command(self, *words: str) -> bytes:
        """Run `trio2o WORDS` with this configuration, to its end."""
        return run([self.venv / "bin/trio2o", *words, "--config-file", str(self.conf)])

    def start(self) -> None:
        """Configure, migrate, register in the catalogue and start; what runs goes on."""
        self.configure()
        self.command("db", "upgrade")
        self.command("catalog")
        self.start_api()
        self.start_worker()
        self.wait()

    def start_api(self) -> None:
        self._start(self.api, "api")

    def start_worker(self) -> None:
        self._start(self.worker, "worker")

    def _start(self, process: Process, word: str) -> None:
        argv: Argv = [self.venv / "bin/trio2o", word, "--config-file", self.conf]
        process.start(argv, self.environ)

    def wait(self) -> None:
        wait_for("the gateway", self.is_ready, [self.api, self.worker])

    def is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/readyz", timeout=5) as response:
                ready: bool = response.status == 200
                return ready
        except urllib.error.HTTPError:
            return False

    def stop(self) -> None:
        stop([self.api, self.worker])

    def kill(self) -> None:
        """An outage of the gateway."""
        for process in (self.api, self.worker):
            process.signal(signal.SIGKILL)

    def openstack(self, *words: str, user: str = "admin") -> bytes:
        """Run the real client as a user of the top region, and return what it prints."""
        from lab.identity import environment  # noqa: PLC0415  a cycle otherwise

        env = {key: value for key, value in os.environ.items() if not key.startswith("OS_")}
        env.update(environment(self.lab, "top", user))
        try:
            return run([self.venv / "bin/openstack", *words], env)
        except LabError as error:
            raise LabError(f"openstack {' '.join(words)}\n{error}") from error

    def register(self, zones: Mapping[str, str]) -> None:
        """Register pods that are not yet: region name -> availability zone."""
        known = self.openstack("pod", "list", "-f", "value", "-c", "Name").decode().split()
        new = {region: zone for region, zone in zones.items() if region not in known}
        for region, zone in new.items():
            self.openstack(
                "pod", "create", region, "--availability-zone", zone,
                "--pod-availability-zone", "nova",
            )  # fmt: skip
            say(f"{region} is a pod of {zone}")
        if new:
            self.command("catalog")  # their regions become children of the top region


if __name__ == "__main__":  # for scripts/check
    the_lab = Lab.from_environment()
    try:
        ensure_uv(the_lab)
        install(the_lab)
    except LabError as missing:
        sys.exit(str(missing))

# SPDX-License-Identifier: Apache-2.0
"""One pod: its files, its processes, its size, and the day it is ready."""

import dataclasses
import json
import os
import signal
from typing import Any

from lab.layout import PORTS, Pod
from lab.processes import Process, wait_for
from lab.rest import Rest, answers
from lab.services import commands, configuration, directories, environment, render

# Which services report to which API
HEARTS = (
    ("compute", "/v2.1/os-services", {"nova-conductor", "nova-scheduler", "nova-compute"}),
    ("volume", "/v3/os-services", {"cinder-scheduler", "cinder-volume", "cinder-backup"}),
)
# How a size is called by Placement
INVENTORY = {"vcpus": "VCPU", "ram_mb": "MEMORY_MB", "disk_gb": "DISK_GB"}


@dataclasses.dataclass(frozen=True)
class Size:
    """How big a pod pretends to be; what is None keeps what it is."""

    vcpus: int | None = None
    ram_mb: int | None = None
    disk_gb: int | None = None
    volumes_gb: int | None = None

    def given(self) -> dict[str, int]:
        return {k: v for k, v in dataclasses.asdict(self).items() if v is not None}


def procs(pod: Pod) -> list[Process]:
    return [Process(pod.lab, pod.name, name) for name in commands(pod)]


def configure(pod: Pod) -> None:
    for directory in directories(pod):
        directory.mkdir(parents=True, exist_ok=True)
    for name, sections in configuration(pod).items():
        (pod.etc / name).write_text(render(sections))
    # nova looks for it beside nova.conf, whatever [wsgi] says
    paste = pod.etc / "api-paste.ini"
    paste.unlink(missing_ok=True)
    paste.symlink_to(pod.lab.venv / "etc/nova/api-paste.ini")


def start(pod: Pod) -> list[str]:
    """Start what is dead, wake what hangs; return the names of both."""
    touched = []
    env = environment(pod)
    for name, argv in commands(pod).items():
        proc = Process(pod.lab, pod.name, name)
        if proc.hung:
            proc.signal(signal.SIGCONT)
            touched.append(name)
        elif proc.start(argv, env):
            touched.append(name)
    return touched


def wait(pod: Pod, rest: Rest) -> None:
    """Return when every service of the pod answers and reports to be up."""
    alive = procs(pod)
    for service in PORTS:
        url = pod.url(service, "/")
        wait_for(f"{pod.name} {service}", lambda url=url: answers(url), alive)  # type: ignore[misc]

    def beats(service: str, path: str, expected: set[str]) -> bool:
        found = rest.get(pod.url(service, path))["services"]
        return {s["binary"] for s in found if s["state"] == "up"} >= expected

    for service, path, expected in HEARTS:
        wait_for(
            f"{pod.name} {' '.join(sorted(expected))}",
            lambda args=(service, path, expected): beats(*args),  # type: ignore[misc]
            alive,
        )
    wait_for(
        f"{pod.name} compute host",
        lambda: rest.get(pod.url("compute", "/v2.1/os-hypervisors"))["hypervisors"],
        alive,
    )


def resize(pod: Pod, size: Size, rest: Rest | None) -> None:
    """Make the pod that big. With ``rest``, wait until Placement and cinder say the same.

    The services read the file again on SIGHUP, so nothing is interrupted.
    """
    have: dict[str, int] = json.loads(pod.size_file.read_text()) if pod.size_file.exists() else {}
    pod.size_file.parent.mkdir(parents=True, exist_ok=True)
    partial = pod.size_file.with_suffix(".partial")
    partial.write_text(json.dumps(have | size.given()))
    partial.rename(pod.size_file)
    if rest is None:
        return
    for name in ("nova", "cinder"):
        pid = Process(pod.lab, pod.name, name).pid
        if pid:
            # the process alone, not what it may have started
            os.kill(pid, signal.SIGHUP)
    wait_for(f"{pod.name} in its new size", lambda: sized(pod, size, rest), procs(pod), 30)


def sized(pod: Pod, size: Size, rest: Rest) -> bool:
    return observed(pod, rest).items() >= size.given().items()


def observed(pod: Pod, rest: Rest) -> dict[str, int]:
    """Return the size that Placement's inventory and cinder's pools show."""
    providers: list[Any] = rest.get(pod.url("placement", "/resource_providers"))[
        "resource_providers"
    ]
    uuid = next(p["uuid"] for p in providers if p["name"] == pod.name)
    inventory = rest.get(pod.url("placement", f"/resource_providers/{uuid}/inventories"))
    pools = rest.get(pod.url("volume", "/v3/scheduler-stats/get_pools?detail=true"))["pools"]
    sizes = {field: inventory["inventories"][kind]["total"] for field, kind in INVENTORY.items()}
    return sizes | {"volumes_gb": sum(p["capabilities"]["total_capacity_gb"] for p in pools)}

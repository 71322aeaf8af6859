# SPDX-License-Identifier: Apache-2.0
"""The demo: two real OpenStack pods, Trio2o in front of them, servers made through it."""

import argparse
import concurrent.futures
import json
import sys
from typing import Any

from lab import cli as lab_cli
from lab import gateway as gateways
from lab import install, processes
from lab.identity import environment
from lab.layout import REPO, ZONES, Lab
from lab.processes import LabError, say

USER = "demo"

GO_ON = """
Two OpenStack clouds, one region. Go on as an ordinary user:

    . <(scripts/demo env)             # OS_* variables and PATH
    openstack server list
    openstack server create --flavor m1.tiny --image cirros --no-network \\
        --availability-zone az2 --os-compute-api-version 2.37 another

or as the operator:

    . <(scripts/demo env admin)
    openstack pod list
    openstack routing show {server}
    openstack placement explain {server}

    scripts/lab kill pod2             # an outage; scripts/lab start pod2 ends it
    scripts/demo down                 # stop everything; the data stays
"""


class Demo:
    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.gateway = gateways.Gateway(lab)

    def up(self) -> None:
        with concurrent.futures.ThreadPoolExecutor() as executor:
            ours = executor.submit(self._install)
            install.install(self.lab)
            lab_cli.up(self.lab, len(ZONES))
            ours.result()
        self.gateway.start()
        say(f"the gateway answers at {self.gateway.url}")
        self.gateway.register(ZONES)
        servers = self.make_things()
        print(self.run("server", "list", *VERSION, "--long", *COLUMNS).decode())
        print(GO_ON.format(server=servers["az1"]))

    def _install(self) -> None:
        install.ensure_uv(self.lab)
        gateways.install(self.lab)

    def run(self, *words: str) -> bytes:
        return self.gateway.openstack(*words, user=USER)

    def read(self, *words: str) -> Any:
        return json.loads(self.run(*words, "-f", "json"))

    def make_things(self) -> dict[str, str]:
        """A server in each zone, and a volume attached to the first; what is there stays."""
        have = {server["Name"]: server["ID"] for server in self.read("server", "list")}
        volumes = {volume["Name"]: volume for volume in self.read("volume", "list")}
        made = {}
        with concurrent.futures.ThreadPoolExecutor() as executor:
            jobs = {zone: executor.submit(self._server, zone, have) for zone in ZONES.values()}
            volume = executor.submit(self._volume, volumes)
            for zone, job in jobs.items():
                made[zone] = job.result()
            volume.result()
        if not any(volume.get("Attached to") for volume in volumes.values()):
            self.run("server", "add", "volume", made["az1"], "demo-volume")
            say("demo-volume is attached to demo-az1")
        return made

    def _server(self, zone: str, have: dict[str, str]) -> str:
        name = f"demo-{zone}"
        if name in have:
            return have[name]
        say(f"server create --availability-zone {zone} {name}")
        made: str = self.read(
            "server", "create", "--flavor", "m1.tiny", "--image", "cirros",
            "--no-network", "--availability-zone", zone, *VERSION, "--wait", name,
        )["id"]  # fmt: skip
        say(f"{name} is ACTIVE")
        return made

    def _volume(self, have: dict[str, Any]) -> None:
        if "demo-volume" in have:
            return
        self.run("volume", "create", "--size", "1", "--availability-zone", "az1", "demo-volume")
        processes.wait_for("demo-volume", self._volume_is_available, timeout_s=60)
        say("demo-volume is available in az1")

    def _volume_is_available(self) -> bool:
        shown: str = self.read("volume", "show", "demo-volume")["status"]
        return shown == "available"

    def env(self, user: str) -> str:
        values = environment(self.lab, "top", user)
        lines = [f"export {name}={value}" for name, value in values.items()]
        tools = REPO / ".venv/bin"
        lines.append(f'case ":$PATH:" in *:{tools}:*) ;; *) export PATH={tools}:$PATH ;; esac')
        return "\n".join(lines)


VERSION = ("--os-compute-api-version", "2.37")
COLUMNS = ("-c", "ID", "-c", "Name", "-c", "Status", "-c", "Availability Zone")


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="scripts/demo",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "verb",
        nargs="?",
        default="up",
        choices=("up", "env", "down"),
        help="up (the default): install and start what is not there, show servers; "
        "env: print the lines to source; down: stop everything, the data stays",
    )
    parser.add_argument(
        "user",
        nargs="?",
        default=USER,
        choices=("demo", "alt", "admin"),
        help="for env: whose variables (demo)",
    )
    args = parser.parse_args()
    lab = Lab.from_environment()
    install.widen_path()
    demo = Demo(lab)
    try:
        match args.verb:
            case "up":
                demo.up()
            case "env":
                print(demo.env(args.user))
            case "down":
                lab_cli.down(lab, [])
    except LabError as error:
        print(error, file=sys.stderr)
        return 1
    return 0

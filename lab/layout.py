# SPDX-License-Identifier: Apache-2.0
"""Names, ports and directories of a lab: what everything else agrees on. No I/O."""

import dataclasses
import os
import pathlib
from collections.abc import Mapping

REPO = pathlib.Path(__file__).resolve().parent.parent
HERE = REPO / "lab"
HOST = "127.0.0.1"
TOP = "CentralRegion"
SECRET = "lab"  # noqa: S105  every password of the lab; nothing here is secret
MAX_PODS = 9
ZONES = {"Pod1": "az1", "Pod2": "az2"}  # region -> its zone of the top region
PORTS = {"compute": 74, "volume": 76, "placement": 78, "image": 92, "network": 96}
DATABASES = ("nova_api", "nova_cell0", "nova", "placement", "glance", "cinder", "neutron")


@dataclasses.dataclass(frozen=True)
class Lab:
    """One lab. Several may share the tools: the virtual environment and the schema cache."""

    state: pathlib.Path = REPO / ".lab"
    port: int = 20000
    tools: pathlib.Path = REPO / ".lab"

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] = os.environ) -> "Lab":
        state = pathlib.Path(environ.get("TRIO2O_LAB_STATE") or cls.state).absolute()
        return cls(state=state, port=int(environ.get("TRIO2O_LAB_PORT") or cls.port))

    @property
    def venv(self) -> pathlib.Path:
        return self.tools / "venv"

    @property
    def bin(self) -> pathlib.Path:
        return self.venv / "bin"

    @property
    def cache(self) -> pathlib.Path:
        return self.tools / "cache"

    @property
    def etc(self) -> pathlib.Path:
        return self.state / "etc"

    @property
    def log(self) -> pathlib.Path:
        return self.state / "log"

    @property
    def run(self) -> pathlib.Path:
        """Pid files."""
        return self.state / "run"

    @property
    def data(self) -> pathlib.Path:
        """Databases, images, keys, sizes of pods: what `reset` forgets and `down` keeps."""
        return self.state / "data"

    @property
    def tempest(self) -> pathlib.Path:
        return self.state / "tempest"

    @property
    def mariadb_port(self) -> int:
        return self.port + 1

    @property
    def auth_url(self) -> str:
        return f"http://{HOST}:{self.port}/v3"

    def database(self, name: str) -> str:
        return f"mysql+pymysql://lab:{SECRET}@{HOST}:{self.mariadb_port}/{name}?charset=utf8"

    def pod(self, name: str) -> "Pod":
        """Return the pod called ``name`` (pod1 ... pod9); ValueError if there can be none."""
        for pod in self.pods(MAX_PODS):
            if pod.name == name:
                return pod
        raise ValueError(f"{name!r} is no pod: pods are pod1 ... pod{MAX_PODS}")

    def pods(self, count: int) -> list["Pod"]:
        """Return the first ``count`` pods; ValueError if there can be no so many."""
        if not 1 <= count <= MAX_PODS:
            raise ValueError(f"There can be 1 to {MAX_PODS} pods, not {count}")
        return [Pod(self, f"pod{number}", number) for number in range(1, count + 1)]

    def region(self, target: str) -> str:
        """Return the Keystone region of a pod, or of ``top``."""
        return TOP if target == "top" else self.pod(target).region


@dataclasses.dataclass(frozen=True)
class Pod:
    """One OpenStack cloud of the lab. Number 0 is the template whose schemas are kept."""

    lab: Lab
    name: str
    number: int

    @property
    def region(self) -> str:
        return f"Pod{self.number}"

    @property
    def etc(self) -> pathlib.Path:
        return self.lab.etc / self.name

    @property
    def data(self) -> pathlib.Path:
        return self.lab.data / self.name

    @property
    def size_file(self) -> pathlib.Path:
        return self.data / "size.json"

    def port(self, service: str) -> int:
        return self.lab.port + 100 * self.number + PORTS[service]

    def url(self, service: str, path: str = "") -> str:
        return f"http://{HOST}:{self.port(service)}{path}"

    def database(self, name: str) -> str:
        return self.lab.database(f"{self.name}_{name}")


def template(lab: Lab) -> Pod:
    return Pod(lab, "template", 0)

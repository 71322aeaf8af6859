# SPDX-License-Identifier: Apache-2.0
"""``trio2o catalog`` with the lab's Keystone, in regions of its own."""

import subprocess
import sys
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from lab.layout import Lab
from lab.rest import Rest, as_admin
from trio2o.cmd.exits import Exit
from trio2o.db import migrate, pods
from trio2o.db.session import Database
from trio2o.model import PodState

Done = subprocess.CompletedProcess[str]
BASE = "http://127.0.0.1:9"


@dataclass
class Catalogue:
    """Two regions that nobody else uses: the gateway's, which is not there yet, and a pod's."""

    lab: Lab
    rest: Rest
    folder: Path
    top: str
    pod: str

    def configure(self, **service_user: str) -> None:
        values = {
            "auth_type": "password",
            "auth_url": self.lab.auth_url,
            "username": "trio2o",
            "password": "lab",
            "project_name": "service",
            "user_domain_name": "Default",
            "project_domain_name": "Default",
            **service_user,
        }
        lines = [f"{name} = {value}" for name, value in values.items()]
        (self.folder / "trio2o.conf").write_text(
            f"[gateway]\nregion = {self.top}\n[database]\nurl = {self.url}\n[service_user]\n"
            + "\n".join(lines)
        )

    @property
    def url(self) -> str:
        return f"sqlite:///{self.folder}/trio2o.sqlite"

    def run(self, *words: str) -> Done:
        conf = str(self.folder / "trio2o.conf")
        return subprocess.run(
            [sys.executable, "-m", "trio2o.cmd.main", "catalog", "--config-file", conf, *words],
            capture_output=True,
            text=True,
            check=False,
        )

    def endpoints(self) -> dict[tuple[str, str], str]:
        """Of the gateway's region, by service type and interface."""
        types = {service["id"]: service["type"] for service in self.listing("services")}
        return {
            (types[one["service_id"]], one["interface"]): one["url"]
            for one in self.listing(f"endpoints?region_id={self.top}")
        }

    def listing(self, path: str) -> list[Any]:
        found: list[Any] = self.rest.get(f"{self.lab.auth_url}/{path}")[path.partition("?")[0]]
        return found

    def region(self, name: str) -> Any:
        return next((one for one in self.listing("regions") if one["id"] == name), None)

    def delete(self, path: str) -> None:
        self.rest._send("DELETE", f"{self.lab.auth_url}/{path}", None, {})


@pytest.fixture
def catalogue(tmp_path: Path) -> Iterator[Catalogue]:
    lab = Lab.from_environment()
    word = uuid.uuid4().hex[:8]
    made = Catalogue(lab, as_admin(lab), tmp_path, f"Top-{word}", f"Pod-{word}")
    made.rest.post(f"{lab.auth_url}/regions", {"region": {"id": made.pod}})
    made.configure()
    database = Database(made.url)
    migrate.upgrade(database)
    database.write_now(pods.create, name=made.pod, az_name="az1", state=PodState.DISABLED)
    database.close()
    yield made
    for one in made.listing(f"endpoints?region_id={made.top}"):
        made.delete(f"endpoints/{one['id']}")
    for name in (made.pod, made.top):
        if made.region(name):
            made.delete(f"regions/{name}")


def test_the_gateway_is_put_into_the_catalogue_once(catalogue: Catalogue) -> None:
    before = {service["id"] for service in catalogue.listing("services")}
    tried = catalogue.run("--base-url", BASE, "--dry-run")
    assert tried.returncode == Exit.OK, tried.stderr
    assert f"would create region {catalogue.top}" in tried.stdout
    assert catalogue.region(catalogue.top) is None

    done = catalogue.run("--base-url", BASE)
    assert done.returncode == Exit.OK, done.stderr
    lines = [line for line in done.stdout.splitlines() if not line.startswith("note:")]
    assert [f"would {line}" for line in lines] == [
        line for line in tried.stdout.splitlines() if not line.startswith("note:")
    ]
    assert catalogue.endpoints() == {
        (kind, interface): url
        for interface in ("public", "internal")
        for kind, url in {
            "compute": f"{BASE}/compute/v2.1",
            "volumev3": f"{BASE}/volume/v3",
            "block-storage": f"{BASE}/volume/v3",
            "image": f"{BASE}/image",
            "network": f"{BASE}/network",
            "multipod": BASE,
        }.items()
    }
    assert catalogue.region(catalogue.pod)["parent_region_id"] == catalogue.top
    new = {s["id"]: s["type"] for s in catalogue.listing("services") if s["id"] not in before}
    assert set(new.values()) <= {"multipod"}, "rows that the pods have are used"

    again = catalogue.run("--base-url", BASE)
    assert "The catalogue has all" in again.stdout
    assert "create" not in again.stdout.replace("openstack endpoint create", "")


def test_a_new_url_is_written_over_the_old_one(catalogue: Catalogue) -> None:
    catalogue.run("--base-url", "http://127.0.0.1:8")
    ids = {one["id"] for one in catalogue.listing(f"endpoints?region_id={catalogue.top}")}
    done = catalogue.run("--base-url", BASE)
    assert f"multipod public: http://127.0.0.1:8 -> {BASE}" in done.stdout
    assert catalogue.endpoints()["multipod", "public"] == BASE
    kept = {one["id"] for one in catalogue.listing(f"endpoints?region_id={catalogue.top}")}
    assert kept == ids


@pytest.mark.parametrize(
    ("service_user", "base_url", "code", "said"),
    [
        ({"username": "demo", "project_name": "demo"}, BASE, 7, "role admin"),
        ({"password": "wrong"}, BASE, 7, "refuses user"),
        ({"auth_url": "http://127.0.0.1:9/v3"}, BASE, 6, "127.0.0.1:9"),
        ({}, "", 2, "[api] base_url is not set"),
        ({}, "ftp://x", 2, "not an http or https URL"),
    ],
)
def test_what_cannot_work_is_said_with_what_to_do(
    catalogue: Catalogue, service_user: dict[str, str], base_url: str, code: int, said: str
) -> None:
    catalogue.configure(**service_user)
    done = catalogue.run(f"--base-url={base_url}")
    assert (done.returncode, done.stdout) == (code, "")
    assert said in done.stderr.splitlines()[-1]


def test_the_region_of_a_pod_is_not_the_gateways(catalogue: Catalogue) -> None:
    catalogue.top = catalogue.pod
    catalogue.configure()
    done = catalogue.run("--base-url", BASE)
    assert (done.returncode, done.stdout) == (2, "")
    assert "is a registered pod" in done.stderr

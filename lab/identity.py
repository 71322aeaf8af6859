# SPDX-License-Identifier: Apache-2.0
"""The Keystone that all pods share: regions, services, endpoints, users.

The top region gets an identity endpoint and nothing else, and the pods' regions
no parent: what stands in front of the pods registers itself.
"""

import base64
import dataclasses
import os
from typing import Any

from lab.layout import TOP, Lab, Pod
from lab.processes import Argv, Process, wait_for
from lab.rest import Rest, answers, as_admin
from lab.services import keystone, render

# type, name, key in layout.PORTS, path
SERVICES = (
    ("compute", "nova", "compute", "/v2.1"),
    # nova asks for volumev3, the SDK and tempest for block-storage
    ("volumev3", "cinder", "volume", "/v3"),
    ("block-storage", "cinder", "volume", "/v3"),
    ("image", "glance", "image", ""),
    ("network", "neutron", "network", ""),
    ("placement", "placement", "placement", ""),
)
INTERFACES = ("public", "internal")


@dataclasses.dataclass(frozen=True)
class User:
    project: str
    roles: tuple[str, ...]


SERVICE = User("service", ("admin", "service"))
USERS = {
    # made by keystone-manage bootstrap
    "admin": User("admin", ("admin",)),
    "demo": User("demo", ("member",)),
    "alt": User("alt", ("member",)),
    "nova": SERVICE,
    "placement": SERVICE,
    "glance": SERVICE,
    "cinder": SERVICE,
    "neutron": SERVICE,
    "trio2o": SERVICE,
}


def endpoints(lab: Lab, pods: list[Pod]) -> list[tuple[str, str, str]]:
    """Return (region, service type, URL) of every endpoint that the lab makes."""
    wanted = [
        (pod.region, kind, pod.url(service, path))
        for pod in pods
        for kind, _, service, path in SERVICES
    ]
    regions = [TOP, *(pod.region for pod in pods)]
    return wanted + [(region, "identity", lab.auth_url) for region in regions]


def environment(lab: Lab, target: str, user: str) -> dict[str, str]:
    """Return the OS_* variables of a user in a pod, or in ``top``."""
    return {
        "OS_AUTH_URL": lab.auth_url,
        "OS_USERNAME": user,
        "OS_PASSWORD": "lab",
        "OS_PROJECT_NAME": USERS[user].project,
        "OS_USER_DOMAIN_ID": "default",
        "OS_PROJECT_DOMAIN_ID": "default",
        "OS_REGION_NAME": lab.region(target),
        "OS_IDENTITY_API_VERSION": "3",
    }


def write_keystone(lab: Lab, name: str = "keystone") -> None:
    """Write keystone.conf and the keys, which are what `keystone-manage fernet_setup` makes."""
    for keys in ("fernet", "credential"):
        directory = lab.data / name / keys
        if directory.exists():
            continue
        directory.mkdir(parents=True, mode=0o700)
        for index in range(2):
            key = directory / str(index)
            key.write_bytes(base64.urlsafe_b64encode(os.urandom(32)))
            key.chmod(0o600)
    etc = lab.etc / name
    etc.mkdir(parents=True, exist_ok=True)
    (etc / "keystone.conf").write_text(render(keystone(lab, name)))


def keystone_manage(lab: Lab, name: str, *words: str) -> Argv:
    conf = lab.etc / name / "keystone.conf"
    return [lab.bin / "keystone-manage", "--config-file", conf, *words]


def keystone_process(lab: Lab) -> Process:
    return Process(lab, "keystone", "keystone")


def start_keystone(lab: Lab) -> None:
    """Start it on a database that is there; do not wait for it."""
    write_keystone(lab)
    keystone_process(lab).start(
        [
            *(lab.bin / "python", "-m", "labkit.serve"),
            *("127.0.0.1", str(lab.port), "keystone.wsgi.api"),
        ],
        {"OS_KEYSTONE_CONFIG_DIR": str(lab.etc / "keystone"), "PYTHONWARNINGS": "ignore"},
    )


def seed_keystone(lab: Lab, pods: list[Pod]) -> None:
    """Wait for Keystone and make what is missing."""
    wait_for("Keystone", lambda: answers(lab.auth_url), [keystone_process(lab)])
    rest = as_admin(lab)
    seed_catalogue(rest, lab, pods)
    seed_users(rest, lab)


def listing(rest: Rest, lab: Lab, collection: str) -> list[Any]:
    found: list[Any] = rest.get(f"{lab.auth_url}/{collection}")[collection]
    return found


def seed_catalogue(rest: Rest, lab: Lab, pods: list[Pod]) -> None:
    regions = {region["id"] for region in listing(rest, lab, "regions")}
    for region in (TOP, *(pod.region for pod in pods)):
        if region not in regions:
            rest.post(f"{lab.auth_url}/regions", {"region": {"id": region}})
    services = {s["type"]: s["id"] for s in listing(rest, lab, "services")}
    for kind, name in (*((kind, name) for kind, name, *_ in SERVICES), ("identity", "keystone")):
        if kind not in services:
            body = {"service": {"type": kind, "name": name}}
            services[kind] = rest.post(f"{lab.auth_url}/services", body)["service"]["id"]
    have = {
        (e["region_id"], e["service_id"], e["interface"]) for e in listing(rest, lab, "endpoints")
    }
    for region, kind, url in endpoints(lab, pods):
        for interface in INTERFACES:
            if (region, services[kind], interface) not in have:
                body = {
                    "endpoint": {
                        "region_id": region,
                        "service_id": services[kind],
                        "interface": interface,
                        "url": url,
                    }
                }
                rest.post(f"{lab.auth_url}/endpoints", body)


def seed_users(rest: Rest, lab: Lab) -> None:
    def ids(collection: str) -> dict[str, str]:
        return {item["name"]: item["id"] for item in listing(rest, lab, collection)}

    def make(kind: str, fields: dict[str, str]) -> str:
        body = {kind: {"domain_id": "default", **fields}}
        made: str = rest.post(f"{lab.auth_url}/{kind}s", body)[kind]["id"]
        return made

    roles, projects, users = ids("roles"), ids("projects"), ids("users")
    for name, user in USERS.items():
        if user.project not in projects:
            projects[user.project] = make("project", {"name": user.project})
        if name in users:
            continue
        users[name] = make("user", {"name": name, "password": "lab"})
        for role in user.roles:
            rest.put(
                f"{lab.auth_url}/projects/{projects[user.project]}"
                f"/users/{users[name]}/roles/{roles[role]}"
            )

# SPDX-License-Identifier: Apache-2.0
"""What each pod holds from the start, with the same ids wherever OpenStack lets one choose."""

from collections.abc import Callable
from typing import Any

from lab.layout import Pod
from lab.rest import Rest

# id, name, RAM in MiB, VCPUs, disk in GiB
FLAVORS = (
    ("42", "m1.nano", 128, 1, 1),
    ("84", "m1.micro", 192, 1, 1),
    ("1", "m1.tiny", 512, 1, 1),
    ("2", "m1.small", 2048, 1, 20),
)
IMAGES = {
    "cirros": "c1220500-0000-4000-8000-000000000001",
    "cirros-alt": "c1220500-0000-4000-8000-000000000002",
}
IMAGE_DATA = b"\0" * 65536
VOLUME_TYPES = {
    "lab": {"volume_backend_name": "lab"},
    "multiattach": {"volume_backend_name": "lab", "multiattach": "<is> True"},
}


def external_prefix(pod: Pod) -> str:
    """Return the first two octets of the pod's external network."""
    return f"172.{23 + pod.number}"


def seed_pod(pod: Pod, rest: Rest) -> None:
    """Make what is missing."""
    seeds: tuple[Callable[[Pod, Rest], None], ...] = (
        seed_volume_types,
        seed_flavors,
        seed_images,
        seed_network,
    )
    for seed in seeds:
        seed(pod, rest)


def seed_volume_types(pod: Pod, rest: Rest) -> None:
    url = pod.url("volume", "/v3/types")
    have = {kind["name"] for kind in rest.get(url)["volume_types"]}
    for name, extra in VOLUME_TYPES.items():
        if name not in have:
            rest.post(url, {"volume_type": {"name": name, "extra_specs": extra}})


def seed_flavors(pod: Pod, rest: Rest) -> None:
    url = pod.url("compute", "/v2.1/flavors")
    have = {flavor["id"] for flavor in rest.get(url)["flavors"]}
    for ident, name, ram, vcpus, disk in FLAVORS:
        if ident not in have:
            flavor = {"id": ident, "name": name, "ram": ram, "vcpus": vcpus, "disk": disk}
            rest.post(url, {"flavor": flavor})


def seed_images(pod: Pod, rest: Rest) -> None:
    url = pod.url("image", "/v2/images")
    have = {image["id"]: image["status"] for image in rest.get(url)["images"]}
    for name, ident in IMAGES.items():
        if ident not in have:
            rest.post(
                url,
                {
                    "id": ident,
                    "name": name,
                    "visibility": "public",
                    "disk_format": "raw",
                    "container_format": "bare",
                },
            )
        if have.get(ident) != "active":
            rest.put(f"{url}/{ident}/file", IMAGE_DATA)


def seed_network(pod: Pod, rest: Rest) -> None:
    url = pod.url("network", "/v2.0")
    if networks(pod, rest):
        return
    # what networks made by auto-allocation take their subnet from
    pool = {
        "name": "shared",
        "is_default": True,
        "shared": True,
        "default_prefixlen": 26,
        "prefixes": ["10.64.0.0/11"],
    }
    rest.post(f"{url}/subnetpools", {"subnetpool": pool})
    network = {
        "name": "public",
        "router:external": True,
        "is_default": True,
        "provider:network_type": "flat",
        "provider:physical_network": "public",
    }
    made = rest.post(f"{url}/networks", {"network": network})["network"]
    subnet = {
        "name": "public-subnet",
        "network_id": made["id"],
        "ip_version": 4,
        "cidr": f"{external_prefix(pod)}.0.0/16",
        "enable_dhcp": False,
    }
    rest.post(f"{url}/subnets", {"subnet": subnet})


def networks(pod: Pod, rest: Rest) -> list[Any]:
    """Return the external network of the pod, if it is there."""
    found: list[Any] = rest.get(pod.url("network", "/v2.0/networks?name=public"))["networks"]
    return found

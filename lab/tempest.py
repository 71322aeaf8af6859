# SPDX-License-Identifier: Apache-2.0
"""Tempest against one pod, or against what stands in front of the pods (``top``)."""

import collections
import dataclasses
import http
import json
import pathlib
import subprocess
import time
import urllib.error
from collections.abc import Mapping
from typing import Any

from lab.layout import SECRET, TOP, ZONES, Lab
from lab.processes import Argv, LabError, run
from lab.rest import Rest, as_admin
from lab.seed import FLAVORS, IMAGES
from lab.services import Sections, render

# test id -> pass, fail or skip
Results = dict[str, str]
# Whose servers, volumes and images are tested; the rest may come from a pod
NEEDED = ("compute", "block-storage", "image")
# region -> service type -> public URL
Catalogue = Mapping[str, Mapping[str, str]]


@dataclasses.dataclass(frozen=True)
class Target:
    """What is tested.

    common_zone: of servers and volumes; "" for any. As long as networks are a pod's own, a
        server goes where its network is, and a volume for it must be there too.
    """

    region: str
    network_region: str
    placement_region: str
    public_network: str
    extensions: tuple[str, ...]
    common_zone: str = ""


def regions(catalogue: Catalogue, region: str, spare: str) -> tuple[str, str]:
    """Return the regions of the network service and of Placement.

    spare: where they come from as long as ``region`` has none.

    Raises LabError if ``region`` lacks what is tested: tempest would take the
    first region it finds and test a pod in silence (tempest/lib/auth.py,
    KeystoneV3AuthProvider.base_url, 47.0.0).
    """
    have = catalogue.get(region, {})
    if missing := [kind for kind in NEEDED if kind not in have]:
        raise LabError(f"The catalogue has no {', '.join(missing)} in {region}: register it first")
    network, placement = (region if kind in have else spare for kind in ("network", "placement"))
    return network, placement


def configuration(lab: Lab, target: Target) -> Sections:
    """Return tempest.conf: what differs from tempest's defaults or had to be looked up."""
    quick = {"build_interval": 1, "build_timeout": 90}
    return {
        "DEFAULT": {"log_file": "tempest.log"},
        "oslo_concurrency": {"lock_path": lab.tempest / "lock"},
        "auth": {
            "admin_username": "admin",
            "admin_password": SECRET,
            "admin_project_name": "admin",
            "admin_domain_name": "Default",
            "use_dynamic_credentials": "true",
            "tempest_roles": "member",
        },
        "identity": {
            "uri_v3": lab.auth_url,
            "region": target.region,
            "v3_endpoint_type": "public",
        },
        "service_available": {
            "swift": "false",
            "horizon": "false",
            "cinder": "true",
            "neutron": "true",
            "glance": "true",
            "nova": "true",
        },
        # No guest, hence no SSH. connect_method stays "floating": with "fixed"
        # the classes that ask for no network get none.
        "validation": {"run_validation": "false"},
        "compute": {
            **quick,
            "image_ref": IMAGES["cirros"],
            "image_ref_alt": IMAGES["cirros-alt"],
            "flavor_ref": FLAVORS[0][0],
            "flavor_ref_alt": FLAVORS[1][0],
            "min_compute_nodes": 1,
            "max_microversion": "latest",
            **({"compute_volume_common_az": target.common_zone} if target.common_zone else {}),
        },
        "compute-feature-enabled": {
            "resize": "true",
            "change_password": "true",
            "cold_migration": "false",
            "live_migration": "false",
            "vnc_console": "false",
            "attach_encrypted_volume": "false",
            "swap_volume": "true",
            "volume_multiattach": "true",
            "console_output": "true",
            "metadata_service": "false",
            "config_drive": "false",
        },
        "image-feature-enabled": {"image_format_enforcement": "false"},
        "volume": {
            **quick,
            "storage_protocol": "iscsi",
            "backup_driver": "posix",
            "vendor_name": "Open Source",
            "volume_type": "lab",
            "volume_type_multiattach": "multiattach",
            "backend_names": "lab",
            "max_microversion": "latest",
        },
        "volume-feature-enabled": {
            "backup": "true",
            "extend_attached_volume": "true",
            "volume_revert": "true",
            "manage_volume": "true",
            "manage_snapshot": "true",
            "consistency_group": "false",
        },
        "placement": {"region": target.placement_region},
        "network": {
            **quick,
            "region": target.network_region,
            "public_network_id": target.public_network,
            "floating_network_name": "public",
        },
        "network-feature-enabled": {
            "ipv6": "true",
            "ipv6_subnet_attributes": "true",
            "api_extensions": ",".join(target.extensions),
        },
    }


def read_catalogue(lab: Lab, rest: Rest) -> Catalogue:
    kinds = {s["id"]: s["type"] for s in rest.get(f"{lab.auth_url}/services")["services"]}
    catalogue: dict[str, dict[str, str]] = {}
    for endpoint in rest.get(f"{lab.auth_url}/endpoints?interface=public")["endpoints"]:
        kind = kinds[endpoint["service_id"]]
        catalogue.setdefault(endpoint["region_id"], {})[kind] = endpoint["url"]
    return catalogue


def is_offered(rest: Rest, url: str) -> bool:
    """Return whether a network service is behind the endpoint; 501 says that none is."""
    try:
        rest.get(f"{url}/v2.0/extensions")
    except urllib.error.HTTPError as error:
        if error.code == http.HTTPStatus.NOT_IMPLEMENTED:
            return False
        raise
    return True


def look_up(lab: Lab, target: str) -> Target:
    """Return what tempest.conf needs to know of a pod, or of ``top``."""
    rest = as_admin(lab)
    catalogue = read_catalogue(lab, rest)
    region = lab.region(target)
    spare = lab.pod("pod1").region if region == TOP else region
    network, placement = regions(catalogue, region, spare)
    if network == TOP and not is_offered(rest, catalogue[TOP]["network"]):
        network = spare
    url = catalogue[network]["network"]
    found: list[Any] = rest.get(f"{url}/v2.0/networks?router:external=True")["networks"]
    public = next((n["id"] for n in found if n["name"] == "public"), None)
    if public is None:
        raise LabError(f"{network} has no external network called public")
    extensions = rest.get(f"{url}/v2.0/extensions")["extensions"]
    aliases = tuple(sorted(extension["alias"] for extension in extensions))
    zone = ZONES[network] if network != region else ""
    return Target(region, network, placement, public, aliases, zone)


def workspace(lab: Lab, target: str) -> pathlib.Path:
    """Make the workspace, or bring its tempest.conf up to date."""
    found = look_up(lab, target)
    home = lab.tempest / target
    if not home.exists():
        lab.tempest.mkdir(parents=True, exist_ok=True)
        register = lab.tempest / "workspaces.yaml"
        run([lab.bin / "tempest", "init", "--workspace-path", register, home])
    (home / "etc/tempest.conf").write_text(render(configuration(lab, found)))
    return home


def run_suite(lab: Lab, target: str, regex: str, concurrency: int = 2) -> Results:
    """Run the tests that match and show them; return what became of each."""
    home = workspace(lab, target)
    begun = time.monotonic()
    argv: Argv = [lab.bin / "tempest", "run", "--concurrency", str(concurrency), "--regex", regex]
    # a failed test is no failure of the command: the results say it
    subprocess.run(argv, cwd=home, check=False)
    took_s = time.monotonic() - begun
    stream = subprocess.run(
        [lab.bin / "stestr", "last", "--subunit"], cwd=home, check=False, stdout=subprocess.PIPE
    ).stdout
    results: Results = json.loads(run([lab.bin / "python", "-m", "labkit.results"], data=stream))
    print(f"{target}: {summary(results)} in {took_s:.0f} s")
    return results


def summary(results: Results) -> str:
    """Return the counts, and before them the tests that failed."""
    counts = collections.Counter(results.values())
    failed = [f"FAILED {test}\n" for test, result in sorted(results.items()) if result == "fail"]
    return "".join(failed) + (
        f"{counts['pass']} passed, {counts['fail']} failed, {counts['skip']} skipped"
    )


def compare(pod: Results, top: Results) -> Results:
    """Return the tests that pass on the pod and not at the top, with what they do there.

    A test without a result at the top is ``absent``: its class failed or was
    skipped as a whole, or the run at the top was of fewer tests.
    """
    found = {test: top.get(test, "absent") for test, result in pod.items() if result == "pass"}
    return {test: result for test, result in sorted(found.items()) if result != "pass"}


def report(pod: Results, top: Results) -> str:
    """Return what `compare` finds, a line for each test, and both summaries in one."""
    broken = compare(pod, top)
    passed = sum(result == "pass" for result in pod.values())
    lines = [f"{result:6} {test}" for test, result in broken.items()]
    lines += [f"{passed} tests pass on the pod, {len(broken)} of them not at the top"]
    return "\n".join(lines)

# SPDX-License-Identifier: Apache-2.0
"""What Nova shows of a server, by microversion and role.

Source: nova/api/openstack/compute/views/servers.py@34.0.0.
"""

import hashlib
from functools import lru_cache
from typing import Any
from urllib.parse import urlencode

from trio2o.pods.fake.cloud import Cloud
from trio2o.pods.fake.state import Server, micros, seconds
from trio2o.pods.fake.web import Request

_TASK_STATUS: dict[str, dict[str | None, str]] = {
    "active": {
        "rebooting": "REBOOT",
        "rebooting_hard": "HARD_REBOOT",
        "updating_password": "PASSWORD",
        "rebuilding": "REBUILD",
        "migrating": "MIGRATING",
        "resize_prep": "RESIZE",
        "resize_finish": "RESIZE",
    },
    "stopped": {
        "resize_prep": "RESIZE",
        "resize_finish": "RESIZE",
        "rebuilding": "REBUILD",
    },
    "resized": {"resize_reverting": "REVERT_RESIZE"},
    "error": {"rebuilding": "REBUILD"},
}
_STATUS = {
    "active": "ACTIVE",
    "building": "BUILD",
    "stopped": "SHUTOFF",
    "resized": "VERIFY_RESIZE",
    "paused": "PAUSED",
    "suspended": "SUSPENDED",
    "rescued": "RESCUE",
    "error": "ERROR",
    "deleted": "DELETED",
    "soft-delete": "SOFT_DELETED",
    "shelved": "SHELVED",
    "shelved_offloaded": "SHELVED_OFFLOADED",
}
_WITH_PROGRESS = {"ACTIVE", "BUILD", "REBUILD", "RESIZE", "VERIFY_RESIZE", "MIGRATING"}


def status(server: Server) -> str:
    if server.deleted:
        return "DELETED"
    by_task = _TASK_STATUS.get(server.vm_state, {})
    return by_task.get(server.task_state) or _STATUS[server.vm_state]


def states_of(wanted: list[str]) -> tuple[set[str], set[str]]:
    """The vm_states and task_states that ``wanted`` statuses can be; "default" is any task."""
    names = {name.lower() for name in wanted}
    states = {vm for vm, shown in _STATUS.items() if shown.lower() in names}
    tasks = {"default"} if states else set()
    for vm, by_task in _TASK_STATUS.items():
        for task, shown in by_task.items():
            if shown.lower() in names and task is not None:
                states.add(vm)
                tasks.add(task)
    return states, tasks


def application_url(request: Request) -> str:
    """The URL that links begin with."""
    if request.project_in_url:
        return f"{request.base}/{request.project_in_url}"
    return request.base


def links(request: Request, collection: str, item_id: str) -> list[dict[str, str]]:
    return [
        {"rel": "self", "href": f"{application_url(request)}/{collection}/{item_id}"},
        {"rel": "bookmark", "href": bookmark(request, collection, item_id)},
    ]


def bookmark(request: Request, collection: str, item_id: str) -> str:
    root = request.base.rpartition("/")[0]
    project = f"/{request.project_in_url}" if request.project_in_url else ""
    return f"{root}{project}/{collection}/{item_id}"


def next_page(request: Request, path: str, marker: str) -> list[dict[str, str]]:
    """The link to the page after ``marker``; of what the query has twice it keeps one.

    Source: nova/api/openstack/common.py@34.0.0 _get_next_link.
    """
    params = dict(sorted(request.query))
    params["marker"] = marker
    href = f"{application_url(request)}/{path}?{urlencode(params)}"
    return [{"rel": "next", "href": href}]


def brief(request: Request, server: Server) -> dict[str, Any]:
    return {"id": server.id, "name": server.name, "links": links(request, "servers", server.id)}


@lru_cache(maxsize=4096)
def _host_id(host: str, project_id: str) -> str:
    return hashlib.sha224((project_id + host).encode()).hexdigest()


def _flavor(request: Request, server: Server) -> dict[str, Any]:
    flavor = server.flavor
    if not request.since(47):
        href = bookmark(request, "flavors", flavor.id)
        return {"id": flavor.id, "links": [{"rel": "bookmark", "href": href}]}
    return {
        "vcpus": flavor.vcpus,
        "ram": flavor.ram,
        "disk": flavor.disk,
        "ephemeral": flavor.ephemeral,
        "swap": flavor.swap,
        "original_name": flavor.name,
        "extra_specs": flavor.extra_specs,
    }


def _image(request: Request, server: Server) -> Any:
    if not server.image_id:
        return ""
    href = bookmark(request, "images", server.image_id)
    image: dict[str, Any] = {"id": server.image_id, "links": [{"rel": "bookmark", "href": href}]}
    if request.since(98):
        image["properties"] = {}
    return image


def detail(
    cloud: Cloud, request: Request, server: Server, *, whole: bool = True, show: bool = True
) -> dict[str, Any]:
    """The server as GET shows it.

    whole: False for PUT and rebuild before 2.75, which leave out what extensions added.
    show: False in a list, which has no server_groups.
    """
    shown = status(server)
    view: dict[str, Any] = {
        "accessIPv4": server.access_ipv4,
        "accessIPv6": server.access_ipv6,
        "addresses": _addresses(server, whole=whole),
        "created": seconds(server.created),
        "flavor": _flavor(request, server),
        "hostId": _host_id(server.host, server.project_id) if server.host else "",
        "id": server.id,
        "image": _image(request, server),
        "links": links(request, "servers", server.id),
        "metadata": server.metadata,
        "name": server.name,
        "status": shown,
        "tenant_id": server.project_id,
        "user_id": server.user_id,
        "updated": seconds(server.updated),
        "OS-DCF:diskConfig": server.disk_config,
    }
    if server.fault is not None and shown in ("ERROR", "DELETED"):
        view["fault"] = _fault(request, server.fault)
    if shown in _WITH_PROGRESS:
        view["progress"] = 0
    if whole:
        _extensions(cloud, request, server, view)
    _newer(request, server, view, whole=whole, show=show)
    return view


def _addresses(server: Server, *, whole: bool) -> dict[str, list[dict[str, Any]]]:
    if server.vm_state == "building":
        return {}
    if whole:
        return server.addresses
    return {
        name: [{"version": ip["version"], "addr": ip["addr"]} for ip in ips]
        for name, ips in server.addresses.items()
    }


def _fault(request: Request, fault: dict[str, Any]) -> dict[str, Any]:
    if request.who.is_admin:
        return fault
    return {key: value for key, value in fault.items() if key != "details"}


def _extensions(cloud: Cloud, request: Request, server: Server, view: dict[str, Any]) -> None:
    view["OS-EXT-AZ:availability_zone"] = server.zone
    view["config_drive"] = server.config_drive
    view["key_name"] = server.key_name
    view["OS-SRV-USG:launched_at"] = micros(server.launched)
    view["OS-SRV-USG:terminated_at"] = micros(server.terminated)
    if server.security_groups and server.addresses:
        view["security_groups"] = [{"name": name} for name in server.security_groups]
    if request.who.is_admin:
        _admin_attributes(cloud, request, server, view)
    elif request.since(90):
        view["OS-EXT-SRV-ATTR:hostname"] = server.hostname
    view["OS-EXT-STS:task_state"] = server.task_state
    view["OS-EXT-STS:vm_state"] = server.vm_state
    view["OS-EXT-STS:power_state"] = server.power_state
    attached: list[dict[str, Any]] = []
    for attachment in server.attachments:
        volume: dict[str, Any] = {"id": attachment.volume_id}
        if request.since(3):
            volume["delete_on_termination"] = attachment.delete_on_termination
        attached.append(volume)
    view["os-extended-volumes:volumes_attached"] = attached


def _admin_attributes(
    cloud: Cloud, request: Request, server: Server, view: dict[str, Any]
) -> None:
    view["OS-EXT-SRV-ATTR:host"] = server.host
    view["OS-EXT-SRV-ATTR:instance_name"] = f"instance-{server.number:08x}"
    view["OS-EXT-SRV-ATTR:hypervisor_hostname"] = cloud.host if server.host else None
    if request.since(3):
        view["OS-EXT-SRV-ATTR:hostname"] = server.hostname
        view["OS-EXT-SRV-ATTR:kernel_id"] = ""
        view["OS-EXT-SRV-ATTR:launch_index"] = server.launch_index
        view["OS-EXT-SRV-ATTR:ramdisk_id"] = ""
        view["OS-EXT-SRV-ATTR:reservation_id"] = server.reservation_id
        view["OS-EXT-SRV-ATTR:root_device_name"] = server.root_device
        view["OS-EXT-SRV-ATTR:user_data"] = server.user_data


def _newer(
    request: Request, server: Server, view: dict[str, Any], *, whole: bool, show: bool
) -> None:
    if request.since(9):
        view["locked"] = server.locked
    if request.since(16) and whole and request.who.is_admin:
        view["host_status"] = "UP" if server.host else ""
    if request.since(19):
        view["description"] = server.description
    if request.since(26):
        view["tags"] = server.tags
    if request.since(63):
        view["trusted_image_certificates"] = None
    if request.since(71) and show:
        view["server_groups"] = [server.group_id] if server.group_id else []
    if request.since(73):
        view["locked_reason"] = server.locked_reason
    if request.since(96) and whole:
        view["pinned_availability_zone"] = server.pinned_zone
    if request.since(100):
        view["scheduler_hints"] = server.hints

# SPDX-License-Identifier: Apache-2.0
"""What lists of servers sort and filter by.

Regular expressions disregard case, as on MariaDB.
Source: nova/db/main/api.py@34.0.0 instance_get_all_by_filters_sort.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from trio2o.pods.fake.cloud import Cloud
from trio2o.pods.fake.server_view import states_of
from trio2o.pods.fake.state import Server
from trio2o.pods.fake.web import Fault, Request, truth

FIELDS: dict[str, Callable[[Server], Any]] = {
    "access_ip_v4": lambda server: server.access_ipv4 or None,
    "access_ip_v6": lambda server: server.access_ipv6 or None,
    "auto_disk_config": lambda server: server.disk_config == "AUTO",
    "availability_zone": lambda server: server.zone or None,
    "config_drive": lambda server: server.config_drive,
    "created_at": lambda server: server.created.replace(microsecond=0),
    "display_description": lambda server: server.description,
    "display_name": lambda server: server.name,
    "host": lambda server: server.host,
    "hostname": lambda server: server.hostname,
    "image_ref": lambda server: server.image_id,
    "instance_type_id": lambda server: server.flavor.id,
    "kernel_id": lambda _: "",
    "key_name": lambda server: server.key_name,
    "launch_index": lambda server: server.launch_index,
    "launched_at": lambda server: server.launched,
    "locked_by": lambda server: "owner" if server.locked else None,
    "node": lambda server: server.host,
    "power_state": lambda server: server.power_state,
    "progress": lambda _: 0,
    "project_id": lambda server: server.project_id,
    "ramdisk_id": lambda _: "",
    "root_device_name": lambda server: server.root_device,
    "task_state": lambda server: server.task_state,
    "terminated_at": lambda server: server.terminated,
    "updated_at": lambda server: server.updated.replace(microsecond=0),
    "user_id": lambda server: server.user_id,
    "uuid": lambda server: server.id,
    "vm_state": lambda server: server.vm_state,
}


EXACT = {
    "project_id": "project_id",
    "tenant_id": "project_id",
    "user_id": "user_id",
    "image": "image_ref",
    "image_ref": "image_ref",
    "uuid": "uuid",
    "host": "host",
    "vm_state": "vm_state",
    "task_state": "task_state",
}


REGEX = {
    "name": "display_name",
    "display_name": "display_name",
    "description": "display_description",
    "display_description": "display_description",
    **{
        name: name
        for name in (
            "kernel_id",
            "ramdisk_id",
            "hostname",
            "key_name",
            "power_state",
            "node",
            "launched_at",
            "terminated_at",
            "availability_zone",
            "locked_by",
            "root_device_name",
            "config_drive",
            "access_ip_v4",
            "access_ip_v6",
            "auto_disk_config",
            "progress",
            "created_at",
            "launch_index",
        )
    },
}


PATTERNS = {
    *REGEX,
    "flavor",
    "reservation_id",
    "ip",
    "ip6",
    *("tags", "tags-any", "not-tags", "not-tags-any"),
}


Test = Callable[[Server], bool]


def is_regex(text: str) -> bool:
    try:
        re.compile(text)
    except re.error:
        return False
    return bool(text)


def moment_of(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text.replace(" ", "+"))
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def tests_of(cloud: Cloud, request: Request, options: dict[str, list[str]]) -> list[Test] | None:
    """What a server must pass; None when nothing can."""
    tests: list[Test] = []
    for key, values in options.items():
        value = values[-1]
        if key in EXACT:
            tests.append(_exact(FIELDS[EXACT[key]], value))
        elif key in REGEX:
            tests.append(_regex(FIELDS[REGEX[key]], value))
        elif key == "status":
            if "status" in options and not _add_status(request, values, tests):
                return None
        elif key == "flavor":
            if cloud.flavors.find(value) is None:
                return None
            tests.append(lambda server, wanted=value: server.flavor.id == wanted)  # type: ignore[misc]
        elif key in _SPECIAL:
            tests.append(_SPECIAL[key](value))
    return tests


def _exact(field: Callable[[Server], Any], value: str) -> Test:
    return lambda server: field(server) == value


def _regex(field: Callable[[Server], Any], value: str) -> Test:
    pattern = re.compile(value, re.IGNORECASE)
    return lambda server: pattern.search(str(_text(field(server)))) is not None


def _text(value: Any) -> str:
    return "" if value is None else str(int(value) if isinstance(value, bool) else value)


def _add_status(request: Request, wanted: list[str], tests: list[Test]) -> bool:
    states, tasks = states_of(wanted)
    if not states:
        if request.since(38):
            raise Fault(400, "Invalid status value")
        return False
    if states == {"deleted"} and not request.who.is_admin:
        raise Fault(403, "Only administrators may list deleted instances")
    tests.append(lambda server: server.vm_state in states)
    if "default" not in tasks:
        tests.append(lambda server: server.task_state in tasks)
    return True


def _changed_since(value: str) -> Test:
    moment = moment_of(value)
    return lambda server: moment is None or server.updated.replace(microsecond=0) >= moment


def _changed_before(value: str) -> Test:
    moment = moment_of(value)
    return lambda server: moment is None or server.updated.replace(microsecond=0) <= moment


def _by_ip(value: str) -> Test:
    pattern = re.compile(value)
    return lambda server: any(
        pattern.search(ip["addr"]) for ips in server.addresses.values() for ip in ips
    )


def _split(value: str) -> set[str]:
    return set(value.split(","))


_SPECIAL: dict[str, Callable[[str], Test]] = {
    "changes-since": _changed_since,
    "changes-before": _changed_before,
    "ip": _by_ip,
    "ip6": _by_ip,
    "reservation_id": lambda value: lambda server: server.reservation_id == value,
    "locked": lambda value: lambda server: server.locked == truth(value),
    "tags": lambda value: lambda server: _split(value) <= set(server.tags),
    "tags-any": lambda value: lambda server: bool(_split(value) & set(server.tags)),
    "not-tags": lambda value: lambda server: not _split(value) <= set(server.tags),
    "not-tags-any": lambda value: lambda server: not _split(value) & set(server.tags),
}

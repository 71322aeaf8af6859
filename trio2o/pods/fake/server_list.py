# SPDX-License-Identifier: Apache-2.0
"""Lists of servers: filters, order, pages.

Source: nova/api/openstack/compute/servers.py, nova/db/main/api.py
instance_get_all_by_filters_sort, nova/compute/instance_list.py @34.0.0. Regular expressions
and order disregard case, as on MariaDB.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from trio2o.pods.fake.paging import after, ordered
from trio2o.pods.fake.server_view import brief, detail, next_page, states_of
from trio2o.pods.fake.service import require_role
from trio2o.pods.fake.state import Cloud, Server, look
from trio2o.pods.fake.web import Fault, Request, Response, Row, truth

MAX_LIMIT = 1000

_IGNORED_SORT = [
    "architecture",
    "cell_name",
    "cleaned",
    "default_ephemeral_device",
    "default_swap_device",
    "deleted",
    "deleted_at",
    "disable_terminate",
    "ephemeral_gb",
    "ephemeral_key_uuid",
    "id",
    "key_data",
    "launched_on",
    "locked",
    "memory_mb",
    "os_type",
    "reservation_id",
    "root_gb",
    "shutdown_terminate",
    "user_data",
    "vcpus",
    "vm_mode",
]
_FIELDS: dict[str, Callable[[Server], Any]] = {
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
_EXACT = {
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
_REGEX = {
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
_PATTERNS = {
    *_REGEX,
    "flavor",
    "reservation_id",
    "ip",
    "ip6",
    *("tags", "tags-any", "not-tags", "not-tags-any"),
}
_JOINED = (
    "block_device_mapping",
    "services",
    "metadata",
    "system_metadata",
    "info_cache",
    "security_groups",
    "pci_devices",
)
_PAGING = ("sort_key", "sort_dir", "limit", "marker")
_BOUNDS = ("since", "before")
_TAGS = ("tags", "tags-any", "not-tags", "not-tags-any")
_MORE = (
    "flavor",
    "reservation_id",
    "ip",
    "ip6",
    "status",
    "all_tenants",
    "deleted",
    "soft_deleted",
    "changes-since",
    *_TAGS,
    "changes-before",
    "locked",
)
_KNOWN = {*_EXACT, *_REGEX, *_JOINED, *_PAGING, *_MORE}
_FOR_ALL = {
    "reservation_id": 0,
    "name": 0,
    "status": 0,
    "image": 0,
    "flavor": 0,
    "ip": 0,
    "changes-since": 0,
    "all_tenants": 0,
    "ip6": 5,
    **dict.fromkeys(_TAGS, 26),
    "changes-before": 66,
    "locked": 73,
    **dict.fromkeys(
        (
            "availability_zone",
            "config_drive",
            "key_name",
            "created_at",
            "launched_at",
            "terminated_at",
            "power_state",
            "task_state",
            "vm_state",
            "progress",
            "user_id",
        ),
        83,
    ),
    "hostname": 90,
}

Sort = tuple[tuple[str, str], ...]
Test = Callable[[Server], bool]


def _index(cloud: Cloud, request: Request) -> Response:
    page = _page(cloud, request, "index")
    items = [brief(request, server) for server in page]
    return _answer(request, "servers", items)


def _detail(cloud: Cloud, request: Request) -> Response:
    page = _page(cloud, request, "detail")
    items = [detail(cloud, request, server, show=False) for server in page]
    for server in page:
        look(server)
    return _answer(request, "servers/detail", items)


def _answer(request: Request, path: str, items: list[dict[str, Any]]) -> Response:
    body: dict[str, Any] = {"servers": items}
    limit = min(int(request.first("limit") or MAX_LIMIT), MAX_LIMIT)
    if items and limit == len(items):
        body["servers_links"] = next_page(request, path, items[-1]["id"])
    return Response(body=body)


def _page(cloud: Cloud, request: Request, rule: str) -> list[Server]:
    _check_query(request)
    options = _options(request)
    sort = _sort(request)
    scope = _scope(request, options, rule)
    tests = _tests(cloud, request, options)
    if tests is None:
        return []
    gone = _wants_deleted(request, options)

    def make() -> list[Server]:
        kept = [
            server
            for server in cloud.servers.every()
            if (gone is None or server.deleted == gone)
            and (scope is None or server.project_id == scope)
            and all(test(server) for test in tests)
        ]
        # Build requests come before what has a host: nova/compute/api.py@34.0.0 get_all.
        kept = ordered(kept, sort, _read)
        return [server for server in kept if _waits(server)] + [
            server for server in kept if not _waits(server)
        ]

    name = (scope, sort, gone, tuple(sorted((key, *value) for key, value in options.items())))
    found = cloud.servers.view(name, make)
    limit = min(int(request.first("limit") or MAX_LIMIT), MAX_LIMIT)
    if not request.asks("marker"):
        return found[:limit]
    marker = cloud.servers.find_any(request.first("marker"))
    if marker is None:
        raise Fault(400, f"marker [{request.first('marker')}] not found")
    waiting = sum(_waits(server) for server in found)
    if _waits(marker):
        start = after(found[:waiting], marker, sort, _read)
    else:
        start = waiting + after(found[waiting:], marker, sort, _read)
    return found[start : start + limit]


def _waits(server: Server) -> bool:
    return server.vm_state == "building" and server.host is None


def _read(server: Server, key: str) -> Any:
    return _FIELDS[key](server)


def _check_query(request: Request) -> None:
    unknown = sorted(
        {key for key, _ in request.query if key not in _KNOWN and not key.startswith("_")}
    )
    if unknown and request.since(75):
        verb = "does" if len(unknown) == 1 else "do"
        listed = ", ".join(repr(key) for key in unknown)
        raise Fault(400, f"{listed} {verb} not match any of the regexes: '^_'")
    for key, value in request.query:
        if key == "limit" and not value:
            raise bad_query(key, value, "'' should be non-empty")
        if key == "limit" and not re.search("^[0-9]*$", value):
            raise bad_query(key, value, f"{value!r} does not match '^[0-9]*$'")
        if key in _PATTERNS and not _is_regex(value):
            raise bad_query(key, value, f"{value!r} is not a 'regex'")
        if key in ("changes-since", "changes-before") and _moment(value) is None:
            raise bad_query(key, value, f"{value!r} is not a 'date-time'")


def bad_query(key: str, value: str, message: str) -> Fault:
    return Fault(400, f"Invalid input for query parameters {key}. Value: {value}. {message}")


def _is_regex(text: str) -> bool:
    try:
        re.compile(text)
    except re.error:
        return False
    return bool(text)


def _moment(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text.replace(" ", "+"))
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _options(request: Request) -> dict[str, list[str]]:
    """The filters that count; others are dropped for those who may not use them."""
    options: dict[str, list[str]] = {}
    for key, value in request.query:
        if key in _PAGING:
            continue
        if request.who.is_admin or request.version[1] >= _FOR_ALL.get(key, 1000):
            options.setdefault(key, []).append(value)
    for key in options:
        if key in _JOINED or key.startswith("_"):
            raise Fault(400, f"Invalid filter field: {key}.")
    since, before = (_moment(options.get(f"changes-{word}", [""])[-1]) for word in _BOUNDS)
    if since and before and before < since:
        raise Fault(
            400, "The value of changes-since must be less than or equal to changes-before."
        )
    return options


def _scope(request: Request, options: dict[str, list[str]], rule: str) -> str | None:
    """The project whose servers are listed; None for every project."""
    asked = options.pop("all_tenants", None)
    if asked is not None and all_tenants(asked[-1]):
        require_role(request, f"os_compute_api:servers:{rule}:get_all_tenants", "admin")
        return None
    options.pop("tenant_id", None)
    options.pop("project_id", None)
    return request.who.project_id


def all_tenants(text: str) -> bool:
    """Source: nova/api/openstack/common.py@34.0.0 is_all_tenants. Raises Fault(400)."""
    words = ("0", "1", "f", "false", "n", "no", "off", "on", "t", "true", "y", "yes")
    if text and text.strip().lower() not in words:
        listed = ", ".join(repr(word) for word in words)
        raise Fault(400, f"Unrecognized value '{text}', acceptable values are: {listed}")
    return truth(text or "1")


def _wants_deleted(request: Request, options: dict[str, list[str]]) -> bool | None:
    """Whether deleted ones are listed: None is both."""
    if "deleted" in options:
        return truth(options["deleted"][-1])
    if "changes-since" in options or "changes-before" in options:
        return None
    statuses = [status.lower() for status in options.get("status", ())]
    return "deleted" in statuses and request.who.is_admin


def _sort(request: Request) -> Sort:
    keys = [key.strip() for key in request.every("sort_key")] or ["created_at"]
    directions = [text.strip() for text in request.every("sort_dir")] or ["desc"]
    allowed = [*_FIELDS, *(() if request.since(75) else _IGNORED_SORT)]
    for key in keys:
        if key not in allowed and not (key == "locked" and request.since(73)):
            raise bad_query("sort_key", key, f"{key!r} is not one of {allowed!r}")
        if key in ("host", "node") and not request.who.is_admin:
            raise Fault(403, f"Only administrators can sort servers by {key}")
    for index in [index for index, key in enumerate(keys) if key in _IGNORED_SORT][::-1]:
        del keys[index]
        del directions[index : index + 1]
    if any(direction not in ("asc", "desc") for direction in directions):
        raise Fault(400, "Invalid input received: Unknown sort direction, must be 'desc' or 'asc'")
    if len(directions) > len(keys):
        raise Fault(400, "Invalid input received: Sort direction size exceeds sort key size")
    # nova/compute/instance_list.py appends uuid and "asc", each to its own list, and
    # nova/db/utils.py process_sort_params fills up with the first direction.
    if "uuid" not in keys:
        keys.append("uuid")
        directions.append("asc")
    missing = len(keys) - len(directions)
    pairs = zip(keys, directions + directions[:1] * missing, strict=True)
    return tuple(pairs)


def _tests(cloud: Cloud, request: Request, options: dict[str, list[str]]) -> list[Test] | None:
    """What a server must pass; None when nothing can."""
    tests: list[Test] = []
    for key, values in options.items():
        value = values[-1]
        if key in _EXACT:
            tests.append(_exact(_FIELDS[_EXACT[key]], value))
        elif key in _REGEX:
            tests.append(_regex(_FIELDS[_REGEX[key]], value))
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
    moment = _moment(value)
    return lambda server: moment is None or server.updated.replace(microsecond=0) >= moment


def _changed_before(value: str) -> Test:
    moment = _moment(value)
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

ROWS = (
    Row("GET /servers", _index),
    Row("GET /servers/detail", _detail),
)

# SPDX-License-Identifier: Apache-2.0
"""Lists of servers: filters, order, pages.

Source: nova/api/openstack/compute/servers.py, nova/db/main/api.py
instance_get_all_by_filters_sort, nova/compute/instance_list.py @34.0.0. Regular expressions
and order disregard case, as on MariaDB.
"""

import re
from bisect import bisect_left
from typing import Any

import orjson

from trio2o.pods.fake.cloud import Cloud
from trio2o.pods.fake.paging import after, ordered
from trio2o.pods.fake.server_filters import (
    EXACT,
    FIELDS,
    PATTERNS,
    REGEX,
    is_regex,
    moment_of,
    tests_of,
)
from trio2o.pods.fake.server_view import brief, detail, next_page
from trio2o.pods.fake.service import require_role
from trio2o.pods.fake.state import Server, look
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
_KNOWN = {*EXACT, *REGEX, *_JOINED, *_PAGING, *_MORE}
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


def _index(cloud: Cloud, request: Request) -> Response:
    def make() -> tuple[bytes, bool]:
        page = _page(cloud, request, "index")
        items = [brief(request, server) for server in page]
        return _body(request, "servers", items), True

    return Response(body=cloud.servers.page(request.page_name, make))


def _detail(cloud: Cloud, request: Request) -> Response:
    def make() -> tuple[bytes, bool]:
        page = _page(cloud, request, "detail")
        items = [detail(cloud, request, server, show=False) for server in page]
        settled = all(server.then is None for server in page)
        for server in page:
            look(server)
        return _body(request, "servers/detail", items), settled

    return Response(body=cloud.servers.page(request.page_name, make))


def _body(request: Request, path: str, items: list[dict[str, Any]]) -> bytes:
    body: dict[str, Any] = {"servers": items}
    limit = min(int(request.first("limit") or MAX_LIMIT), MAX_LIMIT)
    if items and limit == len(items):
        body["servers_links"] = next_page(request, path, items[-1]["id"])
    return orjson.dumps(body)


def _page(cloud: Cloud, request: Request, rule: str) -> list[Server]:
    _check_query(request)
    options = _options(request)
    sort = _sort(request)
    scope = _scope(request, options, rule)
    tests = tests_of(cloud, request, options)
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
    waiting = bisect_left(found, 1, key=lambda server: not _waits(server))
    if _waits(marker):
        start = after(found[:waiting], marker, sort, _read)
    else:
        start = waiting + after(found[waiting:], marker, sort, _read)
    return found[start : start + limit]


def _waits(server: Server) -> bool:
    return server.vm_state == "building" and server.host is None


def _read(server: Server, key: str) -> Any:
    return FIELDS[key](server)


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
        if key in PATTERNS and not is_regex(value):
            raise bad_query(key, value, f"{value!r} is not a 'regex'")
        if key in ("changes-since", "changes-before") and moment_of(value) is None:
            raise bad_query(key, value, f"{value!r} is not a 'date-time'")


def bad_query(key: str, value: str, message: str) -> Fault:
    return Fault(400, f"Invalid input for query parameters {key}. Value: {value}. {message}")


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
    since, before = (moment_of(options.get(f"changes-{word}", [""])[-1]) for word in _BOUNDS)
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
    allowed = [*FIELDS, *(() if request.since(75) else _IGNORED_SORT)]
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


ROWS = (
    Row("GET /servers", _index),
    Row("GET /servers/detail", _detail),
)

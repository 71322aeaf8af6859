# SPDX-License-Identifier: Apache-2.0
"""Servers of Nova: making, showing, renaming, deleting; their metadata and tags.

Source: nova/api/openstack/compute/servers.py@34.0.0.
"""

import secrets
from typing import Any

from trio2o.pods.fake import server_schema
from trio2o.pods.fake.cloud import Cloud
from trio2o.pods.fake.server_disks import check_disks, connect_disks, disconnect_all
from trio2o.pods.fake.server_nics import check_networks, plug, unplug
from trio2o.pods.fake.server_view import detail, links
from trio2o.pods.fake.service import require_role, validate
from trio2o.pods.fake.state import Flavor, Server, later, look, seconds
from trio2o.pods.fake.web import Fault, Request, Response, Row, truth

NO_CANDIDATES = "No valid host was found. "
NO_HOSTS_LEFT = "No valid host was found. There are not enough hosts available."


def find_server(cloud: Cloud, request: Request, server_id: str | None = None) -> Server:
    """The caller's server. Raises Fault(404), also for those of other projects."""
    wanted = server_id if server_id is not None else request["server"]
    server = cloud.servers.find(wanted)
    if server is None or (
        server.project_id != request.who.project_id and not request.who.is_admin
    ):
        raise Fault(404, f"Instance {wanted} could not be found.")
    return server


def find_mapped(cloud: Cloud, request: Request) -> Server:
    """As ``find_server``, in the words of those that look into the cell mappings first."""
    if cloud.servers.find_any(request["server"]) is None:
        raise Fault(404, f"Instance {request['server']} has no mapping to a cell.")
    return find_server(cloud, request)


def touch(cloud: Cloud, server: Server) -> None:
    server.updated = cloud.now()
    cloud.servers.changed()


def check_quota(cloud: Cloud, request: Request, flavor: Flavor, least: int, most: int) -> int:
    """How many servers of ``flavor`` the quota allows, at least ``least``. Raises Fault(403)."""
    if all(cloud.compute_quota[name] < 0 for name in ("instances", "cores", "ram")):
        return most
    mine = list(cloud.servers_of(request.who.project_id))
    used = {
        "instances": len(mine),
        "cores": sum(server.flavor.vcpus for server in mine),
        "ram": sum(server.flavor.ram for server in mine),
    }
    each = {"instances": 1, "cores": flavor.vcpus, "ram": flavor.ram}
    for count in range(most, least - 1, -1):
        over = [
            name
            for name in sorted(each)
            if 0 <= cloud.compute_quota[name] < used[name] + count * each[name]
        ]
        if not over:
            return count
    # nova/exception.py@34.0.0 TooManyInstances, nova/compute/utils.py check_num_instances_quota
    wanted = ", ".join(str(least * each[name]) for name in over)
    now_used = ", ".join(str(used[name]) for name in over)
    allowed = ", ".join(str(cloud.compute_quota[name]) for name in over)
    raise Fault(
        403,
        f"Quota exceeded for {', '.join(over)}: Requested {wanted}, but already used "
        f"{now_used} of {allowed} {', '.join(over)}",
    )


def _create(cloud: Cloud, request: Request) -> Response:
    body = validate(server_schema.create(request.version[1]), request.body)
    asked: dict[str, Any] = body["server"]
    least = int(asked.get("min_count", 1))
    most = int(asked.get("max_count", least))
    if least > most:
        raise Fault(400, "min_count must be <= max_count")
    zone = _zone(request, str(asked.get("availability_zone") or ""))
    if asked.get("imageRef") in (None, "") and not asked.get("block_device_mapping_v2"):
        raise Fault(400, "Missing imageRef attribute")
    flavor_id = str(asked["flavorRef"]).rpartition("/")[2]
    flavor = cloud.flavors.find(flavor_id)
    if flavor is None:
        raise Fault(400, f"Flavor {flavor_id} could not be found.")
    if zone and zone != cloud.zone:
        raise Fault(400, "The requested availability zone is not available")
    image_id = _image(cloud, request, str(asked.get("imageRef") or ""))
    if asked.get("key_name") and not cloud.keypairs.find(
        f"{request.who.user_id}/{asked['key_name']}"
    ):
        raise Fault(400, "Invalid key_name provided.")
    hints = body.get("os:scheduler_hints") or body.get("OS-SCH-HNT:scheduler_hints") or {}
    group_id = _check_group(cloud, request, hints)
    networks = check_networks(cloud, request, asked.get("networks"), most)
    disks = check_disks(cloud, request, asked.get("block_device_mapping_v2") or [], image_id)
    count = check_quota(cloud, request, flavor, least, most)
    reservation = f"r-{secrets.token_hex(4)}"
    made = []
    for index in range(count):
        server = _build(cloud, request, asked, flavor, image_id=image_id, index=index, count=count)
        server.reservation_id = reservation
        server.pinned_zone = zone or None
        server.hints = {
            hint: value if isinstance(value, list) else [value] for hint, value in hints.items()
        }
        server.group_id = group_id
        cloud.servers.add(server)
        connect_disks(cloud, server, disks)
        plug(cloud, server, networks)
        schedule(cloud, server)
        made.append(server)
    if truth(asked.get("return_reservation_id", False)):
        return Response(202, {"reservation_id": reservation})
    return _created(request, asked, made[0])


def _created(request: Request, asked: dict[str, Any], server: Server) -> Response:
    shown = {
        "id": server.id,
        "links": links(request, "servers", server.id),
        "OS-DCF:diskConfig": server.disk_config,
        "security_groups": asked.get("security_groups", [{"name": "default"}]),
        "adminPass": asked.get("adminPass") or secrets.token_hex(6),
    }
    return Response(202, {"server": shown}, [("Location", shown["links"][0]["href"])])


def _zone(request: Request, text: str) -> str:
    """The zone of ``zone``, ``zone:host`` or ``zone:host:node``."""
    zone, _, host = text.partition(":")
    if host:
        require_role(request, "os_compute_api:servers:create:forced_host", "admin")
    return zone


def _image(cloud: Cloud, request: Request, reference: str) -> str:
    if not reference:
        return ""
    image_id = reference.rpartition("/")[2]
    image = cloud.images.find(image_id)
    if image is None or (
        image.visibility not in ("public", "community")
        and image.owner != request.who.project_id
        and request.who.project_id not in image.members
        and not request.who.is_admin
    ):
        raise Fault(400, "Can not find requested image")
    if image.status != "active":
        raise Fault(400, f"Image {image_id} is not active.")
    return image_id


def _check_group(cloud: Cloud, request: Request, hints: dict[str, Any]) -> str | None:
    group_id = hints.get("group")
    if group_id is None:
        return None
    group = cloud.groups.find(str(group_id))
    if group is None or group.project_id != request.who.project_id:
        raise Fault(400, f"Instance group {group_id} could not be found.")
    return group.id


def _build(
    cloud: Cloud,
    request: Request,
    asked: dict[str, Any],
    flavor: Flavor,
    *,
    image_id: str,
    index: int,
    count: int,
) -> Server:
    now = cloud.now()
    cloud.server_count += 1
    name = str(asked["name"]).strip()
    if count > 1:
        name = f"{name}-{index + 1}"
    description = asked.get("description") if request.since(19) else name
    return Server(
        id=cloud.new_id(),
        number=cloud.server_count,
        name=name,
        project_id=request.who.project_id,
        user_id=request.who.user_id,
        flavor=flavor,
        image_id=image_id,
        created=now,
        updated=now,
        metadata=dict(asked.get("metadata") or {}),
        tags=sorted(set(asked.get("tags") or ())),
        description=description,
        hostname=str(asked.get("hostname") or name.lower().replace(" ", "-")),
        key_name=asked.get("key_name"),
        config_drive="True" if truth(asked.get("config_drive", False)) else "",
        user_data=asked.get("user_data"),
        access_ipv4=asked.get("accessIPv4") or "",
        access_ipv6=asked.get("accessIPv6") or "",
        disk_config=asked.get("OS-DCF:diskConfig", "MANUAL"),
        launch_index=index,
        security_groups=[group["name"] for group in asked.get("security_groups") or ()]
        or ["default"],
    )


def schedule(cloud: Cloud, server: Server) -> None:
    """Give the server a host, now or after some looks, or an ERROR when there is none."""
    group = cloud.groups.find(server.group_id) if server.group_id else None
    alone = group is not None and group.policy == "anti-affinity"
    taken = group is not None and any(cloud.servers.find(member) for member in group.members)
    flavor = server.flavor
    room = (flavor.vcpus, flavor.ram, flavor.disk if server.image_id else 0)
    message = cloud.behaviour.server_build_error
    if not message and not cloud.has_room(*room):
        message = NO_CANDIDATES
    if not message and alone and taken:
        message = NO_HOSTS_LEFT
    if group is not None:
        group.members.append(server.id)
    if message:
        later(server, cloud.behaviour.server_build_looks, lambda: fail(cloud, server, message))
        return
    cloud.take(server, room)
    later(server, cloud.behaviour.server_build_looks, lambda: _built(cloud, server))


def _built(cloud: Cloud, server: Server) -> None:
    server.vm_state, server.task_state, server.power_state = "active", None, 1
    server.host = cloud.host
    server.zone = cloud.zone
    server.root_device = server.root_device or "/dev/vda"
    server.updated = server.launched = cloud.now()
    cloud.servers.changed()


def fail(cloud: Cloud, server: Server, message: str) -> None:
    """The server goes ERROR as Nova's conductor leaves it."""
    server.vm_state, server.task_state = "error", None
    server.fault = {
        "code": 500,
        "created": seconds(cloud.now()),
        "message": message,
        "details": f"Traceback (most recent call last):\nnova.exception.NoValidHost: {message}\n",
    }
    cloud.free(server)
    touch(cloud, server)


def _show(cloud: Cloud, request: Request) -> Response:
    server = find_server(cloud, request)
    look(server)
    return Response(body={"server": detail(cloud, request, find_server(cloud, request))})


def _delete(cloud: Cloud, request: Request) -> Response:
    server = find_server(cloud, request)
    if server.locked and not request.who.is_admin:
        raise Fault(409, f"Instance {server.id} is locked")
    server.task_state = "deleting"
    later(server, cloud.behaviour.server_delete_looks, lambda: remove(cloud, server))
    return Response(204)


def remove(cloud: Cloud, server: Server) -> None:
    """The server is gone; a record stays, for markers and changes-since."""
    disconnect_all(cloud, server)
    unplug(cloud, server)
    cloud.free(server)
    server.deleted = True
    server.vm_state, server.task_state, server.power_state = "deleted", None, 0
    server.terminated = server.updated = cloud.now()
    cloud.servers.changed()


def _update(cloud: Cloud, request: Request) -> Response:
    server = find_server(cloud, request)
    asked = validate(server_schema.update(request.version[1]), request.body)["server"]
    if "pinned_availability_zone" in asked:
        _pin(server, asked["pinned_availability_zone"])
    if "name" in asked:
        server.name = asked["name"].strip()
    if "description" in asked:
        server.description = asked["description"]
    if "hostname" in asked:
        server.hostname = asked["hostname"]
    if "OS-DCF:diskConfig" in asked:
        server.disk_config = asked["OS-DCF:diskConfig"]
    server.access_ipv4 = asked.get("accessIPv4", server.access_ipv4) or ""
    server.access_ipv6 = asked.get("accessIPv6", server.access_ipv6) or ""
    touch(cloud, server)
    return Response(body={"server": detail(cloud, request, server, whole=request.since(75))})


def _pin(server: Server, zone: str | None) -> None:
    if zone is None:
        server.pinned_zone = None
    elif server.pinned_zone is not None:
        if zone != server.pinned_zone:
            raise Fault(
                409,
                "Cannot change pinned availability zone directly. Unpin first by setting "
                "pinned_availability_zone to null.",
            )
    elif zone != server.zone:
        raise Fault(
            409,
            "Server can only be pinned to its current availability zone "
            f"'{server.zone}', but '{zone}' was requested.",
        )
    else:
        server.pinned_zone = zone


ROWS = (
    Row("POST /servers", _create),
    Row("GET /servers/{server}", _show, strict=102),
    Row("DELETE /servers/{server}", _delete),
    Row("PUT /servers/{server}", _update),
)

# SPDX-License-Identifier: Apache-2.0
"""Actions on servers: a table of which states allow them and what they do.

Source: nova/compute/api.py (check_instance_state) and nova/api/openstack/compute @34.0.0.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from trio2o.pods.fake import server_schema
from trio2o.pods.fake.cloud import Cloud
from trio2o.pods.fake.server_nics import new_port
from trio2o.pods.fake.server_view import detail, links
from trio2o.pods.fake.servers import check_quota, find_mapped, find_server, remove, touch
from trio2o.pods.fake.service import require_role, validate
from trio2o.pods.fake.state import Image, Server, later
from trio2o.pods.fake.web import Fault, Request, Response, Row


@dataclass(frozen=True, slots=True)
class Turn:
    """An action that takes a server from one state to another and has no answer.

    word: what the fault calls it.  task: what it is meanwhile.  power: afterwards.
    hosted: only with a host.
    """

    name: str
    word: str
    before: tuple[str, ...]
    after: str
    task: str
    power: int
    hosted: bool = False
    find: Callable[[Cloud, Request], Server] = find_server


_TURNS = (
    Turn("os-start", "start", ("stopped",), "active", "powering-on", 1,
         hosted=True, find=find_mapped),
    Turn("os-stop", "stop", ("active", "error"), "stopped", "powering-off", 4,
         hosted=True, find=find_mapped),
    Turn("pause", "pause", ("active",), "paused", "pausing", 3),
    Turn("unpause", "unpause", ("paused",), "active", "unpausing", 1),
    Turn("suspend", "suspend", ("active",), "suspended", "suspending", 4),
    Turn("resume", "resume", ("suspended",), "active", "resuming", 1),
    Turn("shelve", "shelve", ("active", "stopped", "paused", "suspended"),
         "shelved_offloaded", "shelving", 4),
    Turn("unshelve", "unshelve", ("shelved", "shelved_offloaded"), "active", "unshelving", 1),
    Turn("unrescue", "unrescue", ("rescued",), "active", "unrescuing", 1),
)  # fmt: skip


def _turn(turn: Turn, cloud: Cloud, request: Request) -> Response:
    server = turn.find(cloud, request)
    if turn.hosted and server.host is None:
        raise Fault(409, f"Instance {server.id} is not ready")
    _check(request, server, turn.word, *turn.before)

    def done() -> None:
        server.vm_state, server.task_state, server.power_state = turn.after, None, turn.power
        touch(cloud, server)

    _begin(cloud, server, turn.task, done)
    return Response(202)


def _begin(cloud: Cloud, server: Server, task: str, done: Callable[[], None]) -> None:
    server.task_state = task
    touch(cloud, server)
    later(server, cloud.behaviour.server_action_looks, done)


def _check(request: Request, server: Server, word: str, *states: str) -> None:
    """Raises Fault(409) as nova.compute.api.check_instance_state and check_instance_lock do."""
    if server.locked and not request.who.is_admin:
        raise Fault(409, f"Instance {server.id} is locked")
    if server.vm_state not in states:
        raise Fault(
            409,
            f"Cannot '{word}' instance {server.id} while it is in vm_state {server.vm_state}",
        )
    if server.task_state is not None:
        raise Fault(
            409,
            f"Cannot '{word}' instance {server.id} while it is in task_state {server.task_state}",
        )


def _reboot(cloud: Cloud, request: Request) -> Response:
    kind = validate(server_schema.REBOOT, request.body)["reboot"]["type"].upper()
    server = find_server(cloud, request)
    allowed = ("active",) if kind == "SOFT" else ("active", "stopped", "paused", "error")
    _check(request, server, "reboot", *allowed)

    def done() -> None:
        server.vm_state, server.task_state, server.power_state = "active", None, 1
        touch(cloud, server)

    _begin(cloud, server, "rebooting" if kind == "SOFT" else "rebooting_hard", done)
    return Response(202)


def _resize(cloud: Cloud, request: Request) -> Response:
    asked = validate(server_schema.RESIZE, request.body)["resize"]
    server = find_server(cloud, request)
    flavor_id = str(asked["flavorRef"])
    _check(request, server, "resize", "active", "stopped")
    flavor = cloud.flavors.find(flavor_id)
    if flavor is None:
        raise Fault(400, f"Flavor {flavor_id} could not be found.")
    if flavor.id == server.flavor.id:
        raise Fault(400, "When resizing, instances must change flavor!")
    if flavor.disk < server.flavor.disk and server.image_id:
        raise Fault(400, "Resize to zero disk flavor is not allowed.")
    check_quota(cloud, request, flavor, 0, 1)
    vcpus, ram, disk = (flavor.vcpus, flavor.ram, flavor.disk if server.image_id else 0)

    def done() -> None:
        old = server.room
        cloud.free(server)
        if not cloud.has_room(vcpus, ram, disk):
            cloud.take(server, old)
            server.task_state = None
        else:
            cloud.take(server, (vcpus, ram, disk))
            server.old_flavor, server.flavor = server.flavor, flavor
            server.vm_state, server.task_state = "resized", None
        touch(cloud, server)

    _begin(cloud, server, "resize_prep", done)
    return Response(202)


def _confirm(cloud: Cloud, request: Request) -> Response:
    server = find_server(cloud, request)
    _check(request, server, "confirmResize", "resized")
    server.old_flavor, server.vm_state = None, "active"
    touch(cloud, server)
    return Response(204)


def _revert(cloud: Cloud, request: Request) -> Response:
    server = find_server(cloud, request)
    _check(request, server, "revertResize", "resized")
    flavor = server.old_flavor or server.flavor
    cloud.take(server, (flavor.vcpus, flavor.ram, flavor.disk if server.image_id else 0))
    server.flavor, server.old_flavor, server.vm_state = flavor, None, "active"
    touch(cloud, server)
    return Response(202)


def _snapshot(cloud: Cloud, request: Request, server: Server, name: str) -> Image:
    now = cloud.now()
    properties = {"image_type": "snapshot", "instance_uuid": server.id}
    return cloud.images.add(
        Image(
            id=cloud.new_id(),
            owner=request.who.project_id,
            created=now,
            updated=now,
            name=name,
            status="active",
            visibility="private",
            disk_format="raw",
            container_format="bare",
            size=0,
            properties=properties,
        )
    )


def _image_made(request: Request, image: Image) -> Response:
    if request.since(45):
        return Response(202, {"image_id": image.id})
    host = request.base.partition("/compute/")[0]
    where = f"{host}/image//images/{image.id}"
    bare = "text/html; charset=UTF-8"
    return Response(202, headers=[("Location", where)], content_type=bare)


def _create_image(cloud: Cloud, request: Request) -> Response:
    asked = validate(server_schema.CREATE_IMAGE, request.body)["createImage"]
    server = find_server(cloud, request)
    _check(request, server, "createImage", "active", "stopped", "paused", "suspended")
    image = _snapshot(cloud, request, server, asked["name"])
    image.properties |= asked.get("metadata") or {}
    return _image_made(request, image)


def _create_backup(cloud: Cloud, request: Request) -> Response:
    asked = request.body["createBackup"]
    server = find_server(cloud, request)
    _check(request, server, "createBackup", "active", "stopped", "paused", "suspended")
    image = _snapshot(cloud, request, server, asked["name"])
    image.properties |= {"image_type": "backup", "backup_type": asked["backup_type"]}
    return _image_made(request, image)


def _rebuild(cloud: Cloud, request: Request) -> Response:
    asked = (request.body or {}).get("rebuild") or {}
    server = find_server(cloud, request)
    _check(request, server, "rebuild", "active", "stopped", "error")
    image_id = str(asked.get("imageRef", "")).rpartition("/")[2]
    if cloud.images.find(image_id) is None:
        raise Fault(400, "Cannot find image for rebuild")
    server.image_id = image_id
    server.name = asked.get("name", server.name)
    server.metadata = asked.get("metadata", server.metadata)

    def done() -> None:
        server.vm_state, server.task_state, server.power_state = "active", None, 1
        touch(cloud, server)

    server.task_state = "rebuilding"
    shown = detail(cloud, request, server, whole=request.since(75))
    _begin(cloud, server, "rebuilding", done)
    shown["adminPass"] = asked.get("adminPass") or "aPassword123"
    where = [("Location", links(request, "servers", server.id)[0]["href"])]
    return Response(202, {"server": shown}, where)


def _rescue(cloud: Cloud, request: Request) -> Response:
    server = find_server(cloud, request)
    _check(request, server, "rescue", "active", "stopped", "error")
    server.vm_state = "rescued"
    touch(cloud, server)
    return Response(body={"adminPass": "aPassword123"})


def _lock(cloud: Cloud, request: Request) -> Response:
    server = find_server(cloud, request)
    mine = server.project_id == request.who.project_id
    if not (server.locked and mine):  # an owner's second lock changes nothing
        asked = request.body["lock"]
        server.locked = True
        server.locked_reason = asked.get("locked_reason") if isinstance(asked, dict) else None
        touch(cloud, server)
    return Response(202)


def _unlock(cloud: Cloud, request: Request) -> Response:
    server = find_server(cloud, request)
    server.locked, server.locked_reason = False, None
    touch(cloud, server)
    return Response(202)


def _reset_state(cloud: Cloud, request: Request) -> Response:
    require_role(request, "os_compute_api:os-admin-actions:reset_state", "admin")
    server = find_server(cloud, request)
    server.vm_state = request.body["os-resetState"]["state"]
    server.task_state = None
    touch(cloud, server)
    return Response(202)


def _force_delete(cloud: Cloud, request: Request) -> Response:
    remove(cloud, find_server(cloud, request))
    return Response(202)


def _console(cloud: Cloud, request: Request) -> Response:
    find_server(cloud, request)
    return Response(body={"output": "FAKE CONSOLE OUTPUT\nANOTHER\nLAST LINE"})


def _console_url(cloud: Cloud, request: Request) -> Response:
    find_server(cloud, request)
    asked = request.body["remote_console"]
    url = f"http://{cloud.host}.example:6080/vnc_auto.html?path=%3Ftoken%3D{cloud.new_id()}"
    return Response(body={"remote_console": {**asked, "url": url}})


def _interfaces(cloud: Cloud, request: Request) -> Response:
    server = find_server(cloud, request)
    ports = [port for port in cloud.ports if port.device_id == server.id]
    return Response(
        body={
            "interfaceAttachments": [
                {
                    "port_state": "ACTIVE",
                    "fixed_ips": [{"subnet_id": port.subnet_id, "ip_address": port.ip}],
                    "port_id": port.id,
                    "net_id": port.network_id,
                    "mac_addr": port.mac,
                    **({"tag": None} if request.since(70) else {}),
                }
                for port in ports
            ]
        }
    )


def _interface_add(cloud: Cloud, request: Request) -> Response:
    server = find_server(cloud, request)
    asked = (request.body or {}).get("interfaceAttachment") or {}
    network = cloud.networks.find(str(asked.get("net_id", "")))
    port = cloud.ports.find(str(asked.get("port_id", "")))
    if network is None and port is None:
        raise Fault(404, f"Network {asked.get('net_id')} could not be found.")
    if port is None and network is not None:
        port = new_port(cloud, network, server.project_id)
    if port is not None:
        port.device_id = server.id
    answer = _interfaces(cloud, request)
    return Response(body={"interfaceAttachment": answer.body["interfaceAttachments"][-1]})


def _ips(cloud: Cloud, request: Request) -> Response:
    server = find_server(cloud, request)
    addresses = {
        name: [{"version": ip["version"], "addr": ip["addr"]} for ip in ips]
        for name, ips in server.addresses.items()
    }
    return Response(body={"addresses": addresses})


def _instance_actions(cloud: Cloud, request: Request) -> Response:
    find_server(cloud, request)
    return Response(body={"instanceActions": []})


ROWS = (
    *(
        Row(f"POST /servers/{{server}}/action {turn.name}", partial(_turn, turn))
        for turn in _TURNS
    ),
    Row("POST /servers/{server}/action reboot", _reboot),
    Row("POST /servers/{server}/action resize", _resize),
    Row("POST /servers/{server}/action confirmResize", _confirm),
    Row("POST /servers/{server}/action revertResize", _revert),
    Row("POST /servers/{server}/action createImage", _create_image),
    Row("POST /servers/{server}/action createBackup", _create_backup),
    Row("POST /servers/{server}/action rebuild", _rebuild),
    Row("POST /servers/{server}/action rescue", _rescue),
    Row("POST /servers/{server}/action lock", _lock),
    Row("POST /servers/{server}/action unlock", _unlock),
    Row("POST /servers/{server}/action os-resetState", _reset_state),
    Row("POST /servers/{server}/action forceDelete", _force_delete),
    Row("POST /servers/{server}/action os-getConsoleOutput", _console),
    Row("POST /servers/{server}/remote-consoles", _console_url, since=6),
    Row("GET /servers/{server}/os-interface", _interfaces),
    Row("POST /servers/{server}/os-interface", _interface_add),
    Row("GET /servers/{server}/ips", _ips),
    Row("GET /servers/{server}/os-instance-actions", _instance_actions),
)

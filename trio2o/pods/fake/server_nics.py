# SPDX-License-Identifier: Apache-2.0
"""The network side of a server: which networks it asks for, and its ports."""

from typing import Any

from trio2o.ids import is_uuid
from trio2o.pods.fake.cloud import Cloud
from trio2o.pods.fake.state import Network, Port, Server
from trio2o.pods.fake.web import Fault, Request

Nic = tuple[Network, Port | None]


def check_networks(cloud: Cloud, request: Request, asked: Any, count: int) -> list[Nic]:
    """What the server will be plugged into. Raises Fault.

    asked: list, "auto", "none", or None when the body says nothing.
    """
    if asked == "none":
        return []
    if asked is None or asked in ("auto", []):
        return _by_itself(cloud, request)
    return [_one(cloud, request, item, count) for item in asked]


def _by_itself(cloud: Cloud, request: Request) -> list[Nic]:
    mine = [
        network
        for network in cloud.networks
        if not network.external
        and (network.project_id == request.who.project_id or network.shared)
    ]
    if len(mine) > 1:
        raise Fault(409, "Multiple possible networks found, use a Network ID to be more specific.")
    return [(network, None) for network in mine]


def _one(cloud: Cloud, request: Request, item: dict[str, Any], count: int) -> Nic:
    port_id = item.get("port")
    if port_id:
        if count > 1:
            raise Fault(
                400,
                "Unable to launch multiple instances with a single configured port ID. Please "
                "launch your instance one by one with different ports.",
            )
        port = cloud.ports.find(port_id)
        if port is None:
            raise Fault(400, f"Port id {port_id} could not be found.")
        if port.device_id:
            raise Fault(409, f"Port {port_id} is still in use.")
        network = cloud.networks.find(port.network_id)
        if network is None:
            raise Fault(400, f"Network {port.network_id} could not be found.")
        return network, port
    if "uuid" not in item:
        raise Fault(400, "Bad network format: missing 'uuid'")
    network_id = item["uuid"]
    if not is_uuid(network_id):
        raise Fault(
            400, f"Bad networks format: network uuid is not in proper format ({network_id})"
        )
    network = cloud.networks.find(network_id)
    if network is None or not (
        network.shared or network.external or network.project_id == request.who.project_id
    ):
        raise Fault(400, f"Network {network_id} could not be found.")
    return network, None


def plug(cloud: Cloud, server: Server, nics: list[Nic]) -> None:
    for network, given in nics:
        port = given or new_port(cloud, network, server.project_id)
        port.device_id = server.id
        port.device_owner = f"compute:{cloud.zone}"
        port.host = cloud.host
        server.addresses.setdefault(network.name, []).append(
            {
                "version": 4,
                "addr": port.ip,
                "OS-EXT-IPS:type": "fixed",
                "OS-EXT-IPS-MAC:mac_addr": port.mac,
            }
        )
        cloud.ports.changed()


def new_port(cloud: Cloud, network: Network, project_id: str, name: str = "") -> Port:
    port_id = cloud.new_id()
    count = len(cloud.ports) + 2
    mac = ":".join(("fa", "16", "3e", port_id[0:2], port_id[2:4], port_id[4:6]))
    return cloud.ports.add(
        Port(
            id=port_id,
            name=name,
            project_id=project_id,
            network_id=network.id,
            mac=mac,
            ip=f"10.{count >> 16 & 255}.{count >> 8 & 255}.{count & 255}",
            subnet_id=network.subnets[0] if network.subnets else "",
            created=cloud.now(),
        )
    )


def unplug(cloud: Cloud, server: Server) -> None:
    for port in [port for port in cloud.ports if port.device_id == server.id]:
        cloud.ports.drop(port.id)

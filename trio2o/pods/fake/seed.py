# SPDX-License-Identifier: Apache-2.0
"""What a test puts into a cloud without asking its API."""

from trio2o.pods.fake.cloud import Cloud
from trio2o.pods.fake.identity import hex_id
from trio2o.pods.fake.server_nics import new_port, plug
from trio2o.pods.fake.servers import schedule
from trio2o.pods.fake.state import (
    Flavor,
    Image,
    Network,
    Port,
    Server,
    Volume,
    VolumeType,
)
from trio2o.pods.fake.volumes import new_volume

_FLAVORS = (
    Flavor("42", "m1.nano", 1, 128, 1),
    Flavor("84", "m1.micro", 1, 192, 1),
    Flavor("1", "m1.tiny", 1, 512, 1),
    Flavor("2", "m1.small", 1, 2048, 20),
)
_ZEROS = bytes(65536)
CIRROS = "c1220500-0000-4000-8000-000000000001"


class Seeds:
    """A cloud begins with the lab's flavors and volume types, and the image ``CIRROS``."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        for flavor in _FLAVORS:
            cloud.flavors.add(
                Flavor(flavor.id, flavor.name, flavor.vcpus, flavor.ram, flavor.disk)
            )
        cloud.volume_types.add(VolumeType(cloud.new_id(), "__DEFAULT__", "Default Volume Type"))
        backend = {"volume_backend_name": "lab"}
        cloud.volume_types.add(VolumeType(cloud.new_id(), "lab", extra_specs=backend))
        cloud.volume_types.add(
            VolumeType(
                cloud.new_id(), "multiattach", extra_specs={"multiattach": "<is> True", **backend}
            )
        )
        self.add_image("cirros", image_id=CIRROS)

    def add_server(
        self,
        project_id: str,
        name: str = "server",
        *,
        user_id: str = "user",
        metadata: dict[str, str] | None = None,
        flavor: str = "42",
    ) -> Server:
        """A server that was made some time ago, scheduled as a new one."""
        cloud = self._cloud
        kind = cloud.flavors.find(flavor)
        if kind is None:
            raise KeyError(flavor)
        now = cloud.now()
        cloud.server_count += 1
        server = Server(
            id=cloud.new_id(),
            number=cloud.server_count,
            name=name,
            project_id=project_id,
            user_id=user_id,
            flavor=kind,
            image_id=CIRROS,
            created=now,
            updated=now,
            hostname=name,
            metadata=metadata or {},
        )
        cloud.servers.add(server)
        schedule(cloud, server)
        return server

    def add_servers(self, project_id: str, count: int, prefix: str = "server") -> list[Server]:
        return [self.add_server(project_id, f"{prefix}-{number}") for number in range(count)]

    def add_volume(
        self,
        project_id: str,
        name: str | None = None,
        *,
        size: int = 1,
        user_id: str = "user",
        metadata: dict[str, str] | None = None,
    ) -> Volume:
        volume = new_volume(self._cloud, project_id, user_id, size=size)
        volume.name = name
        volume.metadata = metadata or {}
        return volume

    def add_image(
        self,
        name: str,
        *,
        image_id: str = "",
        owner: str = "",
        visibility: str = "public",
        data: bytes = _ZEROS,
    ) -> Image:
        """owner: "" for the project called admin."""
        now = self._cloud.now()
        image = Image(
            id=image_id or self._cloud.new_id(),
            owner=owner or hex_id("project admin"),
            created=now,
            updated=now,
            name=name,
            visibility=visibility,
            disk_format="raw",
            container_format="bare",
        )
        image.store([data])
        return self._cloud.images.add(image)

    def add_flavor(self, flavor_id: str, name: str, *, vcpus: int, ram: int, disk: int) -> Flavor:
        return self._cloud.flavors.add(Flavor(flavor_id, name, vcpus, ram, disk))

    def add_network(
        self, project_id: str, name: str, *, shared: bool = False, external: bool = False
    ) -> Network:
        cloud = self._cloud
        return cloud.networks.add(
            Network(
                id=cloud.new_id(),
                name=name,
                project_id=project_id,
                created=cloud.now(),
                shared=shared,
                external=external,
                subnets=[cloud.new_id()],
            )
        )

    def add_port(self, network: Network, name: str = "", server: Server | None = None) -> Port:
        port = new_port(self._cloud, network, network.project_id, name)
        if server is not None:
            plug(self._cloud, server, [(network, port)])
        return port

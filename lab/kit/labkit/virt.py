# SPDX-License-Identifier: Apache-2.0
"""nova's fake virt driver, with what it lacks as the compute host of a lab.

* Its size is the pod's, and follows it (labkit.capacity).
* A snapshot uploads a small image, so that the image becomes active; the
  parent leaves it queued for ever.
* Resize and migrate work on a single host.
* A restarted nova-compute still knows its instances; the parent keeps them in
  memory only, and power_on, reboot and the rest then fail.
* There are an uptime and a console log of more than three lines.
"""

from typing import Any, ClassVar

from nova.compute import power_state
from nova.image import glance
from nova.virt import fake

from labkit import capacity
from labkit import image as lab_image


class LabDriver(fake.FakeDriverWithoutFakeNodes):  # type: ignore[misc]
    capabilities: ClassVar[dict[str, bool]] = {
        **fake.FakeDriver.capabilities,
        "supports_migrate_to_same_host": True,
        "supports_bfv_rescue": True,
    }

    def __init__(self, virtapi: Any, read_only: bool = False) -> None:
        super().__init__(virtapi, read_only)
        self._image_api = glance.API()

    def _measure(self) -> None:
        size = capacity.size()
        self.vcpus = self.resources.vcpus = size.vcpus
        self.memory_mb = self.resources.memory_mb = size.ram_mb
        self.local_gb = self.resources.local_gb = size.disk_gb

    def get_available_resource(self, nodename: str) -> Any:
        self._measure()
        return super().get_available_resource(nodename)

    def update_provider_tree(
        self, provider_tree: Any, nodename: str, allocations: Any = None
    ) -> None:
        self._measure()
        super().update_provider_tree(provider_tree, nodename, allocations)

    def get_info(self, instance: Any, use_cache: bool = True) -> Any:
        # nova-compute asks this of every instance when it starts
        known = instance.uuid in self.instances
        if not known and instance.power_state not in (None, power_state.NOSTATE):
            self.instances[instance.uuid] = fake.FakeInstance(
                instance.name, instance.power_state, instance.uuid
            )
        return super().get_info(instance, use_cache)

    def snapshot(self, context: Any, instance: Any, image_id: str, update_task_state: Any) -> None:
        super().snapshot(context, instance, image_id, update_task_state)
        image = self._image_api.get(context, image_id)
        disk_format = image.get("disk_format") or "raw"
        self._image_api.update(
            context,
            image_id,
            {
                "name": image["name"],
                "disk_format": disk_format,
                "container_format": image.get("container_format") or "bare",
            },
            data=lab_image.content(disk_format),
            purge_props=False,
        )

    def get_console_output(self, context: Any, instance: Any) -> bytes:
        del context, instance
        return "".join(f"[{n:5}.000000] console line {n}\n" for n in range(1, 21)).encode()

    def get_host_uptime(self) -> str:
        return " 12:00:00 up 1 day,  0:00,  0 users,  load average: 0, 0, 0"

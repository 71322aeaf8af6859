# SPDX-License-Identifier: Apache-2.0
"""A cinder volume driver that keeps no data: every operation succeeds at once.

cinder.tests.fake_driver will not do: importing it monkey-patches eventlet and
registers the options of unit tests, its stats reserve 100 % of the space, and
an image can be neither read into a volume nor made from one.
"""

from typing import Any

from cinder import context as cinder_context
from cinder import interface
from cinder.db import api as db
from cinder.volume import driver

from labkit import capacity
from labkit import image as lab_image


@interface.volumedriver
class LabVolumeDriver(driver.VolumeDriver):  # type: ignore[misc]
    VERSION = "1.0"
    CI_WIKI_NAME = "none"
    SUPPORTS_ACTIVE_ACTIVE = False

    def do_setup(self, context: Any) -> None:
        pass

    def check_for_setup_error(self) -> None:
        pass

    def _nothing(self, *args: Any, **kwargs: Any) -> None:
        pass

    create_volume = delete_volume = _nothing
    create_snapshot = delete_snapshot = _nothing
    create_volume_from_snapshot = create_cloned_volume = _nothing
    extend_volume = revert_to_snapshot = _nothing
    ensure_export = create_export = remove_export = _nothing
    create_export_snapshot = remove_export_snapshot = _nothing
    terminate_connection = terminate_connection_snapshot = _nothing
    manage_existing = manage_existing_snapshot = _nothing
    unmanage = unmanage_snapshot = _nothing

    def manage_existing_get_size(self, volume: Any, existing_ref: Any) -> int:
        del existing_ref
        return int(volume.size or 1)

    def manage_existing_snapshot_get_size(self, snapshot: Any, existing_ref: Any) -> int:
        del existing_ref
        return int(snapshot.volume_size or 1)

    def initialize_connection(self, volume: Any, connector: Any, **kwargs: Any) -> Any:
        del connector, kwargs
        return {
            "driver_volume_type": "iscsi",
            "data": {
                "target_discovered": False,
                "target_portal": "127.0.0.1:3260",
                "target_iqn": f"iqn.2010-10.org.openstack:{volume.name}",
                "target_lun": 0,
                "volume_id": volume.id,
            },
        }

    def initialize_connection_snapshot(self, snapshot: Any, connector: Any, **kwargs: Any) -> Any:
        return self.initialize_connection(snapshot.volume, connector, **kwargs)

    def clone_image(
        self, context: Any, volume: Any, image_location: Any, image_meta: Any, image_service: Any
    ) -> Any:
        del context, volume, image_location, image_meta, image_service
        return {}, True

    def copy_image_to_volume(self, *args: Any, **kwargs: Any) -> None:
        pass

    def copy_volume_to_image(
        self, context: Any, volume: Any, image_service: Any, image_meta: Any
    ) -> None:
        del volume
        data = lab_image.content(image_meta["disk_format"])
        image_service.update(context, image_meta["id"], {}, data)

    def retype(self, context: Any, volume: Any, new_type: Any, diff: Any, host: Any) -> Any:
        del context, volume, new_type, diff, host
        return True, None

    def migrate_volume(self, context: Any, volume: Any, host: Any) -> Any:
        del context, volume, host
        return True, None

    def _update_volume_stats(self) -> None:
        name = self.configuration.safe_get("volume_backend_name") or "lab"
        total = capacity.size().volumes_gb
        _, used = db.volume_data_get_for_host(cinder_context.get_admin_context(), self.host)
        self._stats = {
            "volume_backend_name": name,
            "vendor_name": "Open Source",
            "driver_version": self.VERSION,
            "storage_protocol": "iscsi",
            "pools": [
                {
                    "pool_name": name,
                    "total_capacity_gb": total,
                    "free_capacity_gb": max(total - int(used), 0),
                    "allocated_capacity_gb": int(used),
                    "reserved_percentage": 0,
                    "thin_provisioning_support": False,
                    "thick_provisioning_support": True,
                    "online_extend_support": True,
                    "multiattach": True,
                    "QoS_support": True,
                    "consistencygroup_support": False,
                    "consistent_group_snapshot_enabled": False,
                }
            ],
        }

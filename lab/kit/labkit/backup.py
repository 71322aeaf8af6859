# SPDX-License-Identifier: Apache-2.0
"""cinder-backup without devices.

Manager and driver are cinder's own; only the device that the manager would
attach, for the driver to read or to write, is an empty file in memory.
"""

import io
from typing import Any

from cinder.backup import manager


def connector_properties(*args: Any, **kwargs: Any) -> dict[str, str]:
    """Return what a volume driver is told of the host; os-brick would ask the machine, as root."""
    del args, kwargs
    return {"host": "lab", "ip": "127.0.0.1"}


manager.volume_utils.brick_get_connector_properties = connector_properties


class NoConnector:
    """What the manager asks to disconnect a device that was never connected."""

    def disconnect_volume(self, *args: Any, **kwargs: Any) -> None:
        pass


class LabBackupManager(manager.BackupManager):  # type: ignore[misc]
    def _connect_device(self, conn: Any) -> Any:
        # a path that is no string is taken for the open device itself
        return {"conn": conn, "device": {"path": io.BytesIO()}, "connector": NoConnector()}

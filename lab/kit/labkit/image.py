# SPDX-License-Identifier: Apache-2.0
"""The bytes of an image that no hypervisor will ever run."""

import io
import struct

SIZE_BYTES = 65536


def content(disk_format: str) -> io.BytesIO:
    """Return a file that glance's inspection of uploads takes for ``disk_format``."""
    data = b""
    if disk_format == "qcow2":
        # version 3, no backing file, clusters of 64 KiB, 1 MiB in size
        data = struct.pack(
            ">4sIQIIQIIQQIIQQQQII",
            *(b"QFI\xfb", 3, 0, 0, 16, 1 << 20, 0, 1, 0x30000, 0x10000, 1, 0, 0),
            *(0, 0, 0, 4, 104),
        )
    return io.BytesIO(data.ljust(SIZE_BYTES, b"\0"))

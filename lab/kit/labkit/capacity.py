# SPDX-License-Identifier: Apache-2.0
"""How big a pod pretends to be.

The environment variable TRIO2O_LAB_SIZE names a JSON file. It is read again
each time a service asks, so a pod grows and shrinks while it runs.
"""

import dataclasses
import json
import os
import pathlib
import signal
import threading
from collections.abc import Callable


@dataclasses.dataclass(frozen=True)
class Size:
    vcpus: int = 1000
    ram_mb: int = 800_000
    disk_gb: int = 600_000
    volumes_gb: int = 100_000


def size() -> Size:
    """Return the pod's size; what the file does not name has its default."""
    path = os.environ.get("TRIO2O_LAB_SIZE")
    try:
        return Size(**json.loads(pathlib.Path(path).read_text())) if path else Size()
    except FileNotFoundError:
        return Size()


def on_change(report: Callable[[], None]) -> None:
    """Call ``report`` in a thread of its own on SIGHUP, the sign that the size is another."""
    signal.signal(signal.SIGHUP, lambda *_: threading.Thread(target=report, daemon=True).start())

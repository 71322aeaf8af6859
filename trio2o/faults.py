# SPDX-License-Identifier: Apache-2.0
"""Places where a test may kill the process, to see what a crash there leaves behind."""

import os
import signal

_ARMED = frozenset(filter(None, os.environ.get("TRIO2O_FAULT_POINTS", "").split(",")))


def fault_point(name: str) -> None:
    """Die at once, as by ``kill -9``, if the environment names this point; else do nothing."""
    if name in _ARMED:
        os.kill(os.getpid(), signal.SIGKILL)

# SPDX-License-Identifier: Apache-2.0
"""Run one OpenStack WSGI module under waitress, in one process.

    python -m labkit.serve HOST PORT MODULE [ARG...]

MODULE (keystone.wsgi.api, neutron.wsgi.api, ...) is imported with sys.argv
set to [MODULE, ARG...]: several services parse sys.argv at import.
"""

import importlib
import logging
import sys
from collections.abc import Callable
from typing import Any

import waitress

THREADS = 8


def serve(application: Callable[..., Any], host: str, port: str) -> None:
    # waitress warns about every request that waits for a thread; that is
    # ordinary under a load test
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    waitress.serve(
        application,
        host=host,
        port=int(port),
        threads=THREADS,
        ident=None,
        channel_timeout=600,
        max_request_body_size=16 << 30,
    )


def main() -> None:
    host, port, module = sys.argv[1:4]
    sys.argv = [module, *sys.argv[4:]]
    serve(importlib.import_module(module).application, host, port)


if __name__ == "__main__":
    main()

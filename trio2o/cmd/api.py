# SPDX-License-Identifier: Apache-2.0
"""``trio2o api``: the gateway, in one process or several that share a port."""

import gc
import logging
import os
import signal
import socket
import tempfile
from collections.abc import Sequence
from functools import partial
from typing import Any

import uvicorn
from uvicorn.supervisors import Multiprocess

from trio2o import log, settings
from trio2o.settings import Settings

from .checks import CannotStart, check_database, check_identity
from .exits import Exit

LOG = logging.getLogger(__name__)
_BACKLOG = 2048
# Longer than load balancers keep an idle connection, so that they close it and not we.
_KEEP_ALIVE_S = 75


def run(argv: Sequence[str], prog: str) -> int:
    """Serve until SIGTERM or SIGINT; requests in progress are finished.

    Raises CannotStart, Misconfigured.
    """
    known = settings.load(argv, prog=prog)
    log.configure(known.log)
    check_database(known)
    check_identity(known)
    listener = _listen(known)
    host, port = listener.getsockname()[:2]
    LOG.info("listening on http://%s:%s", f"[{host}]" if ":" in host else host, port)
    config = uvicorn.Config(
        partial(_application, list(argv), prog),
        factory=True,
        interface="asgi3",
        loop="uvloop",
        http="httptools",
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        forwarded_allow_ips=list(known.api.trusted_proxies),
        backlog=_BACKLOG,
        timeout_keep_alive=_KEEP_ALIVE_S,
        timeout_graceful_shutdown=round(known.api.drain_s),
        workers=known.api.workers,
    )
    # The server lets a signal take its course when it is done: that is to end without an error.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _stop)
    if known.api.workers == 1:
        server = uvicorn.Server(config)
        server.run(sockets=[listener])
        return Exit.OK if server.started else Exit.FAILED
    with tempfile.TemporaryDirectory(prefix="trio2o-metrics-") as folder:
        os.environ.setdefault("PROMETHEUS_MULTIPROC_DIR", folder)
        Multiprocess(config, sockets=[listener]).run()
    return Exit.OK


def _stop(_number: int, _frame: object) -> None:
    raise SystemExit(Exit.OK)


def _application(argv: Sequence[str], prog: str) -> Any:
    """Made in the process that serves, which reads the settings anew."""
    from trio2o.api.app import create_app  # noqa: PLC0415  after PROMETHEUS_MULTIPROC_DIR is set

    known = settings.load(argv, prog=prog)
    log.configure(known.log)
    application = create_app(known)
    # What is there now stays, and a request leaves hardly any garbage with cycles: looking for
    # it after each 700 new objects takes a tenth of the time.
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 100)
    return application


def _listen(known: Settings) -> socket.socket:
    host, port = known.api.bind_host, known.api.port
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        listener = socket.create_server((host, port), family=family, backlog=_BACKLOG)
    except OSError as exc:
        raise CannotStart(
            Exit.PORT_TAKEN,
            f"[api] bind_host, port: cannot listen on {host} port {port}: "
            f"{exc.strerror or exc}; choose another, or stop what is there",
        ) from exc
    listener.set_inheritable(True)
    return listener

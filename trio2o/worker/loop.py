# SPDX-License-Identifier: Apache-2.0
"""The worker's life: look for work, do it, sleep; until told to stop.

As many workers as wanted may run; what one does is leased from the database.
"""

import asyncio
import logging
import os
import signal
import socket

from trio2o.engine import Deps
from trio2o.engine.build import build
from trio2o.errors import Trio2oError
from trio2o.ids import new_uuid
from trio2o.settings import Settings

from .clean import clean
from .intents import settle_intents

LOG = logging.getLogger(__name__)


def run(settings: Settings) -> None:
    """Work until SIGTERM or SIGINT."""
    asyncio.run(_run(settings))


async def _run(settings: Settings) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    deps = build(settings)
    owner = f"{socket.gethostname()}:{os.getpid()}:{new_uuid()[:8]}"
    LOG.info("worker %s started", owner)
    try:
        while not stopped.is_set():
            busy = await work_once(deps, owner)
            if busy:
                continue
            try:
                async with asyncio.timeout(settings.worker.interval_s):
                    await stopped.wait()
            except TimeoutError:
                pass
    finally:
        await deps.settle()
        await deps.client.close()
        await deps.identity.close()
        deps.db.close()
        LOG.info("worker %s stopped", owner)


async def work_once(deps: Deps, owner: str) -> bool:
    """One round; whether there was a full batch, so that another round should follow now."""
    try:
        settled = await settle_intents(deps, owner)
        await clean(deps)
    except Trio2oError as error:
        # The database or Keystone is away: what is to be done is still there afterwards.
        LOG.warning("round given up: %s", error.message)
        return False
    return settled >= deps.settings.worker.batch

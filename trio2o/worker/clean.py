# SPDX-License-Identifier: Apache-2.0
"""What is no longer needed is deleted: cursors, finished intents, deleted resources' routings."""

from datetime import timedelta

from trio2o import clock
from trio2o.db import cursors, intents, placements, routings
from trio2o.engine import Deps


async def clean(deps: Deps) -> None:
    """Raises DatabaseUnavailable."""
    now = clock.now()
    kept = now - timedelta(seconds=deps.settings.worker.kept_s)
    await deps.db.write(cursors.purge)
    await deps.db.write(intents.purge, kept)
    await deps.db.write(placements.purge, kept)
    deleted = now - timedelta(seconds=deps.settings.gateway.deleted_kept_s)
    await deps.db.write(routings.forget_deleted, deleted)

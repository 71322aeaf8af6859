# SPDX-License-Identifier: Apache-2.0
"""What carrying out a plan needs, in one value that is passed along."""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any

from trio2o.db.session import Database
from trio2o.model import Reply, Service
from trio2o.pods.client import PodClient
from trio2o.pods.identity import IdentityService
from trio2o.registry import Registry
from trio2o.settings import Settings

from .locate import Locator


@dataclass(frozen=True, slots=True)
class Deps:
    settings: Settings
    db: Database
    identity: IdentityService
    client: PodClient
    registry: Registry
    locator: Locator
    tasks: set[asyncio.Task[Any]] = field(default_factory=set)
    constants: dict[tuple[Service, str, str], tuple[float, Reply]] = field(default_factory=dict)

    def beside(self, work: Coroutine[Any, Any, Any]) -> None:
        """Let ``work`` go on after the reply has left; ``settle`` waits for it at the end."""
        task = asyncio.create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def settle(self) -> None:
        while self.tasks:
            await asyncio.wait(set(self.tasks))

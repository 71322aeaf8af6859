# SPDX-License-Identifier: Apache-2.0
"""Work that several callers want at once and that is done once."""

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from typing import Any, Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class SingleFlight(Generic[K, V]):
    """Callers of one key share one run; a caller that goes away does not stop it."""

    def __init__(self) -> None:
        self._flights: dict[K, asyncio.Task[V]] = {}

    def __len__(self) -> int:
        return len(self._flights)

    async def run(self, key: K, make: Callable[[], Coroutine[Any, Any, V]]) -> V:
        """The outcome of the run of ``key``."""
        return await asyncio.shield(self.start(key, make))

    def start(self, key: K, make: Callable[[], Coroutine[Any, Any, V]]) -> asyncio.Task[V]:
        """The run of ``key``: the one under way, or a new one. It needs nobody to wait for it."""
        task = self._flights.get(key)
        if task is None:
            task = asyncio.create_task(make())
            self._flights[key] = task
            task.add_done_callback(lambda done: self._landed(key, done))
        return task

    def _landed(self, key: K, task: asyncio.Task[V]) -> None:
        del self._flights[key]
        if not task.cancelled():
            task.exception()  # seen, though nobody may wait for it any more

    def __contains__(self, key: K) -> bool:
        return key in self._flights

    async def close(self) -> None:
        tasks = list(self._flights.values())
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

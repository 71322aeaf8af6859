# SPDX-License-Identifier: Apache-2.0
"""The pod in memory is the same as a real one: each story is told to both."""

import difflib
import os
from collections.abc import AsyncIterator, Awaitable, Callable

import aiohttp
import pytest
import stories_compute
import stories_image
import stories_servers
import stories_volume
from clouds import FakeCloud, RealCloud, Story
from differences import expected

pytestmark = pytest.mark.anyio

STORIES = {
    f"{module.__name__.removeprefix('stories_')}-{story.__name__}": story
    for module in (stories_compute, stories_servers, stories_volume, stories_image)
    for story in module.STORIES
}


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
async def real() -> AsyncIterator[RealCloud]:
    async with aiohttp.ClientSession() as session:
        cloud = RealCloud(session, f"conformance-{os.getpid()}")
        await cloud.make()
        try:
            yield cloud
        finally:
            await cloud.clear()


@pytest.mark.parametrize("name", STORIES)
async def test_fake_pod_answers_as_a_real_one(name: str, real: RealCloud) -> None:
    story: Callable[[Story], Awaitable[None]] = STORIES[name]
    fake = FakeCloud.make()
    await story(Story(fake))
    real.transcript.clear()
    await story(Story(real))
    differences = []
    for ours, theirs in zip(fake.transcript, real.transcript, strict=True):
        mine, pods = expected(ours, theirs)
        if mine != pods:
            head = theirs.partition("\n")[0]
            diff = difflib.unified_diff(pods, mine, "real", "fake", lineterm="", n=0)
            differences.append("\n".join([head, *list(diff)[2:]]))
    if differences:
        pytest.fail("\n\n".join(differences), pytrace=False)

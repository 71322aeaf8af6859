# SPDX-License-Identifier: Apache-2.0
"""Images go through the gateway in pieces: nothing is held, and a broken stream is known."""

import asyncio
import hashlib
import tracemalloc
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.inprocess.cloud import HOST, Cloud, cloud

pytestmark = pytest.mark.anyio
IMAGES = "/image/v2/images"
PIECE = bytes(range(256)) * 256  # 64 KiB
PIECES = 800  # 50 MiB
STREAM = {"content-type": "application/octet-stream"}


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def top(tmp_path: Path) -> AsyncIterator[Cloud]:
    async with cloud(tmp_path) as one:
        yield one


async def new_image(top: Cloud) -> str:
    body = {"name": "i", "disk_format": "raw", "container_format": "bare"}
    made = await top.call("POST", IMAGES, body)
    assert made.status == 201
    ident: str = made.json["id"]
    return ident


async def pieces(count: int) -> AsyncIterator[bytes]:
    for _ in range(count):
        yield PIECE  # always the same object: what is held beside it would be seen


async def download(top: Cloud, path: str, most: int) -> tuple[list[dict[str, Any]], int]:
    """The messages without bodies, and how many bytes they had; the client leaves at ``most``."""
    messages: list[dict[str, Any]] = []
    size = 0

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        nonlocal size
        size += len(message.pop("body", b""))
        messages.append(message)
        if size > most:
            raise OSError("the client is gone")

    raw = path.encode()
    scope = {
        "type": "http",
        "method": "GET",
        "scheme": "http",
        "path": path,
        "raw_path": raw,
        "query_string": b"",
        "headers": [(b"x-auth-token", top.user.encode()), (b"host", HOST.encode())],
    }
    await top.app(scope, receive, send)
    return messages, size


async def test_an_image_is_uploaded_and_downloaded_in_pieces(top: Cloud) -> None:
    path = f"{IMAGES}/{await new_image(top)}/file"
    tracemalloc.start()
    try:
        sent = await top.call("PUT", path, pieces(PIECES), headers=STREAM)
        assert sent.status == 204
        messages, size = await download(top, path, 1 << 40)
        assert tracemalloc.get_traced_memory()[1] < 8 * 1024 * 1024
    finally:
        tracemalloc.stop()
    assert messages[0]["status"] == 200
    assert size == PIECES * len(PIECE)
    assert dict(messages[0]["headers"])[b"content-length"] == str(size).encode()
    md5 = hashlib.md5(usedforsecurity=False)
    for _ in range(PIECES):
        md5.update(PIECE)
    assert dict(messages[0]["headers"])[b"content-md5"] == md5.hexdigest().encode()


async def test_what_is_uploaded_is_in_the_pod_of_the_image(top: Cloud) -> None:
    ident = await new_image(top)
    path = f"{IMAGES}/{ident}/file"
    assert (await top.call("PUT", path, pieces(3), headers=STREAM)).status == 204
    shown = (await top.call("GET", f"{IMAGES}/{ident}")).json
    assert (shown["status"], shown["size"]) == ("active", 3 * len(PIECE))
    made = await top.boot(imageRef=ident)
    assert await top.pod_of(made["id"]) == await top.pod_of(ident)


async def test_an_upload_that_the_client_gives_up_is_not_taken_for_a_whole_one(
    top: Cloud,
) -> None:
    ident = await new_image(top)

    begun = asyncio.Event()

    async def endless() -> AsyncIterator[bytes]:
        yield PIECE
        begun.set()
        await asyncio.Event().wait()

    path = f"{IMAGES}/{ident}/file"
    upload = asyncio.create_task(top.call("PUT", path, endless(), headers=STREAM))
    await begun.wait()
    upload.cancel()
    with pytest.raises(asyncio.CancelledError):
        await upload
    pod = top.pods[await top.pod_of(ident)]
    assert pod.cloud.images.find(ident).status == "queued"
    assert (await top.call("PUT", path, pieces(2), headers=STREAM)).status == 204


async def test_an_upload_whose_connection_closes_is_not_taken_for_a_whole_one(
    top: Cloud,
) -> None:
    ident = await new_image(top)
    path = f"{IMAGES}/{ident}/file".encode()
    events: list[dict[str, Any]] = [
        {"type": "http.request", "body": PIECE, "more_body": True},
        {"type": "http.disconnect"},
    ]
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return events.pop(0)

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "PUT",
        "scheme": "http",
        "path": path.decode(),
        "raw_path": path,
        "query_string": b"",
        "headers": [
            (b"x-auth-token", top.user.encode()),
            (b"host", HOST.encode()),
            (b"content-type", b"application/octet-stream"),
        ],
    }
    await asyncio.wait_for(top.app(scope, receive, send), 5)
    pod = top.pods[await top.pod_of(ident)]
    assert pod.cloud.images.find(ident).status == "queued"
    health = (await top.call("GET", "/healthz")).json["pods"]
    assert {one["circuit"] for one in health} == {"closed"}, "it was not the pod's fault"


async def test_a_client_that_leaves_a_download_leaves_nothing_behind(top: Cloud) -> None:
    path = f"{IMAGES}/{await new_image(top)}/file"
    await top.call("PUT", path, pieces(100), headers=STREAM)
    for _ in range(120):  # more than calls may be in flight
        with pytest.raises(OSError, match="the client is gone"):
            await download(top, path, len(PIECE))
    _, size = await download(top, path, 1 << 40)
    assert size == 100 * len(PIECE)


async def test_a_download_that_the_pod_breaks_off_is_not_taken_for_a_whole_one(
    top: Cloud,
) -> None:
    ident = await new_image(top)
    path = f"{IMAGES}/{ident}/file"
    await top.call("PUT", path, pieces(20), headers=STREAM)
    image = top.pods[await top.pod_of(ident)].cloud.images.find(ident)
    image.chunks = [*image.chunks[:5], Broken()]
    try:
        messages, size = await download(top, path, 1 << 40)
    except Exception:  # noqa: BLE001  the server closes the connection then
        return
    assert messages[-1].get("more_body"), "an end was told that there was not"
    assert size < 20 * len(PIECE)


class Broken(bytes):
    """A piece that cannot be sent."""

    def __bool__(self) -> bool:
        raise ConnectionResetError("the disk is gone")


async def test_an_upload_without_a_pod_is_refused_and_known_to_be(top: Cloud) -> None:
    ident = await new_image(top)
    top.pods[await top.pod_of(ident)].down()
    answer = await top.call("PUT", f"{IMAGES}/{ident}/file", pieces(3), headers=STREAM)
    assert answer.status == 503


async def test_the_head_of_an_upload_is_not_limited_as_json_is(top: Cloud) -> None:
    ident = await new_image(top)
    length = {"content-length": str(32 * len(PIECE)), **STREAM}
    answer = await top.call("PUT", f"{IMAGES}/{ident}/file", pieces(32), headers=length)
    assert answer.status == 204


async def test_an_image_without_data_has_no_content(top: Cloud) -> None:
    messages, size = await download(top, f"{IMAGES}/{await new_image(top)}/file", 1 << 40)
    assert (messages[0]["status"], size) == (204, 0)

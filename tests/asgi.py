# SPDX-License-Identifier: Apache-2.0
"""A client for ASGI applications in this process."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


async def call(
    app: Any,
    method: str,
    target: str,
    *,
    headers: Mapping[str, str] | None = None,
    body: Any = None,
    host: str = "pod1.example:80",
) -> Answer:
    """Return the answer of ``app``; ``body`` is bytes, an iterator of chunks, or becomes JSON.

    Headers that come more than once are joined by commas.
    """
    path, _, query = target.partition("?")
    given = {"host": host, **{name.lower(): value for name, value in (headers or {}).items()}}
    chunks = _chunks(body)
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        async for chunk in chunks:
            return {"type": "http.request", "body": chunk, "more_body": True}
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        await asyncio.sleep(0)
        sent.append(message)

    if isinstance(body, dict | list):
        given.setdefault("content-type", "application/json")
    scope = {
        "type": "http",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "headers": [(name.encode(), value.encode()) for name, value in given.items()],
    }
    await app(scope, receive, send)
    joined: dict[str, str] = {}
    for raw_name, raw_value in sent[0]["headers"]:
        name, value = raw_name.decode().lower(), raw_value.decode()
        joined[name] = f"{joined[name]}, {value}" if name in joined else value
    return Answer(sent[0]["status"], joined, b"".join(m["body"] for m in sent[1:]))


async def _chunks(body: Any) -> AsyncIterator[bytes]:
    if body is None:
        return
    if isinstance(body, AsyncIterator):
        async for chunk in body:
            yield chunk
    else:
        yield body if isinstance(body, bytes) else json.dumps(body).encode()

# SPDX-License-Identifier: Apache-2.0
"""The least that a proxy in Python does, with the gateway's own HTTP server and client.

What the gateway costs beyond this is the gateway's. Run by uvicorn, see by_id.py.
"""

import os
from typing import Any

import aiohttp
from yarl import URL

_UPSTREAM = os.environ.get("TRIO2O_BENCH_UPSTREAM", "")
_sessions: list[aiohttp.ClientSession] = []


async def app(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] != "http":
        _sessions.append(
            aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), auto_decompress=False)
        )
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await _sessions[0].close()
        await send({"type": "lifespan.shutdown.complete"})
        return
    headers = {k.decode(): v.decode() for k, v in scope["headers"] if k != b"host"}
    url = URL(_UPSTREAM + scope["raw_path"].decode(), encoded=True)
    async with _sessions[0].request(scope["method"], url, headers=headers) as reply:
        body = await reply.read()
    raw = [(name.lower(), value) for name, value in reply.raw_headers]
    await send({"type": "http.response.start", "status": reply.status, "headers": raw})
    await send({"type": "http.response.body", "body": body})

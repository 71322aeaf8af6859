# SPDX-License-Identifier: Apache-2.0
"""Load, by wrk."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

# Ids are taken in turn, so that no cache of URLs makes things look better than they are.
_SCRIPT = """
local ids = %(ids)s
local wait = %(wait)d
local n = 0
function init(args)
  math.randomseed(1)
  requests = {}
  for i, id in ipairs(ids) do
    requests[i] = wrk.format("GET", (string.gsub(wrk.path, "ID", id)))
  end
end
function request()
  n = n + 1
  return requests[n %% #requests + 1]
end
if wait > 0 then
  function delay() return math.random(0, wait) end
end
function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '\\n{"requests": %%d, "duration_us": %%d, "bytes": %%d, "errors": %%d, '
    .. '"p50_us": %%f, "p99_us": %%f}\\n',
    summary.requests, summary.duration, summary.bytes, errors.connect + errors.read
    + errors.write + errors.status + errors.timeout,
    latency:percentile(50), latency:percentile(99)))
end
"""


@dataclass(frozen=True, slots=True)
class Load:
    requests: int
    duration_us: int
    bytes: int
    errors: int
    p50_us: float
    p99_us: float

    @property
    def per_s(self) -> float:
        return self.requests / self.duration_us * 1e6


async def load(
    url: str,
    ids: list[str],
    headers: Mapping[str, str],
    *,
    connections: int,
    seconds: int,
    directory: Path,
    per_s: float = 0.0,
    cpu: int | None = None,
) -> Load:
    """Requests for ``url``, whose ID is each of ``ids`` in turn.

    per_s: requests a second, evenly spread, so few that ``connections`` suffice; 0 for as many
        as there can be.

    Raises AssertionError when an answer is not a 2xx.
    """
    wait_ms = round(2 * 1000 * connections / per_s) if per_s else 0
    script = directory / "load.lua"
    lua = "{" + ",".join(f'"{one}"' for one in ids) + "}"
    script.write_text(_SCRIPT % {"ids": lua, "wait": wait_ms})
    argv = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "-s", str(script)]
    for name, value in headers.items():
        argv += ["-H", f"{name}: {value}"]
    if cpu is not None:
        argv = ["taskset", "-c", str(cpu), *argv]
    process = await asyncio.create_subprocess_exec(
        *argv, url, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    said = (await process.communicate())[0].decode()
    lines = [line for line in said.splitlines() if line.startswith("{")]
    assert lines, said
    found = Load(**json.loads(lines[-1]))
    assert not found.errors, said
    return found

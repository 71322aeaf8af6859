# SPDX-License-Identifier: Apache-2.0
"""A request as the engine sees it: authenticated, matched, negotiated, read."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

from trio2o.model import Caller, Headers, Service
from trio2o.ops import Op


@dataclass(frozen=True, slots=True)
class Request:
    """One operation, asked for by somebody.

    id: our request id; pods know it as the global request id.
    path: below the version and the project, percent-encoded as it came.
    query: without the leading "?", our own parameters taken out.
    headers: of the client, names in lower case.
    version: the negotiated microversion, "" for services without.
    version_headers: what tells it to a pod.
    body: whole, unless ``stream`` has it.   document: the body as JSON; None when there is none.
    base: URL of the gateway's service, with version and with the project if the client gave it.
    strict: a list must be complete or fail.
    """

    id: str
    op: Op
    params: Mapping[str, str]
    path: str
    query: str
    headers: Headers
    caller: Caller
    version: str
    version_headers: Headers
    body: bytes
    document: Any
    stream: AsyncIterator[bytes] | None
    base: str
    strict: bool

    @property
    def service(self) -> Service:
        return self.op.service

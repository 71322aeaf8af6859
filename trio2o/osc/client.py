# SPDX-License-Identifier: Apache-2.0
"""The admin API as the commands use it: rows in, rows out, pages put together."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

from keystoneauth1 import exceptions
from keystoneauth1.adapter import Adapter
from keystoneauth1.session import Session
from osc_lib.exceptions import CommandError

SERVICE_TYPE = "multipod"

Row = dict[str, Any]


class AdminClient:
    """Answers of the API are values; what it refuses is a CommandError with its own words."""

    def __init__(
        self, session: Session, *, region_name: str | None = None, interface: str | None = None
    ) -> None:
        self._adapter = Adapter(
            session,
            service_type=SERVICE_TYPE,
            region_name=region_name or None,
            interface=interface or "public",
            user_agent="trio2o-osc",
        )

    def list_(self, path: str, key: str, query: Mapping[str, Any], limit: int | None) -> list[Row]:
        """At most ``limit`` rows of the list at ``path``; all of them if it is None."""
        rows: list[Row] = []
        words = {name: value for name, value in query.items() if value is not None}
        while True:
            if limit is not None:
                words["limit"] = limit - len(rows)
            page = self._ask("GET", path, params=words)
            rows += page[key]
            marker = _next_marker(page.get(f"{key}_links", ()))
            if marker is None or (limit is not None and len(rows) >= limit):
                return rows
            words["marker"] = marker

    def show(self, path: str, name: str, key: str, query: Mapping[str, Any] | None = None) -> Row:
        words = {word: value for word, value in (query or {}).items() if value is not None}
        return _row(self._ask("GET", f"{path}/{quote(name, safe='')}", params=words), key)

    def create(self, path: str, key: str, row: Row) -> Row:
        return _row(self._ask("POST", path, json={key: row}), key)

    def update(self, path: str, name: str, key: str, row: Row) -> Row:
        return _row(self._ask("PATCH", f"{path}/{quote(name, safe='')}", json={key: row}), key)

    def delete(self, path: str, name: str, query: Mapping[str, Any] | None = None) -> None:
        self._ask("DELETE", f"{path}/{quote(name, safe='')}", params=dict(query or {}))

    def _ask(self, method: str, path: str, **more: Any) -> Any:
        try:
            reply = self._adapter.request(f"/v1.0/{path}", method, **more)
        except exceptions.EndpointNotFound as error:
            raise CommandError(
                f"{error}. Choose the gateway's region with --os-region-name; the command "
                "'trio2o catalog' makes its entries in the catalogue."
            ) from error
        except exceptions.HttpError as error:
            raise CommandError(str(error)) from error
        return reply.json() if reply.content else None


def client_of(command: Any) -> AdminClient:
    """The client that ``command`` of openstackclient speaks through."""
    client: AdminClient = command.app.client_manager.multipod
    return client


def _row(body: Any, key: str) -> Row:
    row: Row = body[key]
    return row


def _next_marker(links: Any) -> str | None:
    """Of the next page. Only the marker is taken, so that no link leads to another place."""
    for link in links:
        if link["rel"] == "next":
            (marker,) = parse_qs(urlsplit(str(link["href"])).query)["marker"]
            return marker
    return None

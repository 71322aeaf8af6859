# SPDX-License-Identifier: Apache-2.0
"""``trio2o catalog``: the gateway's region, services and endpoints in Keystone.

Reads what is there, decides what is missing or wrong, and does only that; run twice, it does
nothing the second time. Entries of other regions are not touched, but that a pod's region
without a parent becomes a child of the gateway's.
"""

import argparse
import sys
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from keystoneauth1 import exceptions as ksa
from keystoneauth1 import loading, plugin

from trio2o.db import pods
from trio2o.db.session import Database
from trio2o.errors import Misconfigured
from trio2o.pods.service_user import GROUP, load_plugin
from trio2o.settings import Settings

from .catalog_plan import Change, Endpoint, Region, ServiceEntry, There, Wanted, changes, notes
from .checks import CannotStart, check_identity
from .exits import Exit

_IDENTITY = {"service_type": "identity", "interface": plugin.AUTH_INTERFACE, "version": (3, 0)}
_EVERYWHERE = ("0.0.0.0", "::", "::0")  # addresses that no client can call


def run(settings: Settings, argv: Sequence[str]) -> int:
    """Return the exit code.  Raises Misconfigured, DatabaseUnavailable, CannotStart."""
    options = parser().parse_args(argv)
    registered = _registered(settings)
    wanted = _wanted(settings, options.base_url or settings.api.base_url, registered)
    check_identity(settings)
    keystone = Keystone(settings)
    try:
        there = keystone.read(wanted)
        planned = changes(wanted, there)
        for change in planned:
            if not options.dry_run:
                keystone.do(change)
            _say(f"would {change.text}" if options.dry_run else change.text)
        for note in notes(wanted, there):
            _say(f"note: {note}")
        if not planned:
            _say(f"The catalogue has all that {wanted.region} needs.")
    finally:
        keystone.close()
    return Exit.OK


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog="trio2o catalog",
        description="Put the gateway's region, services and endpoints into Keystone's catalogue, "
        "or change them to what the configuration says. Logs in as [service_user].",
    )
    made.add_argument(
        "--dry-run", action="store_true", help="Show what would be changed, and change nothing"
    )
    made.add_argument(
        "--base-url",
        metavar="URL",
        help="Public URL of the gateway (default: [api] base_url, else made of bind_host and "
        "port)",
    )
    return made


def _registered(settings: Settings) -> tuple[str, ...]:
    database = Database.configured(settings.database)
    try:
        return tuple(pod.name for pod in database.read_now(pods.list_))
    finally:
        database.close()


def _wanted(settings: Settings, base_url: str, registered: tuple[str, ...]) -> Wanted:
    if settings.gateway.region in registered:
        raise Misconfigured(
            f"[gateway] region: {settings.gateway.region} is a registered pod; name another "
            "region, or delete the pod"
        )
    if not base_url:
        host = settings.api.bind_host
        if host in _EVERYWHERE:
            raise Misconfigured(
                f"[api] base_url is not set, and [api] bind_host, {host}, is no address that "
                "clients can call; set base_url, or give --base-url"
            )
        base_url = f"http://{f'[{host}]' if ':' in host else host}:{settings.api.port}"
    if not base_url.startswith(("http://", "https://")):
        raise Misconfigured(f"--base-url: {base_url!r} is not an http or https URL")
    return Wanted.of(settings.gateway.region, base_url, settings.network.endpoint, registered)


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


class Keystone:
    """Regions, services and endpoints, read and written as [service_user]."""

    def __init__(self, settings: Settings) -> None:
        conf = settings.conf
        self._session: Any = loading.load_session_from_conf_options(
            conf, GROUP, auth=load_plugin(conf)
        )
        self._service_ids: dict[str, str] = {}

    def close(self) -> None:
        self._session.session.close()

    def read(self, wanted: Wanted) -> There:
        """What there is of what concerns us."""
        services = [
            ServiceEntry(one["id"], one["type"], one.get("name") or "", one.get("enabled", True))
            for kind in (*wanted.urls, "identity")
            for one in self._list("services", type=kind)
        ]
        kinds = {service.id: service.type for service in services}
        endpoints = [
            Endpoint(
                id=one["id"],
                region=region,
                service_id=one["service_id"],
                type=kinds[one["service_id"]],
                interface=one["interface"],
                url=one["url"],
                enabled=one.get("enabled", True),
            )
            for region in (wanted.region, *wanted.pods)
            for one in self._list("endpoints", region_id=region)
            if one["service_id"] in kinds
        ]
        regions = [Region(one["id"], one["parent_region_id"]) for one in self._list("regions")]
        return There(tuple(regions), tuple(services), tuple(endpoints))

    def _list(self, collection: str, **filters: str) -> list[dict[str, Any]]:
        document = self._ask("GET", f"/{collection}", params=filters)
        if document.get("truncated"):
            raise Misconfigured(
                f"Keystone shows only a part of its {collection}; raise list_limit in "
                "keystone.conf, section [catalog]"
            )
        found: list[dict[str, Any]] = document[collection]
        return found

    def do(self, change: Change) -> None:
        body = change.body
        if change.of_new_service:
            ((key, fields),) = body.items()
            service_id = self._service_ids[change.of_new_service]
            body = {key: {**fields, "service_id": service_id}}
        path = "/".join(quote(part, safe="") for part in change.path)
        document = self._ask(change.method, f"/{path}", json=body)
        if change.makes_service:
            self._service_ids[change.makes_service] = document["service"]["id"]

    def _ask(self, method: str, path: str, **more: Any) -> Any:
        try:
            return self._session.request(
                path, method, endpoint_filter=_IDENTITY, user_agent="trio2o", **more
            ).json()
        except ksa.Forbidden as error:
            raise CannotStart(
                Exit.BAD_CREDENTIALS,
                f"Keystone does not let [service_user] do {method} {path}: it must have the role "
                "admin. Give it that role, or run this command as somebody who has it: set "
                "OS_SERVICE_USER__USERNAME, OS_SERVICE_USER__PASSWORD and "
                "OS_SERVICE_USER__PROJECT_NAME",
            ) from error
        except ksa.HttpError as error:
            raise CannotStart(Exit.FAILED, f"Keystone: {method} {path}: {error}") from error
        except ksa.ClientException as error:
            raise CannotStart(
                Exit.IDENTITY_UNAVAILABLE, f"Keystone: {method} {path}: {error}"
            ) from error

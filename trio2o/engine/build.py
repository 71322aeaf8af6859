# SPDX-License-Identifier: Apache-2.0
"""Everything that a process needs, put together from the settings."""

import ssl

from trio2o.db.session import Database
from trio2o.errors import Misconfigured
from trio2o.metrics import observe_call
from trio2o.pods.client import PodClient
from trio2o.pods.health import Health, Limits
from trio2o.pods.identity import Identity, IdentityService
from trio2o.pods.transport import AiohttpTransport, Transport
from trio2o.registry import Registry
from trio2o.settings import Settings

from .deps import Deps
from .locate import Locator


def build(
    settings: Settings,
    *,
    identity: IdentityService | None = None,
    transport: Transport | None = None,
) -> Deps:
    """identity, transport: in the place of Keystone and of the network, for pods in memory.

    Raises Misconfigured.
    """
    db = Database.configured(settings.database)
    transport = transport or AiohttpTransport(tls=_tls(settings.pods.cafile))
    identity = identity or Identity(settings, transport)
    limits = Limits(
        failures=settings.pods.breaker_failures,
        open_s=settings.pods.breaker_open_s,
        in_flight=settings.pods.max_in_flight,
    )
    client = PodClient(
        identity,
        transport,
        Health(limits),
        connect_s=settings.pods.connect_timeout_s,
        observe=observe_call,
    )
    registry = Registry(settings, db, client)
    return Deps(
        settings=settings,
        db=db,
        identity=identity,
        client=client,
        registry=registry,
        locator=Locator(settings, db, client),
    )


def _tls(cafile: str) -> ssl.SSLContext | None:
    """Raises Misconfigured."""
    if not cafile:
        return None
    try:
        return ssl.create_default_context(cafile=cafile)
    except (OSError, ssl.SSLError) as error:
        raise Misconfigured(f"[pods] cafile: {cafile} cannot be used: {error}") from error

# SPDX-License-Identifier: Apache-2.0
"""Who asks: users' tokens, validated by keystonemiddleware, remembered for a short while.

keystonemiddleware decides what a good token is, service tokens and expiry included. It is
synchronous and costs some hundred microseconds even when it remembers, so it runs in a few
threads behind a cache of our own. It does not decide on access rules: it knows one service
only, and the gateway is several (access.py).
"""

import asyncio
import hashlib
import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Generic, TypeVar

import webob
from keystoneauth1 import exceptions as ksa
from keystonemiddleware import auth_token
from oslo_config import cfg

from trio2o import clock
from trio2o.errors import IdentityUnavailable, Trio2oError, Unauthenticated
from trio2o.metrics import TOKEN_LOOKUPS
from trio2o.model import Caller, Headers

from .flight import SingleFlight

LOG = logging.getLogger(__name__)

REFUSED_S = 5.0
"""How long a refused token is not asked about again. Keystone does not make old tokens good."""
_THREADS = 8
_MAX_WAITING = 256
_SLOWEST_S = 15.0
_KEYSTONE_TIMEOUT_S = 10.0

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Remembered(Generic[K, V]):
    """At most ``size`` values, each until its time; the least recently used go first."""

    def __init__(self, size: int, now: Callable[[], float] = time.monotonic) -> None:
        self._size = size
        self._now = now
        self._values: OrderedDict[K, tuple[float, V]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._values)

    def get(self, key: K) -> V | None:
        found = self._values.get(key)
        if found is None:
            return None
        if found[0] <= self._now():
            del self._values[key]
            return None
        self._values.move_to_end(key)
        return found[1]

    def put(self, key: K, value: V, keep_s: float) -> None:
        self._values[key] = (self._now() + keep_s, value)
        self._values.move_to_end(key)
        while len(self._values) > self._size:
            self._values.popitem(last=False)


_FROM_CACHE = TOKEN_LOOKUPS.labels("cache")
_FROM_KEYSTONE = TOKEN_LOOKUPS.labels("keystone")
_REFUSED = TOKEN_LOOKUPS.labels("refused")


class Tokens:
    """Validates tokens.

    keep_s: how long a good token is not asked about again: how long a revoked one still works,
        on top of [keystone_authtoken] token_cache_time where there is a memcached.
    size: tokens remembered.
    """

    def __init__(self, conf: cfg.ConfigOpts, *, keep_s: float, size: int) -> None:
        self._middleware = _Middleware(conf)
        self._keep_s = keep_s
        # The key is the tokens themselves: the value holds them anyway, to be passed on.
        self._good: Remembered[tuple[str, str], Caller] = Remembered(size)
        self._refused: Remembered[bytes, Unauthenticated] = Remembered(size)
        self._flights: SingleFlight[tuple[str, str], Caller] = SingleFlight()
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="keystone")

    async def authenticate(self, headers: Headers) -> Caller:
        """Whose tokens ``headers`` (names in lower case) have; nothing else in them counts.

        Raises Unauthenticated, IdentityUnavailable.
        """
        key = (headers.get("x-auth-token", ""), headers.get("x-service-token", ""))
        caller = self._good.get(key)
        if caller is not None:
            _FROM_CACHE.inc()
            return caller
        refused = self._refused.get(_digest(key))
        if refused is not None:
            raise Unauthenticated(refused.message, headers=refused.headers)
        if key not in self._flights and len(self._flights) >= _MAX_WAITING:
            raise IdentityUnavailable(
                f"{len(self._flights)} tokens wait for Keystone; it does not answer fast enough"
            )
        try:
            async with asyncio.timeout(_SLOWEST_S):
                return await self._flights.run(key, lambda: self._validate(key))
        except TimeoutError:
            raise IdentityUnavailable(
                f"Keystone did not validate a token in {_SLOWEST_S:g} s"
            ) from None
        except Unauthenticated as error:  # each caller its own: a traceback belongs to one
            raise Unauthenticated(error.message, headers=error.headers) from error

    async def _validate(self, key: tuple[str, str]) -> Caller:
        loop = asyncio.get_running_loop()
        outcome = await loop.run_in_executor(self._threads, self._middleware.caller, *key)
        if isinstance(outcome, Unauthenticated):
            _REFUSED.inc()
            self._refused.put(_digest(key), outcome, REFUSED_S)
            raise outcome
        if isinstance(outcome, Trio2oError):
            raise outcome
        _FROM_KEYSTONE.inc()
        left_s = (outcome.expires_at - clock.now()).total_seconds()
        # An expired token is good beside a service token: as long as any, then.
        keep_s = self._keep_s if left_s <= 0 else min(self._keep_s, left_s)
        self._good.put(key, outcome, keep_s)
        return outcome

    async def close(self) -> None:
        await self._flights.close()
        self._middleware.close()
        self._threads.shutdown(wait=False, cancel_futures=True)


def _digest(key: tuple[str, str]) -> bytes:
    """A refused token may be any rubbish of any length; what is kept of it is short."""
    return hashlib.sha256("\0".join(key).encode("utf-8", "surrogateescape")).digest()


class _Middleware(auth_token.AuthProtocol):  # type: ignore[misc]  # it has no types
    """keystonemiddleware, asked about tokens alone: it never sees the request itself."""

    def __init__(self, conf: cfg.ConfigOpts) -> None:
        shared = bool(conf.keystone_authtoken.memcached_servers)
        overrides: dict[str, Any] = {"delay_auth_decision": False}
        if not shared:
            # Other services that share a memcached want the catalogue in what they find there.
            overrides["include_service_catalog"] = False
        super().__init__(_confirmed, {**overrides, "oslo_config_config": conf})

    def _create_session(self, **kwargs: Any) -> Any:
        limit = self._conf.get("http_connect_timeout") or _KEYSTONE_TIMEOUT_S
        return super()._create_session(timeout=limit, **kwargs)

    def _token_cache_factory(self) -> Any:
        if self._conf.get("memcached_servers"):
            return super()._token_cache_factory()
        return _NoCache()

    def validate_allowed_request(self, request: Any, token: Any) -> None:
        """The gateway does it, for the service that is asked (access.py)."""

    def close(self) -> None:
        self._session.close()

    def caller(self, token: str, service_token: str) -> Caller | Trio2oError:
        """Whose tokens these are; an error is a value here, to cross from thread to loop."""
        token, service_token = token.strip(), service_token.strip()
        headers = {"X-Auth-Token": token} if token else {}
        if service_token:
            headers["X-Service-Token"] = service_token
        request = webob.Request.blank("/", headers=headers)
        try:
            response = request.get_response(self)
        except ksa.ClientException as error:
            LOG.warning("a token could not be validated: %s", error)
            return IdentityUnavailable("The Keystone service is temporarily unavailable.")
        if response.status_int == 401:
            where = response.headers.get("WWW-Authenticate")
            return Unauthenticated(
                "The request you have made requires authentication.",
                headers=(("WWW-Authenticate", where),) if where else (),
            )
        if response.status_int != 204:
            return IdentityUnavailable("The Keystone service is temporarily unavailable.")
        return _caller(request.environ, token, service_token)


def _confirmed(environ: Any, start_response: Any) -> list[bytes]:  # noqa: ARG001
    """What stands behind the middleware: reached with good tokens only."""
    start_response("204 No Content", [])
    return []


class _NoCache:
    """In the place of keystonemiddleware's cache in memory, which has no bound."""

    def initialize(self, env: object) -> None:
        """Nothing to do."""

    def get(self, token: str) -> None:  # noqa: ARG002
        return None

    def set(self, token: str, data: object) -> None:
        """Nothing is kept; Tokens does that."""


def _caller(environ: Mapping[str, Any], token: str, service_token: str) -> Caller:
    auth = environ["keystone.token_auth"]
    user, service = auth.user, auth.service
    application = environ["keystone.token_info"]["token"].get("application_credential") or {}
    rules = application.get("access_rules")
    return Caller(
        user_id=user.user_id,
        project_id=user.project_id or "",
        project_name=user.project_name or "",
        user_name=user.username or "",
        domain_id=user.domain_id or "",
        roles=frozenset(user.role_names),
        token=token,
        expires_at=user.expires,
        service_token=service_token,
        service_roles=frozenset(service.role_names) if service is not None else frozenset(),
        system_scope="all" if user.system_scoped and (user.system or {}).get("all") else "",
        is_admin_project=user.is_admin_project,
        access_rules=None if rules is None else tuple(rules),
    )

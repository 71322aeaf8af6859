# SPDX-License-Identifier: Apache-2.0
"""The gateway's own user in Keystone, ``[service_user]``.

Reads the catalogue, asks pods on the gateway's own behalf, and is who keystonemiddleware
validates tokens as. It never goes along with a user's request (doc/decisions/0004-identity.md).
"""

import asyncio
import contextlib
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from keystoneauth1 import exceptions as ksa
from keystoneauth1 import loading, plugin
from oslo_config import cfg

from trio2o import clock
from trio2o.errors import IdentityUnavailable, Misconfigured
from trio2o.settings import Settings

from .flight import SingleFlight

GROUP = "service_user"
REQUIRED_ROLE = "admin"
_TIMEOUT_S = 10.0
_RENEW_S = 300.0
_LEAST_LEFT_S = 15.0
_SCOPE = frozenset(
    {
        "project_id",
        "project_name",
        "project_domain_id",
        "project_domain_name",
        "domain_id",
        "domain_name",
        "system_scope",
        "trust_id",
    }
)
_KEYSTONE = {"service_type": "identity", "interface": plugin.AUTH_INTERFACE, "version": (3, 0)}


@dataclass(frozen=True, slots=True)
class Login:
    """A token of ours.  renew_at, useless_at: monotonic seconds."""

    token: str = field(repr=False)
    project_id: str
    roles: frozenset[str]
    renew_at: float
    useless_at: float


class ServiceUser:
    """Raises Misconfigured when the options do not name a way to log in."""

    def __init__(self, conf: cfg.ConfigOpts) -> None:
        self._auth = load_plugin(conf)
        self._session = _session(conf, self._auth)
        self._login: Login | None = None
        self._flights: SingleFlight[str, Login] = SingleFlight()
        self._threads = ThreadPoolExecutor(2, thread_name_prefix="service-user")

    async def login(self) -> Login:
        """A login that is good for a while yet.  Raises IdentityUnavailable."""
        login, now = self._login, time.monotonic()
        if login is not None and now < login.renew_at:
            return login
        try:
            return await self._flights.run("login", self._renew)
        except IdentityUnavailable:
            if login is not None and now < login.useless_at:
                return login
            raise

    async def token(self) -> str:
        return (await self.login()).token

    def forget(self) -> None:
        """Log in anew next time: somebody refused the token."""
        self._login = None

    async def _renew(self) -> Login:
        self._login = await self._in_thread(lambda: log_in(self._auth, self._session))
        return self._login

    async def get(self, path: str) -> tuple[int, Any]:
        """Status and JSON of a read in Keystone, below /v3.  Raises IdentityUnavailable."""
        login = await self.login()

        def read() -> tuple[int, Any]:
            try:
                response = self._session.get(
                    path,
                    endpoint_filter=_KEYSTONE,
                    headers={"X-Auth-Token": login.token, "Accept": "application/json"},
                    authenticated=False,
                    raise_exc=False,
                )
                return response.status_code, response.json() if response.content else None
            except (ksa.ClientException, ValueError) as error:
                raise IdentityUnavailable(f"Keystone: GET {path}: {error}") from error

        status, document = await self._in_thread(read)
        if status == 401:  # revoked, or Keystone's keys were rotated away
            self.forget()
        if status == 401 or status >= 500:
            raise IdentityUnavailable(f"Keystone answered GET {path} with {status}")
        return status, document

    async def _in_thread(self, work: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    async def close(self) -> None:
        await self._flights.close()
        self._session.close()
        self._threads.shutdown(wait=False, cancel_futures=True)


def load_plugin(conf: cfg.ConfigOpts, *, scoped: bool = True) -> Any:
    """How to log in.  scoped: False leaves out the project."""
    kind = conf[GROUP].auth_type
    if not kind:
        raise Misconfigured(
            "[service_user] auth_type is not set; set it to password, with auth_url, username, "
            "password, user_domain_name, project_name and project_domain_name of a user that "
            f"has the role {REQUIRED_ROLE} in that project"
        )
    try:
        loader: Any = loading.get_plugin_loader(kind)
        options = loading.get_auth_plugin_conf_options(loader)
        conf.register_opts(options, group=GROUP)
        return loader.load_from_options_getter(
            lambda option: (
                conf[GROUP][option.dest] if scoped or option.dest not in _SCOPE else None
            )
        )
    except ksa.NoMatchingPlugin as error:
        raise Misconfigured(f"[service_user] auth_type: there is no {kind}") from error
    except (ksa.MissingRequiredOptions, ksa.OptionError) as error:
        raise Misconfigured(f"[service_user]: {error}") from error


def _session(conf: cfg.ConfigOpts, auth: Any) -> Any:
    session = loading.load_session_from_conf_options(conf, GROUP, auth=auth)
    session.timeout = session.timeout or _TIMEOUT_S
    return session


def log_in(auth: Any, session: Any) -> Login:
    """A fresh token.  Raises IdentityUnavailable."""
    try:
        auth.invalidate()
        access = auth.get_access(session)
    except ksa.ClientException as error:
        raise IdentityUnavailable(
            f"[service_user] cannot log in to Keystone at {auth.auth_url}: {error}"
        ) from error
    now, left_s = time.monotonic(), (access.expires - clock.now()).total_seconds()
    return Login(
        token=access.auth_token,
        project_id=access.project_id or "",
        roles=frozenset(access.role_names),
        renew_at=now + left_s - min(_RENEW_S, left_s / 4),
        useless_at=now + left_s - _LEAST_LEFT_S,
    )


def check_service_user(settings: Settings) -> None:
    """Log in once, for a process that starts.

    Raises Misconfigured if it can never work, IdentityUnavailable if it may later.
    """
    conf = settings.conf
    auth = load_plugin(conf)
    with contextlib.closing(_session(conf, auth)) as session:
        access = _first_login(conf, session, auth)
    if not access.project_id:
        raise Misconfigured(
            "[service_user] logs in without a project; set project_name and "
            "project_domain_name: endpoints with a project in them are not in its catalogue"
        )
    if REQUIRED_ROLE not in access.role_names:
        roles = ", ".join(sorted(access.role_names)) or "none"
        raise Misconfigured(
            f"[service_user] {access.username} lacks the role {REQUIRED_ROLE} in project "
            f"{access.project_name} (it has: {roles}); run: openstack role add --user "
            f"{access.user_id} --project {access.project_id} {REQUIRED_ROLE}"
        )


def _first_login(conf: cfg.ConfigOpts, session: Any, auth: Any) -> Any:
    try:
        return auth.get_access(session)
    except ksa.Unauthorized as error:
        raise Misconfigured(_why_refused(conf, session, auth)) from error
    except ksa.SSLError as error:
        raise Misconfigured(
            f"[service_user] TLS with Keystone at {auth.auth_url} failed: {error}; set cafile to "
            "the authority that signed its certificate"
        ) from error
    except (ksa.NotFound, ksa.DiscoveryFailure) as error:
        if _reached(session, auth.auth_url):
            raise Misconfigured(
                f"[service_user] auth_url: {auth.auth_url} is not a Keystone with API v3; it "
                "looks like https://host:5000/v3 or https://host/identity/v3"
            ) from error
        raise _unreachable(auth, error) from error
    except ksa.ClientException as error:
        raise _unreachable(auth, error) from error


def _unreachable(auth: Any, error: Exception) -> IdentityUnavailable:
    return IdentityUnavailable(
        f"Keystone at {auth.auth_url} ([service_user] auth_url) does not answer: {error}"
    )


def _reached(session: Any, url: str) -> bool:
    try:
        status: int = session.get(url, authenticated=False, raise_exc=False).status_code
    except ksa.ClientException:
        return False
    return status < 500


def _why_refused(conf: cfg.ConfigOpts, session: Any, auth: Any) -> str:
    """Keystone says 401 to a wrong password, an unknown project and a missing role alike."""
    options = conf[GROUP]

    def value(name: str) -> str:
        return str(options.get(name))

    try:
        load_plugin(conf, scoped=False).get_access(session)
    except (ksa.ClientException, Misconfigured):
        return (
            f"[service_user] Keystone at {auth.auth_url} refuses user {value('username')}; check "
            "username, password and user_domain_name"
        )
    return (
        f"[service_user] Keystone knows user {value('username')}, but not project "
        f"{value('project_name')}, or it has no role there; check project_name and "
        "project_domain_name, or run: openstack role add --user "
        f"{value('username')} --project {value('project_name')} {REQUIRED_ROLE}"
    )

# SPDX-License-Identifier: Apache-2.0
"""Trio2o in front of the lab's real pods, for tests. Fails, and does not skip, without a lab."""

import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

from lab.gateway import Gateway
from lab.layout import ZONES, Lab
from lab.rest import Rest

T = TypeVar("T")
IMAGE = "c1220500-0000-4000-8000-000000000001"
LATEST = {"OpenStack-API-Version": "compute latest"}
WITHIN_S = 90.0


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Top:
    """The top region.  user: whose token goes along unless another is given."""

    gateway: Gateway
    user: str = "demo"
    _tokens: dict[str, str] = field(default_factory=dict)

    @property
    def lab(self) -> Lab:
        return self.gateway.lab

    def token(self, user: str) -> str:
        if user not in self._tokens:
            rest = Rest()
            rest.log_in(self.lab, user, user)
            assert rest.token
            self._tokens[user] = rest.token
        return self._tokens[user]

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        user: str = "",
        headers: Mapping[str, str] | None = None,
        url: str = "",
        timeout_s: float = 90.0,
    ) -> Answer:
        """path: from the gateway's root, or from ``url``.  body: bytes, or becomes JSON."""
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        sent = {"X-Auth-Token": self.token(user or self.user), "Accept": "application/json"}
        if data is not None:
            sent["Content-Type"] = "application/json"
        sent.update(headers or {})
        request = urllib.request.Request(
            f"{url or self.gateway.url}{path}", data, sent, method=method
        )
        try:
            with urllib.request.urlopen(request, timeout=timeout_s) as reply:
                return Answer(reply.status, reply.headers, reply.read())
        except urllib.error.HTTPError as error:
            with error:
                return Answer(error.code, error.headers, error.read())

    def openstack(self, *words: str, user: str = "") -> str:
        """What the real client prints.  Raises LabError with what it said."""
        return self.gateway.openstack(*words, user=user or self.user).decode()

    def openstack_json(self, *words: str, user: str = "") -> Any:
        return json.loads(self.openstack(*words, "-f", "json", user=user))

    # ------------------------------------------------------------------ resources

    def boot(self, name: str, zone: str = "", **more: Any) -> str:
        """Id of a new server, which is ACTIVE."""
        ident = self.start_boot(name, zone, **more)
        self.wait_server(ident, "ACTIVE")
        return ident

    def start_boot(self, name: str, zone: str = "", **more: Any) -> str:
        server = {
            "name": name, "flavorRef": "1", "imageRef": IMAGE, "networks": "none", **more
        }  # fmt: skip
        if zone:
            server["availability_zone"] = zone
        made = self.call("POST", "/compute/v2.1/servers", {"server": server}, headers=LATEST)
        assert made.status == 202, made.body
        ident: str = made.json["server"]["id"]
        return ident

    def server(self, ident: str) -> Any:
        shown = self.call("GET", f"/compute/v2.1/servers/{ident}", headers=LATEST)
        assert shown.status == 200, shown.body
        return shown.json["server"]

    def wait_server(self, ident: str, status: str) -> Any:
        def there() -> Any:
            server = self.server(ident)
            assert status == "ERROR" or server["status"] != "ERROR", server.get("fault")
            done = server["status"] == status and not server["OS-EXT-STS:task_state"]
            return server if done else None

        return wait(f"server {ident} {status}", there)

    def action(self, ident: str, action: str, body: Any = None) -> Answer:
        path = f"/compute/v2.1/servers/{ident}/action"
        return self.call("POST", path, {action: body}, headers=LATEST)

    def delete_server(self, ident: str) -> None:
        path = f"/compute/v2.1/servers/{ident}"
        if self.call("DELETE", path).status == 204:
            wait(f"server {ident} gone", lambda: self.call("GET", path).status == 404)

    def make_volume(self, zone: str = "", **more: Any) -> str:
        """Id of a new volume, which is available."""
        volume = {"size": 1, **more}
        if zone:
            volume["availability_zone"] = zone
        made = self.call("POST", "/volume/v3/volumes", {"volume": volume})
        assert made.status == 202, made.body
        ident: str = made.json["volume"]["id"]
        self.wait_volume(ident, "available")
        return ident

    def wait_volume(self, ident: str, status: str, kind: str = "volume") -> Any:
        def there() -> Any:
            shown = self.call("GET", f"/volume/v3/{kind}s/{ident}")
            assert shown.status == 200, shown.body
            found = shown.json[kind]
            assert not found["status"].startswith("error"), found
            return found if found["status"] == status else None

        return wait(f"{kind} {ident} {status}", there)

    def delete_volume(self, ident: str, kind: str = "volume") -> None:
        path = f"/volume/v3/{kind}s/{ident}"
        if self.call("DELETE", path).status == 202:
            wait(f"{kind} {ident} gone", lambda: self.call("GET", path).status == 404)

    def routing(self, ident: str) -> Any:
        found = self.call("GET", f"/v1.0/routings/{ident}", user="admin")
        return found.json["routing"] if found.status == 200 else None

    def pod_of(self, ident: str) -> str:
        name: str = self.routing(ident)["pod_name"]
        return name


def wait(what: str, check: Callable[[], T], timeout_s: float = WITHIN_S) -> T:
    """The first true value of ``check``."""
    deadline = time.monotonic() + timeout_s
    pause = 0.05
    while True:
        if found := check():
            return found
        assert time.monotonic() < deadline, f"{what}: not within {timeout_s:g} s"
        time.sleep(pause)
        pause = min(pause * 1.5, 1.0)


@contextmanager
def gateway(**more: Any) -> Iterator[Top]:
    """A running gateway with both pods registered.  more: of lab.gateway.Gateway."""
    one = Gateway(Lab.from_environment(), **more)
    one.stop()
    one.start()
    one.register(ZONES)
    try:
        yield Top(one)
    finally:
        one.stop()

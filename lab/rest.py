# SPDX-License-Identifier: Apache-2.0
"""Just enough of an HTTP client: JSON in, JSON out, a Keystone token."""

import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any

from lab.layout import SECRET, Lab


class Rest:
    """Requests with one token. Raises urllib.error.HTTPError (an OSError) for 4xx and 5xx."""

    def __init__(self, token: str | None = None) -> None:
        self.token = token

    def _send(
        self, method: str, url: str, data: bytes | None, headers: Mapping[str, str]
    ) -> tuple[Mapping[str, str], Any]:
        request = urllib.request.Request(url, data, method=method)
        request.add_header("Accept", "application/json")
        if self.token:
            request.add_header("X-Auth-Token", self.token)
        for key, value in headers.items():
            request.add_header(key, value)
        with urllib.request.urlopen(request, timeout=120) as response:
            content = response.read()
            return response.headers, json.loads(content) if content else None

    def get(self, url: str) -> Any:
        return self._send("GET", url, None, {})[1]

    def post(self, url: str, body: Any) -> Any:
        headers = {"Content-Type": "application/json"}
        return self._send("POST", url, json.dumps(body).encode(), headers)[1]

    def put(self, url: str, data: bytes | None = None) -> Any:
        headers = {"Content-Type": "application/octet-stream"} if data else {}
        return self._send("PUT", url, data, headers)[1]

    def log_in(self, lab: Lab, user: str, project: str) -> None:
        domain = {"id": "default"}
        password = {"user": {"name": user, "domain": domain, "password": SECRET}}
        body = {
            "auth": {
                "identity": {"methods": ["password"], "password": password},
                "scope": {"project": {"name": project, "domain": domain}},
            }
        }
        headers, _ = self._send(
            "POST",
            f"{lab.auth_url}/auth/tokens",
            json.dumps(body).encode(),
            {"Content-Type": "application/json"},
        )
        self.token = headers["X-Subject-Token"]


def as_admin(lab: Lab) -> Rest:
    rest = Rest()
    rest.log_in(lab, "admin", "admin")
    return rest


def answers(url: str) -> bool:
    """Return whether something speaks HTTP there; 300, 401 and 404 count."""
    try:
        Rest().get(url)
    except urllib.error.HTTPError as error:
        return error.code < 500
    except ValueError:
        return True
    return True

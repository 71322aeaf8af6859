# SPDX-License-Identifier: Apache-2.0
"""Access rules of application credentials: which requests a token may make at all.

A pod checks them too, but only of what reaches it: answers of the gateway's own, and what it
finds out by asking pods, are checked here.
Source: keystonemiddleware/auth_token/__init__.py@13.0.1, validate_allowed_request.
"""

import functools
import re

from trio2o.model import Caller, Service

SERVICE_TYPES = {
    Service.COMPUTE: ("compute",),
    Service.VOLUME: ("block-storage", "volumev3", "volumev2", "volume", "block-store"),
    Service.IMAGE: ("image",),
    Service.NETWORK: ("network",),
    Service.PLACEMENT: ("placement",),
    Service.IDENTITY: ("identity",),
}
"""The official type and its aliases, of the service-types authority."""

_TOKEN = re.compile(r"(\{[^}]*\}|\*(?!\*))|(\*\*)|(.)", re.DOTALL)


def allowed(caller: Caller, service: Service, method: str, native_path: str) -> bool:
    """Whether the token's access rules, if it has any, let this request pass.

    native_path: as the service itself would see it, "/v2.1/servers/{id}", without a query.

    A rule may name the service by any of its types: the pods differ in which one they use, and
    each holds the request to its own. A request with another service's token is one that this
    service makes in the course of one that was allowed.
    """
    if caller.access_rules is None or caller.service_token:
        return True
    types = SERVICE_TYPES[service]
    return any(
        rule.get("method") == method
        and rule.get("service") in types
        and _pattern(rule.get("path", "")).fullmatch(native_path) is not None
        for rule in caller.access_rules
    )


@functools.lru_cache(maxsize=4096)
def _pattern(path: str) -> re.Pattern[str]:
    """``*`` and ``{name}`` are one segment, ``**`` is any number of them.

    All else stands for itself; keystonemiddleware lets a dot stand for any character.
    """
    return re.compile(
        "".join(
            "[^/]+" if one else ".*" if many else re.escape(literal)
            for one, many, literal in _TOKEN.findall(path)
        )
    )

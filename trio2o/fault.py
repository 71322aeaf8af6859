# SPDX-License-Identifier: Apache-2.0
"""The body in which an error leaves, in the form of the service that the caller speaks to.

Knows four forms: Nova's and Cinder's fault object, WebOb's page that Glance (and every
service for a path that it does not have) sends, Neutron's NeutronError, and our own API's.
Each was compared byte by byte with what the service itself makes: tests/cases/fault.json.
A reply of a pod never comes here; it goes back as it is.
"""

import json
import re
from collections.abc import Iterable
from html import escape
from http import HTTPStatus
from typing import Any

from trio2o.errors import MethodNotAllowed, Trio2oError, Unauthenticated
from trio2o.model import Reply, Service

# nova/api/openstack/wsgi.py@34.0.0, cinder/api/openstack/wsgi.py@29.0.0: Fault._fault_names
_FAULT_NAMES = {
    400: "badRequest",
    401: "unauthorized",
    403: "forbidden",
    404: "itemNotFound",
    405: "badMethod",
    409: "conflictingRequest",
    413: "overLimit",
    415: "badMediaType",
    429: "overLimit",
    501: "notImplemented",
    503: "serviceUnavailable",
}

# WebOb keeps older titles than the standard library.
_TITLES = {413: "Request Entity Too Large"}

_TEXT_PLAIN = "text/plain; charset=UTF-8"
_TEXT_HTML = "text/html; charset=UTF-8"
_JSON = "application/json"

_NO_SUCH_PATH = "The resource could not be found."


def reply(
    service: Service | None,
    error: Trio2oError,
    *,
    accept: str = "",
    method: str = "GET",
    request_id: str = "",
) -> Reply:
    """The reply that tells ``error`` to a caller of ``service``; None is our own API.

    accept, method: of the request; only WebOb's form depends on them.
    A NotFound without a message says that the service has no such path. An
    Unauthenticated has the body of keystonemiddleware, which stands before each service;
    whoever raises it gives it the WWW-Authenticate header.
    """
    headers = list(error.headers)
    if error.status in (413, 429) and not any(k.lower() == "retry-after" for k, _ in headers):
        headers.append(("Retry-After", "0"))
    if service is None:
        content_type, data = own_body(error.status, error.code, error.message, request_id)
    elif isinstance(error, Unauthenticated):
        content_type, data = unauthenticated_body()
    elif not error.message or isinstance(error, MethodNotAllowed):
        content_type, data = no_route_body(service, error.status, method=method, accept=accept)
    else:
        content_type, data = body(
            service, error.status, error.message, accept=accept, headers=headers
        )
    return Reply(error.status, (("Content-Type", content_type), *headers), data)


def body(
    service: Service,
    status: int,
    message: str,
    *,
    accept: str = "",
    headers: Iterable[tuple[str, str]] = (),
    type_: str = "",
) -> tuple[str, bytes]:
    """Content type and body of an error that ``service`` itself found.

    headers: of the reply; Nova and Cinder repeat Retry-After in the body.
    type_: Neutron's name of the exception; "" is the one that it has for the status.
    """
    match service:
        case Service.COMPUTE | Service.VOLUME:
            return _fault(service, status, message, headers)
        case Service.IMAGE:
            return _webob(status, message, accept)
        case Service.NETWORK:
            name = type_ or f"HTTP{_title(status).replace(' ', '')}"
            error = {"type": name, "message": message, "detail": ""}
            return _JSON, _dump({"NeutronError": error})
        case Service.PLACEMENT | Service.IDENTITY:
            return own_body(status, "error", message, "")


def own_body(status: int, code: str, message: str, request_id: str) -> tuple[str, bytes]:
    """Content type and body of an error of our own API: one schema for all."""
    error: dict[str, Any] = {"code": status, "type": code, "message": message}
    if request_id:
        error["request_id"] = request_id
    return _JSON, _dump({"error": error})


def unauthenticated_body() -> tuple[str, bytes]:
    """Content type and body of a 401.

    Source: keystonemiddleware/auth_token/__init__.py@13.0.1, AuthProtocol.process_request.
    """
    message = "The request you have made requires authentication."
    return _JSON, _dump({"error": {"code": 401, "title": "Unauthorized", "message": message}})


def no_route_body(
    service: Service, status: int, *, method: str = "GET", accept: str = ""
) -> tuple[str, bytes]:
    """Content type and body for a path, or a method of a path, that ``service`` has not.

    Source: nova/api/wsgi.py@34.0.0, Router._dispatch, and the same in Cinder and Glance: the
    router's own answer is a WebOb page and not a fault object. Neutron makes its own of it.
    """
    if service is Service.NETWORK:
        return body(service, status, _NO_SUCH_PATH)
    if status == HTTPStatus.METHOD_NOT_ALLOWED:
        return _webob(status, "", accept, method=method)
    return _webob(status, _NO_SUCH_PATH, accept)


def _fault(
    service: Service, status: int, message: str, headers: Iterable[tuple[str, str]]
) -> tuple[str, bytes]:
    # Cinder has no name for 429.
    named = service is Service.COMPUTE or status != HTTPStatus.TOO_MANY_REQUESTS
    name = _FAULT_NAMES.get(status, "computeFault") if named else "computeFault"
    fault: dict[str, Any] = {"code": status, "message": message}
    if name == "overLimit":
        retry = next((v for k, v in headers if k.lower() == "retry-after"), "")
        if retry:
            fault["retryAfter"] = retry
    content_type = f"{_JSON}; charset=UTF-8" if service is Service.COMPUTE else _JSON
    return content_type, _dump({name: fault})


def _webob(status: int, message: str, accept: str, *, method: str = "GET") -> tuple[str, bytes]:
    # webob/exc.py@1.8.11: WSGIHTTPException.generate_response. The classes of 406, 415 and 501
    # have templates that have no place for a message either; ours says it all the same.
    line = f"{status} {_title(status)}"
    if status == HTTPStatus.METHOD_NOT_ALLOWED:
        # HTTPMethodNotAllowed has a template of its own, in which no message has a place.
        page = f"The method {method} is not allowed for this resource. <br /><br />\n"
        html = page
    else:
        page = f"{message}<br /><br />\n\n\n"
        html = f"{escape(message)}<br /><br />\n\n\n"
    match _best_offer(accept):
        case "text/html":
            text = (
                f"<html>\n <head>\n  <title>{line}</title>\n </head>\n"
                f" <body>\n  <h1>{line}</h1>\n  {html}\n </body>\n</html>"
            )
            return _TEXT_HTML, text.encode()
        case "application/json":
            return _JSON, _dump({"message": page, "code": line, "title": _title(status)})
        case _:
            return _TEXT_PLAIN, f"{line}\n\n{_strip_tags(page)}".encode()


def _best_offer(accept: str) -> str:
    """Which of HTML and JSON WebOb's acceptable_offers() puts first; "" for neither.

    No header, as WebOb's errors read it, accepts nothing; an unreadable one, everything.
    """
    if not accept.strip():
        return ""
    ranges: list[tuple[str, float]] = []
    for part in accept.split(","):
        found = re.fullmatch(
            r"\s*([\w.+*-]+/[\w.+*-]+)\s*((?:;\s*[\w-]+=[^;]*)*)\s*", part, re.ASCII
        )
        if not found:
            return "text/html"
        media, params = found.group(1).lower(), found.group(2)
        quality = 1.0
        for param in filter(None, (p.strip() for p in params.split(";"))):
            name, _, value = param.partition("=")
            if name.lower() != "q":
                # A range with parameters covers only offers with the same; ours have none.
                media = ""
            elif re.fullmatch(r"0(\.\d{0,3})?|1(\.0{0,3})?", value):
                quality = float(value)
            else:
                return "text/html"
        ranges.append((media, quality))
    best = ("", 0.0)
    for offer in ("text/html", "application/json"):
        covering = (offer, offer.split("/")[0] + "/*", "*/*")
        quality = next((q for wanted in covering for m, q in ranges if m == wanted), 0.0)
        if quality > best[1]:
            best = (offer, quality)
    return best[0]


def _strip_tags(text: str) -> str:
    # webob/exc.py@1.8.11: strip_tags, in its order
    text = text.replace("\n", " ").replace("\r", "")
    text = re.sub(r"<br.*?>", "\n", text, flags=re.IGNORECASE | re.DOTALL)
    text = re.sub(r"<!--|-->", "", text)
    return re.sub(r"<.*?>", "", text, flags=re.DOTALL)


def _title(status: int) -> str:
    return _TITLES.get(status) or HTTPStatus(status).phrase


def _dump(document: dict[str, Any]) -> bytes:
    # The services write JSON with the standard library: spaces, and ASCII only.
    return json.dumps(document).encode()

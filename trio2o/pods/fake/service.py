# SPDX-License-Identifier: Apache-2.0
"""The life of a request inside one in-memory service; the services say what is theirs."""

from typing import Any, ClassVar

import orjson

from trio2o.model import Service as ServiceType
from trio2o.pods.fake.cloud import Cloud
from trio2o.pods.fake.identity import FakeIdentity
from trio2o.pods.fake.schema import Invalid, Schema, check
from trio2o.pods.fake.web import (
    Fault,
    Request,
    Response,
    Row,
    Tree,
    Version,
    parse_version,
    split_project,
)

UNAUTHORIZED = orjson.dumps(
    {
        "error": {
            "code": 401,
            "title": "Unauthorized",
            "message": "The request you have made requires authentication.",
        }
    }
)
KEYSTONE = ("WWW-Authenticate", 'Keystone uri="http://keystone.example:5000/v3"')
STATUS_TITLES = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    406: "Not Acceptable",
    409: "Conflict",
    410: "Gone",
    413: "Request Entity Too Large",
    415: "Unsupported Media Type",
    429: "Too Many Requests",
    500: "Internal Server Error",
    501: "Not Implemented",
    503: "Service Unavailable",
}
EXPLANATIONS = {
    400: "The server could not comply with the request since it is either malformed or"
    " otherwise incorrect.",
    404: "The resource could not be found.",
    500: "The server has either erred or is incapable of performing the requested operation.",
    503: "The server is currently unavailable. Please try again at a later time.",
}


class Service:
    """One service of a pod.

    root: path of its version below the host.
    negotiates_first: the microversion is looked at before the path.
    minimum, maximum: microversions; a test may set them.
    """

    kind: ClassVar[ServiceType]
    root: ClassVar[str]
    negotiates_first: ClassVar[bool] = False
    minimum: Version = (0, 0)
    maximum: Version = (0, 0)

    def __init__(self, cloud: Cloud, identity: FakeIdentity, rows: tuple[Row, ...]) -> None:
        self.cloud = cloud
        self.identity = identity
        self.tree = Tree(rows)

    def answer(self, request: Request) -> Response:
        """Never raises Fault."""
        try:
            response = self._dispatch(request)
        except Fault as fault:
            response = self.fault(request, fault)
        response.headers.extend(self.stamp(request, response))
        return response

    # What a service says for itself.

    def unprotected(self, request: Request) -> Response | None:
        """The version documents, or None."""
        raise NotImplementedError

    def root_document(self, request: Request) -> Response:
        """What is at the service's own root; ``request.base`` is the URL of its version."""
        raise NotImplementedError

    def fault(self, request: Request, fault: Fault) -> Response:
        raise NotImplementedError

    def no_method(self, request: Request, allowed: list[str]) -> Fault:  # noqa: ARG002
        return self.no_path()

    def no_path(self) -> Fault:
        return Fault(404, body=webob_fault(404, f"{EXPLANATIONS[404]}<br /><br />\n\n\n"))

    def no_action(self, name: str) -> Fault:
        return Fault(400, f"There is no such action: {name}")

    def no_version(self) -> Fault:
        return Fault(404, EXPLANATIONS[404])

    def negotiate(self, request: Request) -> None:
        """Set ``request.version``. Raises Fault."""

    def check_project(self, request: Request) -> None:
        """Raises Fault when the URL's project is not the token's."""

    def stamp(self, request: Request, response: Response) -> list[tuple[str, str]]:  # noqa: ARG002
        """Headers of every answer."""
        return [("x-openstack-request-id", request.request_id)]

    def malformed(self) -> Fault:
        return Fault(400, "Malformed request body")

    # What is common.

    def _dispatch(self, request: Request) -> Response:
        document = self.unprotected(request)
        if document is not None:
            return document
        request.caller = self.identity.who(request.headers.get("x-auth-token", ""))
        if request.caller is None:
            raise Fault(401, headers=(KEYSTONE,), body=UNAUTHORIZED)
        if self.negotiates_first:
            self.negotiate(request)
        request.project_in_url, request.path = split_project(request.path)
        found = self.tree.find(request.path)
        if found is None:
            raise self.no_path()
        methods, request.params = found
        if request.method not in methods:
            raise self.no_method(request, sorted(methods))
        request.method_known = True
        if not self.negotiates_first:
            self.negotiate(request)
        row = self._choose(request, methods[request.method])
        self.check_project(request)
        if not row.since <= request.version[1] <= row.until:
            raise self.no_version()
        if request.since(row.strict):
            _check_query(request, row.known)
        return row.handle(self.cloud, request)

    def _choose(self, request: Request, actions: dict[str, list[Row]]) -> Row:
        plain = actions.get("")
        if plain and plain[0].raw:
            return plain[0]
        request.body = self._parse(request)
        rows = plain
        if rows is None:
            rows = actions.get(self._action(request))
            if rows is None:
                raise self.no_action(request.action)
        for row in rows:
            if row.since <= request.version[1] <= row.until:
                return row
        return rows[0]

    def _action(self, request: Request) -> str:
        if not isinstance(request.body, dict) or len(request.body) != 1:
            raise self.malformed()
        request.action = next(iter(request.body))
        return request.action

    def _parse(self, request: Request) -> Any:
        raw = b"".join(request.chunks)
        if not raw:
            return None
        try:
            return orjson.loads(raw)
        except orjson.JSONDecodeError:
            raise self.malformed() from None


def _check_query(request: Request, known: tuple[str, ...]) -> None:
    """Raises Fault(400) for what ``known`` has not."""
    unknown = sorted({key for key, _ in request.query if key not in known})
    if unknown:
        verb = "was" if len(unknown) == 1 else "were"
        listed = ", ".join(repr(key) for key in unknown)
        raise Fault(400, f"Additional properties are not allowed ({listed} {verb} unexpected)")


def validate(schema: Schema, body: Any) -> Any:
    """``body``, when it fits. Raises Fault in Nova's and Cinder's words."""
    try:
        check(schema, body)
    except Invalid as error:
        if error.path is None:
            raise Fault(400, error.message) from None
        raise Fault(
            400,
            f"Invalid input for field/attribute {error.path}. Value: {error.value}. "
            f"{error.message}",
        ) from None
    return body


def webob_fault(status: int, message: str) -> bytes:
    """What WebOb makes of an exception for those who accept JSON."""
    title = STATUS_TITLES.get(status, "Error")
    return orjson.dumps({"message": message, "code": f"{status} {title}", "title": title})


def out_of_range(version: Version, minimum: Version, maximum: Version) -> Fault:
    return Fault(
        406,
        f"Version {dotted(version)} is not supported by the API. Minimum is {dotted(minimum)} "
        f"and maximum is {dotted(maximum)}.",
    )


def version_of(text: str) -> Version:
    """Raises Fault in the words of nova.api.openstack.api_version_request."""
    version = parse_version(text)
    if version is None:
        raise Fault(
            400,
            f"API Version String {text} is of invalid format. Must be of format "
            "MajorNum.MinorNum.",
        )
    return version


def dotted(version: Version) -> str:
    return f"{version[0]}.{version[1]}"


def require_role(request: Request, rule: str, *roles: str) -> None:
    """Raises Fault unless the caller has one of ``roles``."""
    if not request.who.roles.intersection(roles):
        raise Fault(403, f"Policy doesn't allow {rule} to be performed.")

# SPDX-License-Identifier: Apache-2.0
"""A request to the admin API, read and checked; and an answer.

Everything that a caller sends is checked here against the schemas of its operation, so that
what does the operation gets values of the right types, lengths and characters.
"""

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Protocol, cast
from urllib.parse import parse_qsl, urlencode

import jsonschema
import orjson
from jsonschema.exceptions import best_match
from starlette.requests import ClientDisconnect, Request

from trio2o.api.admin_projects import Projects
from trio2o.api.admin_table import Operation, Parameter
from trio2o.api.policy import Policy
from trio2o.api.schemas import SCHEMAS, Schema
from trio2o.db.session import Database
from trio2o.errors import BadRequest, TooLarge, UnsupportedMediaType
from trio2o.model import Caller, Headers
from trio2o.settings import Settings

MAX_BODY_BYTES: Final = 64 * 1024
_TYPES: Final = ("application/json", "application/merge-patch+json")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
_MESSAGE_CHARACTERS: Final = 500


class Identity(Protocol):
    """What the admin API asks of Keystone."""

    async def authenticate(self, headers: Headers) -> Caller: ...

    async def check_region(self, name: str) -> list[str]: ...


class Pods(Protocol):
    """The live set of pods, of which the admin API says only that it has changed."""

    def forget(self) -> None: ...


class Deps(Protocol):
    """What the admin API needs of the running gateway (engine.deps.Deps is one)."""

    @property
    def settings(self) -> Settings: ...

    @property
    def db(self) -> Database: ...

    @property
    def identity(self) -> Identity: ...

    @property
    def registry(self) -> Pods: ...


@dataclass(frozen=True, slots=True)
class Parts:
    """What the admin API is made of."""

    settings: Settings
    db: Database
    identity: Identity
    registry: Pods
    projects: Projects
    policy: Policy


@dataclass(frozen=True, slots=True)
class Ask:
    """A request that has been checked.

    base: URL that the version is below, without a slash at the end.
    max_limit: items on a page at most.
    """

    operation: Operation
    base: str
    max_limit: int
    caller: Caller | None = None
    path: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, Any] = field(default_factory=dict)
    body: Mapping[str, Any] = field(default_factory=dict)

    @property
    def who(self) -> Caller:
        if self.caller is None:
            raise LookupError(f"{self.operation.name} is for anybody, and asks who it is")
        return self.caller

    def one_of(self, *names: str) -> Any:
        """The parameter that has several names; None if it was not given.

        Raises BadRequest if two of them say different things.
        """
        return one_of(self.query, *names)

    @property
    def limit(self) -> int:
        limit: int = self.query.get("limit", self.max_limit)
        return min(limit, self.max_limit)

    @property
    def marker(self) -> str | None:
        return self.query.get("marker")

    def next_links(self, key: str, marker: str | None) -> dict[str, Any]:
        """The link to the page after the item ``marker``; nothing if it is None."""
        if marker is None:
            return {}
        query = {**self.query, "marker": marker}
        words = {name: _written(value) for name, value in query.items()}
        href = f"{self.base}{self.operation.path}?{urlencode(words)}"
        return {f"{key}_links": [{"rel": "next", "href": href}]}


def _written(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


@dataclass(frozen=True, slots=True)
class Answer:
    """body: None for none."""

    body: Mapping[str, Any] | None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


Handler = Callable[[Parts, Ask], Awaitable[Answer]]


def one_of(values: Mapping[str, Any], *names: str) -> Any:
    """The value that has several names; None if it has none.

    Raises BadRequest if two of them say different things.
    """
    given = {name: values[name] for name in names if name in values}
    if len(set(given.values())) > 1:
        raise BadRequest(f"{' and '.join(given)} say different things; give one of them.")
    return next(iter(given.values()), None)


def clean_path(path: Mapping[str, str]) -> dict[str, str] | None:
    """The parts of the path; None if they cannot be the name or id of anything."""
    if any(_CONTROL.search(value) or len(value) > 255 for value in path.values()):
        return None
    return dict(path)


def clean_query(operation: Operation, text: str) -> dict[str, Any]:
    """The parameters of the query, in their own types.  Raises BadRequest."""
    known = {parameter.name: parameter for parameter in operation.query}
    found: dict[str, Any] = {}
    for name, value in parse_qsl(text, keep_blank_values=True):
        if name not in known:
            takes = ", ".join(known) or "none"
            raise BadRequest(f"There is no parameter {name[:64]!r} here; there are: {takes}.")
        if name in found:
            raise BadRequest(f"The parameter {name} is given more than once.")
        found[name] = _typed(known[name], value)
    return found


def _typed(parameter: Parameter, text: str) -> Any:
    if _CONTROL.search(text):
        raise BadRequest(f"{parameter.name}: control characters are not allowed.")
    value: Any = text
    match parameter.schema["type"]:
        case "integer" if text.isascii() and text.isdigit() and len(text) <= 9:
            value = int(text)
        case "boolean" if text.lower() in ("true", "1"):
            value = True
        case "boolean" if text.lower() in ("false", "0"):
            value = False
    error = best_match(jsonschema.Draft202012Validator(parameter.schema).iter_errors(value))
    if error is not None:
        raise BadRequest(f"{parameter.name}: {_said(error)}")
    return value


async def clean_body(operation: Operation, request: Request) -> dict[str, Any]:
    """What is below the one key of the body.

    Raises UnsupportedMediaType, TooLarge, BadRequest.
    """
    kind = request.headers.get("content-type", "application/json").partition(";")[0].strip()
    if kind.lower() not in _TYPES:
        raise UnsupportedMediaType(f"The body must be application/json, not {kind[:100]!r}.")
    try:
        document = orjson.loads(await _read(request))
    except orjson.JSONDecodeError as error:
        raise BadRequest(f"The body is not JSON: {error}.") from error
    document = _stripped(document)
    try:
        wrong = best_match(_VALIDATORS[operation.body].iter_errors(document))
    except RecursionError as deep:
        raise BadRequest("The body is nested too deeply.") from deep
    if wrong is not None:
        where = wrong.json_path.removeprefix("$").removeprefix(".")
        raise BadRequest(f"{where or 'The body'}: {_said(wrong)}")
    (inner,) = document.values()
    return dict(inner)


async def _read(request: Request) -> bytes:
    chunks: list[bytes] = []
    size = 0
    try:
        async for chunk in request.stream():
            size += len(chunk)
            if size > MAX_BODY_BYTES:
                raise TooLarge(f"The body is larger than {MAX_BODY_BYTES} bytes.")
            chunks.append(chunk)
    except ClientDisconnect as error:
        raise BadRequest("The body ended early.") from error
    return b"".join(chunks)


def _stripped(document: Any) -> Any:
    """``document`` with no blanks around the values of its fields."""
    match document:
        case {**envelope} if len(envelope) == 1:
            ((key, fields),) = envelope.items()
            if isinstance(fields, dict):
                return {key: {name: _strip(value) for name, value in fields.items()}}
    return document


def _strip(value: Any) -> Any:
    match value:
        case str():
            return value.strip()
        case list():
            return [one.strip() if isinstance(one, str) else one for one in value]
    return value


def _said(error: jsonschema.ValidationError) -> str:
    message = error.message
    if error.validator == "anyOf":  # our schemas say by it that a field has several names
        options = cast("list[Schema]", error.validator_value)
        names = [name for option in options for name in option["required"]]
        message = f"{' or '.join(names)} is required"
    if len(message) > _MESSAGE_CHARACTERS:
        message = f"{message[:_MESSAGE_CHARACTERS]}..."
    return f"{message}."


def _validator(name: str) -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(
        {"$ref": f"#/components/schemas/{name}", "components": {"schemas": SCHEMAS}}
    )


_VALIDATORS: Final = {
    name: _validator(name) for name in SCHEMAS if name.endswith(("Create", "Update"))
}

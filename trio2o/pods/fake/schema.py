# SPDX-License-Identifier: Apache-2.0
"""The part of JSON Schema that the in-memory services check bodies with, in jsonschema's words.

Source: the messages of jsonschema 4.26 and nova/api/validation/validators.py@34.0.0.
"""

import re
from collections.abc import Mapping
from typing import Any

from trio2o.ids import is_uuid

Schema = Mapping[str, Any]


class Invalid(Exception):
    """path: the innermost key that is wrong; None when the whole body is."""

    def __init__(self, message: str, path: str | int | None, value: object) -> None:
        super().__init__(message)
        self.message = message
        self.path = path
        self.value = value


_TYPES: dict[str, Any] = {
    "string": lambda value: isinstance(value, str),
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "boolean": lambda value: isinstance(value, bool),
    "null": lambda value: value is None,
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
}


def check(schema: Schema, value: Any, path: str | int | None = None) -> None:
    """Raises Invalid for the first thing that is wrong."""
    _check_any(schema, value, path)
    _check_type(schema, value, path)
    _check_enum(schema, value, path)
    if isinstance(value, str):
        _check_text(schema, value, path)
    if isinstance(value, dict):
        _check_object(schema, value, path)
    if isinstance(value, list):
        _check_list(schema, value, path)
    _check_number(schema, value, path)


def _check_any(schema: Schema, value: Any, path: str | int | None) -> None:
    choices = schema.get("anyOf")
    if choices is not None and not any(_fits(choice, value) for choice in choices):
        raise Invalid(f"{value!r} is not valid under any of the given schemas", path, value)


def _fits(schema: Schema, value: Any) -> bool:
    try:
        check(schema, value)
    except Invalid:
        return False
    return True


def _check_type(schema: Schema, value: Any, path: str | int | None) -> None:
    wanted = schema.get("type")
    if wanted is None:
        return
    names = [wanted] if isinstance(wanted, str) else list(wanted)
    if not any(_TYPES[name](value) for name in names):
        listed = ", ".join(repr(name) for name in names)
        raise Invalid(f"{value!r} is not of type {listed}", path, value)


def _check_enum(schema: Schema, value: Any, path: str | int | None) -> None:
    allowed = schema.get("enum")
    if allowed is not None and value not in allowed:
        raise Invalid(f"{value!r} is not one of {list(allowed)!r}", path, value)


def _check_text(schema: Schema, value: str, path: str | int | None) -> None:
    if len(value) < schema.get("minLength", 0):
        problem = "should be non-empty" if schema["minLength"] == 1 else "is too short"
        raise Invalid(f"{value!r} {problem}", path, value)
    if len(value) > schema.get("maxLength", len(value)):
        raise Invalid(f"{value!r} is too long", path, value)
    pattern = schema.get("pattern")
    if pattern is not None and not re.search(pattern, value):
        raise Invalid(f"{value!r} does not match {pattern!r}", path, value)
    if schema.get("format") == "uuid" and not is_uuid(value):
        raise Invalid(f"{value!r} is not a 'uuid'", path, value)


def _check_number(schema: Schema, value: Any, path: str | int | None) -> None:
    try:
        number = int(value)
    except (TypeError, ValueError):
        return
    if "minimum" in schema and number < schema["minimum"]:
        raise Invalid(f"{value!r} is less than the minimum of {schema['minimum']}", path, value)
    if "maximum" in schema and number > schema["maximum"]:
        raise Invalid(f"{value!r} is greater than the maximum of {schema['maximum']}", path, value)


def _check_object(schema: Schema, value: dict[str, Any], path: str | int | None) -> None:
    properties = schema.get("properties", {})
    for key, below in properties.items():
        if key in value:
            check(below, value[key], key)
    for pattern, below in schema.get("patternProperties", {}).items():
        for key, item in value.items():
            if re.search(pattern, key):
                check(below, item, key)
    for key in schema.get("required", ()):
        if key not in value:
            raise Invalid(f"{key!r} is a required property", path, value)
    if schema.get("additionalProperties", True) is False:
        _check_extras(schema, value, path)


def _check_extras(schema: Schema, value: dict[str, Any], path: str | int | None) -> None:
    patterns = schema.get("patternProperties", {})
    extras = [
        key
        for key in value
        if key not in schema.get("properties", {})
        and not any(re.search(pattern, key) for pattern in patterns)
    ]
    if not extras:
        return
    if patterns:
        verb = "does" if len(extras) == 1 else "do"
        listed = ", ".join(repr(key) for key in sorted(extras))
        known = ", ".join(repr(pattern) for pattern in sorted(patterns))
        raise Invalid(f"{listed} {verb} not match any of the regexes: {known}", path, value)
    verb = "was" if len(extras) == 1 else "were"
    listed = ", ".join(repr(key) for key in sorted(extras, key=str))
    raise Invalid(
        f"Additional properties are not allowed ({listed} {verb} unexpected)", path, value
    )


def _check_list(schema: Schema, value: list[Any], path: str | int | None) -> None:
    if len(value) > schema.get("maxItems", len(value)):
        raise Invalid(f"{value!r} is too long", path, value)
    if "items" in schema:
        for index, item in enumerate(value):
            check(schema["items"], item, index)

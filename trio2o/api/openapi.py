# SPDX-License-Identifier: Apache-2.0
"""The OpenAPI document of the admin API, made of its table and schemas."""

import re
from http import HTTPStatus
from typing import Any, Final

from trio2o.api.admin_table import OPERATIONS, Operation
from trio2o.api.schemas import SCHEMAS, ref

_PARAMETER: Final = re.compile(r"{(\w+)}")
_REQUEST_ID: Final = {
    "X-Openstack-Request-Id": {
        "description": "Names the request in the logs.",
        "schema": {"type": "string"},
    }
}
_PATH_PARAMETERS: Final = {
    "pod": "The pod, by name or id.",
    "binding": "Id of the binding.",
    "resource_id": "Id of the server, volume, image or whatever it is.",
}


def document() -> dict[str, Any]:
    """The document, in OpenAPI 3.1."""
    paths: dict[str, dict[str, Any]] = {}
    for operation in OPERATIONS:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Trio2o admin API",
            "version": "1.0",
            "summary": "Pods, bindings, routings and placements.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {
            "schemas": SCHEMAS,
            "securitySchemes": {
                "token": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "X-Auth-Token",
                    "description": "A token of Keystone.",
                }
            },
        },
    }


def statuses(operation: Operation) -> list[int]:
    """Every status that the operation can be answered with, the good one first."""
    refused = {500, 503, *operation.refusals}
    if operation.rule:
        refused |= {400, 401, 403}
    if operation.body:
        refused |= {413, 415}
    return [operation.status, *sorted(refused)]


def _operation(operation: Operation) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": operation.name,
        "summary": operation.summary,
        "tags": [operation.name.partition(":")[0]],
        "parameters": [
            {
                "name": name,
                "in": "path",
                "required": True,
                "description": _PATH_PARAMETERS[name],
                "schema": {"type": "string"},
            }
            for name in _PARAMETER.findall(operation.path)
        ]
        + [
            {
                "name": parameter.name,
                "in": "query",
                "description": parameter.description,
                "schema": parameter.schema,
            }
            for parameter in operation.query
        ],
        "responses": {str(status): _response(operation, status) for status in statuses(operation)},
        "security": [{"token": []}] if operation.rule else [],
    }
    if operation.body:
        described["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": ref(operation.body)}},
        }
    return described


def _response(operation: Operation, status: int) -> dict[str, Any]:
    described: dict[str, Any] = {
        "description": HTTPStatus(status).phrase,
        "headers": dict(_REQUEST_ID),
    }
    if status == operation.status:
        schema = operation.answer
        if status == 201:
            described["headers"]["Location"] = {"schema": {"type": "string"}}
    else:
        schema = "Unauthenticated" if status == 401 else "Error"
    if schema:
        described["content"] = {"application/json": {"schema": ref(schema)}}
    return described

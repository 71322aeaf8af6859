# SPDX-License-Identifier: Apache-2.0
"""JSON Schemas of the admin API: what is taken, and what is answered.

The same schemas check requests, make the OpenAPI document, and check answers in tests.
Names that Tricircle and Trio2o used before (pod_id, pod_name, region_name, tenant_id, top_id,
bottom_id, resource_type) are taken and shown beside ours.
"""

from typing import Any, Final

from trio2o.model import BoundBy, Kind, PodState

Schema = dict[str, Any]

_NO_CONTROL: Final = r"^[^\x00-\x1f\x7f]*$"


def _text(description: str, *, least: int = 0, most: int = 255) -> Schema:
    return {
        "type": "string",
        "minLength": least,
        "maxLength": most,
        "pattern": _NO_CONTROL,
        "description": description,
    }


def _closed(properties: Schema, *, required: tuple[str, ...] = (), least: int = 0) -> Schema:
    """An object with no other keys."""
    schema: Schema = {
        "type": "object",
        "properties": properties,
        "required": list(required),
        "additionalProperties": False,
    }
    if least:
        schema["minProperties"] = least
    return schema


def _within(key: str, schema: Schema) -> Schema:
    return _closed({key: schema}, required=(key,))


def _answer(properties: Schema) -> Schema:
    """An answer: every key is always there."""
    return _closed(properties, required=tuple(properties))


def _page(key: str, item: str) -> Schema:
    """A page of a list; the link to the next page is there if there is one."""
    return _closed(
        {
            key: {"type": "array", "items": ref(item)},
            f"{key}_links": {"type": "array", "items": ref("Link")},
        },
        required=(key,),
    )


def ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


_MOMENT: Final[Schema] = {"type": "string", "format": "date-time"}
_MOMENT_OR_NULL: Final[Schema] = {"type": ["string", "null"], "format": "date-time"}
_ID: Final[Schema] = {"type": "string"}
_STRING: Final[Schema] = {"type": "string"}
_LINKS: Final[Schema] = {"type": "array", "items": ref("Link")}
_STATE: Final[Schema] = {
    "type": "string",
    "enum": [state.value for state in PodState],
    "description": "`enabled`; `maintenance`: everything works but new servers and volumes go "
    "elsewhere; `disabled`: the pod is not asked for anything.",
}
_TAGS: Final[Schema] = {
    "type": "array",
    "items": {
        "type": "string",
        "minLength": 1,
        "maxLength": 60,
        "pattern": r"^[^,/\x00-\x1f\x7f]+$",
    },
    "maxItems": 50,
    "uniqueItems": True,
    "description": "Words that placement may ask for.",
}
_GENERATION: Final[Schema] = {
    "type": "integer",
    "minimum": 1,
    "maximum": 2**31 - 1,
    "description": "The one that was read; if the pod has another by now, the answer is 409.",
}

_AZ_NAME: Final = _text("The availability zone of the top region that the pod serves.", least=1)
_POD_AZ_NAME: Final = _text(
    "What that zone is called in the pod. Empty: the pod's zones are not named to it."
)
_DC_NAME: Final = _text("The data centre.")
_POD_NAME: Final = {
    **_text("The pod: its region in Keystone.", least=1),
    "pattern": r"^[^/\x00-\x1f\x7f]+$",
}
_PROJECT: Final = {**_text("The project.", least=1, most=64), "pattern": r"^[A-Za-z0-9_-]+$"}

SCHEMAS: Final[Schema] = {
    # What is taken
    "PodCreate": _within(
        "pod",
        {
            **_closed(
                {
                    "name": _POD_NAME,
                    "pod_name": {**_POD_NAME, "description": "The same as `name`."},
                    "region_name": {**_POD_NAME, "description": "The same as `name`."},
                    "az_name": _AZ_NAME,
                    "pod_az_name": _POD_AZ_NAME,
                    "dc_name": _DC_NAME,
                    "state": {**_STATE, "default": "enabled"},
                    "tags": _TAGS,
                },
                required=("az_name",),
            ),
            "anyOf": [{"required": [key]} for key in ("name", "pod_name", "region_name")],
        },
    ),
    "PodUpdate": _within(
        "pod",
        _closed(
            {
                "az_name": _AZ_NAME,
                "pod_az_name": _POD_AZ_NAME,
                "dc_name": _DC_NAME,
                "state": _STATE,
                "tags": _TAGS,
                "generation": _GENERATION,
            },
            least=1,
        ),
    ),
    "BindingCreate": _within(
        "pod_binding",
        {
            **_closed(
                {
                    "project_id": _PROJECT,
                    "tenant_id": {**_PROJECT, "description": "The same as `project_id`."},
                    "pod": _text("The pod, by name or id.", least=1),
                    "pod_id": _text("The same as `pod`.", least=1),
                    "pod_name": _text("The same as `pod`.", least=1),
                    "preferred": {
                        "type": "boolean",
                        "default": False,
                        "description": "Whether the pod is tried first in its zone.",
                    },
                }
            ),
            "allOf": [
                {"anyOf": [{"required": [key]} for key in ("project_id", "tenant_id")]},
                {"anyOf": [{"required": [key]} for key in ("pod", "pod_id", "pod_name")]},
            ],
        },
    ),
    "BindingUpdate": _within(
        "pod_binding",
        _closed(
            {
                "preferred": {
                    "const": True,
                    "description": "To stop it, prefer another binding, or end this one.",
                }
            },
            required=("preferred",),
        ),
    ),
    # What is answered
    "Link": _closed({"rel": _STRING, "href": _STRING}, required=("rel", "href")),
    "Error": _answer(
        {
            "error": _answer(
                {
                    "code": {"type": "integer", "description": "The HTTP status."},
                    "type": {
                        "type": "string",
                        "description": "Stable name of the error, for programs.",
                    },
                    "message": {"type": "string", "description": "For people."},
                    "request_id": _STRING,
                }
            )
        }
    ),
    "Unauthenticated": _closed(
        {
            "error": {
                "type": "object",
                "properties": {
                    "code": {"const": 401},
                    "title": _STRING,
                    "message": _STRING,
                },
                "required": ["code", "message"],
            }
        },
        required=("error",),
    ),
    "Versions": _answer(
        {
            "versions": {
                "type": "array",
                "items": _answer(
                    {
                        "id": _STRING,
                        "status": _STRING,
                        "updated": _MOMENT,
                        "min_version": _STRING,
                        "max_version": _STRING,
                        "links": _LINKS,
                    }
                ),
            }
        }
    ),
    "Version": _answer({"version": {"type": "string"}, "links": _LINKS}),
    "OpenApi": {"type": "object", "required": ["openapi", "paths"]},
    "Kind": {
        "type": "string",
        "enum": [kind.value for kind in Kind],
        "description": "What lives in a pod.",
    },
    "Pod": _answer(
        {
            "id": _ID,
            "name": _STRING,
            "az_name": _STRING,
            "pod_az_name": _STRING,
            "dc_name": _STRING,
            "state": _STATE,
            "tags": {"type": "array", "items": _STRING},
            "generation": {"type": "integer"},
            "created_at": _MOMENT,
            "updated_at": _MOMENT,
            "links": _LINKS,
            "pod_id": _ID,
            "pod_name": _STRING,
            "region_name": _STRING,
        }
    ),
    "PodAnswer": _answer({"pod": ref("Pod")}),
    "PodPage": _page("pods", "Pod"),
    "Binding": _answer(
        {
            "id": _ID,
            "project_id": _STRING,
            "pod_id": _ID,
            "pod_name": _STRING,
            "az_name": _STRING,
            "bound_by": {"type": "string", "enum": [by.value for by in BoundBy]},
            "preferred": {"type": "boolean"},
            "started_at": _MOMENT,
            "ended_at": _MOMENT_OR_NULL,
            "links": _LINKS,
            "tenant_id": _STRING,
        }
    ),
    "BindingAnswer": _answer({"pod_binding": ref("Binding")}),
    "BindingPage": _page("pod_bindings", "Binding"),
    "Routing": _answer(
        {
            "kind": ref("Kind"),
            "resource_id": _ID,
            "pod_id": _ID,
            "pod_name": _STRING,
            "project_id": _STRING,
            "created_at": _MOMENT,
            "deleted_at": _MOMENT_OR_NULL,
            "links": _LINKS,
            "id": _ID,
            "resource_type": ref("Kind"),
            "top_id": _ID,
            "bottom_id": _ID,
        }
    ),
    "RoutingAnswer": _answer({"routing": ref("Routing")}),
    "RoutingPage": _page("routings", "Routing"),
    "Placement": _answer(
        {
            "resource_id": _ID,
            "kind": ref("Kind"),
            "project_id": _STRING,
            "created_at": _MOMENT,
            "explanation": {
                "type": "object",
                "description": "What placement saw of each pod, and what decided.",
            },
            "links": _LINKS,
        }
    ),
    "PlacementAnswer": _answer({"placement": ref("Placement")}),
    "PlacementPage": _page("placements", "Placement"),
}

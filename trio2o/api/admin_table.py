# SPDX-License-Identifier: Apache-2.0
"""Every operation of the admin API, one row each.

Routes, checks of requests and the OpenAPI document are made of these rows.
"""

from dataclasses import KW_ONLY, dataclass
from typing import Final

from trio2o.api.schemas import Schema
from trio2o.model import Kind, PodState


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of the query. Given more than once, it is refused."""

    name: str
    description: str
    schema: Schema


@dataclass(frozen=True, slots=True)
class Operation:
    """One row.

    rule: of the policy; "" for what anybody may do, without a token.
    body: name of the schema of the request's body; "" for none.
    answer: name of the schema of a good answer; "" for no body.
    refusals: statuses beside those that every operation can have.
    """

    name: str
    route: str
    summary: str
    _: KW_ONLY
    rule: str = ""
    query: tuple[Parameter, ...] = ()
    body: str = ""
    answer: str = ""
    status: int = 200
    refusals: tuple[int, ...] = ()

    @property
    def method(self) -> str:
        return self.route.split()[0]

    @property
    def path(self) -> str:
        return self.route.split()[1]


def _text(name: str, description: str) -> Parameter:
    return Parameter(name, description, {"type": "string", "minLength": 1, "maxLength": 255})


def _same(name: str, other: str) -> Parameter:
    return _text(name, f"The same as `{other}`.")


def _paging(*sort_keys: str) -> tuple[Parameter, ...]:
    paging = (
        Parameter(
            "limit",
            "At most so many; never more than the option [gateway] max_limit says.",
            {"type": "integer", "minimum": 1},
        ),
        _text("marker", "Go on after the item with this id."),
    )
    if not sort_keys:
        return paging
    return (
        *paging,
        Parameter(
            "sort_key",
            "The order of the list.",
            {"type": "string", "enum": list(sort_keys), "default": sort_keys[0]},
        ),
        Parameter(
            "sort_dir",
            "Its direction.",
            {"type": "string", "enum": ["asc", "desc"], "default": "asc"},
        ),
    )


_KINDS: Final[Schema] = {"type": "string", "enum": [kind.value for kind in Kind]}
_KIND: Final = Parameter("kind", "Only of this kind.", _KINDS)
_POD: Final = _text("pod", "Only of this pod, by name or id.")
_POD_FILTERS: Final = (_POD, _same("pod_id", "pod"), _same("pod_name", "pod"))
_PROJECT_FILTERS: Final = (
    _text("project_id", "Only of this project."),
    _same("tenant_id", "project_id"),
)

OPERATIONS: Final[tuple[Operation, ...]] = (
    Operation("versions", "GET /", "The versions of the API.", answer="Versions"),
    Operation("version", "GET /v1.0/", "What there is in this version.", answer="Version"),
    Operation("openapi", "GET /v1.0/openapi.json", "This document.", answer="OpenApi"),
    Operation(
        "pods:create",
        "POST /v1.0/pods",
        "Register a pod. Unless it is registered as `disabled`, its region and endpoints must be "
        "in Keystone.",
        rule="pods:create",
        body="PodCreate",
        answer="PodAnswer",
        status=201,
        refusals=(409,),
    ),
    Operation(
        "pods:list",
        "GET /v1.0/pods",
        "List the pods.",
        rule="pods:list",
        query=(
            _text("name", "Only the pod of this name."),
            _same("pod_name", "name"),
            _same("region_name", "name"),
            _text("az_name", "Only pods of this zone."),
            Parameter(
                "state",
                "Only pods in this state.",
                {"type": "string", "enum": [state.value for state in PodState]},
            ),
            _text("tag", "Only pods with this tag."),
            _text("dc_name", "Only pods of this data centre."),
            *_paging("name", "az_name", "created_at"),
        ),
        answer="PodPage",
    ),
    Operation(
        "pods:show",
        "GET /v1.0/pods/{pod}",
        "Show a pod, by name or id.",
        rule="pods:show",
        answer="PodAnswer",
        refusals=(404,),
    ),
    Operation(
        "pods:update",
        "PATCH /v1.0/pods/{pod}",
        "Change a pod; what is not named stays. A pod that was `disabled` must have its region "
        "and endpoints in Keystone to get another state. A pod's name cannot be changed.",
        rule="pods:update",
        body="PodUpdate",
        answer="PodAnswer",
        refusals=(404, 409),
    ),
    Operation(
        "pods:delete",
        "DELETE /v1.0/pods/{pod}",
        "Take a pod out. Refused while something is known to be in it, is bound to it, or is "
        "being made in it. What is in the pod is not touched.",
        rule="pods:delete",
        query=(
            Parameter(
                "forget",
                "Take a `disabled` pod out although things are in it: the top region forgets "
                "them, the pod keeps them.",
                {"type": "boolean", "default": False},
            ),
        ),
        status=204,
        refusals=(404, 409),
    ),
    Operation(
        "bindings:create",
        "POST /v1.0/bindings",
        "Bind a project to a pod. The project must be in Keystone.",
        rule="bindings:create",
        body="BindingCreate",
        answer="BindingAnswer",
        status=201,
        refusals=(409,),
    ),
    Operation(
        "bindings:list",
        "GET /v1.0/bindings",
        "List bindings, oldest first.",
        rule="bindings:list",
        query=(
            *_PROJECT_FILTERS,
            *_POD_FILTERS,
            _text("az_name", "Only of this zone."),
            Parameter(
                "in_force",
                "true: only those in force; false: only those that ended; all if not said.",
                {"type": "boolean"},
            ),
            *_paging(),
        ),
        answer="BindingPage",
    ),
    Operation(
        "bindings:show",
        "GET /v1.0/bindings/{binding}",
        "Show a binding.",
        rule="bindings:show",
        answer="BindingAnswer",
        refusals=(404,),
    ),
    Operation(
        "bindings:update",
        "PATCH /v1.0/bindings/{binding}",
        "Make a binding the preferred one of its project and zone; another one stops being it.",
        rule="bindings:update",
        body="BindingUpdate",
        answer="BindingAnswer",
        refusals=(404, 409),
    ),
    Operation(
        "bindings:delete",
        "DELETE /v1.0/bindings/{binding}",
        "End a binding. It stays as history; the project's resources stay where they are.",
        rule="bindings:delete",
        status=204,
        refusals=(404,),
    ),
    Operation(
        "routings:list",
        "GET /v1.0/routings",
        "List what is known to be in which pod, by kind; what was created since a time, newest "
        "first. The marker is `kind:id`, as in the link to the next page, or only the id.",
        rule="routings:list",
        query=(
            _KIND,
            Parameter("resource_type", "The same as `kind`.", _KINDS),
            _text("resource_id", "Only of this resource."),
            _same("top_id", "resource_id"),
            _same("bottom_id", "resource_id"),
            *_PROJECT_FILTERS,
            *_POD_FILTERS,
            Parameter(
                "created_since",
                "Only of resources that were created then or later.",
                {"type": "string", "format": "date-time"},
            ),
            Parameter(
                "deleted",
                "true: of resources that are gone, which are known for a while; false: of those "
                "that are not.",
                {"type": "boolean", "default": False},
            ),
            *_paging(),
        ),
        answer="RoutingPage",
    ),
    Operation(
        "routings:show",
        "GET /v1.0/routings/{resource_id}",
        "Show in which pod a resource lives. Only what is known is answered: no pod is asked.",
        rule="routings:show",
        query=(_KIND,),
        answer="RoutingAnswer",
        refusals=(404, 409),
    ),
    Operation(
        "placements:list",
        "GET /v1.0/placements",
        "List why resources were placed where they are, newest first.",
        rule="placements:list",
        query=(_KIND, *_PROJECT_FILTERS, *_paging()),
        answer="PlacementPage",
    ),
    Operation(
        "placements:show",
        "GET /v1.0/placements/{resource_id}",
        "Show why a resource was placed where it is.",
        rule="placements:show",
        query=(_KIND,),
        answer="PlacementAnswer",
        refusals=(404, 409),
    ),
)

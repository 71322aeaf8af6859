# SPDX-License-Identifier: Apache-2.0
"""Whose rows a caller of the admin API sees, where the policy lets projects see their own."""

from collections.abc import Sequence
from typing import Protocol, TypeVar

from trio2o.api.admin_request import Ask, Parts
from trio2o.api.policy import ANY_PROJECT
from trio2o.errors import Conflict, Forbidden
from trio2o.model import Kind


class OfKind(Protocol):
    @property
    def kind(self) -> Kind: ...


T = TypeVar("T", bound=OfKind)


def visible_project(parts: Parts, ask: Ask) -> str | None:
    """The project whose rows a list shows; None for all projects'.

    Raises Forbidden if the caller asks for another project's and may not see them.
    """
    asked: str | None = ask.one_of("project_id", "tenant_id")
    rule, caller = ask.operation.rule, ask.who
    if parts.policy.allows(rule, caller, asked or ANY_PROJECT):
        return asked
    if (
        asked is None
        and caller.project_id
        and parts.policy.allows(rule, caller, caller.project_id)
    ):
        return caller.project_id
    raise Forbidden(f"The policy does not allow you to do {rule} for this project.")


def visible(parts: Parts, ask: Ask, project_id: str) -> bool:
    """Whether the caller may do the operation to a row of the project.

    What is not visible is answered as what is not there.
    """
    return parts.policy.allows(ask.operation.rule, ask.who, project_id)


def only_one(rows: Sequence[T], resource_id: str) -> T:
    """The row of a resource.  Raises Conflict if things of several kinds have its id."""
    if len(rows) > 1:
        kinds = ", ".join(row.kind.value for row in rows)
        raise Conflict(f"Things of several kinds have the id {resource_id}; say kind=: {kinds}.")
    return rows[0]


def split_marker(marker: str) -> tuple[Kind | None, str]:
    """Kind and id of a marker of the form ``kind:id``; no kind if it is only an id."""
    kind, colon, resource_id = marker.partition(":")
    try:
        return (Kind(kind), resource_id) if colon else (None, marker)
    except ValueError:
        return None, marker

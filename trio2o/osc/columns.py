# SPDX-License-Identifier: Apache-2.0
"""How rows of the admin API become columns."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from osc_lib.cli.format_columns import DictColumn, ListColumn

from .client import Row

_FORMATS: dict[str, Callable[[Any], object]] = {"tags": ListColumn, "explanation": DictColumn}

Columns = Sequence[tuple[str, str]]
"""(field of the API, heading of the column) pairs."""

POD: Columns = (
    ("id", "ID"),
    ("name", "Name"),
    ("az_name", "Availability Zone"),
    ("state", "State"),
    ("dc_name", "Data Center"),
)
POD_LONG: Columns = (
    *POD,
    ("pod_az_name", "Pod Availability Zone"),
    ("tags", "Tags"),
    ("created_at", "Created At"),
    ("updated_at", "Updated At"),
)
BINDING: Columns = (
    ("id", "ID"),
    ("project_id", "Project ID"),
    ("pod_name", "Pod"),
    ("az_name", "Availability Zone"),
    ("preferred", "Preferred"),
    ("bound_by", "Bound By"),
    ("started_at", "Started At"),
    ("ended_at", "Ended At"),
)
ROUTING: Columns = (
    ("resource_id", "Resource ID"),
    ("kind", "Kind"),
    ("pod_name", "Pod"),
    ("project_id", "Project ID"),
    ("created_at", "Created At"),
    ("deleted_at", "Deleted At"),
)
PLACEMENT: Columns = (
    ("resource_id", "Resource ID"),
    ("kind", "Kind"),
    ("project_id", "Project ID"),
    ("created_at", "Created At"),
)
EXPLANATION: Columns = (
    ("pod", "Pod"),
    ("zone", "Availability Zone"),
    ("outcome", "Outcome"),
    ("score", "Score"),
    ("why", "Why"),
)


def lines(rows: Iterable[Row], columns: Columns) -> tuple[list[str], list[list[Any]]]:
    """Headings and values of a list."""
    return (
        [heading for _, heading in columns],
        [[_shown(row, name) for name, _ in columns] for row in rows],
    )


def fields(row: Row, columns: Columns, *more: str) -> tuple[list[str], list[Any]]:
    """Names and values of one thing: the fields of ``columns``, and ``more`` ones."""
    names = [name for name, _ in columns] + list(more)
    return names, [_shown(row, name) for name in names]


def _shown(row: Row, name: str) -> Any:
    value = row[name]
    return _FORMATS[name](value) if name in _FORMATS else value

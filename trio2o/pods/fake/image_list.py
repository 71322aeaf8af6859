# SPDX-License-Identifier: Apache-2.0
"""Lists of images: filters, order, pages.

Source: glance/api/v2/images.py, glance/db/sqlalchemy/api.py @33.0.0.
"""

from collections.abc import Callable
from typing import Any

from trio2o.pods.fake.cloud import Cloud
from trio2o.pods.fake.image_view import glance_fault, view, visible
from trio2o.pods.fake.paging import after, next_link, ordered
from trio2o.pods.fake.state import Image
from trio2o.pods.fake.web import Request, Response, Row, truth

DEFAULT_LIMIT = 25


MAX_LIMIT = 1000


SORT_KEYS = (
    "name",
    "status",
    "container_format",
    "disk_format",
    "size",
    "id",
    "created_at",
    "updated_at",
)


_FIELDS: dict[str, Callable[[Image], Any]] = {
    "name": lambda image: image.name,
    "status": lambda image: image.status,
    "container_format": lambda image: image.container_format,
    "disk_format": lambda image: image.disk_format,
    "size": lambda image: image.size,
    "id": lambda image: image.id,
    "created_at": lambda image: image.created.replace(microsecond=0),
    "updated_at": lambda image: image.updated.replace(microsecond=0),
}


def _list(cloud: Cloud, request: Request) -> Response:
    limit = _limit(request)
    sort = _sort(request)
    marker = None
    if request.asks("marker"):
        marker = cloud.images.find(request.first("marker"))
        if marker is None or not visible(request, marker):
            raise glance_fault(400, f"No image found with ID {request.first('marker')}")
    key = tuple(
        pair for pair in request.query if pair[0] not in ("limit", "marker", "sort", "sort_key")
    )
    who = request.who
    found = cloud.images.view(
        (who.project_id, who.is_admin, sort, key),
        lambda: ordered([image for image in cloud.images if _listed(request, image)], sort, _read),
    )
    start = 0 if marker is None else after(found, marker, sort, _read)
    page = found[start : start + limit]
    body: dict[str, Any] = {
        "images": [view(image) for image in page],
        "first": _self(request.query),
        "schema": "/v2/schemas/images",
    }
    if page and len(page) == limit:
        once = list(dict(request.query).items())
        body["next"] = next_link("/v2/images", once, page[-1].id)
    return Response(body=body)


def _self(query: list[tuple[str, str]]) -> str:
    # Of a parameter that comes twice only the last is kept: glance/api/v2/images.py@33.0.0
    rest = [(key, value) for key, value in dict(query).items() if key != "marker"]
    if not rest:
        return "/v2/images"
    return next_link("/v2/images", rest, "").removesuffix("&marker=")


def _limit(request: Request) -> int:
    text = request.first("limit", str(DEFAULT_LIMIT))
    try:
        limit = int(text)
    except ValueError:
        raise glance_fault(400, "limit param must be an integer") from None
    if limit < 0:
        raise glance_fault(400, "limit param must be positive")
    return min(limit, MAX_LIMIT)


def _sort(request: Request) -> tuple[tuple[str, str], ...]:
    if request.asks("sort"):
        parts = [part.partition(":") for part in request.first("sort").split(",")]
        keys = [key.strip() for key, _, _ in parts]
        directions = [direction.strip() or "desc" for _, _, direction in parts]
    else:
        keys = request.every("sort_key")
        directions = request.every("sort_dir")
    for key in keys:
        if key not in SORT_KEYS:
            raise glance_fault(
                400,
                f"Invalid sort key: {key}. It must be one of the following: "
                f"{', '.join(SORT_KEYS)}.",
            )
    for direction in directions:
        if direction not in ("asc", "desc"):
            raise glance_fault(400, f"Invalid sort direction: {direction}")
    keys = keys or ["created_at"]
    directions = directions or ["desc"]
    rest = "desc"
    if len(directions) == 1:
        rest = directions[0]
        directions = directions * len(keys)
    if len(directions) != len(keys):
        raise glance_fault(400, "Number of sort dirs does not match the number of sort keys")
    for key in ("created_at", "id"):
        if key not in keys:
            keys.append(key)
            directions.append(rest)
    return tuple(zip(keys, directions, strict=True))


def _read(image: Image, key: str) -> Any:
    return _FIELDS[key](image)


def _listed(request: Request, image: Image) -> bool:
    who = request.who
    wanted = request.first("visibility")
    mine = image.owner == who.project_id
    if image.os_hidden != truth(request.first("os_hidden", "false")):
        return False
    if not wanted and image.visibility == "community" and not mine:
        return False
    if wanted and wanted not in ("all", image.visibility):
        return False
    return visible(request, image) and _filtered(request, image)


def _filtered(request: Request, image: Image) -> bool:
    shown: dict[str, Any] | None = None
    for key, value in request.query:
        if key in ("limit", "marker", "sort", "sort_key", "sort_dir", "visibility", "os_hidden"):
            continue
        if key in ("tag", "member_status"):
            if key == "tag" and value not in image.tags:
                return False
            continue
        shown = shown or view(image)
        mine = shown.get(key)
        if value.startswith("in:"):
            if str(mine) not in value[3:].split(","):
                return False
        elif mine is None or str(mine).lower() != value.lower():
            return False
    return True


ROWS = (Row("GET /images", _list),)

# SPDX-License-Identifier: Apache-2.0
"""Glance: images, their data, tags and members.

Source: glance/api/v2/images.py, image_data.py, glance/db/sqlalchemy/api.py @33.0.0.
"""

import re
from collections.abc import Callable
from typing import Any

import orjson

from trio2o.model import Service as ServiceType
from trio2o.pods.fake.identity import FakeIdentity
from trio2o.pods.fake.paging import after, next_link, ordered
from trio2o.pods.fake.service import EXPLANATIONS, Service, webob_fault
from trio2o.pods.fake.state import Cloud, Image, seconds
from trio2o.pods.fake.web import Fault, Request, Response, Row, truth

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
_PATCH_TYPES = (
    "application/openstack-images-v2.0-json-patch",
    "application/openstack-images-v2.1-json-patch",
)
_READ_ONLY = (
    "id",
    "status",
    "checksum",
    "os_hash_algo",
    "os_hash_value",
    "size",
    "virtual_size",
    "created_at",
    "updated_at",
    "direct_url",
    "self",
    "file",
    "schema",
    "stores",
)
_WRITABLE = (
    "name",
    "visibility",
    "disk_format",
    "container_format",
    "min_disk",
    "min_ram",
    "protected",
    "os_hidden",
    "tags",
    "owner",
)
_UUID = "^([0-9a-fA-F]){8}-([0-9a-fA-F]){4}-([0-9a-fA-F]){4}-([0-9a-fA-F]){4}-([0-9a-fA-F]){12}$"
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
_VERSIONS = (15, 13, 12, 11, 10, 9, 8, 17, 7, 6, 5, 4, 3, 2, 1, 0)


def glance_fault(
    status: int, message: str, detail: str = "", headers: tuple[tuple[str, str], ...] = ()
) -> Fault:
    body = webob_fault(status, f"{message}<br /><br />\n{detail}\n\n")
    return Fault(status, message, body=body, headers=headers)


class ImageService(Service):
    kind = ServiceType.IMAGE
    root = "/image/v2"
    minimum = (2, 0)
    maximum = (2, 17)

    def __init__(self, cloud: Cloud, identity: FakeIdentity) -> None:
        super().__init__(cloud, identity, ROWS)

    def unprotected(self, request: Request) -> Response | None:  # noqa: ARG002
        return None

    def root_document(self, request: Request) -> Response:
        """All versions; ``/versions`` says the same with 200."""
        versions = [
            {
                "id": f"v2.{minor}",
                "status": "CURRENT" if minor == self.maximum[1] else "SUPPORTED",
                "links": [{"rel": "self", "href": request.base + "/"}],
            }
            for minor in _VERSIONS
            if minor <= self.maximum[1]
        ]
        return Response(300, {"versions": versions})

    def malformed(self) -> Fault:
        return glance_fault(400, "Malformed JSON in request body.")

    def no_method(self, request: Request, allowed: list[str]) -> Fault:
        message = f"The method {request.method} is not allowed for this resource. <br /><br />\n"
        return Fault(
            405,
            headers=(("Allow", ", ".join(allowed)),),
            body=webob_fault(405, message),
        )

    def fault(self, request: Request, fault: Fault) -> Response:  # noqa: ARG002
        body = fault.body
        if body is None:
            message = fault.message or EXPLANATIONS.get(fault.status, "")
            body = webob_fault(fault.status, f"{message}<br /><br />\n\n\n")
        return Response(fault.status, body, list(fault.headers))


def _view(image: Image) -> dict[str, Any]:
    stored = image.status in ("active", "deactivated")
    view: dict[str, Any] = {
        **image.properties,
        "name": image.name,
        "disk_format": image.disk_format,
        "container_format": image.container_format,
        "visibility": image.visibility,
        "size": image.size,
        "virtual_size": image.size,
        "status": image.status,
        "checksum": image.checksum,
        "protected": image.protected,
        "min_ram": image.min_ram,
        "min_disk": image.min_disk,
        "owner": image.owner,
        "os_hidden": image.os_hidden,
        "os_hash_algo": "sha512" if image.os_hash_value else None,
        "os_hash_value": image.os_hash_value,
        "id": image.id,
        "created_at": seconds(image.created),
        "updated_at": seconds(image.updated),
        "tags": image.tags,
        "self": f"/v2/images/{image.id}",
        "file": f"/v2/images/{image.id}/file",
        "schema": "/v2/schemas/image",
    }
    if stored:
        view["stores"] = "file"
    return view


def _visible(request: Request, image: Image) -> bool:
    return (
        image.visibility in ("public", "community")
        or image.owner == request.who.project_id
        or request.who.project_id in image.members
        or request.who.is_admin
    )


def _find(cloud: Cloud, request: Request) -> Image:
    image = cloud.images.find(request["image"])
    if image is None or not _visible(request, image):
        raise glance_fault(404, f"No image found with ID {request['image']}")
    return image


def _own(cloud: Cloud, request: Request, what: str) -> Image:
    image = _find(cloud, request)
    if image.owner != request.who.project_id and not request.who.is_admin:
        raise glance_fault(403, f"You are not authorized to complete {what} action.")
    return image


def _touch(cloud: Cloud, image: Image) -> None:
    image.updated = cloud.now()
    cloud.images.changed()


def _set(image: Image, key: str, value: Any) -> None:
    if key in _READ_ONLY:
        raise glance_fault(403, f"Attribute '{key}' is read-only.")
    if key in _WRITABLE:
        setattr(image, key, value)
    else:
        image.properties[key] = value


def _create(cloud: Cloud, request: Request) -> Response:
    asked = request.body
    if not isinstance(asked, dict):
        raise glance_fault(400, "Malformed JSON in request body.")
    _check_schema(asked)
    image_id = asked.get("id") or cloud.new_id()
    if cloud.images.find_any(image_id):
        raise glance_fault(409, f"Image ID {image_id} already exists!")
    now = cloud.now()
    image = Image(id=image_id, owner=request.who.project_id, created=now, updated=now)
    for key, value in asked.items():
        if key == "visibility" and value == "public" and not request.who.is_admin:
            raise glance_fault(403, "You are not authorized to complete publicize_image action.")
        if key != "id":
            _set(image, key, value)
    cloud.images.add(image)
    where = f"{request.base}/images/{image.id}"
    headers = [
        ("Location", where),
        ("OpenStack-image-import-methods", "glance-direct,copy-image"),
        ("OpenStack-image-store-ids", "file,os_glance_staging_store,os_glance_tasks_store"),
    ]
    return Response(201, _view(image), headers)


def _check_schema(asked: dict[str, Any]) -> None:
    """Raises Fault(400) as jsonschema says it, for what clients get wrong."""
    image_id = asked.get("id")
    if image_id is not None and not re.match(_UUID, str(image_id)):
        raise glance_fault(
            400,
            f"Provided object does not match schema 'image': {image_id!r} does not match "
            f"{_UUID!r}\n\nFailed validating 'pattern' in schema['properties']['id']:\n"
            "    {'type': 'string',\n     'description': 'An identifier for the image',\n"
            f"     'pattern': {_UUID!r}}}\n\nOn instance['id']:\n    {image_id!r}",
        )
    name = asked.get("name")
    if name is not None and not isinstance(name, str):
        raise glance_fault(
            400,
            f"Provided object does not match schema 'image': {name!r} is not of type 'null', "
            "'string'\n\nFailed validating 'type' in schema['properties']['name']:\n"
            "    {'type': ['null', 'string'],\n"
            "     'description': 'Descriptive name for the image',\n"
            f"     'maxLength': 255}}\n\nOn instance['name']:\n    {name!r}",
        )


def _show(cloud: Cloud, request: Request) -> Response:
    return Response(body=_view(_find(cloud, request)))


def _update(cloud: Cloud, request: Request) -> Response:
    if request.headers.get("content-type", "") not in _PATCH_TYPES:
        accepted = ", ".join(_PATCH_TYPES)
        detail = f"Image PATCH expects Content-Type one of: {accepted}"
        explanation = (
            f"The request media type {request.headers.get('content-type')} is not supported by "
            "this server."
        )
        raise Fault(
            415,
            headers=(("Accept-Patch", accepted),),
            body=webob_fault(415, f"{explanation}\n<br /><br />\n{detail}"),
        )
    image = _own(cloud, request, "modify_image")
    try:
        changes = orjson.loads(b"".join(request.chunks))
    except orjson.JSONDecodeError:
        raise glance_fault(400, "Malformed JSON in request body.") from None
    for change in changes:
        _change(image, change)
    _touch(cloud, image)
    return Response(body=_view(image))


def _change(image: Image, change: dict[str, Any]) -> None:
    key = str(change["path"]).lstrip("/").replace("~1", "/").replace("~0", "~")
    known = key in _WRITABLE or key in image.properties
    if key not in _READ_ONLY and not known and change["op"] != "add":
        raise glance_fault(
            409,
            "There was a conflict when trying to complete your request.",
            f"Property {key} does not exist.",
        )
    if change["op"] == "remove":
        image.properties.pop(key, None)
    else:
        _set(image, key, change["value"])


def _delete(cloud: Cloud, request: Request) -> Response:
    image = cloud.images.find(request["image"])
    if image is None or not _visible(request, image):
        raise glance_fault(404, f"Failed to find image {request['image']} to delete")
    _own(cloud, request, "delete_image")
    if image.protected:
        raise glance_fault(403, f"Image {image.id} is protected and cannot be deleted.")
    image.deleted = True
    image.status = "deleted"
    image.chunks = []
    cloud.images.changed()
    return Response(204, content_type="text/html; charset=UTF-8")


def _list(cloud: Cloud, request: Request) -> Response:
    limit = _limit(request)
    sort = _sort(request)
    marker = None
    if request.asks("marker"):
        marker = cloud.images.find(request.first("marker"))
        if marker is None or not _visible(request, marker):
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
        "images": [_view(image) for image in page],
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
    return _visible(request, image) and _filtered(request, image)


def _filtered(request: Request, image: Image) -> bool:
    view: dict[str, Any] | None = None
    for key, value in request.query:
        if key in ("limit", "marker", "sort", "sort_key", "sort_dir", "visibility", "os_hidden"):
            continue
        if key in ("tag", "member_status"):
            if key == "tag" and value not in image.tags:
                return False
            continue
        view = view or _view(image)
        mine = view.get(key)
        if value.startswith("in:"):
            if str(mine) not in value[3:].split(","):
                return False
        elif mine is None or str(mine).lower() != value.lower():
            return False
    return True


def _upload(cloud: Cloud, request: Request) -> Response:
    image = _own(cloud, request, "upload_image")
    if image.status != "queued":
        raise glance_fault(
            409,
            f"Image status transition from {image.status} to saving is not allowed",
        )
    sent = request.headers.get("content-type")
    if sent != "application/octet-stream":
        message = (
            f"The request media type {sent} is not supported by this server.\n<br /><br />\n"
            f"Invalid content type {sent}"
        )
        raise Fault(415, body=webob_fault(415, message))
    image.store(request.chunks)
    _touch(cloud, image)
    return Response(204, content_type="text/html; charset=UTF-8")


def _download(cloud: Cloud, request: Request) -> Response:
    image = _find(cloud, request)
    if image.status == "queued":
        return Response(204, content_type="")
    headers = [
        ("Content-Length", str(image.size or 0)),
        ("Content-MD5", image.checksum or ""),
    ]
    return Response(
        200, None, headers, "application/octet-stream", stream=iter(list(image.chunks))
    )


def _tag_put(cloud: Cloud, request: Request) -> Response:
    image = _own(cloud, request, "modify_image")
    if request["tag"] not in image.tags:
        image.tags = [*image.tags, request["tag"]]
    _touch(cloud, image)
    return Response(204, content_type="text/html; charset=UTF-8")


def _tag_delete(cloud: Cloud, request: Request) -> Response:
    image = _own(cloud, request, "modify_image")
    if request["tag"] not in image.tags:
        raise glance_fault(404, EXPLANATIONS[404])
    image.tags = [tag for tag in image.tags if tag != request["tag"]]
    _touch(cloud, image)
    return Response(204, content_type="text/html; charset=UTF-8")


def _member_view(image: Image, project: str) -> dict[str, Any]:
    return {
        "member_id": project,
        "image_id": image.id,
        "status": image.members[project],
        "created_at": seconds(image.updated),
        "updated_at": seconds(image.updated),
        "schema": "/v2/schemas/member",
    }


def _members(cloud: Cloud, request: Request) -> Response:
    image = _find(cloud, request)
    found = [_member_view(image, project) for project in image.members]
    return Response(body={"members": found, "schema": "/v2/schemas/members"})


def _member_add(cloud: Cloud, request: Request) -> Response:
    image = _own(cloud, request, "add_member")
    project = request.body["member"]
    if project in image.members:
        raise glance_fault(409, f"Member {project} is duplicated for image {image.id}")
    image.members[project] = "pending"
    _touch(cloud, image)
    return Response(body=_member_view(image, project))


def _member_put(cloud: Cloud, request: Request) -> Response:
    image = _find(cloud, request)
    if request["member"] not in image.members:
        raise glance_fault(404, f"{request['member']} not found in the member list")
    image.members[request["member"]] = request.body["status"]
    _touch(cloud, image)
    return Response(body=_member_view(image, request["member"]))


def _member_delete(cloud: Cloud, request: Request) -> Response:
    image = _own(cloud, request, "delete_member")
    if image.members.pop(request["member"], None) is None:
        raise glance_fault(
            404, f"{request['member']} not found in the member list of the image {image.id}."
        )
    _touch(cloud, image)
    return Response(204, content_type="")


def _switch(status: str) -> Callable[[Cloud, Request], Response]:
    def handle(cloud: Cloud, request: Request) -> Response:
        image = _find(cloud, request)
        if image.status not in ("active", "deactivated"):
            raise glance_fault(403, f"Image {image.id} is not active.")
        image.status = status
        _touch(cloud, image)
        return Response(204, content_type="text/html; charset=UTF-8")

    return handle


def _import_info(cloud: Cloud, request: Request) -> Response:  # noqa: ARG001
    methods = {
        "description": "Import methods available.",
        "type": "array",
        "value": ["glance-direct", "copy-image"],
    }
    return Response(body={"import-methods": methods})


def _store_info(cloud: Cloud, request: Request) -> Response:  # noqa: ARG001
    return Response(body={"stores": [{"id": "file", "default": "true"}]})


ROWS = (
    Row("GET /images", _list),
    Row("POST /images", _create),
    Row("GET /images/{image}", _show),
    Row("PATCH /images/{image}", _update, raw=True),
    Row("DELETE /images/{image}", _delete),
    Row("PUT /images/{image}/file", _upload, raw=True),
    Row("GET /images/{image}/file", _download),
    Row("PUT /images/{image}/tags/{tag}", _tag_put),
    Row("DELETE /images/{image}/tags/{tag}", _tag_delete),
    Row("GET /images/{image}/members", _members),
    Row("POST /images/{image}/members", _member_add),
    Row("PUT /images/{image}/members/{member}", _member_put),
    Row("DELETE /images/{image}/members/{member}", _member_delete),
    Row("POST /images/{image}/actions/deactivate", _switch("deactivated")),
    Row("POST /images/{image}/actions/reactivate", _switch("active")),
    Row("GET /info/import", _import_info),
    Row("GET /info/stores", _store_info),
)

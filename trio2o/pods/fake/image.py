# SPDX-License-Identifier: Apache-2.0
"""Glance: images, their data, tags and members.

Source: glance/api/v2/images.py, image_data.py, glance/db/sqlalchemy/api.py @33.0.0.
"""

import re
from typing import Any

import orjson

from trio2o.model import Service as ServiceType
from trio2o.pods.fake import image_list, image_parts
from trio2o.pods.fake.cloud import Cloud
from trio2o.pods.fake.identity import FakeIdentity
from trio2o.pods.fake.image_view import find_image, glance_fault, own_image, touch, view, visible
from trio2o.pods.fake.service import EXPLANATIONS, Service, webob_fault
from trio2o.pods.fake.state import Image
from trio2o.pods.fake.web import Fault, Request, Response, Row

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
_VERSIONS = (15, 13, 12, 11, 10, 9, 8, 17, 7, 6, 5, 4, 3, 2, 1, 0)


class ImageService(Service):
    kind = ServiceType.IMAGE
    root = "/image/v2"
    minimum = (2, 0)
    maximum = (2, 17)

    def __init__(self, cloud: Cloud, identity: FakeIdentity) -> None:
        super().__init__(cloud, identity, (*ROWS, *image_list.ROWS, *image_parts.ROWS))

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
    return Response(201, view(image), headers)


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
    return Response(body=view(find_image(cloud, request)))


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
    image = own_image(cloud, request, "modify_image")
    try:
        changes = orjson.loads(b"".join(request.chunks))
    except orjson.JSONDecodeError:
        raise glance_fault(400, "Malformed JSON in request body.") from None
    for change in changes:
        _change(image, change)
    touch(cloud, image)
    return Response(body=view(image))


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
    if image is None or not visible(request, image):
        raise glance_fault(404, f"Failed to find image {request['image']} to delete")
    own_image(cloud, request, "delete_image")
    if image.protected:
        raise glance_fault(403, f"Image {image.id} is protected and cannot be deleted.")
    image.deleted = True
    image.status = "deleted"
    image.chunks = []
    cloud.images.changed()
    return Response(204, content_type="text/html; charset=UTF-8")


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
    Row("POST /images", _create),
    Row("GET /images/{image}", _show),
    Row("PATCH /images/{image}", _update, raw=True),
    Row("DELETE /images/{image}", _delete),
    Row("GET /info/import", _import_info),
    Row("GET /info/stores", _store_info),
)

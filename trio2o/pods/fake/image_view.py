# SPDX-License-Identifier: Apache-2.0
"""What Glance shows of an image, and to whom."""

from typing import Any

from trio2o.pods.fake.cloud import Cloud
from trio2o.pods.fake.service import webob_fault
from trio2o.pods.fake.state import Image, seconds
from trio2o.pods.fake.web import Fault, Request


def glance_fault(
    status: int, message: str, detail: str = "", headers: tuple[tuple[str, str], ...] = ()
) -> Fault:
    body = webob_fault(status, f"{message}<br /><br />\n{detail}\n\n")
    return Fault(status, message, body=body, headers=headers)


def view(image: Image) -> dict[str, Any]:
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


def visible(request: Request, image: Image) -> bool:
    return (
        image.visibility in ("public", "community")
        or image.owner == request.who.project_id
        or request.who.project_id in image.members
        or request.who.is_admin
    )


def find_image(cloud: Cloud, request: Request) -> Image:
    image = cloud.images.find(request["image"])
    if image is None or not visible(request, image):
        raise glance_fault(404, f"No image found with ID {request['image']}")
    return image


def own_image(cloud: Cloud, request: Request, what: str) -> Image:
    image = find_image(cloud, request)
    if image.owner != request.who.project_id and not request.who.is_admin:
        raise glance_fault(403, f"You are not authorized to complete {what} action.")
    return image


def touch(cloud: Cloud, image: Image) -> None:
    image.updated = cloud.now()
    cloud.images.changed()

# SPDX-License-Identifier: Apache-2.0
"""What an image has: data, tags, members, a switch.

Source: glance/api/v2/image_data.py, image_tags.py, image_members.py @33.0.0.
"""

from collections.abc import Callable
from typing import Any

from trio2o.pods.fake.cloud import Cloud
from trio2o.pods.fake.image_view import find_image, glance_fault, own_image, touch
from trio2o.pods.fake.service import EXPLANATIONS, webob_fault
from trio2o.pods.fake.state import Image, seconds
from trio2o.pods.fake.web import Fault, Request, Response, Row


def _upload(cloud: Cloud, request: Request) -> Response:
    image = own_image(cloud, request, "upload_image")
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
    touch(cloud, image)
    return Response(204, content_type="text/html; charset=UTF-8")


def _download(cloud: Cloud, request: Request) -> Response:
    image = find_image(cloud, request)
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
    image = own_image(cloud, request, "modify_image")
    if request["tag"] not in image.tags:
        image.tags = [*image.tags, request["tag"]]
    touch(cloud, image)
    return Response(204, content_type="text/html; charset=UTF-8")


def _tag_delete(cloud: Cloud, request: Request) -> Response:
    image = own_image(cloud, request, "modify_image")
    if request["tag"] not in image.tags:
        raise glance_fault(404, EXPLANATIONS[404])
    image.tags = [tag for tag in image.tags if tag != request["tag"]]
    touch(cloud, image)
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
    image = find_image(cloud, request)
    found = [_member_view(image, project) for project in image.members]
    return Response(body={"members": found, "schema": "/v2/schemas/members"})


def _member_add(cloud: Cloud, request: Request) -> Response:
    image = own_image(cloud, request, "add_member")
    project = request.body["member"]
    if project in image.members:
        raise glance_fault(409, f"Member {project} is duplicated for image {image.id}")
    image.members[project] = "pending"
    touch(cloud, image)
    return Response(body=_member_view(image, project))


def _member_put(cloud: Cloud, request: Request) -> Response:
    image = find_image(cloud, request)
    if request["member"] not in image.members:
        raise glance_fault(404, f"{request['member']} not found in the member list")
    image.members[request["member"]] = request.body["status"]
    touch(cloud, image)
    return Response(body=_member_view(image, request["member"]))


def _member_delete(cloud: Cloud, request: Request) -> Response:
    image = own_image(cloud, request, "delete_member")
    if image.members.pop(request["member"], None) is None:
        raise glance_fault(
            404, f"{request['member']} not found in the member list of the image {image.id}."
        )
    touch(cloud, image)
    return Response(204, content_type="")


def _switch(status: str) -> Callable[[Cloud, Request], Response]:
    def handle(cloud: Cloud, request: Request) -> Response:
        image = find_image(cloud, request)
        if image.status not in ("active", "deactivated"):
            raise glance_fault(403, f"Image {image.id} is not active.")
        image.status = status
        touch(cloud, image)
        return Response(204, content_type="text/html; charset=UTF-8")

    return handle


ROWS = (
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
)

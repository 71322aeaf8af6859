# SPDX-License-Identifier: Apache-2.0
"""Metadata and tags of servers."""

from collections.abc import Iterable

from trio2o.pods.fake import server_schema
from trio2o.pods.fake.cloud import Cloud
from trio2o.pods.fake.schema import Invalid, check
from trio2o.pods.fake.server_view import links
from trio2o.pods.fake.servers import find_server, touch
from trio2o.pods.fake.service import require_role, validate
from trio2o.pods.fake.state import Server
from trio2o.pods.fake.web import Fault, Request, Response, Row


def _metadata_show(cloud: Cloud, request: Request) -> Response:
    return Response(body={"metadata": find_server(cloud, request).metadata})


def _metadata_change(cloud: Cloud, request: Request) -> Response:
    validate(server_schema.METADATA, request.body)
    server = find_server(cloud, request)
    kept = {} if request.method == "PUT" else server.metadata
    return _set_metadata(cloud, server, {**kept, **request.body["metadata"]})


def _set_metadata(cloud: Cloud, server: Server, metadata: dict[str, str]) -> Response:
    limit = cloud.compute_quota["metadata_items"]
    if 0 <= limit < len(metadata):
        raise Fault(403, f"Maximum number of metadata items exceeds {limit}")
    server.metadata = metadata
    touch(cloud, server)
    return Response(body={"metadata": server.metadata})


def _meta_key(cloud: Cloud, request: Request) -> Server:
    server = find_server(cloud, request)
    if request["key"] not in server.metadata:
        raise Fault(404, "Metadata item was not found")
    return server


def _meta_show(cloud: Cloud, request: Request) -> Response:
    server = _meta_key(cloud, request)
    return Response(body={"meta": {request["key"]: server.metadata[request["key"]]}})


def _meta_put(cloud: Cloud, request: Request) -> Response:
    meta = validate(server_schema.META, request.body)["meta"]
    server = find_server(cloud, request)
    if request["key"] not in meta:
        raise Fault(400, "Request body and URI mismatch")
    _set_metadata(cloud, server, {**server.metadata, **meta})
    return Response(body={"meta": meta})


def _meta_delete(cloud: Cloud, request: Request) -> Response:
    server = _meta_key(cloud, request)
    server.metadata = {k: v for k, v in server.metadata.items() if k != request["key"]}
    touch(cloud, server)
    return Response(204)


def _tagged(cloud: Cloud, request: Request, rule: str, *, change: bool = False) -> Server:
    """The server whose tags are asked for. Raises Fault.

    Source: nova/api/openstack/compute/server_tags.py@34.0.0, which asks the policy about the
    server's project where others do not find the server.
    """
    found = cloud.servers.find_any(request["server"])
    if found is None:
        raise Fault(404, f"Instance {request['server']} has no mapping to a cell.")
    if found.project_id != request.who.project_id:
        require_role(request, f"os_compute_api:os-server-tags:{rule}", "admin")
    server = find_server(cloud, request)
    if change and server.vm_state not in ("active", "paused", "suspended", "stopped"):
        raise Fault(
            409,
            f"Cannot '{_WORDS[rule]}' instance {server.id} while it is in vm_state "
            f"{server.vm_state}",
        )
    return server


_WORDS = {
    "update": "update tag",
    "update_all": "update tags",
    "delete": "delete tag",
    "delete_all": "delete tags",
}
_BARE = "text/html; charset=UTF-8"


def _tags_list(cloud: Cloud, request: Request) -> Response:
    return Response(body={"tags": _tagged(cloud, request, "index").tags})


def _tags_replace(cloud: Cloud, request: Request) -> Response:
    tags = validate(server_schema.TAGS, request.body)["tags"]
    server = _tagged(cloud, request, "update_all", change=True)
    _set_tags(cloud, server, tags)
    return Response(body={"tags": server.tags})


def _set_tags(cloud: Cloud, server: Server, tags: Iterable[str]) -> None:
    server.tags = sorted(set(tags))
    touch(cloud, server)


def _tags_clear(cloud: Cloud, request: Request) -> Response:
    _set_tags(cloud, _tagged(cloud, request, "delete_all", change=True), ())
    return Response(204)


def _tag_check(cloud: Cloud, request: Request) -> Response:
    server = _tagged(cloud, request, "show")
    if request["tag"] not in server.tags:
        raise Fault(404, f"Server {server.id} has no tag '{request['tag']}'")
    return Response(204)


def _tag_put(cloud: Cloud, request: Request) -> Response:
    server = _tagged(cloud, request, "update", change=True)
    tag = request["tag"]
    try:
        check(server_schema.TAG, tag)
    except Invalid as error:
        raise Fault(
            400,
            f"Tag '{tag}' is invalid. It must be a non empty string without characters '/' and "
            f"','. Validation error message: {error.message}",
        ) from None
    if tag in server.tags:
        return Response(204, content_type=_BARE)
    _set_tags(cloud, server, [*server.tags, tag])
    where = f"{links(request, 'servers', server.id)[0]['href']}/tags/{tag}"
    return Response(201, headers=[("Location", where)], content_type=_BARE)


def _tag_delete(cloud: Cloud, request: Request) -> Response:
    server = _tagged(cloud, request, "delete", change=True)
    if request["tag"] not in server.tags:
        raise Fault(404, f"Instance {server.id} has no tag '{request['tag']}'")
    _set_tags(cloud, server, (tag for tag in server.tags if tag != request["tag"]))
    return Response(204)


ROWS = (
    Row("GET /servers/{server}/metadata", _metadata_show, strict=102),
    Row("POST /servers/{server}/metadata", _metadata_change),
    Row("PUT /servers/{server}/metadata", _metadata_change),
    Row("GET /servers/{server}/metadata/{key}", _meta_show, strict=102),
    Row("PUT /servers/{server}/metadata/{key}", _meta_put),
    Row("DELETE /servers/{server}/metadata/{key}", _meta_delete),
    Row("GET /servers/{server}/tags", _tags_list, since=26),
    Row("PUT /servers/{server}/tags", _tags_replace, since=26),
    Row("DELETE /servers/{server}/tags", _tags_clear, since=26),
    Row("GET /servers/{server}/tags/{tag}", _tag_check, since=26),
    Row("PUT /servers/{server}/tags/{tag}", _tag_put, since=26),
    Row("DELETE /servers/{server}/tags/{tag}", _tag_delete, since=26),
)

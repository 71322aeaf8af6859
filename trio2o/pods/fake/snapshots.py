# SPDX-License-Identifier: Apache-2.0
"""Snapshots of Cinder.

Source: cinder/api/v3/snapshots.py, cinder/volume/api.py @29.0.0.
"""

from trio2o.pods.fake import volume_view, volumes
from trio2o.pods.fake.cloud import Cloud
from trio2o.pods.fake.state import Snapshot, later, look
from trio2o.pods.fake.volume_list import Listing, answer, page
from trio2o.pods.fake.web import Fault, Request, Response, Row, truth

SNAPSHOTS = Listing(
    "snapshots",
    {
        "id": lambda item: item.id,
        "created_at": lambda item: item.created.replace(microsecond=0),
        "updated_at": lambda item: item.updated,
        "name": lambda item: item.name,
        "display_name": lambda item: item.name,
        "status": lambda item: item.status,
        "volume_id": lambda item: item.volume_id,
        "volume_size": lambda item: item.size,
        "user_id": lambda item: item.user_id,
        "project_id": lambda item: item.project_id,
    },
    ("name", "status", "volume_id", "metadata", "availability_zone", "consumes_quota"),
    "Snapshot {id} could not be found.",
    names_since=30,
    own_markers=True,
)


def _snapshot_create(cloud: Cloud, request: Request) -> Response:
    asked = (request.body or {}).get("snapshot")
    if not isinstance(asked, dict):
        raise Fault(400, "'snapshot' is a required property")
    if "volume_id" not in asked:
        raise Fault(
            400,
            f"Invalid input for field/attribute snapshot. Value: {asked}. 'volume_id' is a "
            "required property",
        )
    volume = volumes.find_volume(cloud, request, asked["volume_id"])
    if volume.status == "error":
        raise Fault(
            400,
            "Invalid volume: The snapshot cannot be created when the volume is in error status.",
        )
    allowed = ["available"]
    if truth(asked.get("force", False)) or request.since(66):
        allowed.append("in-use")
    if volume.status not in allowed:
        raise Fault(
            400,
            f"Invalid volume: Volume {volume.id} status must be {' or '.join(allowed)}, but "
            f"current status is: {volume.status}.",
        )
    volumes.check_quota(cloud, request, "snapshots", volume.size)
    snapshot = cloud.snapshots.add(
        Snapshot(
            id=cloud.new_id(),
            project_id=volume.project_id,
            user_id=request.who.user_id,
            volume_id=volume.id,
            size=volume.size,
            created=cloud.now(),
            updated=None,
            name=asked.get("name", asked.get("display_name")),
            description=asked.get("description", asked.get("display_description")),
            metadata=dict(asked.get("metadata") or {}),
        )
    )
    shown = volume_view.snapshot(request, snapshot, whole=True, extended=False)

    def done() -> None:
        snapshot.status = "available"
        snapshot.updated = cloud.now()
        cloud.snapshots.changed()

    later(snapshot, cloud.behaviour.volume_build_looks, done)
    return Response(202, {"snapshot": shown})


def _snapshot_show(cloud: Cloud, request: Request) -> Response:
    snapshot = volumes.find_snapshot(cloud, request)
    look(snapshot)
    shown = volume_view.snapshot(request, snapshot, whole=True, extended=True)
    return Response(body={"snapshot": shown})


def _snapshot_index(cloud: Cloud, request: Request) -> Response:
    found, counted = page(cloud.snapshots, request, SNAPSHOTS)
    items = [volume_view.snapshot(request, item, whole=False, extended=False) for item in found]
    return Response(body=answer(request, SNAPSHOTS, items, counted, "snapshots"))


def _snapshot_detail(cloud: Cloud, request: Request) -> Response:
    found, counted = page(cloud.snapshots, request, SNAPSHOTS)
    items = [volume_view.snapshot(request, item, whole=True, extended=True) for item in found]
    for item in found:
        look(item)
    return Response(body=answer(request, SNAPSHOTS, items, counted, "snapshots/detail"))


def _snapshot_update(cloud: Cloud, request: Request) -> Response:
    snapshot = volumes.find_snapshot(cloud, request)
    asked = (request.body or {}).get("snapshot") or {}
    snapshot.name = asked.get("name", snapshot.name)
    snapshot.description = asked.get("description", snapshot.description)
    snapshot.updated = cloud.now()
    cloud.snapshots.changed()
    shown = volume_view.snapshot(request, snapshot, whole=True, extended=False)
    return Response(body={"snapshot": shown})


def _snapshot_delete(cloud: Cloud, request: Request) -> Response:
    snapshot = volumes.find_snapshot(cloud, request)
    if snapshot.status not in ("available", "error"):
        raise Fault(
            400,
            "Invalid snapshot: Snapshot status must be available or error, and must not be part "
            "of a group.",
        )
    snapshot.status = "deleting"
    cloud.snapshots.changed()
    later(
        snapshot,
        cloud.behaviour.volume_delete_looks,
        lambda: cloud.snapshots.drop(snapshot.id),
    )
    return Response(202, content_type="text/html; charset=UTF-8", bare=True)


ROWS = (
    Row("POST /snapshots", _snapshot_create),
    Row("GET /snapshots", _snapshot_index),
    Row("GET /snapshots/detail", _snapshot_detail),
    Row("GET /snapshots/{snapshot}", _snapshot_show),
    Row("PUT /snapshots/{snapshot}", _snapshot_update),
    Row("DELETE /snapshots/{snapshot}", _snapshot_delete),
)

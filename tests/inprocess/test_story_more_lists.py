# SPDX-License-Identifier: Apache-2.0
"""Lists of volumes, snapshots, attachments, images and server groups of several pods."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.inprocess.cloud import HOST, IMAGE, Cloud, cloud
from trio2o.pods.fake import SteppingClock

pytestmark = pytest.mark.anyio
VOLUMES = "/volume/v3/volumes"
SNAPSHOTS = "/volume/v3/snapshots"
ATTACHMENTS = "/volume/v3/attachments"
IMAGES = "/image/v2/images"
GROUPS = "/compute/v2.1/os-server-groups"
ZONES = {"Pod1": "az1", "Pod2": "az2", "Pod3": "az1"}
MISSING = "x-trio2o-missing-pods"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def top(tmp_path: Path) -> AsyncIterator[Cloud]:
    """Three pods at one clock, with 20 volumes of the project in each."""
    clock = SteppingClock()
    options = {name: {"now": clock} for name in ZONES}
    async with cloud(tmp_path, ZONES, **options) as one:
        for number in range(60):
            pod = one.pods[f"Pod{number % 3 + 1}"]
            pod.add_volume(one.project, f"v{number * 37 % 60:02}", size=number % 5 + 1)
        for pod in one.pods.values():
            pod.add_volume("somebody else", "not mine")
        yield one


def volumes(top: Cloud) -> list[Any]:
    return [v for pod in top.pods.values() for v in pod.cloud.volumes_of(top.project)]


async def walk(top: Cloud, path: str, envelope: str, **more: Any) -> list[Any]:
    """All items, following the links; Glance's are paths."""
    items: list[Any] = []
    link: str | None = path
    while link:
        answer = await top.call("GET", link, **more)
        assert answer.status == 200, answer.body
        items += answer.json[envelope]
        links = answer.json.get(f"{envelope}_links") or [{}]
        link = links[0].get("href", "").removeprefix(f"http://{HOST}")
        link = link or (f"/image{answer.json['next']}" if "next" in answer.json else None)
    return items


@pytest.mark.parametrize("limit", [7, 20, 60, 1000])
@pytest.mark.parametrize("path", [VOLUMES, f"{VOLUMES}/detail"])
async def test_volumes_are_listed_newest_first(top: Cloud, path: str, limit: int) -> None:
    found = [one["id"] for one in await walk(top, f"{path}?limit={limit}", "volumes")]
    wanted = sorted(volumes(top), key=lambda volume: volume.created, reverse=True)
    assert found == [volume.id for volume in wanted]


@pytest.mark.parametrize(
    ("sort", "key", "down"),
    [
        ("sort=name:asc", lambda v: v.name, False),
        ("sort=name:desc", lambda v: v.name, True),
        ("sort_key=name&sort_dir=asc", lambda v: v.name, False),
        ("sort=size:asc,name:asc", lambda v: (v.size, v.name), False),
        ("sort=id", lambda v: v.id, True),
    ],
)
async def test_volumes_are_listed_in_the_order_that_is_asked_for(
    top: Cloud, sort: str, key: Any, down: bool
) -> None:
    found = [one["id"] for one in await walk(top, f"{VOLUMES}?limit=7&{sort}", "volumes")]
    assert found == [volume.id for volume in sorted(volumes(top), key=key, reverse=down)]


async def test_volumes_can_be_skipped(top: Cloud) -> None:
    wanted = [v.id for v in sorted(volumes(top), key=lambda v: v.created, reverse=True)]
    for offset in (0, 5, 25, 59, 60, 100):
        answer = await top.call("GET", f"{VOLUMES}?limit=10&offset={offset}")
        assert [one["id"] for one in answer.json["volumes"]] == wanted[offset : offset + 10]


async def test_volumes_are_counted_over_all_pods(top: Cloud) -> None:
    answer = await top.call(
        "GET", f"{VOLUMES}/detail?limit=10&with_count=true", version="volume 3.45"
    )
    assert answer.json["count"] == 60
    assert len(answer.json["volumes"]) == 10


async def test_a_page_of_volumes_costs_one_call_to_each_pod(top: Cloud) -> None:
    await top.call("GET", VOLUMES)
    top.forget_requests()
    await top.call("GET", f"{VOLUMES}?limit=5")
    assert top.counts() == dict.fromkeys(ZONES, 1)


async def test_a_marker_that_is_nowhere_is_refused_in_cinders_words(top: Cloud) -> None:
    nowhere = "11111111-1111-4111-8111-111111111111"
    answer = await top.call("GET", f"{VOLUMES}?marker={nowhere}")
    assert answer.status == 404
    message = f"Volume {nowhere} could not be found."
    assert answer.json["itemNotFound"]["message"] == message


async def test_a_pod_that_dies_is_named_and_its_volumes_come_later(top: Cloud) -> None:
    first = await top.call("GET", f"{VOLUMES}?limit=12")
    top.pods["Pod2"].down()
    second = await top.call("GET", _next(first.json, "volumes"))
    assert second.headers[MISSING] == "Pod2"
    top.pods["Pod2"].up()
    rest = await walk(top, _next(second.json, "volumes"), "volumes")
    found = [one["id"] for one in (*first.json["volumes"], *second.json["volumes"], *rest)]
    assert sorted(found) == sorted(volume.id for volume in volumes(top))


def _next(document: Any, envelope: str) -> str:
    href: str = document[f"{envelope}_links"][0]["href"]
    return href.removeprefix(f"http://{HOST}")


async def test_snapshots_of_all_pods_are_listed(top: Cloud) -> None:
    made = []
    for volume in volumes(top)[::7]:
        body = {"snapshot": {"volume_id": volume.id, "name": f"of {volume.name}"}}
        answer = await top.call("POST", SNAPSHOTS, body)
        made.append(answer.json["snapshot"]["id"])
    for path in (SNAPSHOTS, f"{SNAPSHOTS}/detail"):
        found = [one["id"] for one in await walk(top, f"{path}?limit=2", "snapshots")]
        assert found == made[::-1]
    byname = await top.call("GET", f"{SNAPSHOTS}?sort=name:asc", version="volume 3.30")
    names = [one["name"] for one in byname.json["snapshots"]]
    assert names == sorted(names)


async def test_attachments_of_all_pods_are_listed(top: Cloud) -> None:
    made = set()
    for zone in ("az1", "az2"):
        server = await top.boot(zone=zone)
        volume = await top.volume(zone)
        body = {"volumeAttachment": {"volumeId": volume["id"]}}
        path = f"/compute/v2.1/servers/{server['id']}/os-volume_attachments"
        assert (await top.call("POST", path, body)).status == 200
        made.add(volume["id"])
    listed = await top.call("GET", ATTACHMENTS, version="volume 3.27")
    assert {one["volume_id"] for one in listed.json["attachments"]} == made
    before = await top.call("GET", ATTACHMENTS, version="volume 3.26")
    assert before.status == 404


async def test_an_image_with_copies_in_several_pods_is_listed_once(top: Cloud) -> None:
    for limit in (1, 2, 3, 25):
        found = [one["id"] for one in await walk(top, f"{IMAGES}?limit={limit}", "images")]
        assert found == [IMAGE]


async def test_copies_and_single_images_are_walked_once_each(top: Cloud) -> None:
    single = [
        top.pods[f"Pod{number % 3 + 1}"].add_image(f"i{number:02}").id for number in range(20)
    ]
    shared = []
    for number in range(10):
        ident = top.pods["Pod3"].add_image(f"c{number:02}").id
        top.pods["Pod1"].add_image(f"c{number:02}", image_id=ident)
        shared.append(ident)
    for query in ("limit=4", "limit=4&sort=name:asc", "limit=4&sort_key=size"):
        found = [one["id"] for one in await walk(top, f"{IMAGES}?{query}", "images")]
        assert len(found) == 31, query
        assert set(found) == {IMAGE, *single, *shared}


async def test_an_image_is_listed_while_one_of_its_pods_is_down(top: Cloud) -> None:
    await top.call("GET", IMAGES)
    for pod in ("Pod1", "Pod2"):
        top.pods[pod].down()
        answer = await top.call("GET", IMAGES)
        assert [one["id"] for one in answer.json["images"]] == [IMAGE]
        assert answer.headers[MISSING] == pod
        top.pods[pod].up()


async def test_glances_links_are_paths_and_its_first_has_the_query(top: Cloud) -> None:
    for number in range(3):
        top.pods["Pod2"].add_image(f"i{number}")
    answer = await top.call("GET", f"{IMAGES}?limit=2&sort=name:asc")
    assert answer.json["first"] == "/v2/images?limit=2&sort=name%3Aasc"
    last = answer.json["images"][-1]["id"]
    assert answer.json["next"] == f"/v2/images?limit=2&sort=name%3Aasc&marker={last}"
    assert answer.json["schema"] == "/v2/schemas/images"
    rest = await top.call("GET", f"/image{answer.json['next']}")
    assert len(rest.json["images"]) == 2


async def test_an_image_that_was_deleted_is_gone_from_all_its_pods(top: Cloud) -> None:
    ident = top.pods["Pod1"].add_image("x", owner=top.project).id
    top.pods["Pod3"].add_image("x", image_id=ident, owner=top.project)
    await top.call("GET", f"{IMAGES}/{ident}")
    assert (await top.call("DELETE", f"{IMAGES}/{ident}")).status == 204
    assert (await top.call("GET", f"{IMAGES}/{ident}")).status == 404
    for pod in ("Pod1", "Pod3"):
        assert top.pods[pod].cloud.images.find(ident) is None


async def test_a_change_of_an_image_reaches_its_copies(top: Cloud) -> None:
    ident = top.pods["Pod1"].add_image("x", owner=top.project).id
    top.pods["Pod3"].add_image("x", image_id=ident, owner=top.project)
    patch = b'[{"op": "replace", "path": "/name", "value": "y"}]'
    kind = "application/openstack-images-v2.1-json-patch"
    answer = await top.call("PATCH", f"{IMAGES}/{ident}", patch, headers={"content-type": kind})
    assert answer.status == 200, answer.body
    for pod in ("Pod1", "Pod3"):
        assert top.pods[pod].cloud.images.find(ident).name == "y"


async def test_server_groups_of_all_pods_are_listed(top: Cloud) -> None:
    made = []
    for number, keep in enumerate(ZONES):
        for name in ZONES:
            await top.set_pod(name, state="enabled" if name == keep else "maintenance")
        body = {"server_group": {"name": f"g{number}", "policies": ["affinity"]}}
        answer = await top.call("POST", GROUPS, body)
        assert answer.status == 200, answer.body
        made.append(answer.json["server_group"]["id"])
    listed = [one["id"] for one in (await top.call("GET", GROUPS)).json["server_groups"]]
    assert sorted(listed) == sorted(made)
    pages = [
        (await top.call("GET", f"{GROUPS}?limit=1&offset={n}")).json["server_groups"]
        for n in range(4)
    ]
    assert [one["id"] for page in pages for one in page] == listed
    for one in made:
        assert (await top.call("DELETE", f"{GROUPS}/{one}")).status == 204
    assert (await top.call("GET", GROUPS)).json["server_groups"] == []

# SPDX-License-Identifier: Apache-2.0
"""Cinder: versions, volumes, snapshots, types, attachments, lists, limits."""

from typing import Any

from clouds import Said, Story

NEW = "3.71"
PATH = "volume /v3/volumes"
NO_SUCH = "11111111-1111-1111-1111-111111111111"
CIRROS = "c1220500-0000-4000-8000-000000000001"


def available(said: Said) -> bool:
    (thing,) = said.json.values()
    return bool(thing["status"] == "available")


def gone(said: Said) -> bool:
    return said.status == 404


async def make(say: Story, name: str, *, version: str = "3.0", **more: Any) -> str:
    """A volume that is available."""
    body = {"volume": {"size": 1, "name": name, **more}}
    said = await say(f"POST {PATH}", body, version=version)
    made = say.call(said.json["volume"]["id"], name)
    await say.until(f"GET {PATH}/{made}", available)
    return made


async def remove(say: Story, *ids: str) -> None:
    for one in ids:
        await say(f"DELETE {PATH}/{one}")
    for one in ids:
        await say.until(f"GET {PATH}/{one}", gone)


async def versions(say: Story) -> None:
    await say("GET volume /", user="nobody")
    await say("GET volume /v3/", user="nobody")
    await say("GET volume /v3/volumes", user="nobody")
    for version in (NEW, "latest", "3.999", "2.0", "x"):
        await say(f"GET {PATH}", version=version)
    for header in ("compute 2.1", "compute 2.1,volume 3.50", "volume"):
        await say(f"GET {PATH}", headers={"openstack-api-version": header})


async def paths(say: Story) -> None:
    mine, theirs = say.project(), say.project("theirs")
    await say("GET volume /v3/nosuch")
    await say(f"GET volume /v3/{mine}/nosuch")
    await say("PATCH volume /v3/volumes")
    await say(f"GET volume /v3/{mine}/volumes")
    await say(f"GET volume /v3/{theirs}/volumes")
    await say(f"GET volume /v3/{theirs}/volumes", user="operator")
    await say(f"POST {PATH}/{NO_SUCH}/action", {"nosuch": {}})
    await say(f"POST {PATH}/{NO_SUCH}/action", {"os-extend": {"new_size": 5}})
    await say("GET volume /v3/attachments")


async def refused_creates(say: Story) -> None:
    def volume(**more: Any) -> dict[str, Any]:
        return {"volume": {"size": 1, **more}}

    await say(f"POST {PATH}")
    await say(f"POST {PATH}", b"{")
    await say(f"POST {PATH}", {})
    await say(f"POST {PATH}", {"volume": {}})
    await say(f"POST {PATH}", {"volume": {"name": "x"}})
    await say(f"POST {PATH}", volume(size=0))
    await say(f"POST {PATH}", volume(size="x"))
    await say(f"POST {PATH}", volume(size=5000))
    await say(f"POST {PATH}", volume(name="x" * 256))
    said = await say(f"POST {PATH}", volume(bogus=1))
    await say.until(f"GET {PATH}/{said.json['volume']['id']}", available)
    await remove(say, said.json["volume"]["id"])
    await say(f"POST {PATH}", volume(bogus=1), version="3.53")
    await say(f"POST {PATH}", volume(availability_zone="nosuch"))
    await say(f"POST {PATH}", volume(volume_type="nosuch"))
    await say(f"POST {PATH}", volume(volume_type=NO_SUCH))
    await say(f"POST {PATH}", volume(snapshot_id=NO_SUCH))
    await say(f"POST {PATH}", volume(snapshot_id="nosuch"))
    await say(f"POST {PATH}", volume(source_volid=NO_SUCH))
    await say(f"POST {PATH}", volume(imageRef="nosuch"))
    await say(f"POST {PATH}", volume(imageRef=NO_SUCH))
    await say(f"POST {PATH}", volume(multiattach=True))
    await say(f"POST {PATH}", volume(metadata={"a": 1}))
    await say(f"POST {PATH}", volume(size=None, imageRef=CIRROS))


async def life(say: Story) -> None:
    one = await make(say, "one", version=NEW, metadata={"a": "b", "trio2o:intent": "1"})
    for version in ("", "3.13", "3.48", "3.61", "3.63", "3.65", NEW):
        await say(f"GET {PATH}/{one}", version=version)
        await say(f"GET {PATH}/{one}", version=version, user="operator")
    await say(f"GET volume /v3/{say.project()}/volumes/{one}")
    await say(f"GET {PATH}/{one}", user="other")
    await say(f"DELETE {PATH}/{one}", user="other")
    await say(f"GET {PATH}/nosuch")
    await say(f"PUT {PATH}/{one}", {"volume": {"name": "renamed", "description": "d"}})
    await say(f"PUT {PATH}/{one}", {"volume": {}})
    await say(f"PUT {PATH}/{one}", {"volume": {}}, version=NEW)
    await say(f"PUT {PATH}/{one}", {"volume": {"bogus": 1}})
    await say(f"PUT {PATH}/{one}", {"volume": {"name": "x"}}, user="other")
    path = f"{PATH}/{one}/metadata"
    await say(f"GET {path}")
    await say(f"POST {path}", {"metadata": {"x": "y"}})
    await say(f"PUT {path}", {"metadata": {"x": "z", "a": "b"}})
    await say(f"PUT {path}/x", {"meta": {"x": "w"}})
    await say(f"PUT {path}/x", {"meta": {"y": "w"}})
    await say(f"GET {path}/x")
    await say(f"GET {path}/nosuch")
    await say(f"DELETE {path}/x")
    await say(f"DELETE {path}/x")
    await say(f"DELETE {PATH}/{one}")
    await say.until(f"GET {PATH}/{one}", gone)
    await say(f"GET {PATH}/{one}")
    await say(f"DELETE {PATH}/{one}")
    await say(f"GET {PATH}?marker={one}")


async def actions(say: Story) -> None:
    one = await make(say, "acted")

    async def act(action: str, value: Any, **more: Any) -> None:
        await say(f"POST {PATH}/{one}/action", {action: value}, **more)
        await say.until(f"GET {PATH}/{one}", available)
        await say(f"GET {PATH}/{one}")

    await act("os-extend", {"new_size": 2})
    await act("os-extend", {"new_size": 1})
    await act("os-extend", {"new_size": 5000})
    await act("os-set_bootable", {"bootable": True})
    await act("os-update_readonly_flag", {"readonly": True})
    await say(f"POST {PATH}/{one}/action", {"os-reset_status": {"status": "error"}})
    status = {"os-reset_status": {"status": "error"}}
    await say(f"POST {PATH}/{one}/action", status, user="operator")
    await say(f"GET {PATH}/{one}")
    await say(f"POST {PATH}/{one}/action", {"os-extend": {"new_size": 3}})
    await say("POST volume /v3/snapshots", {"snapshot": {"volume_id": one}})
    await remove(say, one)


async def sources(say: Story) -> None:
    """Volumes from an image, a snapshot, another volume; of another type."""
    typed = await make(say, "typed", volume_type="lab", availability_zone="nova")
    await say(f"GET {PATH}/{typed}", version="3.63")
    pictured = await make(say, "pictured", imageRef=CIRROS)
    said = await say(f"GET {PATH}/{pictured}", quiet=True)
    assert said.json["volume"]["bootable"] == "true"
    said = await say(
        "POST volume /v3/snapshots", {"snapshot": {"volume_id": typed, "name": "snap"}}
    )
    snapshot = say.call(said.json["snapshot"]["id"], "snap")
    await say.until(f"GET volume /v3/snapshots/{snapshot}", available)
    copied = await make(say, "copied", snapshot_id=snapshot)
    await say(f"GET {PATH}/{copied}")
    cloned = await make(say, "cloned", source_volid=typed)
    await say(f"GET {PATH}/{cloned}")
    await say(f"DELETE {PATH}/{typed}")
    await say(f"DELETE {PATH}/{typed}?cascade=True")
    await say.until(f"GET {PATH}/{typed}", gone)
    await remove(say, pictured, copied, cloned)


async def snapshots(say: Story) -> None:
    path = "volume /v3/snapshots"
    one = await make(say, "snapped")
    await say(f"POST {path}", {})
    await say(f"POST {path}", {"snapshot": {}})
    await say(f"POST {path}", {"snapshot": {"volume_id": NO_SUCH}})
    ids = []
    for name in ("sn1", "sn2"):
        body = {"snapshot": {"volume_id": one, "name": name, "metadata": {"k": name}}}
        said = await say(f"POST {path}", body, version=NEW)
        ids.append(say.call(said.json["snapshot"]["id"], name))
        await say.until(f"GET {path}/{ids[-1]}", available)
    for version in ("", "3.14", "3.41", NEW):
        await say(f"GET {path}/{ids[0]}", version=version)
        await say(f"GET {path}?sort=name:asc", version=version)
        await say(f"GET {path}/detail?sort=id:asc&name=sn1", version=version)
    await say(f"GET {path}?limit=1&sort=name:desc&with_count=True", version=NEW)
    await say(f"GET {path}?marker={ids[0]}&sort=name:asc", version=NEW)
    await say(f"GET {path}?marker={NO_SUCH}")
    await say(f"GET {path}?volume_id={one}&status=available&name=sn2", version=NEW)
    await say(f"GET {path}?bogus=1", version=NEW)
    await say(f"GET {path}/{ids[0]}", user="other")
    await say(f"GET {path}", user="other")
    await say(f"GET {path}?marker={ids[0]}", user="other")
    await say(f"PUT {path}/{ids[0]}", {"snapshot": {"name": "x"}})
    await say(f"DELETE {PATH}/{one}")
    for snapshot in ids:
        await say(f"DELETE {path}/{snapshot}")
        await say.until(f"GET {path}/{snapshot}", gone)
    await say(f"GET {path}/{ids[0]}")
    await say(f"DELETE {path}/{ids[0]}")
    await remove(say, one)


async def lists(say: Story) -> None:
    ids = [await make(say, name, metadata={"n": name}) for name in ("l-c", "l-a", "l-B")]
    for what in ("", "/detail"):
        for query in (
            "?sort=name:asc",
            "?sort=name:desc&limit=2",
            f"?sort=name:asc&limit=1&marker={ids[1]}",
            f"?sort=name:asc&marker={ids[0]}",
            "?sort_key=name&sort_dir=asc&limit=3",
            "?sort=size,name:asc",
            "?sort=name:asc&offset=1",
            "?sort=name:asc&offset=1&limit=1",
            "?limit=0",
            "?name=l-a",
            "?name=L-A",
            "?name=l",
            "?status=available&sort=name:asc",
            "?metadata=%7B%27n%27:%27l-a%27%7D",
            "?metadata=%7B%22n%22:%22nosuch%22%7D",
            "?bogus=1&sort=name:asc",
            "?all_tenants=1&sort=name:asc",
            "?availability_zone=nova&sort=name:asc",
            "?bootable=true",
            "?size=1&sort=name:asc",
        ):
            await say(f"GET {PATH}{what}{query}")
    for query in (
        "?with_count=True&limit=1&sort=name:asc",
        "?with_count=True&limit=2&offset=2&sort=name:asc",
        "?bogus=1",
        "?bogus=1&wrong=2",
        "?name~=l-&sort=name:asc",
        "?all_tenants=1&limit=1&sort=name:asc",
        "?created_at=gt:2000-01-01T00:00:00&name=l-a",
        "?created_at=lt:2000-01-01T00:00:00",
        "?created_at=bogus:2000-01-01T00:00:00",
        "?created_at=gt:bogus",
    ):
        await say(f"GET {PATH}{query}", version=NEW)
    await say(f"GET {PATH}?bogus=1", user="operator")
    await say(f"GET {PATH}?project_id={say.project()}&all_tenants=1&sort=name:asc&limit=2",
              user="operator")  # fmt: skip
    await say(f"GET {PATH}", user="operator")
    await say(f"GET {PATH}/detail", user="other")
    await say(f"GET {PATH}?marker={ids[0]}", user="other")
    await say(f"GET {PATH}/summary", version="3.12")
    await say(f"GET {PATH}/summary", version="3.36")
    await say("GET volume /v3/limits")
    await remove(say, *ids)


async def refused_lists(say: Story) -> None:
    for query in (
        "?limit=-1",
        "?limit=x",
        "?offset=-1",
        "?offset=x",
        "?marker=nosuch",
        "?sort=bogus",
        "?sort=name:up",
        "?sort=name&sort_key=id",
        "?sort_key=bogus",
        "?sort_dir=up",
    ):
        await say(f"GET {PATH}{query}")
        await say(f"GET {PATH}/detail{query}", version=NEW)


async def the_rest(say: Story) -> None:
    mine = say.project()
    await say("GET volume /v3/types/nosuch")
    await say("GET volume /v3/types/default")
    said = await say("GET volume /v3/types")
    kind = said.json["volume_types"][0]["id"]
    await say(f"GET volume /v3/types/{kind}")
    await say(f"GET volume /v3/types/{kind}", user="operator")
    await say("GET volume /v3/limits")
    await say("GET volume /v3/limits", version=NEW)
    await say("GET volume /v3/os-availability-zone")
    await say("GET volume /v3/scheduler-stats/get_pools")
    await say("GET volume /v3/scheduler-stats/get_pools", user="operator")
    await say("GET volume /v3/scheduler-stats/get_pools?detail=True", user="operator")
    await say(f"GET volume /v3/{mine}/os-availability-zone")
    await say("GET volume /v3/attachments", version=NEW)
    await say(f"GET volume /v3/attachments/{NO_SUCH}", version=NEW)
    body = {"attachment": {"volume_uuid": NO_SUCH, "instance_uuid": NO_SUCH}}
    await say("POST volume /v3/attachments", body, version=NEW)
    for path in ("backups", "backups/detail", "volume-transfers"):
        await say(f"GET volume /v3/{path}")
    # Cinder shows the messages of all projects, so the lab's list is never empty for long.
    await say("GET volume /v3/messages?limit=0", version=NEW)
    await say("GET volume /v3/groups", version=NEW)


async def types(say: Story) -> None:
    path = "volume /v3/types"
    body = {"volume_type": {"name": "conf", "extra_specs": {"a": "b"}}}
    await say(f"POST {path}", body)
    said = await say(f"POST {path}", body, user="operator")
    kind = say.call(said.json["volume_type"]["id"], "conf type")
    await say(f"POST {path}", body, user="operator")
    await say(f"GET {path}/{kind}")
    await say(f"POST {path}/{kind}/extra_specs", {"extra_specs": {"c": "d"}}, user="operator")
    await say(f"POST {path}/{kind}/extra_specs", {"extra_specs": {"c": "d"}})
    await say(f"GET {path}/{kind}", user="operator")
    await say(f"DELETE {path}/{kind}")
    await say(f"DELETE {path}/{kind}", user="operator")
    await say(f"DELETE {path}/{kind}", user="operator")


STORIES = (
    versions,
    paths,
    refused_creates,
    life,
    actions,
    sources,
    snapshots,
    lists,
    refused_lists,
    the_rest,
    types,
)

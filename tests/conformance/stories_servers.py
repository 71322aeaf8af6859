# SPDX-License-Identifier: Apache-2.0
"""Servers: making, looking, changing, lists, actions, volumes on them, ends."""

from typing import Any

from clouds import Said, Story

NEW = "2.104"
PATH = "compute /v2.1/servers"
NO_SUCH = "11111111-1111-1111-1111-111111111111"
CIRROS = "c1220500-0000-4000-8000-000000000001"


def server(name: str = "s", **more: Any) -> dict[str, Any]:
    return {"server": {"name": name, "flavorRef": "42", "imageRef": CIRROS, **more}}


def is_(status: str) -> Any:
    def good(said: Said) -> bool:
        return said.status == 200 and said.json["server"]["status"] == status

    return good


def settled(said: Said) -> bool:
    return said.status == 200 and said.json["server"]["OS-EXT-STS:task_state"] is None


def gone(said: Said) -> bool:
    return said.status == 404


async def make(say: Story, name: str = "s", *, version: str = "2.1", **more: Any) -> str:
    """A server that is ACTIVE."""
    if int(version.partition(".")[2]) >= 37:
        more.setdefault("networks", "none")
    made = await say(f"POST {PATH}", server(name, **more), version=version)
    made_id = say.call(made.json["server"]["id"], name)
    await say.until(f"GET {PATH}/{made_id}", is_("ACTIVE"))
    return made_id


async def remove(say: Story, *ids: str) -> None:
    for one in ids:
        await say(f"DELETE {PATH}/{one}")
    for one in ids:
        await say.until(f"GET {PATH}/{one}", gone)


async def refused_creates(say: Story) -> None:
    await say(f"POST {PATH}")
    await say(f"POST {PATH}", b"{")
    await say(f"POST {PATH}", {})
    await say(f"POST {PATH}", {"server": {}})
    await say(f"POST {PATH}", {"server": {"name": ""}})
    await say(f"POST {PATH}", {"server": {"name": 5, "flavorRef": "42"}})
    await say(f"POST {PATH}", {"server": {"name": "x" * 256, "flavorRef": "42"}})
    await say(f"POST {PATH}", server(bogus=1))
    await say(f"POST {PATH}", server(tags=["a"]))
    await say(f"POST {PATH}", server(), version="2.37")
    await say(f"POST {PATH}", server(flavorRef="nosuch"))
    await say(f"POST {PATH}", server(imageRef=""))
    await say(f"POST {PATH}", server(imageRef=NO_SUCH))
    await say(f"POST {PATH}", server(availability_zone="nosuch"))
    await say(f"POST {PATH}", server(availability_zone="nova:pod1"))
    await say(f"POST {PATH}", server(key_name="nosuch"))
    await say(f"POST {PATH}", server(min_count=2, max_count=1))
    await say(f"POST {PATH}", server(min_count=0))
    await say(f"POST {PATH}", server(metadata={"a": 1}))
    await say(f"POST {PATH}", server(metadata={"a!": "b"}))
    await say(f"POST {PATH}", server(metadata={"a": "x" * 256}))
    await say(f"POST {PATH}", server(networks=[{"uuid": "nosuch"}]))
    await say(f"POST {PATH}", server(networks=[{"uuid": NO_SUCH}]))
    await say(f"POST {PATH}", server(networks=[{"port": NO_SUCH}]))
    await say(f"POST {PATH}", server(networks=[{}]))
    await say(f"POST {PATH}", {**server(), "os:scheduler_hints": {"group": NO_SUCH}})
    device = {"source_type": "volume", "destination_type": "volume", "uuid": NO_SUCH}
    boot = {**device, "boot_index": 0}
    await say(f"POST {PATH}", server(imageRef="", block_device_mapping_v2=[boot]))
    await say(f"POST {PATH}", server(imageRef="", block_device_mapping_v2=[device]))
    await say(f"POST {PATH}", server(flavorRef="2", min_count=11))
    await say(f"GET {PATH}/{NO_SUCH}")
    await say(f"GET {PATH}/nosuch")
    await say(f"DELETE {PATH}/{NO_SUCH}")
    await say(f"PUT {PATH}/{NO_SUCH}", {"server": {"name": "x"}})


async def life(say: Story) -> None:
    first = await make(say, "first", metadata={"a": "b", "trio2o:intent": "1"})
    for version in ("", "2.3", "2.9", "2.19", "2.26", "2.47", "2.63", "2.71", "2.73", "2.90"):
        await say(f"GET {PATH}/{first}", version=version)
    for version in ("2.16", "2.96", "2.98", "2.100", NEW):
        await say(f"GET {PATH}/{first}", version=version)
        await say(f"GET {PATH}/{first}", version=version, user="operator")
    await say(f"GET {PATH}/{first}?bogus=1", version=NEW)
    await say(f"GET {PATH}/{first}?bogus=1", version="2.100")
    await say(f"GET {PATH}/{first}", user="other")
    await say(f"DELETE {PATH}/{first}", user="other")
    await say(f"PUT {PATH}/{first}", {"server": {"name": "renamed"}})
    await say(f"PUT {PATH}/{first}", {"server": {"name": "renamed"}}, version="2.75")
    await say(f"PUT {PATH}/{first}", {"server": {"description": "d"}}, version="2.19")
    await say(f"PUT {PATH}/{first}", {"server": {"description": "d"}})
    await say(f"PUT {PATH}/{first}", {"server": {}})
    await say(f"PUT {PATH}/{first}", {"server": {"pinned_availability_zone": "x"}}, version=NEW)
    await say(f"PUT {PATH}/{first}", {"server": {"name": "x"}}, user="other")
    await say(f"GET {PATH}?limit=1")
    await say(f"DELETE {PATH}/{first}")
    await say.until(f"GET {PATH}/{first}", gone)
    await say(f"GET {PATH}/{first}")
    await say(f"DELETE {PATH}/{first}")
    await say(f"PUT {PATH}/{first}", {"server": {"name": "x"}})
    await say(f"GET {PATH}?marker={first}")
    await say(f"GET {PATH}?marker={NO_SUCH}")


async def creates(say: Story) -> None:
    """Ways to ask for servers, by what the answer is."""
    more = {"tags": ["b", "a"], "availability_zone": "nova", "description": "d"}
    second = await make(say, "second", version=NEW, hostname="h", config_drive=True, **more)
    await say(f"GET {PATH}/{second}", version=NEW)
    await say(f"GET {PATH}/{second}", version=NEW, user="operator")
    pinned = {"server": {"pinned_availability_zone": None}}
    await say(f"PUT {PATH}/{second}", {"server": {"pinned_availability_zone": "x"}}, version=NEW)
    await say(f"PUT {PATH}/{second}", pinned, version=NEW)
    pinned = {"server": {"pinned_availability_zone": "nova"}}
    await say(f"PUT {PATH}/{second}", pinned, version=NEW)
    several = server("several", min_count=2, return_reservation_id=True)
    said = await say(f"POST {PATH}", several)
    reservation = said.json["reservation_id"]
    found = await say.until(
        f"GET {PATH}/detail?reservation_id={reservation}&sort_key=display_name&sort_dir=asc",
        lambda said: all(s["status"] == "ACTIVE" for s in said.json["servers"]),
    )
    ids = [one["id"] for one in found.json["servers"]]
    assert [one["name"] for one in found.json["servers"]] == ["several-1", "several-2"]
    await say(f"GET {PATH}?reservation_id={reservation}&sort_key=display_name&sort_dir=asc")
    await remove(say, second, *ids)


async def no_room(say: Story) -> None:
    """A server that no host can take."""
    flavor = {"name": "huge", "id": "huge", "ram": 64, "vcpus": 1, "disk": 700_000}
    await say("POST compute /v2.1/flavors", {"flavor": flavor}, user="operator")
    said = await say(f"POST {PATH}", server("huge", flavorRef="huge"))
    huge = say.call(said.json["server"]["id"], "huge")
    await say.until(f"GET {PATH}/{huge}", is_("ERROR"))
    for version in ("", NEW):
        await say(f"GET {PATH}/{huge}", version=version)
    await say(f"GET {PATH}?status=error")
    await say(f"GET {PATH}?status=active")
    await say(f"POST {PATH}/{huge}/action", {"os-start": None})
    await remove(say, huge)
    await say("DELETE compute /v2.1/flavors/huge", user="operator")


async def lists(say: Story) -> None:
    ids = [await make(say, name, version="2.52") for name in ("list-c", "list-a", "list-B")]
    for what in ("", "/detail"):
        for query in (
            "?sort_key=display_name&sort_dir=asc",
            "?sort_key=display_name&sort_dir=desc&limit=2",
            f"?sort_key=display_name&sort_dir=asc&limit=1&marker={ids[1]}",
            f"?sort_key=display_name&sort_dir=asc&marker={ids[0]}",
            "?limit=0",
            "?limit=3&sort_key=display_name&sort_dir=asc",
            "?limit=2000&sort_key=display_name&sort_dir=asc",
            "?sort_key=vm_state&sort_key=display_name&sort_dir=asc",
            "?sort_key=vm_state&sort_key=display_name&sort_dir=desc",
            "?name=list-[ab]&sort_key=display_name&sort_dir=asc",
            "?name=LIST-A",
            "?name=st-c",
            "?status=ACTIVE&limit=1&sort_key=display_name&sort_dir=asc",
            "?status=shutoff",
            f"?image={CIRROS}&flavor=42&sort_key=display_name&sort_dir=asc",
            "?flavor=nosuch",
            "?flavor=1",
            "?changes-since=2100-01-01T00:00:00Z",
            "?changes-since=2000-01-01&name=list-a",
            "?ip=10.0.0.1",
            "?host=pod1&sort_key=display_name&sort_dir=asc",
            f"?uuid={ids[0]}&sort_key=display_name&sort_dir=asc",
        ):
            await say(f"GET {PATH}{what}{query}")
    for query in ("?name=list&sort_key=display_name&limit=2", "?tags=x", "?locked=true"):
        await say(f"GET {PATH}{query}", version=NEW)
    await say(f"GET {PATH}/detail?name=list-a", version=NEW)
    await say(f"GET {PATH}/detail?name=list-a&all_tenants=1", version=NEW, user="operator")
    await say(f"GET {PATH}?all_tenants=1&project_id={say.project()}&limit=1&sort_key=display_name",
              user="operator")  # fmt: skip
    await say(f"GET {PATH}?all_tenants=True&tenant_id={say.project()}&name=list-a",
              user="operator")  # fmt: skip
    await say(f"GET {PATH}?tenant_id={say.project()}", user="operator")
    await say(f"GET {PATH}?all_tenants=0", user="operator")
    await say(f"GET {PATH}", user="other")
    await say(f"GET {PATH}/detail?marker={ids[0]}", user="other")
    await say(f"GET compute /v2.1/{say.project()}/servers?name=list-a&limit=1")
    await say(f"GET compute /v2.1/{say.project()}/servers/{ids[0]}")
    await remove(say, *ids)


async def refused_lists(say: Story) -> None:
    for query in (
        "?limit=-1",
        "?limit=x",
        "?limit=",
        "?marker=nosuch",
        "?sort_key=bogus",
        "?sort_key=host",
        "?sort_dir=up",
        "?sort_key=uuid&sort_dir=asc&sort_dir=desc",
        "?sort_key=vcpus",
        "?metadata=x",
        "?bogus=1",
        "?_x=1",
        "?name=(",
        "?all_tenants=1",
        "?all_tenants=maybe",
        "?all_tenants",
        "?status=bogus",
        "?status=deleted",
        "?changes-since=x",
        "?deleted=true",
        "?ip=(",
    ):
        await say(f"GET {PATH}{query}")
        await say(f"GET {PATH}/detail{query}", version="2.38")
    for query in ("?bogus=1", "?bogus=1&wrong=2", "?_x=1", "?sort_key=vcpus", "?metadata=x",
                  "?changes-before=2000-01-01&changes-since=2001-01-01"):  # fmt: skip
        await say(f"GET {PATH}{query}", version="2.74")
        if query != "?sort_key=vcpus":
            await say(f"GET {PATH}{query}", version=NEW)
    await say(f"GET {PATH}?metadata=x", user="operator")
    await say(f"GET {PATH}?_x=1", user="operator")
    await say(f"GET {PATH}?bogus=1&limit=0", user="operator")


async def metadata_and_tags(say: Story) -> None:
    one = await make(say, "one", metadata={"a": "b"})
    path = f"{PATH}/{one}/metadata"
    await say(f"GET {path}")
    await say(f"POST {path}", {"metadata": {"c": "d"}})
    await say(f"PUT {path}", {"metadata": {"e": "f"}})
    await say(f"PUT {path}/g", {"meta": {"g": "h"}})
    await say(f"PUT {path}/g", {"meta": {"x": "h"}})
    await say(f"PUT {path}/g", {"metadata": {"x": "h"}})
    await say(f"GET {path}/g")
    await say(f"GET {path}/nosuch")
    await say(f"DELETE {path}/g")
    await say(f"DELETE {path}/g")
    await say(f"POST {path}", {})
    await say(f"GET {path}", user="other")
    await say(f"GET {path}")
    tags = f"{PATH}/{one}/tags"
    await say(f"GET {tags}", version="2.26")
    await say(f"PUT {tags}", {"tags": ["b", "a"]}, version="2.26")
    await say(f"PUT {tags}/c", version="2.26")
    await say(f"PUT {tags}/c", version="2.26")
    await say(f"PUT {tags}/a,b", version="2.26")
    await say(f"GET {tags}/c", version="2.26")
    await say(f"GET {tags}/nosuch", version="2.26")
    await say(f"DELETE {tags}/c", version="2.26")
    await say(f"DELETE {tags}/c", version="2.26")
    await say(f"PUT {tags}", {"tags": ["a,b"]}, version="2.26")
    await say(f"GET {PATH}?tags=a,b", version="2.26")
    await say(f"GET {PATH}?tags=a,x", version="2.26")
    await say(f"GET {PATH}?tags-any=a,x", version="2.26")
    await say(f"GET {PATH}?not-tags=a", version="2.26")
    await say(f"GET {PATH}/detail?tags=a", version="2.26")
    await say(f"GET {PATH}?tags=a", version="2.25")
    await say(f"DELETE {tags}", version="2.26")
    await say(f"GET {tags}", version="2.26")
    await say(f"GET {tags}", version="2.26", user="other")
    await say(f"PUT {tags}/c", version="2.26", user="other")
    await remove(say, one)


async def actions(say: Story) -> None:
    one = await make(say, "acted")

    async def act(action: str, value: Any = None, **more: Any) -> None:
        await say(f"POST {PATH}/{one}/action", {action: value}, **more)
        await say.until(f"GET {PATH}/{one}", settled)
        await say(f"GET {PATH}/{one}")

    await act("os-start")
    await act("os-stop")
    await act("os-stop")
    await act("os-start")
    await act("pause")
    await act("unpause")
    await act("suspend")
    await act("resume")
    await act("reboot", {"type": "SOFT"})
    await act("reboot", {"type": "bogus"})
    await act("reboot", {})
    await act("reboot", {"type": "HARD"})
    await act("lock")
    await act("os-stop")
    await say(f"POST {PATH}/{one}/action", {"lock": {"locked_reason": "r"}}, version="2.73")
    await say(f"GET {PATH}/{one}", version="2.73")
    await act("unlock")
    await act("os-resetState", {"state": "error"})
    await act("os-resetState", {"state": "error"}, user="operator")
    await act("os-resetState", {"state": "active"}, user="operator")
    await act("os-start", user="other")
    await act("rebuild", {"imageRef": NO_SUCH})
    await act("rebuild", {"imageRef": CIRROS})
    await act("confirmResize")
    await remove(say, one)


async def resize(say: Story) -> None:
    one = await make(say, "sized")
    path = f"{PATH}/{one}/action"
    await say(f"POST {path}", {"resize": {"flavorRef": "nosuch"}})
    await say(f"POST {path}", {"resize": {"flavorRef": "42"}})
    await say(f"POST {path}", {"resize": {}})
    await say(f"POST {path}", {"resize": {"flavorRef": "84"}})
    await say.until(f"GET {PATH}/{one}", is_("VERIFY_RESIZE"))
    await say(f"GET {PATH}/{one}", version="2.47")
    await say(f"POST {path}", {"os-stop": None})
    await say(f"POST {path}", {"revertResize": None})
    await say.until(f"GET {PATH}/{one}", is_("ACTIVE"))
    await say(f"GET {PATH}/{one}", version="2.47")
    await say(f"POST {path}", {"resize": {"flavorRef": "84"}})
    await say.until(f"GET {PATH}/{one}", is_("VERIFY_RESIZE"))
    await say(f"POST {path}", {"confirmResize": None})
    await say.until(f"GET {PATH}/{one}", is_("ACTIVE"))
    await say(f"GET {PATH}/{one}", version="2.47")
    await remove(say, one)


async def image_of_a_server(say: Story) -> None:
    one = await make(say, "pictured")
    path = f"{PATH}/{one}/action"
    await say(f"POST {path}", {"createImage": {}})
    asked = {"createImage": {"name": "picture", "metadata": {"m": "v"}}}
    said = await say(f"POST {path}", asked)
    old = say.call(said.headers["location"].rpartition("/")[2], "old picture")
    await say.until(f"GET {PATH}/{one}", settled)
    said = await say(f"POST {path}", asked, version="2.45")
    new = say.call(said.json["image_id"], "new picture")
    await say.until(f"GET {PATH}/{one}", settled)
    for image in (old, new):
        await say.until(
            f"GET image /v2/images/{image}", lambda said: said.json["status"] == "active"
        )
        await say(f"DELETE image /v2/images/{image}")
    await remove(say, one)


async def volumes_on_servers(say: Story) -> None:
    volumes = []
    for name in ("v1", "v2"):
        said = await say("POST volume /v3/volumes", {"volume": {"size": 1, "name": name}})
        volumes.append(say.call(said.json["volume"]["id"], name))
        await say.until(
            f"GET volume /v3/volumes/{volumes[-1]}",
            lambda said: said.json["volume"]["status"] == "available",
        )
    one = await make(say, "with volume")
    path = f"{PATH}/{one}/os-volume_attachments"
    await say(f"GET {path}")
    await say(f"POST {path}", {})
    await say(f"POST {path}", {"volumeAttachment": {"volumeId": "nosuch"}})
    await say(f"POST {path}", {"volumeAttachment": {"volumeId": NO_SUCH}})
    await say(f"GET {path}/{volumes[0]}")
    await say(f"DELETE {path}/{volumes[0]}")
    await say(f"DELETE {path}/{NO_SUCH}")
    await say(f"POST {path}", {"volumeAttachment": {"volumeId": volumes[0]}})
    await _in_use(say, volumes[0])
    for version in ("", "2.70", "2.79", "2.89"):
        await say(f"GET {path}", version=version)
        await say(f"GET {path}/{volumes[0]}", version=version)
    await say(f"GET volume /v3/volumes/{volumes[0]}")
    await say(f"GET {PATH}/{one}", version="2.3")
    await say(f"POST {path}", {"volumeAttachment": {"volumeId": volumes[0]}})
    await say(f"DELETE volume /v3/volumes/{volumes[0]}")
    again = {"volumeAttachment": {"volumeId": volumes[1], "delete_on_termination": True}}
    await say(f"POST {path}", again, version="2.78")
    await say(f"POST {path}", again, version="2.101")
    await _in_use(say, volumes[1])
    await say(f"GET {path}?limit=1", version="2.79")
    await say(f"GET volume /v3/attachments?volume_id={volumes[1]}", version="3.27")
    keep = {"volumeAttachment": {"volumeId": volumes[0], "delete_on_termination": True}}
    await say(f"PUT {path}/{volumes[0]}", keep, version="2.85")
    await say(f"GET {path}/{volumes[0]}", version="2.85")
    await say(f"GET {path}", user="other")
    await say(f"DELETE {path}/{volumes[0]}", user="other")
    await say(f"DELETE {path}/{volumes[0]}")
    await say.until(
        f"GET volume /v3/volumes/{volumes[0]}",
        lambda said: said.json["volume"]["status"] == "available",
    )
    await say.until(f"GET {path}/{volumes[0]}", gone)
    await say(f"GET {path}/{volumes[0]}")
    await remove(say, one)
    await say.until(f"GET volume /v3/volumes/{volumes[1]}", gone)
    await say(f"DELETE volume /v3/volumes/{volumes[0]}")


async def _in_use(say: Story, volume: str) -> None:
    await say.until(
        f"GET volume /v3/volumes/{volume}",
        lambda said: (
            said.json["volume"]["status"] == "in-use" and bool(said.json["volume"]["attachments"])
        ),
    )


async def boot_from_volume(say: Story) -> None:
    device = {
        "boot_index": 0,
        "uuid": CIRROS,
        "source_type": "image",
        "destination_type": "volume",
        "volume_size": 1,
        "delete_on_termination": True,
    }
    one = await make(say, "rooted", imageRef="", block_device_mapping_v2=[device])
    await say(f"GET {PATH}/{one}", version="2.98")
    said = await say(f"GET {PATH}/{one}/os-volume_attachments")
    volume = said.json["volumeAttachments"][0]["volumeId"]
    await say(f"GET volume /v3/volumes/{volume}")
    await say(f"DELETE {PATH}/{one}/os-volume_attachments/{volume}")
    await remove(say, one)
    await say.until(f"GET volume /v3/volumes/{volume}", gone)


async def members_of_groups(say: Story) -> None:
    body = {"server_group": {"name": "apart", "policy": "anti-affinity"}}
    said = await say("POST compute /v2.1/os-server-groups", body, version=NEW)
    group = say.call(said.json["server_group"]["id"], "apart")
    hints = {"os:scheduler_hints": {"group": group}}
    said = await say(f"POST {PATH}", {**server("m1"), **hints})
    first = say.call(said.json["server"]["id"], "m1")
    await say.until(f"GET {PATH}/{first}", is_("ACTIVE"))
    await say(f"GET {PATH}/{first}", version=NEW)
    await say(f"GET compute /v2.1/os-server-groups/{group}", version=NEW)
    said = await say(f"POST {PATH}", {**server("m2"), **hints})
    second = say.call(said.json["server"]["id"], "m2")
    await say.until(f"GET {PATH}/{second}", is_("ERROR"))
    await say(f"GET {PATH}/{second}")
    await remove(say, first, second)
    await say(f"GET compute /v2.1/os-server-groups/{group}", version=NEW)
    await say(f"DELETE compute /v2.1/os-server-groups/{group}")


STORIES = (
    refused_creates,
    life,
    creates,
    no_room,
    lists,
    refused_lists,
    metadata_and_tags,
    actions,
    resize,
    image_of_a_server,
    volumes_on_servers,
    boot_from_volume,
    members_of_groups,
)

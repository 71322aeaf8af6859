# SPDX-License-Identifier: Apache-2.0
"""Glance: images, data, tags, members, lists; and Placement and Neutron as far as they go."""

import json
import uuid
from typing import Any

from clouds import Story

PATH = "image /v2/images"
NO_SUCH = "11111111-1111-1111-1111-111111111111"
OCTETS = {"content-type": "application/octet-stream"}
PATCH = {"content-type": "application/openstack-images-v2.1-json-patch"}
ROOM = "placement /allocation_candidates?resources=VCPU:1,MEMORY_MB:64,DISK_GB:1"


async def make(say: Story, name: str, **more: Any) -> str:
    body = {"name": name, "disk_format": "raw", "container_format": "bare", **more}
    said = await say(f"POST {PATH}", body)
    return say.call(said.json["id"], name)


async def images(say: Story) -> None:
    await say("GET image /", user="nobody")
    await say("GET image /versions", user="nobody")
    await say("GET image /v2/nosuch")
    await say(f"PATCH {PATH}")
    await say(f"DELETE {PATH}")
    await say(f"POST {PATH}", b"{")
    await say(f"POST {PATH}", {"id": "nosuch"})
    await say(f"POST {PATH}", {"name": 5})
    await say(f"POST {PATH}", {"name": "x", "visibility": "public"})
    await say(f"POST {PATH}", {"name": "x", "status": "active"})
    bare = await say(f"POST {PATH}", {})
    await say(f"DELETE {PATH}/{bare.json['id']}")
    one = await make(say, "one", mine="x", tags=["t1"])
    await say(f"POST {PATH}", {"id": one, "name": "again"})
    chosen = say.call(str(uuid.uuid4()), "chosen")
    said = await say(f"POST {PATH}", {"id": chosen, "name": "chosen"})
    assert said.json["id"] == chosen
    await say(f"DELETE {PATH}/{chosen}")
    await say(f"POST {PATH}", {"id": chosen, "name": "chosen"})
    await say(f"GET {PATH}/{one}")
    await say(f"GET {PATH}/{one}", user="other")
    await say(f"GET {PATH}/nosuch")
    await say(f"GET {PATH}/{one}/file")
    await say(f"PUT {PATH}/{one}/file", b"abc", headers={"content-type": "text/plain"})
    await say(f"PUT {PATH}/{one}/file", b"abc" * 1000, headers=OCTETS, user="other")
    await say(f"PUT {PATH}/{one}/file", b"abc" * 1000, headers=OCTETS)
    await say(f"PUT {PATH}/{one}/file", b"abc", headers=OCTETS)
    await say(f"GET {PATH}/{one}")
    await say(f"GET {PATH}/{one}/file")
    await say(f"PUT {PATH}/{NO_SUCH}/file", b"abc", headers=OCTETS)
    await say(f"GET {PATH}/{NO_SUCH}/file")
    await say(f"DELETE {PATH}/{one}", user="other")
    await say(f"DELETE {PATH}/{one}")
    await say(f"GET {PATH}/{one}")
    await say(f"DELETE {PATH}/{one}")
    await say(f"GET {PATH}?marker={one}")


async def changes(say: Story) -> None:
    one = await make(say, "changed", mine="x")
    path = f"{PATH}/{one}"

    async def patch(*operations: dict[str, Any], **more: Any) -> None:
        body = json.dumps(list(operations)).encode()
        await say(f"PATCH {path}", body, headers=PATCH, **more)

    def operation(op: str, key: str, value: Any = None) -> dict[str, Any]:
        return {"op": op, "path": f"/{key}", **({} if op == "remove" else {"value": value})}

    await patch(operation("replace", "name", "renamed"), operation("add", "yours", "y"))
    await patch(operation("remove", "yours"))
    await patch(operation("remove", "nosuch"))
    await patch(operation("replace", "nosuch", "x"))
    await patch(operation("replace", "id", NO_SUCH))
    await patch(operation("replace", "status", "active"))
    await patch(operation("replace", "name", "stolen"), user="other")
    await say(f"PATCH {path}", b"{", headers=PATCH)
    await say(f"PATCH {path}", [])
    await say(f"PUT {path}/tags/t2")
    await say(f"GET {path}")
    await say(f"DELETE {path}/tags/t2")
    await say(f"DELETE {path}/tags/t2")
    await say(f"GET {path}/members")
    await say(f"POST {path}/members", {"member": say.project("theirs")})
    await say(f"POST {path}/members", {"member": say.project("theirs")})
    await say(f"GET {path}/members")
    await say(f"GET {path}", user="other")
    theirs = f"{path}/members/{say.project('theirs')}"
    await say(f"PUT {theirs}", {"status": "accepted"}, user="other")
    await say(f"GET {PATH}?visibility=shared", user="other")
    await say(f"DELETE {theirs}")
    await say(f"DELETE {theirs}")
    await patch(operation("replace", "protected", value=True))
    await say(f"DELETE {path}")
    await patch(operation("replace", "protected", value=False))
    await say(f"DELETE {path}")
    await say("GET image /v2/info/import")
    await say("GET image /v2/info/stores")


async def lists(say: Story) -> None:
    ids = [await make(say, name) for name in ("i-c", "i-a", "i-B")]
    for query in (
        "?visibility=shared&sort=name:asc",
        "?visibility=shared&sort=name:desc&limit=2",
        f"?visibility=shared&sort=name:asc&limit=1&marker={ids[1]}",
        f"?visibility=shared&sort=name:asc&marker={ids[0]}",
        "?visibility=shared&sort_key=name&sort_dir=asc",
        "?visibility=shared&sort_key=status&sort_key=name&sort_dir=asc",
        "?visibility=shared&sort=status:desc,name:asc",
        "?visibility=shared&limit=3&sort=name",
        "?name=i-a",
        "?name=in:i-a,i-c&sort=name:asc",
        "?status=queued&sort=name:asc",
        "?bogus=1",
        "?tag=nosuch",
        "?limit=0",
        "?limit=-1",
        "?limit=x",
        "?marker=nosuch",
        f"?marker={NO_SUCH}",
        "?sort=bogus:asc",
        "?sort=name:up",
        "?sort_key=bogus",
        "?sort_dir=up",
        f"?owner={say.project()}&sort=name:asc",
        "?visibility=public&name=cirros&limit=2",
    ):
        await say(f"GET {PATH}{query}")
    await say(f"GET {PATH}?visibility=shared", user="other")
    for one in ids:
        await say(f"DELETE {PATH}/{one}")


async def placement(say: Story) -> None:
    await say("GET placement /", user="nobody")
    await say(f"GET {ROOM}", user="nobody")
    await say(f"GET {ROOM}", user="member", version="1.39")
    await say(f"GET {ROOM}", user="operator")
    for version in ("1.10", "1.12", "1.17", "1.27", "1.29", "1.34", "1.39", "1.99", "x", "latest"):
        await say(f"GET {ROOM}", user="operator", version=version)
    path = "placement /allocation_candidates"
    for query in ("", "?resources=FOO:1", "?resources=VCPU:100000", "?resources=VCPU:1&limit=1"):
        await say(f"GET {path}{query}", user="operator", version="1.39")
    await say(f"POST {path}", {}, user="operator")
    await say("GET placement /nosuch", user="operator")
    said = await say("GET placement /resource_providers", user="operator", version="1.39")
    provider = said.json["resource_providers"][0]["uuid"]
    for what in ("inventories", "usages"):
        await say(f"GET placement /resource_providers/{provider}/{what}", user="operator")


async def network(say: Story) -> None:
    await say("GET network /", user="nobody")
    await say("GET network /v2.0/networks", user="nobody")
    await say("GET network /v2.0/nosuch")
    await say("GET network /v2.0/networks/nosuch")
    await say("GET network /v2.0/ports/nosuch")
    await say("GET network /v2.0/ports")
    said = await say("GET network /v2.0/networks?name=public")
    public = said.json["networks"][0]["id"]
    await say(f"GET network /v2.0/networks/{public}")
    await say("GET network /v2.0/networks?name=nosuch")
    await say("GET network /v2.0/networks?name=public&limit=1")
    await say(f"GET network /v2.0/networks?limit=1&marker={NO_SUCH}")


STORIES = (images, changes, lists, placement, network)

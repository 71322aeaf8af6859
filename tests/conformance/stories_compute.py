# SPDX-License-Identifier: Apache-2.0
"""Nova without servers: versions, faults, flavors, key pairs, zones, limits, groups."""

from clouds import Story

NEW = "2.104"


async def versions(say: Story) -> None:
    await say("GET compute /", user="nobody")
    await say("GET compute /v2.1/", user="nobody")
    await say("GET compute /v2.1", user="nobody")
    await say("GET compute /v2.1/servers", user="nobody")
    await say("GET compute /v2.1/servers", version=NEW)
    await say("GET compute /v2.1/servers", version="latest")
    await say("GET compute /v2.1/servers", version="2.999")
    await say("GET compute /v2.1/servers", version="1.1")
    await say("GET compute /v2.1/servers", version="x")
    await say("GET compute /v2.1/servers", version="2.1.1")
    for header in ("volume 3.1", "volume 3.1, compute 2.50", "compute 2.50,compute 2.60", ""):
        await say("GET compute /v2.1/servers", headers={"openstack-api-version": header})
    await say("GET compute /v2.1/servers", headers={"x-openstack-nova-api-version": "2.50"})
    await say(
        "GET compute /v2.1/servers",
        headers={"x-openstack-nova-api-version": "2.50", "openstack-api-version": "compute 2.60"},
    )


async def paths(say: Story) -> None:
    mine, theirs = say.project(), say.project("theirs")
    await say("GET compute /v2.1/nosuch")
    await say("PATCH compute /v2.1/servers")
    await say(f"GET compute /v2.1/{mine}/servers")
    await say(f"GET compute /v2.1/{mine}/nosuch")
    await say(f"GET compute /v2.1/{theirs}/servers")
    await say(f"GET compute /v2.1/{theirs}/servers", user="operator")
    await say("POST compute /v2.1/servers/abc/action", {"nosuch": None})
    await say("POST compute /v2.1/servers/abc/action", {"a": 1, "b": 2})
    await say("POST compute /v2.1/servers/abc/action", b"{")
    await say("POST compute /v2.1/servers/abc/action", {"os-start": None})
    await say("GET compute /v2.1/servers/abc/tags", version="2.25")
    await say("GET compute /v2.1/servers/abc/tags", version="2.26")


async def flavors(say: Story) -> None:
    for version in ("", "2.54", "2.55", "2.61", "2.75", "2.102"):
        await say("GET compute /v2.1/flavors", version=version)
        await say("GET compute /v2.1/flavors/detail", version=version)
        await say("GET compute /v2.1/flavors/42", version=version)
    await say("GET compute /v2.1/flavors/nosuch")
    await say("GET compute /v2.1/flavors?limit=2")
    await say("GET compute /v2.1/flavors?limit=2&marker=2")
    await say("GET compute /v2.1/flavors/detail?limit=1&minRam=500")
    await say("GET compute /v2.1/flavors?marker=nosuch")
    await say("GET compute /v2.1/flavors?limit=x")
    await say("GET compute /v2.1/flavors?minRam=x")
    await say("GET compute /v2.1/flavors?sort_key=name&sort_dir=desc")
    await say("GET compute /v2.1/flavors?is_public=None", user="operator")
    for version in ("2.74", "2.101", "2.102"):
        await say("GET compute /v2.1/flavors?name=M1.[tn]", version=version)
    body = {"flavor": {"name": "conf", "id": "conf", "ram": 64, "vcpus": 1, "disk": 1}}
    await say("POST compute /v2.1/flavors", body)
    await say("POST compute /v2.1/flavors", {"flavor": {"name": "x"}}, user="operator")
    await say("POST compute /v2.1/flavors", body, user="operator", version="2.61")
    await say("POST compute /v2.1/flavors", body, user="operator")
    other = {"flavor": {"name": "conf2", "id": "conf", "ram": 64, "vcpus": 1, "disk": 1}}
    await say("POST compute /v2.1/flavors", other, user="operator")
    specs = "/v2.1/flavors/conf/os-extra_specs"
    await say(f"POST compute {specs}", {"extra_specs": {"a": "b"}}, user="operator")
    await say(f"PUT compute {specs}/a", {"a": "c"}, user="operator")
    await say(f"GET compute {specs}")
    await say(f"GET compute {specs}/a")
    await say(f"GET compute {specs}/nosuch")
    await say(f"DELETE compute {specs}/a", user="operator")
    await say(f"DELETE compute {specs}/a", user="operator")
    await say("GET compute /v2.1/flavors/conf/os-flavor-access", user="operator")
    await say("GET compute /v2.1/flavors/conf/os-flavor-access")
    change = {"flavor": {"description": "d"}}
    await say("PUT compute /v2.1/flavors/conf", change, user="operator", version="2.54")
    await say("PUT compute /v2.1/flavors/conf", change, user="operator", version="2.55")
    await say("DELETE compute /v2.1/flavors/conf")
    await say("DELETE compute /v2.1/flavors/conf", user="operator")
    await say("DELETE compute /v2.1/flavors/conf", user="operator")


async def private_flavors(say: Story) -> None:
    flavor = {"name": "hid", "id": "hid", "ram": 64, "vcpus": 1, "disk": 1}
    body = {"flavor": {**flavor, "os-flavor-access:is_public": False}}
    await say("POST compute /v2.1/flavors", body, user="operator")
    await say("GET compute /v2.1/flavors/hid")
    await say("GET compute /v2.1/flavors")
    share = {"addTenantAccess": {"tenant": say.project()}}
    await say("POST compute /v2.1/flavors/hid/action", share, user="operator")
    await say("POST compute /v2.1/flavors/hid/action", share, user="operator")
    await say("GET compute /v2.1/flavors/hid")
    await say("GET compute /v2.1/flavors")
    await say("GET compute /v2.1/flavors/hid/os-flavor-access", user="operator")
    take = {"removeTenantAccess": {"tenant": say.project()}}
    await say("POST compute /v2.1/flavors/hid/action", take, user="operator")
    await say("POST compute /v2.1/flavors/hid/action", take, user="operator")
    await say("DELETE compute /v2.1/flavors/hid", user="operator")


KEY = (
    "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQClnAmMs6ZhWiEGJUMd0bRLGP/mbXXgNEiZDplrYkySAntuRkNKgb08"
    "i/Dcj9ffJMT87b2PqTOBw2en/+Pz/A5iQUouWkHR1BD8CnfAlrdl1wUMaSHo6I1lr/mabDOGaCXqa94UxUxUC+ivpBeP"
    "XUhtidnUFzDPkC+c8J6vPecXOoXbfYIpTEkbHWBR31p4lv+6euZTt3YW1Zy4Bp32xmGJSkVjp7X5SWlKiJTEOwztNndP"
    "lgrqjqvAhFuVUcm90042CkWmdrreeXY+LzVyLI8JemrQ2k3ebjJi0klxRs3hqZyodw89XBEXsT8cgerF3tA9qBeyy3M0"
    "zqqATXMn8oyN me"
)


async def keypairs(say: Story) -> None:
    path = "compute /v2.1/os-keypairs"
    body = {"keypair": {"name": "k1", "public_key": KEY}}
    await say(f"POST {path}", body)
    await say(f"POST {path}", body, version="2.2")
    await say(f"POST {path}", {"keypair": {"name": "k2", "public_key": KEY}}, version=NEW)
    await say(f"POST {path}", {"keypair": {"name": "k3"}}, version=NEW)
    await say(f"POST {path}", {"keypair": {}})
    await say(f"POST {path}", {"keypair": {"name": "k4", "public_key": "nonsense"}})
    for version in ("", "2.2", "2.10", "2.35", NEW):
        await say(f"GET {path}", version=version)
    await say(f"GET {path}?limit=1", version="2.35")
    await say(f"GET {path}?limit=1&marker=k1", version="2.35")
    await say(f"GET {path}?marker=nosuch", version="2.35")
    await say(f"GET {path}", user="other")
    await say(f"GET {path}/k1", user="other")
    await say(f"GET {path}/nosuch")
    await say(f"GET {path}?user_id={say.user('member')}", user="operator", version="2.10")
    await say(f"GET {path}?user_id={say.user('member')}", user="other", version="2.10")
    await say(f"DELETE {path}/k1")
    await say(f"DELETE {path}/k2", version="2.2")
    await say(f"DELETE {path}/k2")


async def unknown_parameters(say: Story) -> None:
    """Which microversion refuses a parameter that a list does not know."""
    for path in (
        "flavors",
        "flavors/detail",
        "flavors/42",
        "flavors/42/os-extra_specs",
        "os-keypairs",
        "os-availability-zone",
        "os-server-groups",
        "limits",
        "servers",
        "servers/detail",
    ):
        for version in ("2.74", "2.75", "2.101", "2.102"):
            await say(f"GET compute /v2.1/{path}?wrong=1", version=version)
    await say("GET compute /v2.1/os-keypairs?wrong=1&bogus=2", version=NEW)


async def zones_and_limits(say: Story) -> None:
    await say("GET compute /v2.1/os-availability-zone")
    await say("GET compute /v2.1/os-availability-zone/detail")
    await say("GET compute /v2.1/os-availability-zone/detail", user="operator")
    for version in ("", "2.35", "2.36", "2.39", "2.57", NEW):
        await say("GET compute /v2.1/limits", version=version)
    await say(f"GET compute /v2.1/limits?tenant_id={say.project()}", user="operator")
    await say(f"GET compute /v2.1/limits?tenant_id={say.project('theirs')}")


async def groups(say: Story) -> None:
    path = "compute /v2.1/os-server-groups"
    old = {"server_group": {"name": "g", "policies": ["affinity"]}}
    new = {"server_group": {"name": "h", "policy": "anti-affinity"}}
    await say(f"POST {path}", new)
    await say(f"POST {path}", old, version=NEW)
    made = await say(f"POST {path}", old)
    group = say.call(made.json["server_group"]["id"], "group")
    other = (await say(f"POST {path}", new, version=NEW)).json["server_group"]["id"]
    say.call(other, "group h")
    for version in ("", "2.12", "2.13", "2.63", "2.64"):
        await say(f"GET {path}/{group}", version=version)
        await say(f"GET {path}", version=version)
    await say(f"GET {path}?limit=1")
    await say(f"GET {path}?limit=1&offset=1")
    await say(f"GET {path}/{group}", user="other")
    await say(f"GET {path}", user="other")
    await say(f"GET {path}/nosuch")
    await say(f"DELETE {path}/{group}", user="other")
    await say(f"DELETE {path}/{group}")
    await say(f"DELETE {path}/{group}")
    await say(f"DELETE {path}/{other}")


STORIES = (
    versions,
    paths,
    flavors,
    private_flavors,
    keypairs,
    unknown_parameters,
    zones_and_limits,
    groups,
)

# SPDX-License-Identifier: Apache-2.0
"""The commands of openstackclient's plugin, with the real client and Keystone."""

from collections.abc import Iterator

import pytest

from lab.processes import LabError
from tests.real import Top

POD_COLUMNS = ["Availability Zone", "Data Center", "ID", "Name", "State"]


@pytest.fixture
def disabled_pod(top: Top) -> Iterator[str]:
    """A pod whose region is not there."""
    name = "Pod-of-the-cli"
    top.openstack(
        "pod", "create", name, "--availability-zone", "az9", "--data-center", "dc9",
        "--state", "disabled", "--tag", "a", "--tag", "b", user="admin",
    )  # fmt: skip
    yield name
    if name in top.openstack("pod", "list", user="admin"):
        top.openstack("pod", "delete", "--forget", name, user="admin")


def refused(top: Top, *words: str, user: str = "admin") -> str:
    """What the client says when the command fails."""
    with pytest.raises(LabError) as caught:
        top.openstack(*words, user=user)
    return str(caught.value)


def test_pods_are_listed_and_shown_by_name_and_id(top: Top) -> None:
    listed = top.openstack_json("pod", "list", "--state", "enabled", user="admin")
    assert sorted(listed[0]) == POD_COLUMNS
    by_name = {pod["Name"]: pod for pod in listed}
    assert by_name["Pod1"]["Availability Zone"] == "az1"
    for key in ("Pod1", by_name["Pod1"]["ID"]):
        shown = top.openstack_json("pod", "show", key, user="admin")
        assert (shown["name"], shown["pod_az_name"]) == ("Pod1", "nova")
    one = top.openstack("pod", "list", "--limit", "1", "-f", "value", "-c", "Name", user="admin")
    assert one == "Pod1\n"


def test_a_pod_is_changed_in_parts(top: Top, disabled_pod: str) -> None:
    top.openstack("pod", "set", disabled_pod, "--tag", "c", user="admin")
    top.openstack("pod", "unset", disabled_pod, "--tag", "a", "--data-center", user="admin")
    (pod,) = top.openstack_json("pod", "list", "--long", "--tag", "c", user="admin")
    assert (pod["Name"], pod["Tags"], pod["Data Center"]) == (disabled_pod, ["b", "c"], "")
    assert "Nothing to change" in refused(top, "pod", "set", disabled_pod)
    said = refused(top, "pod", "set", disabled_pod, "--state", "enabled")
    assert f"no region {disabled_pod}" in said
    top.openstack("pod", "delete", disabled_pod, user="admin")
    assert f"There is no pod {disabled_pod}" in refused(top, "pod", "show", disabled_pod)


def test_what_the_api_refuses_is_shown_in_its_words(top: Top) -> None:
    said = refused(top, "pod", "create", "Nowhere", "--availability-zone", "az1")
    assert "Keystone has no region Nowhere" in said
    said = refused(top, "pod", "delete", "Nowhere", "Neverwhere")
    assert "There is no pod Nowhere" in said
    assert "There is no pod Neverwhere" in said
    assert "pods:list" in refused(top, "pod", "list", user="demo")
    said = refused(top, "--os-region-name", "Pod1", "pod", "list")
    assert "--os-region-name" in said


def test_projects_are_bound_by_name(top: Top) -> None:
    words = ("pod", "binding")
    made = top.openstack_json(*words, "create", "alt", "Pod2", user="admin")
    top.openstack(*words, "set", made["id"], "--preferred", user="admin")
    shown = top.openstack_json(*words, "show", made["id"], user="admin")
    assert (shown["pod_name"], shown["preferred"], shown["ended_at"]) == ("Pod2", True, None)
    assert "bound to pod Pod2 already" in refused(top, *words, "create", "alt", "Pod2")
    assert "nobody" in refused(top, *words, "create", "nobody", "Pod2")
    body = {"pod_binding": {"project_id": "f" * 32, "pod": "Pod2"}}
    unknown = top.call("POST", "/v1.0/bindings", body, user="admin")
    assert (unknown.status, unknown.json["error"]["type"]) == (400, "bad-request")
    top.openstack(*words, "delete", made["id"], user="admin")
    of_alt = ("--project", "alt", "--project-domain", "default")
    assert top.openstack_json(*words, "list", *of_alt, user="admin") == []
    ended = top.openstack_json(*words, "list", *of_alt, "--ended", "--pod", "Pod2", user="admin")
    assert made["id"] in [binding["ID"] for binding in ended]


def test_where_a_volume_is_and_why(top: Top) -> None:
    volume = top.make_volume("az2")
    try:
        own = top.openstack_json("routing", "show", volume)  # its project's member
        assert (own["kind"], own["pod_name"]) == ("volume", "Pod2")
        listed = top.openstack_json(
            "routing", "list", "--kind", "volume", "--project", "demo", "--pod", "Pod2",
            user="admin",
        )  # fmt: skip
        assert volume in [routing["Resource ID"] for routing in listed]
        why = top.openstack_json("placement", "show", volume, user="admin")
        assert "Pod2" in str(why["explanation"])
        words = ("placement", "explain", volume)
        rows = {row["Pod"]: row for row in top.openstack_json(*words, user="admin")}
        assert rows["Pod2"]["Outcome"] == "chosen"
        assert rows["Pod1"]["Outcome"] == "not by zone"
        newest = top.openstack_json("placement", "list", "--limit", "1", user="admin")
        assert newest[0]["Resource ID"] == volume
        assert "Pod Pod2 is in use" in refused(top, "pod", "delete", "Pod2")
    finally:
        top.delete_volume(volume)

# SPDX-License-Identifier: Apache-2.0
"""The configuration and the commands of a pod."""

import configparser

import pytest

from lab.layout import Lab
from lab.services import commands, configuration, directories, environment, keystone, render

CLIENTS = {
    "nova.conf": ("keystone_authtoken", "service_user", "placement", "neutron"),
    "placement.conf": ("keystone_authtoken", "service_user"),
    "glance-api.conf": ("keystone_authtoken", "service_user"),
    "cinder.conf": ("keystone_authtoken", "service_user", "nova"),
    "neutron.conf": ("keystone_authtoken", "service_user", "nova", "placement"),
}


def parse(text: str) -> configparser.RawConfigParser:
    parser = configparser.RawConfigParser(default_section="\0")
    parser.read_string(text)
    return parser


def test_rendered_sections_read_back_as_they_were() -> None:
    text = render({"DEFAULT": {"Debug": "false", "size": 5}, "a:b": {"url": "x=1&y=2"}})
    assert "Debug = false" in text
    parser = parse(text)
    assert parser["DEFAULT"]["size"] == "5"
    assert parser["a:b"]["url"] == "x=1&y=2"


@pytest.mark.parametrize("name", CLIENTS)
def test_every_client_section_names_the_pods_own_region(lab: Lab, name: str) -> None:
    sections = configuration(lab.pod("pod2"))[name]
    for section in CLIENTS[name]:
        assert sections[section]["region_name"] == "Pod2", section


def test_nova_asks_cinder_and_glance_of_its_own_region(lab: Lab) -> None:
    nova = configuration(lab.pod("pod2"))["nova.conf"]
    assert nova["cinder"]["os_region_name"] == "Pod2"
    assert nova["glance"]["region_name"] == "Pod2"


def test_every_database_belongs_to_one_pod(lab: Lab) -> None:
    def connections(name: str) -> set[object]:
        return {
            options["connection"]
            for sections in configuration(lab.pod(name)).values()
            for options in sections.values()
            if "connection" in options
        }

    assert len(connections("pod1")) == 6  # nova has two
    assert not connections("pod1") & connections("pod2")


def test_nothing_of_one_lab_appears_in_another(lab: Lab) -> None:
    other = Lab(state=lab.state.parent / "other", port=50000, tools=lab.tools)
    for sections in [*configuration(other.pod("pod1")).values(), keystone(other)]:
        text = render(sections)
        assert str(lab.state) not in text
        assert str(lab.port) not in text


def test_the_brackets_of_glances_import_methods_are_there(lab: Lab) -> None:
    text = render(configuration(lab.pod("pod1"))["glance-api.conf"])
    assert parse(text)["DEFAULT"]["enabled_import_methods"] == "[glance-direct,copy-image]"


def test_exactly_the_size_of_a_pod_fits(lab: Lab) -> None:
    nova = configuration(lab.pod("pod1"))["nova.conf"]["DEFAULT"]
    ratios = {value for option, value in nova.items() if option.endswith("_allocation_ratio")}
    assert ratios == {1}
    assert nova["reserved_host_memory_mb"] == 0


def test_every_directory_that_a_configuration_names_is_made(lab: Lab) -> None:
    pod = lab.pod("pod1")
    made = set(directories(pod))
    for sections in configuration(pod).values():
        for options in sections.values():
            for option in ("lock_path", "filesystem_store_datadir"):
                if option in options:
                    assert options[option] in made


def test_a_pod_is_four_processes_on_its_own_ports(lab: Lab) -> None:
    table = commands(lab.pod("pod1"))
    assert set(table) == {"nova", "cinder", "neutron", "glance"}
    words = {str(word) for argv in table.values() for word in argv}
    assert {"40174", "40176", "40178", "40192", "40196"} <= words


def test_the_services_find_their_files_through_the_environment(lab: Lab) -> None:
    pod = lab.pod("pod1")
    env = environment(pod)
    assert env["OS_NOVA_CONFIG_DIR"] == str(pod.etc)
    assert env["TRIO2O_LAB_SIZE"] == str(pod.size_file)

# SPDX-License-Identifier: Apache-2.0
"""The plugin of openstackclient, as far as no API is needed."""

import subprocess
import sys
import warnings
from collections import Counter
from importlib.metadata import EntryPoint, distribution, entry_points

import pytest

from trio2o.api.schemas import SCHEMAS

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # osc_lib, of what it imports itself
    from osc_lib.command import command

    from trio2o.osc import columns
    from trio2o.osc.routing import explained

GROUP = "openstack.multipod.v1"
OURS = sorted(distribution("trio2o").entry_points.select(group=GROUP), key=lambda one: one.name)


def test_the_package_works_without_the_rest_of_trio2o() -> None:
    modules = sorted({entry.module for entry in OURS} | {"trio2o.osc.plugin"})
    code = (
        f"import sys, {', '.join(modules)}\n"
        "print(*(n for n in sys.modules if n.startswith('trio2o.')"
        " and not n.startswith('trio2o.osc')))\n"
        "print(*(n for n in ('sqlalchemy', 'starlette', 'aiohttp', 'orjson') if n in sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == []


@pytest.mark.parametrize("entry", OURS, ids=lambda entry: entry.name)
def test_each_command_has_help_that_explains_each_argument(entry: EntryPoint) -> None:
    made = entry.load()(None, None)
    assert isinstance(made, command.Command)
    assert made.get_description()
    parser = made.get_parser("openstack")
    own = [*parser._positionals._group_actions, *parser._optionals._group_actions]
    assert all(action.help for action in own)


def test_no_other_plugin_here_has_a_command_of_the_same_name() -> None:
    groups = [group for group in entry_points().groups if group.startswith("openstack.")]
    names = {(group, one.name) for group in groups for one in entry_points(group=group)}
    times = Counter(name for group, name in names if group != "openstack.cli.extension")
    assert {entry.name: times[entry.name] for entry in OURS} == {entry.name: 1 for entry in OURS}


def test_columns_are_fields_that_the_api_answers() -> None:
    for shown, schema in (
        (columns.POD_LONG, "Pod"),
        (columns.BINDING, "Binding"),
        (columns.ROUTING, "Routing"),
        (columns.PLACEMENT, "Placement"),
    ):
        assert {name for name, _ in shown} <= set(SCHEMAS[schema]["properties"])


def test_an_explanation_has_a_row_for_each_pod() -> None:
    explanation = {
        "ranked": [
            {
                "pod": "Pod2",
                "zone": "az1",
                "score": 1.5,
                "weights": {"bound": 0.0, "room": 1.5},
                "room": {"known": True},
            },
            {"pod": "Pod3", "score": 0.0, "room": {"known": False, "why": "It was not asked."}},
        ],
        "dropped": [{"pod": "Pod1", "zone": "az2", "filter": "zone", "why": "It serves az2."}],
        "failures": ["Pod3: no room"],
        "chosen": "Pod2",
    }
    assert [tuple(row.values()) for row in explained(explanation)] == [
        ("Pod2", "az1", "chosen", 1.5, "room 1.5"),
        ("Pod3", "", "possible", 0.0, "It was not asked."),
        ("Pod1", "az2", "not by zone", None, "It serves az2."),
        ("", "", "refused", None, "Pod3: no room"),
    ]
    assert explained({}) == []

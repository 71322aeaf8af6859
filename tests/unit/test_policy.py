# SPDX-License-Identifier: Apache-2.0
"""The rules of the admin API."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml
from oslo_config import cfg
from oslo_policy import generator

from trio2o.api.policy import ANY_PROJECT, RULES, Policy
from trio2o.errors import Forbidden, Misconfigured
from trio2o.model import Caller

FOR_MEMBERS = {"routings:list", "routings:show"}
NAMES = [rule.name for rule in RULES if ":" in rule.name]


def caller(*roles: str, project_id: str = "p1", system_scope: str = "") -> Caller:
    return Caller(
        user_id="u1",
        project_id=project_id,
        project_name="",
        user_name="",
        domain_id="",
        roles=frozenset(roles),
        token="t",
        expires_at=datetime(2026, 1, 1, tzinfo=UTC),
        system_scope=system_scope,
    )


def policy(folder: Path, text: str | None = None) -> Policy:
    conf = cfg.ConfigOpts()
    conf([], project="trio2o", default_config_files=[], default_config_dirs=[])
    made = Policy(conf)
    if text is None:
        return made
    (folder / "policy.yaml").write_text(text)
    conf.set_override("policy_file", str(folder / "policy.yaml"), "oslo_policy")
    return Policy(conf)


@pytest.mark.parametrize("name", NAMES)
def test_who_may_by_default(tmp_path: Path, name: str) -> None:
    rules = policy(tmp_path)
    assert rules.allows(name, caller("reader", "member", "admin"), "p2")
    assert rules.allows(name, caller("admin", project_id="", system_scope="all"), ANY_PROJECT)
    assert rules.allows(name, caller("reader"), "p1") == (name in FOR_MEMBERS)
    assert not rules.allows(name, caller("reader"), "p2")
    assert not rules.allows(name, caller("reader"), ANY_PROJECT)
    assert not rules.allows(name, caller("reader", project_id=""), ANY_PROJECT)
    assert not rules.allows(name, caller("admin", project_id=""), ANY_PROJECT)
    assert not rules.allows(name, caller("other"), "p1")
    assert not rules.allows(name, caller(), "p1")
    with pytest.raises(Forbidden, match=name):
        rules.require(name, caller(), "p1")


@pytest.mark.parametrize("text", ["- a list", "{", '"a": ['])
def test_a_file_that_is_no_policy_is_told_with_its_option(tmp_path: Path, text: str) -> None:
    with pytest.raises(Misconfigured, match=r"\[oslo_policy\] policy_file"):
        policy(tmp_path, text)


def test_a_rule_of_the_file_counts(tmp_path: Path) -> None:
    rules = policy(tmp_path, '"pods:list": "role:auditor"')
    assert rules.allows("pods:list", caller("auditor"), ANY_PROJECT)
    assert not rules.allows("pods:list", caller("admin"), ANY_PROJECT)
    assert rules.allows("pods:show", caller("admin"), ANY_PROJECT)


def test_a_rule_that_cannot_be_read_allows_nobody(tmp_path: Path) -> None:
    rules = policy(tmp_path, '"pods:list": "role:((("')
    assert not rules.allows("pods:list", caller("admin"), ANY_PROJECT)


def test_the_sample_generator_writes_every_rule(tmp_path: Path) -> None:
    sample = tmp_path / "policy.yaml.sample"
    generator.generate_sample(
        ["--namespace", "trio2o", "--output-file", str(sample)], cfg.ConfigOpts()
    )
    text = sample.read_text()
    lines = [line.removeprefix("#") for line in text.splitlines() if line.startswith('#"')]
    written = yaml.safe_load("\n".join(lines))
    assert written == {rule.name: rule.check_str for rule in RULES}

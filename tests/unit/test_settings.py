# SPDX-License-Identifier: Apache-2.0
"""Settings: where a value comes from, and what is said of a wrong one."""

import subprocess
import sys
from dataclasses import FrozenInstanceError
from pathlib import Path

import pytest

from trio2o import settings
from trio2o.errors import Misconfigured
from trio2o.settings import NoConfigurationFile, load

ROOT = Path(__file__).parents[2]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "trio2o.conf"


def _load(file: Path, *argv: str) -> settings.Settings:
    return load(["--config-file", str(file), *argv])


def test_without_a_file_everything_has_its_default() -> None:
    known = load(default_files=[])
    assert known.api.port == 19999
    assert known.gateway.list_consistency == "partial"
    assert known.pods.connect_timeout_s == 3
    assert known.pods.deadline_s == 60
    assert known.pods.list_deadline_s == 10
    assert known.database.url == "sqlite:////var/lib/trio2o/trio2o.sqlite"
    assert known.api.trusted_proxies == ("127.0.0.1", "::1")
    assert known.placement.weights == {}


def test_the_command_line_wins_over_the_environment_over_the_file(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file.write_text("[pods]\ndeadline_s = 1.5\nlist_deadline_s = 2.5\nconnect_timeout_s = 3.5\n")
    monkeypatch.setenv("OS_PODS__DEADLINE_S", "11")
    monkeypatch.setenv("OS_PODS__LIST_DEADLINE_S", "12")
    pods = _load(file, "--pods-deadline-s", "21").pods
    assert (pods.deadline_s, pods.list_deadline_s, pods.connect_timeout_s) == (21, 12, 3.5)


def test_values_have_their_types(file: Path) -> None:
    file.write_text(
        "[api]\nworkers = 3\ntrusted_proxies = 10.0.0.0/8, 192.0.2.1\n"
        "[placement]\nweights = room:2, bound:0.5\n[log]\nformat = json\n"
    )
    known = _load(file)
    assert known.api.workers == 3
    assert known.api.trusted_proxies == ("10.0.0.0/8", "192.0.2.1")
    assert known.placement.weights == {"room": 2.0, "bound": 0.5}
    assert known.log.format == "json"


def test_settings_cannot_be_changed() -> None:
    known = load(default_files=[])
    with pytest.raises(FrozenInstanceError):
        known.api.port = 1  # type: ignore[misc]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[api]\nport = high", r"\[api\] port: Invalid .* value: high"),
        ("[api]\nport = 70000", r"\[api\] port: Invalid .* value: 70000"),
        ("[api]\nworkers = 0", r"\[api\] workers: Invalid"),
        ("[pods]\ninterface = admin", r"\[pods\] interface: .*public.*internal"),
        ("[api]\nprot = 1", r"\[api\] prot: there is no such option; if port is meant"),
        ("[pod]\ninterface = public", r"\[pod\]: there is no such section; if pods is meant"),
        ("[api]\nport", r"trio2o.conf:2"),
        ("[worker]\nintent_grace_s = 5", r"\[worker\] intent_grace_s: .* \[pods\] deadline_s"),
        ("[api]\nbase_url = cloud.example", r"\[api\] base_url: .* not an http or https URL"),
        ("[network]\nendpoint = ftp://x", r"\[network\] endpoint: .* not an http"),
        ("[pods]\ncafile = /no/such", r"\[pods\] cafile: there is no file /no/such"),
        ("[placement]\nweights = rom:1", r"\[placement\] weights: .* no weigher rom; there are"),
        ("[placement]\nweights = room:much", r"\[placement\] weights: .*much"),
    ],
)
def test_a_wrong_file_is_explained(file: Path, text: str, said: str) -> None:
    file.write_text(text + "\n")
    with pytest.raises(Misconfigured, match=said) as caught:
        _load(file)
    assert "\n" not in caught.value.message


def test_a_wrong_variable_is_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OS_API__PORT", "high")
    with pytest.raises(Misconfigured, match=r"\[api\] port: OS_API__PORT is not valid.*high"):
        load(default_files=[])


@pytest.mark.parametrize("word", ["--frobnicate", "extra", "--api-port=high", "--api-port"])
def test_a_wrong_command_line_is_explained(word: str) -> None:
    with pytest.raises(Misconfigured):
        load([word], default_files=[])


def test_a_missing_file_or_directory_is_explained(tmp_path: Path) -> None:
    with pytest.raises(NoConfigurationFile, match=r"there is no file .*none.conf"):
        load(["--config-file", str(tmp_path / "none.conf")])
    with pytest.raises(NoConfigurationFile, match=r"there is no directory .*none"):
        load(["--config-dir", str(tmp_path / "none")])


def test_files_of_a_directory_are_read_and_checked(tmp_path: Path) -> None:
    (tmp_path / "10.conf").write_text("[api]\nport = 10\n")
    (tmp_path / "20.conf").write_text("[api]\nport = 20\n")
    assert load(["--config-dir", str(tmp_path)]).api.port == 20
    (tmp_path / "30.conf").write_text("[api]\nprot = 30\n")
    with pytest.raises(Misconfigured, match="prot"):
        load(["--config-dir", str(tmp_path)])


def test_sections_of_other_libraries_are_theirs(file: Path) -> None:
    file.write_text(
        "[service_user]\nauth_section = login\n[login]\nauth_type = password\n"
        "[keystone_authtoken]\nmemcached_servers = a:1\n[oslo_policy]\npolicy_file = p.yaml\n"
    )
    known = _load(file)
    assert known.conf.service_user.auth_section == "login"
    assert known.conf.keystone_authtoken.memcached_servers == ["a:1"]
    assert known.conf.keystone_authtoken.auth_section == "service_user"


def test_a_section_of_one_library_can_point_to_another(file: Path) -> None:
    file.write_text("[keystone_authtoken]\nauth_section = keystone_authtoken\n")
    assert _load(file).conf.keystone_authtoken.auth_section == "keystone_authtoken"


def test_help_shows_every_option(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        load(["--help"])
    assert caught.value.code == 0
    shown = capsys.readouterr().out
    for group, opts in settings.list_opts():
        for opt in opts:
            assert f"--{group.name}-{opt.name} " in shown


def test_every_option_is_explained() -> None:
    for group, opts in settings.list_opts():
        assert group.help
        for opt in opts:
            assert (opt.help or "").endswith("."), opt.name
            if opt.dest.endswith("_s"):
                assert opt.help.startswith("Seconds"), opt.name


def test_an_option_of_two_sections_is_told_with_both(file: Path) -> None:
    file.write_text("[pods]\nconnect_timeout_s = soon\n")
    with pytest.raises(Misconfigured, match=r"\[pods\] connect_timeout_s or \[database\] conn"):
        _load(file)


def test_the_page_of_the_options_is_fresh() -> None:
    done = subprocess.run(
        [sys.executable, "doc/generate_configuration.py", "--check"],
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr

# SPDX-License-Identifier: Apache-2.0
"""What is wrong is said in one line, and by the exit code."""

import socket
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.databases import Databases, free_port
from tests.inprocess.command import PASSWORD, KeystoneThread, Place
from trio2o.cmd.exits import Exit
from trio2o.cmd.main import COMMANDS, main


@pytest.fixture(scope="module")
def keystone() -> Iterator[str]:
    with KeystoneThread() as one:
        yield one.url


@pytest.fixture
def place(tmp_path: Path, keystone: str, databases: Databases) -> Place:
    """Where everything is right; the tables are there."""
    with databases.open("sqlite") as database:
        url = database.engine.url.render_as_string()
    return Place(tmp_path, keystone, url)


def _fails(place: Place, words: str, code: Exit, *said: str, **environment: str) -> None:
    done = place.run(words, **environment)
    assert done.returncode == code, done.stderr
    line = done.stderr.splitlines()[-1]
    assert line.startswith("trio2o: ")
    for part in said:
        assert part in line
    assert "Traceback" not in done.stderr
    assert PASSWORD not in done.stderr


@pytest.mark.parametrize("words", ["api", "worker"])
def test_tables_that_are_missing(place: Place, words: str, databases: Databases) -> None:
    place.values["database", "url"] = databases.url("sqlite")
    _fails(place, words, Exit.SCHEMA_NOT_AT_HEAD, "run: trio2o db upgrade")


def test_a_database_that_does_not_answer(place: Place) -> None:
    port = free_port()
    url = f"mysql+pymysql://trio2o:{PASSWORD}@127.0.0.1:{port}/trio2o"
    place.values["database", "url"] = url
    for words in ("api", "db upgrade"):
        _fails(place, words, Exit.DATABASE_UNAVAILABLE, f"trio2o at 127.0.0.1:{port}")


def test_a_database_that_refuses_the_login(place: Place, databases: Databases) -> None:
    url = databases.url("mariadb").replace("root@", f"nobody:{PASSWORD}@")
    place.values["database", "url"] = url
    _fails(place, "api", Exit.DATABASE_UNAVAILABLE, "[database] url", "Access denied")


def test_a_directory_that_is_not_there(place: Place) -> None:
    place.values["database", "url"] = "sqlite:////no/such/directory/trio2o.sqlite"
    _fails(place, "api", Exit.DATABASE_UNAVAILABLE, "/no/such/directory", "writable")


def test_a_keystone_that_does_not_answer(place: Place) -> None:
    place.values["service_user", "auth_url"] = f"http://127.0.0.1:{free_port()}/v3"
    for words in ("api", "worker"):
        _fails(place, words, Exit.IDENTITY_UNAVAILABLE)


def test_a_keystone_that_refuses_the_service_user(place: Place) -> None:
    place.values["service_user", "password"] = "wrong"
    _fails(place, "api", Exit.BAD_CREDENTIALS, "[service_user]")


def test_no_service_user_at_all(place: Place) -> None:
    for key in [key for key in place.values if key[0] == "service_user"]:
        del place.values[key]
    _fails(place, "api", Exit.BAD_CREDENTIALS, "[service_user]")


def test_a_port_that_is_taken(place: Place) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        place.values["api", "port"] = str(port)
        _fails(place, "api", Exit.PORT_TAKEN, "[api] bind_host, port", f"port {port}", "in use")


def test_an_address_of_another_machine(place: Place) -> None:
    place.values["api", "bind_host"] = "192.0.2.1"
    _fails(place, "api", Exit.PORT_TAKEN, "192.0.2.1")


def test_an_unknown_option(place: Place) -> None:
    place.values["api", "prot"] = "1"
    for words in ("api", "worker", "status upgrade check"):
        _fails(place, words, Exit.MISCONFIGURED, "[api] prot", "port")


def test_a_value_that_cannot_be(place: Place) -> None:
    place.values["pods", "deadline_s"] = "long"
    _fails(place, "api", Exit.MISCONFIGURED, "[pods] deadline_s", "long")
    _fails(place, "api --api-port=high", Exit.MISCONFIGURED, "[api] port", "high")


def test_an_environment_variable_that_cannot_be(place: Place) -> None:
    _fails(place, "api", Exit.MISCONFIGURED, "OS_API__WORKERS", OS_API__WORKERS="many")


def test_a_database_that_is_not_supported(place: Place) -> None:
    place.values["database", "url"] = f"oracle://u:{PASSWORD}@h/d"
    _fails(place, "api", Exit.MISCONFIGURED, "[database] url", "oracle")


def test_a_file_that_is_missing(place: Place) -> None:
    _fails(place, "api --config-file /no/such.conf", Exit.NO_CONFIGURATION_FILE, "/no/such.conf")


def test_a_file_that_may_not_be_read(place: Place) -> None:
    place.write()
    place.file.chmod(0)
    if place.file.stat().st_mode & stat.S_IRUSR or _may_read(place.file):
        pytest.skip("the user of this test may read every file")
    _fails(place, f"api --config-file {place.file}", Exit.NO_CONFIGURATION_FILE)


def _may_read(file: Path) -> bool:
    try:
        file.read_text()
    except PermissionError:
        return False
    return True


@pytest.mark.parametrize("words", ["frobnicate", "db", "db downgrade", "--frobnicate"])
def test_an_unknown_command(words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words.split()) == Exit.MISCONFIGURED
    assert f"there is no command {words}" in capsys.readouterr().err


def test_help_names_every_command_and_code(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == main(["--help"]) == Exit.OK
    shown = capsys.readouterr().out
    for name in COMMANDS:
        assert f"  {name} " in shown
    for code in Exit:
        assert f"  {code.value}  {code.meaning}" in shown


def test_the_codes_are_different_and_explained() -> None:
    assert len({code.value for code in Exit}) == len(Exit.__members__) == 9
    assert all(code.meaning for code in Exit)


def test_the_tables_are_made_and_shown(place: Place, databases: Databases) -> None:
    place.values["database", "url"] = databases.url("sqlite")
    before = place.run("db version")
    assert before.returncode == Exit.SCHEMA_NOT_AT_HEAD
    assert "none, needed: 0001" in before.stdout
    made = place.run("db upgrade")
    assert made.returncode == Exit.OK, made.stderr
    assert "none -> 0001" in made.stdout
    after = place.run("db version")
    assert after.returncode == Exit.OK
    assert "0001, needed: 0001" in after.stdout

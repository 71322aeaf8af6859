# SPDX-License-Identifier: Apache-2.0
"""The command ``trio2o``: which word does what, and the exit code of what goes wrong."""

import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version

from trio2o import log, settings
from trio2o.db import migrate
from trio2o.db.session import Database
from trio2o.errors import DatabaseUnavailable, Misconfigured
from trio2o.settings import NoConfigurationFile

from .checks import CannotStart, check_database, check_identity
from .exits import Exit

Command = Callable[[Sequence[str], str], int]


def main(argv: Sequence[str] | None = None) -> int:
    """Do what ``argv`` says; return the exit code, see exits.Exit."""
    words = list(sys.argv[1:] if argv is None else argv)
    for count in (2, 1):
        name = " ".join(words[:count])
        if name in COMMANDS:
            return _run(name, words[count:])
    asked = words[0] if words else "--help"
    if asked in ("-h", "--help", "help"):
        sys.stdout.write(_usage())
        return Exit.OK
    if asked == "--version":
        sys.stdout.write(f"trio2o {_version()}\n")
        return Exit.OK
    return _say(
        Exit.MISCONFIGURED,
        f"there is no command {' '.join(words[:2])}; trio2o --help shows all",
    )


def _run(name: str, argv: Sequence[str]) -> int:
    try:
        return COMMANDS[name][0](argv, f"trio2o {name}")
    except CannotStart as exc:
        return _say(exc.code, str(exc))
    except NoConfigurationFile as exc:
        return _say(Exit.NO_CONFIGURATION_FILE, exc.message)
    except Misconfigured as exc:
        return _say(Exit.MISCONFIGURED, exc.message)
    except DatabaseUnavailable as exc:
        return _say(Exit.DATABASE_UNAVAILABLE, exc.message)


def _say(code: Exit, message: str) -> Exit:
    line = log.hide_secrets(" ".join(message.split()))
    sys.stderr.write(f"trio2o: {line}\n")
    return code


def _api(argv: Sequence[str], prog: str) -> int:
    from . import api  # noqa: PLC0415  the other commands start faster without it

    return api.run(argv, prog)


def _worker(argv: Sequence[str], prog: str) -> int:
    from trio2o.worker import loop  # noqa: PLC0415  as above

    known = settings.load(argv, prog=prog)
    log.configure(known.log)
    check_database(known)
    check_identity(known)
    loop.run(known)
    return Exit.OK


def _db_upgrade(argv: Sequence[str], prog: str) -> int:
    database = Database.configured(settings.load(argv, prog=prog).database)
    try:
        before = migrate.current(database)
        migrate.upgrade(database)
    finally:
        database.close()
    sys.stdout.write(f"{database.name}: {before or 'none'} -> {migrate.head()}\n")
    return Exit.OK


def _db_version(argv: Sequence[str], prog: str) -> int:
    known = settings.load(argv, prog=prog)
    database = Database.configured(known.database)
    try:
        current = migrate.current(database)
    finally:
        database.close()
    sys.stdout.write(f"{database.name}: {current or 'none'}, needed: {migrate.head()}\n")
    check_database(known)
    return Exit.OK


def _status(argv: Sequence[str], prog: str) -> int:
    from . import status  # noqa: PLC0415  as above

    return status.run(argv, prog)


def _catalog(argv: Sequence[str], prog: str) -> int:
    """The command's own words and options come to it; those on the configuration do not."""
    ours, theirs = settings.split_argv(argv)
    known = settings.load(ours, prog=prog)
    log.configure(known.log)
    code: int = import_module("trio2o.cmd.catalog").run(known, theirs)
    return code


COMMANDS: dict[str, tuple[Command, str]] = {
    "api": (_api, "serve the gateways and the admin API"),
    "worker": (_worker, "finish what was begun; run one or more"),
    "db upgrade": (_db_upgrade, "make or change the tables as this release needs them"),
    "db version": (_db_version, "show which tables there are; exit code 5 if not the right ones"),
    "status": (_status, "upgrade check: whether this release can be started here"),
    "catalog": (_catalog, "the gateway's entries in Keystone's catalogue"),
}


def _usage() -> str:
    lines = [f"  {name:<12} {help_}" for name, (_, help_) in COMMANDS.items()]
    codes = [f"  {code.value}  {code.meaning}" for code in Exit]
    return "\n".join(
        [
            "usage: trio2o COMMAND [options]",
            "",
            *lines,
            "",
            "trio2o COMMAND --help shows the options; they can stand in the configuration file",
            f"({settings.DEFAULT_FILE}, or --config-file) and in the environment (OS_API__PORT).",
            "",
            "exit codes:",
            *codes,
            "",
        ]
    )


def _version() -> str:
    try:
        return version("trio2o")
    except PackageNotFoundError:
        return "(not installed)"


if __name__ == "__main__":
    sys.exit(main())

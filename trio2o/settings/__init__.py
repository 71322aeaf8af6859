# SPDX-License-Identifier: Apache-2.0
"""What an operator can set: one typed value per option, read once at start.

Values come from, the first that has one: the command line, the environment
(``OS_API__PORT`` for ``port`` of ``[api]``), the configuration file, the default here.
How to log in to Keystone is not here but in ``[service_user]``, whose options are those of
keystoneauth, and ``[keystone_authtoken]``, keystonemiddleware's.
"""

import contextlib
import difflib
import io
import os
import re
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import keystonemiddleware.auth_token
from keystoneauth1 import loading
from oslo_config import cfg

from trio2o.errors import Misconfigured
from trio2o.place import WEIGHTS

from .sections import SECTIONS, Database, Log, Settings, list_opts

__all__ = [
    "DEFAULT_FILE",
    "Database",
    "Log",
    "NoConfigurationFile",
    "Settings",
    "list_opts",
    "load",
    "split_argv",
]

DEFAULT_FILE = "/etc/trio2o/trio2o.conf"

_FOREIGN = frozenset({"service_user", "keystone_authtoken", "oslo_policy", "DEFAULT"})
"""Sections whose options are other libraries' business."""


class NoConfigurationFile(Misconfigured):
    """A file that the command line names is not there or may not be read."""


def load(
    argv: Sequence[str] = (), default_files: Sequence[str] | None = None, *, prog: str = "trio2o"
) -> Settings:
    """Read all options.

    argv: the command line, without the command itself.
    default_files: configuration files unless ``--config-file`` names some; None is
        /etc/trio2o/trio2o.conf if there is one.

    Raises Misconfigured with the option's name and what to do about it, and SystemExit after
    --help and --version.
    """
    conf = cfg.ConfigOpts()
    for group, opts in list_opts():
        conf.register_group(group)
        conf.register_cli_opts(opts, group=group)
    if default_files is None:
        default_files = [DEFAULT_FILE] if Path(DEFAULT_FILE).exists() else []
    complaint = io.StringIO()
    try:
        with contextlib.redirect_stderr(complaint):
            conf(list(argv), project="trio2o", prog=prog, default_config_files=list(default_files))
    except SystemExit as exc:
        if not exc.code:
            raise
        raise Misconfigured(_in_words(complaint.getvalue())) from exc
    except cfg.ConfigFilesNotFoundError as exc:
        files = ", ".join(exc.config_files)
        raise NoConfigurationFile(
            f"--config-file: there is no file {files}; correct the path, or leave the option "
            f"out to use {DEFAULT_FILE}"
        ) from exc
    except cfg.ConfigFilesPermissionDeniedError as exc:
        files = ", ".join(exc.config_files)
        raise NoConfigurationFile(
            f"--config-file: {files} may not be read by user {os.geteuid()}; change its owner "
            "or mode"
        ) from exc
    except cfg.ConfigDirNotFoundError as exc:
        raise NoConfigurationFile(
            f"--config-dir: there is no directory {exc.config_dir}; correct the path"
        ) from exc
    except (cfg.Error, ValueError) as exc:
        raise Misconfigured(f"{exc}; correct the configuration file or command line") from exc
    _check_names(conf)
    _prefer_command_line(conf, argv)
    _register_identity(conf)
    settings = Settings(
        conf=conf, **{name: _read(conf, name, section) for name, section in SECTIONS.items()}
    )
    _check_together(settings)
    return settings


def split_argv(argv: Sequence[str]) -> tuple[list[str], list[str]]:
    """The words of ``argv`` that name configuration files, and the others."""
    files: list[str] = []
    others: list[str] = []
    words = iter(argv)
    for word in words:
        if word in ("--config-file", "--config-dir"):
            files += [word, *(next_ for next_ in [next(words, None)] if next_ is not None)]
        elif word.startswith(("--config-file=", "--config-dir=")):
            files.append(word)
        else:
            others.append(word)
    return files, others


def _prefer_command_line(conf: cfg.ConfigOpts, argv: Sequence[str]) -> None:
    """Let the command line win over the environment also where a file has the option.

    Source: oslo_config/cfg.py@10.7.0, _Namespace._get_value: an option that is in both is said
    to come from the file, which the environment wins over.
    """
    alone = cfg.ConfigOpts()
    for group, opts in list_opts():
        alone.register_cli_opts(opts, group=group)
    alone(split_argv(argv)[1], project="trio2o", default_config_files=[], use_env=False)
    for group, opts in list_opts():
        for opt in opts:
            where = alone.get_location(opt.dest, group.name)
            if where is not None and where.location is cfg.Locations.command_line:
                conf.set_override(opt.dest, alone[group.name][opt.dest], group=group.name)


def _in_words(complaint: str) -> str:
    """What oslo.config and argparse print before they exit, with the option's section."""
    last = complaint.strip().rpartition("\n")[2]
    bad = re.fullmatch(r"argument --(\w+): (Invalid .*)", last)
    if bad:
        sections = [n for n, s in SECTIONS.items() if bad[1] in {one.name for one in fields(s)}]
        return f"{' or '.join(f'[{n}] {bad[1]}' for n in sections)}: {bad[2]}; correct it"
    return f"{last.partition('error: ')[2] or last}; --help shows all options"


def _register_identity(conf: cfg.ConfigOpts) -> None:
    """Let [keystone_authtoken] log in as [service_user] unless it says otherwise."""
    loading.register_auth_conf_options(conf, "service_user")
    loading.register_session_conf_options(conf, "service_user")
    for group, opts in keystonemiddleware.auth_token.list_opts():
        conf.register_opts(opts, group=group)
    conf.set_default("auth_section", "service_user", group="keystone_authtoken")


def _read(conf: cfg.ConfigOpts, name: str, section: type[Any]) -> Any:
    values: dict[str, Any] = {}
    for one in fields(section):
        try:
            value = conf[name][one.name]
        except (cfg.Error, ValueError) as exc:
            where = f"[{name}] {one.name}"
            said = re.sub(r"^.*detail='([^']+)'\) is not valid", r"\1 is not valid", str(exc))
            raise Misconfigured(f"{where}: {said}; correct it") from exc
        if isinstance(one.default, tuple):
            value = tuple(value)
        values[one.name] = value
    return section(**values)


def _check_names(conf: cfg.ConfigOpts) -> None:
    """Raise Misconfigured for a section or option of a file that nobody reads."""
    known = {name: {one.name for one in fields(section)} for name, section in SECTIONS.items()}
    own = set(known) | _FOREIGN
    sections: dict[str, dict[str, Any]] = {}
    for file in [*conf.config_file, *_files_of(conf.config_dirs)]:
        cfg.ConfigParser(file, sections).parse()
    # Sections that others are pointed to: keystoneauth's auth_section, oslo.config's sources.
    for values in list(sections.values()):
        own.update(x.strip() for x in values.get("auth_section", []))
        own.update(x.strip() for v in values.get("config_source", []) for x in v.split(","))
    for name, values in sections.items():
        if name not in own:
            raise Misconfigured(
                f"[{name}]: there is no such section; {_did_you_mean(name, own)}remove it"
            )
        for option in values:
            if name in known and option.replace("-", "_") not in known[name]:
                raise Misconfigured(
                    f"[{name}] {option}: there is no such option; "
                    f"{_did_you_mean(option, known[name])}remove it"
                )


def _files_of(folders: Sequence[str]) -> list[str]:
    return [str(path) for folder in folders for path in sorted(Path(folder).glob("*.conf"))]


def _did_you_mean(word: str, known: set[str]) -> str:
    close = difflib.get_close_matches(word, sorted(known), n=1)
    return f"if {close[0]} is meant, write so, else " if close else ""


def _check_together(settings: Settings) -> None:
    for name in settings.placement.weights:
        if name not in WEIGHTS:
            raise Misconfigured(
                f"[placement] weights: there is no weigher {name}; there are "
                f"{', '.join(sorted(WEIGHTS))}"
            )
    if settings.worker.intent_grace_s <= settings.pods.deadline_s:
        raise Misconfigured(
            f"[worker] intent_grace_s: {settings.worker.intent_grace_s:g} is not longer than "
            f"[pods] deadline_s, {settings.pods.deadline_s:g}; make it at least twice that"
        )
    for section, option, url in (
        ("api", "base_url", settings.api.base_url),
        ("network", "endpoint", settings.network.endpoint),
    ):
        if url and not url.startswith(("http://", "https://")):
            raise Misconfigured(f"[{section}] {option}: {url!r} is not an http or https URL")
    if settings.pods.cafile and not Path(settings.pods.cafile).is_file():
        raise Misconfigured(f"[pods] cafile: there is no file {settings.pods.cafile}")

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Write doc/reference/cli.md from the parsers of the commands.

``--check`` writes nothing and fails if the page is not what would be written.
"""

import argparse
import sys
from collections.abc import Iterator
from importlib.metadata import distribution
from pathlib import Path

from trio2o.cmd.catalog import parser as catalog_parser

PAGE = Path(__file__).parent / "reference" / "cli.md"
GROUP = "openstack.multipod.v1"

HEAD = """\
<!-- Written by doc/generate_cli.py from trio2o/osc and trio2o/cmd. -->
# Commands

## trio2o

`trio2o --help` lists its commands; `api` and `worker` take every option of
[configuration.md](configuration.md), which also has the exit codes.
"""

OPENSTACK = """\
## openstack pod, routing, placement

A plugin of python-openstackclient, for operators. Where the gateway is not installed:
`pip install 'trio2o[client]'`.

The commands speak the [admin API](admin-api.md), which they find in the catalogue as service type
`multipod` of the gateway's region (`--os-region-name`, `OS_REGION_NAME`). What the API refuses is
shown in its words. All take the client's own options too: `-f json`, `-c COLUMN`,
`--sort-column`... Lists are whole unless `--limit` says otherwise.

```
openstack pod create Pod1 --availability-zone az1 --pod-availability-zone nova
openstack pod set Pod1 --state maintenance
openstack pod binding create demo Pod1 --preferred
openstack routing show 7f8f9af6-5d4c-4cf2-a1a7-6f2f27bd5e0e
openstack placement explain 7f8f9af6-5d4c-4cf2-a1a7-6f2f27bd5e0e
```
"""


def _own(parser: argparse.ArgumentParser) -> list[argparse.Action]:
    actions = [*parser._positionals._group_actions, *parser._optionals._group_actions]  # noqa: SLF001
    return [action for action in actions if action.dest != "help"]


def _written(action: argparse.Action) -> str:
    name = ", ".join(action.option_strings)
    if action.nargs == 0:
        return name
    value = action.metavar or (f"{{{','.join(action.choices)}}}" if action.choices else "")
    word = f"{name} {value}".strip()
    return f"{word}..." if action.nargs == "+" else word


def _command(name: str, description: str, parser: argparse.ArgumentParser) -> Iterator[str]:
    actions = _own(parser)
    words = [name]
    for action in actions:
        written = _written(action)
        words.append(written if action.required else f"[{written}]")
    yield f"### {name}\n\n{' '.join(description.split()).rstrip('.')}.\n"
    yield f"```\n{_wrapped(words)}\n```\n"
    if actions:
        rows = "\n".join(f"| `{_written(one)}` | {one.help} |" for one in actions)
        yield f"| | |\n|---|---|\n{rows}\n"


def _wrapped(words: list[str], width: int = 96) -> str:
    lines = [words[0]]
    for word in words[1:]:
        if len(lines[-1]) + 1 + len(word) > width:
            lines.append("   ")
        lines[-1] += f" {word}"
    return "\n".join(lines)


def page() -> str:
    catalog = catalog_parser()
    parts = [HEAD, *_command("trio2o catalog", catalog.description or "", catalog), OPENSTACK]
    for entry in sorted(distribution("trio2o").entry_points.select(group=GROUP)):
        name = f"openstack {entry.name.replace('_', ' ')}"
        command = entry.load()(None, None)
        parts += _command(name, command.get_description(), command.get_parser(name))
    return "\n".join(parts)


def main() -> int:
    if "--check" not in sys.argv[1:]:
        PAGE.write_text(page())
        return 0
    if PAGE.exists() and PAGE.read_text() == page():
        return 0
    sys.stderr.write(f"{PAGE} is stale; run: python doc/{Path(__file__).name}\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())

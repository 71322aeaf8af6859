#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Write doc/reference/configuration.md from the options themselves.

``--check`` writes nothing and fails if the page is not what would be written.
"""

import sys
from pathlib import Path
from typing import Any

from oslo_config import cfg

from trio2o.cmd.exits import Exit
from trio2o.settings import DEFAULT_FILE, list_opts

PAGE = Path(__file__).parent / "reference" / "configuration.md"

HEAD = f"""\
# Configuration

<!-- Written by doc/generate_configuration.py; help texts are in trio2o/settings/sections.py. -->

An option is read from the first of these that has it:

1. the command line: `trio2o api --api-port 8080`;
2. the environment: `OS_API__PORT=8080`, that is `OS_`, the section, two underscores, the option,
   all in capitals;
3. the configuration file: `{DEFAULT_FILE}`, or each `--config-file` in turn, then the files
   `*.conf` of a `--config-dir`;
4. the default.

`trio2o api --help` shows the same options. A sample file with all of them:
`oslo-config-generator --namespace trio2o`. An unknown option or section in the file, and a value
that is not possible, is an error when a process starts, and not ignored. Options are read once:
restart the processes after a change.

## A file to begin with

```ini
[database]
url = mysql+pymysql://trio2o:PASSWORD@db.example/trio2o

[service_user]
auth_type = password
auth_url = https://keystone.example/v3
username = trio2o
password = PASSWORD
project_name = service
user_domain_name = Default
project_domain_name = Default
```

The service user needs the role `admin` in its project.
"""

IDENTITY = """\
## [service_user]

How the gateway itself logs in to Keystone: the options of a keystoneauth plugin (`auth_type`) as
in the file above, and `cafile`, `certfile`, `keyfile`, `insecure`, `timeout` of the connection.

## [keystone_authtoken]

How users' tokens are checked: the options of keystonemiddleware. All are optional; it logs in
with `[service_user]` (`auth_section`) unless it says otherwise. Worth setting:
`www_authenticate_uri`, the public URL of Keystone that clients without a token are sent to;
`memcached_servers`, to share what is known of tokens between machines; `service_token_roles` and
`service_token_roles_required`, who may let a user's expired token live on.

## [oslo_policy]

Who may do what in the admin API: the options of oslo.policy, of which `policy_file` names the
file with changed rules.
"""


def _default(value: Any) -> str:
    if value in ("", [], {}, None):
        return "empty"
    return f"`{','.join(value) if isinstance(value, list) else value}`"


def _type(opt: cfg.Opt) -> str:
    kind = opt.type
    choices = getattr(kind, "choices", None)
    if choices:
        return " or ".join(f"`{choice}`" for choice in choices)
    words = {
        "Integer": "whole number",
        "Float": "number",
        "Port": "port number",
        "List": "texts, separated by commas",
        "Dict": "name:number pairs, separated by commas",
        "HostAddress": "host name or address",
    }.get(type(kind).__name__, "text")
    least, most = getattr(kind, "min", None), getattr(kind, "max", None)
    if least is not None and words != "port number":
        words += f", at least {least:g}"
    if most is not None and words != "port number":
        words += f", at most {most:g}"
    return words


def page() -> str:
    parts = [HEAD]
    for group, opts in list_opts():
        parts.append(f"## [{group.name}]\n\n{group.help}\n")
        for opt in opts:
            variable = f"OS_{group.name}__{opt.dest}".upper()
            parts.append(
                f"### {opt.dest}\n\n{opt.help}\n\n"
                f"* value: {_type(opt)}\n* default: {_default(opt.default)}\n"
                f"* also: `--{group.name}-{opt.name}`, `{variable}`\n"
            )
    parts.append(IDENTITY)
    rows = "\n".join(f"| {code.value} | {code.meaning} |" for code in Exit)
    parts.append(f"## Exit codes of trio2o\n\n| code | meaning |\n|---|---|\n{rows}\n")
    return "\n".join(parts)


def main() -> int:
    if "--check" not in sys.argv:
        PAGE.parent.mkdir(exist_ok=True)
        PAGE.write_text(page())
        return 0
    if PAGE.exists() and PAGE.read_text() == page():
        return 0
    sys.stderr.write(f"{PAGE} is stale; run: python doc/{Path(__file__).name}\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Write doc/reference/admin-api.md from the OpenAPI document, and policy.md from the rules.

``--check`` writes nothing and fails if a page is not what would be written.
"""

import json
import sys
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Any

from oslo_policy.policy import DocumentedRuleDefault

from trio2o.api import openapi
from trio2o.api.policy import RULES
from trio2o.api.schemas import SCHEMAS

KINDS = SCHEMAS["Kind"]["enum"]
REFERENCE = Path(__file__).parent / "reference"

API_HEAD = """\
<!-- Written by doc/generate_admin_api.py from trio2o/api/admin_table.py and schemas.py. -->
# The admin API

For operators: which pods there are, which projects are bound to which pods, what is in which pod,
and why. It stands at the root of the gateway, beside the services; in the catalogue it is service
type `multipod`. `GET /v1.0/openapi.json` answers the OpenAPI 3.1 document of which this page is
made. The commands `openstack pod`, `routing` and `placement` ([cli.md](cli.md)) speak it.

* A token of Keystone comes in `X-Auth-Token`. Who may do what: [policy.md](policy.md). A token of
  an application credential with access rules is refused.
* Every answer has `X-Openstack-Request-Id`, the id of the request in the logs.
* Blanks around texts do not count. A key or parameter that an operation does not know is refused.
* Lists come in pages: `limit` says how long at most, `marker` after what; while there is more, the
  answer has a link to the next page (`pods_links`, `rel` `next`).
* The names `pod_id`, `pod_name`, `region_name`, `tenant_id`, `resource_type`, `top_id` and
  `bottom_id` are those of Tricircle and of earlier releases. They are taken, and shown, beside
  the others.
* Errors are one JSON object, but for 401, which is Keystone's:
  `{"error": {"code": 409, "type": "conflict", "message": "...", "request_id": "req-..."}}`.
  `type` is stable and for programs, `message` is for people.

| status | `type` | when |
|---|---|---|
| 400 | `bad-request` | what was sent is not what the operation takes, or names what is not there |
| 401 | | no token, or none that is valid |
| 403 | `forbidden` | the policy does not allow it |
| 404 | `not-found` | what the path names is not there, or is not for the caller to see |
| 405 | `method-not-allowed` | the path does not take the method; `Allow` says which it takes |
| 409 | `conflict`, `stale` | it is there already, or in use; somebody else changed it first |
| 413 | `too-large` | the body is larger than 64 KiB |
| 415 | `unsupported-media-type` | the body is not `application/json` |
| 503 | `identity-unavailable`, `database-unavailable` | Keystone or the database cannot be asked |
| 503 | `misconfigured` | the policy file cannot be read |
"""

POLICY_HEAD = """\
<!-- Written by doc/generate_admin_api.py from trio2o/api/policy.py. -->
# Policy of the admin API

Who may do what in the [admin API](admin-api.md). What users may do with servers, volumes and
images is decided by the pods, each with its own policy.

The file that `[oslo_policy] policy_file` names (`policy.yaml` beside the configuration) changes
rules; it is read again when it changes. A sample with all rules and their defaults:

```
oslopolicy-sample-generator --namespace trio2o
```

Rules are oslo.policy's. In them, `project_id` is that of the binding, routing or placement; for
pods it is the caller's. Where a rule lets a project see its own rows, a list shows those, and
what belongs to others is 404. To show bindings to their projects, for example:

```yaml
"bindings:list": "rule:admin_or_project_reader"
"bindings:show": "rule:admin_or_project_reader"
```

Tokens of a project and of the system are taken, those of a domain are not.
"""


def _type(schema: dict[str, Any]) -> str:
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if "const" in schema:
        return f"`{json.dumps(schema['const'])}`"
    if schema.get("enum") == KINDS:
        return "[Kind](#kind)"
    if "enum" in schema:
        return ", ".join(f"`{value}`" for value in schema["enum"])
    kind = schema["type"]
    if kind == "array":
        return f"list of {_type(schema['items'])}"
    words = " or ".join(kind) if isinstance(kind, list) else kind
    if schema.get("format") == "date-time":
        words = words.replace("string", "time")
    return str(words)


def _limits(schema: dict[str, Any]) -> str:
    said = [schema["description"]] if "description" in schema else []
    if "default" in schema:
        said.append(f"Default: `{json.dumps(schema['default'])}`.")
    if "maxLength" in schema:
        said.append(f"{schema.get('minLength', 0)} to {schema['maxLength']} characters.")
    if "maxItems" in schema:
        said.append(f"At most {schema['maxItems']}.")
    return " ".join(said)


def _operation(method: str, path: str, operation: dict[str, Any]) -> Iterator[str]:
    yield f"### {method.upper()} {path}\n\n{operation['summary']}\n"
    query = [one for one in operation["parameters"] if one["in"] == "query"]
    if query:
        rows = (
            f"| `{one['name']}` | {_type(one['schema'])} | {_described(one)} |" for one in query
        )
        yield "| parameter | | |\n|---|---|---|\n" + "\n".join(rows) + "\n"
    if "requestBody" in operation:
        schema = operation["requestBody"]["content"]["application/json"]["schema"]
        yield f"Body: {_type(schema)}.\n"
    answers = []
    for status, response in operation["responses"].items():
        phrase = f"{status} {HTTPStatus(int(status)).phrase}"
        content = response.get("content")
        if int(status) < 300:
            schema = content["application/json"]["schema"] if content else None
            answers.append(
                f"**{phrase}**" + (f" {_type(schema)}" if schema else " without a body")
            )
        else:
            answers.append(status)
    yield f"Answers: {answers[0]}; {', '.join(answers[1:])}.\n"
    if not operation["security"]:
        yield "Needs no token.\n"


def _described(parameter: dict[str, Any]) -> str:
    default = parameter["schema"].get("default")
    tail = "" if default is None else f" Default: `{json.dumps(default)}`."
    return f"{parameter['description']}{tail}"


def _schema(name: str, schema: dict[str, Any]) -> Iterator[str]:
    yield f"### {name}\n"
    if "enum" in schema:
        yield f"{schema['description']} {', '.join(f'`{one}`' for one in schema['enum'])}\n"
        return
    key, inner = "", schema
    properties = schema.get("properties", {})
    if len(properties) == 1:
        ((key, inner),) = properties.items()
        properties = inner.get("properties", {})
    if not properties:
        yield f"`{key}`: {_type(inner)}\n" if key else "A JSON object.\n"
        return
    if key:
        yield f"Below the one key `{key}`:\n"
    required = inner.get("required", ())
    choices = [option for option in (inner, *inner.get("allOf", ())) if "anyOf" in option]
    rows = [
        f"| `{field}` | {_type(one)} | {_limits(one)}"
        f"{' Required.' if field in required and name.endswith(('Create', 'Update')) else ''} |"
        for field, one in properties.items()
    ]
    yield "| field | | |\n|---|---|---|\n" + "\n".join(rows) + "\n"
    for option in choices:
        names = " or ".join(f"`{one['required'][0]}`" for one in option["anyOf"])
        yield f"One of {names} is required.\n"


def admin_api() -> str:
    document = openapi.document()
    parts = [API_HEAD, "## Operations\n"]
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            parts += _operation(method, path, operation)
    parts.append("## Bodies\n")
    for name, schema in document["components"]["schemas"].items():
        if name not in ("Error", "Unauthenticated", "OpenApi"):
            parts += _schema(name, schema)
    return "\n".join(parts)


def policy() -> str:
    parts = [POLICY_HEAD, "## Rules\n"]
    for rule in RULES:
        parts.append(f"### {rule.name}\n\n{rule.description}\n")
        parts.append(f"* default: `{rule.check_str}`")
        if isinstance(rule, DocumentedRuleDefault):
            parts += [f"* `{one['method']} {one['path']}`" for one in rule.operations]
        parts.append("")
    return "\n".join(parts)


def main() -> int:
    stale = 0
    for name, text in (("admin-api.md", admin_api()), ("policy.md", policy())):
        page = REFERENCE / name
        if "--check" not in sys.argv[1:]:
            page.write_text(text)
        elif not page.exists() or page.read_text() != text:
            sys.stderr.write(f"{page} is not current: run doc/generate_admin_api.py\n")
            stale = 1
    return stale


if __name__ == "__main__":
    sys.exit(main())

# SPDX-License-Identifier: Apache-2.0
"""Writes doc/reference/operations.md from the tables; with --check, says whether it is stale."""

import ast
import inspect
import sys
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from trio2o import ops
from trio2o.errors import NotOffered, Trio2oError
from trio2o.model import Kind
from trio2o.ops import Op, RoutingClass
from trio2o.ops.tables import TABLES
from trio2o.plan import Known, Owners, plan
from trio2o.refs import Need

PAGE = Path(__file__).with_name("reference") / "operations.md"
TITLES = {"compute": "Compute", "volume": "Block storage", "image": "Image"}


def page() -> str:
    lines = [
        "<!-- Written by doc/generate_operations.py from trio2o/ops. Do not edit. -->",
        "# Operations",
        "",
        "Every operation of the services' APIs, and how the gateway routes it. Paths are below",
        "the version and the project. Microversions are those in which the operation exists;",
        "which of them a deployment speaks is what all of its pods speak.",
        "",
        "## Routing classes",
        "",
        *_table(("class", "meaning"), ((f"`{name}`", text) for name, text in _meanings().items())),
        "",
        "## Counts",
        "",
        *_counts(),
    ]
    for table in TABLES:
        lines += [
            "",
            f"## {TITLES[table.service]}",
            "",
            *_table(("operation", "class", "microversions", "note"), map(_row, table)),
        ]
    return "\n".join(lines) + "\n"


def _meanings() -> dict[str, str]:
    """The docstring that follows each member of RoutingClass."""
    nodes = [
        node
        for node in ast.walk(ast.parse(inspect.getsource(ops.RoutingClass)))
        if isinstance(node, ast.Assign | ast.Expr)
    ]
    meanings = {}
    for member, text in pairwise(nodes):
        if isinstance(member, ast.Assign) and isinstance(text, ast.Expr):
            name = ast.literal_eval(member.value)
            words = " ".join(ast.literal_eval(text.value).replace("``", "`").split())
            meanings[name] = words if _is_offered(name) else f"{words} **Not offered yet: 501.**"
    return meanings


def _is_offered(name: str) -> bool:
    op = next(op for table in TABLES for op in table if op.routing == name)
    need = Need(op.kind or Kind.SERVER, "0")
    known = Known(pods=(), owners={(need.kind, need.resource_id): Owners()})
    try:
        plan(op, (need,), known)
    except NotOffered:
        return False
    except Trio2oError:
        pass  # there is no pod
    return True


def _counts() -> Iterator[str]:
    found = {table.service: Counter(op.routing for op in table) for table in TABLES}
    rows = (
        (f"`{kind}`", *(str(found[table.service][kind] or "") for table in TABLES))
        for kind in RoutingClass
    )
    total = ("all", *(str(len(table.ops)) for table in TABLES))
    return _table(("class", *(TITLES[table.service] for table in TABLES)), (*rows, total))


def _table(heads: tuple[str, ...], rows: object) -> Iterator[str]:
    yield f"| {' | '.join(heads)} |"
    yield f"|{'---|' * len(heads)}"
    for row in rows:  # type: ignore[attr-defined]
        yield f"| {' | '.join(cell.replace('|', ' or ') for cell in row)} |"


def _row(op: Op) -> tuple[str, str, str, str]:
    action = f" `{op.action}`" if op.action else ""
    return f"`{op.method} {op.path}`{action}", f"`{op.routing}`", _versions(op), _note(op)


def _versions(op: Op) -> str:
    if op.since and op.until:
        return f"{op.since} to {op.until}"
    return f"from {op.since}" if op.since else f"to {op.until}" if op.until else ""


def _note(op: Op) -> str:
    return "; ".join(_notes(op))


def _notes(op: Op) -> Iterator[str]:
    if op.reason:
        yield f"{op.status}: {op.reason}"
    if op.definition:
        yield op.definition.replace("_", " ")
    if op.fold or op.answer:
        yield (op.fold or op.answer).replace("_", " ")
    named = dict.fromkeys(ref.kind.replace("_", " ") for ref in op.refs)
    if named:
        yield f"may name: {', '.join(named)}"
    if op.makes:
        yield f"makes: {op.makes.replace('_', ' ')}"
    if op.writes:
        yield "writes"
    if op.upload or op.download:
        yield "streamed"


def main() -> int:
    text = page()
    if sys.argv[1:] == ["--check"]:
        if PAGE.exists() and PAGE.read_text() == text:
            return 0
        sys.stderr.write(f"{PAGE} is stale: run doc/generate_operations.py\n")
        return 1
    PAGE.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())

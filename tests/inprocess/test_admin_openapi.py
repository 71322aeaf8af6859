# SPDX-License-Identifier: Apache-2.0
"""The OpenAPI document says what the admin API does, and the API does what it says."""

import asyncio
import json
import urllib.parse
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from admin_api import AdminApi, Answer
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from trio2o.api import openapi
from trio2o.api.admin import HANDLERS
from trio2o.api.admin_table import OPERATIONS, Operation
from trio2o.api.policy import RULES
from trio2o.db import placements, routings
from trio2o.model import Kind, Routing

pytestmark = pytest.mark.anyio

DOCUMENT = openapi.document()
BY_NAME = {operation.name: operation for operation in OPERATIONS}
BODIES = ("PodCreate", "PodUpdate", "BindingCreate", "BindingUpdate")


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def api(tmp_path: Path) -> AsyncIterator[AdminApi]:
    made = AdminApi(tmp_path)
    yield made
    made.db.close()


def described() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in DOCUMENT["paths"].items():
        for method, operation in methods.items():
            yield method.upper(), path, operation


def conforms(operation: Operation, answer: Answer) -> None:
    """The answer is one that the document has, in the form that it gives."""
    described = DOCUMENT["paths"][operation.path][operation.method.lower()]
    response = described["responses"].get(str(answer.status))
    assert response is not None, f"{operation.name}: {answer.status} {answer.content!r}"
    for header in response["headers"]:
        assert header.lower() in answer.headers
    content = response.get("content")
    if content is None:
        assert answer.content == b""
        return
    assert answer.headers["content-type"] == "application/json"
    schema = {**content["application/json"]["schema"], "components": DOCUMENT["components"]}
    jsonschema.Draft202012Validator(
        schema, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER
    ).validate(answer.body)


def test_document_rows_routes_handlers_and_rules_are_the_same() -> None:
    rows = {(operation.method, operation.path) for operation in OPERATIONS}
    assert {(method, path) for method, path, _ in described()} == rows
    assert len(rows) == len(OPERATIONS)
    assert set(HANDLERS) == set(BY_NAME)
    rules = {rule.name for rule in RULES if ":" in rule.name}
    assert {operation.rule for operation in OPERATIONS if operation.rule} == rules
    for rule in RULES:
        for where in getattr(rule, "operations", ()):
            assert (where["method"], where["path"]) in rows


def test_the_document_is_openapi_whose_references_lead_somewhere() -> None:
    text = json.dumps(DOCUMENT)
    assert DOCUMENT["openapi"] == "3.1.0"
    for schema in DOCUMENT["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(schema)
    used = {part.split('"')[0] for part in text.split("#/components/schemas/")[1:]}
    assert used == set(DOCUMENT["components"]["schemas"])
    ids = [operation["operationId"] for _, _, operation in described()]
    assert len(ids) == len(set(ids))


async def test_the_document_is_answered_to_anybody(api: AdminApi) -> None:
    answer = await api("GET", "/v1.0/openapi.json", token="")
    assert {**answer.body, "servers": None} == {**DOCUMENT, "servers": None}


async def test_answers_of_every_operation_have_the_form_of_the_document(api: AdminApi) -> None:
    asked: set[tuple[str, int]] = set()

    async def ask(name: str, path: str = "", body: Any = None, **more: Any) -> Any:
        operation = BY_NAME[name]
        answer = await api(operation.method, path or operation.path, body, **more)
        conforms(operation, answer)
        asked.add((name, answer.status))
        return answer.body if answer.content else None

    api.add_regions("Pod1", "Pod2")
    project = api.identity.project_id("demo")
    for name in ("versions", "version", "openapi"):
        await ask(name)
    pod = (await ask("pods:create", "", {"pod": {"name": "Pod1", "az_name": "az1"}}))["pod"]
    await ask("pods:create", "", {"pod": {"name": "Pod2", "az_name": "az1", "tags": ["a"]}})
    await ask("pods:create", "", {"pod": {"name": "Pod2", "az_name": "az1"}})
    await ask("pods:create", "", {"pod": {}})
    await ask("pods:create", content=b"x", headers={"content-type": "text/plain"})
    await ask("pods:create", content=b" " * 70_000)
    await ask("pods:list", "/v1.0/pods?limit=1")
    await ask("pods:list", "/v1.0/pods?limit=0")
    for name in ("pods:show", "pods:update", "pods:delete"):
        change = {"pod": {"state": "maintenance"}} if name == "pods:update" else None
        await ask(name, "/v1.0/pods/Pod9", change)
        if name != "pods:delete":
            await ask(name, "/v1.0/pods/Pod1", change)
    await ask("pods:update", "/v1.0/pods/Pod1", {"pod": {"state": "enabled", "generation": 9}})
    binding = {"pod_binding": {"project_id": project, "pod": "Pod1"}}
    made = (await ask("bindings:create", "", binding))["pod_binding"]
    await ask("bindings:create", "", {"pod_binding": {"project_id": project, "pod": "Pod2"}})
    await ask("bindings:create", "", binding)
    await ask("bindings:create", "", {"pod_binding": {}})
    await ask("bindings:list", "/v1.0/bindings?limit=1")
    for name in ("bindings:show", "bindings:update", "bindings:delete", "bindings:update"):
        change = {"pod_binding": {"preferred": True}} if name == "bindings:update" else None
        for which in ("none", made["id"]):
            await ask(name, f"/v1.0/bindings/{which}", change)
    for kind in (Kind.SERVER, Kind.VOLUME):
        routing = Routing(kind, "r1", pod["id"], project, api.now, {"name": "x"})
        await api.db.write(routings.learn, [routing])
        await api.db.write(placements.record, kind, "r1", project, {"chosen": "Pod1"})
    for what in ("routings", "placements"):
        for query in ("?limit=1", "?kind=server", "?kind=red"):
            await ask(f"{what}:list", f"/v1.0/{what}{query}")
        for query in ("r1", "r1?kind=server", "r2", "r1?kind=red"):
            await ask(f"{what}:show", f"/v1.0/{what}/{query}")
    await ask("pods:delete", "/v1.0/pods/Pod1")
    await ask("pods:delete", "/v1.0/pods/Pod1?forget=x")
    await ask("pods:update", "/v1.0/pods/Pod1", {"pod": {"state": "disabled"}})
    await ask("pods:delete", "/v1.0/pods/Pod1?forget=true")
    member = api.identity.token("demo", "demo", ("auditor",))
    for operation in OPERATIONS:
        if operation.rule:
            await ask(operation.name, token="")
            await ask(operation.name, token=member)
            api.identity.down()
            await ask(operation.name)
            api.identity.up()
    # Each status that can be had without breaking the process was had.
    possible = {
        (operation.name, status)
        for operation in OPERATIONS
        for status in openapi.statuses(operation)
        if status not in (400, 413, 415, 500) and (operation.rule or status == operation.status)
    }
    assert possible - asked == set()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)


def likely(schema: str) -> st.SearchStrategy[Any]:
    """Bodies that are right, nearly right, and anything else."""
    ((key, inner),) = DOCUMENT["components"]["schemas"][schema]["properties"].items()
    names = {name: right(one) for name, one in inner["properties"].items()}
    spoilt = {name: st.one_of(one, JSON) for name, one in names.items()}
    fields = st.fixed_dictionaries({}, optional=names) | st.fixed_dictionaries({}, optional=spoilt)
    return st.one_of(st.fixed_dictionaries({key: fields}), JSON)


def right(schema: dict[str, Any]) -> st.SearchStrategy[Any]:
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    if "const" in schema:
        return st.just(schema["const"])
    match schema["type"]:
        case "boolean":
            return st.booleans()
        case "integer":
            return st.integers(1, 5)
        case "array":
            return st.lists(st.sampled_from(["a", "b", " c ", ""]), max_size=3)
    return st.sampled_from(["Pod1", "Pod2", "Pod3", "az1", " ", "", "1" * 32]) | st.text()


QUERY = st.lists(
    st.tuples(
        st.sampled_from(
            sorted({one.name for operation in OPERATIONS for one in operation.query} | {"x"})
        ),
        st.sampled_from(["", "1", "0", "true", "server", "Pod1", "enabled", "asc", "name", "*"])
        | st.text(max_size=12),
    ),
    max_size=3,
)
PART = st.sampled_from(["Pod1", "none", "r1", ".", "..", "%2F", "%00", "%FF"]) | st.text(
    min_size=1, max_size=12
)


@settings(
    max_examples=250,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_whatever_is_sent_is_answered_as_the_document_says(
    data: st.DataObject, busy: AdminApi, loop: Any
) -> None:
    operation = data.draw(st.sampled_from(OPERATIONS))
    part = data.draw(PART)
    path = "/".join(
        urllib.parse.quote(part, safe="%") if piece.startswith("{") else piece
        for piece in operation.path.split("/")
    )
    query = urllib.parse.urlencode(data.draw(QUERY), errors="surrogatepass")
    body = data.draw(likely(operation.body)) if operation.body else None
    content = json.dumps(body).encode() if operation.body else None
    headers = {"content-type": "application/json"}

    async def ask() -> Answer:
        return await busy(operation.method, f"{path}?{query}", content=content, headers=headers)

    answer = loop.run_until_complete(ask())
    assert answer.status < 500, answer.content
    if "{" not in operation.path or "/" not in urllib.parse.unquote(part):
        conforms(operation, answer)  # with a slash in it, it is another path


@pytest.fixture
def loop() -> Iterator[Any]:
    made = asyncio.new_event_loop()
    yield made
    made.close()


@pytest.fixture
def busy(tmp_path: Path, loop: Any) -> Iterator[AdminApi]:
    """An API with something in it."""
    made = AdminApi(tmp_path)
    made.add_regions("Pod2")

    async def fill() -> None:
        pod = await made.add_pod("Pod1")
        project = made.identity.project_id("demo")
        await made.db.write(
            routings.learn, [Routing(Kind.SERVER, "r1", pod["id"], project, made.now)]
        )
        await made.db.write(placements.record, Kind.SERVER, "r1", project, {})

    loop.run_until_complete(fill())
    yield made
    made.db.close()

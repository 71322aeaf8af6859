# SPDX-License-Identifier: Apache-2.0
"""Key pairs of Nova, which belong to users.

Source: nova/api/openstack/compute/keypairs.py@34.0.0.
"""

import base64
import hashlib
from typing import Any

from trio2o.pods.fake.cloud import Cloud
from trio2o.pods.fake.schema import Schema
from trio2o.pods.fake.server_view import next_page
from trio2o.pods.fake.service import require_role, validate
from trio2o.pods.fake.state import Keypair, micros
from trio2o.pods.fake.web import Fault, Request, Response, Row


def _schema(minor: int) -> Schema:
    known: dict[str, Any] = {
        "name": {"type": "string", "minLength": 1, "maxLength": 255},
        "public_key": {"type": "string"},
    }
    if minor >= 2:
        known["type"] = {"type": "string", "enum": ["ssh", "x509"]}
    if minor >= 10:
        known["user_id"] = {"type": "string"}
    keypair = {
        "type": "object",
        "properties": known,
        "required": ["name", "public_key"] if minor >= 92 else ["name"],
        "additionalProperties": False,
    }
    return {
        "type": "object",
        "properties": {"keypair": keypair},
        "required": ["keypair"],
        "additionalProperties": False,
    }


def _user(request: Request, asked: str, what: str) -> str:
    if asked and asked != request.who.user_id:
        require_role(request, f"os_compute_api:os-keypairs:{what}", "admin")
        return asked
    return request.who.user_id


def _fields(keypair: Keypair, *names: str) -> dict[str, Any]:
    values: dict[str, Any] = {
        "name": keypair.name,
        "public_key": keypair.public_key,
        "fingerprint": keypair.fingerprint,
        "type": keypair.kind,
        "user_id": keypair.user_id,
        "created_at": micros(keypair.created),
        "deleted": False,
        "deleted_at": None,
        "id": keypair.number,
        "updated_at": None,
    }
    return {name: values[name] for name in names}


_BRIEF = ("name", "public_key", "fingerprint")
_WHOLE = (*_BRIEF, "user_id", "created_at", "deleted", "deleted_at", "id", "updated_at")


def _typed(request: Request, names: tuple[str, ...]) -> tuple[str, ...]:
    return (*names, "type") if request.since(2) else names


def fingerprint(public_key: str) -> str:
    """MD5 of the key's data, as Nova shows it. Raises Fault(400)."""
    try:
        data = base64.b64decode(public_key.split()[1], validate=True)
    except (IndexError, ValueError):
        raise Fault(400, "Keypair data is invalid: failed to generate fingerprint") from None
    digest = hashlib.md5(data, usedforsecurity=False).hexdigest()
    return ":".join(digest[index : index + 2] for index in range(0, 32, 2))


def _create(cloud: Cloud, request: Request) -> Response:
    asked = validate(_schema(request.version[1]), request.body)["keypair"]
    user_id = _user(request, asked.get("user_id", ""), "create")
    name = asked["name"].strip()
    if cloud.keypairs.find(f"{user_id}/{name}"):
        raise Fault(409, f"Key pair '{name}' already exists.")
    mine = sum(keypair.user_id == user_id for keypair in cloud.keypairs)
    if 0 <= cloud.compute_quota["key_pairs"] <= mine:
        raise Fault(403, "Quota exceeded, too many key pairs.")
    made = "public_key" not in asked
    data = base64.b64encode(cloud.new_id().encode()).decode()
    public_key = asked.get("public_key") or f"ssh-rsa {data} Generated-by-Nova"
    cloud.keypair_count += 1
    keypair = cloud.keypairs.add(
        Keypair(
            number=cloud.keypair_count,
            user_id=user_id,
            name=name,
            public_key=public_key,
            fingerprint=fingerprint(public_key),
            kind=asked.get("type", "ssh"),
            created=cloud.now(),
        )
    )
    shown = _fields(keypair, *_typed(request, (*_BRIEF, "user_id")))
    if made:
        shown["private_key"] = "-----BEGIN RSA PRIVATE KEY-----\n-----END RSA PRIVATE KEY-----\n"
    return Response(201 if request.since(2) else 200, {"keypair": shown})


def _find(cloud: Cloud, request: Request, what: str) -> Keypair:
    user_id = _user(request, request.first("user_id"), what)
    keypair = cloud.keypairs.find(f"{user_id}/{request['name']}")
    if keypair is None:
        raise Fault(404, f"Keypair {request['name']} not found for user {user_id}")
    return keypair


def _show(cloud: Cloud, request: Request) -> Response:
    keypair = _find(cloud, request, "show")
    return Response(body={"keypair": _fields(keypair, *_typed(request, _WHOLE))})


def _delete(cloud: Cloud, request: Request) -> Response:
    cloud.keypairs.drop(_find(cloud, request, "delete").id)
    return Response(204 if request.since(2) else 202)


def _list(cloud: Cloud, request: Request) -> Response:
    user_id = _user(request, request.first("user_id"), "index")
    found = sorted(
        (keypair for keypair in cloud.keypairs if keypair.user_id == user_id),
        key=lambda keypair: keypair.name,
    )
    if request.since(35):
        found = _page(request, found)
    names = _typed(request, _BRIEF)
    body: dict[str, Any] = {"keypairs": [{"keypair": _fields(item, *names)} for item in found]}
    limit = int(request.first("limit") or 1000)
    if request.since(35) and found and len(found) == limit:
        body["keypairs_links"] = next_page(request, "os-keypairs", found[-1].name)
    return Response(body=body)


def _page(request: Request, found: list[Keypair]) -> list[Keypair]:
    start = 0
    if request.asks("marker"):
        names = [keypair.name for keypair in found]
        marker = request.first("marker")
        if marker not in names:
            raise Fault(400, f"Marker {marker} could not be found.")
        start = names.index(marker) + 1
    return found[start : start + int(request.first("limit") or 1000)]


ROWS = (
    Row("GET /os-keypairs", _list, strict=75, known=("user_id", "limit", "marker")),
    Row("POST /os-keypairs", _create),
    Row("GET /os-keypairs/{name}", _show, strict=75, known=("user_id",)),
    Row("DELETE /os-keypairs/{name}", _delete, strict=75, known=("user_id",)),
)

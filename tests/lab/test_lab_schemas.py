# SPDX-License-Identifier: Apache-2.0
"""Which empty schemas belong to which versions."""

import pathlib
import tarfile

import pytest

from lab import schemas
from lab.layout import HERE, Lab

CONSTRAINTS = """\
alembic==1.20.1
    # via nova
nova==34.0.0
novaclient==1.0
six==1.17.0
"""


def test_the_key_follows_the_versions_that_decide_the_schemas() -> None:
    key = schemas.schema_key(CONSTRAINTS)
    assert schemas.schema_key(CONSTRAINTS.replace("nova==34.0.0", "nova==34.0.1")) != key
    assert schemas.schema_key(CONSTRAINTS.replace("alembic==1.20.1", "alembic==1.21")) != key


def test_the_key_follows_nothing_else() -> None:
    key = schemas.schema_key(CONSTRAINTS)
    assert schemas.schema_key(CONSTRAINTS.replace("six==1.17.0", "six==1.18.0")) == key
    assert schemas.schema_key(CONSTRAINTS.replace("novaclient==1.0", "novaclient==2.0")) == key
    assert schemas.schema_key("\n".join(reversed(CONSTRAINTS.splitlines()))) == key


def test_every_version_that_decides_is_pinned() -> None:
    text = (HERE / "constraints.txt").read_text()
    pinned = {match.group(1).lower() for match in schemas.DECIDING.finditer(text)}
    assert pinned == {
        "keystone", "nova", "openstack-placement", "glance", "cinder", "neutron",
        "alembic", "sqlalchemy",
    }  # fmt: skip


@pytest.fixture
def here(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    here = tmp_path / "lab"
    here.mkdir()
    (here / "constraints.txt").write_text(CONSTRAINTS)
    monkeypatch.setattr(schemas, "HERE", here)
    return here


def test_packed_schemas_spare_another_machine_the_migrations(here: pathlib.Path, lab: Lab) -> None:
    key = schemas.schema_key(CONSTRAINTS)
    kept = lab.cache / f"schemas-{key}"
    kept.mkdir(parents=True)
    (kept / "nova.sql").write_text("CREATE TABLE instances (id int);")
    (here / "schemas").mkdir()
    (here / "schemas/0123456789ab.tar.xz").touch()

    packed = schemas.pack(lab)

    assert [path.name for path in (here / "schemas").iterdir()] == [f"{key}.tar.xz"]
    with tarfile.open(packed) as tar:
        assert [(i.name, i.mtime, i.uid, i.mode) for i in tar] == [("nova.sql", 0, 0, 0o644)]
    other = Lab(state=lab.state, tools=lab.tools.parent / "other")
    found = schemas.ensure(other)
    assert found == other.cache / f"schemas-{key}"
    assert (found / "nova.sql").read_text() == "CREATE TABLE instances (id int);"


def test_packing_twice_gives_the_same_bytes(here: pathlib.Path, lab: Lab) -> None:
    assert here.exists()
    kept = lab.cache / f"schemas-{schemas.current_key()}"
    kept.mkdir(parents=True)
    (kept / "nova.sql").write_text("x")
    first = schemas.pack(lab).read_bytes()
    (kept / "nova.sql").write_text("x")
    assert schemas.pack(lab).read_bytes() == first

# SPDX-License-Identifier: Apache-2.0
"""Columns: what goes in comes out, in every engine."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, delete, insert, select

from trio2o import clock
from trio2o.db.columns import CompactId, KindCode
from trio2o.db.schema import cursors, placements
from trio2o.db.session import Database
from trio2o.model import Kind

IDS = [
    "6f70656e-7374-6163-6b20-747269326f21",
    "6f70656e737461636b20747269326f21",
    "",
    "x",
    "fifteen letters",
    "sixteen letters.",
    "14 letters, so",
    "ä" * 7,
    "1",
    "0" * 64,
]


@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=60))
@pytest.mark.parametrize("dashed", [True, False])
def test_an_id_comes_back_as_it_went_in(dashed: bool, text: str) -> None:
    column = CompactId(dashed=dashed)
    assert column.decode(column.encode(text)) == text


@given(st.uuids())
def test_a_uuid_takes_16_bytes_and_its_case_does_not_count(uuid: object) -> None:
    column = CompactId(dashed=True)
    assert len(column.encode(str(uuid))) == 16
    assert column.encode(str(uuid).upper()) == column.encode(str(uuid))
    assert column.decode(column.encode(str(uuid))) == str(uuid)


@given(st.binary(max_size=20), st.binary(max_size=20))
def test_different_ids_are_different(one: bytes, other: bytes) -> None:
    column = CompactId(dashed=True)
    first, second = one.hex(), other.hex()
    assert (column.encode(first) == column.encode(second)) == (first == second)


def test_every_kind_has_a_number_of_its_own() -> None:
    assert set(KindCode.CODES) == set(Kind)
    assert len(set(KindCode.CODES.values())) == len(Kind)


def test_every_engine_keeps_every_id(database: Database) -> None:
    def keep(conn: Connection) -> list[str]:
        for one in IDS:
            row = {"kind": Kind.TASK, "resource_id": one, "project_id": one}
            conn.execute(insert(placements).values(**row, created_at=clock.now()))
        return list(conn.scalars(select(placements.c.resource_id)))

    assert sorted(database.write_now(keep)) == sorted(IDS)


@pytest.mark.parametrize(
    "moment",
    [
        datetime(2026, 1, 31, 23, 59, 59, 999999, tzinfo=UTC),
        datetime(1999, 12, 31, 23, 0, 0, 1, tzinfo=timezone(timedelta(hours=-5))),
        datetime(2100, 3, 1, tzinfo=UTC),
    ],
)
def test_a_moment_keeps_its_microseconds(database: Database, moment: datetime) -> None:
    def keep(conn: Connection) -> datetime:
        conn.execute(delete(cursors))
        conn.execute(insert(cursors).values(key="k", positions={}, expires_at=moment))
        return conn.scalars(select(cursors.c.expires_at)).one()

    kept = database.write_now(keep)
    assert kept == moment
    assert kept.tzinfo is UTC


def test_moments_are_compared_as_moments(database: Database) -> None:
    early = datetime(2026, 1, 1, 12, tzinfo=timezone(timedelta(hours=2)))  # 10:00 UTC
    late = datetime(2026, 1, 1, 11, tzinfo=UTC)

    def keep(conn: Connection) -> list[str]:
        for key, moment in (("late", late), ("early", early)):
            conn.execute(insert(cursors).values(key=key, positions={}, expires_at=moment))
        return list(conn.scalars(select(cursors.c.key).where(cursors.c.expires_at < late)))

    assert database.write_now(keep) == ["early"]


def test_a_moment_without_a_time_zone_is_refused(database: Database) -> None:
    naive = datetime(2026, 1, 1)  # noqa: DTZ001  the point of it
    with pytest.raises(Exception, match="has no time zone"):
        database.write_now(
            lambda conn: conn.execute(select(cursors).where(cursors.c.expires_at < naive))
        )

# SPDX-License-Identifier: Apache-2.0
"""Inserts that meet rows of the same key, in each engine's words."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import Connection, Executable, Table
from sqlalchemy.dialects import mysql, postgresql, sqlite


def insert_missing(conn: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert the rows whose key is not there yet; leave the others as they are."""
    _execute(conn, _statement(conn.dialect.name, table, ()), table, rows)


def insert_or_update(
    conn: Connection, table: Table, rows: Sequence[Mapping[str, Any]], update: tuple[str, ...]
) -> None:
    """Insert the rows; where the key is there, set the columns ``update`` instead."""
    _execute(conn, _statement(conn.dialect.name, table, update), table, rows)


def _execute(
    conn: Connection, statement: Executable, table: Table, rows: Sequence[Mapping[str, Any]]
) -> None:
    if not rows:
        return
    # In the order of their keys, so that two writers of the same rows cannot deadlock.
    keys = [column.name for column in table.primary_key]
    conn.execute(statement, sorted(rows, key=lambda row: [str(row[key]) for key in keys]))


@cache
def _statement(dialect: str, table: Table, update: tuple[str, ...]) -> Executable:
    keys = [column.name for column in table.primary_key]
    if dialect in ("mysql", "mariadb"):
        of_mysql = mysql.insert(table)
        # INSERT IGNORE would hide every other error too: a column set to itself does not.
        columns = update or (keys[0],)
        return of_mysql.on_duplicate_key_update(
            {name: of_mysql.inserted[name] for name in columns}
        )
    insert = sqlite.insert(table) if dialect == "sqlite" else postgresql.insert(table)
    if not update:
        return insert.on_conflict_do_nothing(index_elements=keys)
    return insert.on_conflict_do_update(
        index_elements=keys, set_={name: insert.excluded[name] for name in update}
    )

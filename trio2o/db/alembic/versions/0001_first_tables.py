# SPDX-License-Identifier: Apache-2.0
"""First tables."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from trio2o.db.columns import CompactId, Json, KindCode, Moment

revision = "0001"
down_revision = None
phase = "expand"

_OPTIONS: dict[str, Any] = {
    "mysql_engine": "InnoDB",
    "mysql_charset": "utf8mb4",
    "mysql_collate": "utf8mb4_bin",
    "mariadb_engine": "InnoDB",
    "mariadb_charset": "utf8mb4",
    "mariadb_collate": "utf8mb4_bin",
}


def _resource_id() -> CompactId:
    return CompactId(dashed=True, length=255)


def _owner_id() -> CompactId:
    return CompactId(dashed=False, length=64)


def _to_pod(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["pod"], ["pods.number"], name=f"fk_{table}_pod")


def upgrade() -> None:
    op.create_table(
        "pods",
        sa.Column("number", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("live_name", sa.String(255), nullable=True),
        sa.Column("az_name", sa.String(255), nullable=False),
        sa.Column("pod_az_name", sa.String(255), nullable=False),
        sa.Column("dc_name", sa.String(255), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("tags", Json(), nullable=True),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("created_at", Moment(), nullable=False),
        sa.Column("updated_at", Moment(), nullable=False),
        sa.Column("deleted_at", Moment(), nullable=True),
        sa.PrimaryKeyConstraint("number", name="pk_pods"),
        sa.UniqueConstraint("id", name="uq_pods_id"),
        sa.UniqueConstraint("live_name", name="uq_pods_live_name"),
        **_OPTIONS,
    )
    op.create_table(
        "bindings",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("project_id", _owner_id(), nullable=False),
        sa.Column("pod", sa.SmallInteger(), nullable=False),
        sa.Column("az_name", sa.String(255), nullable=False),
        sa.Column("bound_by", sa.String(16), nullable=False),
        sa.Column("preferred", sa.Boolean(), nullable=False),
        sa.Column("active_key", sa.String(80), nullable=True),
        sa.Column("preferred_key", sa.String(320), nullable=True),
        sa.Column("started_at", Moment(), nullable=False),
        sa.Column("ended_at", Moment(), nullable=True),
        _to_pod("bindings"),
        sa.PrimaryKeyConstraint("id", name="pk_bindings"),
        sa.UniqueConstraint("active_key", name="uq_bindings_active_key"),
        sa.UniqueConstraint("preferred_key", name="uq_bindings_preferred_key"),
        **_OPTIONS,
    )
    op.create_index("ix_bindings_project", "bindings", ["project_id"])
    op.create_index("ix_bindings_pod", "bindings", ["pod"])
    op.create_index("ix_bindings_started", "bindings", ["started_at", "id"])
    op.create_table(
        "routings",
        sa.Column("kind", KindCode(), autoincrement=False, nullable=False),
        sa.Column("resource_id", _resource_id(), nullable=False),
        sa.Column("pod", sa.SmallInteger(), nullable=False),
        sa.Column("project_id", _owner_id(), nullable=False),
        sa.Column("created_at", Moment(), nullable=False),
        sa.Column("stub", Json(), nullable=True),
        sa.Column("deleted_at", Moment(), nullable=True),
        _to_pod("routings"),
        sa.PrimaryKeyConstraint("kind", "resource_id", name="pk_routings"),
        sqlite_with_rowid=False,
        **_OPTIONS,
    )
    op.create_index(
        "ix_routings_project", "routings", ["project_id", "kind", "created_at", "resource_id"]
    )
    op.create_index("ix_routings_pod", "routings", ["pod", "kind", "resource_id"])
    op.create_index(
        "ix_routings_deleted",
        "routings",
        ["deleted_at"],
        sqlite_where=sa.text("deleted_at IS NOT NULL"),
        postgresql_where=sa.text("deleted_at IS NOT NULL"),
    )
    op.create_table(
        "copies",
        sa.Column("kind", KindCode(), autoincrement=False, nullable=False),
        sa.Column("resource_id", _resource_id(), nullable=False),
        sa.Column("pod", sa.SmallInteger(), autoincrement=False, nullable=False),
        _to_pod("copies"),
        sa.PrimaryKeyConstraint("kind", "resource_id", "pod", name="pk_copies"),
        sqlite_with_rowid=False,
        **_OPTIONS,
    )
    op.create_index("ix_copies_pod", "copies", ["pod"])
    op.create_table(
        "intents",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("kind", KindCode(), nullable=False),
        sa.Column("project_id", _owner_id(), nullable=False),
        sa.Column("user_id", _owner_id(), nullable=False),
        sa.Column("pod", sa.SmallInteger(), nullable=False),
        sa.Column("request_id", sa.String(64), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("created_at", Moment(), nullable=False),
        sa.Column("updated_at", Moment(), nullable=False),
        sa.Column("resource_ids", Json(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("again_at", Moment(), nullable=False),
        sa.Column("lease_owner", sa.String(255), nullable=True),
        _to_pod("intents"),
        sa.PrimaryKeyConstraint("id", name="pk_intents"),
        **_OPTIONS,
    )
    op.create_index("ix_intents_state", "intents", ["state", "again_at", "id"])
    op.create_index("ix_intents_pod", "intents", ["pod", "state"])
    op.create_index("ix_intents_created", "intents", ["created_at", "id"])
    op.create_table(
        "placements",
        sa.Column("kind", KindCode(), autoincrement=False, nullable=False),
        sa.Column("resource_id", _resource_id(), nullable=False),
        sa.Column("project_id", _owner_id(), nullable=False),
        sa.Column("created_at", Moment(), nullable=False),
        sa.Column("document", Json(), nullable=True),
        sa.PrimaryKeyConstraint("kind", "resource_id", name="pk_placements"),
        **_OPTIONS,
    )
    op.create_index("ix_placements_created", "placements", ["created_at"])
    op.create_table(
        "cursors",
        sa.Column("key", sa.String(255), nullable=False),
        sa.Column("positions", Json(), nullable=True),
        sa.Column("expires_at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_cursors"),
        **_OPTIONS,
    )
    op.create_index("ix_cursors_expires", "cursors", ["expires_at"])

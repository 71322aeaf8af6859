# SPDX-License-Identifier: Apache-2.0
"""The tables. What they mean is in model.py; how they came to be is in alembic/versions.

Rows name a pod by its number, which is small, never changes and is never used again.
"""

from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    SmallInteger,
    String,
    Table,
    text,
)

from trio2o.db.columns import CompactId, Json, KindCode, Moment

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(table_name)s_%(column_0_name)s",
    }
)

# Names are compared byte by byte, as SQLite and PostgreSQL do by themselves.
_MYSQL: dict[str, Any] = {
    "mysql_engine": "InnoDB",
    "mysql_charset": "utf8mb4",
    "mysql_collate": "utf8mb4_bin",
    "mariadb_engine": "InnoDB",
    "mariadb_charset": "utf8mb4",
    "mariadb_collate": "utf8mb4_bin",
}


def resource_id() -> CompactId:
    return CompactId(dashed=True, length=255)


def project_id() -> CompactId:
    return CompactId(dashed=False, length=64)


def _pod(name: str = "pod", **more: Any) -> Column[int]:
    return Column(name, SmallInteger, ForeignKey("pods.number"), nullable=False, **more)


# A deleted pod leaves its row: bindings that have ended name it, and its number stays taken.
# live_name is the name until then; NULLs do not count in a unique index.
pods = Table(
    "pods",
    metadata,
    Column("number", SmallInteger, primary_key=True, autoincrement=False),
    Column("id", String(36), nullable=False, unique=True),
    Column("name", String(255), nullable=False),
    Column("live_name", String(255), nullable=True, unique=True),
    Column("az_name", String(255), nullable=False),
    Column("pod_az_name", String(255), nullable=False),
    Column("dc_name", String(255), nullable=False),
    Column("state", String(16), nullable=False),
    Column("tags", Json, nullable=True),
    Column("generation", Integer, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("updated_at", Moment, nullable=False),
    Column("deleted_at", Moment, nullable=True),
    **_MYSQL,
)

# Two columns are unique while a binding is in force and NULL afterwards:
# active_key is "project/pod number": a project is bound to a pod once;
# preferred_key is "project/zone": one pod of the zone is preferred.
bindings = Table(
    "bindings",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("project_id", project_id(), nullable=False),
    _pod(),
    Column("az_name", String(255), nullable=False),
    Column("bound_by", String(16), nullable=False),
    Column("preferred", Boolean, nullable=False),
    Column("active_key", String(80), nullable=True, unique=True),
    Column("preferred_key", String(320), nullable=True, unique=True),
    Column("started_at", Moment, nullable=False),
    Column("ended_at", Moment, nullable=True),
    Index("ix_bindings_project", "project_id"),
    Index("ix_bindings_pod", "pod"),
    Index("ix_bindings_started", "started_at", "id"),
    **_MYSQL,
)

routings = Table(
    "routings",
    metadata,
    Column("kind", KindCode, primary_key=True, autoincrement=False),
    Column("resource_id", resource_id(), primary_key=True),
    _pod(),
    Column("project_id", project_id(), nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("stub", Json, nullable=True),
    Column("deleted_at", Moment, nullable=True),
    Index("ix_routings_project", "project_id", "kind", "created_at", "resource_id"),
    Index("ix_routings_pod", "pod", "kind", "resource_id"),
    Index(
        "ix_routings_deleted",
        "deleted_at",
        sqlite_where=text("deleted_at IS NOT NULL"),
        postgresql_where=text("deleted_at IS NOT NULL"),
    ),
    sqlite_with_rowid=False,
    **_MYSQL,
)

# Pods that hold a resource besides the pod of its routing: images that were copied.
copies = Table(
    "copies",
    metadata,
    Column("kind", KindCode, primary_key=True, autoincrement=False),
    Column("resource_id", resource_id(), primary_key=True),
    _pod(primary_key=True, autoincrement=False),
    Index("ix_copies_pod", "pod"),
    sqlite_with_rowid=False,
    **_MYSQL,
)

# generation is the fence: it changes with every lease, and who settles must know it.
intents = Table(
    "intents",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("kind", KindCode, nullable=False),
    Column("project_id", project_id(), nullable=False),
    Column("user_id", CompactId(dashed=False, length=64), nullable=False),
    _pod(),
    Column("request_id", String(64), nullable=False),
    Column("state", String(16), nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("updated_at", Moment, nullable=False),
    Column("resource_ids", Json, nullable=True),
    Column("attempts", Integer, nullable=False),
    Column("generation", Integer, nullable=False),
    Column("again_at", Moment, nullable=False),
    Column("lease_owner", String(255), nullable=True),
    Index("ix_intents_state", "state", "again_at", "id"),
    Index("ix_intents_pod", "pod", "state"),
    Index("ix_intents_created", "created_at", "id"),
    **_MYSQL,
)

placements = Table(
    "placements",
    metadata,
    Column("kind", KindCode, primary_key=True, autoincrement=False),
    Column("resource_id", resource_id(), primary_key=True),
    Column("project_id", project_id(), nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("document", Json, nullable=True),
    Index("ix_placements_created", "created_at"),
    **_MYSQL,
)

cursors = Table(
    "cursors",
    metadata,
    Column("key", String(255), primary_key=True),
    Column("positions", Json, nullable=True),
    Column("expires_at", Moment, nullable=False),
    Index("ix_cursors_expires", "expires_at"),
    **_MYSQL,
)

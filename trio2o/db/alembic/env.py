# SPDX-License-Identifier: Apache-2.0
"""Run by alembic, on the connection that db/migrate.py gives."""

from alembic import context

from trio2o.db.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    # The caller's transaction: all or nothing, where the engine can.
    transactional_ddl=False,
    render_as_batch=True,
)
context.run_migrations()

"""What Alembic runs for each migration: on the connection that it was given, and on no other."""

from __future__ import annotations

from alembic import context

context.configure(connection=context.config.attributes["connection"])
with context.begin_transaction():
    context.run_migrations()

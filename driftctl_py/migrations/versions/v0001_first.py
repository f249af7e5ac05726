"""The first schema: runs, approvals, restraints, run locks, keys, and the trail.

Moments are whole microseconds since 1970 in UTC, which sort and compare alike in every database;
what is only read back, never asked for, is in ``document``, as JSON.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# Prefixes are looked up as ranges, which only the order of bytes makes right.
TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
# Only a column of exactly this type counts upwards by itself in SQLite.
NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """From nothing."""
    op.create_table(
        "runs",
        sa.Column("number", NUMBER, sa.Identity(), primary_key=True),
        sa.Column("id", TEXT, nullable=False, unique=True),
        sa.Column("environment", TEXT, nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("purpose", TEXT, nullable=False),
        sa.Column("worker", TEXT, nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("converged", sa.Boolean(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("runs_environment", "runs", ["environment", "number"])
    op.create_index("runs_state", "runs", ["state", "number"])
    op.create_index("runs_environment_state", "runs", ["environment", "state", "number"])
    op.create_index(
        "runs_converged",
        "runs",
        ["environment", "number"],
        sqlite_where=sa.text("converged"),
        postgresql_where=sa.text("converged"),
    )
    # One row for each environment, so that nobody has to look for it among all runs.
    op.create_table(
        "latest",
        sa.Column("environment", TEXT, primary_key=True),
        sa.Column("number", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "approvals",
        sa.Column("number", NUMBER, sa.Identity(), primary_key=True),
        sa.Column("id", TEXT, nullable=False, unique=True),
        sa.Column("environment", TEXT, nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("approvals_environment", "approvals", ["environment", "number"])
    op.create_table(
        "restraints",
        sa.Column("environment", TEXT, primary_key=True),
        sa.Column("why", TEXT, primary_key=True),
        sa.Column("document", sa.Text(), nullable=False),
    )
    op.create_table(
        "leases",
        sa.Column("environment", TEXT, primary_key=True),
        sa.Column("run", TEXT, nullable=False),
        sa.Column("worker", TEXT, nullable=False),
        sa.Column("taken_at", sa.BigInteger(), nullable=False),
        sa.Column("beat_at", sa.BigInteger(), nullable=False),
        sa.Column("lasts", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "approver_keys",
        sa.Column("name", TEXT, primary_key=True),
        sa.Column("digest", sa.Text(), nullable=False),
    )
    op.create_table(
        "facts",
        sa.Column("name", TEXT, primary_key=True),
        sa.Column("value", sa.Text(), nullable=False),
    )
    op.create_table(
        "entries",
        sa.Column("number", NUMBER, primary_key=True, autoincrement=False),
        sa.Column("before", sa.Text(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
    )
    head = op.create_table(
        "head",
        sa.Column("id", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
    )
    # The one row that whoever appends has to hold.
    op.bulk_insert(head, [{"id": 1, "number": 0, "hash": "0" * 64}])

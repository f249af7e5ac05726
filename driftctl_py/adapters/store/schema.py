"""The tables as they are today, for SQLAlchemy. How they came about is in `migrations`; a test
holds the two against each other.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Identity, Index, Integer, MetaData, Table, Text

metadata = MetaData()

_TEXT = Text().with_variant(Text(collation="C"), "postgresql")
_NUMBER = BigInteger().with_variant(Integer(), "sqlite")

runs = Table(
    "runs",
    metadata,
    Column("number", _NUMBER, Identity(), primary_key=True),
    Column("id", _TEXT, nullable=False, unique=True),
    Column("environment", _TEXT, nullable=False),
    Column("state", _TEXT, nullable=False),
    Column("purpose", _TEXT, nullable=False),
    Column("worker", _TEXT, nullable=False),
    Column("started_at", BigInteger, nullable=False),
    Column("converged", Boolean, nullable=False),
    Column("document", Text, nullable=False),
    sqlite_autoincrement=True,
)
Index("runs_environment", runs.c.environment, runs.c.number)
Index("runs_state", runs.c.state, runs.c.number)
Index("runs_environment_state", runs.c.environment, runs.c.state, runs.c.number)
Index(
    "runs_converged",
    runs.c.environment,
    runs.c.number,
    sqlite_where=runs.c.converged,
    postgresql_where=runs.c.converged,
)

latest = Table(
    "latest",
    metadata,
    Column("environment", _TEXT, primary_key=True),
    Column("number", BigInteger, nullable=False),
)

approvals = Table(
    "approvals",
    metadata,
    Column("number", _NUMBER, Identity(), primary_key=True),
    Column("id", _TEXT, nullable=False, unique=True),
    Column("environment", _TEXT, nullable=False),
    Column("document", Text, nullable=False),
    sqlite_autoincrement=True,
)
Index("approvals_environment", approvals.c.environment, approvals.c.number)

restraints = Table(
    "restraints",
    metadata,
    Column("environment", _TEXT, primary_key=True),
    Column("why", _TEXT, primary_key=True),
    Column("document", Text, nullable=False),
)

leases = Table(
    "leases",
    metadata,
    Column("environment", _TEXT, primary_key=True),
    Column("run", _TEXT, nullable=False),
    Column("worker", _TEXT, nullable=False),
    Column("taken_at", BigInteger, nullable=False),
    Column("beat_at", BigInteger, nullable=False),
    Column("lasts", BigInteger, nullable=False),
)

approver_keys = Table(
    "approver_keys",
    metadata,
    Column("name", _TEXT, primary_key=True),
    Column("digest", Text, nullable=False),
)

facts = Table(
    "facts",
    metadata,
    Column("name", _TEXT, primary_key=True),
    Column("value", Text, nullable=False),
)

entries = Table(
    "entries",
    metadata,
    Column("number", _NUMBER, primary_key=True, autoincrement=False),
    Column("before", Text, nullable=False),
    Column("hash", Text, nullable=False),
    Column("event", Text, nullable=False),
)

head = Table(
    "head",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("number", BigInteger, nullable=False),
    Column("hash", Text, nullable=False),
)

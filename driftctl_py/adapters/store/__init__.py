"""What is remembered: runs, approvals, restraints, run locks, and the audit trail.

SQLite in the data directory, or PostgreSQL by URL for several machines. Both are written through
SQLAlchemy Core and migrated by Alembic; SQLite is read with the driver alone, because importing
SQLAlchemy takes longer than all else that `status` does. Nothing here decides anything: which
moves a run may make is `core/run.py`'s, what an entry's hash is made of `core/audit.py`'s.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from driftctl_py.adapters.store.sqlite import SqliteDatabase
from driftctl_py.adapters.store.store import Store

__all__ = ["Store", "open_store"]

FILENAME = "store.db"


def open_store(url: str | None, data_dir: Path, *, now: Callable[[], datetime]) -> Store:
    """Open the store, made or brought up to date if need be: PostgreSQL at ``url``, or without
    one ``store.db`` in ``data_dir``.

    ``now`` ages run locks in SQLite; PostgreSQL's are aged by the server's own clock, since those
    of several machines differ. Raises `StoreError` (not ours to use: somebody else's, open to
    others, of a newer version, broken) or `Unavailable` (it did not answer).
    """
    if url is None:
        return Store(SqliteDatabase(data_dir / FILENAME, now=now))
    from driftctl_py.adapters.store.postgres import PostgresDatabase

    return Store(PostgresDatabase(url))

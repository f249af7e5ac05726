"""What is remembered: runs, approvals, restraints, run locks, and the audit trail.

SQLite in the data directory; for several machines PostgreSQL by URL, or a log in a bucket with a
copy in SQLite on each of them. All are written through SQLAlchemy Core and migrated by Alembic;
SQLite is read with the driver alone, because importing SQLAlchemy takes longer than all else that
`status` does. Nothing here decides anything: which
moves a run may make is `core/run.py`'s, what an entry's hash is made of `core/audit.py`'s.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from hashlib import sha256
from pathlib import Path

from driftctl_py.adapters.store.locks import SqlLocks
from driftctl_py.adapters.store.objects import Objects
from driftctl_py.adapters.store.sqlite import SqliteDatabase
from driftctl_py.adapters.store.store import Store

__all__ = ["Objects", "Store", "open_bucket_store", "open_store"]

FILENAME = "store.db"


def open_store(url: str | None, data_dir: Path, *, now: Callable[[], datetime]) -> Store:
    """Open the store, made or brought up to date if need be: PostgreSQL at ``url``, or without
    one ``store.db`` in ``data_dir``.

    ``now`` ages run locks in SQLite; PostgreSQL's are aged by the server's own clock, since those
    of several machines differ. Raises `StoreError` (not ours to use: somebody else's, open to
    others, of a newer version, broken) or `Unavailable` (it did not answer).
    """
    if url is None:
        sqlite = SqliteDatabase(data_dir / FILENAME, now=now)
        return Store(sqlite, SqlLocks(sqlite))
    from driftctl_py.adapters.store.postgres import PostgresDatabase

    postgres = PostgresDatabase(url)
    return Store(postgres, SqlLocks(postgres))


def open_bucket_store(
    objects: Objects,
    data_dir: Path,
    *,
    now: Callable[[], datetime],
    reviews: Objects | None = None,
) -> Store:
    """Open the store below a prefix of a bucket, made or brought up to date if need be; its
    ``reviews`` are below another one, if one is given. The copy is in ``data_dir``, which may be
    lost at any time. Raises as `open_store` does."""
    from driftctl_py.adapters.store.bucket import BucketDatabase
    from driftctl_py.adapters.store.bucket_locks import BucketLocks
    from driftctl_py.adapters.store.reviews import Reviews, StoreWithReviews

    # Of several stores, or of one that was moved, each has a copy of its own.
    name = sha256(objects.shown.encode()).hexdigest()[:16]
    database = BucketDatabase(objects, data_dir / "memory" / name, now=now)
    locks = BucketLocks(objects, now=now)
    if reviews is None:
        return Store(database, locks)
    return StoreWithReviews(database, locks, Reviews(reviews))

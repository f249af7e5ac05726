"""Bringing a database up to the schema that this version knows, and no other one."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from driftctl_py.errors import StoreError

if TYPE_CHECKING:
    from sqlalchemy import Connection

VERSION = "0001"
"""The last revision in `migrations`; a test holds the two against each other, since Alembic is
only loaded where something has to be done."""

# Alembic keeps what it is at in its modules, one for all threads.
_ALONE = threading.Lock()

VERSION_QUERY = "SELECT version_num FROM alembic_version"


def is_current(version: str | None, shown: str) -> bool:
    """Whether nothing has to be done; raises `StoreError` for a schema that we do not know."""
    if version is None or version == VERSION:
        return version is not None
    if not version.isdecimal() or int(version) > int(VERSION):
        raise StoreError(
            f"{shown} has the schema {version}, and this version of driftctl-py knows none later "
            f"than {VERSION}: a newer one has used it.",
            todo="Use that version here too: pip install --upgrade driftctl-py",
        )
    return False


def migrate(connection: Connection, found: Callable[[], str | None], shown: str) -> None:
    """Bring it up to date, in the transaction of ``connection``, whose caller holds a lock: so
    ``found`` asks again, since somebody else may have done it while we waited."""
    if is_current(found(), shown):
        return
    from alembic import command
    from alembic.config import Config

    from driftctl_py.adapters.store import writing

    config = Config()
    place = Path(__file__).parents[2] / "migrations"
    # A percent sign would be taken for the beginning of a placeholder.
    config.set_main_option("script_location", str(place).replace("%", "%%"))
    config.attributes["connection"] = connection
    with _ALONE:
        command.upgrade(config, VERSION)
    writing.add_fact(connection, "key", secrets.token_hex(32))

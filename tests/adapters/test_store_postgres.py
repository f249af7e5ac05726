"""The store in PostgreSQL: what is said when the server does not play along; never a password."""

from __future__ import annotations

import sys
import traceback
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote

import pytest

from driftctl_py.adapters.store import open_store, writing
from driftctl_py.adapters.store import postgres as module
from driftctl_py.core.audit import verify
from driftctl_py.errors import DriftctlError, StoreError, Unavailable
from tests.adapters.postgres import Server
from tests.adapters.stores import LEASE, PLANNED, RUN, Place, clock

SECRET = "correct-horse-battery-staple"


@pytest.fixture
def place(postgres: Place) -> Place:
    return postgres


def refused(url: str) -> DriftctlError:
    """What opening it says; with no password in it, nor in any error behind it."""
    with pytest.raises(DriftctlError) as caught:
        open_store(url, Path("/nowhere"), now=clock)
    told = "".join(traceback.format_exception(caught.value)) + caught.value.todo
    assert SECRET not in told.replace(f'"{url}"', "")
    assert caught.value.todo
    return caught.value


def test_a_wrong_password_is_said_to_be_one_and_not_told(server: Server) -> None:
    error = refused(server.url(password=SECRET))

    assert isinstance(error, StoreError)
    assert "did not let us in: the user or the password is wrong" in error.what


def test_a_password_that_is_missing_is_said_to_be(server: Server) -> None:
    error = refused(f"postgresql://postgres@/postgres?host={server.sockets}")

    assert isinstance(error, StoreError)
    assert "did not let us in" in error.what
    assert "postgresql://postgres@/postgres?host=" in error.what


def test_a_password_among_the_options_is_not_told(server: Server) -> None:
    url = f"postgresql:///postgres?host={server.sockets}&user=postgres&password={SECRET}"

    assert "did not let us in" in refused(url).what


def test_a_database_that_does_not_exist_is_said_not_to(server: Server) -> None:
    error = refused(server.url().replace("@/postgres?", "@/nothing?"))

    assert isinstance(error, StoreError)
    assert "the server knows no such database" in error.what


def test_a_server_that_does_not_answer_is_unavailable(tmp_path: Path) -> None:
    error = refused(f"postgresql://ada:{SECRET}@/postgres?host={tmp_path}")

    assert isinstance(error, Unavailable)
    assert "did not answer" in error.what


def test_a_port_on_which_nobody_listens_is_unavailable() -> None:
    error = refused(f"postgresql://ada:{SECRET}@127.0.0.1:1/driftctl")

    assert isinstance(error, Unavailable)
    assert "The store postgresql://ada@127.0.0.1:1/driftctl did not answer" in error.what


@pytest.mark.parametrize(
    "url",
    [
        f"mysql://ada:{SECRET}@db.example.com/driftctl",
        f"sqlite:///{SECRET}",
        f"{SECRET}",
        f"postgresql://ada:{SECRET}@db.example.com:port/driftctl",
    ],
)
def test_a_url_that_is_none_of_postgresql_is_refused_unquoted(url: str) -> None:
    error = refused(url)

    assert error.what == "The store's URL is not one of PostgreSQL."


def test_without_the_driver_it_is_said_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)

    error = refused("postgres://db.example.com/driftctl")

    assert error.todo == "pip install 'driftctl-py[postgres]'"


def test_the_store_is_shown_without_password_and_options(place: Place, server: Server) -> None:
    store = place.open()

    assert server.password not in store.shown
    assert store.shown.startswith("The store postgresql://postgres@/postgres?host=")


def test_a_store_that_is_read_only_can_be_read_and_says_that_it_is(place: Place) -> None:
    place.open().save(RUN)
    assert place.url is not None
    url = f"{place.url}{quote(' -c default_transaction_read_only=on')}"

    with open_store(url, place.directory, now=clock) as store:
        assert store.runs() == (RUN,)
        with pytest.raises(StoreError, match="is read-only, as a standby is"):
            store.note(PLANNED)


def test_a_user_who_may_make_no_tables_is_told(server: Server) -> None:
    schema = server.new_schema()
    with server.connect() as connection:
        connection.execute(f"CREATE USER {schema} PASSWORD '{SECRET}'".encode())
    url = server.url(schema=schema, password=SECRET).replace("//postgres:", f"//{schema}:")

    error = refused(url)

    assert isinstance(error, StoreError)
    assert "does not allow us what we need" in error.what


def test_connections_that_the_server_closed_are_made_anew(place: Place, server: Server) -> None:
    store = place.open()
    store.save(RUN, PLANNED)
    with server.connect() as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name = 'driftctl-py'"
        )

    store.note(PLANNED)
    assert store.run("r1") == RUN
    assert verify(store.entries(), []) == (2, ())


def test_a_connection_that_breaks_while_it_writes_leaves_nothing(
    place: Place, server: Server
) -> None:
    store = place.open()

    def break_off() -> None:
        assert isinstance(store._database, module.PostgresDatabase)
        with store._database.writing() as mine:
            writing.append(mine, [PLANNED])
            with server.connect() as connection:
                connection.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE application_name = 'driftctl-py' AND state = 'idle in transaction'"
                )

    with pytest.raises(Unavailable, match="did not answer"):
        break_off()

    assert store.head() is None
    assert list(store.entries()) == []


def test_a_row_that_somebody_holds_is_waited_for_and_then_said_to_be(
    place: Place, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_LOCK_SECONDS", 0.1)
    store = place.open()
    with place.engine().begin() as other:
        other.exec_driver_sql("SELECT * FROM head FOR UPDATE")

        with pytest.raises(Unavailable, match="is locked by somebody"):
            store.save(RUN, PLANNED)
        assert store.run("r1") is None

    store.save(RUN, PLANNED)


def test_whoever_stops_in_the_middle_does_not_hold_up_others(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = place.open()
    monkeypatch.setattr(module, "_IDLE_SECONDS", 0.1)
    slow = place.open()

    def sleep_in_the_middle() -> None:
        assert isinstance(slow._database, module.PostgresDatabase)
        with slow._database.writing() as mine:
            writing.append(mine, [PLANNED])
            other.save(RUN, PLANNED)
            writing.append(mine, [PLANNED])

    with pytest.raises(Unavailable):
        sleep_in_the_middle()

    assert verify(other.entries(), []) == (1, ())


def test_a_machine_whose_clock_is_wrong_takes_no_lock_over(place: Place) -> None:
    with open_store(place.url, place.directory, now=lambda: clock() + timedelta(days=1)) as ahead:
        place.open().take(LEASE)

        holder = ahead.take(replace(LEASE, run="r2", worker="build-8:1"))

    assert holder is not None
    assert holder.run == "r1"


def test_what_no_column_can_hold_is_said_to_be_so(place: Place) -> None:
    with pytest.raises(StoreError, match=r"cannot be used: .*NUL"):
        place.open().save(replace(RUN, environment="a\0b"))


def test_an_error_quotes_nothing_that_was_to_be_written(place: Place) -> None:
    store = place.open()

    with pytest.raises(StoreError) as caught:
        store.save(replace(RUN, environment="a\0b", reason=SECRET))

    assert SECRET not in "".join(traceback.format_exception(caught.value))

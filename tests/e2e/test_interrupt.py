"""Ctrl-C in the middle: a real program, a real engine, a provider that does not answer.

The provider's cloud is a folder, and one object in it is a named pipe: whoever reads it waits, as
one waits for an API. Who may end it is the engine, when it is asked, and we, when it is insisted.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import pty
import signal
import socket
import subprocess
import termios
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.support import SERVER, Site, processes_of, wait_until, with_folder_cloud


class Terminal:
    """Our end of a terminal, read all the time: what nobody reads does not fit into it."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._parts: list[bytes] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        with contextlib.suppress(OSError):  # EIO: nobody has the other end open any more
            while part := os.read(self._descriptor, 65536):
                self._parts.append(part)

    def press(self, key: bytes) -> None:
        os.write(self._descriptor, key)

    def close(self) -> str:
        """Everything that was shown; whoever was on the other end has gone."""
        self._reader.join()
        os.close(self._descriptor)
        return b"".join(self._parts).decode()


class Hanging:
    """A site whose prod waits in the middle of its plan, and a check of it that runs."""

    def __init__(
        self, site: Site, *, options: tuple[str, ...] = (), on_terminal: bool = False
    ) -> None:
        self.site = site
        self.cloud = with_folder_cloud(site)
        site.environment("prod", SERVER)
        site.configure()
        site.commit()
        site.apply("prod")
        self.object = self.cloud / "server-web.json"
        self.stored = self.object.read_text()
        self.object.unlink()
        os.mkfifo(self.object)
        self.before = site.snapshot() if site.moto else None
        self.process: subprocess.Popen[Any]
        if on_terminal:
            self.terminal = self._start_on_terminal()
        else:
            self.process = site.start("check", "--verbose", "--format", "json", *options)
        # The pipe can be opened for writing without waiting only once somebody reads it.
        assert wait_until(self._is_read), "the plan never came to the object"

    def _start_on_terminal(self) -> Terminal:
        ours, theirs = pty.openpty()
        self.process = subprocess.Popen(
            [self.site.driftctl_py, "check"],
            cwd=self.site.repo,
            env={**self.site.environ, "TERM": "xterm-256color"},
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(theirs, termios.TIOCSCTTY, 0),
        )
        os.close(theirs)
        return Terminal(ours)

    def _is_read(self) -> bool:
        try:
            self._writer = os.open(self.object, os.O_WRONLY | os.O_NONBLOCK)
        except OSError:
            return False
        return True

    def answer(self) -> None:
        """Let the provider have what it waits for."""
        os.write(self._writer, self.stored.encode())
        os.close(self._writer)

    def hang_up(self) -> None:
        os.close(self._writer)

    @property
    def leftovers(self) -> list[int]:
        """What still runs of the engine, the provider and us."""
        return processes_of(self.site)

    def end(self, seconds: float = 30.0) -> tuple[str, str]:
        return self.process.communicate(timeout=seconds)


def _statuses(out: str) -> dict[str, str]:
    document: Any = json.loads(out)
    return {item["environment"]: item["status"] for item in document["environments"]}


@pytest.mark.engine
def test_one_ctrl_c_asks_and_the_report_says_that_nothing_is_known(site: Site) -> None:
    _asks_and_reports(site, signal.SIGINT)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_scheduler_and_a_closed_terminal_mean_the_same(
    s3_site: Site, number: signal.Signals
) -> None:
    _asks_and_reports(s3_site, number)


def _asks_and_reports(site: Site, number: signal.Signals) -> None:
    hanging = Hanging(site)
    hanging.process.send_signal(number)
    time.sleep(0.3)
    # The engine, asked, waits for the provider's call in flight; then it ends by itself.
    hanging.answer()
    started = time.monotonic()
    out, err = hanging.end()

    assert hanging.process.returncode == 130, err
    assert _statuses(out) == {"prod": "unknown"}
    assert "The plan was interrupted; nothing was changed." in out
    assert "stopping: the engines are asked to end" in err
    assert "Traceback" not in err
    assert time.monotonic() - started < 10
    assert hanging.leftovers == []
    assert site.snapshot() == hanging.before
    assert not list(site.data.rglob("plan.tfplan"))


@pytest.mark.engine
def test_a_second_ctrl_c_ends_an_engine_that_waits_for_its_provider(site: Site) -> None:
    hanging = Hanging(site)
    hanging.process.send_signal(signal.SIGINT)
    time.sleep(1.0)
    still_there = hanging.process.poll() is None
    hanging.process.send_signal(signal.SIGINT)
    started = time.monotonic()
    out, err = hanging.end()
    took = time.monotonic() - started
    hanging.hang_up()

    assert still_there, "one Ctrl-C waits for the engine"
    assert hanging.process.returncode == 130, err
    assert _statuses(out) == {"prod": "unknown"}
    assert took < 3
    assert wait_until(lambda: hanging.leftovers == [], 5)
    assert site.snapshot() == hanging.before


@pytest.mark.engine
def test_a_ctrl_c_on_the_terminal_reaches_the_engine_once(s3_site: Site) -> None:
    # A terminal signals its whole foreground group. The engine is not in it, so that it does not
    # get a second signal, which to it means: do not wait.
    hanging = Hanging(s3_site)
    os.killpg(hanging.process.pid, signal.SIGINT)
    time.sleep(0.5)
    hanging.answer()
    out, err = hanging.end()

    assert hanging.process.returncode == 130, err
    assert "Two interrupts" not in out + err
    assert hanging.leftovers == []


def test_the_key_itself_on_a_real_terminal(s3_site: Site) -> None:
    hanging = Hanging(s3_site, on_terminal=True)
    hanging.terminal.press(b"\x03")
    time.sleep(0.5)
    hanging.answer()
    hanging.process.wait(20)
    shown = hanging.terminal.close()

    assert hanging.process.returncode == 130, shown
    assert "stopping: the engines are asked to end" in shown
    assert "prod: unknown: The plan was interrupted; nothing was changed." in shown
    # The live display hid the cursor and has brought it back.
    assert shown.rfind("\x1b[?25h") > shown.rfind("\x1b[?25l") >= 0
    assert hanging.leftovers == []


def test_environments_whose_turn_had_not_come_are_not_called_in_sync(s3_site: Site) -> None:
    site = s3_site
    site.environment("staging")
    site.environment("test")
    hanging = Hanging(site, options=("--jobs", "1"))
    hanging.process.send_signal(signal.SIGINT)
    time.sleep(0.3)
    hanging.answer()
    out, err = hanging.end()

    assert hanging.process.returncode == 130, err
    assert _statuses(out) == {"prod": "unknown", "staging": "unknown", "test": "unknown"}
    assert "Interrupted before it was checked; nothing was changed." in out


def test_the_next_check_after_an_interruption_finds_what_there_is(s3_site: Site) -> None:
    site = s3_site
    hanging = Hanging(site)
    hanging.process.send_signal(signal.SIGINT)
    time.sleep(0.2)
    hanging.process.send_signal(signal.SIGINT)
    hanging.end()
    hanging.hang_up()
    hanging.object.unlink()
    hanging.object.write_text(hanging.stored)
    ran = site.main("check", "--format", "json")

    assert ran.code == 0
    assert _statuses(ran.out) == {"prod": "in sync"}


def test_a_check_that_waits_for_another_one_can_be_stopped(s3_site: Site) -> None:
    hanging = Hanging(s3_site)
    second = s3_site.start("check", "--verbose")
    waits = wait_until(lambda: _waits_for_the_lock(second.pid))
    second.send_signal(signal.SIGINT)
    out, err = second.communicate(timeout=10)
    hanging.answer()
    first, _ = hanging.end()

    assert waits
    assert second.returncode == 130, out + err
    assert "Stopped while another check held" in out
    assert _statuses(first) == {"prod": "in sync"}
    assert hanging.process.returncode == 0


def _waits_for_the_lock(pid: int) -> bool:
    """Whether the process has an environment's lock file open."""
    found = Path(f"/proc/{pid}/fd").iterdir() if Path(f"/proc/{pid}/fd").exists() else ()
    names = []
    for entry in found:
        try:
            names.append(os.readlink(entry))  # noqa: PTH115 - Path.readlink drops " (deleted)"
        except OSError:
            continue
    return any(name.endswith("/lock") and "/environments/" in name for name in names)


def test_an_init_that_hangs_is_ended_too(embedded_site: Site) -> None:
    site = embedded_site
    started = site.root / "started"
    program = site.program(
        "slow-init",
        f"""\
        #!/bin/sh
        if [ "$1" = init ]; then echo $$ > {started}; exec sleep 300; fi
        exec @ENGINE@ "$@"
        """,
    )
    site.environment("prod")
    site.configure(engine=str(program))
    site.commit()
    process = site.start("check")
    began = wait_until(lambda: started.exists() and started.read_text().strip())
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=10)

    assert began
    assert process.returncode == 130, out + err
    assert "`init` was interrupted; nothing was changed." in out
    assert wait_until(lambda: not _is_alive(int(started.read_text())), 5)


def test_a_git_remote_that_hangs_is_given_up(embedded_site: Site) -> None:
    site = embedded_site
    started = site.root / "started"
    site.program("slow-ssh", f"#!/bin/sh\necho $$ > {started}\nexec sleep 300\n")
    site.environ["GIT_SSH_COMMAND"] = str(site.root / "programs/slow-ssh")
    site.environment("prod")
    site.configure(sources={"infra": "ssh://git@git.example.com/infra.git"})
    site.commit()
    process = site.start("check")
    began = wait_until(lambda: started.exists() and started.read_text().strip())
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=10)

    assert began
    assert process.returncode == 130, out + err
    assert "Stopped before all Git sources were read" in err
    assert wait_until(lambda: not _is_alive(int(started.read_text())), 5)


@pytest.mark.parametrize("presses", [2, 3])
def test_a_state_that_never_answers_does_not_keep_us(s3_site: Site, presses: int) -> None:
    # It takes connections and says nothing; nobody can be asked to end but we ourselves.
    site = s3_site
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        site.environment("prod")
        site.configure(state={"s3": {**site.s3, "endpoint": f"http://127.0.0.1:{port}"}})
        site.commit()
        process = site.start("check")
        silent.settimeout(20)
        connection, _ = silent.accept()
        for _ in range(presses):
            time.sleep(0.3)
            process.send_signal(signal.SIGINT)
        started = time.monotonic()
        out, err = process.communicate(timeout=20)
        took = time.monotonic() - started
        connection.close()

    assert process.returncode == 130, out + err
    assert "interrupted; nothing was changed" in err
    assert took < (7 if presses == 2 else 2)


def test_what_is_ignored_on_purpose_stays_ignored(embedded_site: Site) -> None:
    # nohup: the terminal goes, the check goes on.
    site = embedded_site
    started = site.root / "started"
    program = site.program(
        "slow",
        f"""\
        #!/bin/sh
        if [ "$1" = init ]; then echo > {started}; sleep 1; fi
        exec @ENGINE@ "$@"
        """,
    )
    site.environment("prod")
    site.configure(engine=str(program))
    site.commit()
    process = subprocess.Popen(
        ["sh", "-c", 'trap "" HUP; exec "$0" check', site.driftctl_py],
        cwd=site.repo,
        env=site.environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    began = wait_until(started.exists)
    process.send_signal(signal.SIGHUP)
    out, err = process.communicate(timeout=20)

    assert began
    assert process.returncode == 2, out + err


def _is_alive(pid: int) -> bool:
    """Dead is also who was left to a parent that does not ask."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False

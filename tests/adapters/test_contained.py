"""Programs that behave as badly as they can without privileges; every one is a real process."""

from __future__ import annotations

import os
import signal
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from time import monotonic, sleep

import pytest

from driftctl_py.adapters.contained import PLACE, Contained, run_contained
from driftctl_py.adapters.stop import Stop
from driftctl_py.errors import Interrupted, PolicyError

SH = "/bin/sh"


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where private directories are made; none may be left."""
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    yield temporary
    assert list(temporary.iterdir()) == []


def sh(
    script: str,
    *words: str,
    timeout_seconds: float = 30,
    output_limit_bytes: int = 1_000_000,
    stop: Stop | None = None,
    env: dict[str, str] | None = None,
    inputs: dict[str, Path] | None = None,
) -> Contained:
    return run_contained(
        (SH, "-c", script, "sh", *words),
        env={"PATH": os.environ["PATH"], **(env or {})},
        stop=stop or Stop(),
        timeout_seconds=timeout_seconds,
        output_limit_bytes=output_limit_bytes,
        inputs=inputs,
    )


def python(code: str, *, timeout_seconds: float = 30) -> Contained:
    return run_contained(
        (sys.executable, "-c", code),
        env={"PATH": os.environ["PATH"]},
        stop=Stop(),
        timeout_seconds=timeout_seconds,
    )


def is_gone(pid: int) -> bool:
    for _ in range(100):
        try:
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return True
        except (FileNotFoundError, ProcessLookupError):
            return True
        sleep(0.02)
    return False


def test_what_it_says_and_how_it_ends_is_told() -> None:
    assert sh("echo one; printf two; echo oops >&2; exit 3") == Contained(3, b"one\ntwo", "oops\n")


def test_its_environment_is_of_few_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "CANARY")
    monkeypatch.setenv("DRIFTCTL_TOKEN", "CANARY")
    answer = run_contained(
        ("env",),
        env={"PATH": os.environ["PATH"], "TOKEN": "given"},
        stop=Stop(),
        timeout_seconds=30,
    )

    found = dict(line.split("=", 1) for line in answer.stdout.decode().splitlines())
    assert found.pop("PATH") == os.environ["PATH"]
    assert found.pop("HOME") == found.pop("TMPDIR")
    assert found == {"LANG": "C.UTF-8", "TOKEN": "given"}


def test_it_finds_itself_in_a_private_directory_of_its_own(place: Path) -> None:
    script = 'umask; stat -c %a . ; pwd; echo "$HOME"; ls -A; touch kept; cat'

    answer = sh(script).stdout.decode().splitlines()

    assert answer[1] == "700"
    assert answer[2] == answer[3]
    assert Path(answer[2]).parent == place.resolve()
    assert len(answer) == 4


def test_it_reads_a_copy_that_it_cannot_change_for_others(tmp_path: Path) -> None:
    plan = tmp_path / "plan.json"
    plan.write_text("{}")
    plan.chmod(0o600)
    script = 'stat -c %a "$1"; cat "$1"; chmod 600 "$1"; echo changed >"$1"; rm "$1"; echo ok'

    answer = sh(script, f"{PLACE}/plan.json", inputs={"plan.json": plan})

    assert answer.stdout == b"400\n{}ok\n"
    assert plan.read_text() == "{}"
    assert plan.stat().st_mode & 0o777 == 0o600


def test_directories_that_it_closes_are_removed_all_the_same() -> None:
    assert sh("mkdir -p a/b; touch a/b/c; ln -s / a/link; chmod 0 a/b a; echo ok").stdout == b"ok\n"


@pytest.mark.parametrize("trap", ["", "trap '' TERM INT HUP;"])
def test_what_hangs_is_killed(trap: str) -> None:
    started = monotonic()

    with pytest.raises(PolicyError, match=r"sh was stopped: .* after 0\.3 seconds"):
        sh(f"{trap} while :; do sleep 60; done", timeout_seconds=0.3)
    assert monotonic() - started < 10


@pytest.mark.parametrize(("where", "what"), [("1", "output"), ("2", "error output")])
def test_what_says_too_much_is_killed(where: str, what: str) -> None:
    with pytest.raises(PolicyError, match=rf"more than 1000000 bytes|0 MiB of {what}"):
        sh(f"yes 0123456789 >&{where}")


def test_as_much_as_is_allowed_is_allowed() -> None:
    assert len(sh("head -c 1000000 /dev/zero").stdout) == 1_000_000
    with pytest.raises(PolicyError, match="wrote more than"):
        sh("head -c 1000001 /dev/zero")


@pytest.mark.parametrize("name", ["KILL", "SEGV", "TERM"])
def test_what_a_signal_ends_has_not_answered(name: str) -> None:
    with pytest.raises(PolicyError, match=f"ended by SIG{name}") as caught:
        sh(f"echo fine; kill -{name} $$; sleep 60")
    assert ("memory" in caught.value.todo) == (name == "KILL")


def test_a_signal_without_a_name_is_one_as_well() -> None:
    number = signal.SIGRTMIN + 2

    with pytest.raises(PolicyError, match=f"ended by signal {number}"):
        sh(f"kill -{number} $$; sleep 60")


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere only its process group is swept")
@pytest.mark.parametrize(
    "script",
    [
        "sleep 600 & echo $!",
        "setsid sh -c 'echo $$; exec sleep 600' & sleep 0.2",
        # As daemons do: twice, in a session of its own, with nothing of ours left.
        "(setsid sh -c 'sh -c \"echo \\$\\$; exec env -i sleep 600\" &' &) ; sleep 0.2",
        "trap '' TERM; (trap '' TERM HUP; sh -c 'echo $$; exec sleep 600' &) ; sleep 0.2; exit 0",
    ],
    ids=["background", "session", "daemon", "deaf"],
)
def test_what_it_leaves_running_goes_with_it(script: str) -> None:
    started = monotonic()

    answer = sh(script)

    assert is_gone(int(answer.stdout))
    assert monotonic() - started < 20


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere only its process group is swept")
def test_what_forked_away_is_killed_at_the_time_limit_too(tmp_path: Path) -> None:
    told = tmp_path / "pid"

    with pytest.raises(PolicyError, match="was stopped"):
        sh(f"setsid sh -c 'echo $$ >{told}; exec sleep 600' & sleep 600", timeout_seconds=0.7)
    assert is_gone(int(told.read_text()))


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere nothing tells them apart")
def test_who_kills_its_watcher_has_not_answered_and_is_swept_away(tmp_path: Path) -> None:
    told = tmp_path / "pid"
    script = f"setsid sh -c 'echo $$ >{told}; exec sleep 600' & sleep 0.3; kill -9 $PPID; sleep 600"

    with pytest.raises(PolicyError, match="What watches over sh was killed"):
        sh(script)
    assert is_gone(int(told.read_text()))


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")
def test_nothing_of_it_goes_on_when_we_are_killed(tmp_path: Path, place: Path) -> None:
    told = tmp_path / "pid"
    code = (
        "import tempfile; from driftctl_py.adapters.contained import *\n"
        f"tempfile.tempdir = {str(place)!r}\n"
        f"run_contained(('/bin/sh', '-c', 'echo $$ >{told}; kill -9 $US; sleep 600'),"
        "env={'US': str(os.getpid()), 'PATH': os.environ['PATH']}, stop=Stop(), timeout_seconds=60)"
    )
    # The program that kills us is contained itself, so this test leaves nothing either.
    outer = run_contained(
        (
            SH,
            "-c",
            '"$0" -c "$1"; echo $?; for i in 1 2 3 4 5 6 7 8 9; do sleep 0.1; done',
            sys.executable,
            f"import os\n{code}",
        ),
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(Path(__file__).parents[2])},
        stop=Stop(),
        timeout_seconds=60,
    )

    assert outer.stdout.strip() == b"137", outer
    assert is_gone(int(told.read_text()))


def test_a_wish_to_stop_ends_it() -> None:
    stop = Stop()
    threading.Timer(0.2, stop.ask).start()

    with pytest.raises(Interrupted, match="Stopped while sh ran"):
        sh("sleep 600", stop=stop)


def test_what_cannot_be_started_says_why(tmp_path: Path) -> None:
    def start(program: str) -> None:
        run_contained((program, "x"), env={"PATH": str(tmp_path)}, stop=Stop(), timeout_seconds=30)

    for name, text, mode in (
        ("plain", "#!/bin/sh\n", 0o644),
        ("orphan", "#!/nonexistent/interpreter\n", 0o755),
        ("bare", "\x00\x01", 0o755),
    ):
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(mode)

    with pytest.raises(PolicyError, match="There is no program nonesuch on PATH"):
        start("nonesuch")
    with pytest.raises(PolicyError, match="There is no program plain on PATH"):
        start("plain")
    with pytest.raises(PolicyError, match="plain could not be started: it is not executable"):
        start(str(tmp_path / "plain"))
    with pytest.raises(PolicyError, match="absent could not be started: there is no such file"):
        start(str(tmp_path / "absent"))
    with pytest.raises(PolicyError, match="names an interpreter that is not there"):
        start("orphan")
    with pytest.raises(PolicyError, match="bare could not be started: it is no program"):
        start("bare")
    with pytest.raises(PolicyError, match="could not be started"):
        start(str(tmp_path))


def test_what_cannot_be_given_to_it_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match="sh could not be given what it is to read: No such file"):
        sh("cat plan.json", inputs={"plan.json": tmp_path / "absent"})


def test_nothing_keeps_it_from_writing_elsewhere(tmp_path: Path) -> None:
    """Which takes privileges to prevent, so the documentation says that it is not."""
    sh(f"echo here >{tmp_path}/elsewhere")

    assert (tmp_path / "elsewhere").read_text() == "here\n"


def test_a_core_dump_is_not_written() -> None:
    assert sh("ulimit -c").stdout == b"0\n"


def test_a_broken_pipe_ends_it_as_it_would_by_hand() -> None:
    assert python("import signal; print(signal.getsignal(signal.SIGPIPE))").exit_code == 0
    assert sh("yes | head -n 1").stdout == b"y\n"

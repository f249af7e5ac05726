"""A playground: one directory with a cloud, a Git repository, a provider and a state bucket.

    DIR/cloud/prod/*.json   the cloud: edit a file and it has drifted
    DIR/infra               the Git repository, with driftctl.yaml at its root
    DIR/mirror              the provider, as a provider mirror
    DIR/state               the state bucket's objects, kept by the state server
    DIR/apply               applies one environment, as a person would
    DIR/.playground         what the playground itself needs

Here it is laid out and applied. Who plays in it, and what is said about it, is `__init__.py`'s.
"""

from __future__ import annotations

import json
import os
import pwd
import shlex
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import driftctl_py
from driftctl_py.adapters import process
from driftctl_py.demo.state_server import BUCKET, REGION
from driftctl_py.errors import EngineError, EngineMissing, SourceError, UsageError

ENVIRONMENTS = ("dev", "staging", "prod")

_PROVIDER = "demo.driftctl.example/driftctl/folder"
_PROVIDER_VERSION = "1.0.0"
# Native locks are an object beside the state; both engines have them since this release.
_FIRST_WITH_NATIVE_LOCKS = (1, 10)
_TITLES = {"embedded": "the embedded Terraform", "terraform": "Terraform", "tofu": "OpenTofu"}
_RUN_SECONDS = 120.0
# What the state bucket's clients sign with; moto takes anything.
_PROFILE = "driftctl-demo"
_AWS_CONFIG = f"""\
# Whom to be for the playground's local S3, which takes anybody.
[profile {_PROFILE}]
region = {REGION}
aws_access_key_id = demo
aws_secret_access_key = demo
"""


@dataclass(frozen=True, slots=True)
class Engine:
    """The program that applies: how it is started, and what it says of itself."""

    use: str
    argv: tuple[str, ...]
    version: str
    platform: str

    def __str__(self) -> str:
        titles = {
            "embedded": "the embedded Terraform",
            "terraform": "Terraform",
            "tofu": "OpenTofu",
        }
        return f"{titles.get(self.use, self.use)} {self.version}"

    @property
    def has_native_locks(self) -> bool:
        major, minor = self.version.split(".")[:2]
        return (int(major), int(minor)) >= _FIRST_WITH_NATIVE_LOCKS


@dataclass(frozen=True, slots=True)
class Playground:
    """The directory, and where things are in it. ``directory`` is absolute."""

    directory: Path

    @property
    def infra(self) -> Path:
        return self.directory / "infra"

    @property
    def config(self) -> Path:
        return self.infra / "driftctl.yaml"

    @property
    def private(self) -> Path:
        return self.directory / ".playground"

    @property
    def aws_config(self) -> Path:
        return self.private / "aws-config"

    def cloud(self, environment: str) -> Path:
        return self.directory / "cloud" / environment

    def backend(self, environment: str) -> Path:
        return self.private / f"{environment}.s3.tfbackend"

    def settings(self, environment: str) -> dict[str, str]:
        """The environment variables of an engine that works in this playground."""
        return {
            # Whatever the user set up for the real AWS has no business here.
            "AWS_PROFILE": _PROFILE,
            "AWS_CONFIG_FILE": str(self.aws_config),
            "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
            "AWS_EC2_METADATA_DISABLED": "true",
            "CHECKPOINT_DISABLE": "1",
            "TF_CLI_CONFIG_FILE": str(self.private / "engine.tfrc"),
            "TF_DATA_DIR": str(self.private / "data" / environment),
            "TF_IN_AUTOMATION": "1",
            "TF_VAR_cloud": str(self.directory / "cloud"),
        }


def find_engine(use: str, environ: Mapping[str, str]) -> Engine:
    """``embedded``, ``terraform`` or ``tofu`` (on PATH), or the path of either."""
    argv = _engine_argv(use, environ)
    lines: list[bytes] = []
    env = {**environ, "CHECKPOINT_DISABLE": "1"}
    for leaked in [name for name in env if name.startswith(("TF_CLI_", "TF_LOG"))]:
        del env[leaked]
    try:
        done = process.run(
            [*argv, "version", "-json"],
            cwd=Path.cwd(),
            env=env,
            on_line=lines.append,
            stop=process.Stop(),
            timeout_seconds=_RUN_SECONDS,
        )
        said = json.loads(b"\n".join(lines))
        version, platform = str(said["terraform_version"]), str(said["platform"])
        [int(part) for part in version.split(".")[:2]]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise EngineMissing(
            f"{use} was started to ask its version, and that did not work: {error}.",
            todo="driftctl-py demo --engine embedded takes the Terraform that comes with it.",
        ) from error
    if done.exit_code != 0:
        raise EngineMissing(
            f"{use} ends with {done.exit_code} when asked its version: {done.stderr.strip()}",
            todo="driftctl-py demo --engine embedded takes the Terraform that comes with it.",
        )
    return Engine(use, argv, version, platform)


def _engine_argv(use: str, environ: Mapping[str, str]) -> tuple[str, ...]:
    if use == "embedded":
        return (sys.executable, "-P", "-m", "driftctl_py.embedded")
    found = shutil.which(use, path=environ.get("PATH", ""))
    if found is None:
        raise EngineMissing(
            f"There is no program {use} on PATH, so the demo has nothing to apply with.",
            todo="driftctl-py demo --engine embedded takes the Terraform that comes with it.",
        )
    return (str(Path(found).absolute()),)


def prepare(directory: Path) -> Playground:
    """Make the directory, or take an empty one; anything else is left as it is."""
    directory = directory.absolute()
    try:
        directory.mkdir(parents=True, exist_ok=True)
        occupied = any(directory.iterdir())
    except OSError as error:
        raise UsageError(
            f"{directory} cannot become a playground: {error.strerror}.",
            todo="Name a directory that is new or empty: driftctl-py demo --keep DIR",
        ) from error
    if occupied:
        raise UsageError(
            f"{directory} is not empty, so no playground was made there; nothing was changed.",
            todo="Name a directory that is new or empty: driftctl-py demo --keep DIR",
        )
    # Resolved, since the state server answers with its real path.
    playground = Playground(directory.resolve())
    playground.private.mkdir(mode=0o700)
    return playground


def lay_out(playground: Playground, engine: Engine, endpoint: str) -> None:
    """Write the cloud, the provider, the repository's files and the settings."""
    for environment in ENVIRONMENTS:
        playground.cloud(environment).mkdir(parents=True)
        playground.backend(environment).write_text(
            _backend_text(environment, endpoint, engine), encoding="utf-8"
        )
    playground.aws_config.write_text(_AWS_CONFIG, encoding="utf-8")
    _install_provider(playground, engine)
    shutil.copytree(Path(__file__).with_name("estate"), playground.infra)
    (playground.infra / ".gitignore").write_text(".terraform/\n*.tfstate*\n", encoding="utf-8")
    playground.config.write_text(_config_text(playground, engine, endpoint), encoding="utf-8")
    _executable(playground.directory / "apply", _apply_script(playground, engine))


def initialise(playground: Playground, engine: Engine, environ: Mapping[str, str]) -> None:
    """Run ``init`` everywhere, which writes the lock files, and commit what there is.

    The lock files belong to the commit: a check must not write to the user's directory, and
    without one an engine would.
    """
    for environment in ENVIRONMENTS:
        _run(playground, engine, environment, init_argv(playground, environment), environ)
    _git(playground, ("init", "--quiet", "--initial-branch=main"), environ)
    # So that whoever plays need not say who they are, and is not who wrote the estate.
    _git(playground, ("config", "user.name", "Ada Lovelace"), environ)
    _git(playground, ("config", "user.email", "ada@example.com"), environ)
    _git(playground, ("add", "--all"), environ)
    _git(playground, ("commit", "--quiet", "-m", "Three environments from one module"), environ)


def apply(
    playground: Playground, engine: Engine, environment: str, environ: Mapping[str, str]
) -> int:
    """Apply one environment; how many resources its cloud then holds."""
    _run(playground, engine, environment, ("apply", "-input=false", "-auto-approve"), environ)
    return len(list(playground.cloud(environment).glob("*.json")))


def init_argv(playground: Playground, environment: str) -> tuple[str, ...]:
    return (
        "init",
        "-input=false",
        "-reconfigure",
        f"-backend-config={playground.backend(environment)}",
    )


def _run(
    playground: Playground,
    engine: Engine,
    environment: str,
    arguments: tuple[str, ...],
    environ: Mapping[str, str],
) -> None:
    output: list[bytes] = []
    passed = {name: environ[name] for name in ("PATH", "HOME", "TMPDIR", "LANG") if name in environ}
    done = process.run(
        [*engine.argv, *arguments, "-no-color"],
        cwd=playground.infra / "environments" / environment,
        env={**passed, **_module_path(environ), **playground.settings(environment)},
        on_line=output.append,
        stop=process.Stop(),
        timeout_seconds=None if arguments[0] == "apply" else _RUN_SECONDS,
        # An apply that is killed loses what it has made; it is let finish.
        kill_after_seconds=None if arguments[0] == "apply" else process.INTERRUPT_GRACE_SECONDS,
    )
    if done.exit_code != 0:
        said = b"\n".join(output[-40:]).decode("utf-8", "replace") + "\n" + done.stderr
        raise EngineError(
            f"{environment}: {engine.use} {arguments[0]} ended with {done.exit_code}, so the "
            f"playground is not complete. It said:\n{said.strip()}",
            todo="This is a bug in driftctl_py."
            if engine.use == "embedded"
            else "Try the one that comes with it: driftctl-py demo --engine embedded",
        )


def _git(playground: Playground, arguments: tuple[str, ...], environ: Mapping[str, str]) -> None:
    output: list[bytes] = []
    # Not the user's: their hooks, signing keys and templates, nor the repository in whose hook
    # or alias this may run.
    env = {
        **{name: value for name, value in environ.items() if not name.startswith("GIT_")},
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_AUTHOR_NAME": "Grace Hopper",
        "GIT_AUTHOR_EMAIL": "grace@example.com",
        "GIT_COMMITTER_NAME": "Grace Hopper",
        "GIT_COMMITTER_EMAIL": "grace@example.com",
    }
    try:
        done = process.run(
            ["git", *arguments],
            cwd=playground.infra,
            env=env,
            on_line=output.append,
            stop=process.Stop(),
            timeout_seconds=_RUN_SECONDS,
        )
    except OSError as error:
        raise SourceError(
            f"git could not be started ({error.strerror}), and the demo's code lies in a Git "
            "repository.",
            todo="Install git and put it on PATH.",
        ) from error
    if done.exit_code != 0:
        raise SourceError(
            f"git {arguments[0]} ended with {done.exit_code} in {playground.infra}: "
            f"{done.stderr.strip()}",
            todo="The demo needs git 2.28 or newer.",
        )


def _module_path(environ: Mapping[str, str]) -> dict[str, str]:
    """What a Python program of ours (the embedded engine) needs to find this package."""
    return {"PYTHONPATH": environ["PYTHONPATH"]} if "PYTHONPATH" in environ else {}


def _install_provider(playground: Playground, engine: Engine) -> None:
    home = playground.private / "home"
    home.mkdir(mode=0o700)
    folder = playground.directory.joinpath(
        "mirror", *_PROVIDER.split("/"), _PROVIDER_VERSION, engine.platform
    )
    folder.mkdir(parents=True)
    # An engine starts it with whatever environment it was given itself, so all that Python needs
    # is written here. HOME: `tf` keeps a certificate in it, which is none of the user's.
    # The interpreter finds its own packages; it is told where ours, and a user's, are.
    ours = str(Path(driftctl_py.__file__).parents[1])
    theirs = [path for path in sys.path if path.endswith(("site-packages", "dist-packages"))]
    module_path = ":".join(dict.fromkeys([ours, *theirs]))
    _executable(
        folder / f"terraform-provider-folder_v{_PROVIDER_VERSION}",
        "#!/bin/sh\n"
        f"HOME={shlex.quote(str(home))} PYTHONPATH={shlex.quote(module_path)} \\\n"
        f'exec {shlex.quote(sys.executable)} -P -m driftctl_py.demo.provider "$@"\n',
    )
    (playground.private / "engine.tfrc").write_text(
        "provider_installation {\n"
        "  filesystem_mirror {\n"
        # The old HCL, in which ${ begins no template: a JSON string is one of its strings.
        f"    path = {json.dumps(str(playground.directory / 'mirror'), ensure_ascii=False)}\n"
        "  }\n"
        "}\n",
        encoding="utf-8",
    )


def _backend_text(environment: str, endpoint: str, engine: Engine) -> str:
    lock = "use_lockfile = true\n" if engine.has_native_locks else ""
    return (
        f"bucket = {json.dumps(BUCKET)}\n"
        f"key = {json.dumps(f'{environment}/terraform.tfstate')}\n"
        f"region = {json.dumps(REGION)}\n"
        f"endpoints = {{ s3 = {json.dumps(endpoint)} }}\n"
        "use_path_style = true\n"
        "skip_credentials_validation = true\n"
        "skip_metadata_api_check = true\n"
        "skip_region_validation = true\n"
        "skip_requesting_account_id = true\n"
        "skip_s3_checksum = true\n"
        f"{lock}"
    )


def _config_text(playground: Playground, engine: Engine, endpoint: str) -> str:
    use = engine.use if engine.use in {"embedded", "terraform", "tofu"} else engine.argv[0]
    lock = "native" if engine.has_native_locks else "none"
    user = _user()
    # JSON strings are YAML strings, whatever a directory is called.
    return f"""\
# What driftctl-py checks here: docs/configuration.md explains every key.
version: 1

# Beside the playground and not in your home, so that deleting it leaves nothing behind.
data_dir: ../.playground/check

engine:
  use: {json.dumps(use)}
  # Whole, since `driftctl-py review` reads this file at another commit, laid out elsewhere.
  provider_mirror: {json.dumps(str(playground.directory / "mirror"), ensure_ascii=False)}

state:
  s3:
    bucket: {BUCKET}
    region: {REGION}
    key: "{{environment}}/terraform.tfstate"
    lock: {lock}
    endpoint: {json.dumps(endpoint)}

# Whoever made the playground may say yes to what is planned in it. Elsewhere somebody who did not
# write the change would, and prove who they are: docs/applying.md.
people:
  me: [{json.dumps("os:" + user)}]
groups:
  owners: [me]

defaults:
  # Drift is put back without asking; what a commit changes waits for `driftctl-py approve`.
  apply: {{drift: auto, git: gate}}
  approval: {{groups: [owners], author_may: true, unverified: true}}
  # How often `driftctl-py controller` looks.
  interval: 10s
  variables:
    cloud: {json.dumps(str(playground.directory / "cloud"))}
  # The local S3 takes anybody, but somebody one must be. For a real bucket you name your own
  # profile or role here, or nothing, and the file is the one in your home.
  credentials:
    plan: {{profile: {_PROFILE}}}
    apply: {{profile: {_PROFILE}}}
  env:
    AWS_CONFIG_FILE: {json.dumps(str(playground.aws_config))}

environments:
  - environments/*
"""


def _apply_script(playground: Playground, engine: Engine) -> str:
    quoted = shlex.quote
    settings = playground.settings("").items()
    exports = "\n".join(
        f"export {name}={quoted(value)}" for name, value in settings if name != "TF_DATA_DIR"
    )
    program = shlex.join(engine.argv)
    return f"""\
#!/bin/sh
# Applies one environment of this playground: apply prod
set -eu
environment=${{1:?which one? dev, staging or prod}}
shift
unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN
{exports}
export TF_DATA_DIR={quoted(str(playground.private / "data"))}/"$environment"
cd {quoted(str(playground.infra / "environments"))}/"$environment"
{program} init -input=false -reconfigure \\
  -backend-config={quoted(str(playground.private))}/"$environment".s3.tfbackend >/dev/null
exec {program} apply "$@"
"""


def _user() -> str:
    """Who makes the playground, as the operating system calls them."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())


def _executable(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
    path.chmod(0o755)

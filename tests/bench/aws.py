"""`check` of an environment on the real AWS provider, against the bare engine.

    python -m tests.bench.aws [--engine terraform] [--rounds 5] [--collector]

The cloud is a moto server on this machine, so there is no latency and no throttling: wall times
on AWS are longer for both sides. The provider comes from a mirror on this machine (see
``aws_support``), since what is measured is a warm environment.

Two states are measured. *Recorded*: `apply -refresh-only` was run, so a refresh finds what the
state holds and the event stream alone proves that all is in sync. *Unrecorded*: as `apply` left
it; AWS answers empty tags where the configuration has none, so the plan lists drift that means
nothing, and one `show` is needed to see that. What was read is kept for as long as the plan stays
the same; a check that has to read it anew is measured beside.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
from pathlib import Path

from driftctl_py.adapters.terraform import cli_config
from tests.bench.fleet import prove_in_sync
from tests.bench.installed import (
    Engine,
    add_arguments,
    bare_environ,
    engines,
    git,
    program,
    workplace,
)
from tests.bench.measure import TWIN, Command, compare, verdict
from tests.e2e.aws_support import Moto, moto_server, provider_mirror

BASELINE, CHECK, NAIVE = "plan", "driftctl-py check", "init && plan && show"
ANEW = "driftctl-py check, a plan not seen before"
BUCKET = "example-states"
# (against plan, against init && plan && show)
LIMITS = {"recorded": (0.8, 0.6), "unrecorded": (1.05, 0.75)}
COLLECTORS = (
    {"GOGC": "200"},
    {"GOGC": "400"},
    {"GOGC": "800"},
    {"GOGC": "1600"},
    {"GOGC": "off", "GOMEMLIMIT": "1024MiB"},
    {"GOGC": "off", "GOMEMLIMIT": "512MiB"},
)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.aws")
    add_arguments(parser)
    parser.set_defaults(rounds=5)
    parser.add_argument("--engine", action="append", default=[], help="default: all that are found")
    parser.add_argument(
        "--collector", action="store_true", help="plan with other settings of the collector instead"
    )
    arguments = parser.parse_args()
    with workplace() as work:
        driftctl = program(arguments.program, work)
        mirror = provider_mirror(work / "mirror", os.environ)
        if mirror is None:
            raise SystemExit(
                "There is no mirror with the AWS provider here. Name one: "
                "DRIFTCTL_TEST_PROVIDER_MIRROR=/path/to/mirror"
            )
        tfrc = work / "mirror.tfrc"
        tfrc.write_text(cli_config(mirror))
        for engine in engines(driftctl, arguments.engine):
            here = work / engine.use
            here.mkdir()
            with moto_server(here / "moto.log") as moto:
                moto.client("s3").create_bucket(
                    Bucket=BUCKET,
                    CreateBucketConfiguration={"LocationConstraint": "eu-central-1"},
                )
                environ = {
                    **bare_environ(here),
                    **moto.settings(here),
                    "TF_CLI_CONFIG_FILE": str(tfrc),
                }
                if arguments.collector:
                    collector(engine, here, environ, moto, rounds=arguments.rounds)
                else:
                    measure(engine, driftctl, here, environ, moto, rounds=arguments.rounds)
            shutil.rmtree(here)


def measure(
    engine: Engine,
    driftctl: Path,
    work: Path,
    environ: dict[str, str],
    moto: Moto,
    *,
    rounds: int,
) -> None:
    """One engine, both states."""
    repo = build(engine, work, environ)
    bare = work / "bare"
    shutil.copytree(repo / "environments" / "orders", bare)
    check = [str(driftctl), "check", "--data-dir", str(work / "data")]
    naive = (
        f"{engine.path} init -input=false && {' '.join(_plan(engine))} && {engine.path} show "
        "-json plan.tfplan"
    )
    commands = [
        Command(BASELINE, _plan(engine), bare, environ),
        Command(CHECK, check, repo, environ),
        Command(NAIVE, ["sh", "-c", naive], bare, environ),
    ]

    def forget() -> None:
        for kept in (work / "data" / "environments").glob("*/in-sync.json"):
            kept.unlink()

    for name in ("unrecorded", "recorded"):
        if name == "recorded":
            _engine(engine, "apply -refresh-only -auto-approve -input=false", bare, environ)
        quiet = prove_in_sync(check, 1, repo, environ)
        state_before = moto.objects(BUCKET)
        anew = [] if quiet else [Command(ANEW, check, repo, environ, before=forget)]
        result = compare([*commands, *anew], rounds=rounds)
        if moto.objects(BUCKET) != state_before:
            raise SystemExit("The state changed while it was only looked at.")
        print(f"\n### {name} state, {engine.use}\n\n{result.table()}\n")
        print(f"       differences that mean nothing: {'none' if quiet else 'some'}")
        against_plan, against_naive = LIMITS[name]
        for measured in [CHECK] if quiet else [CHECK, ANEW]:
            print(
                verdict(f"{measured} against {BASELINE}", result.ratio(measured), against_plan),
                verdict(
                    f"{measured} against {NAIVE}",
                    result.ratio(measured, to=NAIVE),
                    against_naive,
                ),
                sep="\n",
            )
        print(f"       noise: {TWIN} {result.ratio(TWIN):.2f}", flush=True)


def collector(
    engine: Engine, work: Path, environ: dict[str, str], moto: Moto, *, rounds: int
) -> None:
    """The bare plan under several settings of the engine's garbage collector."""
    del moto
    repo = build(engine, work, environ)
    here = repo / "environments" / "orders"
    _engine(engine, "apply -refresh-only -auto-approve -input=false", here, environ)
    commands = [Command(BASELINE, _plan(engine), here, environ)]
    for setting in COLLECTORS:
        name = " ".join(f"{key}={value}" for key, value in setting.items())
        commands.append(Command(name, _plan(engine), here, {**environ, **setting}))
    print(f"\n### plan, {engine.use}\n\n{compare(commands, rounds=rounds).table()}\n", flush=True)


def build(engine: Engine, work: Path, environ: dict[str, str]) -> Path:
    """A repository with one environment of ten resources, applied; its state is in S3."""
    repo = work / "repo"
    directory = repo / "environments" / "orders"
    directory.mkdir(parents=True)
    (directory / "main.tf").write_text(_CONFIGURATION)
    use = engine.use if engine.use == "embedded" else engine.path
    (repo / "driftctl.yaml").write_text(
        f"version: 1\nengine:\n  use: {use}\n  cli_config: {environ['TF_CLI_CONFIG_FILE']}\n"
        "environments:\n  - environments/*\n"
    )
    (repo / ".gitignore").write_text(".terraform/\n*.tfplan\n")
    _engine(engine, "init -input=false", directory, environ)
    _engine(engine, "apply -auto-approve -input=false", directory, environ)
    git(repo, "init", "--quiet", "--initial-branch=main")
    git(repo, "add", ".")
    git(repo, "commit", "--quiet", "--message=Orders")
    return repo


_CONFIGURATION = f"""\
terraform {{
  required_providers {{
    aws = {{
      source = "hashicorp/aws"
    }}
  }}
  backend "s3" {{
    bucket                      = "{BUCKET}"
    key                         = "orders/terraform.tfstate"
    region                      = "eu-central-1"
    use_path_style              = true
    skip_credentials_validation = true
    skip_requesting_account_id  = true
    skip_region_validation      = true
    skip_metadata_api_check     = true
  }}
}}

provider "aws" {{
  region                      = "eu-central-1"
  s3_use_path_style           = true
  skip_credentials_validation = true
  skip_requesting_account_id  = true
  skip_metadata_api_check     = true
}}

resource "aws_s3_bucket" "part" {{
  count  = 5
  bucket = "example-orders-${{count.index}}"
}}

resource "aws_ssm_parameter" "part" {{
  count = 5
  name  = "/orders/part-${{count.index}}"
  type  = "String"
  value = "value ${{count.index}}"
}}
"""


def _plan(engine: Engine) -> list[str]:
    return [engine.path, "plan", "-json", "-input=false", "-lock=false", "-out=plan.tfplan"]


def _engine(engine: Engine, command: str, directory: Path, environ: dict[str, str]) -> None:
    done = subprocess.run(
        [engine.path, *command.split()],
        cwd=directory,
        env=environ,
        capture_output=True,
        text=True,
    )
    if done.returncode != 0:
        raise SystemExit(f"{engine.use} {command} failed:\n{done.stdout}\n{done.stderr}")


if __name__ == "__main__":
    main()

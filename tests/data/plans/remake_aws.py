"""Make the plans of the real AWS provider again, against a moto server.

    python -m tests.data.plans.remake_aws [NAME ...]

Like ``remake.py``, with another cloud. Needs the provider, from a mirror on this machine or from a
registry; see ``tests/e2e/aws_support.py``.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from driftctl_py.adapters.terraform import cli_config
from tests.data.plans.remake import HERE, Engine, Scenario, engines, keep
from tests.e2e.aws_support import REGION, Moto, moto_server, provider_mirror

PROVIDER = f"""\
provider "aws" {{
  region                      = "{REGION}"
  skip_credentials_validation = true
  skip_requesting_account_id  = true
  skip_metadata_api_check     = true
  s3_use_path_style           = true
}}
"""


def edit_the_estate(moto: Moto) -> None:
    """Somebody clicks around in the console."""
    moto.client("s3").put_bucket_tagging(
        Bucket="example-assets",
        Tagging={"TagSet": [{"Key": "team", "Value": "growth"}]},
    )
    ssm = moto.client("ssm")
    ssm.delete_parameter(Name="/orders/flag")
    ssm.put_parameter(
        Name="/orders/password", Value="CANARY-by-hand", Type="SecureString", Overwrite=True
    )
    ec2 = moto.client("ec2")
    (group,) = ec2.describe_security_groups(
        Filters=[{"Name": "group-name", "Values": ["example-web"]}]
    )["SecurityGroups"]
    ec2.authorize_security_group_ingress(
        GroupId=group["GroupId"],
        IpPermissions=[
            {
                "IpProtocol": "tcp",
                "FromPort": 22,
                "ToPort": 22,
                "IpRanges": [{"CidrIp": "0.0.0.0/0", "Description": "just for now"}],
            }
        ],
    )


def nothing(moto: Moto) -> None:
    """Nobody does anything."""


SCENARIOS: dict[str, tuple[Scenario, Callable[[Moto], None]]] = {
    "aws_clean": (Scenario(), nothing),
    "aws_estate": (Scenario(), edit_the_estate),
    "aws_write_only": (Scenario(since=(("terraform", (1, 11)), ("tofu", (1, 11)))), nothing),
}


def remake(name: str, world: Callable[[Moto], None], engine: Engine, mirror: Path | None) -> None:
    source, out = HERE / name, HERE / name / f"{engine.family}-{engine.version}.json"
    with tempfile.TemporaryDirectory() as directory, moto_server(Path(directory, "log")) as moto:
        work = Path(directory)
        os.environ.update(moto.settings(work))
        (work / "engine.tfrc").write_text(cli_config(mirror) if mirror else "")
        (work / "provider.tf").write_text(PROVIDER)
        main = source / "main.tf"
        before = source / "before.tf"
        shutil.copy(before if before.exists() else main, work / "main.tf")
        engine.run(work, "init", "-input=false")
        engine.run(work, "apply", "-auto-approve", "-input=false")
        shutil.copy(main, work / "main.tf")
        world(moto)
        engine.run(work, "plan", "-input=false", "-out=plan")
        keep(engine, work, out)
        for file in (out, out.with_suffix(".txt")):
            give_ids(file)
            if moto.endpoint in file.read_text():
                raise SystemExit(f"{file} names the server of this machine")


def give_ids(file: Path) -> None:
    """Ids that tell nothing, of the same length: moto draws them by lot."""
    kinds = re.findall(r"\b(vol|sg)-[0-9a-f]{17}\b", text := file.read_text())
    assert len(set(re.findall(r"\b(?:vol|sg)-[0-9a-f]{17}\b", text))) == len(set(kinds))
    file.write_text(re.sub(r"\b(vol|sg)-[0-9a-f]{17}\b", rf"\1-{'0123456789abcdef0'}", text))


def main() -> None:
    with tempfile.TemporaryDirectory() as directory:
        mirror = provider_mirror(Path(directory), os.environ)
        for name in sys.argv[1:] or sorted(SCENARIOS):
            scenario, world = SCENARIOS[name]
            for engine in engines():
                if engine.can(scenario):
                    print(name, f"{engine.family}-{engine.version}", flush=True)
                    remake(name, world, engine, mirror)


if __name__ == "__main__":
    main()

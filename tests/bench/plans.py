"""Plans of any size, as an engine writes them: one line, in its order of keys, none of it kept.

    python -m tests.bench.plans FILE --megabytes 100 [--small] [--seed 1843]

Every resource is in ``resource_changes`` (before and after), in ``prior_state``, in
``planned_values`` and, with its own block, in ``configuration``, where one in a hundred has a
provisioner. One in a hundred is changed: updates, creates, deletes, replacements and drift in
turns. The same arguments always make the same bytes.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

SEED = 1843
MEGABYTE = 1_000_000
IN_A_MODULE = 100
ONE_IN = 100

_PROVIDER = "registry.terraform.io/hashicorp/aws"
_CHANGES = ("update", "drift-reverted", "update", "replace", "create", "update", "delete", "drift")

# Any: JSON.
Values = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Made:
    """What a plan holds, by what happens to its resources; ``changed`` are all but the rest."""

    resources: int
    add: int
    change: int
    destroy: int
    drifted: int
    changed: int


@dataclass(frozen=True, slots=True)
class Type:
    """A type of resource: its values, what changes when it is updated, replaced or edited
    outside, and what is only known once it is made. ``mirror`` is where secrets could be, as
    the engine spells it beside the values."""

    name: str
    values: Callable[[str, int], Values]
    mirror: Callable[[Values], Values]
    updated: Callable[[Values, str], Values]
    replaced: Callable[[Values, str], Values]
    forces: str
    edited: Callable[[Values, str], Values]
    computed: tuple[str, ...]
    configured: tuple[str, ...]


def write_plan(path: Path, megabytes: float, *, small: bool = False, seed: int = SEED) -> Made:
    """A plan of about that size."""
    kind = SMALL if small else INSTANCE
    resources = max(1, round(megabytes * MEGABYTE / _bytes_each(path, kind, seed)))
    return _write(path, kind, resources, seed)


def _bytes_each(path: Path, kind: Type, seed: int) -> float:
    sample = 2 * IN_A_MODULE
    _write(path, kind, sample, seed)
    return path.stat().st_size / sample


def _write(path: Path, kind: Type, resources: int, seed: int) -> Made:
    plan = _Plan(kind, resources, seed)
    with path.open("w", encoding="utf-8", newline="") as out:
        plan.write(out)
    fates = [fate for fate in map(plan.fate, range(resources)) if fate]
    replaced = fates.count("replace")
    return Made(
        resources=resources,
        add=fates.count("create") + replaced,
        change=fates.count("update") + fates.count("drift-reverted"),
        destroy=fates.count("delete") + replaced,
        drifted=fates.count("drift-reverted") + fates.count("drift"),
        changed=len(fates),
    )


class _Plan:
    """One plan, written from front to back; each resource is worked out anew for each part."""

    def __init__(self, kind: Type, resources: int, seed: int) -> None:
        self.kind, self.resources, self.seed = kind, resources, seed

    def write(self, out: TextIO) -> None:
        out.write('{"format_version":"1.2","terraform_version":"1.11.4","planned_values":')
        self._values(out, planned=True)
        if any(self.fate(number).startswith("drift") for number in range(self.resources)):
            out.write(',"resource_drift":')
            _join(out, "[", "]", self._drift())
        out.write(',"resource_changes":')
        _join(out, "[", "]", map(self._change, range(self.resources)))
        out.write(',"prior_state":{"format_version":"1.0","terraform_version":"1.11.4","values":')
        self._values(out, planned=False)
        out.write('},"configuration":')
        self._configuration(out)
        out.write(
            ',"timestamp":"2026-11-23T00:00:00Z","applyable":true,"complete":true,'
            '"errored":false}\n'
        )

    def fate(self, number: int) -> str:
        """What happens to it; empty for nothing."""
        if number % ONE_IN != ONE_IN // 2:
            return ""
        return _CHANGES[number // ONE_IN % len(_CHANGES)]

    def _digits(self, number: int) -> str:
        """64 hexadecimal digits that are its own."""
        return hashlib.blake2b(b"%d.%d" % (self.seed, number), digest_size=32).hexdigest()

    def _recorded(self, number: int) -> Values:
        return self.kind.values(self._digits(number), number)

    def _real(self, number: int) -> Values:
        recorded = self._recorded(number)
        drifted = self.fate(number).startswith("drift")
        return self.kind.edited(recorded, self._digits(number)) if drifted else recorded

    def _planned(self, number: int) -> Values:
        """With what is not known yet left out, as the engine does."""
        fate, digits = self.fate(number), self._digits(number)
        if fate == "update":
            return self.kind.updated(self._recorded(number), digits)
        if fate == "drift-reverted":
            return self._recorded(number)
        if fate in ("create", "replace"):
            wanted = self._recorded(number)
            if fate == "replace":
                wanted = self.kind.replaced(wanted, digits)
            return {key: wanted[key] for key in wanted if key not in self.kind.computed}
        return self._real(number)

    def _drift(self) -> Iterator[str]:
        for number in range(self.resources):
            if self.fate(number).startswith("drift"):
                yield self._entry(number, ["update"], self._recorded(number), self._real(number))

    def _change(self, number: int) -> str:
        actions = {
            "update": ["update"],
            "drift-reverted": ["update"],
            "replace": ["delete", "create"],
            "create": ["create"],
            "delete": ["delete"],
        }.get(self.fate(number), ["no-op"])
        before = None if actions == ["create"] else self._real(number)
        after = None if actions == ["delete"] else self._planned(number)
        return self._entry(number, actions, before, after)

    def _entry(
        self, number: int, actions: list[str], before: Values | None, after: Values | None
    ) -> str:
        made = "create" in actions
        change: Values = {
            "actions": actions,
            "before": before,
            "after": after,
            "after_unknown": dict.fromkeys(self.kind.computed, True) if made else {},
            "before_sensitive": False if before is None else self.kind.mirror(before),
            "after_sensitive": False if after is None else self.kind.mirror(after),
        }
        entry = {
            "address": self._address(number),
            "module_address": _module(number),
            **self._identity(number),
            "provider_name": _PROVIDER,
            "change": change,
        }
        if actions == ["delete", "create"]:
            change["replace_paths"] = [[self.kind.forces]]
            entry["action_reason"] = "replace_because_cannot_update"
        if actions == ["delete"]:
            entry["action_reason"] = "delete_because_no_resource_config"
        return _compact(entry)

    def _values(self, out: TextIO, *, planned: bool) -> None:
        out.write('{"root_module":{"child_modules":')
        _join(out, "[", "]", self._modules(planned=planned))
        out.write("}}")

    def _modules(self, *, planned: bool) -> Iterator[str]:
        missing = "delete" if planned else "create"
        for first in range(0, self.resources, IN_A_MODULE):
            numbers = range(first, min(first + IN_A_MODULE, self.resources))
            there = [number for number in numbers if self.fate(number) != missing]
            of = self._planned if planned else self._real
            yield _compact(
                {
                    "resources": [self._object(number, of(number)) for number in there],
                    "address": _module(first),
                }
            )

    def _object(self, number: int, values: Values) -> Values:
        return {
            "address": self._address(number),
            **self._identity(number),
            "provider_name": _PROVIDER,
            "schema_version": 1,
            "values": values,
            "sensitive_values": self.kind.mirror(values),
        }

    def _configuration(self, out: TextIO) -> None:
        provider = {
            "name": "aws",
            "full_name": _PROVIDER,
            "version_constraint": "~> 5.100",
            "expressions": {
                "default_tags": [{"tags": {"constant_value": {"managed-by": "terraform"}}}],
                "region": {"constant_value": "eu-central-1"},
            },
        }
        out.write(f'{{"provider_config":{_compact({"aws": provider})},"root_module":')
        _join(out, '{"module_calls":{', "}}", self._calls())
        out.write("}")

    def _calls(self) -> Iterator[str]:
        for first in range(0, self.resources, IN_A_MODULE):
            numbers = range(first, min(first + IN_A_MODULE, self.resources))
            there = [number for number in numbers if self.fate(number) != "delete"]
            call = {
                "source": "./modules/cell",
                "expressions": {"subnet_id": {"references": ["aws_subnet.main.id"]}},
                "module": {
                    "resources": [self._block(number) for number in there],
                    "variables": {"subnet_id": {}},
                },
            }
            yield f'"{_module(first).removeprefix("module.")}":{_compact(call)}'

    def _block(self, number: int) -> Values:
        wanted = self._planned(number)
        block: Values = {
            "address": f"{self.kind.name}.{_name(number)}",
            **self._identity(number),
            "provider_config_key": "aws",
        }
        if number % ONE_IN == 0:
            command = {"constant_value": f"./register --name {_name(number)}"}
            block["provisioners"] = [{"type": "local-exec", "expressions": {"command": command}}]
        block["expressions"] = {
            name: {"constant_value": wanted[name]} for name in self.kind.configured
        }
        block["schema_version"] = 1
        return block

    def _address(self, number: int) -> str:
        return f"{_module(number)}.{self.kind.name}.{_name(number)}"

    def _identity(self, number: int) -> Values:
        return {"mode": "managed", "type": self.kind.name, "name": _name(number)}


def _module(number: int) -> str:
    return f"module.cell_{number // IN_A_MODULE:05d}"


def _name(number: int) -> str:
    return f"node_{number % IN_A_MODULE:02d}"


# The engine's escapes, which keep a plan safe within HTML.
_ESCAPES = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"})


def _compact(value: object) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).translate(_ESCAPES)


def _join(out: TextIO, opening: str, closing: str, parts: Iterator[str]) -> None:
    out.write(opening)
    for at, part in enumerate(parts):
        out.write("," + part if at else part)
    out.write(closing)


def _instance(digits: str, number: int) -> Values:
    """An ``aws_instance`` as version 5 of the AWS provider has it."""
    identifier = f"i-{digits[:17]}"
    address = f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
    private_dns = f"ip-{address.replace('.', '-')}.eu-central-1.compute.internal"
    tags = {"Name": f"node-{number:06d}", "env": "prod", "owner": "ada@example.com"}
    return {
        "ami": f"ami-{digits[17:34]}",
        "arn": f"arn:aws:ec2:eu-central-1:123456789012:instance/{identifier}",
        "associate_public_ip_address": False,
        "availability_zone": f"eu-central-1{'abc'[number % 3]}",
        "capacity_reservation_specification": [
            {"capacity_reservation_preference": "open", "capacity_reservation_target": []}
        ],
        "cpu_options": [{"amd_sev_snp": "", "core_count": 2, "threads_per_core": 2}],
        "credit_specification": [{"cpu_credits": "unlimited"}],
        "disable_api_stop": False,
        "disable_api_termination": number % 2 == 0,
        "ebs_block_device": [
            {
                "delete_on_termination": True,
                "device_name": "/dev/sdf",
                "encrypted": True,
                "iops": 3000,
                "kms_key_id": f"arn:aws:kms:eu-central-1:123456789012:key/{digits[:36]}",
                "snapshot_id": "",
                "tags": {},
                "tags_all": {"managed-by": "terraform"},
                "throughput": 125,
                "volume_id": f"vol-{digits[30:47]}",
                "volume_size": 100,
                "volume_type": "gp3",
            }
        ],
        "ebs_optimized": True,
        "enable_primary_ipv6": None,
        "enclave_options": [{"enabled": False}],
        "ephemeral_block_device": [],
        "get_password_data": False,
        "hibernation": False,
        "host_id": "",
        "host_resource_group_arn": None,
        "iam_instance_profile": "cell-node",
        "id": identifier,
        "instance_initiated_shutdown_behavior": "stop",
        "instance_lifecycle": "",
        "instance_market_options": [],
        "instance_state": "running",
        "instance_type": "t3.large",
        "ipv6_address_count": 0,
        "ipv6_addresses": [],
        "key_name": "operations",
        "launch_template": [],
        "maintenance_options": [{"auto_recovery": "default"}],
        "metadata_options": [
            {
                "http_endpoint": "enabled",
                "http_protocol_ipv6": "disabled",
                "http_put_response_hop_limit": 2,
                "http_tokens": "required",
                "instance_metadata_tags": "disabled",
            }
        ],
        "monitoring": True,
        "network_interface": [],
        "outpost_arn": "",
        "password_data": "",
        "placement_group": "",
        "placement_partition_number": 0,
        "primary_network_interface_id": f"eni-{digits[40:57]}",
        "private_dns": private_dns,
        "private_ip": address,
        "public_dns": "",
        "public_ip": "",
        "root_block_device": [
            {
                "delete_on_termination": True,
                "device_name": "/dev/xvda",
                "encrypted": True,
                "iops": 3000,
                "kms_key_id": f"arn:aws:kms:eu-central-1:123456789012:key/{digits[:36]}",
                "tags": {},
                "tags_all": {"managed-by": "terraform"},
                "throughput": 125,
                "volume_id": f"vol-{digits[20:37]}",
                "volume_size": 20,
                "volume_type": "gp3",
            }
        ],
        "secondary_private_ips": [],
        "security_groups": [],
        "source_dest_check": True,
        "spot_instance_request_id": "",
        "subnet_id": f"subnet-{digits[5:22]}",
        "tags": tags,
        "tags_all": {**tags, "managed-by": "terraform"},
        "tenancy": "default",
        "timeouts": None,
        "user_data": f"{digits[:40]}",
        "user_data_base64": None,
        "user_data_replace_on_change": False,
        "volume_tags": None,
        "vpc_security_group_ids": [f"sg-{digits[8:25]}", f"sg-{digits[11:28]}"],
    }


def _instance_mirror(values: Values) -> Values:
    """Each place where a secret could be, and in one of ten the one that is: its user data."""
    mirror = {name: _shape(value) for name, value in values.items()}
    found = {name: shape for name, shape in mirror.items() if shape is not False}
    if int(values["user_data"][:4], 16) % 10 == 0:
        found["user_data"] = True
    return found


def _shape(value: object) -> object:
    """The engine mirrors what has members, and leaves out of objects what is plain."""
    if isinstance(value, dict):
        shapes = {name: _shape(each) for name, each in value.items()}
        return {name: shape for name, shape in shapes.items() if shape is not False}
    if isinstance(value, list):
        return [_shape(each) for each in value]
    return False


def _retagged(values: Values, team: str) -> Values:
    return {
        **values,
        "tags": {**values["tags"], "team": team},
        "tags_all": {**values["tags_all"], "team": team},
    }


INSTANCE = Type(
    name="aws_instance",
    values=_instance,
    mirror=_instance_mirror,
    updated=lambda values, digits: {
        **_retagged(values, f"team-{digits[:4]}"),
        "instance_type": "t3.xlarge",
        "vpc_security_group_ids": [*values["vpc_security_group_ids"], f"sg-{digits[40:57]}"],
    },
    replaced=lambda values, digits: {**values, "ami": f"ami-{digits[34:51]}"},
    forces="ami",
    edited=lambda values, digits: _retagged(values, "growth"),
    computed=(
        "arn",
        "availability_zone",
        "cpu_options",
        "host_id",
        "id",
        "instance_lifecycle",
        "instance_state",
        "ipv6_addresses",
        "outpost_arn",
        "password_data",
        "primary_network_interface_id",
        "private_dns",
        "private_ip",
        "public_dns",
        "public_ip",
        "spot_instance_request_id",
    ),
    configured=(
        "ami",
        "disable_api_termination",
        "ebs_optimized",
        "iam_instance_profile",
        "instance_type",
        "key_name",
        "monitoring",
        "subnet_id",
        "tags",
        "user_data",
        "vpc_security_group_ids",
    ),
)


SMALL = Type(
    name="aws_route_table_association",
    values=lambda digits, number: {
        "gateway_id": None,
        "id": f"rtbassoc-{digits[:17]}",
        "route_table_id": f"rtb-{digits[17:34]}",
        "subnet_id": f"subnet-{digits[34:51]}",
        "timeouts": None,
    },
    mirror=lambda values: {},
    updated=lambda values, digits: {**values, "route_table_id": f"rtb-{digits[40:57]}"},
    replaced=lambda values, digits: {**values, "subnet_id": f"subnet-{digits[40:57]}"},
    forces="subnet_id",
    edited=lambda values, digits: {**values, "route_table_id": f"rtb-{digits[44:61]}"},
    computed=("id",),
    configured=("subnet_id",),
)


def main() -> None:
    """Write one, and say what is in it."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.plans")
    parser.add_argument("file", type=Path)
    parser.add_argument("--megabytes", type=float, default=10)
    parser.add_argument("--small", action="store_true", help="small resources instead")
    parser.add_argument("--seed", type=int, default=SEED)
    arguments = parser.parse_args()
    made = write_plan(
        arguments.file, arguments.megabytes, small=arguments.small, seed=arguments.seed
    )
    print(f"{arguments.file}: {arguments.file.stat().st_size / MEGABYTE:.1f} MB, {made}")


if __name__ == "__main__":
    main()

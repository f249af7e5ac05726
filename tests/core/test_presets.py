"""What each preset matches, on changes such as it is meant for."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from driftctl_py.core.assessment import assess
from driftctl_py.core.decision import Rulings, judge
from driftctl_py.core.environment import ApplyModes
from driftctl_py.core.plan import Change, Joined, Kind, Plan
from driftctl_py.core.presets import PRESETS
from driftctl_py.core.rule import Effect
from driftctl_py.core.rules import rulings_of
from driftctl_py.core.values import Value

AWS = "registry.terraform.io/hashicorp/aws"
DB = "module.db.aws_db_instance.main[0]"
QUEUE = "aws_sqs_queue.jobs"
CODE: Mapping[str, Value] = {"size": 1, "tags": {"team": "a"}, "tags_all": {"team": "a"}}
RETAGGED: Mapping[str, Value] = {**CODE, "tags": {"team": "b"}, "tags_all": {"team": "b"}}
RESIZED: Mapping[str, Value] = {**RETAGGED, "size": 2}


def plan(joined: Joined) -> Plan:
    return Plan("1.15.5", joined=(joined,), managed=10, applyable=True)


def done(kind: Kind, address: str) -> Plan:
    after = None if kind in (Kind.DELETE, Kind.FORGET) else CODE
    before = None if kind is Kind.CREATE else CODE
    return plan(Joined(Change(address, kind, before, after, provider=AWS), None))


def drifted(real: Mapping[str, Value], address: str = QUEUE, *, kind: Kind = Kind.UPDATE) -> Plan:
    return plan(
        Joined(
            Change(address, kind, real, CODE, provider=AWS),
            Change(address, Kind.UPDATE, CODE, real, provider=AWS),
        )
    )


def committed(wanted: Mapping[str, Value]) -> Plan:
    return plan(Joined(Change(QUEUE, Kind.UPDATE, CODE, wanted, provider=AWS), None))


def matching(of: Plan) -> set[str]:
    """The names of the presets that say something of the only change."""
    assessed = assess(of)
    bare = judge(of, assessed, ApplyModes(), Rulings(), code_is_applied=True)
    findings = (*assessed.findings, *assessed.equivalent)
    found = rulings_of(tuple(PRESETS.values()), of, findings, bare, assessed.managed)
    return {each.rule for rulings in found.of_change.values() for each in rulings}


@pytest.mark.parametrize(
    ("of", "names"),
    [
        (done(Kind.DELETE, DB), {"protect-stateful", "no-destroy-without-approval"}),
        (done(Kind.REPLACE, DB), {"protect-stateful", "no-destroy-without-approval"}),
        (done(Kind.REPLACE_CREATE_FIRST, DB), {"protect-stateful", "no-destroy-without-approval"}),
        (done(Kind.FORGET, DB), {"protect-stateful"}),
        (done(Kind.CREATE, DB), set()),
        (committed(RESIZED), set()),
        (done(Kind.DELETE, "aws_route.r"), {"no-destroy-without-approval"}),
        (done(Kind.FORGET, "aws_route.r"), set()),
        (done(Kind.CREATE, "module.x.aws_iam_role.r"), {"access-needs-approval"}),
        (done(Kind.CREATE, "aws_s3_bucket_policy.p"), {"access-needs-approval"}),
        (done(Kind.CREATE, "google_project_iam_member.m"), {"access-needs-approval"}),
        (done(Kind.CREATE, "kubernetes_cluster_role_binding.b"), {"access-needs-approval"}),
        (done(Kind.CREATE, "aws_eks_access_entry.e"), {"access-needs-approval"}),
        (done(Kind.CREATE, "aws_cloudwatch_event_bus_policy.p"), {"access-needs-approval"}),
        (done(Kind.CREATE, "aws_dynamodb_resource_policy.p"), {"access-needs-approval"}),
        (done(Kind.CREATE, "azurerm_key_vault_access_policy.p"), {"access-needs-approval"}),
        (done(Kind.CREATE, "aws_autoscaling_policy.p"), set()),
        (done(Kind.CREATE, "aws_ecr_lifecycle_policy.p"), set()),
        (drifted(RETAGGED), {"heal-tags"}),
        (drifted({**CODE, "tags": {}, "tags_all": {}}, DB), {"heal-tags"}),
        (drifted(RESIZED), set()),
        (drifted(RETAGGED, "aws_route.r", kind=Kind.REPLACE), {"no-destroy-without-approval"}),
        (committed(RETAGGED), set()),
    ],
)
def test_each_preset_speaks_of_what_it_is_meant_for(of: Plan, names: set[str]) -> None:
    assert matching(of) == names


def test_a_preset_is_a_rule_of_that_name_that_asks_nobody_in_particular_and_says_why() -> None:
    for name, rule in PRESETS.items():
        assert rule.name == name
        assert rule.message
        assert (rule.groups, rule.environments, rule.labels) == ((), (), {})


def test_the_only_preset_that_allows_is_the_one_for_tags() -> None:
    allowing = [name for name, rule in PRESETS.items() if rule.effect is Effect.ALLOW]

    assert allowing == ["heal-tags"]

"""Runs to show, with people of computing history; each fact of them can be given otherwise."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from driftctl_py.core.approval import (
    Approval,
    Binding,
    Identity,
    Passed,
    People,
    Requirement,
    Standing,
)
from driftctl_py.core.assessment import Totals
from driftctl_py.core.audit import Entry, Event
from driftctl_py.core.decision import Cause, Judged, Judgement, Level, Ruling
from driftctl_py.core.governing import Governing
from driftctl_py.core.lease import Lease
from driftctl_py.core.restraint import EVERYWHERE, Restraint, Why, frozen
from driftctl_py.core.run import Applied, Purpose, Run, State
from driftctl_py.core.window import Closed
from driftctl_py.report import show

NOW = datetime(2026, 11, 24, 9, 14, tzinfo=UTC)
COMMIT = "77b0de4" + "0" * 33
FINGERPRINT = "v1-" + "k7qm2d4x" * 6 + "k7qm"

PEOPLE = People(
    aliases={
        "ada": ("github:ada", "ada@example.org"),
        "grace": ("github:grace",),
        "ken": ("os:ken",),
        "linus": ("linus@example.org",),
    },
    groups={"dba": ("grace", "ada"), "ops": ("ken",), "empty": ()},
)
REQUIREMENT = Requirement(groups=("dba",))
GOVERNING = Governing(
    engine="terraform 1.11.4",
    variables="a" * 64,
    lock_file="b" * 64,
    backend="c" * 64,
    settings="d" * 64,
    trees={"environments/prod": "1" * 40, "modules/web": "2" * 40},
    modules={"module.net": "e" * 64},
)
BY_MODE = Ruling(Level.ALLOW, "apply.drift: auto", "driftctl.yaml:12")
BY_RULE = Ruling(
    Level.APPROVE,
    "stateful-needs-owner",
    "driftctl.yaml:48",
    "What holds data is made again only with its owner's yes.",
    ("dba",),
)
HEALED = Judged("module.web.aws_s3_bucket.assets", Cause.DRIFT, "tags.team", (BY_MODE,))
MADE_AGAIN = Judged("aws_ssm_parameter.flag", Cause.DRIFT, "create", (BY_RULE, BY_MODE))
JUDGEMENT = Judgement((MADE_AGAIN, HEALED))


def run(state: State = State.HELD, **more: Any) -> Run:
    """A run of prod with all that is known of a plan that waits."""
    facts: dict[str, Any] = {
        "id": "20261124T091200-3f2a",
        "environment": "prod",
        "state": state,
        "purpose": Purpose.RECONCILE,
        "started_at": NOW - timedelta(minutes=2),
        "trigger": "plan",
        "actor": "os:ada",
        "worker": "build-7:4711",
        "source": "https://git.example.com/team/infra.git",
        "ref": "main",
        "commit": COMMIT,
        "engine": "terraform 1.11.4",
        "status": "drifted",
        "totals": Totals(add=1, change=1),
        "drifted": 2,
        "fingerprint": FINGERPRINT,
        "governing": GOVERNING,
        "lineage": "3b1c5e07-lineage",
        "serial": 12,
        "judgement": JUDGEMENT,
        "requirement": REQUIREMENT,
        "authors": ("linus@example.org",),
        "artifacts": {"plan": "sha256-" + "1" * 64, "plan.json": "sha256-" + "2" * 64},
    }
    return Run(**facts | more)


def bare(state: State, **more: Any) -> Run:
    """A run that ended before there was a plan."""
    nothing: dict[str, Any] = {
        "ref": "",
        "commit": "",
        "engine": "",
        "status": "",
        "totals": Totals(),
        "drifted": 0,
        "fingerprint": "",
        "governing": None,
        "lineage": "",
        "serial": None,
        "judgement": None,
        "requirement": None,
        "authors": (),
        "artifacts": {},
    }
    return run(state, **nothing | more)


def said(by: str = "github:ada", *, yes: bool = True, **more: Any) -> Approval:
    facts: dict[str, Any] = {
        "id": "a1",
        "run": "20261124T091200-3f2a",
        "binding": Binding("prod", FINGERPRINT, GOVERNING.digest, "3b1c5e07-lineage"),
        "by": Identity(by),
        "yes": yes,
        "at": NOW - timedelta(minutes=1),
        "expires_at": NOW + timedelta(hours=24),
        "reason": "The flag is ours.",
        "commit": COMMIT,
        "violations": tuple(each.digest for each in JUDGEMENT.violations),
    }
    return Approval(**facts | more)


ASKED = Standing(missing=1)
ENOUGH = Standing(given=(said(),))
PARTLY = Standing(
    given=(said(),),
    missing=1,
    passed=(Passed(said("os:ken", id="a2"), "the operating system's word does not count"),),
)
REJECTED = Standing(missing=1, rejected=said("github:grace", yes=False, reason="Not on a Friday."))

SUSPENDED = Restraint(
    "prod", Why.SUSPENDED, "The migration runs.", "os:ada", NOW, NOW + timedelta(days=2)
)
PINNED = Restraint("prod", Why.PINNED, "The release broke.", "os:ada", NOW, commit=COMMIT)
BLOCKED = Restraint("prod", Why.BLOCKED, "The state was lost.", "os:ada", NOW, run="20261124T09")
FROZEN = Restraint(EVERYWHERE, Why.FROZEN, "Black Friday.", "os:ada", NOW, NOW + timedelta(hours=8))
NIGHTS = Closed(
    "Commits are applied only during nights (driftctl.yaml:9), next from 2026-11-24 21:00 UTC "
    "(22:00 in Europe/Berlin).",
    datetime(2026, 11, 24, 21, tzinfo=UTC),
)
UNENDING = Closed("Nothing is applied during the freeze audit.")
(THAWS,) = frozen([FROZEN], NOW)
LEASE = Lease("prod", "20261124T091200-3f2a", "build-7:4711", NOW, NOW + timedelta(seconds=5))

APPLIED = Applied(
    finished=True, done=("create aws_ssm_parameter.flag", "update aws_s3_bucket.assets")
)
HALF = Applied(
    finished=False,
    done=("create aws_ssm_parameter.flag",),
    failed=("update aws_s3_bucket.assets",),
    unfinished=("delete aws_instance.web",),
)


def harmless(text: str) -> bool:
    """Is there nothing in it that a terminal, or a program that runs jobs, would obey?"""
    clean = "\n".join(map(show.clean, text.split("\n")))
    return text == clean == show.no_commands(text)


def entry(number: int = 1, **more: Any) -> Entry:
    event = Event("decided", NOW, "os:ada", "prod", "20261124T091200-3f2a", {"decision": "held"})
    return Entry(number, replace(event, **more), "0" * 64, "f" * 64)

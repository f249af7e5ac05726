"""Policies that other programs evaluate: Rego through opa or conftest, and checks of any kind.

Facts as driftctl.yaml has them, and what comes of asking. How they are asked is an adapter's
business, what follows from it `decision`'s. None of them can allow anything: what they find makes a
decision stricter, and whatever goes wrong with one denies.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import TypeAlias

from driftctl_py.core.rule import Effect
from driftctl_py.core.scope import Scope
from driftctl_py.core.values import Json


class Shape(Enum):
    """What a Rego policy finds under ``input``, and which rules of it are asked, as the tool has it
    that it was written for."""

    PLAN = "plan"
    """The plan's JSON itself: conftest's convention."""
    SPACELIFT = "spacelift"
    HCP = "hcp"
    SCALR = "scalr"
    DIGGER = "digger"


@dataclass(frozen=True, slots=True)
class RegoPolicy:
    """``paths`` are files or directories of Rego and data, relative to the configuration file;
    ``package`` is the one that is asked, empty for the custom of the ``shape``. ``levels`` says
    for each rule of it (``deny``, ``warn``) what a result means. ``program`` is ``opa``,
    ``conftest`` or a path; ``rego_version`` is ``v0`` or ``v1``, never guessed. ``context`` is what
    a shape holds beside the plan and nobody else knows (a stack's labels). ``groups`` are asked
    where a result means `Effect.APPROVE`."""

    name: str
    paths: tuple[str, ...]
    rego_version: str
    shape: Shape = Shape.PLAN
    package: str = ""
    levels: Mapping[str, Effect] = field(default_factory=dict)
    program: str = "opa"
    context: Mapping[str, Json] = field(default_factory=dict)
    groups: tuple[str, ...] = ()
    timeout_seconds: int = 60
    scope: Scope = field(default_factory=Scope)
    where: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class CheckProgram:
    """A program that takes the plan's path (``{plan}`` in ``argv``) and answers with its exit code
    and, if it wants, JSON. ``levels`` says what each exit code means; one that is not there, and 0
    unless it is named, means: deny, and fine. ``whole``: it sees the plan with its secrets. ``env``
    are names of variables that it gets beside PATH, HOME and the like."""

    name: str
    argv: tuple[str, ...]
    levels: Mapping[int, Effect] = field(default_factory=dict)
    whole: bool = False
    env: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    timeout_seconds: int = 300
    scope: Scope = field(default_factory=Scope)
    where: str = field(default="", compare=False)


Policy: TypeAlias = RegoPolicy | CheckProgram


@dataclass(frozen=True, slots=True)
class About:
    """What a policy may want to know beside the plan. ``ref`` is a branch or a tag, as far as one
    was named; ``trigger`` the command that began the run, ``actor`` on whose word (``os:ada``)."""

    environment: str
    labels: Mapping[str, str]
    path: str
    workspace: str
    repository: str
    ref: str
    commit: str
    run: str
    trigger: str
    actor: str
    started_at: datetime
    authors: tuple[str, ...] = ()
    engine: str = ""
    """``Terraform 1.11.4``."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """One thing that a policy found. ``effect`` is never `Effect.ALLOW`. ``address`` names the
    object where the policy said so; empty: the plan as a whole. ``message`` holds no secret."""

    policy: str
    effect: Effect
    message: str
    address: str = ""
    where: str = ""
    groups: tuple[str, ...] = ()

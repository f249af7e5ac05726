"""Which engine plans an environment: asked of the environment first, then of the machine.

The order is fixed: what the configuration names; what the environment itself says (the registry
in its lock file, `.terraform-version`, `.opentofu-version`); what planned it last time; what is
at hand. Where two would fit and nothing decides, it is an error: a state that Terraform wrote is
never handed to OpenTofu, or back, without a person saying so.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from driftctl_py.core.environment import EngineChoice
from driftctl_py.core.version_constraint import satisfies
from driftctl_py.errors import EngineMissing

# Terraform 1.5 is the last under an open licence and still much used; the JSON plan has had all
# that an assessment needs since. OpenTofu begins with 1.6.
OLDEST = {"terraform": "1.5.0", "tofu": "1.6.0"}
TITLES = {"terraform": "Terraform", "tofu": "OpenTofu"}


@dataclass(frozen=True, slots=True)
class Candidate:
    """A program found on this machine. ``origin`` is ``PATH``, ``embedded`` or ``configured``."""

    family: str
    version: str
    path: str
    origin: str = "PATH"

    @property
    def title(self) -> str:
        return f"{TITLES[self.family]} {self.version}"

    @property
    def evaluates_early(self) -> bool:
        """OpenTofu evaluates variables in backends and sources since 1.8: `init` needs them."""
        return self.family == "tofu" and satisfies(self.version, ">= 1.8.0")


@dataclass(frozen=True, slots=True)
class Hints:
    """What an environment's own files say. The version files hold their text, or None."""

    lock_file: str | None = None
    terraform_version: str | None = None
    opentofu_version: str | None = None
    required_versions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Chosen:
    """The engine, and the reason in words for the log."""

    candidate: Candidate
    why: str


def choose(
    choice: EngineChoice,
    hints: Hints,
    candidates: Sequence[Candidate],
    *,
    remembered: str | None = None,
) -> Chosen:
    """Pick the one engine for an environment, or raise `EngineMissing` saying how to choose.

    Where ``choice`` names a program, it does so by the path that its candidate has.
    ``remembered`` is the family that planned this environment last time, if any.
    """
    family, why = _wanted_family(choice, hints, remembered)
    fitting = [item for item in candidates if family in (None, item.family)]
    if choice.use == "embedded":
        fitting = [item for item in fitting if item.origin == "embedded"]
    elif choice.use not in {"auto", "tofu", "terraform"}:
        fitting = [item for item in fitting if item.path == choice.use]
    if not fitting:
        raise EngineMissing(_nothing_found(choice, family, why), todo=_how_to_get(choice, family))
    complaints = {item: _complaint(item, choice, hints) for item in fitting}
    # A program on PATH was put there by somebody; the embedded one is only the last resort.
    fitting = [item for item in fitting if complaints[item] is None]
    if not fitting:
        first = next(text for text in complaints.values() if text is not None)
        raise EngineMissing(first, todo="Install one that fits, or set engine in driftctl.yaml.")
    installed = [item for item in fitting if item.origin != "embedded"] or fitting
    if len({item.family for item in installed}) > 1:
        names = " and ".join(item.title for item in installed)
        raise EngineMissing(
            f"{names} are both installed and nothing says which one owns this state.",
            todo="Set engine: terraform or engine: tofu in driftctl.yaml, or commit a lock file.",
        )
    return Chosen(installed[0], why or f"the only engine found ({installed[0].origin})")


def _wanted_family(
    choice: EngineChoice, hints: Hints, remembered: str | None
) -> tuple[str | None, str]:
    if choice.use in {"tofu", "terraform"}:
        return choice.use, "driftctl.yaml says so"
    if choice.use == "embedded":
        return "terraform", "driftctl.yaml says so"
    if choice.use != "auto":
        return None, "driftctl.yaml names the program"
    said = dict(_said_by_files(hints))
    if len(said) > 1:
        reasons = " but ".join(f"{why} says {TITLES[family]}" for family, why in said.items())
        raise EngineMissing(
            f"The environment's own files disagree: {reasons}.",
            todo="Remove the stale file, or set engine: terraform or engine: tofu.",
        )
    for family, why in said.items():
        return family, f"{why} says so"
    if remembered is not None:
        return remembered, "it planned this environment before"
    return None, ""


def _said_by_files(hints: Hints) -> Iterable[tuple[str, str]]:
    lock = hints.lock_file or ""
    if re.search(r'^\s*provider\s+"registry\.opentofu\.org/', lock, re.MULTILINE):
        yield "tofu", ".terraform.lock.hcl"
    if re.search(r'^\s*provider\s+"registry\.terraform\.io/', lock, re.MULTILINE):
        yield "terraform", ".terraform.lock.hcl"
    if hints.opentofu_version is not None:
        yield "tofu", ".opentofu-version"
    if hints.terraform_version is not None:
        yield "terraform", ".terraform-version"


def _complaint(item: Candidate, choice: EngineChoice, hints: Hints) -> str | None:
    """Why this program must not plan here, or None."""
    if not satisfies(item.version, f">= {OLDEST[item.family]}"):
        return (
            f"{item.title} ({item.path}) is too old: its JSON plan lacks what an assessment "
            f"needs; {OLDEST[item.family]} is the oldest that has it."
        )
    if choice.version is not None and not satisfies(item.version, choice.version):
        return f"driftctl.yaml asks for {choice.version}, but {item.path} is {item.title}."
    pinned = hints.terraform_version if item.family == "terraform" else hints.opentofu_version
    wanted = (pinned or "").strip().removeprefix("v")
    # The version managers' keywords (latest, min-required) name no version.
    if re.fullmatch(r"\d+\.\d+\.\d+[\w.+-]*", wanted) and wanted != item.version:
        name = ".terraform-version" if item.family == "terraform" else ".opentofu-version"
        return f"{name} asks for {wanted}, but {item.path} is {item.title}."
    for constraint in hints.required_versions:
        try:
            fits = satisfies(item.version, constraint)
        except ValueError:
            continue  # the engine itself will say what is wrong with it
        if not fits:
            return f"required_version asks for {constraint}, but {item.path} is {item.title}."
    return None


def _nothing_found(choice: EngineChoice, family: str | None, why: str) -> str:
    if choice.use not in {"auto", "tofu", "terraform", "embedded"}:
        return (
            f"The engine {choice.use} is not there, cannot be run, or does not "
            "answer as a Terraform or OpenTofu does."
        )
    if choice.use == "embedded":
        return "The embedded Terraform is not installed in this Python environment."
    if family is None:
        return "No engine was found: neither terraform nor tofu is on PATH, nor is one embedded."
    return f"{TITLES[family]} is needed ({why}), but none was found on PATH."


def _how_to_get(choice: EngineChoice, family: str | None) -> str:
    embedded = "pip install 'driftctl-py[embedded]'"
    if choice.use not in {"auto", "tofu", "terraform", "embedded"}:
        return f"See what it says, or correct `engine` in driftctl.yaml: {choice.use} version -json"
    if choice.use == "embedded":
        return f"Install it: {embedded}"
    if family == "tofu":
        return "Install OpenTofu and put tofu on PATH, or name it: engine: /path/to/tofu"
    return f"Install one and put it on PATH, or take the embedded Terraform: {embedded}"

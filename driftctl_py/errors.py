"""Everything that goes wrong in a way a person can mend, named by what to do next.

    DriftctlError               exit code 1
    ├── UsageError              the command line: type it differently
    ├── ConfigError             driftctl.yaml: edit it (holds every Problem found, not the first)
    ├── SourceError             Git: the URL, the ref or what the repository holds is wrong
    ├── EngineError             terraform or tofu said no: read its diagnostics
    │   ├── EngineMissing       no program fits: install or choose one
    │   └── Untrusted           its plan may not be what it says: plan again
    ├── PlanError               a plan that this version cannot read: never guessed at
    ├── StateError              the state backend is not what was meant
    ├── StalePlan               what was planned fits no more: plan again
    ├── StoreError              what we remember cannot be read, or is not ours to write
    ├── ArtifactError           evidence is missing, or is not what it was
    ├── PolicyError             a policy or check could not be asked: mend it; until then, no
    ├── ForgeError              GitHub said no: a permission is lacking, or it is not there
    ├── Unavailable             something outside did not answer: retry later
    └── Interrupted             exit code 130: a person pressed Ctrl-C

An error says what happened, why it matters and, in ``todo``, what to do. No message ever
holds a secret: an adapter that raises one of these redacts what it quotes.
"""

from __future__ import annotations

from dataclasses import dataclass


class DriftctlError(Exception):
    """Base of all; ``str(error)`` is the first sentence, ``todo`` what a person does about it."""

    exit_code = 1

    def __init__(self, what: str, *, todo: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.todo = todo


def bug(error: BaseException) -> str:
    """What is told of an exception that nobody expected: of which kind it is, and where in our own
    code it was. Not what it says: that may quote anything, a secret, too."""
    place, trace = "", error.__traceback__
    while trace is not None:
        _, package, file = trace.tb_frame.f_code.co_filename.rpartition("driftctl_py/")
        if package:
            place = f" (driftctl_py/{file}:{trace.tb_lineno})"
        trace = trace.tb_next
    return f"{type(error).__name__}{place}. This is a bug in driftctl_py."


class UsageError(DriftctlError):
    """The command line asks for something that does not exist or does not go together."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong in a file. ``line`` counts from 1; 0 means the file as a whole."""

    filename: str
    line: int
    what: str
    todo: str = ""

    def __str__(self) -> str:
        where = f"{self.filename}:{self.line}" if self.line else self.filename
        return f"{where}: {self.what}" + (f"\n  {self.todo}" if self.todo else "")


class ConfigError(DriftctlError):
    """Everything wrong in the configuration, all at once."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems


class SourceError(DriftctlError):
    """A Git source cannot give what was asked of it."""


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One message of the engine; ``where`` is ``file:line`` or empty, ``address`` a resource."""

    severity: str
    summary: str
    detail: str = ""
    address: str = ""
    where: str = ""


class EngineError(DriftctlError):
    """The engine failed; its own diagnostics say why."""

    def __init__(
        self, what: str, *, todo: str = "", diagnostics: tuple[Diagnostic, ...] = ()
    ) -> None:
        super().__init__(what, todo=todo)
        self.diagnostics = diagnostics


class EngineMissing(EngineError):
    """No terraform or tofu fits what the environment asks for."""


class PlanError(DriftctlError):
    """These bytes are not a plan that this version understands."""


class Untrusted(EngineError):
    """There is a plan, and it cannot be trusted: incomplete, or made while things moved."""


class StateError(DriftctlError):
    """The state is not where, or not what, the configuration says."""


class StalePlan(DriftctlError):
    """A saved plan no longer fits what it was made for."""


class StoreError(DriftctlError):
    """The store cannot be used as it is: read-only, of a newer version, or another was faster."""


class ArtifactError(DriftctlError):
    """A piece of evidence is missing, or is not what was put there."""


class Unavailable(DriftctlError):
    """Something outside did not answer; the same call may succeed later."""


class Interrupted(DriftctlError):
    """A person stopped the program."""

    exit_code = 130


class PolicyError(DriftctlError):
    """A policy, a check or the program that evaluates it could not be asked. Nothing may then be
    applied."""


class ForgeError(DriftctlError):
    """The forge refused: the token lacks a permission (``todo`` names it), something is not there,
    or what was sent is too large or wrong. What only did not answer is `Unavailable`."""

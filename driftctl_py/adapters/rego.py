"""Rego, evaluated by opa or conftest as a program of its own.

It gets the policy's files, our canary beside them and the input, all in a private directory that
is gone afterwards; an environment with nothing in it, a time limit, and a list of built-in
functions without those that reach outside. One program answers for the canary and for the policy
at once.

Not here: what is asked and what an answer means (`core/rego_answer.py`), and what stands in the
input beside the plan (`core/policy_input.py`).
"""

from __future__ import annotations

import json
import mmap
import os
import re
import secrets
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec

from driftctl_py.adapters.contained import Contained, run_contained
from driftctl_py.adapters.stop import Stop
from driftctl_py.core.policy import About, RegoPolicy, Verdict
from driftctl_py.core.policy_input import refuse_unknown, wrapping
from driftctl_py.core.rego_answer import (
    LINKS,
    Asked,
    Complaint,
    asked_rules,
    canary,
    canary_package,
    conftest_answer,
    conftest_complaint,
    opa_answer,
    opa_complaint,
    verdicts_of,
)
from driftctl_py.errors import PolicyError

# What reaches out of the evaluation: the network, and the environment of the program. Whatever a
# later version adds of that kind is marked as giving other answers at other times; of those that
# are, these here only look at the clock, at chance, or at their arguments.
_OUTSIDE = frozenset({"http.send", "net.lookup_ip_addr", "opa.runtime"})
_HARMLESS = frozenset(
    {
        "io.jwt.decode_verify",
        "io.jwt.encode_sign",
        "io.jwt.encode_sign_raw",
        "rand.intn",
        "time.now_ns",
        "uuid.rfc4122",
    }
)
_DATA = frozenset({".json", ".yaml", ".yml"})
_VERSIONS = ("v0", "v1")
_ASKING_SECONDS = 30
_ANSWER_BYTES = 32 * 1024 * 1024
_CHUNK = 1024 * 1024
# conftest cannot say which built-in functions it has, so it gets those that OPA 1.0.0 had.
_OF_OPA_1_0 = Path(__file__).with_name("rego_capabilities.json")


@dataclass(frozen=True, slots=True)
class _Program:
    """``kind`` is ``opa`` or ``conftest``, as it says itself."""

    kind: str
    path: str
    capabilities: bytes


# Programs that were asked what they are, for as long as they stay the same files.
_KNOWN: dict[tuple[str, int, int, int], _Program] = {}


class RegoEngine:
    """Asks policies whose paths are relative to ``here``."""

    def __init__(self, *, here: Path, environ: Mapping[str, str], stop: Stop) -> None:
        self._here = here
        self._environ = environ
        self._stop = stop

    def verdicts(self, policy: RegoPolicy, *, plan: Path, about: About) -> tuple[Verdict, ...]:
        """What the policy finds in the plan."""
        if policy.rego_version not in _VERSIONS:
            raise PolicyError(
                f"The policy {policy.name} does not say which Rego it is written in.",
                todo="Write `rego_version: v1` (or v0, for what OPA before 1.0 took) beside it.",
            )
        roots = self._roots(policy)
        files = [each for root in roots for each in _files(root)]
        sources = _sources(policy, files)
        asked = asked_rules(policy, sources)
        refuse_unknown(policy, about, sources)
        program = self._program(policy)
        token = secrets.token_hex(16)
        with _scratch(policy) as scratch:
            paths = _lay(scratch, roots)
            (scratch / "canary.rego").write_text(canary(policy, asked, token), "utf-8")
            (scratch / "capabilities.json").write_bytes(program.capabilities)
            _write_input(scratch / "input.json", policy, about, token, plan)
            with_data = any(each.suffix in _DATA for each in files)
            return self._asked(policy, asked, program, scratch, paths, token, with_data)

    def _asked(
        self,
        policy: RegoPolicy,
        asked: Asked,
        program: _Program,
        scratch: Path,
        paths: Mapping[str, str],
        token: str,
        with_data: bool,
    ) -> tuple[Verdict, ...]:
        package = canary_package(token)
        argv = opa_argv if program.kind == "opa" else conftest_argv
        data = tuple(paths) if with_data else ()

        def run(version: str) -> Contained:
            words = argv(program.path, scratch, tuple(paths), data, package, version)
            return self._run(words, policy.timeout_seconds)

        done = run(policy.rego_version)
        if done.exit_code == 0:
            read = opa_answer if program.kind == "opa" else conftest_answer
            return verdicts_of(policy, asked, read(policy, done.stdout, token))
        complaint = _complaint(program, done)
        if complaint.of_language:
            other = next(each for each in _VERSIONS if each != policy.rego_version)
            if self._is_read(program, run, other):
                raise PolicyError(
                    _cannot(policy, complaint, paths),
                    todo=f"It is written in Rego {other}: write `rego_version: {other}` for the "
                    f"policy {policy.name}{_at(policy)}.",
                )
        raise PolicyError(
            _cannot(policy, complaint, paths)
            + ("" if str(complaint) else f" {program.path} ended with exit code {done.exit_code}."),
            todo=_MEND.get(complaint.code, "Mend the policy, then plan again."),
        )

    def _is_read(self, program: _Program, run: Callable[[str], Contained], version: str) -> bool:
        """Would another version of Rego understand it?"""
        try:
            done = run(version)
        except PolicyError:
            return False
        return done.exit_code == 0 or not _complaint(program, done).of_language

    def _run(self, argv: Sequence[str], timeout_seconds: float) -> Contained:
        return run_contained(
            argv,
            # Not with what we inherited: neither a proxy nor a credential is Rego's business.
            env={"PATH": self._environ.get("PATH", os.defpath)},
            stop=self._stop,
            timeout_seconds=timeout_seconds,
            output_limit_bytes=_ANSWER_BYTES,
        )

    def _roots(self, policy: RegoPolicy) -> list[Path]:
        """The policy's paths, each of which holds something that Rego reads."""
        roots = []
        for each in policy.paths:
            try:
                root = (self._here / each).resolve(strict=True)
            except (OSError, RuntimeError) as error:
                raise PolicyError(
                    f"{each}, a path of the policy {policy.name}, cannot be found: "
                    f"{getattr(error, 'strerror', None) or 'its links go round in circles'}.",
                    todo=f"Paths of policies are relative to {self._here}; mend it{_at(policy)}.",
                ) from error
            if not any(True for _ in _files(root)):
                raise PolicyError(
                    f"{each}, a path of the policy {policy.name}, holds neither Rego nor data "
                    "(.rego, .json, .yaml, .yml), so nothing would be evaluated.",
                    todo=f"Put the policy there, or mend the path{_at(policy)}.",
                )
            roots.append(root)
        return roots

    def _program(self, policy: RegoPolicy) -> _Program:
        named = policy.program
        at = str(self._here / named) if "/" in named else named
        path = shutil.which(at, path=self._environ.get("PATH", os.defpath))
        if path is None:
            raise PolicyError(
                f"The policy {policy.name} is evaluated by {named}, and there is none "
                f"{'at ' + at if '/' in named else 'on PATH'}. Without it, nothing may be applied.",
                todo=_GET.get(Path(named).name, _GET["opa"]),
            )
        # Not resolved: what a link of a version manager leads to may look at its own name.
        path = str(Path(path).absolute())
        status = Path(path).stat()
        key = (path, status.st_ino, status.st_mtime_ns, status.st_size)
        if key not in _KNOWN:
            _KNOWN[key] = self._introduced(policy, path)
        return _KNOWN[key]

    def _introduced(self, policy: RegoPolicy, path: str) -> _Program:
        """What it is, as it says itself: a name proves nothing."""
        said = self._run([path, "version"], _ASKING_SECONDS)
        if found := _OPA_VERSION.search(said.stdout.decode("utf-8", "replace")):
            _refuse_old(policy, path, "opa", found.group(1))
            listed = self._run([path, "capabilities", "--current"], _ASKING_SECONDS)
            try:
                return _Program("opa", path, restricted(listed.stdout))
            except (ValueError, LookupError, TypeError, AttributeError) as error:
                raise PolicyError(
                    f"{path} does not say which built-in functions it has (exit code "
                    f"{listed.exit_code}), so those that reach outside cannot be taken from it.",
                    todo=_GET["opa"],
                ) from error
        said = self._run([path, "--version"], _ASKING_SECONDS)
        if found := _CONFTEST_VERSION.search(said.stdout.decode("utf-8", "replace")):
            _refuse_old(policy, path, "conftest", found.group(1))
            return _Program("conftest", path, restricted(_OF_OPA_1_0.read_bytes()))
        raise PolicyError(
            f"{path} is neither opa nor conftest: it does not say so when it is asked for its "
            f"version. So the policy {policy.name} cannot be evaluated.",
            todo=_GET["opa"],
        )


@contextmanager
def _scratch(policy: RegoPolicy) -> Iterator[Path]:
    try:
        with tempfile.TemporaryDirectory(prefix="driftctl-rego-") as name:
            yield Path(name)
    except OSError as error:
        raise PolicyError(
            f"What the policy {policy.name} is to look at could not be laid out: {error.strerror} "
            f"({error.filename or tempfile.gettempdir()}).",
            todo="Make room there, or name another directory for temporary files: TMPDIR=DIR",
        ) from error


def opa_argv(
    program: str,
    scratch: Path,
    paths: Sequence[str],
    data: Sequence[str],
    package: str,
    version: str,
) -> list[str]:
    """A built-in function that fails ends the evaluation: else a rule that stumbles over the plan
    would count as one that found nothing. Data among the ``paths`` is read without saying so."""
    return [
        program,
        "eval",
        "--format=json",
        "--fail=false",
        "--strict-builtin-errors",
        f"--{version}-compatible",
        f"--capabilities={scratch}/capabilities.json",
        f"--input={scratch}/input.json",
        f"--data={scratch}/canary.rego",
        *(f"--data={each}" for each in paths),
        f"data.{package}.deny",
    ]


def conftest_argv(
    program: str,
    scratch: Path,
    paths: Sequence[str],
    data: Sequence[str],
    package: str,
    version: str,
) -> list[str]:
    """Its own word on the policy is not asked for: it passes rules whose value is no set, and
    packages without any."""
    return [
        program,
        "test",
        "--output=json",
        "--no-fail",
        "--no-color",
        "--show-builtin-errors",
        "--parser=json",
        f"--rego-version={version}",
        f"--capabilities={scratch}/capabilities.json",
        f"--namespace={package}",
        f"--policy={scratch}/canary.rego",
        *(f"--policy={each}" for each in paths),
        *(f"--data={each}" for each in data),
        f"{scratch}/input.json",
    ]


def restricted(capabilities: bytes) -> bytes:
    """The same, without what reaches outside: built-in functions, and schemas from the network."""
    known = json.loads(capabilities)
    known["builtins"] = [
        each
        for each in known["builtins"]
        if each["name"] not in _OUTSIDE
        and (not each.get("nondeterministic") or each["name"] in _HARMLESS)
    ]
    known["allow_net"] = []
    return json.dumps(known).encode()


_OPA_VERSION = re.compile(r"^Version: (\d+\.\d+\S*)$", re.MULTILINE)
_CONFTEST_VERSION = re.compile(r"^Conftest: .*\nOPA: (\d+\.\d+\S*)$", re.MULTILINE)
_GET = {
    "opa": "Get it from https://www.openpolicyagent.org/docs/#1-download-opa, or with Go: "
    "go install github.com/open-policy-agent/opa@v1.9.0. It has to be on PATH, or be named: "
    "`program: ./tools/opa`.",
    "conftest": "Get it from https://www.conftest.dev/install/, or with Go: "
    "go install github.com/open-policy-agent/conftest@latest. It has to be on PATH, or be named: "
    "`program: ./tools/conftest`.",
}
_MEND = {
    "eval_builtin_error": "Let the rule look at the value before it hands it to that function "
    "(is_string, is_number), then plan again.",
    "eval_type_error": "Let the rule look at the value before it hands it to that function "
    "(is_string, is_number), then plan again.",
    "rego_type_error": "Mend the policy, then plan again. Functions that reach outside (http.send, "
    "net.lookup_ip_addr, opa.runtime) are not there: put what they would fetch into a data file.",
}


def _refuse_old(policy: RegoPolicy, path: str, kind: str, version: str) -> None:
    if int(version.partition(".")[0]) < 1:
        of = "" if kind == "opa" else "OPA "
        raise PolicyError(
            f"{path} is {kind} with {of}{version}, and the policy {policy.name} needs one of OPA "
            "1.0 or later: older ones cannot be told which Rego a policy is written in.",
            todo=_GET[kind],
        )


def _files(root: Path) -> Iterator[Path]:
    """What of it Rego reads, as opa and conftest walk: into directories, not through links to
    them."""
    if root.is_file():
        if root.suffix == ".rego" or root.suffix in _DATA:
            yield root
        return
    for directory, _, names in os.walk(root):
        for name in sorted(names):
            path = Path(directory, name)
            if path.suffix == ".rego" or path.suffix in _DATA:
                yield path


def _sources(policy: RegoPolicy, files: Sequence[Path]) -> list[str]:
    sources = []
    rego = [each for each in files if each.suffix == ".rego"]
    if not rego:
        raise PolicyError(
            f"The paths of the policy {policy.name} hold no Rego at all (.rego), so nothing would "
            "be evaluated.",
            todo=f"Put the policy there, or mend the paths{_at(policy)}.",
        )
    for each in rego:
        try:
            sources.append(each.read_text("utf-8"))
        except (OSError, UnicodeDecodeError) as error:
            raise PolicyError(
                f"{each}, a file of the policy {policy.name}, cannot be read: {error}",
                todo="Mend the file.",
            ) from error
    return sources


def _lay(scratch: Path, roots: Sequence[Path]) -> dict[str, str]:
    """The policy's paths under plain names, each with what it stands for. Both programs read
    meanings into a path: opa into a colon, conftest into a comma."""
    (scratch / LINKS).mkdir()
    paths = {}
    for number, root in enumerate(roots):
        link = scratch / LINKS / f"{number}{root.suffix if root.is_file() else ''}"
        link.symlink_to(root)
        paths[str(link)] = str(root)
    return paths


def _write_input(path: Path, policy: RegoPolicy, about: About, token: str, plan: Path) -> None:
    around = wrapping(policy, about, token)
    with plan.open("rb") as source, path.open("wb") as target:
        start = _start_of(policy, source.fileno())
        target.write(around.before)
        source.seek(start + 1 if around.inside else start)
        shutil.copyfileobj(source, target, _CHUNK)
        target.write(around.after)


class _Plan(msgspec.Struct, frozen=True):
    format_version: str


def _start_of(policy: RegoPolicy, descriptor: int) -> int:
    """Where the plan's object begins, once it is known to be one and whole: opa takes what is no
    JSON for YAML, of which anything may be some."""
    try:
        with mmap.mmap(descriptor, 0, prot=mmap.PROT_READ) as mapped:
            msgspec.json.decode(mapped, type=_Plan)
            return mapped.find(b"{")
    except (ValueError, msgspec.MsgspecError) as error:
        raise PolicyError(
            f"The plan that the policy {policy.name} is to look at is not a whole plan in JSON. "
            "This is a bug in driftctl_py."
        ) from error


def _complaint(program: _Program, done: Contained) -> Complaint:
    if program.kind == "opa":
        return opa_complaint(done.stdout)
    return conftest_complaint(done.stderr)


def _cannot(policy: RegoPolicy, complaint: Complaint, paths: Mapping[str, str]) -> str:
    said = str(complaint)
    # The longest first: policies/1 is the beginning of policies/12.
    for name in sorted(paths, key=len, reverse=True):
        said = said.replace(name, paths[name])
    return f"The policy {policy.name} could not be evaluated" + (f": {said}" if said else ".")


def _at(policy: RegoPolicy) -> str:
    return f" ({policy.where})" if policy.where else ""

"""Wires results: what commands leave in a directory, and the report over what many jobs left."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from driftctl_py.compose.checking import Options
from driftctl_py.compose.surroundings import environ, find_config, load_config, new_stop, now
from driftctl_py.core.result import Occasion, Result, Results
from driftctl_py.errors import DriftctlError, Unavailable, UsageError

if TYPE_CHECKING:
    from driftctl_py.adapters.git_contents import GitContents
    from driftctl_py.adapters.github import GitHub
    from driftctl_py.app.publishing import Texts
    from driftctl_py.app.reconcile import Outcome
    from driftctl_py.app.results import Origin
    from driftctl_py.core.approval import People
    from driftctl_py.core.check import CheckReport
    from driftctl_py.core.config_model import Config
    from driftctl_py.core.environment import Environment
    from driftctl_py.core.forge import Published
    from driftctl_py.core.result import Job


# What a command leaves.


@dataclass(frozen=True, slots=True)
class Known:
    """Of an environment: its path, whether it is planned as it lies in this work tree, and who may
    approve there. A review knows it from the base: whoever asked the configuration of the head
    would ask the sources that the head names, with the tokens that it names."""

    path: str
    here: bool
    people: People


class Keeper(Protocol):
    """Takes what was found, and writes it where other jobs find it."""

    def checks(self, report: CheckReport) -> None: ...
    def outcome(self, outcome: Outcome, *, known: Known | None = None) -> None:
        """``known``: what of it is not to be looked up in the configuration that lies here."""
        ...


class _Nowhere:
    """Without ``--results``."""

    def checks(self, report: CheckReport) -> None:
        """Nothing is kept."""

    def outcome(self, outcome: Outcome, *, known: Known | None = None) -> None:
        """Nothing is kept."""


@contextmanager
def keeping(
    options: Options, directory: Path | None, occasion: Occasion, names: Sequence[str]
) -> Iterator[Keeper]:
    """Somewhere to put what is found; nowhere without a ``directory``. Of what ends in an error
    before anything was found it is kept that it did, for each of the ``names``.
    Raises before any work is done where nothing could be written."""
    if directory is None:
        yield _Nowhere()
        return
    from driftctl_py.adapters.result_files import ResultFiles
    from driftctl_py.compose.github import job
    from driftctl_py.core.result_json import MOST_BYTES

    files, of = ResultFiles(MOST_BYTES), job()
    files.make(directory)
    with ExitStack() as stack:
        kept = _Kept(files.write, directory, occasion, of, _Ground(options, stack))
        try:
            yield kept
        except DriftctlError as error:
            if not kept.names:
                kept.failed(error, names)
            raise


class _Kept:
    """One command's results."""

    def __init__(
        self,
        write: Callable[[Path, str, bytes], Path],
        directory: Path,
        occasion: Occasion,
        of: Job,
        ground: _Ground,
    ) -> None:
        self._write = write
        self._directory = directory
        self._occasion = occasion
        self._job = of
        self._ground = ground
        self.names: set[str] = set()

    def checks(self, report: CheckReport) -> None:
        from driftctl_py.app.results import result_of_check

        for each in report.checks:
            here = each.revision is not None and each.revision.in_place
            origin = self._ground.origin(each.path, here=here)
            self._keep(result_of_check(each, job=self._job, strict=report.strict, origin=origin))

    def outcome(self, outcome: Outcome, *, known: Known | None = None) -> None:
        from driftctl_py.app.results import result_of_outcome

        known = known or self._ground.known(outcome.run.environment)
        self._keep(
            result_of_outcome(
                outcome,
                self._occasion,
                job=self._job,
                people=known.people,
                now=now(),
                origin=self._ground.origin(known.path, here=known.here),
            )
        )

    def failed(self, error: DriftctlError, names: Sequence[str]) -> None:
        from driftctl_py.app.results import result_of_error

        for name in names:
            self._keep(result_of_error(error, name, self._occasion, job=self._job, now=now()))

    def _keep(self, result: Result) -> None:
        from driftctl_py.core.result_json import encode_result

        self._write(self._directory, result.environment, encode_result(result))
        self.names.add(result.environment)


class _Ground:
    """What a result says of the source. None of it is worth an error: what is not known is left
    out."""

    def __init__(self, options: Options, stack: ExitStack) -> None:
        self._options = options
        self._stack = stack
        self._config: Config | None = None
        self._sources: GitContents | None = None
        self._environments: dict[str, Environment] | None = None
        self._root: Path | None = None

    @property
    def people(self) -> People:
        from driftctl_py.core.approval import People

        config = self._read()
        return config.people if config else People()

    def known(self, name: str) -> Known:
        """Asks the sources that this configuration names where they stand."""
        if self._environments is None:
            with suppress(DriftctlError):
                self._environments = {each.name: each for each in self.environments()}
        environment = (self._environments or {}).get(name)
        if environment is None:
            return Known("", here=False, people=self.people)
        return Known(environment.path, here=self._is_here(environment), people=self.people)

    def _is_here(self, environment: Environment) -> bool:
        config = self._read()
        source = config.sources.get(environment.source) if config else None
        return source is not None and source.url == "." and environment.ref is source.ref is None

    def origin(self, path: str, *, here: bool) -> Origin:
        from driftctl_py.adapters.module_source import ModuleSource
        from driftctl_py.app.results import Origin
        from driftctl_py.core.declared import Declarations

        root = self._top() if here else None
        if root is None:
            return Origin(path)
        source = ModuleSource(root)

        def texts_of(directory: str) -> dict[str, str]:
            with suppress(DriftctlError):
                return dict(source.of(directory).texts)
            return {}

        return Origin(path, Declarations("" if path == "." else path, texts_of).of)

    def _read(self) -> Config | None:
        if self._config is None:
            with suppress(DriftctlError):
                self._config = load_config(find_config(self._options.config))
        return self._config

    def environments(self) -> tuple[Environment, ...]:
        """All of the configuration's. Raises where one of its sources cannot be read."""
        from driftctl_py.app.estate import Estate

        config, sources = self._read(), self._git()
        if config is None or sources is None:
            return ()
        return Estate(config, sources=sources, jobs=4, stop=new_stop()).environments()

    def _top(self) -> Path | None:
        if self._root is None:
            from driftctl_py.adapters.git_contents import GitContents
            from driftctl_py.compose.surroundings import data_dir

            with suppress(DriftctlError):
                here = find_config(self._options.config).resolve().parent
                # Without the configuration, which a proposal may have written; nothing is fetched.
                own = data_dir(self._options.data_dir, None, here)
                with GitContents(own, here=here, environ=environ()) as sources:
                    self._root = sources.top()
        return self._root

    def _git(self) -> GitContents | None:
        if self._sources is None and (config := self._read()) is not None:
            from driftctl_py.adapters.git_contents import GitContents
            from driftctl_py.compose.surroundings import data_dir, make_data_dir

            here = find_config(self._options.config).resolve().parent
            own = data_dir(self._options.data_dir, config.data_dir, here)
            make_data_dir(own)
            sources = GitContents(own, here=here, environ=environ())
            self._sources = self._stack.enter_context(sources)
        return self._sources


# The report.


def gather(
    directories: Sequence[Path], expected: Sequence[str] | None, *, attempt: int = 0
) -> Results:
    """What all jobs of this run left below the directories, in that attempt or a later one."""
    from driftctl_py.adapters.result_files import ResultFiles
    from driftctl_py.app import results
    from driftctl_py.compose.github import job
    from driftctl_py.core.result_json import MOST_BYTES

    files = ResultFiles(MOST_BYTES)
    return results.gather(files, directories, expected=expected, ours=job(), attempt=attempt)


class Outlet:
    """Where a report is published. Raises `UsageError` where it is not known how, before anything
    is read."""

    def __init__(self, kinds: Collection[str], *, options: Options, scope: str = "") -> None:
        from driftctl_py.core.marker import read_scope

        self._kinds = kinds
        self._options = options
        self._scope = read_scope(scope)
        self._summary = environ().get("GITHUB_STEP_SUMMARY", "")
        if "summary" in kinds and not self._summary:
            raise UsageError(
                "A summary is written into the file that GITHUB_STEP_SUMMARY names, and that is "
                "not set.",
                todo="Run it in GitHub Actions, or print it: driftctl-py report DIR "
                "--format markdown",
            )
        self._on_forge = [kind for kind in kinds if kind != "summary"]
        self._forge: GitHub | None = None
        if self._on_forge:
            from driftctl_py.compose.github import forge

            self._forge = forge()

    def publish(self, results: Results, *, artifact_url: str = "") -> tuple[Published, ...]:
        """What was written, and what could not be, as failed."""
        told: list[Published] = []
        # First, since nothing but a disk that is full can keep it from being written.
        if self._summary and "summary" in self._kinds:
            told.append(_write_summary(self._summary, results, artifact_url))
        if self._forge is not None:
            told += self._to(self._forge, results, artifact_url)
        return tuple(told)

    def _to(self, forge: GitHub, results: Results, artifact_url: str) -> tuple[Published, ...]:
        from driftctl_py.app.publishing import Kind, Publisher
        from driftctl_py.compose.github import workflows
        from driftctl_py.core.assignees import LABEL, assignees

        with ExitStack() as stack:
            stack.callback(forge.close)
            ground = _Ground(self._options, stack)
            environments: dict[str, Environment] = {}
            if "issues" in self._kinds:
                with suppress(DriftctlError):
                    environments = {each.name: each for each in ground.environments()}

            def assign(name: str) -> tuple[str, ...]:
                owner = environments[name].labels.get(LABEL) if name in environments else None
                return assignees(owner, ground.people) if owner else ()

            def merged(commit: str) -> tuple[int, ...]:
                asked = workflows()
                stack.callback(asked.close)
                return asked.merged_pulls_of(commit)

            texts = _texts(artifact_url)
            publisher = Publisher(forge, texts, now, self._scope, assign, merged)
            return publisher.publish(
                results,
                [Kind(kind) for kind in self._on_forge],
                artifact_url=artifact_url,
                configured=list(environments) or None,
            )


def _texts(artifact_url: str) -> Texts:
    from driftctl_py.app.publishing import Texts
    from driftctl_py.report.check_runs import check_run_of
    from driftctl_py.report.comment import render_comment
    from driftctl_py.report.drift_issue import drift_issue
    from driftctl_py.report.markup import prose
    from driftctl_py.report.results_wording import about

    return Texts(
        comment=lambda results, budget, url: render_comment(
            results, budget=budget, artifact_url=url
        ),
        check=lambda result: check_run_of(result, artifact_url=artifact_url),
        check_of_all=lambda results: check_run_of(results, artifact_url=artifact_url),
        issue=lambda result, since, history: drift_issue(
            result, since, history, artifact_url=artifact_url
        ),
        about=about,
        markdown=prose,
    )


def write_step_outputs(results: Results, published: Sequence[Published]) -> None:
    """For the steps after this one, where there are any."""
    import secrets

    from driftctl_py.report.result_outputs import output_lines, step_outputs

    if path := environ().get("GITHUB_OUTPUT"):
        text = output_lines(step_outputs(results, published), f"driftctl-{secrets.token_hex(16)}")
        _append(path, text, "GITHUB_OUTPUT")


def _write_summary(path: str, results: Results, artifact_url: str) -> Published:
    from driftctl_py.core.forge import Published
    from driftctl_py.report.comment import render_summary

    _append(path, render_summary(results, artifact_url=artifact_url), "GITHUB_STEP_SUMMARY")
    return Published("summary: written")


def _append(path: str, text: str, name: str) -> None:
    try:
        with Path(path).open("a", encoding="utf-8", errors="backslashreplace") as file:
            file.write(text)
    except OSError as error:
        raise Unavailable(
            f"The file that {name} names cannot be written: {error.strerror}.",
            todo="Let the step have GitHub's own files: in a container, mount them.",
        ) from error

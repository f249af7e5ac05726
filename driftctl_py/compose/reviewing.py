"""Wires a review: the driftctl.yaml of the base, the environments of the head.

The head is what lies in the work tree. Of its driftctl.yaml only is read what `core.trust` hears;
the policies and whatever else a path of the configuration names are those of the base, laid out
apart from the work tree.
"""

from __future__ import annotations

import os.path
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from driftctl_py.compose.applying import actor, decider_of, opened_with, planner_of
from driftctl_py.compose.checking import Options, parts
from driftctl_py.compose.surroundings import (
    data_dir,
    environ,
    find_config,
    make_data_dir,
    new_id,
    now,
)
from driftctl_py.errors import DriftctlError, Interrupted, SourceError, UsageError

if TYPE_CHECKING:
    from driftctl_py.adapters.git_contents import GitContents
    from driftctl_py.adapters.stop import Stop
    from driftctl_py.app.ports import Progress
    from driftctl_py.app.reconcile import Outcome
    from driftctl_py.compose.applying import Opened
    from driftctl_py.core.approval import People
    from driftctl_py.core.checkout import Revision
    from driftctl_py.core.config_model import Config
    from driftctl_py.core.environment import Environment
    from driftctl_py.core.trust import Trusted


@dataclass(frozen=True, slots=True)
class Reviewed:
    """What was reviewed. ``paths`` are those of the environments from the repository's root, by
    name; ``here`` those of them that were planned as they lie in the work tree; ``base`` is the
    commit whose word counted."""

    outcomes: tuple[Outcome, ...]
    people: People
    base: str
    paths: Mapping[str, str] = field(default_factory=dict)
    here: frozenset[str] = frozenset()


def review(
    options: Options, names: Sequence[str], *, base: str, progress: Progress, stop: Stop
) -> Reviewed:
    """Say what applying the named environments, or all, would do, and what the base says of it."""
    from driftctl_py.adapters.git_contents import GitContents

    _refuse_fork()
    path = find_config(options.config)
    here = path.resolve().parent
    # Nothing is fetched by this one: it only looks into the repository that lies here.
    with GitContents(data_dir(options.data_dir, None, here), here=here, environ=environ()) as git:
        commit = git.commit_of(base)
        name = _inside(path, git.top())
        ours = _config_at(git, name, base, commit)
        # As Git has it: what lies there could be a link to anything.
        head = _config_at(git, name, "HEAD", git.commit_of("HEAD"))
    with opened_with(options, path, ours, lambda: False, reviewing=True) as kept:
        make_data_dir(kept.own)
        with GitContents(kept.own, here=here, environ=environ()) as sources:
            stop.when_asked(sources.stop)
            proposal = _proposed(kept, head, sources, commit, stop)
            return _reviewed(options, kept, names, proposal, sources, progress, stop)


def _refuse_fork() -> None:
    """Workflows are written by users: where one runs for a fork with credentials, nobody else says
    no."""
    from driftctl_py.compose.github import event

    found = event()
    if found is not None and found.fork:
        raise UsageError(
            f"This job runs on {found.kind.value} for what comes from a fork, or may: to plan is "
            "to run its code, so nothing was planned.",
            todo="Push it to a branch of this repository, once you have read it.",
        )


@dataclass(frozen=True, slots=True)
class _Proposal:
    """The base is laid out at ``here``, the directory of its driftctl.yaml. Of the sources each is
    at a revision in ``head``, or has failed."""

    base: Revision
    here: Path
    head: Mapping[str, Revision]
    failed: Mapping[str, DriftctlError]
    trusted: Trusted


def _inside(path: Path, top: Path) -> str:
    """Where the configuration lies in the repository. Raises `UsageError` for one that a link leads
    to: the head could choose which of the base's files is taken for its configuration."""
    for each in (path.absolute(), *path.absolute().parents):
        if each.resolve() == top.resolve():
            break
        if each.is_symlink():
            raise UsageError(
                f"{each} is a symbolic link, so the configuration of the base is not found by it.",
                todo="Put the file itself there, or name it with --config.",
            )
    return os.path.relpath(path.resolve(), top.resolve())


def _config_at(git: GitContents, name: str, ref: str, commit: str) -> Config:
    """The configuration as a commit has it."""
    from driftctl_py.core.checkout import Revision
    from driftctl_py.core.config import decode_config
    from driftctl_py.core.environment import Source

    then = Revision("default", ".", ref, commit, in_place=True)
    text = git.text(Source("default"), then, name)
    if text is None:
        raise UsageError(
            f"{ref} ({commit[:7]}) holds no {name}, so nothing says who may approve what, and "
            "with which engine and credentials to plan.",
            todo="Merge a first driftctl.yaml by itself; what comes after can be reviewed.",
        )
    return decode_config(text, filename=f"{name} at {commit[:7]}")


def _proposed(
    kept: Opened, head: Config, sources: GitContents, commit: str, stop: Stop
) -> _Proposal:
    from driftctl_py.app.estate import Estate
    from driftctl_py.core.environment import Source
    from driftctl_py.core.trust import trusted

    ours = kept.config
    root = sources.top().resolve()
    laid_out = Source("default", ".")
    at_base = sources.resolve(laid_out, commit)
    tree = Path(sources.checkout(laid_out, at_base).root)
    synced = Estate(ours, sources=sources, jobs=4, stop=stop).sync()
    revisions, files = dict(synced.revisions), dict(synced.files)
    failed = dict(synced.failures)
    for name in {entry.source for entry in head.entries} & ours.sources.keys() - revisions.keys():
        # Which environments it has is the head's to say; where it lies is the base's.
        try:
            revisions[name] = sources.resolve(ours.sources[name])
            files[name] = sources.files(ours.sources[name], revisions[name])
        except DriftctlError as error:
            failed[name] = error
    for stopped in failed.values():
        if isinstance(stopped, Interrupted):
            raise stopped
    here = {name for name, source in ours.sources.items() if source.url == "." and not source.ref}
    before = dict.fromkeys(here, sources.files(laid_out, at_base))
    found = trusted(ours, head, base_trees={**files, **before}, head_trees=files)
    inside = os.path.relpath(kept.path.resolve().parent, root)
    return _Proposal(at_base, tree / inside, revisions, failed, found)


def _reviewed(
    options: Options,
    kept: Opened,
    names: Sequence[str],
    proposal: _Proposal,
    sources: GitContents,
    progress: Progress,
    stop: Stop,
) -> Reviewed:
    from driftctl_py.adapters.machine import processors
    from driftctl_py.app.estate import Revisions, Synced, select
    from driftctl_py.app.order import Order
    from driftctl_py.app.review import Reviewer
    from driftctl_py.app.sharing import Sharing
    from driftctl_py.app.tightening import Tightening
    from driftctl_py.core.checkout import Revision

    found = proposal.trusted
    refused: dict[str, DriftctlError] = {
        each.environment.name: SourceError(each.why, todo=each.todo) for each in found.refused
    }
    # What the base has there is not known, so nothing of it is planned, even if it is back by now.
    refused |= {
        each.name: proposal.failed[each.source]
        for each in found.environments
        if each.source in proposal.failed
    }
    everything = (*found.environments, *(each.environment for each in found.refused))
    selected = select(names, everything, complete=not proposal.failed)
    planned = [each for each in selected if each.name not in refused]
    config, jobs = kept.config, options.jobs or processors()
    made = parts(
        config,
        found.environments,
        kept.path,
        kept.own,
        jobs,
        sources,
        progress,
        stop,
        here=proposal.here,
        purpose=" review",
    )
    planner = planner_of(kept, made, sources, progress)
    revisions = Revisions(sources, config, Synced(proposal.head, {}, {}))
    sharing = Sharing(made.preparer, found.environments, revision_of=revisions.of)

    def before(each: Environment) -> Revision:
        own = config.sources[each.source]
        return proposal.base if own.url == "." and not own.ref else revisions.of(each)

    reviewer = Reviewer(
        made.preparer,
        planner,
        decider_of(kept, made, planner, sharing, sources, proposal.here, stop),
        tightening=Tightening(sources=sources, contents=sources, settings=made.settings),
        gone=Sharing(made.preparer, found.gone, revision_of=before),
        workdirs=made.workdirs,
        store=kept.store,
        artifacts=kept.artifacts,
        clock=now,
        new_id=new_id,
        worker=kept.worker,
        jobs=jobs,
        stop=stop,
        settings=made.settings,
    )
    who = actor().text
    orders = [Order(each, revisions.of(each), "review", who) for each in planned]
    by_name = {each.run.environment: each for each in reviewer.review_all(orders)}
    for each in selected:
        if each.name in refused:
            nowhere = Revision(each.source, "", "", "")
            order = Order(each, proposal.head.get(each.source, nowhere), "review", who)
            by_name[each.name] = reviewer.failed(order, refused[each.name])
        elif each.name in found.notes:
            noted = by_name[each.name]
            by_name[each.name] = _with_warning(noted, found.notes[each.name])
    outcomes = [by_name[each.name] for each in selected]
    if outcomes and "" in found.notes:
        # It is about all of them, and said once.
        outcomes[0] = _with_warning(outcomes[0], found.notes[""])
    return Reviewed(
        tuple(outcomes),
        config.people,
        proposal.base.commit,
        {each.name: each.path for each in selected},
        frozenset(each.name for each in planned if revisions.of(each).in_place),
    )


def _with_warning(outcome: Outcome, warning: str) -> Outcome:
    return replace(outcome, warnings=(*outcome.warnings, warning))

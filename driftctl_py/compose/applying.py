"""Wires what changes things: plan, apply, approve, accept, rollback, and what holds them back."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from driftctl_py.compose.checking import Options, Parts, parts
from driftctl_py.compose.surroundings import (
    APPROVER_KEY_NAME,
    KEY_NAME,
    data_dir,
    environ,
    find_config,
    hostname,
    new_id,
    now,
    process_id,
    read_config,
)
from driftctl_py.errors import ConfigError, Interrupted, Problem, UsageError

if TYPE_CHECKING:
    from datetime import datetime

    from driftctl_py.adapters.artifacts import LocalArtifacts, S3Artifacts
    from driftctl_py.adapters.aws import Aws
    from driftctl_py.adapters.git_contents import GitContents
    from driftctl_py.adapters.stop import Stop
    from driftctl_py.adapters.store import Store
    from driftctl_py.app.approvals import Given
    from driftctl_py.app.deciding import Decider
    from driftctl_py.app.estate import Estate, Synced
    from driftctl_py.app.holding import Holding
    from driftctl_py.app.order import Order
    from driftctl_py.app.planning import Planner
    from driftctl_py.app.ports import Progress
    from driftctl_py.app.queries import Queries
    from driftctl_py.app.reconcile import Outcome, Reconciler
    from driftctl_py.app.sharing import Sharing
    from driftctl_py.core.approval import Identity
    from driftctl_py.core.checkout import Revision
    from driftctl_py.core.config_model import Config
    from driftctl_py.core.environment import Environment
    from driftctl_py.core.places import S3ArtifactsPlace
    from driftctl_py.core.restraint import Restraint


def plan(options: Options, environment: str, *, progress: Progress, stop: Stop) -> Outcome:
    """Make a plan of the environment, keep it, and decide about it."""
    with _at_work(options, environment, "plan", progress, stop) as work:
        return work.reconciler.plan(work.order)


def apply(
    options: Options,
    environment: str,
    *,
    run: str | None,
    reviewed: bool = False,
    progress: Progress,
    stop: Stop,
) -> Outcome:
    """Apply the plan that waits, or that of the run; make one where none waits. ``reviewed``: only
    what a review showed."""
    with _at_work(options, environment, "apply", progress, stop) as work:
        return work.reconciler.apply(replace(work.order, reviewed=reviewed), run)


def accept(
    options: Options, environment: str, *, reason: str, progress: Progress, stop: Stop
) -> Outcome:
    """Let the state record what is there."""
    from driftctl_py.core.run import Purpose

    with _at_work(options, environment, "accept", progress, stop) as work:
        order = replace(work.order, purpose=Purpose.ACCEPT, reason=reason)
        return work.reconciler.reconcile(order)


def rollback(
    options: Options,
    environment: str,
    *,
    commit: str,
    reason: str,
    progress: Progress,
    stop: Stop,
) -> Outcome:
    """Pin the environment at an earlier commit, and bring it there."""
    with _at_work(options, environment, "rollback", progress, stop) as work:
        return work.reconciler.rollback(replace(work.order, reason=reason), commit)


def approve(options: Options, target: str, *, yes: bool, reason: str, proof: str | None) -> Given:
    """Say yes or no to a plan that waits, as whoever is proven to call."""
    from driftctl_py.app.approvals import Approvals

    with opened(options) as kept:
        approvals = Approvals(
            kept.store,
            people=kept.config.people,
            clock=now,
            new_id=new_id,
        )
        by = _identity(kept, proof)
        return approvals.give(target, by=by, yes=yes, reason=reason)


@contextmanager
def history(options: Options) -> Iterator[Queries]:
    """The answers to questions about what was done."""
    from driftctl_py.app.queries import Queries

    with opened(options) as kept:
        yield Queries(kept.store, kept.artifacts, people=kept.config.people, clock=now)


@contextmanager
def hold(options: Options) -> Iterator[Holds]:
    """Suspending, releasing, unblocking, and approvers' keys."""
    with opened(options) as kept:
        yield Holds(kept)


class Holds:
    """`Holding` for the command line: as whoever calls, and only for environments that are."""

    def __init__(self, kept: Opened) -> None:
        self._kept = kept

    def suspend(self, environment: str, *, reason: str, until: datetime | None) -> Restraint:
        self._must_be(environment)
        return self._kept.holding.suspend(environment, reason=reason, until=until)

    def resume(self, environment: str, *, reason: str) -> None:
        self._lift(environment, "suspended", reason)

    def freeze(self, *, reason: str, until: datetime | None) -> Restraint:
        return self._kept.holding.freeze(reason=reason, until=until)

    def thaw(self, *, reason: str) -> None:
        self._kept.holding.thaw(reason=reason)

    def release(self, environment: str, *, reason: str) -> None:
        self._lift(environment, "pinned", reason)

    def unblock(self, environment: str, *, reason: str) -> None:
        self._lift(environment, "blocked", reason)

    def _lift(self, environment: str, why: str, reason: str) -> None:
        from driftctl_py.core.restraint import Why

        self._kept.holding.lift(environment, Why(why), reason=reason)

    def add_key(self, name: str) -> str:
        """The secret, which is shown once and not kept."""
        from driftctl_py.adapters.identity import key_digest, new_key

        secret = new_key()
        self._kept.holding.add_key(name, key_digest(secret))
        return secret

    def remove_key(self, name: str) -> None:
        self._kept.holding.remove_key(name)

    def _must_be(self, environment: str) -> None:
        """A name that is mistyped would hold back nothing."""
        known = {each.name for each in _environments(self._kept)}
        if environment not in known:
            raise UsageError(
                f"There is no environment {environment}.",
                todo=f"Known: {', '.join(sorted(known)) or 'none'}.",
            )


@dataclass(frozen=True, slots=True)
class Work:
    """One environment, synced and about to be worked at."""

    kept: Opened
    sources: GitContents
    reconciler: Reconciler
    order: Order

    @property
    def config(self) -> Config:
        return self.kept.config


@dataclass(frozen=True, slots=True)
class Opened:
    """The configuration, and what is remembered under it. ``worker`` is who we are among those
    that work at the same, ``is_another`` whether the configuration was changed since."""

    path: Path
    own: Path
    config: Config
    store: Store
    artifacts: LocalArtifacts | S3Artifacts
    worker: str
    is_another: Callable[[], bool]

    @property
    def holding(self) -> Holding:
        from driftctl_py.app.holding import Holding

        return Holding(self.store, clock=now, actor=actor().text)


@contextmanager
def opened(options: Options) -> Iterator[Opened]:
    path = find_config(options.config)
    config, is_another = read_config(path)
    if options.strict is not None:
        config = replace(config, strict=options.strict)
    with opened_with(options, path, config, is_another) as kept:
        yield kept


@contextmanager
def opened_with(
    options: Options,
    path: Path,
    config: Config,
    is_another: Callable[[], bool],
    *,
    reviewing: bool = False,
) -> Iterator[Opened]:
    """What is remembered under a configuration that was read already. Who is ``reviewing`` writes
    where nothing else is."""
    own = data_dir(options.data_dir, config.data_dir, path.resolve().parent)
    store, artifacts = _store(config, own), _artifacts(config, own, reviewing=reviewing)
    worker = f"{hostname()}:{process_id()}:{new_id()[-8:]}"
    try:
        yield Opened(path, own, config, store, artifacts, worker, is_another)
    finally:
        store.close()


@contextmanager
def at_work(options: Options) -> Iterator[Opened]:
    """`opened` for somebody who takes run locks: for as long as we live, others can see it."""
    from driftctl_py.adapters.workers import Workers

    with opened(options) as kept, Workers(kept.own).at_work(kept.worker):
        yield kept


@contextmanager
def _at_work(
    options: Options, name: str, trigger: str, progress: Progress, stop: Stop
) -> Iterator[Work]:
    from driftctl_py.app.estate import select
    from driftctl_py.app.order import Order

    with at_work(options) as kept, sources_of(kept, stop) as sources:
        estate = estate_of(kept, sources, stop)
        synced = estate.sync()
        environment, revision = _selected(estate, synced, name, select)
        among = estate.expand(synced)[0]
        reconciler = reconciler_of(kept, [environment], sources, 1, progress, stop, among=among)
        order = Order(environment, revision, trigger, actor().text)
        yield Work(kept, sources, reconciler, order)


def _selected(
    estate: Estate,
    synced: Synced,
    name: str,
    select: Callable[..., tuple[Environment, ...]],
) -> tuple[Environment, Revision]:
    for error in synced.failures.values():
        if isinstance(error, Interrupted):
            raise error
    environments, _ = estate.expand(synced)
    try:
        (environment,) = select([name], environments, complete=not synced.failures)
    except UsageError:
        # It may be in the source that cannot be read, and then that is what to say.
        for error in synced.failures.values():
            raise error from None
        raise
    return environment, estate.revisions(synced).of(environment)


@contextmanager
def sources_of(kept: Opened, stop: Stop) -> Iterator[GitContents]:
    from driftctl_py.adapters.git_contents import GitContents

    sources = GitContents(kept.own, here=kept.path.resolve().parent, environ=environ())
    stop.when_asked(sources.stop)
    with sources:
        yield sources


def estate_of(kept: Opened, sources: GitContents, stop: Stop) -> Estate:
    from driftctl_py.app.estate import Estate

    return Estate(kept.config, sources=sources, jobs=4, stop=stop)


def _environments(kept: Opened) -> tuple[Environment, ...]:
    from driftctl_py.compose.surroundings import new_stop

    stop = new_stop()
    with sources_of(kept, stop) as sources:
        return estate_of(kept, sources, stop).environments()


def reconciler_of(
    kept: Opened,
    selected: Sequence[Environment],
    sources: GitContents,
    jobs: int,
    progress: Progress,
    stop: Stop,
    *,
    among: Sequence[Environment] | None = None,
) -> Reconciler:
    """For the ``selected`` environments, which are ``among`` all of the configuration's."""
    from datetime import timedelta

    from driftctl_py.adapters.workers import Workers
    from driftctl_py.app.applying import Applier
    from driftctl_py.app.estate import Revisions, Synced
    from driftctl_py.app.leases import Leases
    from driftctl_py.app.reconcile import Reconciler
    from driftctl_py.app.recovery import Recovery
    from driftctl_py.app.sharing import Sharing
    from driftctl_py.app.tightening import Tightening
    from driftctl_py.app.waiting import Waiting

    config, store, artifacts = kept.config, kept.store, kept.artifacts
    here = kept.path.resolve().parent
    made = parts(config, among or selected, kept.path, kept.own, jobs, sources, progress, stop)
    planner = planner_of(kept, made, sources, progress)
    applier = Applier(
        planner,
        appliers=made.engines,
        workdirs=made.workdirs,
        store=store,
        artifacts=artifacts,
        clock=now,
        progress=progress,
        settings=made.settings,
        retention=timedelta(seconds=config.retention_seconds),
    )
    revisions = Revisions(sources, config, Synced({}, {}, {}))
    sharing = Sharing(
        made.preparer,
        among or selected,
        revision_of=revisions.of,
    )
    decider = decider_of(kept, made, planner, sharing, sources, here, stop)
    return Reconciler(
        made.preparer,
        planner,
        decider,
        applier,
        leases=Leases(store, worker=kept.worker, is_dead=Workers(kept.own).is_dead, clock=now),
        recovery=Recovery(applier, store=store, clock=now),
        tightening=Tightening(sources=sources, contents=sources, settings=made.settings),
        waiting=Waiting(planner, store=store, artifacts=artifacts, clock=now),
        workdirs=made.workdirs,
        contents=sources,
        store=store,
        artifacts=artifacts,
        clock=now,
        new_id=new_id,
        worker=kept.worker,
        settings=made.settings,
    )


def _key(of_store: bytes) -> bytes:
    """What fingerprints are sealed with: the one that is given, else the store's."""
    given = environ().get(KEY_NAME)
    return given.encode() if given else of_store


def planner_of(kept: Opened, made: Parts, sources: GitContents, progress: Progress) -> Planner:
    """What plans as an apply does."""
    from driftctl_py.adapters.module_source import ModuleSource
    from driftctl_py.adapters.plan_file import PlanFiles
    from driftctl_py.app.planning import Planner

    return Planner(
        made.preparer,
        sources=sources,
        workdirs=made.workdirs,
        engines=made.engines,
        appliers=made.engines,
        states=made.states,
        plans=PlanFiles(),
        contents=sources,
        modules_of=lambda root: ModuleSource(root).of,
        progress=progress,
        settings=made.settings,
        key=_key(kept.store.key()),
    )


def decider_of(
    kept: Opened,
    made: Parts,
    planner: Planner,
    sharing: Sharing,
    sources: GitContents,
    here: Path,
    stop: Stop,
) -> Decider:
    """What decides by the configuration, whose policies lie ``here``."""
    from driftctl_py.adapters.checks import CheckRunner
    from driftctl_py.adapters.rego import RegoEngine
    from driftctl_py.app.deciding import Decider
    from driftctl_py.app.gating import Gating
    from driftctl_py.app.limits import Limiting

    return Decider(
        sharing=sharing,
        workdirs=made.workdirs,
        contents=sources,
        store=kept.store,
        artifacts=kept.artifacts,
        gate=Gating(
            rego=RegoEngine(here=here, environ=environ(), stop=stop),
            checks=CheckRunner(here=here, environ=environ(), stop=stop),
            limits=Limiting(kept.store, people=kept.config.people, clock=now),
            secrets=made.settings.secrets,
        ),
        documents=planner.documents,
        people=kept.config.people,
        clock=now,
        settings=made.settings,
        is_another=kept.is_another,
    )


def _store(config: Config, own: Path) -> Store:
    from driftctl_py.adapters.store import Objects, open_bucket_store, open_store

    place = config.artifacts
    if not config.store_in_artifacts or place is None:
        return open_store(_store_url(config), own, now=now)
    from driftctl_py.adapters.aws import Aws

    aws = Aws(clock=now)

    def below(prefix: str) -> Objects:
        return Objects(
            place.bucket,
            f"{place.prefix}/{prefix}",
            _client_of(place, aws),
            kms_key_id=place.kms_key_id,
            explain=aws.credentials_error,
        )

    return open_bucket_store(below("memory"), own, now=now, reviews=below("reviews/runs"))


def _store_url(config: Config) -> str | None:
    if config.store_url_env is None:
        return config.store_url
    url = environ().get(config.store_url_env)
    if not url:
        raise ConfigError(
            (
                Problem(
                    config.filename,
                    0,
                    f"store.url_env: the environment variable {config.store_url_env} is not set.",
                    f"export {config.store_url_env}=postgresql://…",
                ),
            )
        )
    return url


def _artifacts(config: Config, own: Path, *, reviewing: bool) -> LocalArtifacts | S3Artifacts:
    from driftctl_py.adapters.artifacts import LocalArtifacts, S3Artifacts

    place = config.artifacts
    if place is None:
        return LocalArtifacts(own / "artifacts")
    from driftctl_py.adapters.aws import Aws

    aws = Aws(clock=now)

    def below(prefix: str, beside: S3Artifacts | None = None) -> S3Artifacts:
        return S3Artifacts(
            place.bucket,
            prefix,
            _client_of(place, aws),
            kms_key_id=place.kms_key_id,
            explain=aws.credentials_error,
            beside=beside,
        )

    reviews = below(f"{place.prefix}/reviews")
    return reviews if reviewing else below(place.prefix, reviews)


def _client_of(place: S3ArtifactsPlace, aws: Aws) -> Callable[[], object]:
    """boto3's, anew each time, since credentials expire; it has no types of its own."""
    return lambda: aws.client("s3", environ=environ(), region=place.region, endpoint=place.endpoint)


def actor() -> Identity:
    """Who works here, as the operating system says: for the records, never for an approval."""
    from driftctl_py.adapters.identity import os_user

    return os_user()


def _identity(kept: Opened, proof: str | None) -> Identity:
    """Who approves: the strongest proof that there is, or the one that is asked for."""
    from driftctl_py.adapters.aws import Aws
    from driftctl_py.adapters.identity import caller_identity

    return caller_identity(
        proof,
        secret=environ().get(APPROVER_KEY_NAME),
        keys=kept.store.keys(),
        aws=Aws(clock=now),
        environ=environ(),
    )

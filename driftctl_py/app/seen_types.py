"""Which types of resources there are, as far as the code and the stored plans tell: what rules that
ask for types are held against.

No state is read and nothing is planned. Of code that comes from elsewhere (a module of a registry)
only a stored plan tells; one that is kept names what changed and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from driftctl_py.core.address import parse_address
from driftctl_py.core.environment import Environment, Source
from driftctl_py.core.module_facts import ENGINE_SUFFIXES
from driftctl_py.core.resource_types import types_in_code
from driftctl_py.errors import ArtifactError, PlanError, UsageError

if TYPE_CHECKING:
    from driftctl_py.app.ports import Artifacts, Sources, Store
    from driftctl_py.core.run import Run

# The latest of each environment, each of which may name other types.
_PLANS_OF_EACH = 5
_RUNS = 500


def seen_in_code(
    where: Iterable[Source], sources: Sources, read: Callable[[Path], bytes | None]
) -> frozenset[str]:
    """Of everything that lies in these repositories, at the commits that they are at. Raises what
    ``sources`` raise."""
    found: set[str] = set()
    for source in where:
        revision = sources.resolve(source)
        root = Path(sources.checkout(source, revision).root)
        for name in sources.files(source, revision):
            if name.endswith(ENGINE_SUFFIXES):
                data = read(root / name)
                found |= types_in_code(name, (data or b"").decode(errors="replace"))
    return frozenset(found)


def seen_in_plans(
    environments: Sequence[Environment], store: Store, artifacts: Artifacts
) -> frozenset[str]:
    """Of all that the latest plans of these environments change, or found changed."""
    from driftctl_py.app.policy import stored_plan

    found: set[str] = set()
    for run in _latest(environments, store):
        try:
            report = stored_plan(run, artifacts)
        except (ArtifactError, PlanError, UsageError):
            # Nothing is known of it, and of others it is.
            continue
        for each in report.plan.joined:
            parsed = parse_address(each.entry.address)
            found |= {parsed.type} if parsed else set()
    return frozenset(found)


def _latest(environments: Sequence[Environment], store: Store) -> Iterator[Run]:
    from driftctl_py.app.policy import PLAN

    for environment in environments:
        seen: set[str] = set()
        for run in store.runs(environment=environment.name, limit=_RUNS):
            reference = run.artifacts.get(PLAN)
            if reference is not None and reference not in seen:
                seen.add(reference)
                yield run
            if len(seen) == _PLANS_OF_EACH:
                break

"""What somebody is told who watches a log."""

from __future__ import annotations

import io

from driftctl_py.cli.progress import PlainProgress, watching


def test_an_apply_tells_a_log_how_far_it_is_and_does_not_bury_it() -> None:
    log = io.StringIO()
    progress = PlainProgress(log, verbose=False)

    for done in range(1, 36):
        progress.applied("prod", done)

    lines = log.getvalue().splitlines()
    assert lines[0] == "prod: 1 resource applied"
    assert lines[1] == "prod: 2 resources applied"
    assert [line.split()[1] for line in lines[9:]] == ["10", "20", "30"]


def test_a_log_is_told_what_is_done_only_when_it_asked() -> None:
    quiet, verbose = io.StringIO(), io.StringIO()

    for log in (quiet, verbose):
        with watching(log, verbose=log is verbose, doing="applying") as progress:
            progress.started("prod", "apply")
            progress.refreshed("prod", 3)

    assert [quiet.getvalue(), verbose.getvalue()] == ["", "prod: apply\n"]


def test_what_is_done_next_ends_an_apply() -> None:
    progress = PlainProgress(io.StringIO(), verbose=False)

    seen = []
    for environment, doing in (
        *(("prod", "plan"), ("prod", "apply"), ("dev", "plan")),
        *(("dev", "apply"), ("prod", "plan"), ("dev", "read")),
    ):
        progress.started(environment, doing)
        seen.append(progress.applying())

    assert seen == [False, True, True, True, True, False]

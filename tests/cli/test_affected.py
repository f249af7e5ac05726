"""`affected` and `matrix` as they are typed, in a real repository."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from driftctl_py.adapters.store import open_store
from driftctl_py.cli.main import main
from driftctl_py.core.run import Purpose, Run, State
from tests.adapters.test_git import Repository, environ, here

__all__ = ["environ", "here"]  # fixtures

CONFIG = "environments: [environments/*]\n"
WEB = 'module "web" {\n  source = "../../modules/web"\n}\n'

Typed = tuple[int, str, str]


@pytest.fixture
def typed(
    here: Repository, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Typed]:
    """Types a command in a repository with two environments and one module, at the tag `base`."""
    for name, value in here.environ.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(here.path)
    here.write("driftctl.yaml", CONFIG)
    here.write("environments/dev/main.tf", "# dev\n")
    here.write("environments/prod/main.tf", WEB)
    here.commit("modules/web/main.tf", 'a = file("${path.module}/../../motd.txt")\n')
    here.git("tag", "base")

    def run(*argv: str) -> Typed:
        code = main(argv)
        said = capsys.readouterr()
        assert "Traceback" not in said.err
        return code, said.out, said.err

    return run


def reasons(out: str) -> dict[str, list[tuple[str, str | None]]]:
    document: dict[str, Any] = json.loads(out)
    return {
        each["name"]: [(reason["because"], reason["path"]) for reason in each["reasons"]]
        for each in document["environments"]
    }


def test_a_module_that_changes_concerns_exactly_who_uses_it(
    here: Repository, typed: Callable[..., Typed]
) -> None:
    here.commit("modules/web/main.tf", "# other\n")

    assert typed("affected", "--base", "base") == (0, "prod\n", "")
    assert typed("affected", "--base", "base", "--explain") == (
        0,
        "prod\n  modules/web/main.tf: it lies in modules/web, a module that it uses\n"
        "Not concerned: dev\n",
        "",
    )


def test_what_is_changed_new_or_renamed_in_the_work_tree_counts(
    here: Repository, typed: Callable[..., Typed]
) -> None:
    here.write("motd.txt", "Hello\n")
    here.git("mv", "environments/dev/main.tf", "environments/dev/more.tf")

    _, out, _ = typed("affected", "--base", "base", "--format", "json")

    assert reasons(out) == {
        "dev": [
            ("it lies in the environment", "environments/dev/main.tf"),
            ("it lies in the environment", "environments/dev/more.tf"),
        ],
        "prod": [("modules/web/main.tf reads it", "motd.txt")],
    }


def test_what_happened_on_the_base_meanwhile_is_not_our_change(
    here: Repository, typed: Callable[..., Typed]
) -> None:
    here.git("checkout", "-q", "-b", "theirs")
    here.commit("environments/prod/main.tf", "# theirs\n")
    here.git("checkout", "-q", "-b", "ours", "base")
    here.commit("environments/dev/main.tf", "# ours\n")

    assert typed("affected", "--base", "theirs")[1] == "dev\n"


def test_the_configuration_concerns_whom_it_speaks_of(
    here: Repository, typed: Callable[..., Typed]
) -> None:
    here.commit("driftctl.yaml", CONFIG + "overrides:\n  dev: {variables: {size: 2}}\n")
    one = typed("affected", "--base", "base", "--format", "json")[1]
    here.commit("driftctl.yaml", CONFIG + "strict: true\n")
    both = typed("affected", "--base", "base", "--format", "json")[1]

    assert reasons(one) == {"dev": [("the configuration says something else of it", None)]}
    assert set(reasons(both)) == {"dev", "prod"}


def test_environments_that_come_and_go_are_told(
    here: Repository, typed: Callable[..., Typed]
) -> None:
    here.git("mv", "environments/dev", "environments/lab")

    _, out, _ = typed("affected", "--base", "base", "--explain")

    assert out == (
        "lab\n  it is new\n  environments/lab/main.tf: it lies in the environment\n"
        "Not concerned: prod\nNo longer there: dev\n"
    )


def test_without_a_configuration_before_all_is_new(
    here: Repository, typed: Callable[..., Typed]
) -> None:
    here.git("rm", "-q", "driftctl.yaml")
    here.commit("motd.txt", "Hello\n")
    here.git("tag", "bare")
    here.commit("driftctl.yaml", CONFIG)

    assert typed("affected", "--base", "bare")[1] == "dev\nprod\n"


def test_a_configuration_that_could_not_be_read_before_leaves_it_open(
    here: Repository, typed: Callable[..., Typed]
) -> None:
    here.commit("driftctl.yaml", "environments: 3\n")
    here.git("tag", "broken")
    here.commit("driftctl.yaml", CONFIG)

    code, out, err = typed("affected", "--base", "broken")

    assert (code, out) == (0, "dev\nprod\n")
    assert err.startswith("warning: What the configuration said at ")
    assert err.endswith(" So all environments are taken for concerned.\n")


def test_a_clone_without_the_base_leaves_it_open(
    here: Repository,
    typed: Callable[..., Typed],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    here.commit("motd.txt", "Hello\n")
    shallow = tmp_path / "shallow"
    here.git("clone", "-q", "--depth", "1", f"file://{here.path}", str(shallow))
    monkeypatch.chdir(shallow)

    code, out, err = typed("affected", "--base", "base")

    assert (code, out) == (0, "dev\nprod\n")
    assert "this clone is shallow and does not hold base" in err
    assert "fetch-depth: 0" in err


def test_a_base_that_nobody_knows_is_refused(typed: Callable[..., Typed]) -> None:
    for name in ("nope", "--upload-pack=x", ""):
        code, out, err = typed("affected", f"--base={name}")

        assert (code, out) == (1, "")
        assert f"{name} is no commit, branch or tag of the repository" in err


def test_a_base_of_another_history_is_refused(
    here: Repository, typed: Callable[..., Typed]
) -> None:
    here.git("checkout", "-q", "--orphan", "other")
    here.commit("environments/dev/main.tf", "# other\n")

    code, _, err = typed("affected", "--base", "base")

    assert code == 1
    assert "have no commit in common" in err


def test_a_configuration_about_other_repositories_has_nothing_to_tell(
    here: Repository, typed: Callable[..., Typed]
) -> None:
    here.commit("driftctl.yaml", f"sources: {{far: {{url: {here.path}}}}}\n{CONFIG}")

    code, _, err = typed("affected", "--base", "base")

    assert code == 1
    assert "concerns no environment" in err


def test_nothing_that_concerns_anybody_prints_nothing(
    here: Repository, typed: Callable[..., Typed]
) -> None:
    here.commit("README.md", "Hello\n")

    assert typed("affected", "--base", "base") == (0, "", "")
    assert typed("affected", "--base", "base", "--explain")[1].endswith(
        "concerns no environment.\nNot concerned: dev, prod\n"
    )
    assert typed("matrix", "--base", "base")[1] == '{"include": []}\n'


def test_the_matrix_has_a_job_for_each_that_is_concerned(
    here: Repository, typed: Callable[..., Typed]
) -> None:
    here.commit("modules/web/main.tf", "# other\n")

    _, out, _ = typed("matrix", "--base", "base", "--format", "github")

    assert out == ('matrix={"include": [{"name": "prod", "environments": "prod"}]}\ncount=1\n')


def test_who_names_environments_gets_jobs_for_these_whatever_changed(
    here: Repository, typed: Callable[..., Typed]
) -> None:
    here.commit("modules/web/main.tf", "# other\n")

    _, out, _ = typed("matrix", "--base", "base", "dev")
    code, _, err = typed("matrix", "--since-applied", "deb")

    assert [each["environments"] for each in json.loads(out)["include"]] == ["dev"]
    assert code == 1
    assert "There is no environment deb." in err
    assert "Did you mean dev?" in err


def test_where_all_are_concerned_there_are_no_others_to_name(
    here: Repository, typed: Callable[..., Typed]
) -> None:
    here.commit(".terraform-version", "1.11.4\n")

    _, out, _ = typed("affected", "--base", "base", "--explain")

    assert out == (
        "dev\n  .terraform-version: it chooses its engine\n"
        "prod\n  .terraform-version: it chooses its engine\n"
    )


def test_environments_share_jobs_by_how_long_they_took(
    here: Repository, typed: Callable[..., Typed], tmp_path: Path
) -> None:
    for name in ("qa", "uat"):
        here.write(f"environments/{name}/main.tf", "# it\n")
    now = datetime(2026, 11, 24, tzinfo=UTC)
    data = tmp_path / "memory"
    data.mkdir(mode=0o700)
    with open_store(None, data, now=lambda: now) as store:
        for name, seconds in {"dev": 60, "prod": 60, "qa": 1, "uat": 1}.items():
            ended = now + timedelta(seconds=seconds)
            store.save(
                Run(name, name, State.IN_SYNC, Purpose.RECONCILE, now, "plan", "os:ada", "w", ended)
            )

    _, out, _ = typed("matrix", "--max-jobs", "2", "--data-dir", str(data))

    assert json.loads(out) == {
        "include": [
            {"name": "dev, qa", "environments": "dev qa"},
            {"name": "prod, uat", "environments": "prod uat"},
        ]
    }


def applied(here: Repository, name: str, commit: str, state: State = State.APPLIED) -> None:
    """The store knows of it."""
    at = datetime(2026, 11, 24, tzinfo=UTC)
    id = f"{name}-{commit[:7]}-{state.value}"
    run = Run(id, name, state, Purpose.RECONCILE, at, "apply", "os:ada", "h:1", commit=commit)
    with open_store(None, Path(here.environ["DRIFTCTL_DATA_DIR"]), now=lambda: at) as store:
        store.save(run)


def test_each_environment_is_asked_since_it_was_applied(
    here: Repository, typed: Callable[..., Typed], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(here.environ, "DRIFTCTL_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("DRIFTCTL_DATA_DIR", str(tmp_path / "data"))
    start = here.head
    never = typed("affected", "--since-applied", "--format", "json")[1]
    for name in ("dev", "prod"):
        applied(here, name, start)
    nothing = typed("affected", "--since-applied")
    one = here.commit("modules/web/main.tf", "# other\n")
    # An apply that failed, and a review of what is to come, leave it as it was.
    applied(here, "prod", one, State.PARTLY_APPLIED)
    here.commit("environments/dev/main.tf", "# newer\n")
    applied(here, "dev", here.head)
    left = typed("affected", "--since-applied", "--explain")
    matrix = typed("matrix", "--since-applied")[1]

    assert {each for found in reasons(never).values() for each in found} == {
        ("nothing was ever applied there, as far as the store knows", None)
    }
    assert nothing == (0, "", "")
    assert left == (
        0,
        "prod\n  modules/web/main.tf: it lies in modules/web, a module that it uses\n"
        "Not concerned: dev\n",
        "",
    )
    assert [each["environments"] for each in json.loads(matrix)["include"]] == ["prod"]


def test_what_was_applied_and_is_not_in_the_history_is_concerned(
    here: Repository, typed: Callable[..., Typed], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(here.environ, "DRIFTCTL_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("DRIFTCTL_DATA_DIR", str(tmp_path / "data"))
    here.git("checkout", "-q", "-b", "theirs")
    here.commit("environments/prod/main.tf", "# theirs\n")
    applied(here, "prod", here.head)
    applied(here, "dev", "f" * 40)
    here.git("checkout", "-q", "-b", "ours", "base")

    said = typed("affected", "--since-applied", "--format", "json")[1]

    ((prod,), (dev,)) = reasons(said)["prod"], reasons(said)["dev"]
    assert prod[0].endswith("which was applied last, is no commit that this one is of")
    assert dev[0] == "fffffff, which was applied last, is not in this repository"

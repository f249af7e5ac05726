from __future__ import annotations

from collections.abc import Mapping, Sequence
from textwrap import dedent

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftctl_py.core.config import decode_config, expand
from driftctl_py.core.config_expand import is_engine_file, merge
from driftctl_py.core.config_model import Settings
from driftctl_py.core.environment import Credentials, EngineChoice, Environment, S3State
from driftctl_py.errors import ConfigError

FILES = (
    "README.md",
    "environments/dev/main.tf",
    "environments/prod/main.tf",
    "environments/prod/templates/user-data.sh",
    "modules/bucket/main.tf",
    "teams/data/eu/main.tofu",
    "teams/data/us/main.tf.json",
    "teams/web/eu/main.tf",
    ".terraform/modules/x/main.tf",
    "environments/.hidden/main.tf",
)
Trees = Mapping[str, Sequence[str]]


def environments(text: str, trees: Trees | None = None) -> tuple[Environment, ...]:
    config = decode_config(dedent(text).encode(), filename="driftctl.yaml")
    return expand(config, {"default": FILES} if trees is None else trees)


def found(text: str, trees: Trees | None = None) -> dict[str, str]:
    return {environment.name: environment.path for environment in environments(text, trees)}


def problems(text: str, trees: Trees | None = None) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        environments(text, trees)
    return [str(problem) for problem in caught.value.problems]


def test_a_glob_finds_directories_with_engine_files_in_the_order_of_their_paths() -> None:
    assert found("environments: [environments/*]") == {
        "dev": "environments/dev",
        "prod": "environments/prod",
    }


def test_environments_come_in_the_order_of_the_file() -> None:
    assert list(found("environments: [teams/data/*, environments/prod, environments/d*]")) == [
        "eu",
        "us",
        "prod",
        "dev",
    ]


def test_several_wildcards_give_names_of_several_parts() -> None:
    assert found("environments: [teams/*/*]") == {
        "data/eu": "teams/data/eu",
        "data/us": "teams/data/us",
        "web/eu": "teams/web/eu",
    }


def test_a_name_comes_from_the_levels_with_wildcards_wherever_they_stand() -> None:
    assert found("environments: [teams/*/eu]") == {"data": "teams/data/eu", "web": "teams/web/eu"}
    assert found("environments: ['environments/pr*']") == {"prod": "environments/prod"}


def test_a_search_finds_engine_files_at_any_depth_and_nothing_else() -> None:
    assert found("environments: ['environments/**']") == {
        "dev": "environments/dev",
        "prod": "environments/prod",
    }
    assert found("environments: ['**']", {"default": ["main.tf", "a/b.tf", "c/d"]}) == {
        "root": ".",
        "a": "a",
    }


def test_a_directory_above_environments_is_passed_over() -> None:
    trees = {"default": ["live/a/main.tf", "live/deep/er/main.tf"]}

    assert found("environments: [live/*]", trees) == {"a": "live/a"}


def test_a_directory_that_lost_its_files_is_kept_so_that_its_check_can_fail() -> None:
    trees = {"default": ["live/a/main.tf", "live/gone/README.md"]}

    assert found("environments: [live/*]", trees) == {"a": "live/a", "gone": "live/gone"}


def test_a_single_path_is_kept_whether_it_is_there_or_not() -> None:
    assert found("environments: [nowhere/dev, .]") == {"dev": "nowhere/dev", "root": "."}


def test_an_exclude_takes_away_a_directory_with_everything_below() -> None:
    text = "environments: [{path: '**', exclude: [teams/*/us, modules, environments/dev]}]"

    assert found(text) == {
        "environments/prod": "environments/prod",
        "teams/data/eu": "teams/data/eu",
        "teams/web/eu": "teams/web/eu",
    }


def test_a_template_makes_names_of_what_the_stars_took() -> None:
    text = """\
        sources: {infra: .}
        environments:
        - {path: 'teams/*/e*', name: "{source}-{2}-{1}-{dir}"}
        - {path: 'environments/*', name: "{path}"}
        - {path: '.', name: "{source}/{path}/{dir}"}
        """

    assert found(text, {"infra": FILES}) == {
        "infra-u-data-eu": "teams/data/eu",
        "infra-u-web-eu": "teams/web/eu",
        "environments/dev": "environments/dev",
        "environments/prod": "environments/prod",
        "infra/root/root": ".",
    }


def test_one_directory_may_be_two_environments_by_two_names() -> None:
    text = """\
        environments:
        - {path: environments/prod, name: prod-eu, workspace: eu}
        - {path: environments/prod, name: prod-us, workspace: us}
        """

    assert [(each.name, each.workspace) for each in environments(text)] == [
        ("prod-eu", "eu"),
        ("prod-us", "us"),
    ]


def test_later_layers_win_and_mappings_are_joined_by_key() -> None:
    prod, dev = environments("""\
        engine: {use: tofu, version: ">= 1.6"}
        state: {s3: {bucket: top, region: eu}}
        defaults:
          interval: 1h
          timeout: 10m
          variables: {a: 1, b: 1, c: 1}
          labels: {team: platform, tier: low}
          env: {A: "1"}
          var_files: [common.tfvars]
          credentials: {plan: {profile: reader}, apply: {profile: writer}}
          parallelism: 5
        environments:
        - path: environments/prod
          ref: release
          variables: {b: 2, c: 2}
          env: {B: "2"}
          var_files: [prod.tfvars]
          state: none
        - environments/dev
        overrides:
          prod:
            interval: 5m
            workspace: live
            variables: {c: 3}
            labels: {tier: high}
            credentials: {plan: {profile: prod-reader}}
            needs: [dev]
            engine: terraform
        """)

    assert prod == Environment(
        name="prod",
        path="environments/prod",
        ref="release",
        workspace="live",
        variables={"a": 1, "b": 2, "c": 3},
        var_files=("prod.tfvars",),
        interval_seconds=300,
        plan_timeout_seconds=600,
        parallelism=5,
        needs=("dev",),
        labels={"team": "platform", "tier": "high"},
        env={"A": "1", "B": "2"},
        plan_credentials=Credentials("prod-reader"),
        apply_credentials=Credentials("writer"),
        engine=EngineChoice("terraform"),
        state=None,
    )
    assert dev.engine == EngineChoice("tofu", ">= 1.6")
    assert dev.state == S3State("top", "eu")
    assert dev.var_files == ("common.tfvars",)


def test_an_environment_may_have_a_state_of_its_own() -> None:
    (prod,) = environments("""\
        environments:
        - {path: environments/prod, state: {s3: {bucket: own, region: us}}}
        """)

    assert prod.state == S3State("own", "us")


def test_an_empty_list_takes_back_what_a_layer_below_gave() -> None:
    text = """\
        defaults: {needs: [dev], var_files: [a.tfvars]}
        environments: [environments/*]
        overrides: {dev: {needs: [], var_files: []}}
        """

    dev, prod = environments(text)

    assert (dev.needs, dev.var_files) == ((), ())
    assert (prod.needs, prod.var_files) == (("dev",), ("a.tfvars",))


@pytest.mark.parametrize(
    ("name", "is_one"),
    [
        ("main.tf", True),
        ("main.tf.json", True),
        ("main.tofu", True),
        ("main.tofu.json", True),
        ("main.tfvars", False),
        ("main.tf.bak", False),
        ("main.json", False),
        (".main.tf", False),
    ],
)
def test_only_what_the_engine_reads_makes_an_environment(name: str, is_one: bool) -> None:
    assert is_engine_file(name) is is_one


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "version: 1\nenvironments:\n- enviroments/*\n",
            'driftctl.yaml:3: "enviroments/*" matches no directory in the source default.\n'
            "  Did you mean `environments`? Files of the engine (.tf, .tofu) lie in: "
            "environments/dev, environments/prod, modules/bucket, teams/data/eu, teams/data/us, "
            "teams/web/eu.",
        ),
        (
            "environments: [Environments/*]\n",
            'driftctl.yaml:1: "Environments/*" matches no directory in the source default.\n'
            "  Did you mean `environments`? Files of the engine (.tf, .tofu) lie in: "
            "environments/dev, environments/prod, modules/bucket, teams/data/eu, teams/data/us, "
            "teams/web/eu.",
        ),
        (
            "environments: [teams/*]\n",
            'driftctl.yaml:1: "teams/*" matches only directories above those that hold files of '
            "the engine in the source default.\n"
            "  Write one level more (teams/*/*) or any depth (teams/*/**). Files of the engine "
            "(.tf, .tofu) lie in: environments/dev, environments/prod, modules/bucket, "
            "teams/data/eu, teams/data/us, teams/web/eu.",
        ),
        (
            "environments: [{path: teams/*/*, exclude: ['teams/**']}]\n",
            'driftctl.yaml:1: "teams/*/*" matches only what `exclude` takes away (3 directories) '
            "in the source default.\n"
            "  Files of the engine (.tf, .tofu) lie in: environments/dev, environments/prod, "
            "modules/bucket, teams/data/eu, teams/data/us, teams/web/eu.",
        ),
        (
            "environments: [environments/prod/templates/**]\n",
            'driftctl.yaml:1: "environments/prod/templates/**" finds no directory that holds '
            "files of the engine in the source default.\n"
            "  Files of the engine (.tf, .tofu) lie in: environments/dev, environments/prod, "
            "modules/bucket, teams/data/eu, teams/data/us, teams/web/eu.",
        ),
        (
            "environments:\n- environments/*\n- environments/prod\n",
            "driftctl.yaml:3: environments/prod is listed already in line 2, and both would be "
            'called "prod".\n'
            "  Remove one of the two; for settings of its own use `overrides`. If both are meant, "
            "for example in two workspaces, give each a `name`.",
        ),
        (
            "environments:\n- path: teams/*/eu\n  name: '{dir}'\n",
            'driftctl.yaml:2: teams/web/eu would be called "eu", like teams/data/eu of the source '
            "default in line 2.\n"
            '  Give the entry a `name`, for example "{path}" or "{source}/{dir}".',
        ),
        (
            "environments: [environments/*]\noverrides:\n  prdo: {interval: 1h}\n",
            "driftctl.yaml:3: overrides.prdo names no environment, so nothing would use it.\n"
            "  Did you mean `prod`? There are: dev, prod.",
        ),
        (
            "environments: [environments/*]\noverrides:\n  prod:\n    needs: [dve]\n",
            'driftctl.yaml:4: prod needs "dve", but no environment has that name.\n'
            "  Did you mean `dev`? There are: dev, prod.",
        ),
        (
            "environments: [environments/*]\noverrides:\n  dev:\n    needs:\n    - prod\n"
            "  prod:\n    needs:\n    - dev\n",
            "driftctl.yaml:8: The environments need each other in a circle: prod → dev → prod.\n"
            "  Take dev out of the needs of prod, or another one out of the circle.",
        ),
        (
            "environments: [environments/*]\ndefaults:\n  needs: [dev]\n",
            "driftctl.yaml:3: dev needs itself, so it could never be next.\n"
            "  Take it out, or give dev `needs: []` under `overrides`.",
        ),
    ],
)
def test_what_does_not_fit_the_repository_names_its_line_and_a_remedy(
    text: str, expected: str
) -> None:
    (problem,) = problems(text)

    if "circle" in expected:
        # Either environment may be named first.
        assert problem in (
            expected,
            expected.replace(":8:", ":5:")
            .replace("prod → dev → prod", "dev → prod → dev")
            .replace("Take dev out of the needs of prod", "Take prod out of the needs of dev"),
        )
    else:
        assert problem == expected


def test_a_repository_without_engine_files_says_so() -> None:
    assert problems("environments: ['*']", {"default": []}) == [
        'driftctl.yaml:1: "*" matches no directory in the source default.\n'
        "  The source default holds no files of the engine at all: check its URL and its ref."
    ]


def test_long_lists_are_cut() -> None:
    trees = {"default": [f"live/e{number}/main.tf" for number in range(100)]}

    nothing, unknown = problems(
        "environments: [live/*, x/*]\noverrides:\n  zzz: {interval: 1h}\n", trees
    )

    assert nothing.endswith("live/e14, live/e15, ….")
    assert unknown.endswith("e25, e26, ….")


def test_a_directory_whose_name_cannot_be_an_environment_s_is_an_error() -> None:
    trees = {"default": ["live/my env/main.tf", "live/prod/main.tf"]}

    assert problems("environments: [live/*]", trees) == [
        'driftctl.yaml:1: live/my env would be called "my env", which cannot be the name of an '
        "environment: names become part of S3 keys and paths.\n"
        "  Use letters, digits, `.`, `_` and `-`, with `/` between parts, each of which begins "
        "with a letter or a digit. Give the entry a `name`, or `exclude` the directory."
    ]


def test_all_that_does_not_fit_is_reported_at_once() -> None:
    found = problems("""\
        environments:
        - environments/*
        - missing/*
        - environments/prod
        overrides:
          prod: {needs: [prod, nobody]}
          nobody: {interval: 1h}
        """)

    assert [problem.split(": ")[0] for problem in found] == [
        f"driftctl.yaml:{line}" for line in (3, 4, 6, 6, 7)
    ]


def test_every_circle_is_reported() -> None:
    found = problems("""\
        environments: [a, b, c, d, e]
        overrides:
          a: {needs: [b]}
          b: {needs: [a, e]}
          c: {needs: [d]}
          d: {needs: [c]}
        """)

    assert len(found) == 2
    assert all("in a circle" in problem for problem in found)


def test_a_source_that_could_not_be_read_stops_no_other() -> None:
    text = """\
        sources: {default: ., away: ../away}
        environments:
        - environments/prod
        - {path: 'live/*', source: away}
        - {path: base, source: away}
        overrides:
          eu: {interval: 5m}
          prod: {needs: [eu, base]}
        """

    assert found(text) == {"prod": "environments/prod", "base": "base"}
    assert environments(text)[0].needs == ("eu", "base")


def test_two_sources_may_hold_the_same_paths_under_two_names() -> None:
    text = """\
        sources: {a: ./a, b: ./b}
        environments:
        - {path: live/*, source: a, name: "{source}-{dir}"}
        - {path: live/*, source: b, name: "{source}-{dir}"}
        """
    tree = ["live/prod/main.tf"]

    names = [(each.name, each.source) for each in environments(text, {"a": tree, "b": tree})]

    assert names == [("a-prod", "a"), ("b-prod", "b")]


def test_merging_with_nothing_changes_nothing() -> None:
    settings = Settings(ref="a", variables={"x": 1}, needs=(), interval_seconds=5)

    assert merge(settings, Settings()) == settings
    assert merge(Settings(), settings) == settings


parts = st.sampled_from(["a", "b", "c", ".git", "my env", "[x]"])
paths = st.lists(parts, max_size=4).map(lambda directory: "/".join([*directory, "main.tf"]))


@given(st.lists(paths, max_size=12), st.sampled_from(["*", "*/*", "**", "a/*", "a/**", "*/b"]))
def test_whatever_a_glob_finds_is_unique_visible_and_there(files: list[str], glob: str) -> None:
    directories = {file.removesuffix("main.tf").rstrip("/") or "." for file in files}
    try:
        names = found(
            f"environments: [{{path: '{glob}', exclude: ['**/my env']}}]", {"default": files}
        )
    except ConfigError as error:
        reasons = [problem.what for problem in error.problems]
    else:
        reasons = []
        assert set(names.values()) <= directories
        assert len(set(names.values())) == len(names)
        assert not any(".git" in path.split("/") for path in names.values())

    assert all("matches" in r or "finds" in r or "would be called" in r for r in reasons)

from __future__ import annotations

import jsonschema
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from driftctl_py.core.config import config_schema, decode_config, expand
from driftctl_py.core.environment import ApplyModes, Mode
from driftctl_py.core.starter import starter


def entries(text: str) -> list[str]:
    """The lines of ``environments`` without the comments around them."""
    lines = text.split("environments:\n")[1].split("\n\n")[0]
    return [line.strip() for line in lines.splitlines()]


def environments(files: list[str], branch: str | None = "main") -> dict[str, str]:
    text = starter(files, default_branch=branch)
    config = decode_config(text.encode(), filename="driftctl.yaml")
    return {each.name: each.path for each in expand(config, {"default": files})}


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        (
            [
                "environments/dev/main.tf",
                "environments/prod/main.tf",
                "modules/bucket/main.tf",
                "environments/prod/modules/x/main.tf",
            ],
            ["- environments/*"],
        ),
        (["main.tf", "modules/x/main.tf", "examples/y/main.tf"], ["- ."]),
        (["main.tf", "live/dev/main.tofu"], ["- .", "- live/dev"]),
        (["teams/a/eu/main.tf", "teams/b/us/main.tf"], ["- teams/*/*"]),
        (["live/eu/a/main.tf", "live/eu/b/main.tf"], ["- live/eu/*"]),
        (["dev/main.tf", "prod/main.tf"], ["- dev", "- prod"]),
        (
            ["live/dev/main.tf", "live/prod/main.tf", "live/docs/a.md", "live/module/x.tf"],
            ["- path: live/*", "exclude:", "- live/docs", "- live/module"],
        ),
        (
            ["a/dev/main.tf", "b/dev/main.tf"],
            ["- path: a/dev", "name: '{path}'", "- path: b/dev", "name: '{path}'"],
        ),
        (
            ["live/my env/main.tf", "live/a[1]/main.tf"],
            [
                "- path: live/a[[]1]",
                "name: live/a-1",
                "- path: live/my env",
                "name: live/my-env",
            ],
        ),
        (["README.md", ".terraform/x/main.tf"], ["- environments/dev"]),
        (["~/main.tf", "a\\b/main.tf", "live/main.tf"], ["- live"]),
    ],
)
def test_the_starter_lists_what_looks_like_environments(
    files: list[str], expected: list[str]
) -> None:
    assert entries(starter(files, default_branch="main")) == expected


@pytest.mark.parametrize("files", [[], ["main.tf"], ["a b/x.tf"], ["live/a/x.tf", "live/b/c.md"]])
def test_the_starter_satisfies_the_schema(files: list[str]) -> None:
    jsonschema.validate(yaml.safe_load(starter(files)), config_schema())


def test_a_repository_without_environments_gets_an_example_that_says_so() -> None:
    assert "No directory with .tf or .tofu files was found" in starter([])
    assert environments([]) == {"dev": "environments/dev"}


def test_strange_names_that_come_out_the_same_are_numbered() -> None:
    assert environments(["a b/x.tf", "a-b/x.tf", "a%b/x.tf"]) == {
        "a-b": "a b",
        "a-b-2": "a%b",
        "a-b-3": "a-b",
    }


def test_a_name_that_would_be_too_long_is_cut() -> None:
    (name,) = environments(["x" * 250 + "/" + "y" * 150 + "/main.tf"])

    assert len(name) <= 200
    assert name.endswith("y" * 150)


def test_a_name_without_a_letter_that_can_stand_in_one_is_called_root() -> None:
    assert environments(["é/main.tf", "ü/main.tf"]) == {"root": "é", "root-2": "ü"}


@pytest.mark.parametrize(
    ("branch", "shown"),
    [("trunk", "trunk"), (None, "main"), ("a\nb: c", "main"), ("--x", "main"), ("", "main")],
)
def test_the_default_branch_stands_in_the_example_of_a_source(
    branch: str | None, shown: str
) -> None:
    assert f"infra.git, ref: {shown}, token_env" in starter(["main.tf"], default_branch=branch)


def test_what_is_commented_out_is_valid_as_well() -> None:
    files = ["environments/prod/main.tf", "environments/staging/main.tf"]
    text = starter(files, default_branch="main")
    uncommented = []
    for line in text.splitlines():
        stripped = line.lstrip()
        # A comment in prose begins with a capital letter; a key does not.
        if stripped.startswith("# ") and not stripped[2].isupper() and "`" not in line:
            line = line.replace("# ", "", 1)
        uncommented.append(line)
    # One engine at a time: the second form of the same key replaces the first.
    both = "\n".join(uncommented).replace("engine: auto\n", "")

    config = decode_config(
        both.replace("  yaml-language", "# yaml-language").encode(), filename="f"
    )

    assert set(config.sources) == {"default", "infra"}
    assert config.state is not None
    assert config.overrides["prod"].settings.needs
    assert config.defaults.variables == {"region": "eu-central-1"}
    assert config.engine.use == "tofu"
    assert config.pass_env == ("GOOGLE_*",)
    assert len(config.redact) == 2
    prod, _ = expand(config, {"default": files})
    assert prod.apply == ApplyModes(Mode.GATE, Mode.GATE)
    assert [each.name for each in prod.rules] == [
        "protect-stateful",
        "no-destroy-without-approval",
        "heal-tags",
    ]
    assert [[each.name for each in windows] for windows in prod.timetables] == [["office-hours"]]


names = st.sampled_from(["a", "b", "dev", "modules", ".git", "[x]", "*", "..", "my env", "~"])
directories = st.lists(names | st.text(min_size=1, max_size=3), max_size=4)
files = st.builds(
    lambda directory, name: "/".join([*directory, name]),
    directories,
    st.sampled_from(["main.tf", "x.tofu", "README.md", ".hidden.tf"]),
)


@given(st.lists(files, max_size=15), st.none() | st.text(max_size=10))
def test_the_starter_is_valid_for_any_repository(listing: list[str], branch: str | None) -> None:
    text = starter(listing, default_branch=branch)

    config = decode_config(text.encode(), filename="driftctl.yaml")
    assert expand(config, {"default": listing})


@given(st.lists(files, min_size=1, max_size=15))
def test_the_starter_lists_nothing_twice(listing: list[str]) -> None:
    found = environments(listing)

    assert len(set(found.values())) == len(found)

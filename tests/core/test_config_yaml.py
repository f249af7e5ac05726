from __future__ import annotations

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from driftctl_py.core import config_yaml
from driftctl_py.core.config_yaml import (
    MAX_BYTES,
    Items,
    Kind,
    Node,
    Scalar,
    Table,
    read_yaml,
    write_yaml,
)
from driftctl_py.core.values import Json
from driftctl_py.errors import ConfigError


@pytest.fixture(params=["libyaml", "pure Python"])
def either_parser(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not every machine has libyaml: messages and lines hold with both parsers."""
    if request.param == "pure Python":
        monkeypatch.setattr(config_yaml, "_LOADER", yaml.SafeLoader)


def read(text: str | bytes) -> Node | None:
    data = text.encode() if isinstance(text, str) else text
    root, problems = read_yaml(data, filename="driftctl.yaml")
    assert problems == ()
    return root


def refusal(text: str | bytes) -> str:
    data = text.encode() if isinstance(text, str) else text
    with pytest.raises(ConfigError) as caught:
        read_yaml(data, filename="driftctl.yaml")
    (problem,) = caught.value.problems
    return str(problem)


@pytest.mark.usefixtures("either_parser")
def test_every_node_knows_its_line() -> None:
    assert read("a: 1\nb:\n  - x\n  - {c: 'y'}\n") == Table(
        1,
        (
            (Scalar(1, "a", Kind.TEXT), Scalar(1, "1", Kind.NUMBER)),
            (
                Scalar(2, "b", Kind.TEXT),
                Items(
                    3,
                    (
                        Scalar(3, "x", Kind.TEXT),
                        Table(4, ((Scalar(4, "c", Kind.TEXT), Scalar(4, "y", Kind.TEXT)),)),
                    ),
                ),
            ),
        ),
    )


@pytest.mark.usefixtures("either_parser")
@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("", Kind.NOTHING),
        ("~", Kind.NOTHING),
        ("null", Kind.NOTHING),
        ("yes", Kind.BOOLEAN),
        ("Off", Kind.BOOLEAN),
        ("true", Kind.BOOLEAN),
        ("12", Kind.NUMBER),
        ("012", Kind.NUMBER),
        ("089", Kind.NUMBER),
        ("0o17", Kind.NUMBER),
        ("0x1F", Kind.NUMBER),
        ("1_000", Kind.NUMBER),
        ("1:30", Kind.NUMBER),
        ("1.10", Kind.NUMBER),
        ("1e3", Kind.NUMBER),
        (".5", Kind.NUMBER),
        (".inf", Kind.NUMBER),
        ("2026-11-23", Kind.DATE),
        ("1.10.2", Kind.TEXT),
        ("15m", Kind.TEXT),
        ("3f2a91c", Kind.TEXT),
        ("'yes'", Kind.TEXT),
        ('"012"', Kind.TEXT),
        ("=", Kind.TEXT),
    ],
)
def test_an_unquoted_value_is_what_any_yaml_reader_could_take_it_for(text: str, kind: Kind) -> None:
    root = read(f"- {text}")

    assert isinstance(root, Items)
    assert isinstance(root.nodes[0], Scalar)
    assert root.nodes[0].kind is kind


@pytest.mark.usefixtures("either_parser")
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "a: 1\nb:\n\tc: 2\n",
            "driftctl.yaml:3: The line is indented with a tab, which YAML forbids.\n"
            "  Indent with spaces.",
        ),
        (
            "a: &x {b: 1}\n",
            "driftctl.yaml:1: `&x`: anchors and aliases are not used here, because a few lines of "
            "them unfold to gigabytes.\n"
            "  Put what environments share under `defaults`; quote a glob that begins with `*`.",
        ),
        (
            "a: 1\nb: *prod\n",
            "driftctl.yaml:2: `*prod`: anchors and aliases are not used here, because a few lines "
            "of them unfold to gigabytes.\n"
            "  Put what environments share under `defaults`; quote a glob that begins with `*`.",
        ),
        (
            "a:\n  - !!python/object:os.system x\n",
            "driftctl.yaml:2: `tag:yaml.org,2002:python/object:os.system`: YAML tags, which choose "
            "what gets built, are not used here.\n"
            "  Remove the tag; quote the value if it is to be text.",
        ),
        (
            "a: 1\n---\nb: 1\n",
            "driftctl.yaml:2: A second document begins here, and nothing would read it.\n"
            "  Remove the `---`, or keep one file for each.",
        ),
        (
            "[a]: 1\n",
            "driftctl.yaml:1: A list or a mapping is used as a key; keys are plain text.\n"
            '  Quote it if it is text: a template such as "{dir}" needs quotes.',
        ),
        (
            "a:\n" + "- " * 60 + "x\n",
            "driftctl.yaml:2: Lists and mappings lie more than 40 deep in each other here.\n"
            "  Check for brackets that are not closed.",
        ),
        (
            "a: 1\nb: x: y\n",
            "driftctl.yaml:2: This is not YAML: mapping values are not allowed",
        ),
        (
            "a: */prod\n",
            "driftctl.yaml:1: This is not YAML: ",
        ),
    ],
)
def test_what_a_configuration_has_no_use_for_is_refused_with_its_line(
    text: str, expected: str
) -> None:
    assert refusal(text).startswith(expected)


def test_a_glob_that_yaml_takes_for_an_alias_is_to_be_quoted() -> None:
    assert refusal("a: */prod\n").endswith("\n  Quote a glob that begins with `*`.")


def test_a_bracket_that_is_not_closed_is_found_where_it_was_opened() -> None:
    assert refusal("a: 1\nb: [1,\n  2\nc: 3\n") == (
        "driftctl.yaml:4: This is not YAML: did not find expected ',' or ']' while parsing a flow "
        "sequence that begins in line 2.\n"
        "  Check the indentation, the colons and the quotes here and in the lines above."
    )


@pytest.mark.parametrize("opening", ["[", "{a: ", "- ", "? ", "[[{x: "])
def test_an_anchor_bomb_s_cousin_of_a_hundred_thousand_brackets_is_refused(opening: str) -> None:
    text = opening * (90_000 // len(opening))

    assert "driftctl.yaml:1: " in refusal(text)


def test_an_anchor_bomb_is_refused_before_it_unfolds() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 30)]

    assert "`&a0`: anchors and aliases are not used here" in refusal("\n".join(lines))


def test_a_line_of_ten_megabytes_is_refused_before_it_is_parsed() -> None:
    assert refusal(b"a: " + b"x" * 10_000_000) == (
        "driftctl.yaml: The file holds 10,000,003 bytes, but a configuration has at most "
        f"{MAX_BYTES:,}.\n"
        "  Check that this is the right file; describe many environments by a glob."
    )


def test_a_line_of_two_hundred_kilobytes_is_refused_by_its_number() -> None:
    assert refusal("a: 1\nb: " + "x" * 200_000) == (
        "driftctl.yaml:2: The line has 200,003 characters; no line of a configuration needs more "
        "than 100,000.\n"
        "  Keep large values in a file of variables and name it under var_files."
    )


def test_what_is_not_utf_8_is_refused_by_its_line() -> None:
    assert refusal("a: 1\nb: é\n".encode("latin-1")) == (
        "driftctl.yaml:2: The file is not text in UTF-8.\n  Save it in that encoding."
    )
    assert "not text in UTF-8" in refusal("a: 1".encode("utf-16"))


@pytest.mark.parametrize("character", ["\0", "\x1b", "\x85", "\u2028"])
def test_an_invisible_character_is_refused_by_its_line(character: str) -> None:
    assert refusal(f"a: 1\nb: {character}\n") == (
        f"driftctl.yaml:2: The line holds the invisible character U+{ord(character):04X}, which "
        "YAML forbids or takes for the end of a line.\n"
        "  Remove it, or write it as an escape in double quotes."
    )


def test_a_byte_order_mark_is_no_part_of_the_first_key() -> None:
    assert read(b"\xef\xbb\xbfa: 1") == read("a: 1")


@pytest.mark.usefixtures("either_parser")
def test_half_a_character_is_refused() -> None:
    assert refusal('a: "\\ud800"\n').startswith("driftctl.yaml:1: ")


def test_an_escape_that_does_not_exist_is_refused_by_the_pure_parser_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(config_yaml, "_LOADER", yaml.SafeLoader)

    assert refusal('a: "\\UFFFFFFFF"') == (
        "driftctl.yaml: This is not YAML: a character or an escape in it does not exist.\n"
        "  Remove or mend it."
    )


@pytest.mark.usefixtures("either_parser")
def test_a_key_that_is_given_twice_is_noted_and_reading_goes_on() -> None:
    root, problems = read_yaml(b"a: 1\nb: 2\na: 3\nb: 4\n", filename="f")

    assert isinstance(root, Table)
    assert [str(problem) for problem in problems] == [
        "f:3: `a` is given twice, first in line 1; one of them would be lost.\n"
        "  Remove one, or join the two.",
        "f:4: `b` is given twice, first in line 2; one of them would be lost.\n"
        "  Remove one, or join the two.",
    ]


def test_no_message_quotes_the_line_where_a_secret_may_stand() -> None:
    assert "hunter2" not in refusal('token: "hunter2\n  bad: [')


def test_a_file_without_a_node_has_no_root() -> None:
    assert read("") is None
    assert read("# only a comment\n") is None


yaml_like = st.text(alphabet="ab01 \n\t:-?[]{},&*!|>'\"%@`#\\xuU~.<=_", max_size=60).map(str.encode)


@given(st.binary(max_size=200) | yaml_like, st.booleans())
def test_any_bytes_are_a_tree_or_a_config_error(data: bytes, pure: bool) -> None:
    with pytest.MonkeyPatch.context() as patch:
        if pure:
            patch.setattr(config_yaml, "_LOADER", yaml.SafeLoader)
        try:
            _, problems = read_yaml(data, filename="f")
        except ConfigError as error:
            problems = error.problems
            told = True
        else:
            told = False

    assert all(problem.what and problem.todo for problem in problems)
    assert problems or not told


json_values: st.SearchStrategy[Json] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda children: (
        st.lists(children, max_size=3) | st.dictionaries(st.text(max_size=5), children, max_size=3)
    ),
    max_leaves=10,
)


def plain(node: Node | None) -> Json:
    match node:
        case Table(entries=entries):
            return {key.text: plain(value) for key, value in entries}
        case Items(nodes=nodes):
            return [plain(item) for item in nodes]
        case Scalar(text=text, kind=Kind.TEXT):
            return text
        case Scalar(text=text):
            return (
                {"null": None, "true": True, "false": False}.get(text)
                if text.isalpha()
                else (int(text))
            )
        case None:
            return None


@given(st.dictionaries(st.text(max_size=5), json_values, max_size=4))
def test_what_is_written_reads_back_the_same(value: Json) -> None:
    assert plain(read(write_yaml(value))) == value

from __future__ import annotations

import pytest

from driftctl_py.report.markup import code, fence, in_html, is_url, link, no_markers, prose


@pytest.mark.parametrize(
    "url",
    [
        "https://github.com/example/infra/actions/runs/4711/job/12",
        "https://ghe.example:8443/a/b?query=1&other=%20#step:4:2",
        "http://localhost:8080",
    ],
)
def test_an_address_of_the_web_is_linked(url: str) -> None:
    assert is_url(url)
    assert link("job", url) == f"[job]({url})"


@pytest.mark.parametrize(
    "url", ["", "ftp://a.example", "https://", "https://a.example/(b)", "https://a.example/\u202e"]
)
def test_anything_else_is_not(url: str) -> None:
    assert link("job", url) == "job"


def test_only_a_plain_name_is_code() -> None:
    assert code("k7qm-2d4x") == "`k7qm-2d4x`"
    assert code("a`b") == "a\\`b"
    assert code("") == ""


def test_nothing_in_a_fence_opens_a_hidden_comment() -> None:
    assert no_markers("a --> b") == "a --> b"
    assert fence(["<!-- driftctl-py: {} -->"], "text") == (
        "```text\n<\\u0021-- driftctl-py: {} -->\n```"
    )


def test_nothing_in_html_is_a_command_of_a_runner() -> None:
    assert in_html("##[error]no") == "##\\u005berror]no"


@pytest.mark.parametrize("start", ["# a", "- a", "1. a", "=", ":: a", "+ a"])
@pytest.mark.parametrize("blanks", [0, 1, 4])
def test_blanks_hide_no_beginning_of_a_block(start: str, blanks: int) -> None:
    assert prose(" " * blanks + start) == f"&#8203;{start}"


def test_words_behind_many_blanks_are_no_code() -> None:
    assert prose("     a  b ") == "a  b "

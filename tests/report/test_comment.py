from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from driftctl_py.core.check import Verdict
from driftctl_py.core.comment_command import Command, Verb, read_command
from driftctl_py.core.result import Gated, Item, Job, Occasion, Result, Results, Standing
from driftctl_py.errors import Diagnostic
from driftctl_py.report.comment import (
    COMMENT_BUDGET,
    SUMMARY_BUDGET,
    render_comment,
    render_parts,
    render_summary,
)
from driftctl_py.report.show import clean
from tests.report.plan_reports import EVIL
from tests.report.result_examples import (
    AT,
    DEV,
    HELD,
    JOB,
    ORDINARY,
    PRINT,
    PROD,
    QA,
    REPORT_URL,
    RUN_URL,
    STAGING,
    changed,
    drifted,
    failed,
    item,
    many,
    replaced,
    result_of,
)

WHOLE = f"""\
### 🔴 Merging destroys 1 (to replace it), changes 3 and adds 2 in 2 of 3 environments; 2 objects drifted

| | Environment | Add | Change | Destroy | Drift | Gate |
|:--|:--|--:|--:|--:|--:|:--|
| 🔴 | **[staging]({RUN_URL})** | 2 | 1 | **1** | – | needs 1 of: dba (ada, grace) |
| 🟣 | **[prod]({RUN_URL})** | 1 | 2 | – | 2 | allowed |
| 🟢 | [dev]({RUN_URL}) | – | – | – | – | in sync |

<details open><summary>🔴 <b>staging</b>: 1 replaced, 1 changed, 1 added</summary>

```diff
- -/+ aws_db_instance.main  # replace, destroys first
-   engine_version  "15.4"  # real
+   engine_version  "16.1"  # planned, forces replacement
    … 3 more known after apply
+ aws_ssm_parameter.flag
! ~ aws_ssm_parameter.limits
-   value.max  10  # real
+   value.max  20  # planned
```

⚠️ check.capacity does not hold. (Its message may hold values, so it is not shown.)

**Outputs:**

```diff
! ~ output.address
-     "10.0.4.7"  # real
+     (known after apply)  # planned
```

**Held:** needs 1 of: dba (ada, grace); not the author of 3f2a91c (linus); good for 24 h

- approve by stateful-needs-owner (driftctl.yaml:48): aws\\_db\\_instance.main (replace).

To approve, comment or run:

```text
/driftctl approve {PRINT} staging
driftctl-py approve staging --reason "…"
```

<sub>fingerprint `k7qm-2d4x` · terraform 1.11.4</sub>

</details>

<details><summary>🟣 <b>prod</b>: 2 changed, 1 added; 2 of them changed outside Git</summary>

```diff
! ~ aws_ssm_parameter.limits
-   value.max  10  # real
+   value.max  20  # planned
```

**Not from this pull request:** 2 objects were changed outside Git, recorded → real.

```diff
! ~ module.web.aws_s3_bucket.assets  # drift: changed outside; apply puts it back
-   tags.team  "platform"  # recorded
+   tags.team  "growth"  # real
+ aws_ssm_parameter.flag  # drift: deleted outside; apply creates it again
```

- 7 equivalent differences (null against {{}}, the order of keys in JSON) not counted

<sub>fingerprint `w3np-c7rs` · terraform 1.11.4</sub>

</details>

Plan of `3f2a91c` merged into `main` at `77b0de4` · [full report]({REPORT_URL}) · [job]({RUN_URL})
"""  # noqa: E501 - as it is written


def test_a_pull_request_that_concerns_no_environment_says_so_in_one_line() -> None:
    assert render_comment(Results((), by=JOB)) == ("No environment is concerned at `3f2a91c`.\n")


def test_a_comment_reads_from_the_answer_to_what_was_planned() -> None:
    assert render_comment(ORDINARY, artifact_url=REPORT_URL) == WHOLE


def test_a_pull_request_that_changes_nothing_says_so_in_one_line() -> None:
    quiet = Results(tuple(result_of(f"env-{at}") for at in range(12)))

    assert render_comment(quiet) == "No environment changes. Planned 12 at `3f2a91c`.\n"


def test_what_is_wrong_besides_is_more_than_that_line() -> None:
    for told in (
        Results((DEV,), missing=("edge",)),
        Results((DEV,), unreadable=("eu.json: it ends in the middle",)),
        Results((replace(DEV, warnings=("The lock file is not in Git.",)),)),
        Results((replace(DEV, gate=Gated(Standing.REFUSED, ("deny by plan-is-whole.",))),)),
    ):
        assert render_comment(told).startswith("### ")


def test_an_environment_whose_job_died_is_a_row_that_says_failed() -> None:
    comment = render_comment(Results((DEV,), missing=("edge",)))

    assert "| ❌ | **edge** | ? | ? | ? | ? | **failed: its job left no result** |" in comment
    assert "1 environment failed" in comment


def test_a_file_that_is_no_result_is_said_and_many_are_counted() -> None:
    comment = render_comment(Results((DEV,), unreadable=tuple(f"{at}.json" for at in range(12))))

    assert "> ❌ 0.json  \n> ❌ 1.json" in comment
    assert comment.count("> ❌") == 10
    assert "> … 2 more files that are no results" in comment


def test_a_failure_is_open_and_says_what_the_engine_said_and_what_to_do() -> None:
    comment = render_comment(Results((QA,)))

    assert "### ❌ What merging would do is not known; 1 environment failed" in comment
    assert (
        "<details open><summary>❌ <b>qa</b>: failed: terraform plan failed.</summary>" in comment
    )
    assert "```text\nerror: Invalid reference\nmain.tf:12\naws_instance.web\n" in comment
    assert "What to do:\n\n```text\nterraform -chdir=environments/qa validate\n```" in comment


def test_a_long_reason_stands_whole_below_the_title() -> None:
    reason = " ".join(f"word{at}" for at in range(60))

    assert f"</summary>\n\n{reason}\n" in render_comment(Results((failed("qa", reason),)))


def test_a_refusal_stands_above_what_is_refused() -> None:
    gate = Gated(
        Standing.REFUSED, ("deny by no-public-buckets: aws_s3_bucket.a (change).",), todo="a"
    )
    comment = render_comment(Results((result_of("prod", changed("aws_s3_bucket.a"), gate=gate),)))

    assert "<details open><summary>⛔ <b>prod</b>: refused: 1 changed</summary>" in comment
    assert comment.index("**Refused:**\n\n- deny by no") < comment.index("! ~ aws_s3_bucket.a")
    assert "What to do:\n\n```text\na\n```" in comment


def test_what_rules_say_of_what_is_allowed_is_shown_too() -> None:
    gate = Gated(Standing.ALLOWED, ("warn by naming: x.y (change).",))

    assert "- warn by naming: x.y (change)." in render_comment(
        Results((result_of("prod", changed("x.y"), gate=gate),))
    )


def test_warnings_of_the_engine_stand_below_a_plan() -> None:
    diagnostic = Diagnostic("warning", "Deprecated", "\n".join(["line"] * 50))
    result = result_of("prod", changed("x.y"), diagnostics=(diagnostic,))

    comment = render_comment(Results((result,)))

    assert comment.index("! ~ x.y") < comment.index("warning: Deprecated")
    assert "… 10 more lines" in comment


def test_only_drift_is_said_to_be_nobodys_doing_here() -> None:
    comment = render_comment(Results((result_of("prod", drifted()),)))

    about = "not from this pull request: 1 object was changed outside Git"
    assert f"<details><summary>🟣 <b>prod</b>: {about}</summary>" in comment


def test_drift_that_destroys_goes_first_and_is_open() -> None:
    lost = replace(replaced("aws_instance.web"), cause="drift")
    comment = render_comment(Results((result_of("prod", changed("x.y"), lost),)))

    assert "<details open>" in comment
    assert comment.index("aws_instance.web") < comment.index("x.y")


def test_a_check_shows_drift_open_and_no_gate() -> None:
    found = result_of("prod", changed("x.y"), drifted(), occasion=Occasion.CHECK, job=Job())
    comment = render_comment(Results((found,)))

    assert comment.startswith("### 🟣 1 environment: 1 drifted and pending\n")
    assert "| Status |" in comment
    assert "<details open>" in comment
    assert "**Not applied yet:**" in comment
    assert "**Changed outside Git:**" in comment
    assert comment.endswith("\n\nChecked at `a90c4e1`\n")


def test_a_plan_of_another_commit_says_of_which() -> None:
    result = result_of("prod", changed("x.y"), commit="5" * 40)

    assert " · at `5555555`</sub>" in render_comment(Results((result,)))


def test_an_approval_can_be_copied_as_it_is_understood() -> None:
    comment = render_comment(ORDINARY)
    line = next(line for line in comment.split("\n") if line.startswith("/driftctl"))

    assert read_command(line) == Command(Verb.APPROVE, ("staging",), PRINT)


def test_what_a_freeze_holds_is_not_to_be_approved() -> None:
    frozen = Gated(Standing.HELD, ("It is frozen until 12:00 UTC.",), todo="driftctl-py thaw")
    comment = render_comment(Results((replace(STAGING, gate=frozen),)))

    assert "**Held:**\n\n- It is frozen until 12:00 UTC.\n\nWhat to do:\n\n" in comment
    assert "approve" not in comment


@pytest.mark.parametrize(
    "held",
    [
        replace(STAGING, fingerprint="f2-unkeyed-" + "a" * 52),
        replace(STAGING, fingerprint=""),
        replace(STAGING, job=Job()),
        replace(STAGING, environment="staging\n/driftctl unlock prod"),
        replace(STAGING, gate=replace(HELD, todo="/driftctl approve x")),
    ],
    ids=["unkeyed", "no fingerprint", "no pull request", "evil name", "not ours to spell"],
)
def test_no_command_is_offered_that_would_not_be_understood_or_not_mean_that(held: Result) -> None:
    comment = render_comment(Results((held,)))

    commands = [line for line in comment.split("\n") if line.startswith("/driftctl")]
    assert all(
        read_command(line) == Command(Verb.APPROVE, ("staging",), PRINT) for line in commands
    )


def test_one_that_says_the_same_is_the_same() -> None:
    later = tuple(
        replace(each, duration_seconds=99.0, finished_at=AT + timedelta(days=1))
        for each in ORDINARY.results
    )

    assert render_comment(Results(later), artifact_url=REPORT_URL) == WHOLE


def test_many_that_are_in_sync_are_named_in_a_fold() -> None:
    quiet = tuple(result_of(f"env-{at}") for at in range(12))
    comment = render_comment(Results((*quiet, PROD)))

    assert "<summary>🟢 12 environments are in sync</summary>" in comment
    assert "env-0, env-1, env-2" in comment
    assert comment.count("| 🟢 |") == 0


def test_a_table_of_very_many_has_no_links() -> None:
    comment = render_comment(
        Results(tuple(result_of(f"e{at}", changed("x.y")) for at in range(101)))
    )

    assert "| 🟡 | **e100** |" in comment


def test_a_failed_apply_is_above_what_was_applied() -> None:
    known: dict[str, Any] = {"occasion": Occasion.APPLY}
    done = result_of("staging", replaced(), state="applied", **known)
    half_way = {"state": "partly applied", "reason": "It broke.", **known}
    half = result_of("prod", changed("x.y"), verdict=Verdict.FAILED, **half_way)
    comment = render_comment(Results((done, half)))

    assert comment.startswith("### ❌ Applied 1 of 2 environments: 1 replaced; 1 partly applied\n")
    assert "| ❌ | **[prod]" in comment
    assert "<details open><summary>❌ <b>prod</b>: partly applied: It broke." in comment
    assert "<details><summary>🟢 <b>staging</b>: applied: 1 replaced" in comment
    assert comment.index("<b>prod</b>") < comment.index("<b>staging</b>")


# The budget.


def size(text: str) -> int:
    return len(text.encode())


LADDER = result_of(
    "prod",
    *(replaced(f"aws_db_instance.db[{at}]") for at in range(20)),
    *(changed(f"aws_ssm_parameter.it[{at}]") for at in range(20)),
)


def test_what_fits_exactly_is_whole() -> None:
    assert render_comment(ORDINARY, budget=size(WHOLE), artifact_url=REPORT_URL) == WHOLE
    assert "Omitted" in render_comment(ORDINARY, budget=size(WHOLE) - 1, artifact_url=REPORT_URL)


def test_it_goes_down_the_ladder_a_rung_at_a_time() -> None:
    """Attributes of what is not destroyed go first, then those of what is, then the addresses of
    what is not."""
    whole = size(render_comment(Results((LADDER,))))
    seen = []
    for budget in range(whole, 800, -50):
        comment = render_comment(Results((LADDER,)), budget=budget)
        seen.append(
            (
                comment.count("+   value.max"),
                comment.count("+   engine_version"),
                comment.count("! ~ aws_ssm_parameter.it"),
                comment.count("- -/+ aws_db_instance.db"),
            )
        )
        assert ("[!CAUTION]" in comment) == (seen[-1][3] < 20)

    assert seen[0] == (20, 20, 20, 20)
    assert seen[-1] == (0, 0, 0, 0)
    for above, below in pairwise(seen):
        assert all(one >= other for one, other in zip(above, below, strict=True))
    for at in range(4):
        # Each is cut bit by bit, and only when what matters less is gone.
        assert any(0 < each[at] < 20 for each in seen)
        assert all(each[at + 1 :] == (20,) * (3 - at) for each in seen if each[at])


def test_every_omission_is_counted_with_where_all_of_it_is() -> None:
    comment = render_comment(Results((LADDER,)), budget=3500, artifact_url=REPORT_URL)

    listed = comment.count("! ~ aws_ssm_parameter.it") + 20
    detailed = comment.count("+   engine_version")
    words = f"attributes of {listed - detailed}"
    if listed < 40:
        words = f"{40 - listed} changes, {words}"
    assert f"<sub>✂️ Omitted here: {words}.</sub>" in comment
    assert f"✂️ Omitted to fit in here: {words}. All of it is in the [full report](" in comment


def test_what_is_destroyed_and_not_named_is_said_loudly() -> None:
    comment = render_comment(Results((many(2000, action="delete"),)), artifact_url=REPORT_URL)

    named = comment.count("\n- aws_route53_record")
    assert 1000 < named < 2000
    assert (
        f"> **There is no room to name {2000 - named} objects destroyed or replaced.**" in comment
    )
    assert comment.index("[!CAUTION]") < comment.index("| Environment |")


def test_where_nobody_has_a_link_the_command_is_named() -> None:
    alone = replace(many(2000, action="delete"), job=Job())

    assert "the files of results; `driftctl-py report DIR --format markdown` shows it." in (
        render_comment(Results((alone,)))
    )


def test_what_matters_stays_whole_while_what_matters_less_is_cut() -> None:
    results = Results((many(300, "dns"), STAGING, PROD, QA))
    cut = render_comment(results, budget=12_000)

    assert size(cut) <= 12_000
    assert "+   ttl" not in cut
    assert 0 < cut.count("! ~ aws_route53_record") < 300
    assert WHOLE[WHOLE.index("<details open>") : WHOLE.index("<details><summary>🟣")] in cut
    assert "error: Invalid reference" in cut
    assert "module.web.aws_s3_bucket.assets" in cut


def test_of_the_same_rank_the_small_ones_stay_whole() -> None:
    small = tuple(result_of(f"small-{at}", changed("x.y")) for at in range(10))
    cut = render_comment(Results((many(2000, "large"), *small)), budget=20_000)

    assert cut.count("+   value.max") == 10
    assert "<b>large</b>: 2000 changed" in cut


def test_what_room_is_left_is_used() -> None:
    for count in (1000, 1500, 4000, 20_000):
        comment = render_comment(Results((many(count), STAGING)))

        assert COMMENT_BUDGET - 400 < size(comment) <= COMMENT_BUDGET


def test_rows_of_the_table_go_when_even_they_are_too_many() -> None:
    lost = result_of("lost", replaced())
    every = tuple(result_of(f"environment-{at:04}", changed("x.y")) for at in range(2000))
    comment = render_comment(Results((*every, lost)))

    more = re.search(r"… and (\d+) more: (\d+) pending\.", comment)
    assert more is not None
    assert more[1] == more[2]
    assert comment.count("| 🟡 |") == 2000 - int(more[1])
    assert f"{more[1]} rows" in comment
    assert "- -/+ aws_db_instance.main" in comment
    assert size(comment) <= COMMENT_BUDGET


def test_rows_of_what_destroys_go_last_of_all() -> None:
    lost = tuple(result_of(f"lost-{at:04}", replaced()) for at in range(400))
    comment = render_comment(Results((*lost, PROD, DEV)), budget=10_000)

    assert re.search(
        r"… and \d+ more: \d+ that destroy, 1 drifted and pending, 1 in sync\.", comment
    )
    assert "> [!CAUTION]" in comment
    assert size(comment) <= 10_000


def test_no_budget_is_too_small() -> None:
    results = Results((LADDER, QA), missing=("edge",))

    assert all(size(render_comment(results, budget=each)) <= each for each in range(1500))
    assert render_comment(results, budget=-5) == ""


def test_a_budget_for_the_answer_alone_gives_that() -> None:
    comment = render_comment(Results((LADDER,)), budget=260, artifact_url=REPORT_URL)

    assert comment.startswith(
        "### 🔴 Merging destroys 20 (to replace them) and changes 20 in 1 env"
    )
    assert "There is no room for the rest. All of it is in the [full report](" in comment


def test_a_summary_has_more_room() -> None:
    results = Results((many(4000),))

    assert "Omitted" in render_comment(results)
    assert "Omitted" not in render_summary(results)
    assert size(render_summary(Results((many(40_000),)))) <= SUMMARY_BUDGET < 1024 * 1024


def test_in_two_parts_each_keeps_the_budget() -> None:
    top, below = render_parts(ORDINARY, budget=60_000, artifact_url=REPORT_URL)

    assert f"{top}\n{below}" == WHOLE
    assert render_parts(Results((DEV,)), budget=60_000)[1] == ""


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.integers(0, 30), st.integers(0, 30), st.integers(0, 10), st.booleans(), st.booleans()
        ),
        max_size=8,
    ),
    st.integers(0, 12_000),
)
def test_the_budget_always_holds_and_no_destroyed_address_is_missing_while_it_fits(
    shapes: list[tuple[int, int, int, bool, bool]], budget: int
) -> None:
    results = Results(
        tuple(
            result_of(
                f"env-{at}",
                *(replaced(f"aws_db_instance.of_{at}[{n:03}]") for n in range(gone)),
                *(changed(f"aws_ssm_parameter.of_{at}[{n:03}]") for n in range(other)),
                *(drifted(f"aws_s3_bucket.of_{at}[{n:03}]") for n in range(moved)),
                gate=HELD if held else None,
                warnings=("Ä" * 100,) * warned,
            )
            for at, (gone, other, moved, held, warned) in enumerate(shapes)
        )
    )

    comment = render_comment(results, budget=budget, artifact_url=REPORT_URL)

    assert size(comment) <= budget
    gone = sum(shape[0] for shape in shapes)
    named = comment.count("- -/+ aws_db_instance")
    if named < gone and named:
        assert f"**There is no room to name {gone - named} object" in comment
        # What is not used is less than what the next address and what is said of it would take.
        assert size(comment) > budget - 1500
        assert "! ~ aws_" not in comment


# What somebody else wrote.

OURS = re.compile(
    r"(<details( open)?><summary>\S+ (<b>[^<>]*</b>: [^<>]*|\d+ environments are in sync)"
    r"</summary>|</details>)\n?"
)
PIECES = (
    *EVIL,
    "`",
    "```",
    "````diff\n",
    "\n```\n",
    "~~~",
    "</details>",
    "</summary>",
    "<script>alert(1)</script>",
    "<!--",
    "-->",
    '<!-- driftctl-py: {"v":1} -->',
    "@ada",
    "@example/dba",
    "#123",
    "GH-7",
    "|",
    "|---|\n",
    "- item",
    "+ ",
    "! ",
    "1. item",
    "# heading",
    "> quote",
    "> [!CAUTION]\n> x",
    "**bold**",
    "[x](y)",
    "![x](y)",
    "[x]: y",
    "&amp;",
    "&#64;ada",
    "https://evil.example",
    "www.evil.example",
    "$x$",
    "\n\n",
    "\r\n",
    "\u200b",
    "\u202e",
    "\x1b[31m",
    "\x00",
    "\\",
    "::set-output name=a::b",
    "##[error]",
    "<<EOT\n- gone\n+ new\nEOT",
    "/driftctl apply",
    "driftctl-py",
    " ",
    " # a",
    " 1. a",
    "     a",
    "a",
)
evil_texts = st.lists(st.sampled_from(PIECES), max_size=6).map("".join) | st.text(max_size=30)


def is_well_formed(markdown: str) -> None:
    """As a forge would read it: what is ours is markup, and nothing else is."""
    assert "<!--" not in markdown
    assert clean(markdown.replace("\n", "")) == markdown.replace("\n", "")
    assert not re.search(r"^\s*::|##\w*\[", markdown, re.MULTILINE)
    tokens = MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(markdown)
    blocks = [token.content for token in tokens if token.type == "html_block"]
    assert all(OURS.fullmatch(block) for block in blocks), blocks
    assert [block.startswith("</") for block in blocks] == [False, True] * (len(blocks) // 2)
    assert {token.info for token in tokens if token.type == "fence"} <= {"diff", "text"}
    assert sum(token.type == "heading_open" for token in tokens) <= 1
    assert sum(token.type == "table_open" for token in tokens) <= 1
    kinds = {token.type for token in tokens}
    assert not kinds & {"code_block", "ordered_list_open", "hr"}
    inside = [child for token in tokens for child in token.children or ()]
    assert {child.type for child in inside} <= {
        *("text", "text_special", "strong_open", "strong_close", "softbreak", "hardbreak"),
        *("code_inline", "link_open", "link_close", "html_inline"),
    }
    assert {child.content for child in inside if child.type == "html_inline"} <= {"<sub>", "</sub>"}
    assert {_target(child) for child in inside if child.type == "link_open"} <= {
        RUN_URL,
        REPORT_URL,
    }
    read = "\n".join(
        "".join(child.content for child in token.children or () if child.type == "text")
        for token in tokens
    )
    # The invisible character behind it keeps a forge from linking it.
    assert not re.search(r"@(?!\u200b)|#\d|\bGH-\d|://|\bwww\.", read)


def _target(link: Token) -> Any:
    return link.attrs["href"]


def evil_results(text: str) -> Results:
    """Of every kind, with ``text`` wherever somebody may put one."""
    gates = (
        Gated(Standing.HELD, (text, text), text, text),
        Gated(Standing.REFUSED, (text,), text, text),
        Gated(Standing.ALLOWED, (text,)),
    )
    diagnostic = Diagnostic("error", text, text, text, text)
    items = tuple(
        Item(
            text,
            action,
            cause,
            action == "delete",
            (f"{lead} {text}", f"    {text}"),
            text,
            1,
            text,
        )
        for action, cause, lead in (
            ("delete", "commit", "-"),
            ("update", "drift", "!"),
            ("unknown", "both", "!"),
        )
    )
    known: dict[str, Any] = {
        "path": text,
        "engine": text,
        "outputs": (f"! {text}",),
        "notes": (text,),
        "warnings": (text,),
        "reason": text,
        "todo": text,
        "diagnostics": (diagnostic,),
        "run": text,
        "commit": text,
    }
    results = [
        *(result_of(text, *items, gate=gate, fingerprint=text, **known) for gate in gates),
        *(result_of(text, verdict=verdict, **known) for verdict in Verdict),
        result_of(text, *items, occasion=Occasion.APPLY, state=text, **known),
        result_of(
            text, Item(text, "update", "commit", False, ()), job=replace(JOB, base=text, into=text)
        ),
    ]
    return Results(tuple(results), missing=(text,), unreadable=(text,))


@pytest.mark.parametrize("evil", PIECES)
def test_nothing_foreign_gets_out_of_its_place(evil: str) -> None:
    is_well_formed(render_comment(evil_results(evil), artifact_url=REPORT_URL))


@settings(max_examples=100, deadline=None)
@given(evil_texts, st.integers(300, 20_000))
def test_no_mixture_of_markup_gets_out_of_its_place_or_over_the_budget(
    evil: str, budget: int
) -> None:
    comment = render_comment(evil_results(evil), budget=budget, artifact_url=REPORT_URL)

    is_well_formed(comment)
    assert size(comment) <= budget


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "https://evil.example/)",
        "https://evil.example/ x",
        "https://evil.example/<b>",
        "https://evil.example/\n",
        "https://evil.example/`",
        "https://evil.example/|",
        "/relative",
    ],
)
def test_what_is_no_plain_address_is_no_link(url: str) -> None:
    result = result_of("prod", changed("x.y"), job=replace(JOB, url=url))
    comment = render_comment(Results((result,)), artifact_url=url)

    assert "](" not in comment
    is_well_formed(comment)


def test_a_line_that_only_looks_like_a_removal_keeps_its_place() -> None:
    """Lines of a text are told behind a column of blanks; what breaks a line is spelled out."""
    text = item("x.y", "update", "    script  # real → planned", "      - rm -rf /", "a\n- b")
    comment = render_comment(Results((result_of("prod", text),)))

    assert "\n      - rm -rf /\n" in comment
    assert "\na\\n- b\n" in comment


def test_a_fence_is_longer_than_what_is_in_it_and_a_line_has_an_end() -> None:
    long = item("x" * 5000 + "`" * 7, "update", "    `````")
    comment = render_comment(Results((result_of("prod", long),)))

    assert "\n````````diff\n" in comment
    assert max(map(len, comment.split("\n"))) < 2100


def test_of_many_that_destroy_one_thing_each_as_many_are_named_as_have_room() -> None:
    results = Results(
        tuple(
            result_of(
                f"env-{at}",
                Item(
                    f"module.m.aws_x.y{at}", "delete", "commit", True, (f"- module.m.aws_x.y{at}",)
                ),
            )
            for at in range(40)
        )
    )

    said = render_comment(results, budget=8000)

    assert 7000 < len(said.encode()) <= 8000
    assert 10 < said.count("module.m.aws_x.y") <= 40
    assert "Merging destroys 40" in said

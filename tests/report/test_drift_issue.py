from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from markdown_it import MarkdownIt

from driftctl_py.core.result import Job, Occasion
from driftctl_py.report.drift_issue import ISSUE_BUDGET, drift_issue
from driftctl_py.report.show import clean
from tests.report.result_examples import (
    AT,
    REPORT_URL,
    RUN_URL,
    changed,
    drifted,
    item,
    replaced,
    result_of,
)
from tests.report.test_comment import PIECES, evil_texts

LEFT = item(
    "aws_s3_bucket_policy.logs",
    "no-op",
    cause="drift",
    lines=("! aws_s3_bucket_policy.logs  # drift: changed outside; apply leaves it so",),
)
FOUND = result_of(
    "prod",
    changed("aws_ssm_parameter.limits"),
    drifted(),
    LEFT,
    occasion=Occasion.CHECK,
    finished_at=AT + timedelta(hours=3),
)
BODY = f"""\
**prod** has drifted since 2026-11-24 09:14 UTC: 2 objects were changed outside Git.

Last checked 2026-11-24 12:14 UTC at `a90c4e1`. Each reads *recorded → real*:

```diff
! ~ module.web.aws_s3_bucket.assets  # drift: changed outside; apply puts it back
-   tags.team  "platform"  # recorded
+   tags.team  "growth"  # real
! aws_s3_bucket_policy.logs  # drift: changed outside; apply leaves it so
```

**What apply would do:** it puts 1 of 2 back. In all, it changes 2.

### Three ways out

**Put it back.** Apply what the code says:

```sh
driftctl-py apply prod
```

**Take it over.** Write what is really there into the code in environments/prod, and merge that:

```sh
driftctl-py check prod  # says whether it is the same by now
driftctl-py accept prod --reason "…"  # records what apply leaves so
```

**Leave it for a while.** Nothing is applied there until then, and checks go on:

```sh
driftctl-py suspend prod --until 3d --reason "…"
```

<details><summary>History: 2</summary>

- 12:14 drifted: 2 objects
- 09:14 drifted: 1 object

</details>

[full report]({REPORT_URL}) · [job]({RUN_URL})
"""


def test_an_issue_says_since_when_what_and_three_ways_out() -> None:
    history = ["09:14 drifted: 1 object", "12:14 drifted: 2 objects"]

    assert drift_issue(FOUND, AT, history, artifact_url=REPORT_URL) == (
        "Drift in prod: 2 objects",
        BODY,
    )


def test_what_has_nothing_to_say_is_left_out() -> None:
    alone = result_of("prod", drifted(), occasion=Occasion.CHECK, job=Job(), commit="", path="")
    title, body = drift_issue(alone, AT)

    assert title == "Drift in prod: 1 object"
    assert "it puts it back. In all, it changes 1." in body
    assert "History" not in body
    assert "](" not in body
    assert "driftctl-py accept" not in body
    assert "Last checked 2026-11-24 09:14 UTC. Each" in body
    assert "into the code in ., and" in body


def test_drift_that_apply_leaves_is_not_said_to_be_put_back() -> None:
    left = result_of("prod", LEFT, occasion=Occasion.CHECK)

    assert "**What apply would do:** it leaves it so.\n" in drift_issue(left, AT)[1]


def test_putting_back_what_destroys_is_said_loudly() -> None:
    lost = replace(replaced(), cause="drift")
    _, body = drift_issue(result_of("prod", lost, occasion=Occasion.CHECK), AT)

    assert "> [!CAUTION]\n> Applying destroys something." in body


def test_drift_that_is_not_listed_is_counted() -> None:
    counted = replace(FOUND, drifted=5)

    assert drift_issue(counted, AT)[0] == "Drift in prod: 5 objects"
    assert drift_issue(replace(FOUND, drifted=None), AT)[0] == "Drift in prod: 2 objects"


def test_very_much_drift_is_cut_with_how_much_was_left_out() -> None:
    every = result_of(
        "prod", *(drifted(f"aws_s3_bucket.it[{at}]") for at in range(5000)), occasion=Occasion.CHECK
    )
    _, body = drift_issue(every, AT, [f"line {at}" for at in range(200)])

    assert len(body.encode()) <= ISSUE_BUDGET
    named = body.count("! ~ aws_s3_bucket.it")
    assert 500 < named < 5000
    words = f"✂️ Omitted to fit in here: {5000 - named} changes, attributes of {named}."
    assert words in body
    assert "- … 150 earlier" in body
    assert body.index("line 199") < body.index("line 198")


@pytest.mark.parametrize("evil", PIECES)
def test_nothing_foreign_gets_out_of_its_place(evil: str) -> None:
    is_well_formed(evil)


@settings(max_examples=60, deadline=None)
@given(evil_texts)
def test_no_mixture_of_markup_gets_out_of_its_place(evil: str) -> None:
    is_well_formed(evil)


def is_well_formed(evil: str) -> None:
    found = item(evil, "update", cause="drift", lines=(f"! {evil}", f"    {evil}"))
    result = result_of(evil, found, path=evil, commit=evil, occasion=Occasion.CHECK)

    title, body = drift_issue(result, AT, [evil, evil], artifact_url=REPORT_URL)

    assert clean(title) == title
    assert "<!--" not in body
    assert len(body.encode()) <= ISSUE_BUDGET
    tokens = MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(body)
    assert [token.content.strip() for token in tokens if token.type == "html_block"] == [
        "<details><summary>History: 2</summary>",
        "</details>",
    ]
    assert [token.info for token in tokens if token.type == "fence"] == ["diff", "sh", "sh", "sh"]
    assert [token.tag for token in tokens if token.type == "heading_open"] == ["h3"]
    children = [child for token in tokens for child in token.children or ()]
    assert {child.type for child in children} <= {
        *("text", "text_special", "softbreak", "code_inline", "em_open", "em_close"),
        *("strong_open", "strong_close", "link_open", "link_close"),
    }
    assert sum(child.type == "link_open" for child in children) == 2

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftctl_py.core.check_answer import MOST_FINDINGS, clean, verdicts_of
from driftctl_py.core.policy import CheckProgram, Verdict
from driftctl_py.core.rule import Effect
from driftctl_py.errors import PolicyError

ALLOW, WARN, APPROVE, DENY = Effect.ALLOW, Effect.WARN, Effect.APPROVE, Effect.DENY
STRENGTH = [ALLOW, WARN, APPROVE, DENY]
SECRET = "hunter2-CANARY"


def asked(
    code: int = 0, said: Any = b"", *, levels: dict[int, Effect] | None = None, **given: Any
) -> tuple[Verdict, ...]:
    check = CheckProgram("scan", ("scan", "{plan}"), levels=levels or {}, **given)
    return verdicts_of(check, code, said if isinstance(said, bytes) else json.dumps(said).encode())


def told(verdicts: tuple[Verdict, ...]) -> list[tuple[Effect, str, str]]:
    return [(each.effect, each.message, each.address) for each in verdicts]


def test_zero_and_silence_find_nothing() -> None:
    assert asked() == ()


def test_words_at_the_end_of_a_good_check_find_nothing() -> None:
    assert asked(0, b"[INFO] 3 checks, all is well\n") == ()


def test_a_code_that_means_something_says_it_in_the_checks_own_words() -> None:
    found = verdicts_of(
        CheckProgram("scan", ("scan",), {3: APPROVE}, groups=("sec",), where="y:7"),
        3,
        b"\n  too expensive:\x1b[31m 9000\n\nask\tsomebody\n",
    )

    assert found == (
        Verdict("scan", APPROVE, "too expensive: 9000 / ask somebody", "", "y:7", ("sec",)),
    )


def test_what_is_said_on_standard_error_counts_where_nothing_else_is() -> None:
    found = verdicts_of(CheckProgram("scan", ("scan",), {1: DENY}), 1, b" \n", "no way\n")

    assert told(found) == [(DENY, "no way", "")]


def test_a_code_alone_is_told_as_such() -> None:
    assert told(asked(4, levels={4: WARN})) == [(WARN, "It ended with exit code 4.", "")]


def test_a_zero_that_means_something_does() -> None:
    assert told(asked(0, levels={0: DENY})) == [(DENY, "It ended with exit code 0.", "")]


def test_a_code_may_mean_that_all_is_well() -> None:
    assert asked(8, b"8 is fine", levels={8: ALLOW}) == ()


def test_a_code_that_nothing_explains_is_no_answer() -> None:
    with pytest.raises(PolicyError, match=r"exit code 2, .* means: usage: scan FILE") as caught:
        asked(2, b"usage: scan FILE\n")
    assert "2: deny" in caught.value.todo

    with pytest.raises(PolicyError, match=r"means\.$"):
        asked(2)


def test_findings_explain_a_code_that_the_configuration_does_not() -> None:
    found = asked(1, {"findings": [{"message": "no", "address": "x.y", "effect": "warn"}]})

    assert told(found) == [(DENY, "no", "x.y")]


def test_our_own_form() -> None:
    findings = [
        {"message": "a", "address": "x.y"},
        {"message": "b", "effect": "warn"},
        {"message": "c", "effect": "approve", "address": "x.z", "more": 1},
    ]

    assert told(asked(0, {"findings": findings})) == [
        (DENY, "a", "x.y"),
        (WARN, "b", ""),
        (APPROVE, "c", "x.z"),
    ]
    assert asked(0, {"findings": []}) == ()
    assert told(asked(0, b"\xef\xbb\xbf" + json.dumps({"findings": findings[:1]}).encode())) == [
        (DENY, "a", "x.y")
    ]


@pytest.mark.parametrize(
    "findings",
    [
        {"message": "a"},
        None,
        ["a"],
        [{}],
        [{"message": " "}],
        [{"message": 1}],
        [{"message": "a", "address": 1}],
        [{"message": "a", "effect": "allow"}],
        [{"message": "a", "effect": ["deny"]}],
    ],
)
def test_our_own_form_wrongly_spelled_is_no_answer(findings: Any) -> None:
    with pytest.raises(PolicyError, match="findings cannot be read"):
        asked(0, {"findings": findings})


@pytest.mark.parametrize(
    "printed",
    [
        b'{"findings": [{"mess',
        b"{",
        b" [",
        b'[{"check_type": "terraform_plan", "results":',
        b'{"findings": []} trailing',
        b'{"findings": []}\n{"findings": []}',
        b'{"a": "\xff\xfe"}',
        b"[" * 100_000,
        b'{"a": NaN}',
    ],
)
@pytest.mark.parametrize("code", [0, 1, 3])
def test_json_that_is_not_whole_is_no_answer_whatever_the_code(printed: bytes, code: int) -> None:
    with pytest.raises(PolicyError, match="cut off or garbled"):
        asked(code, printed, levels={3: WARN})


def checkov(*failed: dict[str, Any], resources: int = 1, errors: int = 0) -> dict[str, Any]:
    return {
        "check_type": "terraform_plan",
        "results": {"failed_checks": list(failed)},
        "summary": {"parsing_errors": errors, "resource_count": resources},
    }


FAILED = {"check_id": "CKV_AWS_20", "check_name": "Public.", "resource": "aws_s3_bucket.a[0]"}


def test_checkov() -> None:
    expected = "CKV_AWS_20: Public."
    address = "aws_s3_bucket.a[0]"

    assert told(asked(1, checkov(FAILED))) == [(DENY, expected, address)]
    # Told as often as there are frameworks.
    assert told(asked(1, [checkov(FAILED), checkov(FAILED)])) == [(DENY, expected, address)]
    assert told(asked(1, checkov(FAILED), levels={1: APPROVE})) == [(APPROVE, expected, address)]
    # --soft-fail: the code says that it is fine.
    assert told(asked(0, checkov(FAILED))) == [(WARN, expected, address)]
    assert asked(0, checkov()) == ()
    assert told(asked(1, checkov({}))) == [(DENY, "a finding without a name", "")]


def test_checkov_that_looked_at_nothing_asks_a_person() -> None:
    nothing = {"passed": 0, "failed": 0, "resource_count": 0, "checkov_version": "3.3"}

    assert told(asked(0, nothing)) == [(APPROVE, "Checkov looked at no resource at all.", "")]


@pytest.mark.parametrize(
    "printed",
    [
        [{"check_type": "terraform_plan"}],
        [checkov(), "odd"],
        [checkov(), {"results": ["odd"]}],
        [checkov(), {"error": "it stopped"}],
        {"results": {"failed_checks": None}},
        {"results": {"failed_checks": ["odd"]}},
        {"passed": 3, "failed": 1, "checkov_version": "3.3"},
    ],
)
def test_what_only_begins_like_checkov_is_no_answer(printed: object) -> None:
    with pytest.raises(PolicyError, match="is not what that program prints"):
        asked(0, printed)


def test_checkov_that_could_not_read_the_plan_is_no_answer() -> None:
    with pytest.raises(PolicyError, match="could not read the plan"):
        asked(0, checkov(errors=1))


def test_trivy() -> None:
    failed = {"ID": "AVD-1", "Message": "Open.", "CauseMetadata": {"Resource": "x.y"}}
    older = {"AVDID": "AVD-2", "Title": "Old.", "Status": "FAIL"}
    passed = {"ID": "AVD-3", "Status": "PASS"}
    document = {
        "SchemaVersion": 2,
        "ArtifactName": "plan.json",
        "Results": [{"Misconfigurations": [failed, older, passed]}, {"Class": "config"}],
    }

    assert told(asked(1, document)) == [(DENY, "AVD-1: Open.", "x.y"), (DENY, "AVD-2: Old.", "")]
    # Which is how it ends, whatever it finds, unless it is asked for another code.
    assert [each.effect for each in asked(0, document)] == [WARN, WARN]
    assert told(asked(0, {"SchemaVersion": 2, "ArtifactName": "plan.json"})) == [
        (APPROVE, "Trivy looked at no resource at all.", "")
    ]


def test_infracost() -> None:
    document = {"projects": [], "totalMonthlyCost": "12.5", "currency": "USD"}

    assert asked(0, document) == ()
    assert told(asked(3, document, levels={3: APPROVE})) == [
        (APPROVE, "It would cost 12.5 USD a month.", "")
    ]
    assert told(asked(3, document | {"pastTotalMonthlyCost": "9"}, levels={3: WARN})) == [
        (WARN, "It would cost 12.5 USD a month, until now 9.", "")
    ]


def test_json_that_nobody_knows_is_quoted() -> None:
    assert told(asked(1, {"odd": [1]}, levels={1: DENY})) == [(DENY, '{"odd": [1]}', "")]


def test_of_very_many_findings_the_strictest_are_kept_and_the_rest_counted() -> None:
    findings = [{"message": str(at), "effect": "warn"} for at in range(300)]
    findings.append({"message": "no", "effect": "deny"})

    found = asked(0, {"findings": findings})

    assert len(found) == MOST_FINDINGS
    assert told(found)[0] == (DENY, "no", "")
    assert told(found)[-1] == (WARN, "And 102 more findings.", "")


def test_messages_are_one_line_and_short_and_steer_nothing() -> None:
    odd = "a\x1b[31mb\x1b]0;title\x07c\r\nd\u202ee\u200bf \x00"

    assert clean(odd) == "abc d e f"
    assert clean("x" * 400) == "x" * 299 + "…"


@pytest.mark.parametrize(
    "said", [SECRET, f"x{SECRET}x", SECRET[:5] + "\x1b[0m" + SECRET[5:], "x" * 290 + SECRET]
)
def test_no_secret_that_it_was_given_is_quoted(said: str) -> None:
    for code, printed in (
        (1, said.encode()),
        (0, json.dumps({"findings": [{"message": said, "address": f'x.y["{said}"]'}]}).encode()),
    ):
        found = verdicts_of(
            CheckProgram("scan", ("scan",), {1: DENY}), code, printed, secrets=(SECRET, "no")
        )

        assert found
        assert "hunter2" not in repr(found)
    with pytest.raises(PolicyError) as caught:
        verdicts_of(CheckProgram("scan", ("scan",)), 9, said.encode(), secrets=(SECRET,))
    assert "hunter2" not in caught.value.what


@pytest.mark.parametrize("code", [0, 1])
def test_nothing_is_quoted_of_a_check_that_saw_the_whole_plan(code: int) -> None:
    findings = {"findings": [{"message": SECRET, "address": f'x.y["{SECRET}"]'}]}

    found = asked(code, findings, whole=True)

    assert [each.effect for each in found] == [DENY]
    assert "hunter2" not in repr(found)
    assert "hunter2" not in repr(asked(3, SECRET.encode(), levels={3: DENY}, whole=True))
    with pytest.raises(PolicyError, match=r"means\.$"):
        asked(9, SECRET.encode(), whole=True)


EFFECTS = st.sampled_from(STRENGTH)
OWN = st.lists(
    st.fixed_dictionaries(
        {"message": st.sampled_from(["a", "b"]), "effect": st.sampled_from(["warn", "deny"])}
    ),
    max_size=3,
).map(lambda found: {"findings": found})
ANSWERS = OWN | st.sampled_from([checkov(FAILED), checkov(), {"odd": 1}]) | st.none()


@given(st.integers(0, 4), st.dictionaries(st.integers(0, 4), EFFECTS), ANSWERS)
def test_findings_never_weaken_what_the_exit_code_says(
    code: int, levels: dict[int, Effect], answer: Any
) -> None:
    said = b"" if answer is None else answer
    strictest = levels.get(code, ALLOW if code == 0 else DENY)

    try:
        found = asked(code, said, levels=levels)
    except PolicyError:
        # Which is a no as well.
        return
    assert all(STRENGTH.index(each.effect) >= STRENGTH.index(strictest) for each in found)
    assert found or strictest is ALLOW
    assert ALLOW not in [each.effect for each in found]


@given(st.binary(max_size=300), st.integers(0, 3))
def test_whatever_is_printed_is_an_answer_or_none(printed: bytes, code: int) -> None:
    try:
        found = asked(code, printed, levels={3: WARN})
    except PolicyError:
        return
    assert code in (0, 3)
    assert all(each.message.isprintable() for each in found)


@pytest.mark.parametrize(
    "printed",
    [
        b'{"finding": [{"message": "a typo"}]}',
        b"{}",
        b"[]",
        b'[{"rule": "unknown"}]',
        b'{"Results": {"x": 1}}',
        b'{"Results": [1]}',
        b'{"results": {"failed_checks": "oops"}}',
        b'INFO start\n{"findings": [{"message": "no"}]}\n',
        b'INFO start\n{\n  "findings": []\n}\n',
        b'INFO start\n[{"check_type": "terraform_plan"}]\n',
    ],
)
def test_json_that_is_not_understood_is_no_yes(printed: bytes) -> None:
    with pytest.raises(PolicyError, match="nobody knows what it found"):
        asked(0, printed)


def test_words_that_only_look_a_little_like_json_are_words() -> None:
    assert asked(0, b"[INFO] all is well\n{curly} words\n") == ()


def test_a_secret_of_many_lines_is_not_quoted_line_by_line() -> None:
    key = "-----BEGIN KEY-----\nMIIEvQIBADANBg\nkqhkiG9w0BAQEF\n-----END KEY-----"
    quoting = 'it is "quoted" too'

    printed = f"using {key} now\nand {json.dumps(quoting)}\n".encode()

    with pytest.raises(PolicyError) as caught:
        verdicts_of(CheckProgram("scan", ("scan",)), 3, printed, secrets=(key, quoting))

    assert "MIIEvQ" not in caught.value.what
    assert "quoted" not in caught.value.what

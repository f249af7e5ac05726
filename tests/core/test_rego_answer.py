"""What is asked of Rego, and what its answer means. The programs themselves are asked in
tests/adapters/test_rego.py."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from driftctl_py.core.policy import RegoPolicy, Shape, Verdict
from driftctl_py.core.policy_input import CUSTOMS
from driftctl_py.core.rego_answer import (
    Answer,
    Asked,
    Complaint,
    asked_rules,
    canary,
    canary_package,
    conftest_answer,
    conftest_complaint,
    opa_answer,
    opa_complaint,
    verdicts_of,
)
from driftctl_py.core.rule import Effect
from driftctl_py.errors import PolicyError

GUARD = RegoPolicy("guard", ("policy",), "v1", where="driftctl.yaml:41", groups=("dba",))
DENY = "package main\n\ndeny contains msg if {\n    msg := input.x\n}\n"


def shaped(shape: Shape, package: str = "") -> RegoPolicy:
    return replace(GUARD, shape=shape, package=package)


def answered(
    found: dict[str, Any],
    *exceptions: object,
    policy: RegoPolicy = GUARD,
    source: str = "",
) -> list[Verdict]:
    asked = asked_rules(policy, [source or f"package {CUSTOMS[policy.shape].package}"])
    return list(verdicts_of(policy, asked, Answer("t", found, list(exceptions))))


# --- what is asked


def test_conftest_rules_are_asked_with_the_names_that_the_files_give_them() -> None:
    asked = asked_rules(GUARD, [DENY + "warn_cost contains m if { m := deny_tag }\n"])

    assert asked.package == ("main",)
    assert asked.names == ("deny", "deny_tag", "violation", "warn", "warn_cost")
    assert asked.required == {"deny", "warn_cost"}
    assert asked.dotted == "main"


def test_other_shapes_know_no_names_of_that_kind() -> None:
    asked = asked_rules(
        shaped(Shape.SPACELIFT), ["package spacelift\ndeny[m] { m }\ndeny_x[m] { m }"]
    )

    assert asked.names == ("deny", "warn")
    assert asked.required == {"deny"}


def test_a_rule_of_another_package_need_not_have_a_value_in_this_one() -> None:
    asked = asked_rules(GUARD, [DENY, "package other\n\nwarn contains 1 if true\n"])

    assert asked.required == {"deny"}


def test_rules_that_the_configuration_names_are_asked_and_required() -> None:
    policy = replace(
        shaped(Shape.HCP, "data.terraform.policies.size"), levels={"rule": Effect.WARN}
    )

    asked = asked_rules(policy, ["# nothing\npackage terraform.policies.size # the size\n"])

    assert asked.package == ("terraform", "policies", "size")
    assert asked.names == ("deny", "rule")
    assert asked.required == {"rule"}


def test_a_package_with_a_hyphen_is_found_as_rego_spells_it() -> None:
    policy = shaped(Shape.HCP, "terraform.policies.vm-size")

    asked = asked_rules(
        policy, ['package terraform.policies["vm-size"]\n\ndefault deny := false\n']
    )

    assert asked.required == {"deny"}


@pytest.mark.parametrize("package", ["main..x", "main x", 'main"]', "driftctl_canary_1", "."])
def test_what_is_no_package_is_refused(package: str) -> None:
    with pytest.raises(PolicyError, match="is not a package"):
        asked_rules(replace(GUARD, package=package), [DENY])


def test_a_policy_that_would_allow_is_refused() -> None:
    with pytest.raises(PolicyError, match="can only make a decision stricter"):
        asked_rules(replace(GUARD, levels={"warn": Effect.ALLOW}), [DENY])


def test_files_that_declare_the_canarys_package_are_refused() -> None:
    with pytest.raises(PolicyError, match="kept for the proof"):
        asked_rules(GUARD, [DENY, "# mine\n package driftctl_canary_x\ndeny contains 1 if true"])


def test_the_canary_asks_by_names_that_cannot_leave_their_quotes() -> None:
    asked = Asked(("terraform", "vm-size"), ("deny",), frozenset())

    text = canary(shaped(Shape.HCP), asked, "t0k")

    assert text.startswith("package driftctl_canary_t0k\n")
    assert 'value := data["terraform"]["vm-size"][name]' in text
    assert 'input.driftctl_canary == "t0k"' in text
    assert "exception contains" not in text
    assert ".exception" in canary(GUARD, asked, "t0k")


# --- the answer, as the programs print it


def opa(*values: object, token: str = "t") -> bytes:
    expression = {
        "value": list(values),
        "text": f"data.{canary_package(token)}.deny",
        "location": {"row": 1, "col": 1},
    }
    return json.dumps({"result": [{"expressions": [expression]}]}).encode()


def conftest(msg: str = "t", namespace: str = "driftctl_canary_t", **more: object) -> bytes:
    metadata = {"query": "data.x.deny", "found": {"deny": ["no"]}, "exceptions": []}
    failure = {"msg": msg, "metadata": metadata}
    result = {
        "filename": "input.json",
        "namespace": namespace,
        "successes": 0,
        "failures": [failure],
    }
    return json.dumps([result | more]).encode()


def test_opa_answers() -> None:
    said = opa({"msg": "t", "found": {"deny": ["no"]}, "exceptions": []})

    assert opa_answer(GUARD, said, "t") == Answer("t", {"deny": ["no"]}, [])


def test_conftest_answers() -> None:
    assert conftest_answer(GUARD, conftest(), "t") == Answer("t", {"deny": ["no"]}, [])


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"{}",
        b"\xff",
        b'{"result":[]',
        b'{"result":"undefined"}',
        opa({"msg": "t", "found": {}}),
        opa({"msg": "t", "found": [], "exceptions": []}),
        opa({"msg": "t", "found": {}, "exceptions": [], "more": 1}),
        opa("t"),
        b"Welcome!\n" + opa({"msg": "t", "found": {}, "exceptions": []}),
        opa({"msg": "t", "found": {}, "exceptions": []}) + b"{}",
        opa({"msg": "t", "found": {}, "exceptions": []})[:-3],
    ],
)
def test_what_is_not_the_answer_of_opa_is_no_answer(said: bytes) -> None:
    with pytest.raises(PolicyError, match="is not the answer that was asked for"):
        opa_answer(GUARD, said, "t")


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"null",
        b"[{}]",
        conftest(failures=[{"msg": "t"}]),
        conftest(warnings=[]),
        conftest(failures=[{"msg": "t", "metadata": {"query": "", "found": 1, "exceptions": []}}]),
    ],
)
def test_what_is_not_the_answer_of_conftest_is_no_answer(said: bytes) -> None:
    with pytest.raises(PolicyError, match="is not the answer that was asked for"):
        conftest_answer(GUARD, said, "t")


def test_an_error_about_an_answer_quotes_nothing_of_it() -> None:
    with pytest.raises(PolicyError) as caught:
        opa_answer(GUARD, opa({"msg": "t", "found": {}, "exceptions": "s3cret"}), "t")

    assert "s3cret" not in caught.value.what
    assert "exceptions" in caught.value.what


@pytest.mark.parametrize(
    "said",
    [
        b'{"result":[]}',
        opa(),
        opa({"msg": "another", "found": {}, "exceptions": []}),
        opa(*[{"msg": "t", "found": {}, "exceptions": []}] * 2),
    ],
)
def test_opa_that_does_not_deny_what_it_must_is_not_believed(said: bytes) -> None:
    with pytest.raises(PolicyError, match="did not deny what it had to deny"):
        opa_answer(GUARD, said, "t")


@pytest.mark.parametrize(
    "said", [b"[]", conftest(msg="another"), conftest(namespace="main"), conftest(failures=[])]
)
def test_conftest_that_does_not_deny_what_it_must_is_not_believed(said: bytes) -> None:
    with pytest.raises(PolicyError, match="did not deny what it had to deny"):
        conftest_answer(GUARD, said, "t")


# --- what it means


def test_each_message_is_a_verdict_with_the_level_of_its_rule() -> None:
    found = answered({"deny": ["no db"], "violation": [], "warn": ["dear"]})

    assert found == [
        Verdict("guard", Effect.DENY, "no db", "", "driftctl.yaml:41", ("dba",)),
        Verdict("guard", Effect.WARN, "dear", "", "driftctl.yaml:41", ("dba",)),
    ]


def test_levels_of_the_configuration_take_the_place_of_the_customs() -> None:
    levels = {"deny": Effect.APPROVE, "deny_tag": Effect.WARN}
    source = DENY + "deny_tag contains 1 if true\ndeny_size contains 1 if true\n"

    found = answered(
        {"deny": ["a"], "deny_tag": ["b"], "deny_size": ["c"]},
        policy=replace(GUARD, levels=levels),
        source=source,
    )

    assert {each.message: each.effect for each in found} == {
        "a": Effect.APPROVE,
        "b": Effect.WARN,
        "c": Effect.APPROVE,
    }


def test_a_warning_of_a_spacelift_policy_asks_for_a_person() -> None:
    found = answered({"warn": ["look"]}, policy=shaped(Shape.SPACELIFT))

    assert [each.effect for each in found] == [Effect.APPROVE]


@pytest.mark.parametrize(
    "said",
    [
        {"msg": "m", "address": "aws_s3_bucket.a"},
        {"message": "m", "metadata": {"address": "aws_s3_bucket.a"}},
        {"reason": "m", "details": {"address": "aws_s3_bucket.a"}},
    ],
)
def test_an_object_has_a_message_and_may_name_an_address(said: object) -> None:
    found = answered({"deny": [said]})

    assert [(each.message, each.address) for each in found] == [("m", "aws_s3_bucket.a")]


def test_what_is_said_twice_counts_once() -> None:
    assert len(answered({"deny": ["no"], "violation": ["no"]})) == 1


def test_a_message_is_one_line_that_moves_nothing_and_ends() -> None:
    found = answered({"deny": ["a\n\x1b[2Kb\u202ec", "x" * 5000, " "]})

    assert found[0].message == "a [2Kb c"
    assert len(found[1].message) == 1000
    assert found[1].message.endswith("…")
    assert found[2].message == "deny of the package main"


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("no", "a text"),
        (True, "true or false"),
        (False, "true or false"),
        (3, "a number"),
        (2.5, "a number"),
        (None, "null"),
        ({"no": True}, "an object"),
    ],
)
def test_a_rule_that_is_no_set_is_refused(value: object, kind: str) -> None:
    with pytest.raises(PolicyError, match=f"is {kind}, where a set") as caught:
        answered({"deny": value})

    assert "deny contains message if" in caught.value.todo


@pytest.mark.parametrize("value", [1, True, None, ["no"], {}, {"msg": 1}])
def test_a_finding_without_a_message_is_refused(value: object) -> None:
    with pytest.raises(PolicyError, match="without a message"):
        answered({"warn": [value]})


def test_no_rule_evaluated_is_not_passed() -> None:
    with pytest.raises(PolicyError, match=r"No rule .* was evaluated: .* deny, violation, warn"):
        answered({})


@pytest.mark.parametrize("source", ["package other", "# package main", "package main.db", ""])
def test_what_no_file_declares_is_not_evaluated(source: str) -> None:
    with pytest.raises(PolicyError, match=r"No rule .* was evaluated: .* in the package main"):
        asked_rules(GUARD, [source])


def test_a_rule_may_be_declared_from_a_package_above() -> None:
    policy = shaped(Shape.HCP, "terraform.db")

    assert asked_rules(policy, ["package terraform\n\ndb.deny contains 1 if true\n"]).required == (
        frozenset()
    )


def test_a_declared_rule_without_a_value_is_not_passed() -> None:
    with pytest.raises(PolicyError, match=r"deny of the package main .* has no value"):
        answered({"warn": []}, source=DENY)


def test_a_rule_of_the_configuration_that_is_not_there_is_not_passed() -> None:
    with pytest.raises(PolicyError, match="must_pass of the package main"):
        answered({"deny": []}, policy=replace(GUARD, levels={"must_pass": Effect.DENY}))


def test_an_answer_to_another_question_is_refused() -> None:
    with pytest.raises(PolicyError, match="nobody asked: allow"):
        answered({"deny": [], "allow": []})


def test_in_hcp_anything_in_the_array_is_a_violation() -> None:
    policy = shaped(Shape.HCP)

    found = answered({"deny": [{"size": 3, "address": "x.y"}, 7, ["a"]]}, policy=policy)

    assert [(each.message, each.address) for each in found] == [
        ('{"size": 3, "address": "x.y"}', "x.y"),
        ("7", ""),
        ('["a"]', ""),
    ]


def test_in_hcp_a_rule_may_be_true_or_false() -> None:
    policy = shaped(Shape.HCP)

    assert answered({"deny": False}, policy=policy) == []
    assert [each.message for each in answered({"deny": True}, policy=policy)] == [
        "deny of the package terraform"
    ]


def test_exceptions_of_conftest_except_the_rule_that_they_name() -> None:
    source = DENY + "violation_run_as_root contains 1 if true\n"
    found = {"deny": ["a"], "violation_run_as_root": ["b"]}

    assert [each.message for each in answered(found, "run_as_root", source=source)] == ["a"]
    assert [each.message for each in answered(found, "", source=source)] == ["b"]
    assert len(answered(found, "deny", 7, None, source=source)) == 2


def test_nothing_excepts_a_rule_that_conftest_would_not_ask() -> None:
    policy = replace(GUARD, levels={"must_pass": Effect.DENY})

    assert len(answered({"must_pass": ["a"]}, "pass", "must_pass", "", policy=policy)) == 1


# --- what was wrong


def opa_error(**error: object) -> bytes:
    return json.dumps({"errors": [error, {"message": "and more"}]}).encode()


def test_opas_first_error_is_told_with_its_place() -> None:
    said = opa_error(
        message="`if` keyword is required before rule body",
        code="rego_parse_error",
        location={"file": "policies/0/a.rego", "row": 3, "col": 1},
    )

    complaint = opa_complaint(said)

    assert str(complaint) == (
        "policies/0/a.rego:3: rego_parse_error: `if` keyword is required before rule body"
    )
    assert complaint.of_language


def test_what_rego_stumbled_over_is_not_quoted() -> None:
    said = opa_error(
        message='to_number: strconv.ParseFloat: parsing "s3cret": invalid syntax',
        code="eval_builtin_error",
        location={"file": "policies/0/a.rego", "row": 3},
    )

    assert str(opa_complaint(said)) == ("policies/0/a.rego:3: eval_builtin_error: to_number failed")
    assert not opa_complaint(said).of_language


def test_an_error_without_a_function_is_told_by_its_code() -> None:
    said = opa_error(message="complete rules must not", code="eval_conflict_error", location={})

    assert opa_complaint(said) == Complaint("eval_conflict_error", "", "")


def test_files_that_cannot_be_loaded_are_told_when_they_are_the_policys() -> None:
    assert str(opa_complaint(opa_error(message="policies/0/x.json: bad\nrow"))) == (
        "policies/0/x.json: bad row"
    )
    assert str(opa_complaint(opa_error(message="input.json: s3cret"))) == ""


@pytest.mark.parametrize("said", [b"", b"\xff", b"{}", b'{"errors":[]}', b'{"errors":"x"}'])
def test_an_error_that_cannot_be_read_is_told_as_nothing(said: bytes) -> None:
    assert opa_complaint(said) == Complaint()


def test_conftests_errors_are_told_the_same_way() -> None:
    said = (
        "Error: running test: load: loading policies: load: 2 errors occurred during loading:\n"
        "policies/0/b.rego:2: rego_parse_error: `if` keyword is required before rule body\n"
        "policies/0/b.rego:2: rego_parse_error: another\n"
    )

    assert str(conftest_complaint(said)) == (
        "policies/0/b.rego:2: rego_parse_error: `if` keyword is required before rule body"
    )


def test_conftest_does_not_quote_what_rego_stumbled_over_either() -> None:
    said = (
        "Error: running test: built-in error: [{Code:eval_builtin_error Message:to_number: "
        'strconv.ParseFloat: parsing "s3cret": invalid syntax Location:policies/0/a.rego:2 '
        "StackTrace: err:0x1}]"
    )

    assert str(conftest_complaint(said)) == (
        "policies/0/a.rego:2: eval_builtin_error: to_number failed"
    )


def test_conftests_other_errors_are_told_when_they_are_about_the_policys_files() -> None:
    assert str(conftest_complaint("Error: read policies/0: denied")) == "read policies/0: denied"
    assert str(conftest_complaint("Error: s3cret")) == ""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from driftctl_py.core.plan import (
    ActionInvocation,
    Block,
    Change,
    Deferred,
    Joined,
    Kind,
    OutputChange,
    Plan,
    Setting,
)
from driftctl_py.core.plan_diff import compare_plans
from driftctl_py.core.plan_json import decode_plan
from driftctl_py.core.values import UNKNOWN, Secrets, Value
from driftctl_py.report import show
from driftctl_py.report.plan_diff import (
    render_plan_diff_json,
    render_plan_diff_markdown,
    render_plan_diff_text,
)
from tests.core.test_plan_diff import PLANS
from tests.data import plans

KEY = b"k" * 32
FILES = {path.parent.name: path for path in plans.files()}


def plan_of(*changes: Change, **more: Any) -> Plan:
    facts: dict[str, Any] = {"managed": 1, "settings": ()}
    return Plan("1", joined=tuple(Joined(each, None) for each in changes), **facts | more)


def update(before: Any, after: Any, kind: Kind = Kind.UPDATE, **more: Any) -> Change:
    return Change("x.y", kind, before, after, **more)


def text(a: Plan, b: Plan, **more: Any) -> str:
    return render_plan_diff_text(compare_plans(a, b), "a.json", "b.json", **more)


def lines(a: Plan, b: Plan) -> list[str]:
    """Without the answer and the names, and without indentation."""
    return [line.strip() for line in text(a, b).splitlines()[4:]]


def markdown(a: Plan, b: Plan) -> str:
    return render_plan_diff_markdown(compare_plans(a, b), "a.json", "b.json")


def document(a: Plan, b: Plan) -> Any:
    return json.loads(render_plan_diff_json(compare_plans(a, b), "a.json", "b.json"))


def decoded(*names: str) -> list[Plan]:
    secrets = Secrets(KEY)
    return [decode_plan(FILES[name].read_bytes(), secrets=secrets, settings=True) for name in names]


def test_two_plans_that_mean_the_same_are_told_in_one_sentence() -> None:
    one, other = decoded("rich", "rich")

    assert text(one, other) == "The plans mean the same.\n  A  a.json\n  B  b.json\n"
    assert markdown(one, other) == "### 🟢 The plans mean the same.\n\n- A: a.json\n- B: b.json\n"
    assert document(one, other)["same"] is True


def test_what_destroys_is_told_first_and_counted_in_the_answer() -> None:
    one, other = decoded("drift_and_pending", "delete")

    said = text(one, other).splitlines()

    assert re.fullmatch(
        r"The plans differ in \d+ of \d+ consequences; 1 of them destroys\.", said[0]
    )
    assert said[4] == "    - folder_server.web  only in B: destroy"
    assert markdown(one, other).startswith("### 🔴 The plans differ in ")


def test_the_order_of_a_replacement_is_a_difference() -> None:
    one, other = decoded("replace", "replace_create_first")

    assert lines(one, other) == [
        "-/+ folder_server.web  A: replace, destroys first; B: replace, creates first"
    ]


def test_an_update_that_only_one_plan_makes_reads_as_in_every_report() -> None:
    before = {"id": "i-1", "size": 1, "policy": '{"Action": "get"}', "cloud": "a: 1\nb: 2\n"}
    after = before | {
        "size": 2,
        "policy": '{"Action": "put"}',
        "cloud": "a: 1\nb: 3\n",
        "ip": UNKNOWN,
    }
    change, drift = update(before, after), update(before | {"size": 3}, before)
    plan = Plan("1", joined=(Joined(change, drift),), managed=1, settings=())

    assert lines(plan_of(), plan) == [
        "~ x.y  only in B: change",
        'the object\'s id  "i-1"',
        "cloud.b  2 → 3   real → planned, YAML",
        "ip  (known after apply)",
        'policy.Action  "get" → "put"   real → planned, JSON',
        "size  1 → 2   real → planned, was changed outside",
    ]


def test_what_both_do_otherwise_reads_from_a_to_b() -> None:
    before = {"id": "i-1", "size": 1, "policy": "", "gone": 1}
    one = update(before, before | {"size": 2, "policy": '{"Action": "get"}'})
    other = update(before, before | {"size": 3, "policy": '{"Action": "put"}', "gone": None})

    assert lines(plan_of(one), plan_of(other)) == [
        "~ x.y  change",
        "gone real  1   only in B",
        "gone planned  null   only in B",
        'policy.Action planned  "get" → "put"   JSON',
        "size planned  2 → 3",
    ]


def test_what_is_marked_in_one_plan_only_is_said_once() -> None:
    change = update({"id": "i-1", "a": 2}, {"id": "i-1", "a": 1})
    drift = update({"id": "i-1", "a": 1}, {"id": "i-1", "a": 2})
    drifted = Plan("1", joined=(Joined(change, drift),), managed=1, settings=())

    assert lines(plan_of(change), drifted) == [
        "~ x.y  change",
        "a was changed outside   only in B",
    ]


def test_a_value_on_several_lines_is_told_line_by_line() -> None:
    def script(text: str) -> Plan:
        return plan_of(update(None, {"script": text}, Kind.CREATE))

    said = lines(script("#!/bin/sh\nset -e\necho one\n"), script("#!/bin/sh\nset -e\necho two\n"))

    assert said[1] == "script planned"
    assert said[-2:] == ["- echo one", "+ echo two"]


def test_long_values_are_cut_where_they_differ() -> None:
    def long(end: str) -> Plan:
        return plan_of(update(None, {"a": "x" * 300 + end}, Kind.CREATE))

    said = lines(long("one"), long("two"))

    assert said[1] == "a planned"
    assert re.fullmatch(r'A  "?…x+one.*', said[2])
    assert re.fullmatch(r'B  "?…x+two.*', said[3])


def test_a_change_within_an_element_has_no_sign_that_a_fence_does_not_colour() -> None:
    def rules(*ports: int) -> list[Value]:
        return [{"port": port, "name": name} for port, name in zip(ports, "abcd", strict=False)]

    told = markdown(
        plan_of(Change("x.y", Kind.CREATE, None, {"v": rules(80, 80, 80)})),
        plan_of(
            Change("x.y", Kind.CREATE, None, {"v": [{"port": 1, "name": "z"}, *rules(80, 443, 80)]})
        ),
    )

    assert '\n!     {name: "b", port: 80 → 443}' in told
    assert "\n~" not in told


def test_true_is_a_value_and_no_flag() -> None:
    create = Change("x.y", Kind.CREATE, None, {"protected": True, "public": False})

    told = lines(plan_of(), plan_of(create))

    assert "protected  true" in told
    assert "public     false" in told or "public  false" in told


def test_many_lines_are_cut_and_counted() -> None:
    def many(count: int, value: Any) -> Plan:
        return plan_of(update(None, {f"a{n:02}": value for n in range(count)}, Kind.CREATE))

    said = lines(many(23, 1), many(23, 2))

    assert len(said) == 1 + 20 + 1
    assert said[-1] == "… 3 more; --format json lists all"
    assert "    … 3 more\n" in markdown(many(23, 1), many(23, 2))
    assert len(document(many(23, 1), many(23, 2))["differences"][0]["facts"]) == 23


@pytest.mark.parametrize("kind", [Kind.DELETE, Kind.REPLACE, Kind.REPLACE_CREATE_FIRST])
def test_nothing_of_what_destroys_is_cut(kind: Kind) -> None:
    def many(value: Any) -> Plan:
        before = {"id": "i"} | {f"a{n:02}": f"old {value}" for n in range(23)}
        after = before | {f"a{n:02}": value for n in range(23)}
        change = update(before, None if kind is Kind.DELETE else after, kind)
        drift = update(before, before | {"id": "j"}, Kind.UNKNOWN, actions=("melt",))
        return Plan("1", joined=(Joined(change, drift),), managed=1, settings=())

    for said in (text(many(1), many(2)), markdown(many(1), many(2))):
        assert "more" not in said
        assert kind is Kind.DELETE or all(f"a{n:02}" in said for n in range(23))


def test_many_parts_of_a_value_are_cut_and_counted() -> None:
    def listed(start: int) -> Plan:
        return plan_of(update(None, {"a": [start + n for n in range(20)]}, Kind.CREATE))

    assert re.fullmatch(r"… \d+ more lines", lines(listed(0), listed(100))[-1])
    assert re.search(r"\n      … \d+ more lines\n```", markdown(listed(0), listed(100)))


def test_the_address_of_what_is_destroyed_is_never_cut() -> None:
    def gone(kind: Kind) -> Plan:
        address = f"x.y[{'a' * 120!r}]"
        return plan_of(Change(address, kind, {"id": "i"}, {"id": "j"}))

    assert "a" * 120 in text(plan_of(), gone(Kind.DELETE))
    assert "a" * 120 not in text(plan_of(), gone(Kind.UPDATE))


def test_everything_that_a_plan_may_do_has_a_name() -> None:
    everything = plan_of(
        update({"id": "i-1"}, None, Kind.FORGET, deposed="8f1c2b3d"),
        Change("x.read", Kind.READ, None, None, mode="data"),
        Change("x.new", Kind.UNKNOWN, {}, {}, actions=("transmogrify",), reason="because"),
        Change("x.to", Kind.NO_OP, {"id": "a"}, {"id": "a"}, previous_address="x.was"),
        Change("x.in", Kind.NO_OP, {"id": "a"}, {"id": "a"}, imported=True, import_id="a"),
        outputs=(
            OutputChange("gone", Kind.DELETE, 1, None),
            OutputChange("new", Kind.CREATE, None, 1),
        ),
        invocations=(ActionInvocation("action.a.b", "x.y", "AfterCreate", {"n": 1}),) * 2,
        deferred=(Deferred("x", Change("x.later", Kind.CREATE, None, {})),),
        settings=(
            Setting("provider aws.eu", "assume_role[0].arn", "e0"),
            Setting("provisioner x.new[0] local-exec", "command", "e1"),
        ),
        errored=True,
    )

    said = [line for line in lines(plan_of(), everything) if line]

    assert said == [
        "? x.new  only in B: actions that this version does not know: transmogrify",
        'reason  "because"',
        "* the plan itself  only in B",
        "the engine failed while it planned",
        "< x.in  only in B: leave as it is; imported",
        'the object\'s id  "a"',
        'imported as  "a"',
        "<= x.read  only in B: read during apply",
        "> x.to  only in B: leave as it is; moved from x.was",
        'the object\'s id  "a"',
        ". x.y",
        "only in B: deposed object 8f1c2b3d; forget: leaves the state, the object",
        "stays",
        'the object\'s id  "i-1"',
        "- output.gone  only in B: remove",
        "value  1 → null   real → planned",
        "+ output.new  only in B: create",
        "value  null → 1   real → planned",
        "* action action.a.b AfterCreate x.y  only in B",
        'config  {"n": 1}',
        "* action action.a.b AfterCreate x.y (2)  only in B",
        'config  {"n": 1}',
        "* provider aws.eu  only in B",
        "assume_role[0].arn is set",
        "* provisioner x.new[0] local-exec  only in B",
        "command is set",
        "* put off: x.later  only in B",
    ]


def test_settings_are_told_without_their_values() -> None:
    one = plan_of(
        settings=(Setting("provider aws", "region", "e0"), Setting("provider aws", "a", ""))
    )
    other = plan_of(settings=(Setting("provider aws", "region", "e1"),))

    assert lines(one, other) == ["* provider aws", "a is set   only in A", "region is another"]
    facts = document(one, other)["differences"][0]["facts"]
    assert [each["path"] for each in facts] == ["a", "region"]
    assert facts[1]["a"] == facts[1]["b"] == {"$mark": "sensitive"}


def test_what_counts_as_sensitive_is_told() -> None:
    hidden = Secrets().mark("hunter22")
    values = {"id": "i-1", "password": hidden, "size": 1}
    places = (("password",),)
    change = update(values, values, sensitivity_changed=True, newly_sensitive=places)

    assert lines(plan_of(), plan_of(change)) == [
        "~ x.y  only in B: change",
        'the object\'s id  "i-1"',
        "what counts as sensitive changes",
        "password is sensitive",
    ]


def test_a_plan_that_only_records_what_is_there_says_so() -> None:
    drift = update({"a": 1}, {"a": 2})
    records = Plan("1", joined=(Joined(None, drift),), applyable=True, settings=())

    assert lines(records, plan_of()) == [
        "! x.y  only in A: record what is there",
        'what happened outside  "update"',
        "a  1 → 2   recorded → real",
    ]


def test_the_document_holds_every_fact_of_both_sides() -> None:
    one = update({"id": "i", "t": {"a": 1}}, {"id": "i", "t": {"a": 2}})
    other = update({"id": "i", "t": {"a": 1}}, {"id": "i", "t": {}})

    assert document(plan_of(one), plan_of(other)) == {
        "schema_version": 1,
        "document": "plan-difference",
        "a": "a.json",
        "b": "b.json",
        "same": False,
        "differing": 1,
        "total": 1,
        "differences": [
            {
                "about": "resource",
                "name": "x.y",
                "key": None,
                "nth": 0,
                "only_in": None,
                "destroys": False,
                "kind_a": "update",
                "kind_b": "update",
                "facts": [
                    {
                        "fact": "planned",
                        "path": "t.a",
                        "steps": ["t", "a"],
                        "in_json": False,
                        "in_yaml": False,
                        "a": 2,
                        "b": {"$mark": "absent"},
                    }
                ],
            }
        ],
    }


def test_colour_repeats_what_the_symbols_say() -> None:
    def coloured(kind: Kind) -> str:
        change = Change("x.y", kind, {"id": "i"}, {"id": "i", "a": 1})
        return text(plan_of(), plan_of(change), color=True)

    assert "\x1b[31m  -\x1b[0m x.y" in coloured(Kind.DELETE)
    assert "\x1b[31m  ?\x1b[0m x.y" in coloured(Kind.UNKNOWN)
    assert "\x1b[32m  +\x1b[0m x.y" in coloured(Kind.CREATE)
    assert "\x1b[33m  ~\x1b[0m x.y" in coloured(Kind.UPDATE)
    plain = re.sub(r"\x1b\[\d+m", "", coloured(Kind.UPDATE))
    assert plain == text(plan_of(), plan_of(update({"id": "i"}, {"id": "i", "a": 1})))


def test_a_secret_that_became_another_is_seen_and_not_told() -> None:
    def plan(secrets: Secrets, password: str) -> Plan:
        change = {
            "actions": ["update"],
            "before": {"password": "hunter21"},
            "after": {"password": password},
            "before_sensitive": {"password": True},
            "after_sensitive": {"password": True},
        }
        entry = {"address": "x.y", "mode": "managed", "change": change}
        whole = {"format_version": "1.2", "planned_values": {}, "resource_changes": [entry]}
        return decode_plan(json.dumps(whole).encode(), secrets=secrets, settings=True)

    secrets = Secrets(KEY)
    one, other = plan(secrets, "hunter22"), plan(secrets, "hunter23")

    assert lines(one, other) == ["~ x.y  change", "password planned  (sensitive value)"]
    assert "hunter" not in text(one, other) + markdown(one, other) + json.dumps(
        document(one, other)
    )


@pytest.mark.parametrize("name", sorted(FILES))
def test_no_line_about_a_real_plan_is_wider_than_the_terminal(name: str) -> None:
    one, other = decoded(name, "clean")

    for line in text(one, other, width=80).splitlines():
        # What is destroyed has its whole address, and a path that is pasted stays in one piece.
        assert show.columns(line) <= 80 or " " not in line.strip()[4:]


@pytest.mark.parametrize("name", sorted(FILES))
def test_a_real_plan_in_markdown_is_a_heading_two_names_and_one_fence(name: str) -> None:
    one, other = decoded(name, "empty")

    assert structure(markdown(one, other))[:2] == ["heading_open", "bullet_list_open"]
    assert structure(markdown(one, other)).count("fence") <= 1
    assert "CANARY" not in markdown(one, other)
    assert "hunter2" not in markdown(one, other)


# What somebody might write into a name or a value to get out of what quotes it.
EVIL = st.text(
    st.sampled_from("`~-+!|<>/&@#\\\"'\n\r\t\x1b\x9b\u202e\u2028 a[]()*_1.")
    | st.characters(codec="utf-8"),
    max_size=12,
) | st.sampled_from(["```", "\n```\n# x", "</details>", "<!--", "@ada", "#1", "\x1b[2J", "a\n- b"])


def structure(markdown: str) -> list[str]:
    return [
        token.type
        for token in MarkdownIt("commonmark").parse(markdown)
        if token.level == 0 and token.nesting >= 0
    ]


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(EVIL, EVIL, EVIL, EVIL, EVIL)
def test_nothing_foreign_gets_out_of_where_it_is_quoted(
    address: str, key: str, value: str, other: str, name: str
) -> None:
    one = plan_of(
        Change(address, Kind.UPDATE, {"id": value}, {"id": value, key: value}, deposed=key),
        outputs=(OutputChange(key, Kind.CREATE, None, other),),
        invocations=(ActionInvocation(address, key, value, {key: value}),),
        settings=(Setting(f"provider {address}", key, "e0"),),
    )
    two = plan_of(
        Change(address, Kind.UPDATE, {"id": other}, {"id": other, key: [other]}, deposed=key),
        Change(f"{address}.x", Kind.UNKNOWN, None, {key: other}, actions=(value,), reason=other),
    )
    difference = compare_plans(one, two)

    for said in (
        render_plan_diff_text(difference, name, value),
        render_plan_diff_markdown(difference, name, value),
        render_plan_diff_json(difference, name, value),
    ):
        assert said.endswith("\n")
        assert show.clean(said.replace("\n", "")) == said.replace("\n", "")
    found = structure(render_plan_diff_markdown(difference, name, value))
    assert found == ["heading_open", "bullet_list_open", "fence"]


@settings(max_examples=60, deadline=None)
@given(PLANS, PLANS)
def test_any_two_plans_can_be_told_apart_in_every_format(a: Plan, b: Plan) -> None:
    difference = compare_plans(a, b)

    said = render_plan_diff_text(difference, "a", "b")

    assert said.startswith("The plans mean the same.") == difference.same
    assert said.endswith("\n")
    assert render_plan_diff_markdown(difference, "a", "b").endswith("\n")
    assert json.loads(render_plan_diff_json(difference, "a", "b"))["same"] == difference.same


def test_two_thousand_differences_are_told_whole() -> None:
    def large(value: int) -> Plan:
        return plan_of(
            *(
                Change(f"x.y[{n}]", Kind.UPDATE, {"id": "i", "a": 0}, {"id": "i", "a": value})
                for n in range(2000)
            )
        )

    said = text(large(1), large(2))

    assert said.startswith("The plans differ in 2000 of 2000 consequences.")
    assert said.count("x.y[") >= 2000


def test_what_a_plan_does_not_hold_itself_is_told_from_a_to_b() -> None:
    def plan(number: int) -> Plan:
        change = update(
            {"id": "i-1"},
            {"id": "i-1", "ip": UNKNOWN},
            provider=f"example.com/ada/p{number}",
            identity={"account_id": f"{number}"},
            sensitivity_changed=True,
            newly_sensitive=(("tags",),) if number == 1 else (),
            no_longer_sensitive=(("tags",),) if number == 2 else (),
        )
        block = Block(f"aws.eu{number}", ((("ip",), (f"x.eip.n{number}",)),))
        return plan_of(change, blocks={"x.y": block})

    assert lines(plan(1), plan(2)) == [
        "~ x.y  change",
        'provider  "example.com/ada/p1" → "example.com/ada/p2"',
        'provider configuration  "aws.eu1" → "aws.eu2"',
        'the object\'s account_id  "1" → "2"',
        'ip references  ["x.eip.n1"] → ["x.eip.n2"]',
        "tags is sensitive  true → false",
    ]
    alone = lines(plan_of(), plan(2))
    assert not [line for line in alone if line.startswith("provider")]
    assert 'ip references  ["x.eip.n2"]' in alone
    assert "tags is no longer sensitive" in alone
    assert "tags is sensitive" in lines(plan_of(), plan(1))

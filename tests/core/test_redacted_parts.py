"""The plan that policies read, part by part: where a secret may stand, and what is said in its
place. That none is left anywhere is ``test_redacted_plan``'s."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from driftctl_py.core.masks import Mask, Masks
from driftctl_py.core.redacted_plan import HIDDEN, redacted_document
from driftctl_py.core.values import Secrets
from driftctl_py.errors import PlanError
from tests.report.test_secrets import CANARY

Document = dict[str, Any]


def redacted(plan: object, *, masks: Masks = ()) -> Document:
    data = plan if isinstance(plan, bytes) else json.dumps(plan).encode()
    found: Document = json.loads(redacted_document(data, masks=masks, secrets=Secrets(key=b"k")))
    return found


def changed(**change: Any) -> Document:
    """The redacted change of one object."""
    sides: Document = {"before_sensitive": {}, "after_sensitive": {}}
    entry = {"address": "x.y", "change": {"actions": ["update"], **sides, **change}}
    found: Document = redacted({"resource_changes": [entry]})["resource_changes"][0]["change"]
    return found


def test_what_is_hidden_is_marked_as_such() -> None:
    found = changed(
        before={"a": "x", "p": [{"k": CANARY}]},
        after={"a": "y", "p": [{"k": CANARY + "2"}]},
        after_unknown={"p": [{"k": False}], "id": True},
        after_sensitive={"p": [{"k": True}]},
        before_sensitive={"p": [{"k": True}]},
        replace_paths=[["p", 0, "k"], ["a"], ["p", 7], "odd"],
    )

    assert found["after"] == {"a": "y", "p": [{"k": HIDDEN}]}
    assert found["after_sensitive"] == {"p": [{"k": True}]}
    assert found["replace_paths"] == [["p", 0, "k"], ["a"], ["p", 7], []]


def test_what_one_side_hides_as_a_whole_is_spoken_of_no_further() -> None:
    found = changed(
        before={"p": {"k": CANARY}},
        after={"p": {"k": CANARY + "2", "l": [1]}},
        after_unknown={"p": {"l": [True]}},
        after_sensitive={"p": True},
        before_sensitive={"p": True},
        replace_paths=[["p", "k"]],
    )

    assert found["after"] == {"p": HIDDEN}
    assert found["after_unknown"] == {"p": True}
    assert found["replace_paths"] == [["p"]]


def test_a_side_without_any_mark_is_hidden_whole() -> None:
    change = {"actions": ["update"], "before": {"a": "one"}, "after": 3}
    entry = {"address": "x.y", "change": change}

    found = redacted({"resource_changes": [entry]})["resource_changes"][0]["change"]

    assert "one" not in json.dumps(found)
    assert found["after"] == HIDDEN


def test_an_entry_without_an_address_is_hidden_whole() -> None:
    change = {
        "actions": ["update"],
        "before": {"a": 1},
        "after": {"a": 2},
        "before_sensitive": {},
        "after_sensitive": {},
        "replace_paths": [["a"]],
    }

    found = redacted({"resource_changes": [{"type": "x", "change": change}]})

    assert found["resource_changes"][0]["change"] == {
        "actions": ["update"],
        "before": HIDDEN,
        "after": HIDDEN,
        "before_sensitive": True,
        "after_sensitive": True,
        "after_unknown": False,
    }


def test_an_object_under_its_former_name_hides_what_it_hides_now() -> None:
    change = {
        "actions": ["update"],
        "before": {"p": "old-secret-1"},
        "after": {"p": "new-secret-2"},
        "before_sensitive": {"p": True},
        "after_sensitive": {"p": True},
    }
    entry = {"address": "x.new", "previous_address": "x.old", "change": change}
    resource = {"address": "x.old", "values": {"p": "old-secret-1"}, "sensitive_values": {}}
    state = {"values": {"root_module": {"resources": [resource]}}}

    found = redacted({"resource_changes": [entry], "prior_state": state})

    assert found["prior_state"]["values"]["root_module"]["resources"][0] == {
        "address": "x.old",
        "values": {"p": HIDDEN},
        "sensitive_values": {"p": True},
    }


@pytest.mark.parametrize(
    "names",
    [{"a": "a"}, {"a": "b", "b": "a"}, {"a": "b", "b": "c"}, {"b": "c", "a": "b"}],
    ids=["itself", "exchanged", "in a row", "in a row, the last one first"],
)
def test_objects_that_take_each_other_s_names_hide_all_that_one_of_them_does(
    names: dict[str, str],
) -> None:
    change = {
        "actions": ["update"],
        "before": {"p": CANARY},
        "after": {"p": CANARY},
        "before_sensitive": {"p": True},
        "after_sensitive": {"p": True},
    }
    entries = [
        {"address": f"x.{now}", "previous_address": f"x.{then}", "change": change}
        for now, then in names.items()
    ]
    resources = [
        {"address": f"x.{name}", "values": {"p": CANARY}, "sensitive_values": {}}
        for name in sorted({*names.values()})
    ]
    state = {"values": {"root_module": {"resources": resources}}}

    found = redacted({"resource_changes": entries, "prior_state": state})

    assert "CANARY" not in json.dumps(found)


def test_a_mask_finds_an_object_by_each_name_that_is_handed_on() -> None:
    change = {"actions": ["no-op"], "before": {"p": "one"}, "after": {"p": "one"}}
    marked = {**change, "before_sensitive": {}, "after_sensitive": {}}
    names = {"x.c": "x.b", "x.b": "x.a"}
    entries = [
        {"address": now, "previous_address": then, "change": marked} for now, then in names.items()
    ]

    for name in ("x.a", "x.b", "x.c"):
        found = redacted({"resource_changes": entries}, masks=[Mask(address=name, attribute="p")])

        assert found["resource_changes"][0 if name == "x.c" else 1]["change"]["after"] == {
            "p": HIDDEN
        }


def test_an_object_of_which_nothing_is_hidden_is_passed_on_as_it_was_written() -> None:
    mirror = '{"l": [false, {}], "n": {"m": false}}'
    values = '{"n": {"m": 1.50}, "l": ["a", {"k": "\\u0061"}]}'
    change = f'"before": {values}, "after": {values}, "after_sensitive": {mirror}'
    entry = f'{{"address": "x.y", "change": {{"actions": ["update"], {change}}}}}'
    masks = [Mask(pattern=re.compile("AKIA")), Mask(address="x.y", attribute="other")]

    found = redacted_document(
        f'{{"resource_changes": [{entry}]}}'.encode(), masks=masks, secrets=Secrets(b"k")
    )

    assert found.count(values.encode()) == 2
    assert mirror.encode() in found


def test_what_stands_in_a_plan_often_is_hidden_wherever_it_stands() -> None:
    values = {"p": CANARY, "echo": f"<{CANARY}>", "a": 1}
    mirror = {"p": True}
    sides = {"before_sensitive": mirror, "after_sensitive": mirror}
    change = {"actions": ["no-op"], "before": values, "after": values, **sides}
    resource = {"address": "x.y", "values": values, "sensitive_values": mirror}
    state = {"root_module": {"resources": [resource]}}

    found = redacted(
        {
            "resource_changes": [{"address": "x.y", "change": change}],
            "planned_values": state,
            "prior_state": {"values": state},
        }
    )

    hidden = {"p": HIDDEN, "echo": HIDDEN, "a": 1}
    shown = found["resource_changes"][0]["change"]
    assert shown["before"] == shown["after"] == hidden
    for each in (found["planned_values"], found["prior_state"]["values"]):
        assert each["root_module"]["resources"][0]["values"] == hidden


def test_a_state_that_marks_nothing_is_hidden_whole() -> None:
    resource = {"address": "x.y", "values": {"p": "one", "n": None}}
    outputs = {"o": {"value": "two"}, "p": {"sensitive": False, "value": "three"}}
    values = {"outputs": outputs, "root_module": {"resources": [resource]}}

    found = redacted({"planned_values": values})["planned_values"]

    assert found["root_module"]["resources"][0]["values"]["p"] == HIDDEN
    assert found["outputs"] == {
        "o": {"sensitive": True, "value": HIDDEN},
        "p": {"sensitive": False, "value": "three"},
    }


@pytest.mark.parametrize(
    ("declared", "shown"),
    [
        ({}, True),
        ({"sensitive": True}, False),
        ({"sensitive": "odd"}, False),
        ({"ephemeral": True}, False),
        (None, False),
    ],
)
def test_a_variable_is_shown_where_it_is_declared_and_not_sensitive(
    declared: Document | None, shown: bool
) -> None:
    variables = {} if declared is None else {"region": declared}
    plan = {
        "variables": {"region": {"value": "eu-north"}, "none": {}},
        "configuration": {"root_module": {"variables": variables}},
    }

    found = redacted(plan)["variables"]

    assert found["region"]["value"] == ("eu-north" if shown else HIDDEN)


def test_a_variable_that_is_called_a_secret_is_one_and_so_is_what_repeats_it() -> None:
    call = {"module": {"variables": {"token": {"default": "s3cr3t-default"}}}}
    expressions = {
        "user_data": {"constant_value": "echo s3cr3t-value"},
        "tags": {"constant_value": {"team": "it"}},
        "api_token": {"constant_value": "abcd"},
        "private": [{"sensitive": True, "constant_value": "efgh"}, None],
    }
    resource = {
        "address": "x.y",
        "type": "x",
        "name": ["odd", 1],
        "depends_on": ["x.z"],
        "expressions": expressions,
    }
    plan = {
        "variables": {
            "password": {"value": "s3cr3t-value"},
            "url": {"value": "https://ada:s3cr3t-value@example.com"},
            "size": {"value": 3},
        },
        "configuration": {
            "root_module": {
                "variables": {"password": {}, "url": {}, "size": {}},
                "module_calls": {"m": call, "n": {}},
                "resources": [resource],
            }
        },
    }

    found = redacted(plan)

    text = json.dumps(found)
    assert "s3cr3t" not in text
    assert "abcd" not in text
    assert "efgh" not in text
    assert found["variables"]["size"] == {"value": 3}
    shown = found["configuration"]["root_module"]["resources"][0]
    assert (shown["address"], shown["type"], shown["depends_on"]) == ("x.y", "x", ["x.z"])
    assert shown["expressions"]["tags"] == {"constant_value": {"team": "it"}}


def test_a_mask_hides_a_variable_by_its_name() -> None:
    plan = {
        "variables": {"region": {"value": "eu-north"}, "other": {"value": "stays"}},
        "configuration": {"root_module": {"variables": {"region": {}, "other": {}}}},
    }

    found = redacted(plan, masks=[Mask(address="var.region", attribute="*")])["variables"]

    assert found["other"] == {"value": "stays"}
    assert "eu-north" not in json.dumps(found)


def test_messages_of_checks_go_and_their_words_stay() -> None:
    instances = [{"problems": [{"message": "m"}]}]
    checks = [{"address": {"name": "c"}, "status": "fail", "instances": instances}]

    assert redacted({"checks": checks})["checks"] == [
        {
            "address": {"name": "c"},
            "status": "fail",
            "instances": [{"problems": [{"message": HIDDEN}]}],
        }
    ]


def test_sections_and_keys_that_nobody_knows_are_not_passed_on() -> None:
    entry = {
        "address": "x.y",
        "new": CANARY,
        "change": {"actions": [], "newer": CANARY, "before_sensitive": {}, "after_sensitive": {}},
    }

    found = redacted({"future": CANARY, "resource_changes": [entry]})

    assert "CANARY" not in json.dumps(found)


@pytest.mark.parametrize(
    "importing",
    [
        {"id": "i-1"},
        {"id": CANARY, "unknown": False},
        {"identity": {"p": CANARY, "a": "x"}},
        "odd",
    ],
)
def test_what_an_object_is_imported_by_is_part_of_it(importing: Any) -> None:
    found = changed(
        before={"p": CANARY, "a": "x"},
        after={"p": CANARY, "a": "x"},
        before_sensitive={"p": True},
        after_sensitive={"p": True},
        importing=importing,
        generated_config=f'p = "{CANARY}"\n',
        before_identity={"p": CANARY},
        after_identity={"p": CANARY},
    )

    assert "CANARY" not in json.dumps(found)
    assert importing != {"id": "i-1"} or found["importing"] == importing


def test_what_an_action_is_given_goes_by_its_own_marks() -> None:
    marked = {
        "address": "action.a.b",
        "config_values": {"token": CANARY, "size": 3},
        "config_sensitive": {"token": True},
        "config_unknown": {"token": {"x": True}, "size": False},
    }
    bare = {"address": "action.c.d", "config_values": {"size": 3}}
    later = {"reason": "r", "action_invocation": bare}

    found = redacted(
        {"action_invocations": [marked], "deferred_action_invocations": [later, {"reason": "r"}]}
    )

    assert found["action_invocations"][0]["config_values"] == {"token": HIDDEN, "size": 3}
    assert found["action_invocations"][0]["config_unknown"] == {"token": True, "size": False}
    of_later = found["deferred_action_invocations"][0]["action_invocation"]
    assert of_later["config_values"] == {"size": HIDDEN}


def test_what_was_put_off_is_redacted_like_what_was_not() -> None:
    change = {
        "actions": ["create"],
        "after": {"p": CANARY},
        "before_sensitive": False,
        "after_sensitive": {"p": True},
    }
    entry = {"address": "x.y", "change": change}
    later = [{"reason": "r", "resource_change": entry}, {"reason": "s"}]

    found = redacted({"deferred_changes": later})

    assert found["deferred_changes"][0]["resource_change"]["change"]["after"] == {"p": HIDDEN}


def test_a_masked_output_loses_its_type_with_its_value() -> None:
    output = {"sensitive": False, "type": ["object", {"k": "string"}], "value": {"k": "v"}}
    sides = {"before_sensitive": False, "after_sensitive": False}
    change = {"actions": ["create"], "after": {"k": "v"}, **sides}
    plan = {"planned_values": {"outputs": {"o": output}}, "output_changes": {"o": change}}

    found = redacted(plan, masks=[Mask(address="output.o", attribute="*")])

    assert found["planned_values"]["outputs"]["o"]["sensitive"] is True
    assert "type" not in found["planned_values"]["outputs"]["o"]
    assert '"v"' not in json.dumps(found["output_changes"]["o"]["after"])


def test_an_output_that_holds_none_of_what_is_secret_in_it_later_stays() -> None:
    output = {"sensitive": False, "type": ["object", {"a": "string"}], "value": {"a": "x"}}
    change = {
        "actions": ["update"],
        "before": {"a": "x"},
        "after": {"a": "x", "k": CANARY},
        "before_sensitive": False,
        "after_sensitive": {"k": True},
    }
    plan = {
        "prior_state": {"values": {"outputs": {"o": output}}},
        "output_changes": {"o": change},
    }

    found = redacted(plan)

    assert found["output_changes"]["o"]["after"] == {"a": "x", "k": HIDDEN}
    assert found["prior_state"]["values"]["outputs"]["o"] == output


def test_many_secrets_are_found_in_code_as_few_are() -> None:
    secret = {f"s{number}": {"value": f"very-secret-{number:04}"} for number in range(80)}
    declared = {name: {"sensitive": True} for name in secret}
    texts = {
        "one": "echo very-secret-0042",
        "two": "very-secret-0079very-secret-0000",
        "none": "very-secret-9999",
        "short": "x",
    }
    constants = {name: {"constant_value": text} for name, text in texts.items()}
    code = {"variables": declared, "resources": [{"address": "x.y", "expressions": constants}]}

    found = redacted({"variables": secret, "configuration": {"root_module": code}})

    shown = found["configuration"]["root_module"]["resources"][0]["expressions"]
    assert {name: each["constant_value"] for name, each in shown.items()} == {
        "one": HIDDEN,
        "two": HIDDEN,
        "none": "very-secret-9999",
        "short": "x",
    }


def test_paths_that_are_none_say_nothing() -> None:
    found = changed(before={"p": CANARY}, before_sensitive={"p": True}, replace_paths="odd")

    assert found["replace_paths"] == "odd"


def test_numbers_stay_exact() -> None:
    found = redacted_document(
        b'{"resource_changes": [{"address": "x.y", "change": {"actions": ["update"], '
        b'"before_sensitive": {"p": true}, "after_sensitive": {}, "before": {"p": "secret-1"}, '
        b'"after": {"n": 123456789012345678901234567890, "f": 1.10, '
        b'"l": [9223372036854775808]}}}]}',
        masks=(),
        secrets=Secrets(key=b"k"),
    )

    assert b"123456789012345678901234567890" in found
    assert b"1.10" in found
    assert b"9223372036854775808" in found


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b'{"resource_changes": 3}',
        b'{"checks": "\xff"}',
        b'{"checks": ' + b"[" * 3000 + b"]" * 3000 + b"}",
        b'{"checks": ' + b"[" * 700 + b"]" * 700 + b"}",
    ],
)
def test_what_is_no_plan_is_refused_without_being_quoted(data: bytes) -> None:
    with pytest.raises(PlanError, match="nothing can be taken out of it"):
        redacted(data)


@pytest.mark.parametrize(
    "section",
    ["planned_values", "prior_state", "variables", "output_changes", "relevant_attributes"],
)
def test_a_section_may_be_null(section: str) -> None:
    assert redacted({section: None}) in ({section: None}, {})

from __future__ import annotations

from typing import Any

import pytest

from driftctl_py.core.plan_report import View
from driftctl_py.report import wording
from driftctl_py.report.told import Told, in_check, plan_sections, plan_sentences
from tests.report.plan_reports import entry, of, plan, report_of


def told(view: View, *entries: object, **more: Any) -> list[Told]:
    report = report_of(plan(resource_changes=list(entries), **more))
    return [each for section in plan_sections(report, view) for each in section.told]


def paths(each: Told) -> list[str]:
    return [line.path for line in each.lines]


CREATED = entry(
    "x.new",
    "create",
    before=None,
    after={"name": "a", "size": None, "policy": '{"a": 1}'},
    after_unknown={"id": True},
)
DELETED = entry("x.old", "delete", before={"id": "i-1", "name": "a", "size": 3}, after=None)


def test_of_a_new_object_the_plan_lists_what_is_known_and_in_full_what_is_not() -> None:
    (changes,) = told(View.CHANGES, CREATED)
    (full,) = told(View.FULL, CREATED)

    assert (sorted(paths(changes)), changes.later) == (["name", "policy"], 1)
    assert (sorted(paths(full)), full.later) == (["id", "name", "policy"], 0)
    (policy,) = [line for line in full.lines if line.path == "policy"]
    assert (policy.values, policy.remarks) == ((("", {"a": 1}),), ("JSON",))


def test_of_a_deleted_object_the_plan_lists_its_identity_and_in_full_all_that_goes() -> None:
    (changes,) = told(View.CHANGES, DELETED)
    (full,) = told(View.FULL, DELETED)

    assert [(line.path, line.values) for line in changes.lines] == [("id", (("", "i-1"),))]
    assert sorted(paths(full)) == ["id", "name", "size"]


@pytest.mark.parametrize(
    ("before", "sensitive", "named"),
    [
        ({"arn": "arn:x", "name": "a"}, {}, ["arn"]),
        ({"id": 7, "name": "a"}, {}, ["name"]),
        ({"id": "s3cr3t-id", "name": "a"}, {"id": True}, ["name"]),
        ({"size": 3}, {}, []),
        (None, {}, []),
    ],
)
def test_the_identity_is_the_best_name_that_is_there_and_no_secret(
    before: object, sensitive: object, named: list[str]
) -> None:
    (found,) = told(
        View.CHANGES,
        entry("x.y", "forget", before=before, after=None, before_sensitive=sensitive),
    )

    assert paths(found) == named


def test_a_summary_lists_no_attributes() -> None:
    assert [each.lines for each in told(View.SUMMARY, CREATED, DELETED)] == [(), ()]


def test_beside_other_environments_a_new_object_has_no_attributes() -> None:
    (found,) = told(View.FULL, CREATED)

    assert in_check(found.finding).lines == ()


def test_in_full_what_is_only_spelled_otherwise_is_listed_last_and_on_its_own() -> None:
    (section,) = plan_sections(of("equivalent"), View.FULL)
    assert section.title == wording.EQUIVALENT
    assert [paths(each) for each in section.told] == [["tags"]]
    assert plan_sections(of("equivalent"), View.CHANGES) == []


def test_in_full_what_is_only_spelled_otherwise_says_so_among_what_changes() -> None:
    drifted = entry("x.y", "update", before={"tags": None, "a": 1}, after={"tags": {}, "a": 1})
    changed = entry("x.y", "update", before={"tags": {}, "a": 1}, after={"tags": {}, "a": 2})
    (changes,) = told(View.CHANGES, changed, resource_drift=[drifted])
    (full,) = told(View.FULL, changed, resource_drift=[drifted])

    assert paths(changes) == ["a"]
    assert [(line.path, line.remarks) for line in full.lines] == [
        ("a", ()),
        ("tags", (wording.SPELLING,)),
    ]


@pytest.mark.parametrize("view", View)
def test_an_update_of_nothing_that_is_seen_says_so(view: View) -> None:
    (found,) = told(view, entry("x.y", "update", before={"a": 1}, after={"a": 1}))

    assert found.remark == "nothing that a plan shows differs"


def test_an_object_is_found_by_its_address_and_deposed_key() -> None:
    current = entry("x.y", "delete", before={"id": "current"}, after=None)
    deposed = entry("x.y", "delete", deposed="4b05ce80", before={"id": "old"}, after=None)

    named = {
        each.finding.deposed: each.lines[0].values for each in told(View.CHANGES, current, deposed)
    }
    assert named == {"": (("", "current"),), "4b05ce80": (("", "old"),)}


def test_a_deferred_change_and_an_action_are_listed_with_what_they_hold_in_full_only() -> None:
    later = entry("x.later", "update", before={"a": 1, "b": 1}, after={"a": 2, "b": 1})
    new = entry("x.new", "create", before=None, after={"a": 2})
    report = report_of(
        plan(
            deferred_changes=[
                {"reason": "provider_config_unknown", "resource_change": later},
                {"reason": "", "resource_change": new},
            ],
            action_invocations=[
                {
                    "address": "action.mail.ada",
                    "config_values": {"to": "ada"},
                    "config_sensitive": {},
                }
            ],
        )
    )

    for view in View:
        (actions, (action,)), (deferred, (updated, created)) = plan_sentences(report, view)
        assert (actions, deferred) == (wording.ACTIONS, wording.DEFERRED)
        assert updated.words == (
            "x.later: update, put off: its provider's configuration is not known yet"
        )
        assert created.words == "x.new: create, put off"
        full = view is View.FULL
        assert [line.path for line in action.lines] == ["to"] * full
        assert [line.values for line in updated.lines] == [(("real", 1), ("planned", 2))] * full
        assert [line.values for line in created.lines] == [(("", 2),)] * full


def test_reads_and_checks_that_hold_are_listed_in_full_only() -> None:
    report = of("check_passes")

    assert plan_sentences(report, View.CHANGES) == []
    titles = [title for title, _ in plan_sentences(report, View.FULL)]
    assert titles == [wording.CHECKS, wording.READS]

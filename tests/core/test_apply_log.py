"""The event stream of an apply as real engines print it, and as it never should be."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftctl_py.core.apply_log import ApplyEnd, ApplyLog
from driftctl_py.core.run import Applied
from driftctl_py.errors import Diagnostic

VERSION = b'{"@level":"info","terraform":"1.11.4","type":"version","ui":"1.2"}'
TOFU = b'{"@level":"info","tofu":"1.6.3","type":"version","ui":"1.2"}'
SUMMARY = (
    b'{"@message":"Apply complete!","changes":{"add":1,"change":0,"import":0,"remove":0,'
    b'"operation":"apply"},"type":"change_summary"}'
)


def _event(type: str, address: str = "aws_instance.web", action: object = "create") -> bytes:
    hook = {"resource": {"addr": address, "module": ""}, "action": action, "elapsed_seconds": 0}
    return json.dumps({"type": type, "hook": hook}).encode()


def _error(summary: str, detail: str = "", address: str = "", severity: str = "error") -> bytes:
    diagnostic = {
        "severity": severity,
        "summary": summary,
        "detail": detail,
        **({"address": address} if address else {}),
    }
    return json.dumps({"type": "diagnostic", "diagnostic": diagnostic}).encode()


def test_an_apply_that_went_well_is_finished_and_says_what_it_did() -> None:
    log = ApplyLog().read_lines(
        [
            VERSION,
            _event("apply_start"),
            _event("apply_complete"),
            _event("apply_start", "aws_instance.old", "delete"),
            _event("apply_complete", "aws_instance.old", "delete"),
            SUMMARY,
        ]
    )

    assert log.applied == Applied(
        finished=True, done=("create aws_instance.web", "delete aws_instance.old")
    )
    assert (log.family, log.version, log.began, log.errors) == ("terraform", "1.11.4", True, ())
    assert ApplyEnd(0, log.applied).succeeded
    assert ApplyEnd(None, log.applied).succeeded


def test_what_failed_and_what_was_never_reported_are_told_apart() -> None:
    log = ApplyLog().read_lines(
        [
            TOFU,
            _event("apply_start", "a.a"),
            _event("apply_start", "b.b"),
            _event("apply_start", "c.c", "update"),
            _event("apply_complete", "a.a"),
            _event("apply_errored", "b.b"),
            _error("No", "why"),
            _error("No", "why"),
        ]
    )

    assert log.applied == Applied(False, ("create a.a",), ("create b.b",), ("update c.c",))
    assert log.errors == (Diagnostic("error", "No", "why"),)
    assert (log.family, log.version) == ("tofu", "1.6.3")
    assert not ApplyEnd(1, log.applied, log.errors).succeeded


FAILED_AT_B = (_event("apply_start", "b.b"), _event("apply_errored", "b.b"))


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ([*FAILED_AT_B, _error("No", "why", "b.b")], True),
        ([*FAILED_AT_B, _event("apply_start", "c.c"), _error("No", "why", "b.b")], False),
        ([*FAILED_AT_B, _error("No", "why", "b.b"), _error("Failed to save state")], False),
        (list(FAILED_AT_B), False),
        ([_error("No", "why", "b.b")], False),
    ],
)
def test_only_errors_of_objects_that_all_ended_are_the_end(lines: list[bytes], told: bool) -> None:
    log = ApplyLog().read_lines([VERSION, *lines])

    assert log.told_its_end is told


def test_an_apply_of_nothing_is_finished_without_having_begun() -> None:
    log = ApplyLog().read_lines([VERSION, SUMMARY])

    assert log.applied == Applied(finished=True)
    assert not log.began


def test_the_summary_of_a_plan_does_not_finish_an_apply() -> None:
    assert not ApplyLog().read_lines([SUMMARY.replace(b'"apply"', b'"plan"')]).finished
    assert ApplyLog().read_lines([SUMMARY.replace(b'"apply"', b'"destroy"')]).finished


def test_reading_a_data_source_counts_as_nothing() -> None:
    read = [_event(type, "data.a.b", "read") for type in ("apply_start", "apply_complete")]
    failed = [
        _event("apply_start", "data.a.b", "read"),
        _event("apply_errored", "data.a.b", "read"),
    ]

    for lines in (read, failed):
        log = ApplyLog().read_lines(lines)
        assert (log.began, log.applied) == (False, Applied(finished=False))


def test_an_action_that_nobody_knows_yet_is_shown_as_it_is() -> None:
    log = ApplyLog().read_lines([_event("apply_start", "a.b", "transmogrify")])

    assert log.applied.unfinished == ("transmogrify a.b",)


def test_the_actions_of_newer_engines_are_counted() -> None:
    address = {"addr": "action.aws_lambda_invoke.a", "action_type": "aws_lambda_invoke"}
    log = ApplyLog().read_lines(
        [
            _event("action_start", "a.b", address),
            _event("action_progress", "a.b", address),
            _event("action_complete", "a.b", address),
            _event("action_start", "a.b", address),
            _event("action_errored", "a.b", address),
        ]
    )

    told = ("invoke action.aws_lambda_invoke.a",)
    assert log.applied == Applied(finished=False, done=told, failed=told)


def test_an_end_without_a_beginning_still_counts() -> None:
    log = ApplyLog().read_lines([_event("apply_complete")])

    assert (log.began, log.applied.done) == (True, ("create aws_instance.web",))


def test_a_saved_plan_that_was_refused_is_stale_only_where_nothing_was_begun() -> None:
    for summary in ("Saved plan is stale", "Saved plan does not match the given state"):
        assert ApplyLog().read_lines([VERSION, _error(summary)]).stale
        assert not ApplyLog().read_lines([_event("apply_start"), _error(summary)]).stale
    assert not ApplyLog().read_lines([_error("Inconsistent dependency lock file")]).stale


def test_an_interrupt_is_noticed() -> None:
    line = b'{"type":"log","@message":"Interrupt received.\\nPlease wait for Terraform to exit."}'

    assert ApplyLog().read_lines([line]).interrupted
    assert not ApplyLog().read_lines([b'{"type":"log","@message":"Stopping"}']).interrupted


def test_warnings_are_no_errors() -> None:
    assert ApplyLog().read_lines([_error("Deprecated", severity="warning")]).errors == ()


def test_nothing_that_a_provisioner_ran_or_printed_is_kept() -> None:
    secret = "hunter2"
    hook = {"resource": {"addr": "a.b"}, "provisioner": "local-exec", "output": secret}
    lines = [
        json.dumps({"type": type, "hook": hook, "@message": secret}).encode()
        for type in ("provision_start", "provision_progress", "provision_errored")
    ]
    detail = f"Error running command 'echo {secret}': exit status 3. Output: {secret}\n"
    other = f"Process exited badly: {secret}"

    log = ApplyLog().read_lines(
        [
            *lines,
            _error("local-exec provisioner error", detail),
            _error("file provisioner error", other),
        ]
    )

    assert secret not in repr(log)
    assert [error.detail.partition(".")[0] for error in log.errors] == [
        "The command ended with status 3",
        "The command failed",
    ]


def test_ephemeral_resources_and_lines_that_say_nothing_are_passed_over() -> None:
    log = ApplyLog().read_lines(
        [
            b"",
            b"Releasing state lock. This may take a few moments...",
            b"\xff\xfe",
            VERSION[:30],
            b"[" * 100_000,
            b"\x00 a line too long to keep",
            b'{"type":"apply_start"}',
            b'{"type":"apply_complete"}',
            b'{"type":"apply_start","hook":{}}',
            b'{"type":"apply_start","hook":{"action":"create"}}',
            b'{"type":"apply_start","hook":{"resource":null,"action":{}}}',
            b'{"type":"diagnostic"}',
            b'{"type":"change_summary"}',
            _event("ephemeral_op_start", "ephemeral.a.b", "open"),
            _event("ephemeral_op_complete", "ephemeral.a.b", "close"),
            b'{"type":"apply_progress","@message":"' + b"x" * 1_000_000 + b'"}',
        ]
    )

    assert log == ApplyLog()


_WORDS = st.sampled_from(["create", "read", "", "delete", "a.b", "data.c", "Saved plan is stale"])
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | _WORDS | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(_WORDS, inner, max_size=2),
    max_leaves=5,
)
_EVENTS = st.fixed_dictionaries(
    {
        "type": st.sampled_from(
            (
                *("version", "apply_start", "apply_complete", "apply_errored", "diagnostic"),
                *("log", "change_summary", "action_start", "action_errored", "provision_start"),
            )
        )
        | st.text(max_size=5)
    },
    optional={
        "hook": st.fixed_dictionaries(
            {}, optional={"resource": st.fixed_dictionaries({"addr": _WORDS}), "action": _VALUES}
        )
        | _VALUES,
        "diagnostic": st.dictionaries(st.sampled_from(["summary", "severity"]), _VALUES) | _VALUES,
        "changes": _VALUES,
        "@message": _VALUES,
    },
)


@given(st.lists(_EVENTS.map(lambda event: json.dumps(event).encode()) | st.binary(), max_size=10))
def test_reading_never_raises_and_never_forgets_what_was_begun(lines: list[bytes]) -> None:
    log = ApplyLog().read_lines(lines)

    applied = log.applied
    assert log.began == bool(applied.done or applied.failed or applied.unfinished)
    assert not (log.stale and log.began)

"""The event stream as real engines print it, and as it never should be."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from driftctl_py.core.events import EventLog
from driftctl_py.errors import Diagnostic

VERSION = b'{"@level":"info","terraform":"1.11.4","type":"version","ui":"1.2"}'
TOFU = b'{"@level":"info","@message":"OpenTofu 1.6.3","tofu":"1.6.3","type":"version","ui":"1.2"}'
REFRESHED = b'{"type":"refresh_complete","hook":{"resource":{"addr":"x.y"},"id_key":"id"}}'
NOTHING = (
    b'{"type":"change_summary","changes":{"add":0,"change":0,"import":0,"remove":0,'
    b'"operation":"plan"}}'
)
OUTPUTS = b'{"type":"outputs","outputs":{"a":{"sensitive":false,"action":"%s"}}}'
ERROR = (
    b'{"@level":"error","type":"diagnostic","diagnostic":{"severity":"error","summary":"No",'
    b'"detail":"why","address":"x.y","range":{"filename":"main.tf","start":{"line":3}}}}'
)


def test_a_clean_plan_is_quiet() -> None:
    log = EventLog().read_lines([VERSION, REFRESHED, REFRESHED, NOTHING, OUTPUTS % b"noop"])

    assert log.quiet
    assert (log.family, log.version, log.refreshed) == ("terraform", "1.11.4", 2)


def test_opentofu_says_so() -> None:
    log = EventLog().read_lines([TOFU])

    assert (log.family, log.version) == ("tofu", "1.6.3")


def test_a_format_of_another_major_version_is_no_event_stream() -> None:
    assert EventLog().read_lines([VERSION.replace(b'"1.2"', b'"2.0"')]).family == ""


def test_everything_that_there_is_to_show_makes_noise() -> None:
    drift = b'{"type":"resource_drift","change":{"resource":{"addr":"x.y"},"action":"update"}}'
    noisy = [
        drift,
        drift.replace(b"resource_drift", b"planned_change"),
        b'{"type":"planned_change","change":{"resource":{"addr":"data.x.y"},"action":"read"}}',
        b'{"type":"planned_change"}',
        b'{"type":"planned_action_invocation"}',
        b'{"type":"deferred_change"}',
        OUTPUTS % b"update",
        NOTHING.replace(b'"add":0', b'"add":1'),
        NOTHING.replace(b'"import":0', b'"import":1'),
        NOTHING.replace(b'"add":0', b'"forget":1'),
        NOTHING.replace(b'"add":0', b'"action_invocation":1'),
        ERROR,
        b"Successfully configured the backend",
    ]

    assert [EventLog().read_lines([NOTHING, line]).quiet for line in noisy] == [False] * len(noisy)


def test_a_planned_change_that_is_none_is_quiet() -> None:
    noop = b'{"type":"planned_change","change":{"resource":{"addr":"x.y"},"action":"noop"}}'

    assert EventLog().read_lines([noop, NOTHING]).quiet


def test_a_stream_that_was_cut_off_proves_nothing() -> None:
    assert not EventLog().read_lines([VERSION, REFRESHED]).quiet


def test_diagnostics_are_kept_once_and_by_severity() -> None:
    warning = ERROR.replace(b'"severity":"error"', b'"severity":"warning"').replace(
        b',"range":{"filename":"main.tf","start":{"line":3}}', b""
    )

    log = EventLog().read_lines([ERROR, ERROR, warning])

    assert log.errors == (Diagnostic("error", "No", "why", "x.y", "main.tf:3"),)
    assert log.warnings == (Diagnostic("warning", "No", "why", "x.y"),)


def test_events_that_carry_nothing_are_passed_over() -> None:
    lines = [
        b'{"type":"diagnostic"}',
        b'{"type":"change_summary"}',
        b'{"type":"outputs"}',
        b"",
        b" ",
    ]

    log = EventLog().read_lines(lines)

    assert log == EventLog()


@given(st.lists(st.binary()))
def test_no_bytes_make_it_raise_or_look_quiet(lines: list[bytes]) -> None:
    assert not EventLog().read_lines(lines).quiet

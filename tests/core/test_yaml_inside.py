from __future__ import annotations

import sys
from decimal import Decimal
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from driftctl_py.core.values import DEEPEST, Json, same
from driftctl_py.core.yaml_inside import LARGEST, yaml_inside

CLOUD_INIT = """\
#cloud-config
# made by ada
packages:
  - nginx
  - "on"
write_files:
  - path: /etc/motd
    permissions: "0644"
    content: |
      Welcome to {{ host }}.

      # not a comment, but it may be one
runcmd:
  - [systemctl, enable, --now, nginx]
"""
MANIFEST = """\
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {}}
spec:
  replicas: 3
  template:
    spec:
      containers:
        - name: web
          image: registry.example.com/web:1.10
          env:
            - {name: RATIO, value: "0.5"}
          resources:
            limits: {cpu: 500m, memory: 1Gi}
"""
HELM = """\
replicaCount: 2
autoscaling:
  enabled: false
  threshold: 0.75
nodeSelector: {}
tolerations: []
affinity:
"""
COMPOSE = """\
services:
  db:
    image: postgres:16
    ports: ["5432:5432", 22:22]
    restart: on-failure
    deploy: {mode: ~}
"""


def held(*texts: str) -> list[Any] | None:
    return yaml_inside(texts)


def test_cloud_init() -> None:
    assert held(CLOUD_INIT) == [
        {
            "packages": ["nginx", "on"],
            "write_files": [
                {
                    "path": "/etc/motd",
                    "permissions": "0644",
                    "content": "Welcome to {{ host }}.\n\n# not a comment, but it may be one\n",
                }
            ],
            "runcmd": [["systemctl", "enable", "--now", "nginx"]],
        }
    ]


def test_a_manifest_of_kubernetes() -> None:
    (found,) = held(MANIFEST) or [None]

    assert found["metadata"] == {"name": "web", "labels": {}}
    assert found["spec"]["replicas"] == 3
    assert found["spec"]["template"]["spec"]["containers"][0] == {
        "name": "web",
        "image": "registry.example.com/web:1.10",
        "env": [{"name": "RATIO", "value": "0.5"}],
        "resources": {"limits": {"cpu": "500m", "memory": "1Gi"}},
    }


def test_values_of_helm() -> None:
    assert held(HELM) == [
        {
            "replicaCount": 2,
            "autoscaling": {"enabled": False, "threshold": Decimal("0.75")},
            "nodeSelector": {},
            "tolerations": [],
            "affinity": None,
        }
    ]


def test_compose() -> None:
    (found,) = held(COMPOSE) or [None]

    # 22:22 is 1342 to YAML 1.1, and the text that it is to everybody else.
    assert found["services"]["db"] == {
        "image": "postgres:16",
        "ports": ["5432:5432", "22:22"],
        "restart": "on-failure",
        "deploy": {"mode": None},
    }


@pytest.mark.parametrize(
    ("word", "value"),
    [
        *[(word, None) for word in ("", "~", "null", "Null", "NULL")],
        *[(word, True) for word in ("true", "True", "TRUE")],
        *[(word, False) for word in ("false", "False", "FALSE")],
        ("0", 0),
        ("-17", -17),
        ("12345678901234567891", 12345678901234567891),
        ("0.10", Decimal("0.10")),
        ("-3.25", Decimal("-3.25")),
        # YAML 1.1 and 1.2 do not agree about these: whoever reads them may see either.
        *[
            (word, word)
            for word in ["on", "Off", "yes", "NO", "y", "N", "=", "<<", "2026-11-23", "190:20:30"]
        ],
        *[
            (word, word)
            for word in ["0644", "0o17", "0x1f", "1_000", "+1", "1e3", "1.5e+3", ".5", "1.", ".inf"]
        ],
        ("plain text", "plain text"),
        ("10.0.0.0/8", "10.0.0.0/8"),
    ],
)
def test_what_a_plain_scalar_is(word: str, value: Json) -> None:
    (found,) = held(f"a: {word}\n") or [None]

    assert same(found["a"], value)
    assert str(found["a"]) == str(value)


@pytest.mark.parametrize("text", ['"17"', "'true'", "|-\n  null", '"on"', ">-\n  0.1"])
def test_in_quotes_and_in_blocks_everything_is_text(text: str) -> None:
    (found,) = held(f"a: {text}\n") or [None]

    assert found == {"a": text.strip("\"'|>-\n ")}


@pytest.mark.parametrize(
    "text",
    [
        "a: 1",
        "plain\ntext\n",
        "#!/bin/sh\nset -e\necho hello\n",
        "#!/bin/sh\nexport A=b: c\n\tx: [\n",
        "",
        "\n",
        "# only a comment\n",
        '"one":\n  - text\n  two',
        '"a: text,\n  and nothing else"\n',
        "a: &x 1\nb: 2\n",
        "a: &x [1]\n",
        "? &k a\n: 1\n",
        "a: &x 1\nb: *x\n",
        "a: [1]\n*x : 1\n",
        "a: !!str 1\n",
        "a: !Ref x\n",
        "a: !!set {}\n",
        "%YAML 1.1\n---\na: 1\n",
        "%TAG ! tag:example.com,2026: :\n---\na: 1\n",
        "%TAG !a! tag:example.com,2026:\n---\na: 1\n",
        "%TAG ! tag:example.com,2026:\n---\na: 1\n",
        "a: 1\n---\nb: 2\n",
        "a: 1\na: 2\n",
        "a: 1\n'a': 2\n",
        "1: a\n",
        "on: push\n",
        "null: a\n",
        "<<: {a: 1}\n",
        "? [a]\n: 1\n",
        "? {a: 1}\n: 1\n",
        "a: 1\r\nb: 2\r\n",
        "a: 1\u2028b: 2\n",
        "a: \x85\n",
        "\ufeffa: 1\n",
        "a: \x1b[2J\n",
        "a: half \ud800\n",
        'a: "\\xzz"\n',
        'a: "\\UFFFFFFFF"\n',
        "a:\n\t- b\n",
        "{a: 1\n",
        f"a: {'1' * 5000}\n",
        "a: 1.10\nb: 1.1\n",
        "a: \n" + "[" * 100_000 + "\n",
        "a: 1\n" + "x" * LARGEST,
        "a: 1\n" + "é" * (LARGEST // 2),
    ],
)
def test_whatever_else_there_is_is_no_yaml_that_can_be_compared(text: str) -> None:
    assert held(text) is None


@pytest.mark.parametrize("loader", ["libyaml", "pure"])
def test_one_library_reads_what_the_other_does(
    loader: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if loader == "pure":
        monkeypatch.delattr(yaml, "CSafeLoader")

    assert [bool(held(text)) for text in (CLOUD_INIT, MANIFEST, HELM, COMPOSE)] == [True] * 4
    assert held('a: "\\UFFFFFFFF"\n') is None
    assert held("a: [\n") is None


def test_it_may_be_as_deep_as_any_value() -> None:
    assert held("[" * DEEPEST + "\n" + "]" * DEEPEST)
    assert held("[" * (DEEPEST + 1) + "\n" + "]" * (DEEPEST + 1)) is None


def test_several_versions_are_read_together() -> None:
    assert held("a: 1\n", "a: 2\n", "a: 1\n") == [{"a": 1}, {"a": 2}, {"a": 1}]
    assert held("a: 1\n", "plain\n", "a: 1\n") is None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("#cloud-config\na: 1\n", "# cloud-config\na: 2\n"),
        ("#cloud-config\na: 1\n", "a: 2\n"),
        ("a: 1 # why\n", "a: 2 # because\n"),
        ("a: 1\nb: 1.10\n", "a: 2\nb: 1.1\n"),
        ("a: 1\nb: 3\n", "a: 2\nb: 3.0\n"),
        ("a: 1\nb: on\n", 'a: 2\nb: "on"\n'),
        ("a: 1\nb: 0644\n", "a: 2\nb: '0644'\n"),
    ],
)
def test_versions_that_differ_in_more_than_what_they_hold_are_not_compared_by_it(
    one: str, other: str
) -> None:
    assert held(one)
    assert held(other)
    assert held(one, other) is None


def test_words_that_everybody_reads_alike_may_change_their_quotes() -> None:
    assert held("a: 1\nb: web\n", "a: 2\nb: 'web'\n") == [
        {"a": 1, "b": "web"},
        {"a": 2, "b": "web"},
    ]


def test_quotes_around_a_number_are_told() -> None:
    assert held("a: 80\n", 'a: "80"\n') == [{"a": 80}, {"a": "80"}]
    assert held("a: true\n", 'a: "true"\n') == [{"a": True}, {"a": "true"}]


def test_the_library_is_loaded_only_for_what_looks_like_yaml(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "yaml", None)

    assert held("#!/bin/sh\necho a\n") is None
    assert held("plain\ntext") is None
    with pytest.raises(ImportError):
        held("a: 1\n")


DOCUMENTS = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-99, 99)
    | st.text("abyn01.:-#'\" \n", max_size=6)
    | st.sampled_from(["on", "1.10", "0644", "~", "null", "2026-11-23", "x: y", "- x"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abcd"), inner),
    max_leaves=8,
).filter(lambda document: isinstance(document, dict | list))


@given(DOCUMENTS, st.booleans())
def test_what_a_document_holds_is_what_was_written(document: Json, flow: bool) -> None:
    text = "---\n" + yaml.safe_dump(document, default_flow_style=flow, width=40)
    (found,) = held(text) or [None]

    assert same(found, document)


@given(st.text("ab:-#[]{}'\"?|>&*!%@ \n01", max_size=40))
def test_nothing_but_none_comes_of_what_is_no_yaml(text: str) -> None:
    found = held(text)

    assert found is None or isinstance(found[0], dict | list)

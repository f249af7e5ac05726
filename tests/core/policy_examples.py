"""Rules and changes of all kinds, for properties about what rules make of changes."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from driftctl_py.core.masks import spellings
from driftctl_py.core.risk import stateful
from driftctl_py.core.rule import Effect, Rule
from driftctl_py.core.rules import Subject
from driftctl_py.core.values import UNKNOWN, Sensitive, Value

ADDRESSES = {
    "aws_db_instance.main": "aws_db_instance",
    "module.db.aws_db_instance.main[0]": "aws_db_instance",
    'module.web["a"].aws_s3_bucket.assets': "aws_s3_bucket",
    "aws_instance.web": "aws_instance",
    "data.aws_ami.it": "aws_ami",
    "google_sql_database.it": "google_sql_database",
}
_PROVIDERS = {
    "aws": "registry.terraform.io/hashicorp/aws",
    "google": "registry.terraform.io/hashicorp/google",
}
_PATHS = ("tags", "tags.team", "size", "rule[0].port", "policy.Statement[0].Action")
_CAUSES = st.sampled_from(
    [frozenset({"drift"}), frozenset({"commit"}), frozenset({"drift", "commit"})]
)
_MODIFIERS = st.sampled_from([(), ("move",), ("import",)])
_PLANNED: list[Value] = [
    {"size": 1, "tags": {"team": "a"}},
    {"size": UNKNOWN, "tags": Sensitive(0, 0)},
    {"size": 2},
]


@st.composite
def subjects(draw: st.DrawFn) -> Subject:
    """A change as `rules.subjects` would make it."""
    what = draw(st.sampled_from(["object", "object", "object", "output", "action", "odd"]))
    causes = draw(_CAUSES)
    if what == "output":
        alone = ("output.url",)
        return Subject(
            (alone[0], ""), alone, alone, frozenset(), causes, False, draw(st.booleans())
        )
    if what == "action":
        alone = ("action.aws_lambda_invoke.warm",)
        return Subject((alone[0], ""), alone, alone, frozenset({"invoke"}), causes, False, True)
    address = draw(st.sampled_from(sorted(ADDRESSES))) if what == "object" else "odd..address"
    of = ADDRESSES.get(address, "")
    known = draw(st.booleans())
    done: tuple[str, ...] = draw(
        st.sampled_from(
            [("create",), ("update",), ("delete",), ("replace",), ("forget",), ("forget", "create")]
        )
    )
    if not known:
        done = ()
    changed: tuple[str, ...] | None = ()
    if done in (("update",), ("replace",)):
        paths = st.lists(st.sampled_from(_PATHS), min_size=1, max_size=3, unique=True)
        changed = draw(st.none() | paths.map(tuple))
    modifiers = draw(_MODIFIERS) if done in ((), ("update",), ("create",)) else ()
    return Subject(
        (address, draw(st.sampled_from(["", "", "ab12"]))),
        tuple(spellings(address)),
        (address,),
        frozenset({*done, *modifiers}) or frozenset({"record"}),
        causes,
        True,
        known,
        of,
        draw(st.sampled_from(["", _PROVIDERS[of.partition("_")[0]]])) if of else "",
        changed,
        bool(stateful(address)),
        planned=None if done == ("delete",) else draw(st.sampled_from(_PLANNED)),
    )


def _some(*words: str) -> st.SearchStrategy[tuple[str, ...]]:
    return st.lists(st.sampled_from(words), min_size=1, max_size=2, unique=True).map(tuple)


WHEN: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {},
    optional={
        "addresses": _some(
            "*",
            "aws_db_instance.*",
            "aws_db_instance.main",
            "module.*",
            "aws_s3_bucket.assets",
            "output.*",
            "action.*",
            "aws_instance",
            "data.*",
            "*.main",
        ),
        "types": _some(
            "*", "aws_db_*", "aws_db_instance", "aws_*", "google_*", "aws_instance.web", "aws_ami"
        ),
        "providers": _some("aws", "hashicorp/aws", "hashicorp/google", "*", "acme/*"),
        "actions": _some(
            "create", "update", "delete", "replace", "forget", "move", "record", "invoke"
        ),
        "causes": _some("drift", "commit"),
        "attributes": _some("*", "tags", "tags.*", "tags.team", "size", "rule", "policy"),
        "values": st.sampled_from([{"size": ("1",)}, {"tags.*": ("a*", "null")}]),
        "holds_data": st.booleans(),
        "at_least": st.integers(1, 3),
        "at_most": st.integers(1, 3),
        "share": st.sampled_from([1, 20, 100]),
    },
)
RULES = st.builds(lambda effect, when: Rule("rule", effect, **when), st.sampled_from(Effect), WHEN)

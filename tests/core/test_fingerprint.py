"""The laws of the fingerprint, on real plans that were tampered with and on random ones."""

from __future__ import annotations

import copy
import json
import random
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from driftctl_py.core.fingerprint import Fingerprint, fingerprint
from driftctl_py.core.plan import Change, Joined, Kind, OutputChange, Plan, Setting
from driftctl_py.core.plan_json import decode_plan
from driftctl_py.core.redaction import hide_alike
from driftctl_py.core.values import UNKNOWN, Secrets
from tests.data import plans

# Any: a plan as the engine wrote it, to be tampered with.
Document = dict[str, Any]
Random = random.Random

KEY, OTHER_KEY = b"k" * 32, b"o" * 32
FILES = plans.files()


def taken(document: Document | str, key: bytes | None = None) -> str:
    text = document if isinstance(document, str) else json.dumps(document)
    plan = decode_plan(text.encode(), secrets=Secrets(key), settings=True)
    return str(fingerprint(plan, keyed=key is not None))


def both(document: Document | str) -> tuple[str, str]:
    return taken(document), taken(document, KEY)


def read(path: Path) -> Document:
    document: Document = json.loads(path.read_text())
    return document


def test_a_fingerprint_stays_what_it_is_from_version_to_version() -> None:
    """Whoever has to change these makes every approval that was given void: see decision 0006."""
    plan = Plan(
        "1.15.5",
        joined=(
            Joined(
                Change(
                    "aws_s3_bucket.assets",
                    Kind.UPDATE,
                    {"id": "assets", "tags": {"team": "growth"}, "size": 3},
                    {"id": "assets", "tags": {"team": "platform"}, "size": UNKNOWN},
                ),
                None,
            ),
        ),
        outputs=(OutputChange("url", Kind.CREATE, None, "https://assets.example"),),
        settings=(Setting("provider aws", "region", "e0"),),
        managed=1,
    )

    assert (
        str(fingerprint(plan, keyed=False))
        == "f2-unkeyed-zx5iskl4seesfg5vhj6unmxsod6hx33bzf6vimr73wrs3zajrfwq"
    )
    assert (
        str(fingerprint(plan, keyed=True))
        == "f2-qaczhcnvqzon3uxduzvk5qeo4ziq7d5gobmiuckdfyndcn34jrja"
    )


def test_a_fingerprint_has_a_short_form_to_tell_two_apart() -> None:
    found = Fingerprint("k7qm2d4x" + "a" * 44, keyed=True)

    assert found.short == "k7qm-2d4x"
    assert str(found) == "f2-" + found.digest


@given(st.sampled_from(FILES))
def test_a_fingerprint_is_256_bits_in_base_32(path: Path) -> None:
    found = fingerprint(decode_plan(path.read_bytes(), settings=True), keyed=False)

    assert len(found.digest) == 52
    assert set(found.digest) <= set("abcdefghijklmnopqrstuvwxyz234567")


# --- What it does not depend on ------------------------------------------------------------------


def another_moment(document: Document, rng: Random) -> None:
    document["timestamp"] = f"20{rng.randrange(10, 99)}-01-01T00:00:00Z"


def another_version(document: Document, rng: Random) -> None:
    document["terraform_version"] = f"1.{rng.randrange(99)}.0"


def another_order(document: Document, rng: Random) -> None:
    shuffled = in_another_order(document, rng)
    for key in ("resource_changes", "resource_drift", "relevant_attributes", "checks"):
        if key in shuffled:
            rng.shuffle(shuffled[key])
    document.clear()
    document.update(shuffled)


def nothing_but_the_plan(document: Document, rng: Random) -> None:
    """What it repeats of the state and of the code says nothing of what would happen."""
    document["planned_values"] = {"root_module": {"resources": [{"address": rng.random()}]}}
    document["variables"] = {"seed": {"value": rng.random()}}
    for key in ("prior_state", "relevant_attributes", "checks"):
        document.pop(key, None)


def unchanged_objects(document: Document, rng: Random) -> None:
    changes = document.get("resource_changes", [])
    assume(len(changes) > 0)
    change = {
        "actions": ["no-op"],
        "before": {"id": rng.random()},
        "after": {"id": rng.random()},
        "after_unknown": {},
        "before_sensitive": {},
        "after_sensitive": {},
    }
    address = f"terraform_data.added[{rng.randrange(10**9)}]"
    changes.insert(
        rng.randrange(len(changes) + 1), {"address": address, "mode": "managed", "change": change}
    )


def unchanged_objects_gone(document: Document, rng: Random) -> None:
    drifted = {each["address"] for each in document.get("resource_drift", [])}
    document["resource_changes"] = [
        each
        for each in document.get("resource_changes", [])
        if not is_unchanged(each) or each["address"] in drifted
    ]
    # Without any managed object it would look like a plan of -refresh-only.
    assume(document["resource_changes"] or not drifted)


def tolerated_drift(document: Document, rng: Random) -> None:
    """Somebody changed an attribute that apply leaves as it is."""
    add_drift(document, rng, lambda value: "tolerated")


def other_spellings(document: Document, rng: Random) -> None:
    """The provider reads ``{}`` where the state says ``null``."""
    add_drift(document, rng, lambda value: rng.choice([None, {}, [], ""]), spelled=True)


def drift_gone(document: Document, rng: Random) -> None:
    """Drift is no more listed that apply leaves as it is."""
    assume("resource_changes" in document)
    touched = {each["address"] for each in document["resource_changes"] if not is_unchanged(each)}
    document["resource_drift"] = [
        each
        for each in document.get("resource_drift", [])
        if each["address"] in touched or rng.random() < 0.5
    ]


def noise_of_a_provider(document: Document, rng: Random) -> None:
    """What it works out anew in every run, as the latest moment to restore a database to."""
    found = [
        (each["address"], name)
        for each in acting(document)
        for name in each["change"]["before"] or {}
        if each["change"]["after_unknown"].get(name) is True and name != "id"
        if not hidden(each["change"], name)
    ]
    assume(found)
    address, name = rng.choice(found)
    # Nothing that is a secret elsewhere, and no text that repeats one.
    now = rng.randrange(10**9)
    for each in document["resource_changes"]:
        if each["address"] == address and "deposed" not in each:
            each["change"]["before"][name] = now
    for each in document.get("resource_drift", []):
        if each["address"] == address:
            each["change"]["after"][name] = now


def source_of_what_is_known(document: Document, rng: Random) -> None:
    """Where a value comes from that the plan holds, or that stays as it is."""
    changing = {in_code(each) for each in document.get("resource_changes", []) if acts(each)}
    resources = document["configuration"]["root_module"].get("resources", [])
    found = [each for each in resources if each["address"] not in changing]
    assume(found)
    block = rng.choice(found)
    block["expressions"] = {"name": {"references": [f"var.v{rng.randrange(10**9)}"]}}
    block["provider_config_key"] = f"folder.f{rng.randrange(10**9)}"


def registry(document: Document, rng: Random) -> None:
    """The same provider is at home in two registries."""
    name = rng.choice(["registry.terraform.io", "registry.opentofu.org"])
    for each in document.get("resource_changes", []):
        # What `unchanged_objects` adds names none.
        if "provider_name" not in each:
            continue
        *_, namespace, provider = each["provider_name"].split("/")
        if each["provider_name"].startswith("registry."):
            each["provider_name"] = f"{name}/{namespace}/{provider}"


HARMLESS = [
    source_of_what_is_known,
    registry,
    noise_of_a_provider,
    another_moment,
    another_version,
    another_order,
    nothing_but_the_plan,
    unchanged_objects,
    unchanged_objects_gone,
    tolerated_drift,
    other_spellings,
    drift_gone,
]


@pytest.mark.parametrize("change", HARMLESS, ids=lambda change: change.__name__)
@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much], deadline=None)
@given(path=st.sampled_from(FILES), seed=st.integers(0, 2**32))
def test_what_is_no_consequence_is_not_in_it(
    change: Callable[[Document, Random], None], path: Path, seed: int
) -> None:
    document = read(path)
    before = both(document)

    change(document, Random(seed))

    assert both(document) == before


@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much], deadline=None)
@given(st.sampled_from(FILES), st.lists(st.sampled_from(HARMLESS), max_size=5), st.integers(0, 99))
def test_nor_is_any_number_of_such_things(
    path: Path, changes: list[Callable[[Document, Random], None]], seed: int
) -> None:
    document, rng = read(path), Random(seed)
    before = both(document)

    for change in changes:
        change(document, rng)

    assert both(document) == before


@given(st.sampled_from(FILES), st.sampled_from(["{}.0", "{}e0", "{}.00e+0"]))
def test_nor_is_how_a_number_is_spelled(path: Path, spelling: str) -> None:
    document = read(path)
    before = both(document)

    assert both(with_numbers_spelled(document, spelling)) == before


# --- What it does depend on ----------------------------------------------------------------------


def planned_value(document: Document, rng: Random) -> None:
    name, change = rng.choice(list(visible(document, "after")))
    change["after"][name] = ["another", rng.random()]


def real_value(document: Document, rng: Random) -> None:
    found = [
        (name, change)
        for name, change in visible(document, "before")
        if change["actions"] == ["update"]
        and change["before"][name] != change["after"].get(name)
        and not unknown(change, name)
    ]
    assume(found)
    name, change = rng.choice(found)
    change["before"][name] = ["another", rng.random()]


def kind(document: Document, rng: Random) -> None:
    change = rng.choice(acting(document))["change"]
    others = [["create"], ["update"], ["delete"], ["forget"], ["delete", "create"], ["frob"]]
    change["actions"] = rng.choice([each for each in others if each != change["actions"]])


def order_of_replacement(document: Document, rng: Random) -> None:
    found = [each for each in acting(document) if len(each["change"]["actions"]) == 2]
    assume(found)
    rng.choice(found)["change"]["actions"].reverse()


def previous_address(document: Document, rng: Random) -> None:
    entry = rng.choice(acting(document) or document.get("resource_changes", []))
    assume(entry["mode"] == "managed")
    entry["previous_address"] = f"terraform_data.was[{rng.randrange(10**9)}]"


def import_id(document: Document, rng: Random) -> None:
    changes = [each for each in document.get("resource_changes", []) if each["mode"] == "managed"]
    assume(changes)
    rng.choice(changes)["change"]["importing"] = {"id": f"i-{rng.randrange(10**9)}"}


def identity(document: Document, rng: Random) -> None:
    found = [
        each["change"]
        for each in acting(document)
        if isinstance((each["change"].get("before") or {}).get("id"), str)
    ]
    assume(found)
    change = rng.choice(found)
    change["before"]["id"] = f"i-{rng.randrange(10**9)}"


def deposed_key(document: Document, rng: Random) -> None:
    rng.choice(acting(document))["deposed"] = f"{rng.randrange(2**32):08x}"


def output(document: Document, rng: Random) -> None:
    outputs = document.setdefault("output_changes", {})
    name = rng.choice([*outputs, "added"])
    if outputs.get(name, {}).get("after_sensitive"):
        assume(False)
    outputs[name] = {
        "actions": ["update"],
        "before": "a",
        "after": rng.random(),
        "after_unknown": False,
        "before_sensitive": False,
        "after_sensitive": False,
    }


def action(document: Document, rng: Random) -> None:
    invocations = document.setdefault("action_invocations", [])
    invocations.append(
        {
            "address": "action.local_command.notify",
            "config_values": {"n": rng.random()},
            "config_sensitive": {},
            "config_unknown": {},
        }
    )


def provider_setting(document: Document, rng: Random) -> None:
    providers = document["configuration"].setdefault("provider_config", {})
    name = rng.choice([*providers, "added"])
    expressions = providers.setdefault(name, {"name": name}).setdefault("expressions", {})
    expressions["region"] = {"constant_value": f"eu-{rng.randrange(10**9)}"}


def provisioner(document: Document, rng: Random) -> None:
    """Another command for something that this plan creates."""
    created = [each for each in acting(document) if "create" in each["change"]["actions"]]
    found = [
        resource
        for each in created
        for resource in document["configuration"]["root_module"].get("resources", [])
        if resource["address"] == each["address"].partition("[")[0]
    ]
    assume(found)
    rng.choice(found)["provisioners"] = [
        {
            "type": "local-exec",
            "expressions": {"command": {"constant_value": f"echo {rng.randrange(10**9)}"}},
        }
    ]


def incomplete(document: Document, rng: Random) -> None:
    assume(not document.get("errored"))
    whole = document.get("complete") is not False
    if whole and rng.random() < 0.5:
        document["complete"] = False
    else:
        document["errored"] = True


def deferred(document: Document, rng: Random) -> None:
    entry = {"address": f"x.put_off[{rng.randrange(10**9)}]", "change": {"actions": ["create"]}}
    document.setdefault("deferred_changes", []).append({"reason": "x", "resource_change": entry})


def source_of_what_is_unknown(document: Document, rng: Random) -> None:
    """The plan holds the same in both cases: (known after apply)."""
    entry, name = rng.choice(unknown_places(document))
    block = block_of(document, entry)
    block.setdefault("expressions", {})[name] = {"references": [f"x.y{rng.randrange(10**9)}.id"]}


def source_of_an_unknown_output(document: Document, rng: Random) -> None:
    outputs = document.get("output_changes", {})
    found = [name for name, each in outputs.items() if each["after_unknown"] is True]
    assume(found)
    outputs_in_code = document["configuration"]["root_module"]["outputs"]
    references = [f"x.y{rng.randrange(10**9)}.id"]
    outputs_in_code[rng.choice(found)]["expression"] = {"references": references}


def provider(document: Document, rng: Random) -> None:
    rng.choice(acting(document))["provider_name"] = f"example.com/ada/p{rng.randrange(10**9)}"


def provider_configuration(document: Document, rng: Random) -> None:
    block = block_of(document, rng.choice(acting(document)))
    block["provider_config_key"] = f"folder.f{rng.randrange(10**9)}"


def identity_that_the_engine_keeps(document: Document, rng: Random) -> None:
    found = [each["change"] for each in acting(document) if each["change"]["before"]]
    assume(found)
    change = rng.choice(found)
    account = f"{rng.randrange(10**9):012}"
    change["before_identity"] = change.get("before_identity", {}) | {"account_id": account}


def name_of_what_has_no_id(document: Document, rng: Random) -> None:
    found = [
        each
        for each in acting(document)
        if each["change"]["actions"] == ["delete"] and not hidden(each["change"], "name")
    ]
    assume(found)
    before = rng.choice(found)["change"]["before"]
    for name in ("id", "arn"):
        before.pop(name, None)
    before["name"] = f"n-{rng.randrange(10**9)}"


def question_of_a_data_source(document: Document, rng: Random) -> None:
    found = [
        each
        for each in document.get("resource_changes", [])
        if each["mode"] == "data" and each["change"]["actions"] == ["read"]
        if each.get("action_reason") != "read_because_check_nested"
    ]
    assume(found)
    block = block_of(document, rng.choice(found))
    block.setdefault("expressions", {})["query"] = {"constant_value": rng.random()}


def what_becomes_sensitive(document: Document, rng: Random) -> None:
    found = [
        each["change"]
        for each in acting(document)
        if each["change"]["actions"] == ["update"]
        if not hide_alike(each["change"]["before_sensitive"], each["change"]["after_sensitive"])
    ]
    assume(found)
    change = rng.choice(found)
    marks = change["after_sensitive"], change["before_sensitive"]
    change["before_sensitive"], change["after_sensitive"] = marks


def unknown_action_on_an_output(document: Document, rng: Random) -> None:
    outputs = document.get("output_changes", {})
    assume(len(outputs) > 0)
    rng.choice(list(outputs.values()))["actions"] = [f"melt-{rng.randrange(10**9)}"]


TELLING = [
    source_of_what_is_unknown,
    source_of_an_unknown_output,
    provider,
    provider_configuration,
    identity_that_the_engine_keeps,
    name_of_what_has_no_id,
    question_of_a_data_source,
    what_becomes_sensitive,
    unknown_action_on_an_output,
    planned_value,
    real_value,
    kind,
    order_of_replacement,
    previous_address,
    import_id,
    identity,
    deposed_key,
    output,
    action,
    provider_setting,
    provisioner,
    incomplete,
    deferred,
]


@pytest.mark.parametrize("change", TELLING, ids=lambda change: change.__name__)
@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much], deadline=None)
@given(path=st.sampled_from(FILES), seed=st.integers(0, 2**32))
def test_every_consequence_is_in_it(
    change: Callable[[Document, Random], None], path: Path, seed: int
) -> None:
    document = read(path)
    unkeyed, keyed = both(document)

    change(document, Random(seed))

    assert taken(document) != unkeyed
    assert taken(document, KEY) != keyed


def test_a_provisioner_of_what_stays_as_it_is_does_not_count() -> None:
    document = json.loads(plans.of("clean"))
    before = both(document)

    for resource in document["configuration"]["root_module"]["resources"]:
        resource["provisioners"] = [{"type": "local-exec", "expressions": {"command": {}}}]

    assert both(document) == before


# --- Secrets -------------------------------------------------------------------------------------


def with_secret(before: Any, after: Any) -> Document:
    change = {
        "actions": ["update"],
        "before": {"id": "i-1", "password": before},
        "after": {"id": "i-1", "password": after},
        "after_unknown": {},
        "before_sensitive": {"password": True},
        "after_sensitive": {"password": True},
    }
    entry = {"address": "x.y", "mode": "managed", "change": change}
    return {"format_version": "1.2", "planned_values": {}, "resource_changes": [entry]}


SECRETS = st.none() | st.integers() | st.text(max_size=12) | st.lists(st.text(max_size=3))


@given(SECRETS, SECRETS, SECRETS, SECRETS)
def test_without_a_key_only_counts_that_a_secret_changes(a: Any, b: Any, c: Any, d: Any) -> None:
    # What a secret holds may be found again elsewhere in its object, and is taken out there.
    assume(a != b and c != d and not {"i-1"} & {*map(str, (a, b, c, d))})

    assert taken(with_secret(a, b)) == taken(with_secret(c, d))
    assert taken(with_secret(a, b)) != taken(with_secret(a, a))


@given(SECRETS, SECRETS, SECRETS)
def test_with_a_key_it_counts_which_secret(a: Any, b: Any, c: Any) -> None:
    assume(a != b and b != c and a != c)

    assert taken(with_secret(a, b), KEY) == taken(with_secret(a, b), KEY)
    assert taken(with_secret(a, b), KEY) != taken(with_secret(a, c), KEY)
    assert taken(with_secret(a, b), KEY) != taken(with_secret(c, b), KEY)
    assert taken(with_secret(a, b), KEY) != taken(with_secret(a, b), OTHER_KEY)


def test_a_keyed_fingerprint_is_none_without_a_key_even_where_there_is_no_secret() -> None:
    plan = decode_plan(plans.of("clean"), settings=True)

    assert fingerprint(plan, keyed=True).digest != fingerprint(plan, keyed=False).digest


def test_a_plan_whose_settings_were_not_read_has_another() -> None:
    read, unread = (decode_plan(plans.of("clean"), settings=each) for each in (True, False))

    assert fingerprint(read, keyed=False) != fingerprint(unread, keyed=False)


# --- Real plans ----------------------------------------------------------------------------------

# Where the engines do not plan the same.
DIFFER = {
    "targeted": "OpenTofu does not say that a plan is incomplete",
}


@pytest.mark.parametrize("scenario", plans.scenarios())
def test_all_engines_give_one_fingerprint_where_their_plans_mean_the_same(scenario: str) -> None:
    texts = [path.read_text() for path in FILES if path.parent.name == scenario]

    found = {both(without_what_is_drawn_by_lot(text)) for text in texts}

    assert (len(found) > 1) == (scenario in DIFFER)


# --- Tampering -----------------------------------------------------------------------------------


def acting(document: Document) -> list[Any]:
    """Entries of managed objects with which something is done."""
    found = [
        each
        for each in document.get("resource_changes", [])
        if each["mode"] == "managed" and each["change"]["actions"] != ["no-op"]
    ]
    assume(found)
    return found


def acts(entry: Any) -> bool:
    return not is_unchanged(entry) or entry["mode"] == "data"


def in_code(entry: Any) -> str:
    """Of an address in the root."""
    return str(re.sub(r"\[.*", "", entry["address"], flags=re.DOTALL))


def block_of(document: Document, entry: Any) -> Any:
    """The block of code that it comes from, where that is in the root."""
    resources = document["configuration"]["root_module"].get("resources", [])
    found = [each for each in resources if each["address"] == in_code(entry)]
    assume(found)
    return found[0]


def unknown_places(document: Document) -> list[tuple[Any, str]]:
    found = [
        (each, name)
        for each in acting(document)
        if isinstance(each["change"]["after_unknown"], dict)
        for name, place in each["change"]["after_unknown"].items()
        if place is True
    ]
    assume(found)
    return found


def is_unchanged(entry: Any) -> bool:
    return (
        entry["change"]["actions"] == ["no-op"]
        and "previous_address" not in entry
        and "importing" not in entry["change"]
    )


def visible(document: Document, side: str) -> Iterator[tuple[str, Any]]:
    """Attributes of what is created or changed, as far as nothing hides them."""
    found = [
        (name, each["change"])
        for each in acting(document)
        if set(each["change"]["actions"]) & {"create", "update"}
        for name in each["change"][side] or {}
        if not hidden(each["change"], name) and not unknown(each["change"], name)
    ]
    assume(found)
    yield from found


def hidden(change: Any, name: str) -> bool:
    mirrors = (change["before_sensitive"], change["after_sensitive"])
    return any(each is True or (each or {}).get(name) for each in mirrors)


def unknown(change: Any, name: str) -> bool:
    mirror = change["after_unknown"]
    return mirror is True or bool((mirror or {}).get(name))


def add_drift(
    document: Document, rng: Random, was: Callable[[Any], Any], *, spelled: bool = False
) -> None:
    drifted = {each["address"] for each in document.get("resource_drift", [])}
    found = [
        (entry, name)
        for entry in document.get("resource_changes", [])
        if entry["mode"] == "managed"
        and entry["address"] not in drifted
        and "deposed" not in entry
        and isinstance(entry["change"]["before"], dict)
        and isinstance(entry["change"]["after"], dict)
        for name, value in entry["change"]["before"].items()
        if (value in (None, {}, [], "") if spelled else value == entry["change"]["after"].get(name))
        and not hidden(entry["change"], name)
        and not unknown(entry["change"], name)
        and name != "id"
    ]
    assume(found)
    entry, name = rng.choice(found)
    drift = copy.deepcopy(entry)
    drift["change"]["actions"] = ["update"]
    drift["change"].pop("importing", None)
    drift["change"].pop("replace_paths", None)
    real = drift["change"]["before"]
    drift["change"] |= {
        "before": real | {name: was(real[name])},
        "after": real,
        "after_unknown": {},
        "after_sensitive": drift["change"]["before_sensitive"],
    }
    document.setdefault("resource_drift", []).append(drift)


def in_another_order(value: Any, rng: Random) -> Any:
    if isinstance(value, dict):
        names = list(value)
        rng.shuffle(names)
        return {name: in_another_order(value[name], rng) for name in names}
    return [in_another_order(each, rng) for each in value] if isinstance(value, list) else value


def with_numbers_spelled(document: Document, spelling: str) -> str:
    """The same JSON, but for the spelling of the numbers among values of objects and outputs."""
    numbers: list[str] = []

    def marked(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: marked(each) for name, each in value.items()}
        if isinstance(value, list):
            return [marked(each) for each in value]
        if isinstance(value, int) and not isinstance(value, bool):
            numbers.append(spelling.format(value))
            return f"%%{len(numbers) - 1}%%"
        return value

    entries = [*document.get("resource_changes", []), *document.get("resource_drift", [])]
    changes = [each["change"] for each in entries]
    changes += list(document.get("output_changes", {}).values())
    for change in changes:
        for side in ("before", "after"):
            change[side] = marked(change.get(side))
    text = json.dumps(document)
    for at, number in enumerate(numbers):
        text = text.replace(f'"%%{at}%%"', number)
    return text


def without_what_is_drawn_by_lot(text: str) -> str:
    """The engines made these objects each for itself: ids of terraform_data, keys of what was
    deposed."""
    uuid = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
    deposed = r'"(deposed(?:_key)?)":\s*"[0-9a-f]{8}"'
    return re.sub(deposed, r'"\1": "8f1c2b3d"', re.sub(uuid, "u-u-i-d", text))

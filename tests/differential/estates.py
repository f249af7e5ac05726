"""Estates made up at random: what was applied, what happened since, and what the code says now.

An estate is a list of objects, each with a life of its own: where its code stood and where it
stands (root or module, label, count or for_each), its attributes and lifecycle then and now, and
what became of it: edited or deleted outside, tainted, moved, imported, taken out of the code,
forgotten, half replaced. An engine can plan any of them without complaint, so a plan that fails
is a mistake in here.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

KINDS = ("folder_bucket", "folder_server", "folder_secret", "terraform_data")
MODULES = ("", "app", "shared")
# What for_each may be keyed with; the value becomes a part of an object's name.
KEYS = {
    "a": "a",
    "b": "b",
    "two words": "w",
    'q"uote': "q",
    "dots.and/slashes": "d",
    "schlüssel": "s",
}


@dataclass(frozen=True, slots=True)
class Place:
    """Where an object's code stands. ``count`` is None without count, ``keys`` without for_each."""

    kind: str
    label: str
    module: str = ""
    count: int | None = None
    keys: tuple[str, ...] | None = None

    @property
    def address(self) -> str:
        return f"module.{self.module}.{self.within}" if self.module else self.within

    @property
    def within(self) -> str:
        """Its address within its module."""
        return f"{self.kind}.{self.label}"

    @property
    def is_single(self) -> bool:
        return self.count is None and self.keys is None

    def instances(self) -> list[tuple[str, str]]:
        """Each one's address, and what its name ends in."""
        if self.count is not None:
            return [(f"{self.address}[{at}]", f"-{at}") for at in range(self.count)]
        if self.keys is not None:
            return [(f"{self.address}[{_quoted(key)}]", f"-{KEYS[key]}") for key in self.keys]
        return [(self.address, "")]


@dataclass(frozen=True, slots=True)
class Code:
    """One resource block. ``triggers`` and ``refers_to`` name blocks of the same module."""

    place: Place
    name: str
    attributes: tuple[tuple[str, Any], ...]
    create_before_destroy: bool = False
    ignored: tuple[str, ...] = ()
    triggers: str = ""
    refers_to: str = ""

    def text(self) -> str:
        place = self.place
        lines = [f'resource "{place.kind}" "{place.label}" {{']
        suffix = ""
        if place.count is not None:
            lines.append(f"  count = {place.count}")
            suffix = "-${count.index}"
        elif place.keys is not None:
            pairs = ", ".join(f"{_quoted(key)} = {_quoted(KEYS[key])}" for key in place.keys)
            lines.append(f"  for_each = {{ {pairs} }}")
            suffix = "-${each.value}"
        if place.kind != "terraform_data":
            lines.append(f'  name = "{self.name}{suffix}"')
        for attribute, value in self.attributes:
            lines.append(f"  {attribute} = {_hcl(value)}")
        if self.refers_to:
            lines.append(f"  input = [{self.refers_to}]")
        settings = []
        if self.create_before_destroy:
            settings.append("create_before_destroy = true")
        if self.ignored:
            settings.append(f"ignore_changes = [{', '.join(self.ignored)}]")
        if self.triggers:
            settings.append(f"replace_triggered_by = [{self.triggers}]")
        if settings:
            lines += ["  lifecycle {", *(f"    {each}" for each in settings), "  }"]
        return "\n".join([*lines, "}", ""])


@dataclass(frozen=True, slots=True)
class Life:
    """One object: its code ``then`` and ``now`` (None: it had none, or has none any more).

    ``half_replaced`` gives it a new name half-way, and its old object stays behind, deposed.
    ``outside`` says by instance what happened to it: a change of its file, or None for deleted.
    """

    then: Code | None
    now: Code | None
    moved: bool = False
    forgotten: bool = False
    imported: bool = False
    half_replaced: bool = False
    outside: tuple[tuple[str, tuple[tuple[str, Any], ...] | None], ...] = ()
    tainted: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Output:
    name: str
    value: str
    sensitive: bool = False


@dataclass(frozen=True, slots=True)
class Estate:
    """All of it; ``arguments`` go to `plan`."""

    lives: tuple[Life, ...]
    outputs_then: tuple[Output, ...] = ()
    outputs_now: tuple[Output, ...] = ()
    read_after: str = ""
    checked: bool = False
    arguments: tuple[str, ...] = ()

    @property
    def is_half_replaced(self) -> bool:
        return any(life.half_replaced for life in self.lives)

    def write_then(self, work: Path) -> None:
        _write(work, [life.then for life in self.lives if life.then], _outputs(self.outputs_then))

    def write_half_way(self, work: Path) -> None:
        codes = [_half_way(life) for life in self.lives if life.then]
        _write(work, codes, _outputs(self.outputs_then))
        refused = [
            f"{_kind(life.then)}-{life.then.name}"
            for life in self.lives
            if life.half_replaced and life.then
        ]
        (work / "cloud" / "FAIL").write_text("\n".join(refused))

    def write_now(self, work: Path, *, can_forget: bool) -> None:
        blocks = [_outputs(self.outputs_now)]
        for life in self.lives:
            blocks += _about(life, can_forget=can_forget)
        if self.read_after:
            blocks.append(_read("later", f"depends_on = [{self.read_after}]"))
        if self.checked:
            inner = _read("checked", "").replace("\n", "\n  ")
            blocks.append(
                f'check "state" {{\n  {inner}\n  assert {{\n'
                "    condition     = data.terraform_remote_state.checked.outputs.n == 1\n"
                '    error_message = "It is not."\n  }\n}\n'
            )
        _write(work, [life.now for life in self.lives if life.now], "\n".join(blocks))

    def let_it_happen(self, work: Path) -> None:
        """What somebody did to the cloud."""
        for life in self.lives:
            for identifier, changes in life.outside:
                path = work / "cloud" / f"{identifier}.json"
                if changes is None:
                    path.unlink()
                else:
                    known = json.loads(path.read_text()) if path.exists() else {}
                    path.write_text(json.dumps({**known, **dict(changes)}))

    def taints(self) -> list[str]:
        return [address for life in self.lives for address in life.tainted]


_ATTRIBUTES: dict[str, dict[str, st.SearchStrategy[Any]]] = {
    "folder_bucket": {
        "versioned": st.sampled_from([None, True, False]),
        "expire_days": st.sampled_from([None, 7, 30, 0.5]),
        "policy": st.sampled_from([None, '{"a":[1,2]}', '{"a":[1,3]}', "{}"]),
        "tags": st.sampled_from([None, {}, {"team": "a"}, {"team": "b", "x y": ""}]),
    },
    "folder_server": {
        "image": st.sampled_from(["debian-12", "debian-13"]),
        "cpus": st.sampled_from([2, 4]),
        "open_ports": st.sampled_from([None, [], [22], [22, 443], [443, 22]]),
        "tags": st.sampled_from([None, {"team": "a"}]),
    },
    "folder_secret": {
        "value": st.sampled_from(["hunter2-one", "hunter2-two"]),
        "tags": st.sampled_from([None, {"team": "a"}]),
    },
    "terraform_data": {
        "input": st.sampled_from([None, "text", {"a": [1, 2]}, {"a": [1]}, "two\nlines\n"]),
        "triggers_replace": st.sampled_from([None, 1, [1, 2]]),
    },
}
_REQUIRED = {"image", "cpus", "value"}


def estates() -> st.SearchStrategy[Estate]:
    """Estates of some twenty objects."""
    return _estates()


@st.composite
def _estates(draw: st.DrawFn) -> Estate:
    lives = tuple(draw(_lives(at)) for at in range(draw(st.integers(8, 20))))
    lives = tuple(_with_references(draw, lives))
    root_now = [life.now for life in lives if life.now and not life.now.place.module]
    return Estate(
        lives=lives,
        outputs_then=draw(_some_outputs(life.then for life in lives if life.then)),
        outputs_now=draw(_some_outputs(life.now for life in lives if life.now)),
        read_after=draw(st.sampled_from([code.place.within for code in root_now]))
        if bool(root_now) and draw(_chance(3))
        else "",
        checked=draw(_chance(5)),
        arguments=draw(_arguments(lives)),
    )


@st.composite
def _lives(draw: st.DrawFn, at: int) -> Life:
    kind = draw(st.sampled_from(KINDS))
    then = draw(_codes(kind, f"r{at}", f"r{at}"))
    fate = draw(
        st.sampled_from(
            ["same", "changed", "changed", "moved", "moved", "gone", "forgotten", "new", "imported"]
            + ["half replaced"] * (kind == "folder_server")
        )
    )
    match fate:
        case "new":
            return Life(None, then)
        case "imported" if kind != "terraform_data":
            return draw(_imports(then))
        case "gone" | "forgotten":
            life = Life(then, None, forgotten=fate == "forgotten")
        case "half replaced":
            then = replace(then, place=_single(then.place), create_before_destroy=True)
            ours = replace(then, name=f"{then.name}x")
            now = draw(st.sampled_from([ours, replace(ours, name=f"{then.name}y"), None]))
            return Life(then, now, half_replaced=True)
        case "changed" | "imported":
            now = draw(_codes(kind, then.place.label, then.name))
            now = replace(now, place=replace(now.place, module=then.place.module))
            life = Life(then, now)
        case "moved":
            label = draw(st.sampled_from([then.place.label, f"r{at}_moved"]))
            now = draw(_codes(kind, label, then.name))
            if draw(st.booleans()):  # nothing but the move
                now = replace(
                    then, place=replace(then.place, label=now.place.label, module=now.place.module)
                )
            life = Life(then, now, moved=now.place.address != then.place.address)
        case _:
            life = Life(then, then)
    assert life.then is not None
    return replace(life, outside=draw(_outside(life.then)), tainted=draw(_taints(life.then)))


@st.composite
def _codes(draw: st.DrawFn, kind: str, label: str, name: str) -> Code:
    place = Place(kind, label, draw(st.sampled_from((*MODULES, ""))))
    match draw(st.sampled_from(["one", "one", "count", "each"])):
        case "count":
            place = replace(place, count=draw(st.integers(0, 3)))
        case "each":
            keys = draw(st.lists(st.sampled_from(sorted(KEYS)), max_size=3, unique=True))
            place = replace(place, keys=tuple(sorted(keys)))
    ignorable = st.sampled_from(
        [*_ATTRIBUTES[kind], "tags"] if kind != "terraform_data" else ["input"]
    )
    return Code(
        place,
        name,
        draw(_values(kind)),
        create_before_destroy=draw(_chance(4)),
        ignored=tuple(
            draw(st.lists(ignorable, max_size=2, unique=True)) if draw(_chance(4)) else ()
        ),
    )


@st.composite
def _values(draw: st.DrawFn, kind: str) -> tuple[tuple[str, Any], ...]:
    drawn = {name: draw(values) for name, values in _ATTRIBUTES[kind].items()}
    return tuple((name, value) for name, value in drawn.items() if value is not None)


@st.composite
def _imports(draw: st.DrawFn, code: Code) -> Life:
    """Something that is there, and which the code takes over."""
    code = replace(code, place=_single(code.place))
    there = dict(draw(_values(code.place.kind)))
    if "policy" in there:
        there["policy"] = json.loads(there["policy"])
    if draw(st.booleans()):
        there = {**there, "name": code.name}
    return Life(
        None, code, imported=True, outside=((f"{_kind(code)}-{code.name}", tuple(there.items())),)
    )


@st.composite
def _outside(
    draw: st.DrawFn, code: Code
) -> tuple[tuple[str, tuple[tuple[str, Any], ...] | None], ...]:
    if code.place.kind == "terraform_data":
        return ()
    happened: list[tuple[str, tuple[tuple[str, Any], ...] | None]] = []
    for _, suffix in code.place.instances():
        identifier = f"{_kind(code)}-{code.name}{suffix}"
        match draw(st.sampled_from(["nothing", "nothing", "edited", "edited", "deleted"])):
            case "edited":
                name = draw(st.sampled_from(sorted(_ATTRIBUTES[code.place.kind])))
                values = _ATTRIBUTES[code.place.kind][name]
                value = draw(values)
                if name == "policy" and value is not None:
                    value = json.loads(value)
                happened.append((identifier, ((name, value),)))
            case "deleted":
                happened.append((identifier, None))
    return tuple(happened)


@st.composite
def _taints(draw: st.DrawFn, code: Code) -> tuple[str, ...]:
    return tuple(address for address, _ in code.place.instances() if draw(_chance(8)))


def _with_references(draw: st.DrawFn, lives: tuple[Life, ...]) -> Iterator[Life]:
    """Some blocks name an earlier one of their module, so that one change leads to another."""
    for at, life in enumerate(lives):
        now = life.now
        if now is None:
            yield life
            continue
        earlier = [
            other.now
            for other in lives[:at]
            if other.now and other.now.place.module == now.place.module
        ]
        # An engine refuses to be triggered by a block without instances.
        there = [code for code in earlier if code.place.instances()]
        if bool(there) and draw(_chance(4)):
            now = replace(now, triggers=draw(st.sampled_from(there)).place.within)
        known = [code for code in earlier if code.place.is_single]
        if now.place.kind == "terraform_data" and known and draw(st.booleans()):
            others = tuple(pair for pair in now.attributes if pair[0] != "input")
            other = draw(st.sampled_from(known)).place.within
            now = replace(now, attributes=others, refers_to=f"{other}.id")
        yield replace(life, now=now)


@st.composite
def _some_outputs(draw: st.DrawFn, codes: Iterator[Code]) -> tuple[Output, ...]:
    constants = ['"text"', "1", "true", "[1, 2]", "[2, 1]", '{ a = "b" }', "null"]
    references = [
        f"{code.place.within}.id"
        for code in codes
        if code.place.is_single and not code.place.module
    ]
    values = st.sampled_from(constants + references)
    names = draw(st.lists(st.sampled_from(["one", "two", "three", "four"]), unique=True))
    return tuple(Output(name, draw(values), draw(_chance(4))) for name in sorted(names))


@st.composite
def _arguments(draw: st.DrawFn, lives: tuple[Life, ...]) -> tuple[str, ...]:
    mode = draw(
        st.sampled_from(
            [""] * 5 + ["-destroy", "-refresh-only", "-refresh-only", "-refresh=false", "-target"]
        )
    )
    instances = [address for life in lives if life.now for address, _ in life.now.place.instances()]
    if mode == "-target":
        return (f"-target={draw(st.sampled_from(instances))}",) if instances else ()
    replaced = (
        draw(st.lists(st.sampled_from(instances), max_size=2, unique=True))
        if instances and mode in ("", "-refresh=false")
        else []
    )
    return (*([mode] if mode else []), *(f"-replace={address}" for address in replaced))


def _chance(one_in: int) -> st.SearchStrategy[bool]:
    return st.integers(1, one_in).map(lambda drawn: drawn == one_in)


def _kind(code: Code) -> str:
    return code.place.kind.removeprefix("folder_")


def _single(place: Place) -> Place:
    return replace(place, count=None, keys=None)


def _half_way(life: Life) -> Code:
    assert life.then is not None
    return replace(life.then, name=f"{life.then.name}x") if life.half_replaced else life.then


def _about(life: Life, *, can_forget: bool) -> Iterator[str]:
    """The blocks that say what became of it."""
    if life.moved and life.then and life.now:
        then, now = life.then.place.address, life.now.place.address
        yield f"moved {{\n  from = {then}\n  to   = {now}\n}}\n"
    if life.imported and life.now:
        identifier = f"{_kind(life.now)}-{life.now.name}"
        yield f'import {{\n  to = {life.now.place.address}\n  id = "{identifier}"\n}}\n'
    if life.forgotten and life.then and can_forget:
        yield (
            f"removed {{\n  from = {life.then.place.address}\n\n"
            "  lifecycle {\n    destroy = false\n  }\n}\n"
        )


def _read(label: str, more: str) -> str:
    return (
        f'data "terraform_remote_state" "{label}" {{\n  backend = "local"\n'
        f'  config  = {{ path = "other.tfstate" }}\n  {more}\n}}\n'
    )


def _outputs(outputs: tuple[Output, ...]) -> str:
    return "\n".join(
        f'output "{each.name}" {{\n  value = {each.value}\n'
        f"  sensitive = {str(each.sensitive).lower()}\n}}\n"
        for each in outputs
    )


_REQUIRES = """\
terraform {
  required_providers {
    folder = { source = "demo.driftctl.example/driftctl/folder" }
  }
}
"""


def _write(work: Path, codes: list[Code], more: str) -> None:
    # In full: one provider serves every directory, and its own is another.
    cloud = 'root = "${abspath(path.root)}/cloud"'
    root = f'{_REQUIRES}\nprovider "folder" {{\n  {cloud}\n}}\n\n{more}\n'
    for module in MODULES:
        texts = [code.text() for code in codes if code.place.module == module]
        if not module:
            (work / "main.tf").write_text("\n".join([root, *texts]))
            continue
        (work / module).mkdir(exist_ok=True)
        (work / module / "main.tf").write_text("\n".join([_REQUIRES, *texts]))
        with (work / "main.tf").open("a") as main:
            main.write(f'\nmodule "{module}" {{\n  source = "./{module}"\n}}\n')


def _hcl(value: Any) -> str:
    match value:
        case dict():
            inner = ", ".join(f"{_quoted(key)} = {_hcl(each)}" for key, each in value.items())
            return f"{{ {inner} }}" if inner else "{}"
        case list():
            return f"[{', '.join(map(_hcl, value))}]"
        case str():
            return _quoted(value)
        case _:
            return json.dumps(value)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("${", "$${")

"""What a module's source says before any engine runs: backend, requirements, module calls.

Only the few block headers and literal attributes that decide which engine fits, whether `init`
is due and where the state lies. It is no HCL parser: expressions are skipped over, never
evaluated, and what is not a literal string counts as unknown (None). A file that does not scan
is left to the engine, which says what is wrong with it better than we could.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from driftctl_py.core.hcl_tokens import Tokens

ENGINE_SUFFIXES = (".tf", ".tf.json", ".tofu", ".tofu.json")


@dataclass(frozen=True, slots=True)
class Backend:
    """A ``backend`` block: its type and those attributes that are literal strings. ``others``
    names the attributes and blocks in it that are not."""

    type: str
    literals: Mapping[str, str] = field(default_factory=dict)
    others: frozenset[str] = frozenset()

    @property
    def names(self) -> frozenset[str]:
        """Everything that it says anything about."""
        return self.others.union(self.literals)

    def declares(self, name: str) -> bool:
        return name in self.literals or name in self.others


@dataclass(frozen=True, slots=True)
class ModuleCall:
    """A ``module`` block. ``source`` None means that it is not a literal."""

    name: str
    source: str | None
    version: str | None = None

    @property
    def is_local(self) -> bool:
        return self.source is not None and self.source.startswith(("./", "../"))

    @property
    def is_floating(self) -> bool:
        """Whether the same text may mean other code tomorrow: `init` alone keeps the old copy.

        Pinned are a local path, an exact registry version, and a ``?ref=`` that looks like a
        version tag or a commit.
        """
        if self.is_local or self.source is None:
            return False
        if self.version is not None:
            return re.fullmatch(r"\s*=?\s*\d+\.\d+\.\d+[\w.+-]*\s*", self.version) is None
        ref = re.search(r"[?&]ref=([^&]*)", self.source)
        if ref is None:
            # An archive at a URL has no version to follow; its address is all there is to pin.
            return not self.source.startswith(("http://", "https://", "s3::", "gcs::"))
        return re.fullmatch(r"[0-9a-f]{7,64}|(.*[/@-])?v?\d+(\.\d+)+[\w.+-]*", ref[1]) is None


@dataclass(frozen=True, slots=True)
class ModuleFacts:
    """All files of one directory together."""

    backend: Backend | None = None
    cloud: bool = False
    required_version: tuple[str, ...] = ()
    required_providers: tuple[str, ...] = ()
    modules: tuple[ModuleCall, ...] = ()


def read_module(files: Mapping[str, str]) -> ModuleFacts:
    """The facts of one directory from its files' texts by name. Never raises."""
    backend: Backend | None = None
    cloud = False
    versions: list[str] = []
    providers: list[str] = []
    modules: list[ModuleCall] = []
    # Override files are merged over the others, so what they say comes last.
    for name in sorted(files, key=lambda name: (_is_override(name), name)):
        for block in _blocks_of(name, files[name]):
            if block.type == "module" and block.labels:
                modules.append(
                    ModuleCall(block.labels[0], block.text("source"), block.text("version"))
                )
            elif block.type == "terraform":
                if version := block.text("required_version"):
                    versions.append(version)
                for inner in block.blocks:
                    if inner.type == "backend" and inner.labels:
                        backend = _backend(inner)
                    elif inner.type == "cloud":
                        cloud = True
                    elif inner.type == "required_providers":
                        providers.extend(
                            f"{key}={value}" for key, value in sorted(inner.raw.items())
                        )
    return ModuleFacts(backend, cloud, tuple(versions), tuple(providers), tuple(modules))


def _is_override(name: str) -> bool:
    return re.search(r"(^|_)override\.(tf|tofu)(\.json)?$", name) is not None


def _backend(block: _Block) -> Backend:
    literals = {key: text for key in block.raw if (text := block.text(key)) is not None}
    others = (set(block.raw) - set(literals)) | {inner.type for inner in block.blocks}
    return Backend(block.labels[0], literals, frozenset(others))


@dataclass(slots=True)
class _Block:
    type: str
    labels: tuple[str, ...] = ()
    raw: dict[str, str] = field(default_factory=dict)
    blocks: list[_Block] = field(default_factory=list)

    def text(self, key: str) -> str | None:
        """The attribute, where it is a literal string without any template in it."""
        raw = self.raw.get(key, "")
        if len(raw) < 2 or raw[0] != '"' or raw[-1] != '"' or "${" in raw or "%{" in raw:
            return None
        try:
            value = json.loads(raw)
        except ValueError:
            return None
        return value if isinstance(value, str) else None


def _blocks_of(name: str, text: str) -> Iterable[_Block]:
    try:
        if name.endswith(".json"):
            return _json_blocks(json.loads(text))
        return _Scanner(text).body().blocks
    except (ValueError, RecursionError):
        return ()


class _Scanner(Tokens):
    """Reads bodies (attributes and blocks), skipping over expressions."""

    def body(self, type_: str = "", labels: tuple[str, ...] = ()) -> _Block:
        block = _Block(type_, labels)
        while True:
            kind, word = self.next(skip_newlines=True)
            if kind in {"end", "close"}:
                return block
            if kind not in {"name", "string"}:
                raise ValueError(f"unexpected {word!r}")
            inner_labels: list[str] = []
            kind, label = self.next()
            if kind == "other" and label == "=":
                block.raw[word.strip('"')] = self._expression()
                continue
            while kind in {"name", "string"}:
                inner_labels.append(label.strip('"'))
                kind, label = self.next()
            if (kind, label) != ("open", "{"):
                raise ValueError(f"unexpected {label!r}")
            block.blocks.append(self.body(word, tuple(inner_labels)))

    def _expression(self) -> str:
        """Up to the end of the line at bracket depth 0, or the brace that ends the body."""
        depth = 0
        parts: list[str] = []
        while True:
            before = self.at
            kind, word = self.next()
            if kind == "end" or (kind == "newline" and depth == 0):
                return "".join(parts)
            if kind == "open":
                depth += 1
            elif kind == "close":
                if depth == 0:
                    self.at = before
                    return "".join(parts)
                depth -= 1
            if kind != "newline":
                parts.append(word)


def _json_blocks(root: object) -> Iterator[_Block]:
    """The JSON spelling: block types are keys, labels nest, and any level may be a list."""
    if not isinstance(root, dict):
        return
    for settings in _each(root.get("terraform")):
        block = _Block("terraform")
        _json_attributes(block, settings, nested={"backend", "cloud", "required_providers"})
        for labelled in _each(settings.get("backend")):
            for label, body in labelled.items():
                block.blocks.extend(_json_body("backend", (label,), body))
        for name in ("cloud", "required_providers"):
            if name in settings:
                block.blocks.extend(_json_body(name, (), settings[name]))
        yield block
    for calls in _each(root.get("module")):
        for label, body in calls.items():
            yield from _json_body("module", (label,), body)


def _json_body(type_: str, labels: tuple[str, ...], body: object) -> Iterator[_Block]:
    for attributes in _each(body):
        block = _Block(type_, labels)
        _json_attributes(block, attributes, nested=set())
        yield block


def _json_attributes(block: _Block, attributes: Mapping[str, object], *, nested: set[str]) -> None:
    for key, value in attributes.items():
        if key not in nested:
            block.raw[key] = json.dumps(value, sort_keys=True)


def _each(value: object) -> Iterator[Mapping[str, object]]:
    for item in value if isinstance(value, list) else [value]:
        if isinstance(item, dict):
            yield item

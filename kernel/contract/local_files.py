"""Make one self-contained document of a contract that is written in several files.

This is the client's work: local files below one folder are read, never the network, and the registry
only sees the result. A target that the specification lets documents share (a schema, a parameter, a
response …) becomes one component, so recursion stays a reference; any other (a path item, an operation,
a whole map) is copied to where it is named. Names follow the files' and depend on nothing else.
"""

from __future__ import annotations

import os
import re
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import unquote

from kernel.contract.contract_files import ContractFiles
from kernel.contract.digest import canonical_bytes
from kernel.contract.document import DEFAULT, Document, Limits, parse
from kernel.contract.errors import LimitPassed
from kernel.contract.grammar import Field, Grammar, grammar_of, members
from kernel.contract.positions import token, tokens_of
from kernel.contract.references import (
    default_dialect,
    free_name,
    lost_references,
    members_of,
    with_section,
)
from kernel.contract.sites import fragment, local_pointer, resolve_pointer, whole_ref
from kernel.contract.urn import PREFIX
from kernel.errors import ReferenceRefused

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:|//")
_FILE_LIKE = re.compile(r"[#/]|\.(?:json|ya?ml)$", re.IGNORECASE)
_SCHEMAS = frozenset({"schema", "payload"})


def inline_files(
    path: Path,
    root: Path | None = None,
    *,
    limits: Limits = DEFAULT,
    lost: list[ReferenceRefused] | None = None,
) -> Document:
    """Read a contract with the local files that it refers to, below the folder `root` (its own by default).

    A document of one file is given back as it is read. Otherwise `data` holds canonical JSON, `origins`
    where each part came from. Raises `DocumentError` and `ReferenceRefused` with file, line and pointer; with
    `lost`, references that lead nowhere are put there and left as they are.
    """
    entry = Path(os.path.normpath(path))
    files = ContractFiles((root or entry.parent).resolve(), limits)
    document = files.entry(entry)
    inlining = _Inlining(document, entry, files, grammar_of(document.root), lost)
    result = inlining.run()
    made = document
    if result is not document.root:
        data = canonical_bytes(result)
        parse(data, name=document.name, limits=limits, media="json")  # only to hold it to the limits
        made = Document(document.name, data, "json", result, {"": (document, ""), **inlining.origins})
    for error in lost_references(made.root):
        pointer = error.place.pointer if error.place else None
        placed = ReferenceRefused(error.message, hint=error.hint, place=made.position(pointer or ""))
        if lost is None:
            raise placed
        lost.append(placed)
    return made


@dataclass(frozen=True, slots=True)
class _Spot:
    """Where the work is: in which file, at which pointer of it, and at which pointer of the result."""

    path: Path
    document: Document
    pointer: str
    out: str

    def below(self, step: str | int | None) -> _Spot:
        if step is None:
            return self
        more = token(step)
        return _Spot(self.path, self.document, self.pointer + more, self.out + more)


@dataclass(frozen=True, slots=True)
class _Target:
    path: Path
    document: Document
    pointer: str
    value: Any


@dataclass(slots=True)
class _Inlining:
    document: Document
    entry: Path
    files: ContractFiles
    grammar: Grammar
    lost: list[ReferenceRefused] | None
    origins: dict[str, tuple[Document, str]] = field(default_factory=dict)
    additions: dict[str, dict[str, Any]] = field(default_factory=dict)  # by section, then by name
    _names: dict[tuple[Path, str, str], str] = field(default_factory=dict)  # (file, pointer, section) -> name
    _queue: deque[tuple[str, str, _Target, str]] = field(default_factory=deque)
    _copying: list[tuple[Path, str, str]] = field(default_factory=list)
    _weight: int = 0

    def run(self) -> Any:
        start = _Spot(self.entry, self.document, "", "")
        self._claim_names(start)
        result = self._object(self.document.root, self.grammar.root, start)
        while self._queue:
            section, name, target, type_ = self._queue.popleft()
            out = section + token(name)
            self.additions.setdefault(section, {})[name] = self._moved(target, type_, out)
        for section, members_ in self.additions.items():
            result = with_section(result, section, members_)
        return result

    def _claim_names(self, start: _Spot) -> None:
        """Let a component that is nothing but a reference to a file be the place of that file's content."""
        for type_, section in self.grammar.sections.items():
            for name, value in members_of(self.document.root, section).items():
                if not (isinstance(value, dict) and len(value) == 1 and isinstance(value.get("$ref"), str)):
                    continue
                spot = start
                for step in [*tokens_of(section), name]:
                    spot = spot.below(step)
                target = self._target(value["$ref"], spot, type_)
                if target is not None:
                    self._names.setdefault((target.path, target.pointer, section), name)

    def _object(self, node: Any, type_: str, spot: _Spot) -> Any:
        if not isinstance(node, dict):
            return node
        if "$ref" in node:
            node = self._reference(node, type_, spot)
        changed: dict[str, Any] | None = None
        for key, value, row in self.grammar.fields(type_, node):
            new = self._below(row, value, spot.below(key))
            if new is not value:
                changed = changed if changed is not None else dict(node)
                changed[key] = new
        result = node if changed is None else changed
        if type_ in _SCHEMAS and isinstance(result.get("discriminator"), dict):
            result = self._discriminator(result, spot)
        return result

    def _below(self, row: Field, value: Any, spot: _Spot) -> Any:
        if whole_ref(row, value):
            target = self._target(value["$ref"], spot, row.type)
            if target is None or len(value) > 1:
                self._refuse(
                    spot, "a $ref that is local, or not alone, stands for a whole map", "write it out"
                )
            with_copy = self._enter_copy(target, f"{row.form} of {row.type}", spot)
            try:
                return self._below(row, target.value, with_copy)
            finally:
                self._copying.pop()
        new = [(step, self._object(item, row.type, spot.below(step))) for step, item in members(row, value)]
        if row.form == "one" or (row.form == "either" and not isinstance(value, list)):
            return new[0][1]
        if all(item is value[step] for step, item in new):
            return value
        if isinstance(value, list):
            return [item for _, item in new]
        return {**value, **{str(step): item for step, item in new}}

    def _reference(self, node: dict[str, Any], type_: str, spot: _Spot) -> dict[str, Any]:
        """Give the object with its reference made local, or with the target's content in its place."""
        target = self._target(node["$ref"], spot, type_)
        if target is None:
            return node
        if target.path == self.entry:
            return {**node, "$ref": fragment(target.pointer)}
        section = self.grammar.sections.get(type_)
        if section is None:
            return self._copy(node, target, type_, spot)
        key = (target.path, target.pointer, section)
        name = self._names.get(key)
        if name is not None and spot.out == section + token(name) and len(node) == 1:
            return self._copy(node, target, type_, spot)
        if name is None:
            stem = tokens_of(target.pointer)[-1] if target.pointer else target.path.name.partition(".")[0]
            taken = members_of(self.document.root, section).keys() | set(self._names_in(section))
            name = self._names[key] = free_name(stem, taken)
            self._queue.append((section, name, target, type_))
        return {**node, "$ref": fragment(section + token(name))}

    def _names_in(self, section: str) -> list[str]:
        return [name for (_, _, other), name in self._names.items() if other == section]

    def _copy(self, node: dict[str, Any], target: _Target, type_: str, spot: _Spot) -> dict[str, Any]:
        siblings = {key: value for key, value in node.items() if key != "$ref"}
        if not isinstance(target.value, dict):
            self._refuse(
                spot, f"the target of $ref is no object but stands for a {type_}", "refer to an object"
            )
        if siblings.keys() & target.value.keys():
            self._refuse(
                spot, "keys beside $ref stand in the referenced object too", "keep them in one place"
            )
        with_copy = self._enter_copy(target, type_, spot)
        try:
            return {**self._object(self._stripped(target, type_), type_, with_copy), **siblings}
        finally:
            self._copying.pop()

    def _moved(self, target: _Target, type_: str, out: str) -> Any:
        self._weigh(target.value, _Spot(target.path, target.document, target.pointer, out))
        self.origins[out] = (target.document, target.pointer)
        spot = _Spot(target.path, target.document, target.pointer, out)
        return self._object(self._stripped(target, type_), type_, spot)

    def _stripped(self, target: _Target, type_: str) -> Any:
        """Leave out what makes a schema file a resource of its own: references now start at the whole."""
        value = target.value
        if type_ not in _SCHEMAS or not isinstance(value, dict) or not ({"$id", "$schema"} & value.keys()):
            return value
        drop = {"$id", "$schema"} if value.get("$schema") == default_dialect(self.document.root) else {"$id"}
        return {key: item for key, item in value.items() if key not in drop}

    def _enter_copy(self, target: _Target, what: str, spot: _Spot) -> _Spot:
        mark = (target.path, target.pointer, what)
        if mark in self._copying:
            hint = "let the recursion pass through a schema"
            self._refuse(spot, f"a {what} contains itself through files", hint)
        self._weigh(target.value, spot)
        self._copying.append(mark)
        self.origins[spot.out] = (target.document, target.pointer)
        return _Spot(target.path, target.document, target.pointer, spot.out)

    def _weigh(self, value: Any, spot: _Spot) -> None:
        """Count what copies add, so that a few small files cannot ask for an endless document."""
        stack = [value]
        while stack:
            node = stack.pop()
            self._weight += 1
            if self._weight > self.files.limits.nodes:
                place = spot.document.position(spot.pointer)
                raise LimitPassed("the whole has too many nodes", hint="split the contract", place=place)
            if isinstance(node, dict):
                stack.extend(node.values())
            elif isinstance(node, list):
                stack.extend(node)

    def _discriminator(self, node: dict[str, Any], spot: _Spot) -> dict[str, Any]:
        """Follow the references that a discriminator's mapping holds as plain strings (OpenAPI §4.8.25)."""
        mapping = node["discriminator"].get("mapping")
        if not isinstance(mapping, dict):
            return node
        new = {
            key: self._reference({"$ref": ref}, "schema", spot)["$ref"]
            if isinstance(ref, str) and _FILE_LIKE.search(ref)
            else ref
            for key, ref in mapping.items()
        }
        return (
            node if new == mapping else {**node, "discriminator": {**node["discriminator"], "mapping": new}}
        )

    def _target(self, ref: Any, spot: _Spot, type_: str) -> _Target | None:
        """Find what a reference names; None where it may stay as it is: local to the entry, a URN, or lost."""
        try:
            return self._named(ref, spot, type_)
        except ReferenceRefused as error:
            if self.lost is None:
                raise
            self.lost.append(error)
            return None

    def _named(self, ref: Any, spot: _Spot, type_: str) -> _Target | None:
        if not isinstance(ref, str):
            self._refuse(spot, "$ref is no string", "a reference is a string")
        name, _, rest = ref.partition("#")
        if ref.startswith(PREFIX) and type_ in _SCHEMAS:
            return None
        if _SCHEME.match(name):
            self._refuse(spot, f"{ref[:200]!r} points to the network", "copy the file beside the contract")
        if name.startswith(("/", "\\")) or "\x00" in unquote(name) or "?" in name:
            self._refuse(spot, f"{ref[:200]!r} is no relative path", "refer to files relative to this one")
        if not name and spot.path == self.entry:
            return None
        try:
            pointer = local_pointer("#" + rest)
            path = Path(os.path.normpath(spot.path.parent / unquote(name))) if name else spot.path
            document = self.files.read(path, spot.document.position(spot.pointer))
            # In the entry the target may only come to be while files are inlined; it is checked at the end.
            value = None if path == self.entry else resolve_pointer(document.root, pointer)
        except ReferenceRefused as error:
            place = spot.document.position(spot.pointer)
            raise ReferenceRefused(f"{ref[:200]!r}: {error.message}", hint=error.hint, place=place) from None
        return _Target(path, document, pointer, value)

    def _refuse(self, spot: _Spot, message: str, hint: str) -> NoReturn:
        raise ReferenceRefused(message, hint=hint, place=spot.document.position(spot.pointer))

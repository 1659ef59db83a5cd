"""Reads a ruleset, what it extends and its overrides; what Interlock does not do is refused with rule and line."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

from kernel.contract.document import Document, Limits, parse
from kernel.contract.positions import token
from kernel.errors import DocumentError, Place
from registry.lint.spectral.aliases import Aliases
from registry.lint.spectral.builtin import BUILTIN, RENAMED, stand_ins
from registry.lint.spectral.faults import Refused, RulesetInvalid
from registry.lint.spectral.rule_reading import Around, RuleReader
from registry.lint.spectral.ruleset import Exemption, Override, Ruleset, RulesetRule

LARGEST = 2 * 1024 * 1024  # bytes of one file
MOST_FILES = 50  # that extend each other
MOST_RULES = 1_000
_KEYS = frozenset({"rules", "extends", "aliases", "formats", "overrides", "description", "documentationUrl",
                   "parserOptions", "functions", "functionsDir", "except"})  # fmt: skip


def load_ruleset(file: Path, shown: str = "") -> Ruleset:
    """Read a ruleset file (YAML or JSON) with all that it extends; raises `RulesetInvalid` with rule and line.

    `shown` is what findings call it (default: the path), so that they read the same on every machine.
    """
    return _Loader().whole(file, shown or str(file))


class _Loader:
    def __init__(self) -> None:
        self._open: list[Path] = []
        self._files = 0

    def whole(self, file: Path, shown: str) -> Ruleset:
        """Read a file as the outermost one: only its overrides count."""
        document, root = self._read(file, shown)
        reader = _Reader(document, file, self, shown)
        rules = reader.rules(root, "")
        overrides, exemptions = (
            reader.overrides(root["overrides"], rules) if "overrides" in root else ((), {})
        )
        self._open.pop()
        return Ruleset(shown, file.resolve().parent.as_posix(), rules, overrides, exemptions)

    def extended(self, file: Path, shown: str) -> dict[str, RulesetRule]:
        """Give the rules of a file that another one extends; nothing where the two extend each other."""
        if file.resolve() in self._open:
            return {}
        document, root = self._read(file, shown)
        rules = _Reader(document, file, self, shown).rules(root, "")
        self._open.pop()
        return rules

    def builtin(self, name: str) -> dict[str, RulesetRule]:
        """Give the rules of a ruleset that Spectral brings, and those that rules of the house stand for."""
        document, root = self._read(BUILTIN[name], name)
        rules = _Reader(document, BUILTIN[name], self, name, ours=True).rules(root, "")
        self._open.pop()
        told = {rule.name: replace(rule, documentation=f"the rules of {name}") for rule in rules.values()}
        return {**told, **{one.name: one for one in stand_ins(root)}}

    def _read(self, file: Path, shown: str) -> tuple[Document, dict[str, Any]]:
        self._files += 1
        if self._files > MOST_FILES:
            raise RulesetInvalid(f"more than {MOST_FILES} rulesets extend each other", place=Place(shown))
        if file.suffix.lower() in (".js", ".mjs", ".cjs", ".ts"):
            raise RulesetInvalid(
                f"{file.name} is a program, and none is run",
                hint="write the ruleset in YAML or JSON",
                place=Place(shown),
            )
        try:
            document = parse(file.read_bytes(), name=shown, limits=Limits(bytes=LARGEST))
        except OSError as error:
            raise RulesetInvalid(
                f"the ruleset cannot be read: {error.strerror}",
                hint="name a file that exists",
                place=Place(shown),
            ) from None
        except DocumentError as error:
            raise RulesetInvalid(error.message, hint=error.hint, place=error.place) from None
        if not isinstance(document.root, dict):
            raise RulesetInvalid(
                "a ruleset is an object with `rules` or `extends`", place=document.position("")
            )
        self._open.append(file.resolve())
        return document, document.root


class _Reader:
    """Reads one file."""

    def __init__(
        self, document: Document, file: Path, loader: _Loader, shown: str, *, ours: bool = False
    ) -> None:
        self._document = document
        self._file = file
        self._loader = loader
        self._shown = shown
        self._rules = RuleReader(document, ours=ours)

    def _invalid(self, pointer: str, what: str, hint: str = "") -> RulesetInvalid:
        return self._rules.invalid(pointer, what, hint)

    def rules(
        self, root: dict[str, Any], at: str, known: Mapping[str, RulesetRule] | None = None
    ) -> dict[str, RulesetRule]:
        """Read `extends` and `rules` of a ruleset, or of an override, on top of what is known."""
        self._keys(root, at)
        found = dict(known or {})
        formats = self._rules.formats(root.get("formats"), f"{at}/formats")
        for pointer, name, choice in self._extends(root.get("extends"), f"{at}/extends"):
            found = {**found, **self._extended(pointer, name, choice), **(known or {})}
        ruleset = Around(self._aliases(root, at), formats, str(root.get("documentationUrl", "")))
        declared = root.get("rules", {})
        if not isinstance(declared, dict):
            raise self._invalid(f"{at}/rules", "`rules` is an object of names")
        for written, value in declared.items():
            pointer = f"{at}/rules{token(written)}"
            name = written if isinstance(value, dict) or written in found else RENAMED.get(written, written)
            found[name] = self._rules.read(name, value, pointer, found.get(name), ruleset)
            if len(found) > MOST_RULES:
                raise self._invalid(pointer, f"more than {MOST_RULES} rules")
        return found

    def _keys(self, root: dict[str, Any], at: str) -> None:
        for key in root:
            allowed = _KEYS | ({"files"} if at else frozenset())
            if key not in allowed and not key.startswith("x-"):
                raise self._invalid(f"{at}{token(key)}", f"`{key[:60]}` is not known here")
        for key in ("functions", "functionsDir"):
            if root.get(key):
                raise self._invalid(
                    f"{at}/{key}", "functions of one's own are JavaScript, which is never run",
                    "say it with the core functions, or ask for a house rule",
                )  # fmt: skip
        if root.get("except"):
            raise self._invalid(f"{at}/except", "`except` is no longer known", "write it as `overrides`")
        if not {"rules", "extends", "overrides"} & root.keys():
            raise self._invalid(at, "a ruleset has `rules`, `extends` or `overrides`")

    def _extends(self, value: Any, at: str) -> Iterator[tuple[str, str, str]]:
        """Give what is extended: pointer, name, and which rules are enabled."""
        if value is None:
            return
        if isinstance(value, str):
            yield at, value, ""
            return
        for index, item in enumerate(value if isinstance(value, list) else [None]):
            place = f"{at}/{index}"
            if isinstance(item, str):
                yield place, item, ""
            elif isinstance(item, list) and len(item) == 2 and isinstance(item[0], str):  # noqa: PLR2004 - name, choice
                if item[1] not in ("all", "recommended", "off"):
                    raise self._invalid(place, "what is extended is taken `all`, `recommended` or `off`")
                yield place, item[0], item[1]
            else:
                raise self._invalid(
                    place, "`extends` names rulesets: a text, or [text, all | recommended | off]"
                )

    def _extended(self, pointer: str, name: str, choice: str) -> dict[str, RulesetRule]:
        try:
            if name in BUILTIN:
                rules = self._loader.builtin(name)
            elif name.startswith(("spectral:", "http:", "https:", "npm:")) or "://" in name:
                raise self._invalid(
                    pointer, f"{name[:120]} is not on this machine, and nothing is fetched",
                    f"extend a file beside this one, or {' or '.join(sorted(BUILTIN))}",
                )  # fmt: skip
            elif not name.startswith((".", "/")) and not Path(name).suffix:
                raise self._invalid(
                    pointer,
                    f"{name[:120]} is a package, and none is installed",
                    "copy its ruleset beside this one",
                )
            else:
                rules = self._loader.extended(self._file.parent / name, self._beside(name))
        except Refused as error:
            raise self._invalid(pointer, error.what, error.hint) from None
        if not choice:
            return rules
        return {
            key: replace(rule, enabled=choice == "all" or (choice == "recommended" and rule.recommended))
            for key, rule in rules.items()
        }

    def _beside(self, name: str) -> str:
        """Say how a ruleset is called that this one extends."""
        folder = PurePosixPath(self._shown).parent
        return name if name.startswith("/") else posixpath.normpath(str(folder / name))

    def _aliases(self, root: dict[str, Any], at: str) -> Aliases:
        try:
            return Aliases.read(root.get("aliases"))
        except Refused as error:
            raise self._invalid(f"{at}/aliases", error.what, error.hint) from None

    def overrides(
        self, value: Any, rules: Mapping[str, RulesetRule]
    ) -> tuple[tuple[Override, ...], dict[str, tuple[Exemption, ...]]]:
        """Read overrides: rules for files of some globs, and other severities at pointers into some files."""
        if not isinstance(value, list) or not value:
            raise self._invalid("/overrides", "`overrides` is a list of {files, rules}")
        found: list[Override] = []
        exemptions: dict[str, tuple[Exemption, ...]] = {}
        known = dict(rules)
        for index, item in enumerate(value):
            at = f"/overrides/{index}"
            files = self._globs(item, at)
            pointed = ["#" in one for one in files]
            if any(pointed) and not all(pointed):
                raise self._invalid(
                    f"{at}/files", "globs with and without a pointer stand in one override", "write two"
                )
            if any(pointed):
                for name, more in self._exempted(item, at, files, known):
                    exemptions[name] = (*exemptions.get(name, ()), *more)
                continue
            change = partial(self._changed, item, at)
            known.update(change(rules))  # read now, so that what is wrong is told now
            found.append(Override(tuple(files), change))
        return tuple(found), exemptions

    def _changed(
        self, item: dict[str, Any], at: str, known: Mapping[str, RulesetRule]
    ) -> dict[str, RulesetRule]:
        return self.rules(item, at, known)

    def _globs(self, item: Any, at: str) -> list[str]:
        files = item.get("files") if isinstance(item, dict) else None
        if not isinstance(files, list) or not files or not all(isinstance(one, str) and one for one in files):
            raise self._invalid(f"{at}/files" if isinstance(item, dict) else at, "`files` is a list of globs")
        return files

    def _exempted(
        self, item: dict[str, Any], at: str, files: list[str], rules: Mapping[str, RulesetRule]
    ) -> Iterator[tuple[str, tuple[Exemption, ...]]]:
        declared = item.get("rules")
        if not isinstance(declared, dict) or item.keys() - {"files", "rules"}:
            raise self._invalid(at, "an override with pointers has `files` and `rules`, and nothing else")
        places = [(glob, where.rstrip("/")) for glob, _, where in (one.partition("#") for one in files)]
        for name, word in declared.items():
            pointer = f"{at}/rules{token(name)}"
            if name not in rules:
                raise self._invalid(pointer, "there is no such rule")
            severity = self._rules.severity(word, pointer)
            yield name, tuple(Exemption(glob, where, severity) for glob, where in places)

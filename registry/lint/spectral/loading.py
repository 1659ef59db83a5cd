"""Reads a ruleset, what it extends and its overrides; what Interlock does not do is refused with rule and line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from kernel.contract.document import Document, Limits, parse
from kernel.contract.finding import Severity
from kernel.contract.positions import token
from kernel.errors import DocumentError, Place
from registry.lint.spectral.aliases import Aliases
from registry.lint.spectral.builtin import BUILTIN, builtin_rules
from registry.lint.spectral.faults import Refused, RulesetInvalid
from registry.lint.spectral.formats import checked
from registry.lint.spectral.functions import FUNCTIONS
from registry.lint.spectral.options import check_options
from registry.lint.spectral.ruleset import SEVERITIES, Exemption, Override, Ruleset, RulesetRule, Then

LARGEST = 2 * 1024 * 1024  # bytes of one file
MOST_FILES = 50  # that extend each other
MOST_RULES = 1_000
_KEYS = frozenset({"rules", "extends", "aliases", "formats", "overrides", "description", "documentationUrl",
                   "parserOptions", "functions", "functionsDir", "except"})  # fmt: skip
_RULE_KEYS = frozenset({"given", "then", "severity", "message", "description", "documentationUrl", "recommended",
                        "resolved", "formats", "tags", "type", "extensions"})  # fmt: skip
_NUMBERS = {0: "error", 1: "warn", 2: "info", 3: "hint", -1: "off"}


def load_ruleset(file: Path) -> Ruleset:
    """Read a ruleset file (YAML or JSON) with all that it extends; raises `RulesetInvalid` with rule and line."""
    return _Loader().whole(file)


class _Loader:
    def __init__(self) -> None:
        self._open: list[Path] = []
        self._files = 0

    def whole(self, file: Path) -> Ruleset:
        """Read a file as the outermost one: only its overrides count."""
        document, root = self._read(file)
        reader = _Reader(document, file, self)
        rules = reader.rules(root, "")
        overrides: tuple[Override, ...] = ()
        if "overrides" in root:
            rules, overrides = reader.overrides(root["overrides"], rules)
        self._open.pop()
        return Ruleset(str(file), file.resolve().parent.as_posix(), rules, overrides)

    def extended(self, file: Path) -> dict[str, RulesetRule]:
        """Give the rules of a file that another one extends; nothing where the two extend each other."""
        if file.resolve() in self._open:
            return {}
        document, root = self._read(file)
        rules = _Reader(document, file, self).rules(root, "")
        self._open.pop()
        return rules

    def _read(self, file: Path) -> tuple[Document, dict[str, Any]]:
        self._files += 1
        if self._files > MOST_FILES:
            raise RulesetInvalid(f"more than {MOST_FILES} rulesets extend each other", place=Place(str(file)))
        if file.suffix.lower() in (".js", ".mjs", ".cjs", ".ts"):
            raise RulesetInvalid(
                f"{file.name} is a program, and none is run",
                hint="write the ruleset in YAML or JSON",
                place=Place(str(file)),
            )
        try:
            document = parse(file.read_bytes(), name=str(file), limits=Limits(bytes=LARGEST))
        except OSError as error:
            raise RulesetInvalid(
                f"the ruleset cannot be read: {error.strerror}",
                hint="name a file that exists",
                place=Place(str(file)),
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
    """Reads one file; every complaint carries its line."""

    def __init__(self, document: Document, file: Path, loader: _Loader) -> None:
        self._document = document
        self._file = file
        self._loader = loader

    def _invalid(self, pointer: str, what: str, hint: str = "") -> RulesetInvalid:
        name = (
            pointer.rsplit("/rules/", maxsplit=1)[-1].split("/", maxsplit=1)[0].replace("~1", "/")
            if "/rules/" in pointer
            else ""
        )
        said = f"the rule `{name[:80]}`: {what}" if name else what
        return RulesetInvalid(
            said,
            hint=hint or "docs/guide/lint.md says what rulesets may hold",
            place=self._document.position(pointer),
        )

    def rules(
        self, root: dict[str, Any], at: str, known: Mapping[str, RulesetRule] | None = None
    ) -> dict[str, RulesetRule]:
        """Read `extends` and `rules` of a ruleset, or of an override, on top of what is known."""
        self._keys(root, at)
        found = dict(known or {})
        formats = self._formats(root.get("formats"), f"{at}/formats")
        for pointer, name, choice in self._extends(root.get("extends"), f"{at}/extends"):
            found.update(self._extended(pointer, name, choice))
        aliases = self._aliases(root, at)
        declared = root.get("rules", {})
        if not isinstance(declared, dict):
            raise self._invalid(f"{at}/rules", "`rules` is an object of names")
        for name, value in declared.items():
            pointer = f"{at}/rules{token(name)}"
            found[name] = self._rule(name, value, pointer, found.get(name), aliases, formats)
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
                rules = builtin_rules(name)
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
                rules = self._loader.extended(self._file.parent / name)
        except Refused as error:
            raise self._invalid(pointer, error.what, error.hint) from None
        if not choice:
            return rules
        return {
            key: replace(rule, enabled=choice == "all" or (choice == "recommended" and rule.recommended))
            for key, rule in rules.items()
        }

    def _aliases(self, root: dict[str, Any], at: str) -> Aliases:
        try:
            return Aliases.read(root.get("aliases"))
        except Refused as error:
            raise self._invalid(f"{at}/aliases", error.what, error.hint) from None

    def _formats(self, value: Any, pointer: str) -> tuple[str, ...] | None:
        if value is None:
            return None
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise self._invalid(pointer, "`formats` is a list of names")
        try:
            return checked(tuple(value))
        except Refused as error:
            raise self._invalid(pointer, error.what, error.hint) from None

    def _rule(  # noqa: PLR0917 - what a rule stands in
        self,
        name: str,
        value: Any,
        pointer: str,
        known: RulesetRule | None,
        aliases: Aliases,
        formats: tuple[str, ...] | None,
    ) -> RulesetRule:
        if isinstance(value, dict):
            return self._defined(name, value, pointer, known, aliases, formats)
        if known is None:
            raise self._invalid(
                pointer, "no ruleset that is extended has such a rule", "write its `given` and `then`"
            )
        if isinstance(value, bool):
            return replace(known, enabled=value)
        severity = self._severity(value, pointer)
        return replace(known, severity=severity or known.severity, enabled=severity is not None)

    def _severity(self, value: Any, pointer: str) -> Severity | None:
        word = _NUMBERS.get(value) if isinstance(value, int) and not isinstance(value, bool) else value
        if not isinstance(word, str) or word not in SEVERITIES:
            raise self._invalid(pointer, f"a severity is one of {', '.join(SEVERITIES)}")
        return SEVERITIES[word]

    def _defined(  # noqa: PLR0917 - as above
        self,
        name: str,
        value: dict[str, Any],
        pointer: str,
        known: RulesetRule | None,
        aliases: Aliases,
        formats: tuple[str, ...] | None,
    ) -> RulesetRule:
        for key in value:
            if key not in _RULE_KEYS and not key.startswith("x-"):
                raise self._invalid(f"{pointer}{token(key)}", f"`{key[:60]}` is not known in a rule")
        if known is None and not {"given", "then"} <= value.keys():
            raise self._invalid(pointer, "a rule has `given` and `then`")
        rule = known or RulesetRule(name, (), (), formats=formats, place=self._document.position(pointer))
        changes: dict[str, Any] = {"enabled": True if known else value.get("recommended") is not False}
        try:
            if "given" in value:
                changes["given"] = aliases.targets(value["given"])
        except Refused as error:
            raise self._invalid(f"{pointer}/given", error.what, error.hint) from None
        if "then" in value:
            changes["then"] = tuple(self._then(value["then"], f"{pointer}/then"))
        if "severity" in value:
            changes["severity"] = self._severity(value["severity"], f"{pointer}/severity")
        if "formats" in value:
            changes["formats"] = self._formats(value["formats"], f"{pointer}/formats")
        for key, kind, attribute in (("message", str, "message"), ("description", str, "description"),
                                     ("documentationUrl", str, "documentation"), ("recommended", bool, "recommended"),
                                     ("resolved", bool, "resolved")):  # fmt: skip
            if key in value:
                if not isinstance(value[key], kind):
                    raise self._invalid(
                        f"{pointer}/{key}", f"`{key}` is a {'text' if kind is str else 'boolean'}"
                    )
                changes[attribute] = value[key]
        return replace(rule, **changes)

    def _then(self, value: Any, pointer: str) -> Iterator[Then]:
        listed = value if isinstance(value, list) else [value]
        for index, item in enumerate(listed):
            at = f"{pointer}/{index}" if isinstance(value, list) else pointer
            if not isinstance(item, dict) or not isinstance(item.get("function"), str):
                raise self._invalid(at, "`then` names a `function`")
            unknown = item.keys() - {"function", "functionOptions", "field"}
            if unknown:
                raise self._invalid(
                    f"{at}{token(min(unknown))}", f"`{min(unknown)[:60]}` is not known in `then`"
                )
            field = item.get("field")
            if field is not None and not isinstance(field, str):
                raise self._invalid(f"{at}/field", "`field` is a text")
            try:
                check_options(item["function"], item.get("functionOptions"))
                function = FUNCTIONS[item["function"]](item.get("functionOptions"))
                Aliases.check_field(field)
            except Refused as error:
                raise self._invalid(at, error.what, error.hint) from None
            yield Then(function, item["function"], field)

    def overrides(
        self, value: Any, rules: dict[str, RulesetRule]
    ) -> tuple[dict[str, RulesetRule], tuple[Override, ...]]:
        """Read overrides: those with pointers become exemptions of rules, the others rules for some files."""
        if not isinstance(value, list) or not value:
            raise self._invalid("/overrides", "`overrides` is a list of {files, rules}")
        found: list[Override] = []
        for index, item in enumerate(value):
            at = f"/overrides/{index}"
            files = item.get("files") if isinstance(item, dict) else None
            if (
                not isinstance(files, list)
                or not files
                or not all(isinstance(one, str) and one for one in files)
            ):
                raise self._invalid(
                    f"{at}/files" if isinstance(item, dict) else at, "`files` is a list of globs"
                )
            with_pointer = ["#" in one for one in files]
            if all(with_pointer):
                rules = self._exempted(item, at, files, rules)
            elif any(with_pointer):
                raise self._invalid(
                    f"{at}/files", "globs with and without a pointer stand in one override", "write two"
                )
            else:
                found.append(Override(tuple(files), self.rules(item, at, rules)))
        return rules, tuple(found)

    def _exempted(
        self, item: dict[str, Any], at: str, files: list[str], rules: dict[str, RulesetRule]
    ) -> dict[str, RulesetRule]:
        declared = item.get("rules")
        if not isinstance(declared, dict) or item.keys() - {"files", "rules"}:
            raise self._invalid(at, "an override with pointers has `files` and `rules`, and nothing else")
        made = dict(rules)
        for name, word in declared.items():
            pointer = f"{at}/rules{token(name)}"
            if name not in made:
                raise self._invalid(pointer, "there is no such rule")
            severity = self._severity(word, pointer)
            more = tuple(
                Exemption(glob, where.rstrip("/"), severity)
                for glob, _, where in (one.partition("#") for one in files)
            )
            made[name] = replace(made[name], exemptions=(*made[name].exemptions, *more))
        return made

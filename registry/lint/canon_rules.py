"""What canonical schemas say already: no copies of them, and no other spelling of their words."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from kernel.contract.positions import token
from kernel.errors import SchemaRefused
from kernel.schema.dialects import dialect_of
from registry.compat.containment import Answer, Comparer
from registry.compat.schema_side import Side
from registry.compat.schema_view import Node, Unreadable
from registry.lint.canon import CanonicalSchema
from registry.lint.reading import SCHEMAS, Hit, Subject, mapping
from registry.lint.rule import ALL, BOTH, INFO, WARNING, Rule
from registry.lint.words import folded, one_edit, words

FEWEST = 3  # properties of an object that is worth a schema of its own
MOST_COMPARED = 60  # pairs of a document and its canon that the prover looks at
SHORTEST = 7  # letters of a name in which one other letter is a slip rather than another word


@dataclass(frozen=True, slots=True)
class _Target:
    """An object of a canonical schema: its root, or one of its definitions."""

    schema: CanonicalSchema
    pointer: str
    names: frozenset[str]


class _Copies:
    """Compares the objects of a document with those of canonical schemas that have the same properties."""

    def __init__(self, subject: Subject) -> None:
        self._subject = subject
        self._comparer = Comparer(declared_only=False)
        self._sides: dict[str, Side] = {}
        self._left = MOST_COMPARED

    @cached_property
    def _targets(self) -> dict[frozenset[str], list[_Target]]:
        found: dict[frozenset[str], list[_Target]] = defaultdict(list)
        for schema in self._subject.canon.schemas:
            for pointer, node in _objects(schema.written):
                names = frozenset(mapping(node.get("properties")))
                if len(names) >= FEWEST:
                    found[names].append(_Target(schema, pointer, names))
        return found

    def found(self) -> Iterator[tuple[str, _Target, bool]]:
        """Give places, what has the same properties, and whether it takes the same values: proven both ways."""
        side = self._side("", self._subject.root)
        for part in self._subject.schemas if side and self._targets else ():
            node = mapping(part.node)
            alike = self._targets.get(frozenset(mapping(node.get("properties"))), [])
            if not alike or self._subject.is_embedded(part.pointer):
                continue
            try:
                here = side.at(part.pointer) if side else None
            except Unreadable:
                continue
            verdicts = [(target, self._equal(here, target)) for target in alike] if here else []
            best = next((row for row in verdicts if row[1]), verdicts[0] if verdicts else None)
            if best is not None and best[1] is not None:
                yield part.pointer, best[0], best[1]

    def _equal(self, here: Node, target: _Target) -> bool | None:
        """Whether two objects take the same values; None where that is not known."""
        side = self._side(target.schema.urn, target.schema.root)
        self._left -= 1
        if side is None or self._left < 0:
            return None
        try:
            there = side.at(target.pointer)
        except Unreadable:
            return None
        if self._comparer.same(here, there):
            return True
        answers = {
            self._comparer.contains(here, there).answer,
            self._comparer.contains(there, here).answer,
        }
        return True if answers == {Answer.YES} else False if Answer.NO in answers else None

    def _side(self, tag: str, root: object) -> Side | None:
        if tag not in self._sides:
            try:
                self._sides[tag] = Side(root, dialect_of(root), tag=tag or "document")
            except SchemaRefused:
                return None
        return self._sides[tag]


def _objects(root: dict[str, object]) -> Iterator[tuple[str, dict[str, object]]]:
    yield "", root
    for word in ("$defs", "definitions"):
        for name, node in mapping(root.get(word)).items():
            if isinstance(node, dict):
                yield f"/{word}{token(name)}", node


def copied_schemas(subject: Subject) -> Iterator[Hit]:
    """Find schemas that take exactly the values that a canonical schema takes."""
    for pointer, target, equal in subject.shared("copies", lambda: list(_Copies(subject).found())):
        if equal:
            yield Hit(
                pointer,
                f"a copy of {target.schema.title}{_place(target)}: {target.schema.urn}#{target.pointer}",
            )


def diverged_schemas(subject: Subject) -> Iterator[Hit]:
    """Find schemas with the properties of a canonical schema that do not take the same values."""
    for pointer, target, equal in subject.shared("copies", lambda: list(_Copies(subject).found())):
        if not equal:
            yield Hit(
                pointer,
                f"has the properties of {target.schema.title}{_place(target)}, and takes other values",
            )


def _place(target: _Target) -> str:
    return f" at #{target.pointer}" if target.pointer else ""


def drifted_names(subject: Subject) -> Iterator[Hit]:
    """Find properties and parameters that spell a word of the canon otherwise, or miss it by a letter."""
    vocabulary = subject.canon.vocabulary
    if not vocabulary:
        return
    by_start: dict[tuple[str, int], list[str]] = defaultdict(list)
    for one in vocabulary:
        by_start[one[:1], len(one)].append(one)
    told: set[str] = set()
    for pointer, name, form in _names(subject):
        key = folded(name)
        if name in told or len(key) < 2:  # noqa: PLR2004 - one letter says nothing
            continue
        spelled = vocabulary.get(key)
        if spelled is not None:
            meant = next(iter(spelled)) if form == "property" and name not in spelled else None
        else:
            meant = _near(name, key, by_start, vocabulary)
        if meant is not None:
            told.add(name)
            home = vocabulary[folded(meant)][meant]
            yield Hit(pointer, f"`{name[:80]}` is `{meant[:80]}` in {home}")


def _near(
    name: str, key: str, by_start: dict[tuple[str, int], list[str]], vocabulary: dict[str, dict[str, str]]
) -> str | None:
    """Give the one name of the canon that is a letter away, where that can be no word of its own."""
    if len(key) < SHORTEST or any(char.isdigit() for char in key):
        return None
    close = [
        one
        for length in (len(key) - 1, len(key), len(key) + 1)
        for one in by_start.get((key[:1], length), ())
        if one_edit(key, one) and not _inflected(key, one)
    ]
    if len(close) != 1:
        return None
    meant = next(iter(vocabulary[close[0]]))
    return None if _is_other_word(words(name), words(meant), vocabulary) else meant


def _inflected(first: str, second: str) -> bool:
    """Whether two names differ by their last letter or one more: plural, participle and other forms of a word."""
    longer, shorter = (first, second) if len(first) > len(second) else (second, first)
    return longer.startswith(shorter) or first[:-1] == second[:-1]


def _is_other_word(
    said: tuple[str, ...], meant: tuple[str, ...], vocabulary: dict[str, dict[str, str]]
) -> bool:
    """Whether the words that differ are too short to be slips, or words of the canon themselves."""
    if len(said) != len(meant):
        return False
    differing = [(one, other) for one, other in zip(said, meant, strict=True) if one != other]
    return any(len(one) < SHORTEST - 1 or one in vocabulary for one, _ in differing)


def twice_spelled_names(subject: Subject) -> Iterator[Hit]:
    """Find properties whose name stands elsewhere in the same document in another spelling."""
    spelled: dict[str, str] = {}
    told: set[str] = set()
    for pointer, name, form in _names(subject):
        key = folded(name)
        if form != "property" or len(key) < 4 or name in told:  # noqa: PLR2004 - `id` and `ID` are habits
            continue
        first = spelled.setdefault(key, name)
        if first != name:
            told.add(name)
            yield Hit(pointer, f"`{name[:80]}` is spelled `{first[:80]}` elsewhere in this document")


def _names(subject: Subject) -> Iterator[tuple[str, str, str]]:
    """Give the names of a document that stand for values: pointer, name, `property` or `parameter`."""
    for part in subject.parts:
        if part.type in SCHEMAS and not subject.is_embedded(part.pointer):
            for name in mapping(mapping(part.node).get("properties")):
                if name.startswith("_"):  # FHIR and others mark a second thing so
                    continue
                yield f"{part.pointer}/properties{token(name)}", name, "property"
        elif part.type == "parameter" and isinstance(mapping(part.node).get("name"), str):
            yield part.pointer, part.node["name"], "parameter"


# The canonical schema `ward` of the examples: kind, number and floor, closed.
_SHAPE = (
    "type: object, additionalProperties: false, properties: {wardKind: {type: string, maxLength: 9}, "
    "number: {type: integer}, floor: {type: integer}}"
)


def _component(shape: str) -> str:
    return f"# canonical schema ward 1.0.0: {{{_SHAPE}}}\ncomponents: {{schemas: {{Place: {{{shape}}}}}}}"


def _property(name: str) -> str:
    return f"# canonical schema ward 1.0.0: {{{_SHAPE}}}\ntype: object\nproperties: {{{name}: {{type: integer}}}}"


CANON_RULES: tuple[Rule, ...] = (
    Rule(
        "schema-copied", WARNING, BOTH,
        "A copy stays as it is when the canonical schema changes, and two truths are kept.",
        "Refer to the canonical schema by its registry URN.",
        good=_component("type: object, properties: {bed: {type: integer}}"),
        bad=_component(_SHAPE), find=copied_schemas,
    ),
    Rule(
        "schema-diverged", INFO, BOTH,
        "It looks like the canonical schema and is not: values pass here that are refused there, or the reverse.",
        "Refer to the canonical schema, or give it names of its own.",
        good=_component(_SHAPE), bad=_component(_SHAPE.replace("maxLength: 9", "maxLength: 99")),
        find=diverged_schemas,
    ),
    Rule(
        "name-drift", WARNING, ALL,
        "patientID, patient_id and patientId are three fields to every program, and one to every reader.",
        "Spell it as the canonical schema does.",
        good=_property("wardKind"), bad=_property("ward_kind"), find=drifted_names,
    ),
    Rule(
        "name-spelled-twice", INFO, ALL,
        "Two spellings of one name in one document: callers send the wrong one, and it is not read.",
        "Choose one spelling.",
        good="type: object\nproperties: {orderedAt: {type: integer}}",
        bad=(
            "type: object\nproperties: {orderedAt: {type: integer}, "
            "previous: {type: object, properties: {ordered_at: {type: integer}}}}"
        ),
        find=twice_spelled_names,
    ),
)  # fmt: skip

"""Compares the messages that travel one way at one address: who takes the place of whom, and who is broken.

A message is known again by its name, or else by what it says, so that a new name breaks nobody. Each
message that may be written (old ones that we receive, new ones that we send) must be one that is read.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, cast

from kernel.contract.finding import Finding
from registry.compat.asyncapi_judging import LIKE, Judging
from registry.compat.asyncapi_sides import EventJournal, Part, Pointers, turned
from registry.compat.asyncapi_whole import Scene, Unit, Whole, media_of
from registry.compat.containment import Answer
from registry.compat.rules import BY_ID

if TYPE_CHECKING:
    from kernel.contract.exchange import MessageExchange

_RIVALS = "Another message of the address, which did not change, would take it for its own."
MOST_KIN = 8  # messages of other names that one is compared with
Pair = tuple[Unit, Unit]  # of the old and of the new document


@dataclass(slots=True)
class Messages:
    """One comparison: the old and the new messages of one scene."""

    journal: EventJournal
    whole: Whole
    scene: Scene
    old: Sequence[Unit]
    new: Sequence[Unit]
    pairs: list[Pair] = field(default_factory=list)
    _judging: Judging = field(init=False)

    def __post_init__(self) -> None:
        self._judging = Judging(self.journal, self.scene.way)

    @property
    def accepts(self) -> bool:
        """Whether the application receives here: then the old messages are those that are written."""
        return self._judging.accepts

    def compare(self) -> list[Pair]:
        """Note what changed; gives which message of the old document became which of the new."""
        silent = [[unit for unit in side if unit.unsaid] for side in (self.old, self.new)]
        if any(silent):
            self._silent(*silent)
            self.old, self.new = ([unit for unit in side if not unit.unsaid] for side in (self.old, self.new))
        if not any(silent) or (self.old and self.new):
            self._told()
        return self.pairs

    def _silent(self, old: Sequence[Unit], new: Sequence[Unit]) -> None:
        """Pair operations of which no messages are told, and note where only one version tells them."""
        for unit in old or self.old[:1]:
            others = new or self.new
            same = (
                one
                for one in others
                if one.operation and unit.operation and one.operation.key == unit.operation.key
            )
            self.pairs.append((unit, next(same, others[0])))
        if not (old and new):
            at = (old or self.old)[0].message.pointer, (new or self.new)[0].message.pointer
            what = "only one of the documents says which messages travel here"
            self.journal.note("messages-undecided", self.scene.label, what, at=at, way=self.scene.way)

    def _told(self) -> None:
        inner, outer = (self.old, self.new) if self.accepts else (self.new, self.old)
        left = dict(enumerate(inner))
        used: set[int] = set()
        for choose in (self._named, self._contained, self._similar):
            for index, unit in list(left.items()):
                taken = choose(unit, outer, used)
                if taken is not None:
                    used |= set(taken)
                    del left[index]
        for unit in left.values():
            self._lonely(unit, written=True)
        for index, unit in enumerate(outer):
            if index not in used and not self._repeats(unit):
                self._lonely(unit, written=False)

    def _repeats(self, unit: Unit) -> bool:
        """Whether another operation has the same message, which was found; this one matters for its reply only."""
        side = 1 if self.accepts else 0
        found = [pair for pair in self.pairs if pair[side].message.pointer == unit.message.pointer]
        if unit.operation is not None and unit.operation.reply is not None:
            self.pairs += [(pair[0], unit) if self.accepts else (unit, pair[1]) for pair in found]
        return bool(found)

    def _named(self, unit: Unit, outer: Sequence[Unit], used: set[int]) -> list[int] | None:
        """Take the message of the same name, whatever became of it."""
        del used
        found = [index for index, other in enumerate(outer) if unit.names & other.names]
        if self._alone and not (unit.names and outer[0].names):
            found = [0]  # the only one, and one of them has no name that could be another
        if not found:
            return None
        best = min(found, key=lambda index: self._strange(unit, outer[index]))
        self._settle(unit, outer[best], outer)
        return [best]

    def _strange(self, unit: Unit, other: Unit) -> tuple[bool, bool]:
        """Rank a message of the same name: one that is read so first, then that of the same operation."""
        keys = [one.operation.key if one.operation else None for one in (unit, other)]
        return self._judging.judge(unit, other).answer is not Answer.YES, keys[0] != keys[1]

    def _contained(self, unit: Unit, outer: Sequence[Unit], used: set[int]) -> list[int] | None:
        """Take a message of another name that is read as this one was, or several that together are.

        Only what is much like it is taken for the same: objects that forbid nothing take almost any message.
        """
        kin = [index for index, other in enumerate(outer) if self._kin(unit, other)]
        kin.sort(key=lambda index: (index in used, -self._judging.likeness(unit, outer[index]), index))
        for index in kin[:MOST_KIN]:
            if self._judging.judge(unit, outer[index]).answer is Answer.YES:
                self._settle(unit, outer[index], outer)
                return [index]
        together, findings = self._judging.together(unit, outer)
        for index in together:
            self._pair(unit, outer[index])
        where = f"{self.scene.label}: {unit.label}"
        for found in findings:
            self.journal.add(replace(found, what=found.what.replace("{where}", f"{where}, payload")), where)
        return together or None

    def _similar(self, unit: Unit, outer: Sequence[Unit], used: set[int]) -> list[int] | None:
        """Take a message of another name that has much in common, where nobody else took it: it changed."""
        free = [index for index in range(len(outer)) if index not in used]
        likeness = {index: self._judging.likeness(unit, outer[index]) for index in free}
        best = max(free, key=lambda index: likeness[index], default=None)
        if best is None or not (likeness[best] >= LIKE or self._alone):
            return None
        if not self._kin(unit, outer[best]) and self._judging.judge(unit, outer[best]).answer is Answer.YES:
            return None  # it would pass for the other without being it
        self._settle(unit, outer[best], outer)
        return [best]

    @property
    def _alone(self) -> bool:
        """Whether there is one message on either side."""
        return len(self.old) == len(self.new) == 1

    def _kin(self, unit: Unit, other: Unit) -> bool:
        """Whether a message of another name says much the same: alike in its properties, or equal."""
        return self._judging.likeness(unit, other) >= LIKE or self._judging.equal(
            unit, other, bare=self._alone
        )

    def _pair(self, unit: Unit, other: Unit) -> Pair:
        pair = (unit, other) if self.accepts else (other, unit)
        if pair not in self.pairs:
            self.pairs.append(pair)
        return pair

    def _settle(self, unit: Unit, other: Unit, outer: Sequence[Unit]) -> None:
        """Keep what was found of a pair."""
        old, new = self._pair(unit, other)
        at = (old.message.pointer, new.message.pointer)
        self._content(old, new, at)
        if old.names and new.names and not old.names & new.names:
            self.journal.note(
                "event-renamed", self.scene.label, f"{old.label} is called {new.label} now",
                at=at, way=self.scene.way,
            )  # fmt: skip
        where = f"{self.scene.label}: {new.label}"
        for part, found in self._judging.judge(unit, other).findings:
            named = replace(found, what=found.what.replace("{where}", f"{where}, {part}"))
            self.journal.add(self._confirmed(named, part, (unit, other), outer), where)

    def _content(self, old: Unit, new: Unit, at: Pointers) -> None:
        """Judge the content types of a pair; one that nobody wrote is JSON to us, and unknown to others."""
        if media_of(old.message) == media_of(new.message):
            return
        types = old.message.content_type, new.message.content_type
        written = None not in types
        kinds = {media_of(old.message), media_of(new.message)}
        json = all(kind == "application/json" or kind.endswith("+json") for kind in kinds)
        rule = "message-content-type-changed" if written and not json else "message-content-type-undecided"
        unit, api = (old, self.journal.old) if self.accepts else (new, self.journal.new)
        self.journal.note(
            rule, self.scene.label, f"the content type of {new.label} {turned(*types)}", at=at, way=self.scene.way,
            before=types[0], after=types[1],
            exchange=self.whole.written(api, self.scene, unit) if rule == "message-content-type-changed" else None,
        )  # fmt: skip

    def _confirmed(self, found: Finding, part: Part, ends: Pair, outer: Sequence[Unit]) -> Finding:
        """Put the witness into a whole message, which no declared message of the other version may take.

        `ends` are the message that is written and the one that should read it.
        """
        if not found.has_witness:
            return found
        unit = ends[0]
        api, media = self._judging.api(inner=True), media_of(unit.message)
        other: Part = "headers" if part == "payload" else "payload"
        rest = self.whole.plain(api, unit.message, other)
        if not rest:
            return _undecided(found, "inclusion-undecided", f"no {other} could be written beside the witness")
        headers, payload = (rest[0], found.witness) if part == "payload" else (found.witness, rest[0])
        readers = [one for one in outer if media_of(one.message) == media]
        refused = self.whole.refused(self._judging.api(inner=False), readers, media, headers, payload)
        if not (refused and self.whole.takes(api, unit.message, media, headers, payload)):
            shown = self._other_witness(part, ends, readers)
            if shown is not None:
                headers, payload = shown
                found = replace(found, witness=payload if part == "payload" else headers)
            elif not self._unmoved_rivals(ends, readers, headers, payload):
                return _undecided(found, "message-taken-for-another", "")
            else:
                found = replace(found, why=f"{found.why} {_RIVALS}")
        found = replace(found, exchange=self.scene.exchange(unit.message, headers, (payload,)))
        return self._beside(found, part, ends)

    def _unmoved_rivals(self, ends: Pair, readers: Sequence[Unit], headers: Any, payload: Any) -> bool:
        """Whether the name stayed, and only messages that are the same in both versions take what it lost.

        Then nothing moved to another message, and what is called so is refused as such.
        """
        written, read = ends
        inner, api = self.old if self.accepts else self.new, self._judging.api(inner=False)
        rivals = self.whole.takers(api, readers, media_of(written.message), headers, payload)
        same = self._judging.equal
        return bool(written.names & read.names and rivals) and all(
            any(one.names & rival.names and same(one, rival, bare=False) for one in inner) for rival in rivals
        )

    def _other_witness(self, part: Part, ends: Pair, readers: Sequence[Unit]) -> tuple[Any, Any] | None:
        """Look for another whole message that shows the same break, where a rival takes the first."""
        read = self._judging.schema(ends[1], part, inner=False)
        accepts = self.journal.comparer.accepts(read) if read else None
        apis = self._judging.api(inner=True), self._judging.api(inner=False)
        for headers, payload in self.whole.of_one(apis, ends[0], readers):
            if accepts and not accepts(payload if part == "payload" else headers):
                return headers, payload
        return None

    def _beside(self, found: Finding, part: Part, ends: Pair) -> Finding:
        """Show the nearest value that both versions take, and what lies between."""
        written, read = (
            self._judging.schema(ends[0], part, inner=True),
            self._judging.schema(ends[1], part, inner=False),
        )
        near = self.journal.comparer.nearest(read, found.witness, written) if read else None
        if near is None:
            return found
        given = found.exchange or {}
        whole = {**given, "headers": near.value} if part == "headers" else {**given, "payload": near.value}
        return replace(
            found, nearest=near.value, has_nearest=True, difference=near.difference,
            nearest_exchange=cast("MessageExchange", whole),
        )  # fmt: skip

    def _lonely(self, unit: Unit, *, written: bool) -> None:
        """Judge a message that only one of the versions has."""
        journal, scene = self.journal, self.scene
        gone = written is self.accepts  # an old message, which nothing took over
        if not gone and self.accepts:
            journal.note(
                "message-added", scene.label, f"{unit.label} is taken too",
                at=(None, unit.message.pointer), way=scene.way,
            )  # fmt: skip
            return
        ends = (journal.old, journal.new) if gone else (journal.new, journal.old)
        found = self.whole.of_one_only(ends, unit, self.new if gone else self.old)
        at = (unit.message.pointer, None) if gone else (None, unit.message.pointer)
        rule = "message-removed" if gone else "message-newly-sent"
        what = f"{unit.label} was removed" if gone else f"{unit.label} is sent now"
        if found is None:
            rule, what = "message-taken-for-another", f"{what}, and no message shows that it matters"
        if not isinstance(found, tuple):
            journal.note(rule, scene.label, what, at=at, way=scene.way)
            return
        headers, payload = found
        exchange = scene.exchange(unit.message, headers, (payload,))
        journal.note(rule, scene.label, what, at=at, way=scene.way, exchange=exchange, witness=(payload,))


def _undecided(found: Finding, rule_id: str, reason: str) -> Finding:
    """Take the break back where the whole message does not show it."""
    rule = BY_ID[rule_id]
    why = f"{rule.why} ({reason})" if reason else rule.why
    return found.under(rule, why=why, witness=None, has_witness=False, exchange=None)

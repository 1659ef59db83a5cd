"""Weighs what oasdiff says of an OpenAPI change against what was found and proven here.

oasdiff says        our comparison of the same place says           the finding becomes
INFO                anything                                        safe
ERR or WARN         breaking, with a witness or by a rule           breaking, risky
ERR or WARN         proven harmless (schemas, security, forms)      safe
ERR or WARN         not known, or nothing                           undecided

A row that repeats one of our findings is no finding of its own: it is named there as agreeing. What is safe
about a component is told once for each operation, however many ways lead to the component there.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kernel.contract.finding import Finding, Severity
from kernel.contract.positions import token
from kernel.operation.message import IGNORED_HEADERS
from registry.compat.agreement import repeated
from registry.compat.containment import Answer
from registry.compat.examples import without_examples
from registry.compat.oasdiff import Opinion, ask
from registry.compat.openapi_journal import Journal
from registry.compat.rules import BY_ID
from registry.compat.schema_change import follow
from registry.compat.schema_view import Node

if TYPE_CHECKING:
    from kernel.settings import Settings

_TABLE = Path(__file__).with_name("oasdiff_rules.json")
_LEVELS = {3: Severity.BREAKING, 2: Severity.RISKY, 1: Severity.SAFE}
_QUOTED = re.compile(r"`([^`]*)`")
# Areas where our own comparison is exact, so that its silence counts as a proof.
_EXACT_AREAS = frozenset({"security"})
_OF_SCHEMAS = frozenset({"constraints", "type", "values"})
# What is said of the schema of a body as a whole, or of how a header's or parameter's values are typed.
_SCHEMA_RULES = re.compile(
    r".*-(media-type-(item-)?schema|content-encoding|content-media-type)-.*"
    r"|(request-parameter|request-header|response-header)-.*became-(not-)?nullable"
)
_EXACT_RULES = re.compile(r"(request-body|response)-media-type-.*|response-(non-)?success-status-.*")
_WAY = re.compile(r"`[^`]*(\[#/components/[^`\]]*\])")  # to the innermost component that a path names

Row = Mapping[str, Any]  # of oasdiff's output


def ask_oasdiff(
    old: Any, new: Any, settings: Settings | None, begun: Callable[[], None] = lambda: None
) -> Opinion:
    """Ask about promises, not examples; documents of different OpenAPI versions are brought to the newer one first.

    `begun` is called when the program runs.
    """
    upgrade = str(old.get("openapi"))[:3] != str(new.get("openapi"))[:3]
    return ask(without_examples(old), without_examples(new), settings, upgrade=upgrade, begun=begun)


def weighed(journal: Journal, opinion: Opinion) -> tuple[list[Finding], dict[str, str]]:
    """Give oasdiff's findings, weighed, and the versions of what was asked."""
    engines = {"oasdiff": opinion.version, "oasdiff-rules": catalogue()[1]} if opinion.version else {}
    if opinion.trouble:
        return [_trouble(opinion)], engines
    found: list[Finding] = []
    for rows in _by_change(row for row in opinion.findings if not _ours(row)):
        nearest = min(rows, key=lambda row: (len(str(row.get("text"))), str(row.get("text"))))
        told = _weighed(journal, nearest, opinion.version)
        if told.severity is Severity.SAFE:
            ways = len({str(row.get("text")) for row in rows}) - 1
            more = (
                f" (and at {ways} more place{'s' if ways > 1 else ''} with the same schema)" if ways else ""
            )
            found += _told(journal, nearest, replace(told, what=told.what + more))
        else:  # whoever accepts one place does not accept the others
            for row in rows:
                found += _told(journal, row, _weighed(journal, row, opinion.version))
    return found, engines


def _by_change(rows: Iterable[Row]) -> Iterable[list[Row]]:
    """Put rows together that say the same of the same component of an operation, reached on several ways."""
    found: dict[tuple[str, ...], list[Row]] = {}
    for row in rows:
        said = [str(row.get(key, "")) for key in ("id", "level", "operation", "path", "comment")]
        found.setdefault((*said, _WAY.sub(r"`\1", str(row.get("text", "")))), []).append(row)
    return found.values()


def _told(journal: Journal, row: Row, weighed_row: Finding) -> list[Finding]:
    """Give the finding of a row, or note at ours that oasdiff says so too."""
    key = repeated(journal, row, weighed_row.severity)
    if key is None:
        return [weighed_row]
    ours = journal.findings[key]
    journal.findings[key] = replace(ours, agreed=tuple(sorted({*ours.agreed, weighed_row.rule})))
    return []


def _ours(row: Row) -> bool:
    """Whether a row is judged here alone: webhooks (oasdiff reads them as calls to us), numbers, dates, levels.

    Headers that OpenAPI tells to ignore (§Parameter Object, §Response Object) promise nothing.
    What oasdiff says of sunsets it says by the clock of this machine; ours is judged on a date that is given.
    """
    name = str(row["id"])
    if str(row.get("path", "")).startswith("webhook:") or "version" in name.split("-"):
        return True
    area, kind = catalogue()[0].get(name, ("", ""))
    quoted = {text.lower() for text in _QUOTED.findall(str(row.get("text", "")))}
    if area == "parameters" and "header" in quoted and quoted & IGNORED_HEADERS:
        return True
    if area == "headers" and "content-type" in quoted:
        return True
    return kind == "lifecycle" or name.endswith(("-before-sunset", "-removed-with-deprecation"))


def _trouble(opinion: Opinion) -> Finding:
    rule = BY_ID[opinion.trouble]
    return Finding.of(rule, "", opinion.detail, base_pointer="")


def _weighed(journal: Journal, row: Row, version: str) -> Finding:
    name = str(row["id"])
    claimed = _LEVELS.get(row.get("level", 3), Severity.BREAKING)
    scope = (str(row.get("operation", "")), str(row.get("path", "")))
    answers = list(_answers(journal, scope, name, str(row.get("text", ""))))
    severity, why = claimed, str(row.get("comment") or "")
    if claimed is not Severity.SAFE:
        severity, why = _judge(journal, scope, name, claimed, [answer for answer, _ in answers])
    return Finding(
        f"oasdiff/{name}",
        severity,
        _pointer(journal, scope, str(row.get("text", "")), answers),
        str(row.get("text", name)),
        why=why,
        remedy="" if severity is Severity.SAFE else BY_ID["value-no-longer-accepted"].remedy,
        after=_QUOTED.findall(str(row.get("text", ""))) or None,
        engine="oasdiff",
        engine_version=version,
        direction={"re": None, "request": "accepts", "response": "emits"}.get(
            name.replace("new-", "").split("-")[0]
        ),
    )


def _judge(  # noqa: PLR0911 - one return for each row of the table above
    journal: Journal, scope: tuple[str, str], name: str, claimed: Severity, answers: list[Answer]
) -> tuple[Severity, str]:
    """Decide what a claim of ERR or WARN is worth."""
    area, kind = catalogue()[0].get(name, ("", ""))
    of_values = area in {"headers", "parameters"} and kind in _OF_SCHEMAS
    if area == "schema" or of_values or _SCHEMA_RULES.fullmatch(name):
        if Answer.NO in answers:
            return claimed, "A witness of the same place confirms it."
        if answers and all(answer is Answer.YES for answer in answers):
            if name == "request-property-removed" and scope in journal.dropped:
                return Severity.RISKY, BY_ID["property-ignored"].why
            return Severity.SAFE, "It is proven for this place that nobody is broken."
        return Severity.UNDECIDED, BY_ID["engine-disagrees"].why
    if scope in journal.troubled:
        return claimed, "Our own comparison of the operation says so too."
    if area in _EXACT_AREAS or _EXACT_RULES.fullmatch(name):
        return Severity.SAFE, "Our own comparison shows that every caller is still served."
    return Severity.UNDECIDED, BY_ID["engine-disagrees"].why


def _answers(journal: Journal, scope: tuple[str, str], name: str, text: str) -> Iterable[tuple[Answer, Node]]:
    """Give what was found for the schemas that a rule of oasdiff speaks of."""
    quoted = _QUOTED.findall(text)
    for area, found in journal.answers.get(scope, {}).items():
        word, _, rest = area.partition(" ")
        if word == "parameter":
            speaks = ("parameter" in name or "header-property" in name) and rest.lower() in [
                q.lower() for q in quoted
            ]
        elif word == "header":
            speaks = "header" in name and rest.split(" ")[0] in [q.lower() for q in quoted]
        elif word == "response":
            statuses = [q for q in quoted if re.fullmatch(r"[1-5]([0-9]{2}|[xX]{2})|default", q)]
            speaks = "response" in name and (not statuses or rest in [s.lower() for s in statuses])
        else:
            speaks = "request" in name and "parameter" not in name
        if speaks:
            yield from found


def _pointer(journal: Journal, scope: tuple[str, str], text: str, answers: list[tuple[Answer, Node]]) -> str:
    """Give the place in the new document, as near as the words of oasdiff allow."""
    for quoted in _QUOTED.findall(text):
        steps = tuple(
            "*" if step in {"items", "additionalProperties"} else step for step in quoted.split("/") if step
        )
        for _, node in answers:
            end = follow(node, steps)
            if steps and end.pointer != node.pointer and end.pointer.endswith(token(steps[-1])):
                return end.pointer
    if answers:
        return answers[0][1].pointer
    method, path = scope
    pointer = f"/paths{token(path)}" if path else ""
    item = (journal.new.root.get("paths") or {}).get(path, {})
    return f"{pointer}/{method.lower()}" if isinstance(item, dict) and method.lower() in item else pointer


@lru_cache(maxsize=1)
def catalogue() -> tuple[dict[str, tuple[str, str]], str]:
    """Give area and kind of each rule of the pinned oasdiff, and the digest of its catalogue."""
    data = _TABLE.read_bytes()
    rows = json.loads(data)
    return {name: (row[1], row[2]) for name, row in rows.items()}, f"sha256:{sha256(data).hexdigest()}"


@lru_cache(maxsize=1)
def _levels() -> dict[str, Severity]:
    words = {"error": Severity.BREAKING, "warning": Severity.RISKY, "info": Severity.SAFE}
    rows = json.loads(_TABLE.read_bytes())
    return {name: words[row[0]] for name, row in rows.items()}


def level_of(name: str) -> Severity | None:
    """Give the severity that the pinned oasdiff has for a rule, None where it has no such rule."""
    return _levels().get(name)

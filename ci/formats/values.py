"""JSON values as reports show them: witnesses, whole exchanges, what changed; numbers keep all their digits."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from ci.formats.safe_text import visible
from kernel.contract.digest import canonical_bytes
from kernel.contract.exchange import Exchange
from kernel.contract.finding import Edit, Finding
from kernel.errors import InterlockError


def on_one_line(value: Any, most: int = 300) -> str:
    """Write a JSON value on one line, cut where it is long."""
    return visible("".join(_json(value, None, ascii_only=False)), most)


def pretty(value: Any) -> list[str]:
    """Write a JSON value over lines, two blanks for each level, keys as they come."""
    return "".join(_json(value, 0, ascii_only=False)).split("\n")


def json_document(value: Any) -> str:
    """Write a JSON document in ASCII, so that nothing in it acts on a terminal; numbers keep all their digits."""
    return "".join(_json(value, 0, ascii_only=True)) + "\n"


def _json(value: Any, depth: int | None, *, ascii_only: bool) -> Iterator[str]:
    if not isinstance(value, Mapping | list | tuple):
        yield _scalar(value, ascii_only=ascii_only)
        return
    brackets = ("{", "}") if isinstance(value, Mapping) else ("[", "]")
    yield brackets[0]
    inner = None if depth is None else depth + 1
    for index, item in enumerate(value):
        yield ("," if index else "") + (" " if inner is None and index else _break(inner))
        if isinstance(value, Mapping):
            yield f"{_scalar(str(item), ascii_only=ascii_only)}: "
            yield from _json(value[item], inner, ascii_only=ascii_only)
        else:
            yield from _json(item, inner, ascii_only=ascii_only)
    yield (_break(depth) if value else "") + brackets[1]


def _break(depth: int | None) -> str:
    return "" if depth is None else "\n" + "  " * depth


def _scalar(value: Any, *, ascii_only: bool) -> str:
    if isinstance(value, Decimal | int | float) and not isinstance(value, bool):
        try:
            return canonical_bytes(value).decode()
        except InterlockError:
            return json.dumps(str(value))
    text = json.dumps(value, ensure_ascii=ascii_only, default=str)
    # The same string to whoever reads JSON, and no command (##[…], ##vso[…]) to a log that it is printed into.
    return text.replace("##", "\\u0023#") if ascii_only else text


_SAID = frozenset({"version-removed", "waiver-expired", "waiver-stale"})  # the sentence says it already
_DIGEST = re.compile(r"\b(sha256:[0-9a-f]{12})[0-9a-f]{52}\b")


_BEFORE = 20  # characters that are shown before two long values part


def _digest_in_short(text: str) -> str:
    return _DIGEST.sub(r"\1…", text)


def change(finding: Finding, most: int = 120) -> str:
    """Write what stood there and what stands there now, where a finding has both."""
    ends = (finding.before, finding.after)
    if finding.rule in _SAID or finding.engine == "oasdiff" or all(map(_said, ends)):
        return ""
    bare = tuple(map(_bare, ends))
    told = ends if bare[0] == bare[1] else bare
    texts = ["".join(_json(one, None, ascii_only=False)) for one in told]
    pairs = enumerate(zip(*texts, strict=False))
    shared = next((index for index, (one, other) in pairs if one != other), min(map(len, texts)))
    # Of long values the beginning that both have tells nothing: begin shortly before they part.
    start = shared - _BEFORE if shared > 2 * _BEFORE and max(map(len, texts)) > most else 0
    begin = "…" if start else ""
    return " → ".join(begin + _digest_in_short(visible(text[start:], most)) for text in texts)


def _said(value: Any) -> bool:
    """Whether the sentence says it already: nothing, or which parameter it is that came or went."""
    return value is None or (isinstance(value, Mapping) and value.keys() == {"in", "name"})


def _bare(value: Any) -> Any:
    """Give the value alone where a finding binds it to the digest of its schema."""
    return value["value"] if isinstance(value, Mapping) and value.keys() == {"value", "schema"} else value


def sides(finding: Finding) -> str:
    """Say who takes a witness and who refuses it."""
    if finding.direction == "answered":
        return "the contract does not have it so"
    if finding.direction == "application-emits":
        return "the application may send this, the contract never does"
    if (finding.direction or "").startswith("application-"):
        return "the contract takes this, the application refuses it"
    if finding.direction == "emits":
        return "the new version may send this, the earlier one never did"
    return "the earlier version takes this, the new one refuses it"


def exchange_lines(exchange: Exchange) -> list[str]:
    """Write a request, answer or message as one would see it on the wire."""
    told: Mapping[str, Any] = exchange
    match told.get("kind"):
        case "request":
            query = f"?{told['query']}" if told.get("query") else ""
            lines = [f"{told.get('method', '')} {told.get('path', '')}{query}"]
        case "response":
            lines = [f"{told.get('status', '')} (answer to {told.get('operation', '')})"]
        case _:
            lines = [f"{told.get('action', 'message')} {told.get('address', '')}"]
    lines += [f"{name}: {value}" for name, value in (told.get("headers") or {}).items()]
    if told.get("content_type"):
        lines.append(f"content-type: {told['content_type']}")
    for key in ("body", "payload"):
        if key in told:
            body = told[key]
            lines += ["", *(body.split("\n") if isinstance(body, str) else pretty(body))]
    return [visible(line) for line in lines]


def steps(difference: tuple[Edit, ...]) -> list[str]:
    """Write the steps from a valid instance to the witness, one line each."""
    verbs = {"add": "+", "remove": "-", "replace": "~"}
    out = []
    for edit in difference:
        value = f" {on_one_line(edit['value'], 120)}" if "value" in edit else ""
        out.append(visible(f"{verbs[edit['op']]} {edit['path'] or '/'}{value}"))
    return out

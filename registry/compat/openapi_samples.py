"""Plain calls and answers that both versions take: what a witness is built into, and compared with."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from kernel.contract.digest import canonical_bytes
from kernel.errors import InterlockError
from kernel.operation.media_types import MediaType, parse_range
from registry.compat.candidates import Candidates
from registry.compat.openapi_answers import answers_of, covering
from registry.compat.openapi_drafts import Answer, Body, Call, Scheme
from registry.compat.openapi_journal import Journal
from registry.compat.openapi_parts import Parameters, parameters_of
from registry.compat.openapi_places import Scope, Spot
from registry.compat.openapi_security import schemes_asked
from registry.compat.openapi_sides import Message, Part
from registry.compat.schema_view import Node, Unreadable
from registry.compat.writing import Unwritable, body_of, written

MOST_TRIED = 200  # candidates for one value
MOST_WEIGHED = 16  # values among which the plainest is taken first
_STATUSES = (500, 400, 404, 409, 422, 503, 200, 201, 202, 204, 300, 100)  # for `default`, mostly errors

Pair = tuple[Part | None, Part | None]


@dataclass(frozen=True, slots=True)
class Ends:
    """What stands in both documents at one place, and the values that both (else the old one) take."""

    journal: Journal
    message: Message
    parts: Pair

    def nodes(self) -> list[Node]:
        """Give the schemas, the old one first."""
        apis = (self.journal.old, self.journal.new)
        return [
            self.journal.node(api, self.message, _typed(part))
            for api, part in zip(apis, self.parts, strict=True)
            if part is not None
        ]

    def values(self) -> Iterator[Any]:
        """Give values that every version takes, examples first, then the plainest; bounded."""
        nodes = self.nodes()
        checks = [self.journal.comparer.accepts(node) for node in nodes]

        def taken(value: Any) -> bool:
            return all(check is None or check(value) for check in checks)

        parts = (part for part in self.parts if part is not None)
        for part, node in zip(parts, nodes, strict=True):
            yield from filter(taken, _examples(part, node))
        found = filter(taken, islice(self._candidates(nodes), MOST_TRIED))
        yield from sorted(islice(found, MOST_WEIGHED), key=_weight)
        yield from found

    def _candidates(self, nodes: list[Node]) -> Iterator[Any]:
        if not nodes:  # the part stands in neither version: a parameter's media type, looked for in the body
            return
        try:
            yield from Candidates(declared_only=True).values(nodes[0], nodes[-1])
        except (Unreadable, RecursionError):
            return


def _weight(value: Any) -> tuple[int, int]:
    """Weigh a value: empty texts, lists and objects are plain to no reader, and short ones are plainest."""
    text = canonical_bytes(value)
    return text.count(b'""') + text.count(b"[]") + text.count(b"{}"), len(text)


def _examples(part: Part, node: Node) -> Iterator[Any]:
    """Give what the document itself shows as an example."""
    for holder in (part.value, _typed(part).value, node.raw):
        if isinstance(holder, dict):
            if "example" in holder:
                yield holder["example"]
            listed = holder.get("examples")
            named = (
                listed.values() if isinstance(listed, dict) else listed if isinstance(listed, list) else ()
            )
            for one in named:
                yield one["value"] if isinstance(one, dict) and "value" in one else one


def _typed(part: Part) -> Part:
    """Give the object that holds the schema: a parameter or header with `content` holds it one step below."""
    content = part.value.get("content")
    if "schema" not in part.value and isinstance(content, dict) and content:
        media, inner = next(iter(content.items()))
        if isinstance(inner, dict):
            return Part(inner, f"{part.pointer}/content/{media.replace('~', '~0').replace('/', '~1')}")
    return part


def parameters(journal: Journal, scope: Scope) -> tuple[Parameters, Parameters]:
    """Give the parameters of both versions, path parameters by the new document's names."""
    old, new = scope.ends
    renamed = dict(zip(old.names, new.names, strict=True)) if old and new else {}
    found = [
        parameters_of(api, end.item, end.operation, names) if end else {}
        for api, end, names in ((journal.old, old, renamed), (journal.new, new, {}))
    ]
    return found[0], found[1]


def plain_call(journal: Journal, scope: Scope, *, leave: Spot | None = None) -> Call:
    """Build the call with as little in it as either version asks for; raises `Unwritable`.

    `leave` is a part that is not looked for: it is put there by whoever asks.
    """
    old, new = scope.ends
    here = old or new
    assert here is not None
    before, after = parameters(journal, scope)
    call = Call(
        f"{here.method} {here.template}",
        here.method,
        here.template,
        dict(zip(old.names, new.names, strict=True)) if old and new else {},
        schemes=schemes(journal, scope),
        called=scope.called,
    )
    left = (leave.where, leave.name) if leave is not None and leave.kind == "parameter" else None
    for key in dict.fromkeys((*before, *after)):
        ends = (before.get(key), after.get(key))
        if key != left and any(
            end is not None and (end.value.get("required") is True or key[0] == "path") for end in ends
        ):
            call = call.having(key, *parameter_value(journal, ends))
    bodies = request_bodies(journal, scope)
    if leave is not None and leave.kind == "body":
        return call
    if any(end is not None and end.value.get("required") is True for end in bodies):
        call = with_body(journal, call, bodies)
    return call


def parameter_value(journal: Journal, ends: Pair) -> tuple[Mapping[str, Any], Any]:
    """Give a parameter as it is written, with a value that both versions take; raises `Unwritable`."""
    spec = next(end.value for end in ends if end is not None)
    for value in Ends(journal, "request", ends).values():
        try:
            if written(spec, value):
                return spec, value
        except Unwritable:
            continue
    raise Unwritable(f"no value is found for the parameter {spec.get('name')!r}")


def request_bodies(journal: Journal, scope: Scope) -> Pair:
    """Give the Request Body Objects."""
    return _children(journal, scope, "requestBody")


def _children(journal: Journal, scope: Scope, key: str) -> Pair:
    found = [
        api.below(end.operation, key) if end is not None and key in end.operation.value else None
        for api, end in zip((journal.old, journal.new), scope.ends, strict=True)
    ]
    return found[0], found[1]


def with_body(journal: Journal, call: Call, bodies: Pair) -> Call:
    """Give the call with a plain body, in the first media type that has one; raises `Unwritable`."""
    return replace(call, body=plain_body(journal, "request", bodies))


def plain_body(journal: Journal, message: Message, owners: Pair, only: str | None = None) -> Body:
    """Give a body that both versions take; `only` names the media type. Raises `Unwritable`."""
    contents = [
        api.members(owner, "content") if owner is not None else {}
        for api, owner in zip((journal.old, journal.new), owners, strict=True)
    ]
    names = [only] if only is not None else list(dict.fromkeys((*contents[0], *contents[1])))
    for name in sorted(names, key=lambda name: sum(name not in content for content in contents)):
        ends = (contents[0].get(name), contents[1].get(name))
        if (body := body_in(journal, message, ends, name)) is not None:
            return body
    raise Unwritable("no body is found")


def body_in(journal: Journal, message: Message, ends: Pair, media: str) -> Body | None:
    """Give a body of one media type."""
    kind = media_of(media)
    for value in Ends(journal, message, ends).values():
        try:
            body_of(kind, value)
        except Unwritable:
            continue
        return Body(kind, value)
    return None


def media_of(name: str) -> MediaType:
    """Read a media type or range; raises `Unwritable`."""
    try:
        return parse_range(name, "")
    except InterlockError as error:
        raise Unwritable(error.message) from None


def schemes(
    journal: Journal, scope: Scope, *, lost: bool = False, of_new: bool = False
) -> tuple[Scheme, ...]:
    """Give the credentials of one old alternative, one that the new version admits too where there is one.

    `lost`: one that it does not admit; `of_new`: one that the new version asks for.
    """
    if scope.called:
        return ()
    ends = [None if end is None else end.operation for end in scope.ends]
    asked = schemes_asked(journal, (None if of_new else ends[0], ends[1]), lost=lost)
    return tuple(Scheme(spec, scopes) for spec, scopes in asked)


def plain_answer(journal: Journal, scope: Scope, status: str, *, leave: Spot | None = None) -> Answer:
    """Build the answer of a declared status with as little in it as either version promises.

    `leave` is a part that is not looked for. Raises `Unwritable`.
    """
    pair = responses(journal, scope, status)
    here = scope.ends[0] or scope.ends[1]
    assert here is not None
    answer = Answer(f"{here.method} {here.template}", concrete(journal, scope, status), called=scope.called)
    left = leave.name if leave is not None and leave.kind == "header" else None
    for name, ends in headers(journal, pair).items():
        if name != left and any(end is not None and end.value.get("required") is True for end in ends):
            answer = answer.having(name, *header_value(journal, name, ends))
    bodiless = leave is not None and leave.kind == "answer"
    if not bodiless and any(end is not None and end.value.get("content") for end in pair):
        return replace(answer, body=plain_body(journal, "response", pair))
    return answer


def responses(journal: Journal, scope: Scope, status: str) -> Pair:
    """Give the Response Objects that cover a status."""
    found = [
        covering(status, answers_of(api, end.operation)) if end is not None else None
        for api, end in zip((journal.old, journal.new), scope.ends, strict=True)
    ]
    return found[0], found[1]


def headers(journal: Journal, pair: Pair) -> dict[str, Pair]:
    """Give the headers of two Response Objects by lower-case name."""
    found: list[dict[str, Part]] = [
        {name.lower(): part for name, part in api.members(end, "headers").items()} if end is not None else {}
        for api, end in zip((journal.old, journal.new), pair, strict=True)
    ]
    return {
        name: (found[0].get(name), found[1].get(name))
        for name in dict.fromkeys((*found[0], *found[1]))
        if name != "content-type"
    }


def header_value(journal: Journal, name: str, ends: Pair) -> tuple[Mapping[str, Any], Any]:
    """Give a header with a value that both versions take; raises `Unwritable`."""
    spec = next(end.value for end in ends if end is not None)
    for value in Ends(journal, "response", ends).values():
        try:
            if written({**spec, "in": "header", "name": name}, value):
                return spec, value
        except Unwritable:
            continue
    raise Unwritable(f"no value is found for the header {name}")


def concrete(journal: Journal, scope: Scope, status: str) -> int:
    """Give a status that a declared one means: itself, one of its range that nothing names, or any other."""
    if status.isdecimal():
        return int(status)
    named = {
        name
        for api, end in zip((journal.old, journal.new), scope.ends, strict=True)
        if end is not None
        for name in answers_of(api, end.operation)
    }
    fits: Iterable[int] = _STATUSES
    if status[1:] == "XX":
        fits = range(int(status[0]) * 100, int(status[0]) * 100 + 100)
    for number in (*(one for one in _STATUSES if one in fits), *fits):
        ranged = f"{number // 100}XX" in named and status == "DEFAULT"
        if str(number) not in named and not ranged:
            return number
    raise Unwritable(f"every status of {status} is named")

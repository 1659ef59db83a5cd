"""Answers out of a contract: its examples first, else values made from its schemas; each is judged before it goes."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import chain, islice
from typing import TYPE_CHECKING, Any, Final

from kernel.contract.digest import canonical_bytes
from kernel.operation.media_types import MediaType, parse_range
from kernel.operation.samples import ATTEMPTS, sample_values
from kernel.operation.shapes import dereference
from runtime_proxy.refusals_mock import MockImpossible, PreferenceUnknown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from adapters.port import Headers
    from kernel.operation.violation import Violation
    from runtime_proxy.preferences import Preferences
    from runtime_proxy.refusal import Refusal

    Accepted = tuple[tuple[str, float], ...]  # media ranges, each with its quality

_BODILESS: Final = frozenset((204, 205, 304))
_NOT_OURS: Final = frozenset(("content-type", "content-length", "content-encoding", "transfer-encoding"))
_MOST_TRIED: Final = ATTEMPTS + 64  # examples and made values of one body
_ITEMS: Final = 2  # in a body of items
_LARGEST: Final = 4 * 1024 * 1024  # bytes


class Unmade(Exception):
    """There is no answer to give; `refusal` says why."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.slug)
        self.refusal = refusal


@dataclass(frozen=True, slots=True)
class Made:
    """One answer that keeps its contract."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes


@dataclass(frozen=True, slots=True)
class Recipe:
    """What answers of one operation are made of: its Responses Object in `root`, by one seed.

    `check` judges status, headers and body as those of a provider.
    """

    root: Any
    responses: dict[str, Any]
    seed: str
    check: Callable[[int, Headers, bytes], tuple[Violation, ...]]
    memory: dict[tuple[str, str, str | None, bool], Made | None] = field(default_factory=dict)

    def make(self, wanted: Preferences, accepted: Accepted) -> Made:
        """Make the answer that is asked for; `accepted` media ranges, none for any. Raises `Unmade`."""
        key, status, spec = self._response(wanted.code)
        for media in self._ranges(spec, status, wanted, accepted):
            # What callers may choose is bounded by what is declared, and so is what is remembered.
            known = (key, media, wanted.example, wanted.dynamic)
            if known not in self.memory:
                self.memory[known] = self._made(spec, key, status, media, wanted)
            made = self.memory[known]
            if made is not None:
                return made if made.status == status else replace(made, status=status)
        raise Unmade(MockImpossible())

    def _made(
        self, spec: dict[str, Any], key: str, status: int, media: str, wanted: Preferences
    ) -> Made | None:
        """Try bodies of one media type ("": none) until one keeps the contract."""
        plain = self._headers(spec, key, everything=True), self._headers(spec, key, everything=False)
        for body, essence in islice(self._bodies(spec, key, media, wanted), _MOST_TRIED):
            for lines in plain:
                headers = [(b"content-type", essence.encode()), *lines] if essence else list(lines)
                if len(body) <= _LARGEST and not self.check(status, headers, body):
                    return Made(status, tuple(headers), body)
        return None

    def _response(self, code: int | None) -> tuple[str, int, dict[str, Any]]:
        """Choose by status: the one that is asked for, else the first success, else whatever is declared."""
        declared = {str(key).lower(): value for key, value in self.responses.items() if key[:2] != "x-"}
        if code is not None:
            keys: Iterable[tuple[str, int]] = (
                (key, code) for key in (str(code), f"{code // 100}xx", "default")
            )
        else:
            exact = sorted(key for key in declared if key.isdecimal() and key >= "200")
            first = [key for key in exact if key[0] == "2"]
            least = (("2xx", 200), ("default", 200))
            others = (("3xx", 300), ("4xx", 400), ("5xx", 500))
            keys = chain(
                ((key, int(key)) for key in first), least, ((key, int(key)) for key in exact), others
            )
        for key, status in keys:
            if key in declared:
                found = dereference(self.root, declared[key])
                return key, status, found if isinstance(found, dict) else {}
        if declared or code is not None:
            raise Unmade(PreferenceUnknown() if code is not None else MockImpossible())
        return "", 200, {}

    # -- bodies ---------------------------------------------------------------------------------------

    def _ranges(
        self, spec: dict[str, Any], status: int, wanted: Preferences, accepted: Accepted
    ) -> list[str]:
        """List the declared media ranges that may answer, the best first; "" is an answer without a body."""
        content = spec.get("content")
        if status in _BODILESS or not isinstance(content, dict) or not content:
            if wanted.example is not None:
                raise Unmade(PreferenceUnknown())
            return [""]
        ranges = sorted(content, key=lambda text: _preference(text, accepted))
        if wanted.example is not None:
            ranges = [text for text in ranges if wanted.example in _examples(content[text])]
            if not ranges:
                raise Unmade(PreferenceUnknown())
        return ranges

    def _bodies(
        self, spec: dict[str, Any], key: str, media: str, wanted: Preferences
    ) -> Iterator[tuple[bytes, str]]:
        if not media:
            yield b"", ""
            return
        declared = dereference(self.root, spec["content"][media])
        declared = declared if isinstance(declared, dict) else {}
        kind, essence = _sent(media)
        if not wanted.dynamic or wanted.example is not None:
            yield from self._noted(declared, kind, essence, wanted.example)
        if wanted.example is None:
            yield from self._invented(declared, kind, essence, f"{self.seed}:{key}:{essence}")

    def _noted(
        self, media: dict[str, Any], kind: str, essence: str, only: str | None
    ) -> Iterator[tuple[bytes, str]]:
        """Yield the examples of a media type: those with a name in the order of canonical bytes, then the one without."""
        for name, example in _examples(media).items():
            value = dereference(self.root, example)
            if not isinstance(value, dict) or only not in {None, name}:
                continue
            if isinstance(value.get("serializedValue"), str):
                yield value["serializedValue"].encode(), essence
            else:
                yield from self._written(value.get("dataValue", value.get("value")), kind, essence)
        if only is None and "example" in media:
            yield from self._written(media["example"], kind, essence)

    def _invented(
        self, media: dict[str, Any], kind: str, essence: str, seed: str
    ) -> Iterator[tuple[bytes, str]]:
        """Yield bodies made from the schema."""
        schema, items = media.get("schema", True), media.get("itemSchema")
        if kind == "stream" and items is not None:
            several = (sample_values(self.root, items, f"{seed}:{number}") for number in range(_ITEMS))
            for series in zip(*several, strict=False):
                yield _sequence(list(series), essence), essence
        elif kind == "json" or (kind == "text" and schema is not True):
            for value in sample_values(self.root, schema, seed):
                yield from self._written(value, kind, essence)
        elif kind in {"text", "binary"}:
            yield b"mock", essence

    def _written(self, value: Any, kind: str, essence: str) -> Iterator[tuple[bytes, str]]:
        if kind == "json":
            yield canonical_bytes(value), essence
        if isinstance(value, str):  # an example may hold the text of the whole body
            yield value.encode(), essence
        elif kind == "text" and value is not None:
            yield canonical_bytes(value), essence
        elif kind == "stream" and isinstance(value, list):
            yield _sequence(value, essence), essence

    # -- headers --------------------------------------------------------------------------------------

    def _headers(self, spec: dict[str, Any], key: str, *, everything: bool) -> list[tuple[bytes, bytes]]:
        declared = spec.get("headers")
        lines = []
        for name, given in declared.items() if isinstance(declared, dict) else ():
            header = dereference(self.root, given)
            if not isinstance(header, dict) or name.lower() in _NOT_OURS:
                continue
            if everything or header.get("required") is True:
                value = next(self._values(header, f"{self.seed}:{key}:{name.lower()}"), None)
                if value is not None:
                    lines.append((name.lower().encode(), value))
        return lines

    def _values(self, header: dict[str, Any], seed: str) -> Iterator[bytes]:
        """Yield a header's value as the style `simple` writes it (OpenAPI 3.x), or as JSON where that is declared."""
        content = header.get("content")
        inner = next(iter(content.values()), {}) if isinstance(content, dict) else header
        noted = [inner["example"]] if "example" in inner else []
        named = (dereference(self.root, one) for one in _examples(inner).values())
        noted += [one["value"] for one in named if isinstance(one, dict) and "value" in one]
        for value in chain(noted, sample_values(self.root, inner.get("schema", True), seed)):
            text = (
                canonical_bytes(value).decode()
                if content
                else _simple(value, explode=header.get("explode") is True)
            )
            if text.isascii() and text.isprintable():
                yield text.encode()


def _examples(media: Any) -> dict[str, Any]:
    found = media.get("examples") if isinstance(media, dict) else None
    return {str(name): one for name, one in found.items()} if isinstance(found, dict) else {}


def _preference(text: str, accepted: Accepted) -> tuple[float, bool, str]:
    """Order media types: as the caller accepts them, JSON before others, then by name."""
    kind, essence = _sent(text)
    return -_liked(essence, accepted), kind != "json", text


def _liked(essence: str, accepted: Accepted) -> float:
    """Say how much a type is liked: by the most specific range that it belongs to (RFC 9110 section 12.5.1)."""
    if not accepted:
        return 1.0
    liked = dict(accepted)
    ranges = (essence, essence.partition("/")[0] + "/*", "*/*")
    return next((liked[one] for one in ranges if one in liked), 0.0)


def _sent(text: str) -> tuple[str, str]:
    """Give the kind of a declared media range, and a type that belongs to it."""
    media = parse_range(text, "")
    if "*" in media.essence:
        major, _, minor = media.essence.partition("/")
        essence = f"application/{minor[2:]}" if minor.startswith("*+") else {
            "text": "text/plain", "*": "application/json", "application": "application/json"
        }.get(major, f"{major}/example")  # fmt: skip
        return MediaType(essence).kind, essence
    return media.kind, text


def _sequence(values: list[Any], essence: str) -> bytes:
    """Write items one after the other (NDJSON, RFC 7464, server-sent events)."""
    texts = [canonical_bytes(value) for value in values]
    if essence.startswith("text/event-stream"):
        return b"".join(b"".join(_event(value)) + b"\n" for value in values)
    start = b"\x1e" if "json-seq" in essence else b""
    return b"".join(start + text + b"\n" for text in texts)


def _event(value: Any) -> Iterator[bytes]:
    for name, inner in value.items() if isinstance(value, dict) else (("data", value),):
        text = inner if isinstance(inner, str) else canonical_bytes(inner).decode()
        for line in text.split("\n"):
            yield f"{name}: {line}\n".encode()


def _simple(value: Any, *, explode: bool) -> str:
    if isinstance(value, dict):
        between = "=" if explode else ","
        return ",".join(f"{name}{between}{_simple(inner, explode=False)}" for name, inner in value.items())
    if isinstance(value, list):
        return ",".join(_simple(one, explode=False) for one in value)
    return value if isinstance(value, str) else canonical_bytes(value).decode()

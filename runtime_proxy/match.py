"""Find the operation for a method and a raw path: a trie per contract version, O(depth), no regex.

Segments are compared one by one after a single percent-decoding, so that `%2F` is data and never a
border; values of parameters stay raw, since their style may tell an encoded delimiter from a bare one.
What two servers could read differently (dot segments, `//`, a backslash, NUL, a broken escape, an
encoded character on which the split of a segment would hang) is refused as `target-invalid`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote_to_bytes

from kernel.errors import ContractInvalid, Place
from runtime_proxy.raw_path import split_path
from runtime_proxy.segment_template import BRACES, Split

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kernel.bundle.model import Audience
    from kernel.operation.operation import Operation

# RFC 3986 §2.3: escapes of these characters mean the character itself.
_UNRESERVED: Final = re.compile(rb"%(?:2[dDeE]|3[0-9]|4[1-9a-fA-F]|5[0-9aAfF]|6[1-9a-fA-F]|7[0-9aAeE])")
_SPECIAL: Final = frozenset("{}%")


class Match:
    """The operation, the raw values of its path parameters in the template's order, and the mount's target.

    `rest` are the raw segments below the base, for `PathTrie.match` of a pinned version, and `path` the same as a
    path; `head` says that HEAD was asked where only GET is declared. One is given to many calls: nothing of it
    is ever changed.
    """

    __slots__ = ("head", "operation", "path", "path_values", "rest", "target")

    def __init__(
        self,
        operation: Operation,
        path_values: tuple[bytes, ...],
        target: Any,
        rest: tuple[bytes, ...],
        head: bool = False,  # noqa: FBT001, FBT002 - hot
    ) -> None:
        self.operation = operation
        self.path_values = path_values
        self.target = target
        self.rest = rest
        self.path = b"/" + b"/".join(rest)
        self.head = head


@dataclass(frozen=True, eq=False)
class Miss:
    """No operation, by `slug`: not-found 404, method-not-allowed 405, retired 410, target-invalid 400.

    `options` with 204 is the answer to an OPTIONS that the contract leaves to us. `allow` is sorted and
    ready for the header of 405 and 204. `target` is the mount's, where the path lies below one.
    """

    status: int
    slug: str
    allow: tuple[bytes, ...] = ()
    target: Any = None
    rest: tuple[bytes, ...] = ()


@dataclass(frozen=True, eq=False)
class Mount:
    """Where a contract's major is served: `base` is "" or like "/lab-orders/v1"; no trie means retired.

    `audience` decides on which listener; `major` names what is retired.
    """

    base: str
    trie: PathTrie | None
    target: Any = None
    audience: Audience = "internal"
    major: tuple[str, int] | None = None


class _Ambiguous(Exception):
    """A segment whose split depends on whether one decodes before or after."""


class _Node:
    """One place of the trie; `methods` is None where no path of the contract ends."""

    __slots__ = ("allow", "literals", "methods", "plain", "splits")

    def __init__(self) -> None:
        self.literals: dict[bytes, _Node] = {}
        self.splits: tuple[tuple[str, Split, _Node], ...] = ()
        self.plain: _Node | None = None
        self.methods: dict[bytes, Operation] | None = None
        self.allow: tuple[bytes, ...] = ()

    def child(self, segment: str) -> _Node:
        """Find or make the child for one segment of a template, names of parameters left aside."""
        if "{" not in segment:
            return self.literals.setdefault(unquote_to_bytes(segment), _Node())
        shape = BRACES.sub("{}", segment)
        if shape == "{}":
            self.plain = self.plain or _Node()
            return self.plain
        for known, _, node in self.splits:
            if known == shape:
                return node
        node = _Node()
        entries = [*self.splits, (shape, Split(segment), node)]
        # The more a template spells out, the more concrete it is; ties go by text, so that order is stable.
        self.splits = tuple(sorted(entries, key=lambda entry: (-entry[1].weight, entry[0])))
        return node

    def add(self, operation: Operation) -> None:
        """Let the paths that end here answer the operation's method."""
        self.methods = self.methods or {}
        taken = self.methods.setdefault(operation.method, operation)
        if taken is not operation:
            raise ContractInvalid(
                f"{operation.template} and {taken.template} are the same path to a router",
                hint="keep one of the two path templates",
                place=Place(pointer=operation.pointer),
            )
        allowed = {*self.methods, b"OPTIONS"}
        if b"GET" in allowed:
            allowed.add(b"HEAD")
        self.allow = tuple(sorted(allowed))


class PathTrie:
    """The operations of one contract version by path segments.

    Literals go before templates with text around their braces, these before bare templates (OpenAPI
    3.x "Path Templating Matching"); a branch that dead-ends is left for the next one. The path alone
    decides: a method that the found path does not declare is 405, whatever another template would say.
    Raises `ContractInvalid` when two templates with one method differ in nothing but parameter names.
    """

    __slots__ = ("_root", "literal")

    def __init__(self, operations: Iterable[Operation]) -> None:
        self._root = _Node()
        # Paths without a template whose bytes on the wire can be nothing else: one lookup finds them.
        self.literal: dict[tuple[bytes, ...], _Node] = {}
        for operation in operations:
            node = self._root
            for segment in operation.segments:
                node = node.child(segment)
            node.add(operation)
            if not any(set(segment) & _SPECIAL or not segment.isascii() for segment in operation.segments):
                self.literal[tuple(map(str.encode, operation.segments))] = node

    def match(self, method: bytes, segments: tuple[bytes, ...], target: Any = None) -> Match | Miss:
        """Match raw segments (of `split_path`, without the base); `target` is handed through."""
        values: list[bytes] = []
        try:
            node = _find(self._root, segments, 0, values)
        except _Ambiguous:
            return Miss(400, "target-invalid", target=target, rest=segments)
        if node is None:
            return Miss(404, "not-found", target=target, rest=segments)
        return _answer(node, method, tuple(values), segments, target)


class _Literal:
    """A path without templates: what each of its methods leads to, made once."""

    __slots__ = ("_node", "_rest", "_target", "known")

    def __init__(self, node: _Node, rest: tuple[bytes, ...], target: Any) -> None:
        self._node = node
        self._rest = rest
        self._target = target
        self.known = {method: self.answer(method) for method in node.methods or ()}

    def answer(self, method: bytes) -> Match | Miss:
        """Choose by method."""
        return _answer(self._node, method, (), self._rest, self._target)


class Router:
    """All mounts of a data plane; the longest base wins, and bases are compared byte by byte."""

    __slots__ = ("_lengths", "_literal", "_mounts")

    def __init__(self, mounts: Iterable[Mount]) -> None:
        self._mounts: dict[tuple[bytes, ...], Mount] = {}
        for mount in mounts:
            base = tuple(mount.base.encode().split(b"/")[1:])
            if (mount.base and split_path(mount.base.encode()) != base) or b"" in base:
                raise ContractInvalid(
                    f"{mount.base!r} is no base path",
                    hint="write it like /lab-orders/v1, without an end slash",
                )
            if base in self._mounts:
                raise ContractInvalid(f"two contracts are mounted at {mount.base!r}", hint="move one of them")
            self._mounts[base] = mount
        self._lengths = tuple(sorted({len(base) for base in self._mounts}, reverse=True))
        self._literal: dict[bytes, _Literal] = {}
        for base, mount in self._mounts.items():
            for rest, node in mount.trie.literal.items() if mount.trie is not None else ():
                path = b"/" + b"/".join(base + rest)
                # A longer base may lie over the path; then that one answers.
                if self._mount_of(base + rest) == (mount, rest) and split_path(path) == base + rest:
                    self._literal[path] = _Literal(node, rest, mount.target)

    def match(self, method: bytes, raw_path: bytes) -> Match | Miss:
        """Match a raw path, without query, as it came over the wire."""
        literal = self._literal.get(raw_path)
        if literal is not None:
            return literal.known.get(method) or literal.answer(method)
        segments = split_path(raw_path)
        if segments is None:
            return Miss(400, "target-invalid")
        found = self._mount_of(segments)
        if found is None:
            return Miss(404, "not-found")
        mount, rest = found
        if mount.trie is None:
            return Miss(410, "retired", target=mount.target, rest=rest)
        return mount.trie.match(method, rest, mount.target)

    def _mount_of(self, segments: tuple[bytes, ...]) -> tuple[Mount, tuple[bytes, ...]] | None:
        """Find the mount with the longest base, and what is left of the path below it."""
        for length in self._lengths:
            mount = self._mounts.get(segments[:length])
            if mount is not None:
                return mount, segments[length:]
        return None


def _answer(
    node: _Node, method: bytes, values: tuple[bytes, ...], segments: tuple[bytes, ...], target: Any
) -> Match | Miss:
    """Choose by method among the operations of a path that was found."""
    methods = node.methods
    assert methods is not None  # only nodes where a path ends are found
    operation = methods.get(method)
    if operation is not None:
        return Match(operation, values, target, segments)
    if method == b"HEAD" and b"GET" in methods:
        return Match(methods[b"GET"], values, target, segments, head=True)
    if method == b"OPTIONS":
        return Miss(204, "options", node.allow, target, segments)
    return Miss(405, "method-not-allowed", node.allow, target, segments)


def _find(node: _Node, segments: tuple[bytes, ...], index: int, values: list[bytes]) -> _Node | None:
    """Walk down from `node`; leaves in `values` what the templates on the way took."""
    if index == len(segments):
        return node if node.methods is not None else None
    raw = segments[index]
    escaped = raw.find(b"%") >= 0
    decoded = unquote_to_bytes(raw) if escaped else raw
    child = node.literals.get(decoded)
    if child is not None and (found := _find(child, segments, index + 1, values)) is not None:
        return found
    mark = len(values)
    for _, split, child in node.splits:
        taken = split.read(_UNRESERVED.sub(_unescaped, raw)) if escaped else split.read(raw)
        differs = escaped and split.read(decoded) != (taken and tuple(map(unquote_to_bytes, taken)))
        if taken is None and not differs:
            continue
        values += taken or ()
        if (found := _find(child, segments, index + 1, values)) is not None:
            if differs:
                raise _Ambiguous
            return found
        del values[mark:]
    if node.plain is not None and raw:
        values.append(raw)
        if (found := _find(node.plain, segments, index + 1, values)) is not None:
            return found
        del values[mark:]
    return None


def _unescaped(escape: re.Match[bytes]) -> bytes:
    """Write one escaped octet as itself."""
    return bytes.fromhex(escape[0][1:].decode())

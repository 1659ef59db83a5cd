"""Reads request heads: llhttp judges what is new, rules of our own refuse what two programs could read twice.

What llhttp (in its strict mode, as httptools has it) lets through and RFC 9112 does not, or what would be
ambiguous behind us, is refused here: several spaces in the request line, other protocols and versions,
targets of other hosts or forms, codings other than `chunked` alone, a missing, second or odd Host.
"""

from __future__ import annotations

import re
from typing import Final

import httptools

from adapters.wire.http_fields import MOST_DIGITS, decimal, fields_of, values_of
from adapters.wire.http_fields import Fields as Headers
from adapters.wire.known_fields import FieldMemory, KnownFields
from runtime_proxy.authority import is_host, origin_form
from runtime_proxy.connection_options import END_TO_END, options_of
from runtime_proxy.request_line import ABSOLUTE_LINE, COMMON, REQUEST_LINE, line_slug

_SLASH: Final = ord("/")
_CODING_LINE: Final = re.compile(rb"\r\ntransfer-encoding:[ \t]*([^\r\n]*)", re.IGNORECASE)

# To llhttp another name of Connection: after its `close` it reads no further request.
_OLD: Final = b"proxy-connection"
_RARE: Final = frozenset((b"transfer-encoding", b"connection", b"expect", b"upgrade", _OLD))
_ONE: Final = ord("1")

CHUNKED: Final = -1  # as `length`: the body ends with its last chunk


class RequestRefused(Exception):
    """A request that nobody should read; `slug` names a row of refusals_edge.py."""

    def __init__(self, slug: str) -> None:
        super().__init__(slug)
        self.slug = slug


class HeadReader:
    """Reads one request head after the other; the attributes describe the last one.

    `length` is the Content-Length, 0 without a body, or `CHUNKED`. `persistent` says whether the
    connection may carry another request, `expects` whether the client waits for 100 (RFC 9110 §10.1.1).
    `known` is what is remembered of the same field lines, where they came before.
    """

    __slots__ = (
        "_host",
        "_line",
        "_max_head",
        "_max_headers",
        "_max_target",
        "_memory",
        "_parser",
        "_parser_done",
        "_parser_follows",
        "expects",
        "headers",
        "known",
        "length",
        "method",
        "modern",
        "persistent",
        "target",
    )

    def __init__(
        self, *, max_head: int, max_target: int, max_headers: int, memory: FieldMemory | None = None
    ) -> None:
        self._max_head = max_head
        self._max_target = max_target
        self._max_headers = max_headers
        self._parser = httptools.HttpRequestParser(self)
        self._parser_done = False
        self._parser_follows = True
        self._host: bytes | None = None
        self._line = b""  # the last request line, with its end, if it was one that most requests have
        self._memory = memory or FieldMemory()  # shared by readers that hold to the same limits
        self.known: KnownFields | None = None
        self.headers: Headers = []
        self.method = b""
        self.target = b""
        self.length = 0
        self.persistent = False
        self.modern = False  # HTTP/1.1, so that chunks are understood
        self.expects = False

    def on_message_complete(self) -> None:
        """Note where llhttp sees the end, to compare it with ours."""
        self._parser_done = True

    # -- reading ------------------------------------------------------------------------------------
    def read(self, data: bytes, at: int) -> int:
        """Read a head that begins at `at`; returns where it ends, 0 while it is not whole.

        Raises `RequestRefused` as soon as it is clear that no acceptable head can come of the bytes.
        """
        begin = self._read_line(data, at)
        known = self.known
        if known is not None and self._line:
            end, length = known.read(data, begin)
            if 0 < end <= at + self._max_head:
                self._take_known(known, length)
                return end
        end = data.find(b"\r\n\r\n", at, at + self._max_head) + 4
        if end < 4:  # noqa: PLR2004 - the empty line was not found
            return self._wait(data, at)
        if not begin:
            if data.startswith(b"\r\n", at):  # RFC 9112 §2.2: one empty line before it is forgiven
                return self._read_after_empty_line(data, at)
            begin = self._read_absolute_line(data, at)
        if len(self.target) > self._max_target:
            raise RequestRefused("target-too-long")
        modern = data[begin - 1] == _ONE
        self.known = known = self._memory.look(data[begin:end]) if modern else None
        if known is not None and self._line:
            self._take_known(known, self._memory.length)
            return end
        head = data[at:end]
        self._show(head)
        self.headers = headers = fields_of(head)
        if len(headers) > self._max_headers:
            raise RequestRefused("head-too-large")
        self._judge(headers, modern=modern)
        return end

    def finish(self, body: bytes) -> None:
        """Show llhttp the body that completes the message, and compare where it ends."""
        self.follow(body)
        if not self._parser_done and self._parser_follows:
            raise RequestRefused("framing-refused")

    def follow(self, data: bytes) -> None:
        """Show llhttp bytes of the body too, so that it says where the message ends."""
        if self._parser_follows:
            try:
                self._parser.feed_data(data)
            except httptools.HttpParserError:
                raise RequestRefused("framing-refused") from None

    def agree(self) -> None:
        """Refuse a message about whose end llhttp and we disagree; called when it is whole."""
        if self._parser_follows and not self._parser_done:
            raise RequestRefused("framing-refused")

    def restart(self) -> None:
        """Forget a message whose body llhttp will not be shown."""
        if self._parser_follows:
            self._parser = httptools.HttpRequestParser(self)
            self._parser_follows = False

    def _wait(self, data: bytes, at: int) -> int:
        """Let an unfinished head wait for more, unless it can no longer become an acceptable one."""
        line_end = data.find(b"\r\n", at)
        if len(data) - at >= self._max_head:
            longest = self._max_target + 48  # method, spaces and version beside it
            in_line = line_end < 0 or line_end - at > longest
            raise RequestRefused("target-too-long" if in_line else "head-too-large")
        if line_end == at:
            return 0 if len(data) - at <= 2 else self._read_after_empty_line(data, at)  # noqa: PLR2004 - CRLF
        if line_end > 0 and not (REQUEST_LINE.match(data, at) or ABSOLUTE_LINE.match(data, at)):
            raise RequestRefused(line_slug(data[at:line_end], self._max_target))
        first = data[at : at + 1]
        if (data.endswith(b"\n") and not data.endswith(b"\r\n")) or not (first.isalpha() or first == b"\r"):
            raise RequestRefused("request-malformed")  # a bare line end, or another protocol
        return 0

    def _read_after_empty_line(self, data: bytes, at: int) -> int:
        if data.startswith(b"\r\n", at + 2):
            raise RequestRefused("request-malformed")
        return self.read(data, at + 2)

    def _read_line(self, data: bytes, at: int) -> int:
        """Read a request line in origin form; gives where its end begins, 0 for any other."""
        line = self._line
        end = at + len(line)
        if line and data[at:end] == line:  # many callers ask for the same again and again
            return end - 2
        self._line = b""
        found = REQUEST_LINE.match(data, at)
        if found is None:
            return 0
        self.method, self.target, minor = found.groups()
        if minor == b"1" and self.method in COMMON and len(self.target) <= self._max_target:
            self._line = found[0]
        return found.end() - 2

    def _read_absolute_line(self, data: bytes, at: int) -> int:
        line = ABSOLUTE_LINE.match(data, at)
        if line is None:
            raise RequestRefused(line_slug(data[at : data.find(b"\r\n", at)], self._max_target))
        self.method, self.target, _ = line.groups()
        return line.end() - 2

    def _judge(self, headers: Headers, *, modern: bool) -> None:  # noqa: C901 - each row may be there or not
        """Decide how the body ends (RFC 9112 §6.3) and what becomes of the connection (§9.3)."""
        if self.target[0] != _SLASH:
            self.target = _origin_form(self.target, headers)
        fields = dict(headers)
        if len(fields) != len(headers) or fields.get(b"host") != self._host or self._host is None:
            self._judge_host(values_of(headers, b"host"), modern=modern)
        length = fields.get(b"content-length")
        self.length = 0 if length is None else _length(length)
        self.persistent = self.modern = modern
        self.expects = False
        if fields.keys().isdisjoint(_RARE):
            if modern:
                self._memory.learn(headers)  # nothing in them depends on the request line, or on the length
            return
        if b"transfer-encoding" in fields:
            slug = _coding_slug(values_of(headers, b"transfer-encoding")) if modern else "framing-refused"
            if slug or length is not None:
                raise RequestRefused(slug or "framing-refused")
            self.length = CHUNKED
        if _OLD in fields:
            self.persistent = modern and b"close" not in options_of(values_of(headers, _OLD))
        if b"connection" in fields:
            options = options_of(values_of(headers, b"connection"))
            self.persistent = self.persistent and b"close" not in options
            if not END_TO_END.isdisjoint(options):
                raise RequestRefused("connection-option-refused")
        if modern and b"expect" in fields:  # a server ignores it in HTTP/1.0
            if [value.lower() for value in values_of(headers, b"expect")] != [b"100-continue"]:
                raise RequestRefused("expectation-failed")
            self.expects = True

    def _show(self, head: bytes) -> None:
        """Have llhttp read the head too; raises `RequestRefused` for what it refuses."""
        self._parser_done = False
        self._parser_follows = True
        try:
            self._parser.feed_data(head)
        except httptools.HttpParserUpgrade:
            # Upgrades are not taken up (RFC 9110 §7.8), but llhttp has left the message.
            if self.method == b"CONNECT":
                raise RequestRefused("method-unknown") from None
            self.restart()
        except httptools.HttpParserInvalidMethodError:
            raise RequestRefused("method-unknown") from None
        except httptools.HttpParserError as error:
            raise RequestRefused(_refusal_of(error, head)) from None

    def _take_known(self, known: KnownFields, length: bytes) -> None:
        """Take over what `_judge` and llhttp have found of the same lines: only their length may be another."""
        self._parser_follows = False
        self.headers = known.whole(length)
        self.length = decimal(length) if length else 0
        self.persistent = self.modern = True
        self.expects = False

    def _judge_host(self, hosts: list[bytes], *, modern: bool) -> None:
        if not hosts and not modern:
            return
        if len(hosts) != 1 or not is_host(hosts[0]):
            raise RequestRefused("host-invalid")
        self._host = hosts[0]  # most connections say the same name every time


def _origin_form(target: bytes, headers: Headers) -> bytes:
    found = origin_form(target, values_of(headers, b"host"))
    if found is None:
        raise RequestRefused("target-invalid")
    return found


def _length(value: bytes) -> int:
    """Read a Content-Length; llhttp has refused signs, lists and a second one already."""
    if not value.isdigit():
        raise RequestRefused("framing-refused")
    if len(value) > MOST_DIGITS:
        raise RequestRefused("body-too-large")
    return int(value)


def _coding_slug(codings: list[bytes]) -> str:
    """Judge Transfer-Encoding; "" for `chunked` alone (RFC 9112 §6.1, §6.3 rule 4)."""
    names = [name.strip(b" \t").lower() for name in b",".join(codings).split(b",")]
    if names == [b"chunked"]:
        return ""
    if names[-1] != b"chunked" or names.count(b"chunked") > 1 or b"" in names:
        return "framing-refused"
    return "transfer-coding-unknown"


def _refusal_of(error: httptools.HttpParserError, head: bytes) -> str:
    """Say why llhttp refused a head: for its framing, or for what it is."""
    text = str(error)
    if "Content-Length" in text:
        return "framing-refused"
    if "Transfer-Encoding" in text:
        return _coding_slug(_CODING_LINE.findall(head)) or "framing-refused"
    return "request-malformed"

"""What the proxy lets through has one reading: nginx, Node and Go see in it what was sent and validated, both ways."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import unquote_to_bytes

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.doubles.foreign_readers import (
    Fields,
    Origin,
    Reader,
    Reading,
    go_reader,
    nginx_reader,
    node_reader,
)
from tests.doubles.raw_http import Got, RawClient
from tests.doubles.upstream import Upstream
from tests.house.running import proxy_run

ANY = "{ '*/*': {} }"
VERBS = ("get", "put", "post", "delete", "patch", "options", "head")
CONTRACT = """\
openapi: 3.1.0
info: { title: Wire, version: 1.0.0 }
paths:
  /{one}/{two}:
    parameters: [{ name: one, in: path, required: true, schema: {} }, { name: two, in: path, required: true, schema: {} }]
""" + "".join(
    f"    {verb}: {{ requestBody: {{ content: {ANY} }}, responses: {{ default: {{ description: x, content: {ANY} }} }} }}\n"
    for verb in VERBS
)
READERS = {"nginx": nginx_reader, "node": node_reader, "go": go_reader}
BOUNDED = settings(
    max_examples=120,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
THOROUGH = settings(BOUNDED, max_examples=2500)


@pytest.fixture(scope="module", params=READERS)
def reader(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    with READERS[request.param](tmp_path_factory.mktemp(request.param)) as made:
        if isinstance(made, str):
            pytest.skip(made)
        yield made


@dataclass(repr=False)
class House:
    port: int
    upstream: Upstream
    origin: Origin
    answering_port: int


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("run")
    (folder / "wire.yaml").write_text(CONTRACT)
    upstream, origin = Upstream(), Origin()
    many = {"INTERLOCK_PROXY_GUARD_REQUESTS": "1000000"}
    with contextlib.ExitStack() as stack:
        stack.callback(upstream.close)
        stack.callback(origin.close)
        port, _ = stack.enter_context(
            proxy_run(folder / "wire.yaml", upstream.url, cwd=folder, settings=many)
        )
        url = f"http://127.0.0.1:{origin.port}"
        answering, _ = stack.enter_context(proxy_run(folder / "wire.yaml", url, cwd=folder, settings=many))
        yield House(port, upstream, origin, answering)


# -- requests ------------------------------------------------------------------------------------------
@dataclass
class Sent:
    """A request as bytes, and what must be understood of it."""

    raw: bytes
    method: str
    target: str
    body: bytes
    headers: Fields = field(default_factory=dict)


PCHARS = "abzAZ09-._~!$&'()*+,;=:@"
ESCAPES = [
    "%20",
    "%2F",
    "%2f",
    "%25",
    "%252e",
    "%3B",
    "%3F",
    "%23",
    "%41",
    "%7e",
    "%C3%A5",
    "%E5%A4%A9",
    "%F0%9F%92%89",
    "%22",
    "%3C",
    "%7B",
]
QUERY = st.lists(st.sampled_from([*PCHARS, *ESCAPES, "/", "?", "[", "]", "|", "&", "=", "&&", "..", "/../", "//", "%00", "%0A", "%5C"]), max_size=8).map("".join)  # fmt: skip
SEGMENT = st.lists(st.sampled_from([*PCHARS, *ESCAPES]), min_size=1, max_size=6).map("".join)
HOSTS = [
    "a",
    "PROXY.example",
    "proxy.example:8080",
    "proxy.example.",
    "h:",
    "10.0.0.7:1",
    "[::1]",
    "[2001:DB8::7]:65535",
    "a_b~c-d",
]
TOKENS = "!#$%&'*+-.^`|~09azAZ"
NAMES = st.text(TOKENS, max_size=8).map(lambda rest: f"X-{rest}") | st.text(
    TOKENS, min_size=1, max_size=3
).map(lambda rest: f"Zz{rest}")
VALUES = st.lists(st.sampled_from([b"a", b"B", b"7", b" ", b"\t", b"  ", b",", b";", b'"', b"\\", b"=", b":", b"\xe9", b"\xff", b"\x80", b"%0d%0a", b"chunked", b"HTTP/1.1", b"\xc2\xa0"]), max_size=6).map(b"".join)  # fmt: skip
SPACE = st.sampled_from([b"", b" ", b"\t", b" \t "])
BODIES = st.binary(max_size=40) | st.sampled_from(
    [
        b"",
        b"GET /admin HTTP/1.1\r\nHost: b\r\n\r\n",
        b"0\r\n\r\n",
        b"\r\n\r\n",
        b"x" * 9_000,
        b"\r\n0\r\n\r\nGET / HTTP/1.1\r\n\r\n",
    ]
)
EXTENSIONS = st.sampled_from([b"", b";x", b";x=y", b';x="y;z"', b";" + b"e" * 100])


@st.composite
def requests(draw: st.DrawFn) -> Sent:
    verb = draw(st.sampled_from(["GET", "PUT", "POST", "DELETE", "PATCH", "OPTIONS"]))
    path = "/" + draw(SEGMENT) + "/" + draw(SEGMENT)
    query = draw(st.none() | QUERY)
    host = draw(st.sampled_from(HOSTS))
    target = path if query is None else f"{path}?{query}"
    form = f"http://{host}{target}" if draw(st.integers(0, 9)) == 0 else target
    sent = Sent(b"", verb, target.removesuffix("?") if query == "" else target, draw(BODIES))
    lines = [b"Host:" + draw(SPACE) + host.encode() + draw(SPACE), b"content-TYPE: text/plain"]
    for name in draw(st.lists(NAMES, max_size=4)):
        value = draw(VALUES).strip(b" \t")
        lines.append(name.encode() + b":" + draw(SPACE) + value + draw(SPACE))
    lines += draw(st.lists(st.sampled_from([b"Connection: keep-alive", b"Connection: Upgrade", b"Upgrade: h2c", b"TE: trailers", b"Expect: 100-continue", b"Transfer_Encoding: chunked", b"Content_Length: 1"]), unique=True, max_size=2))  # fmt: skip
    wire = draw(st.just(sent.body) | st.none()) if sent.body else draw(st.sampled_from([b"", None]))
    if wire is None:
        lines.append(b"Transfer-Encoding:" + draw(SPACE.filter(lambda space: not space.endswith(b"\t"))) + draw(st.sampled_from([b"chunked", b"CHUNKED"])))  # fmt: skip
        wire = _chunks(draw, sent.body)
    elif sent.body or draw(st.booleans()):
        lines.append(b"Content-Length: " + b"0" * draw(st.integers(0, 2)) + b"%d" % len(sent.body))
    lines = draw(st.permutations(lines))
    sent.headers = _chosen(lines)
    before = draw(st.sampled_from([b"", b"", b"\r\n"]))
    sent.raw = (
        before
        + f"{verb} {form} HTTP/1.1\r\n".encode()
        + b"".join(line + b"\r\n" for line in lines)
        + b"\r\n"
        + wire
    )
    return sent


def _chosen(lines: list[bytes]) -> Fields:
    """Give the fields with names of the test's own, in the order of the message."""
    found: Fields = {}
    for line in lines:
        name, _, value = line.partition(b":")
        if name.lower().startswith((b"x-", b"zz", b"set-cookie")):
            found.setdefault(name.decode().lower(), []).append(value.strip(b" \t"))
    return found


def _chunks(draw: st.DrawFn, body: bytes) -> bytes:
    size = draw(st.sampled_from([1, 7, 4096, 100_000])) if len(body) < 1000 else 4096
    made = b""
    for at in range(0, len(body), size):
        part = body[at : at + size]
        made += draw(st.sampled_from([b"%x", b"%X", b"000%x"])) % len(part)
        made += draw(EXTENSIONS) + b"\r\n" + part + b"\r\n"
    trailers = draw(st.sampled_from([b"", b"", b"X-Sum: 7\r\n", b"Host: c\r\nX-A:\r\n"]))
    return made + b"0" + draw(EXTENSIONS) + b"\r\n" + trailers + b"\r\n"


def check_request(house: House, reader: Reader, sent: Sent) -> None:
    house.upstream.seen.clear()
    with RawClient(house.port) as client:
        client.send(sent.raw)
        got = client.final()
    assert got is not None
    if got.status != 200:  # the segments may still make a path that nobody serves
        assert got.slug == "target-invalid", got
        assert house.upstream.seen == []
        return
    (seen,) = house.upstream.seen
    found = reader.read(seen.raw)
    assert isinstance(found, Reading), found
    assert found.start == (sent.method, sent.target)
    assert found.body == sent.body
    _same_fields(found.headers, _fields(seen.headers), sent)
    if reader.name == "nginx":
        path = unquote_to_bytes(sent.target.partition("?")[0])
        assert found.headers["x-nginx-path"] == [b"<" + path + b">"]


def _fields(lines: list[tuple[str, str]]) -> Fields:
    found: Fields = {}
    for name, value in lines:
        found.setdefault(name.lower(), []).append(value.encode("latin-1"))
    return found


def _same_fields(read: Fields, written: Fields, sent: Sent) -> None:
    """Hold what was read against what we wrote, and what we wrote against what had come."""
    ours = {"x-nginx-path", "connection", "content-length"}
    assert {name: values for name, values in read.items() if name not in ours} == {
        name: values for name, values in written.items() if name not in ours
    }
    for name, values in sent.headers.items():
        assert written[name] == values
    assert (
        not {"transfer-encoding", "transfer_encoding", "content_length", "upgrade", "te", "expect"}
        & written.keys()
    )


@BOUNDED
@given(sent=requests())
def test_requests_are_read_alike(house: House, reader: Reader, sent: Sent) -> None:
    check_request(house, reader, sent)


@pytest.mark.long
@THOROUGH
@given(sent=requests())
def test_many_requests_are_read_alike(house: House, reader: Reader, sent: Sent) -> None:
    check_request(house, reader, sent)


# -- answers -------------------------------------------------------------------------------------------
@dataclass
class Told:
    """An answer as bytes, and what must be understood of it."""

    raw: bytes
    status: int
    body: bytes
    headers: Fields
    closes: bool
    interim: bool


@st.composite
def answers(draw: st.DrawFn) -> Told:
    status = draw(
        st.sampled_from(
            [200, 201, 202, 203, 206, 299, 400, 404, 409, 422, 451, 499, 500, 503, 599, 301, 204, 304]
        )
    )
    bodiless = status in {204, 304}
    body = b"" if bodiless else draw(BODIES)
    told = Told(b"", status, body, {}, draw(st.booleans()), draw(st.integers(0, 5)) == 0)
    reason = draw(st.sampled_from([b" OK", b" ", b"", b" Not \xfc \t known"]))
    lines = [b"Content-Type: text/plain"] if not bodiless else []
    for name in draw(st.lists(NAMES, max_size=4)):
        value = draw(VALUES).strip(b" \t")
        lines.append(name.encode() + b":" + draw(SPACE) + value + draw(SPACE))
    lines += [b"Set-Cookie: a=%d" % number for number in range(draw(st.integers(0, 2)))]
    lines += draw(st.lists(st.sampled_from([b"Connection: keep-alive", b"Keep-Alive: timeout=5, max=9", b"Server: x/1", b"Via: 1.1 x"]), unique=True, max_size=2))  # fmt: skip
    framing = "none" if bodiless else draw(st.sampled_from(["length", "chunked", "end"]))
    wire = body
    if framing == "length":
        lines.append(b"Content-Length: " + b"0" * draw(st.integers(0, 2)) + b"%d" % len(body))
    elif framing == "chunked":
        lines.append(b"Transfer-Encoding: " + draw(st.sampled_from([b"chunked", b"Chunked"])))
        wire = _chunks(draw, body)
    elif framing == "end":
        told.closes = True
    lines = draw(st.permutations(lines))
    told.headers = _chosen(lines)
    before = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" if told.interim else b""
    told.raw = (
        before
        + b"HTTP/1.1 %d" % status
        + reason
        + b"\r\n"
        + b"".join(line + b"\r\n" for line in lines)
        + b"\r\n"
        + wire
    )
    return told


def check_answer(house: House, reader: Reader, told: Told) -> None:
    house.origin.raw, house.origin.closes = told.raw, told.closes
    with RawClient(house.answering_port) as client:
        client.send(b"GET /a/b HTTP/1.1\r\nHost: a\r\n\r\n")
        got = client.answer()
    assert got is not None
    assert (got.status, got.body) == (told.status, told.body)
    _told_headers(got, told)
    for port in (house.origin.port, house.answering_port):
        if reader.name == "nginx" and told.interim and port == house.origin.port:
            continue  # nginx takes interim answers of a provider for the final one; from us it never gets any
        found = reader.fetch(port)
        assert found is not None, f"{reader.name} has no reading"
        assert (found.start, found.body) == ((told.status,), told.body)
        for name, values in told.headers.items():
            assert found.headers[name] == values


def _told_headers(got: Got, told: Told) -> None:
    for name, values in told.headers.items():
        assert got.header(name.encode()) == values


@BOUNDED
@given(told=answers())
def test_answers_are_read_alike(house: House, reader: Reader, told: Told) -> None:
    check_answer(house, reader, told)


@pytest.mark.long
@THOROUGH
@given(told=answers())
def test_many_answers_are_read_alike(house: House, reader: Reader, told: Told) -> None:
    check_answer(house, reader, told)

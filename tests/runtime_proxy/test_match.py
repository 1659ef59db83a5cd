"""The router against a table of paths, and against a naive matcher that knows nothing of tries."""

from __future__ import annotations

import re
from urllib.parse import unquote_to_bytes

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernel.errors import ContractInvalid
from kernel.operation.declared import Declared
from kernel.operation.limits import DEFAULT
from kernel.operation.operation import Operation
from kernel.operation.schemas import Schemas
from kernel.operation.undeclared import NO_CREDENTIALS
from kernel.schema.dialects import Dialect
from runtime_proxy.match import Match, Miss, Mount, PathTrie, Router
from runtime_proxy.raw_path import split_path, split_target

DECLARED = Declared(Schemas({}, Dialect.OPENAPI_31, DEFAULT))


def operation(method: str, template: str) -> Operation:
    made = Operation(DECLARED, 0, NO_CREDENTIALS)
    made.id = f"{method} {template}"
    made.method = method.encode()
    made.template = template
    made.segments = tuple(template.split("/")[1:])
    made.pointer = "/paths/x"
    return made


TEMPLATES = (
    "GET /",
    "GET /orders",
    "POST /orders",
    "GET /orders/",
    "GET /orders/{orderId}",
    "DELETE /orders/{orderId}",
    "GET /orders/open",
    "GET /orders/open/today",
    "POST /orders/{orderId}/cancel",
    "GET /orders/{orderId}/{part}",
    "GET /repos/{owner}/{repo}/compare/{base}...{head}",
    "GET /repos/{owner}/{repo}/compare/{basehead}",
    "GET /reports/{name}.{format}",
    "GET /reports/{name}",
    "GET /reports/{name}.json",
    "POST /reports/{name}:cancel",
    "GET /müller/{x}",
    "GET /by-{ward}_bed-{bed}",
    "OPTIONS /declared",
)
TRIE = PathTrie(operation(*line.split(" ", 1)) for line in TEMPLATES)
ROUTER = Router(
    [Mount("/lab/v1", TRIE, "lab"), Mount("/old/v1", None, "old"), Mount("/lab/v1/extra", TRIE, "extra")]
)


@pytest.mark.parametrize(
    ("request_line", "expected", "values"),
    [
        ("GET /", "GET /", ()),
        ("GET /orders", "GET /orders", ()),
        ("GET /orders/", "GET /orders/", ()),
        ("GET /orders/7", "GET /orders/{orderId}", (b"7",)),
        ("DELETE /orders/7", "DELETE /orders/{orderId}", (b"7",)),
        ("GET /orders/open", "GET /orders/open", ()),
        ("GET /orders/%6Fpen", "GET /orders/open", ()),
        ("GET /orders/Open", "GET /orders/{orderId}", (b"Open",)),
        ("GET /orders/open/today", "GET /orders/open/today", ()),
        # The literal branch `open` dead-ends, so the template is tried.
        ("POST /orders/open/cancel", "POST /orders/{orderId}/cancel", (b"open",)),
        ("GET /orders/open/tomorrow", "GET /orders/{orderId}/{part}", (b"open", b"tomorrow")),
        ("GET /orders/a%2Fb", "GET /orders/{orderId}", (b"a%2Fb",)),
        ("GET /orders/open%2Ftoday", "GET /orders/{orderId}", (b"open%2Ftoday",)),
        ("GET /orders/%252e", "GET /orders/{orderId}", (b"%252e",)),
        ("GET /orders/...", "GET /orders/{orderId}", (b"...",)),
        (
            "GET /repos/o/r/compare/main...topic",
            "GET /repos/{owner}/{repo}/compare/{base}...{head}",
            (b"o", b"r", b"main", b"topic"),
        ),
        (
            "GET /repos/o/r/compare/a....b",
            "GET /repos/{owner}/{repo}/compare/{base}...{head}",
            (b"o", b"r", b"a.", b"b"),
        ),
        (
            "GET /repos/o/r/compare/main%2E%2E.x",
            "GET /repos/{owner}/{repo}/compare/{base}...{head}",
            (b"o", b"r", b"main", b"x"),
        ),
        (
            "GET /repos/o/r/compare/main",
            "GET /repos/{owner}/{repo}/compare/{basehead}",
            (b"o", b"r", b"main"),
        ),
        (
            "GET /repos/o/r/compare/...b",
            "GET /repos/{owner}/{repo}/compare/{basehead}",
            (b"o", b"r", b"...b"),
        ),
        ("GET /reports/ward.v2.csv", "GET /reports/{name}.{format}", (b"ward.v2", b"csv")),
        ("GET /reports/ward.json", "GET /reports/{name}.json", (b"ward",)),
        ("GET /reports/ward", "GET /reports/{name}", (b"ward",)),
        ("POST /reports/ward:cancel", "POST /reports/{name}:cancel", (b"ward",)),
        ("GET /m%C3%BCller/1", "GET /müller/{x}", (b"1",)),
        ("GET /by-7_bed-3", "GET /by-{ward}_bed-{bed}", (b"7", b"3")),
        ("GET /by-7_bed-_bed-3", "GET /by-{ward}_bed-{bed}", (b"7_bed-", b"3")),
        ("OPTIONS /declared", "OPTIONS /declared", ()),
    ],
)
def test_a_path_finds_its_operation_and_raw_values(
    request_line: str, expected: str, values: tuple[bytes, ...]
) -> None:
    method, path = request_line.encode().split(b" ")
    found = ROUTER.match(method, b"/lab/v1" + path)
    assert isinstance(found, Match)
    assert (found.operation.id, found.path_values, found.head, found.target) == (
        expected,
        values,
        False,
        "lab",
    )
    again = TRIE.match(method, found.rest)
    assert isinstance(again, Match)
    assert again.operation is found.operation


def test_head_is_served_where_get_is_declared() -> None:
    found = ROUTER.match(b"HEAD", b"/lab/v1/orders")
    assert isinstance(found, Match)
    assert (found.operation.id, found.head) == ("GET /orders", True)


@pytest.mark.parametrize(
    ("request_line", "status", "slug", "allow"),
    [
        ("GET /lab/v1", 404, "not-found", ()),
        ("GET /lab/v1/none", 404, "not-found", ()),
        ("GET /lab/v1/orders/7/", 404, "not-found", ()),
        ("GET /lab/v1/orders/7/cancel/", 404, "not-found", ()),
        ("GET /other", 404, "not-found", ()),
        ("GET /LAB/v1/orders", 404, "not-found", ()),
        ("PUT /lab/v1/orders", 405, "method-not-allowed", (b"GET", b"HEAD", b"OPTIONS", b"POST")),
        ("get /lab/v1/orders", 405, "method-not-allowed", (b"GET", b"HEAD", b"OPTIONS", b"POST")),
        ("HEAD /lab/v1/orders/7/cancel", 405, "method-not-allowed", (b"OPTIONS", b"POST")),
        # The concrete path decides, though `{orderId}` declares DELETE.
        ("DELETE /lab/v1/orders/open", 405, "method-not-allowed", (b"GET", b"HEAD", b"OPTIONS")),
        ("OPTIONS /lab/v1/orders/7", 204, "options", (b"DELETE", b"GET", b"HEAD", b"OPTIONS")),
        ("GET /old/v1/anything", 410, "retired", ()),
        ("GET /lab/v1/extra", 404, "not-found", ()),
        ("GET lab/v1/orders", 400, "target-invalid", ()),
        ("OPTIONS *", 400, "target-invalid", ()),
        ("GET /lab/v1//orders", 400, "target-invalid", ()),
        ("GET //lab/v1/orders", 400, "target-invalid", ()),
        ("GET /lab/v1/./orders", 400, "target-invalid", ()),
        ("GET /lab/v1/orders/..", 400, "target-invalid", ()),
        ("GET /lab/v1/orders/%2e%2E", 400, "target-invalid", ()),
        ("GET /lab/v1/orders/.%2e", 400, "target-invalid", ()),
        ("GET /lab/v1/orders/..%2Fadmin", 400, "target-invalid", ()),
        ("GET /lab/v1/orders/a%2F..", 400, "target-invalid", ()),
        ("GET /lab/v1/orders/a%5Cb", 400, "target-invalid", ()),
        ("GET /lab/v1/orders/a\\b", 400, "target-invalid", ()),
        ("GET /lab/v1/orders/a%00", 400, "target-invalid", ()),
        ("GET /lab/v1/orders/%", 400, "target-invalid", ()),
        ("GET /lab/v1/orders/%4", 400, "target-invalid", ()),
        ("GET /lab/v1/orders/%zz", 400, "target-invalid", ()),
        ("GET /lab/v1/orders/a#b", 400, "target-invalid", ()),
        ("GET /lab/v1/orders/ä", 400, "target-invalid", ()),
        # Split before or after decoding, this would be two different calls.
        ("POST /lab/v1/reports/ward%3Acancel", 400, "target-invalid", ()),
    ],
)
def test_a_path_that_is_not_served_says_why(
    request_line: str, status: int, slug: str, allow: tuple[bytes, ...]
) -> None:
    method, path = request_line.encode().split(b" ")
    missed = ROUTER.match(method, path)
    assert isinstance(missed, Miss)
    assert (missed.status, missed.slug, missed.allow) == (status, slug, allow)


def test_the_longest_base_wins_and_a_miss_below_it_names_its_target() -> None:
    found = ROUTER.match(b"GET", b"/lab/v1/extra/orders")
    assert isinstance(found, Match)
    assert found.target == "extra"
    assert ROUTER.match(b"GET", b"/old/v1/x").target == "old"


def test_a_literal_path_under_two_bases_belongs_to_the_longer() -> None:
    outer = PathTrie([operation("GET", "/v1/orders"), operation("GET", "/v2/orders")])
    router = Router(
        [Mount("", outer, "outer"), Mount("/v1", PathTrie([operation("POST", "/orders")]), "inner")]
    )
    found = router.match(b"GET", b"/v1/orders")
    assert isinstance(found, Miss)
    assert (found.status, found.target, found.rest) == (405, "inner", (b"orders",))
    other = router.match(b"GET", b"/v2/orders")
    assert isinstance(other, Match)
    assert (other.target, other.rest) == ("outer", (b"v2", b"orders"))


def test_a_router_without_base_serves_the_contracts_own_paths() -> None:
    found = Router([Mount("", TRIE)]).match(b"GET", b"/orders/7")
    assert isinstance(found, Match)
    assert found.path_values == (b"7",)


@pytest.mark.parametrize("base", ["lab", "/lab/", "/", "/a//b", "/../x", "/l b"])
def test_a_base_that_no_request_could_name_is_refused(base: str) -> None:
    with pytest.raises(ContractInvalid):
        Router([Mount(base, TRIE)])


def test_two_mounts_at_one_base_are_refused() -> None:
    with pytest.raises(ContractInvalid, match="two contracts are mounted"):
        Router([Mount("/a", TRIE), Mount("/a", None)])


def test_templates_that_differ_in_names_only_are_refused() -> None:
    with pytest.raises(ContractInvalid, match="same path"):
        PathTrie([operation("GET", "/a/{x}"), operation("GET", "/a/{y}")])


def test_a_target_is_parted_at_its_first_question_mark() -> None:
    assert split_target(b"/a?b=c?d") == (b"/a", b"b=c?d")
    assert split_target(b"/a") == (b"/a", b"")


# --- against a naive matcher -------------------------------------------------------------------------

SEGMENTS = st.sampled_from(
    ["a", "b", "a.b", "{x}", "{x}.{y}", "{x}.b", "a{x}", "{x}-{y}", "{x}..{y}.{z}", ""]
)
PARTS = st.sampled_from(["a", "b", "a.b", "a.b.b", "ab", "-a-b", "a-b.b", "a..b.c", "%61", "a%2Fb", ""])


def naive(templates: list[str], path: bytes) -> tuple[str, tuple[bytes, ...]] | None:
    """Try every template as a greedy regular expression and take the most concrete that fits."""
    best: tuple[list[tuple[int, int, str]], str, tuple[bytes, ...]] | None = None
    for template in templates:
        segments = template.split("/")[1:]
        parts = path.decode().split("/")[1:]
        if len(segments) != len(parts):
            continue
        rank: list[tuple[int, int, str]] = []
        values: list[bytes] = []
        for segment, part in zip(segments, parts, strict=True):
            shape = re.sub(r"\{\w\}", "{}", segment)
            literal = shape.replace("{}", "")
            if "{" not in segment:
                if unquote_to_bytes(part) != segment.encode():
                    break
                rank.append((0, 0, ""))
                continue
            found = re.fullmatch(
                re.sub(r"\\\{\w\\\}", "(.+)", re.escape(segment)),
                part.replace("%61", "a") if literal else part,
            )
            if found is None:
                break
            values += [value.encode() for value in found.groups()]
            rank.append((1, -len(literal), shape) if literal else (2, 0, ""))
        else:
            if best is None or rank < best[0]:
                best = (rank, template, tuple(values))
    return None if best is None else best[1:]


def said(found: Match | Miss) -> object:
    if isinstance(found, Miss):
        return found.status
    return found.operation, found.path_values, found.rest, found.path, found.head


@settings(max_examples=400, deadline=None)
@given(
    st.lists(st.lists(SEGMENTS, min_size=1, max_size=4), min_size=1, max_size=8),
    st.lists(PARTS, min_size=1, max_size=4),
)
def test_the_trie_agrees_with_trying_every_template(shapes: list[list[str]], parts: list[str]) -> None:
    unique = {"/" + re.sub(r"\{\w\}", "{}", "/".join(shape)): "/" + "/".join(shape) for shape in shapes}
    path = ("/" + "/".join(parts)).encode()
    segments = split_path(path)
    if segments is None:
        return
    trie = PathTrie(operation("GET", template) for template in unique.values())
    found = trie.match(b"GET", segments)
    routed = Router([Mount("/base/v1", trie)]).match(b"GET", b"/base/v1" + path)
    assert said(routed) == said(found)
    expected = naive(list(unique.values()), path)
    if expected is None:
        assert isinstance(found, Miss)
        assert found.status == 404
    else:
        assert isinstance(found, Match)
        assert (found.operation.template, found.path_values) == expected

"""What `proxy run` says about its key: it never promises what a key cannot open."""

import json
from pathlib import Path

import pytest

from cli.proxy_said import say_ready
from runtime_proxy.throwaway import Way, make_bundle

OK = {"responses": {"200": {"description": "ok"}}}
SCHEMES = {"key": {"type": "apiKey", "in": "header", "name": "X-Key"}, "mutual": {"type": "mutualTLS"}}
REST = "a client certificate (mutualTLS), or what is not verified here"


@pytest.mark.parametrize(
    ("first", "second", "said"),
    [
        ("key", "key", "this file asks for a key; until the proxy ends, this one opens every operation:"),
        ("key", "mutual", f"until the proxy ends, this key alone opens 1 of 2 operations; the rest ask for {REST}:"),
        ("mutual", "mutual", f"no key opens what this file secures: it asks for {REST}"),
    ],
)  # fmt: skip
def test_the_key_is_promised_for_what_it_opens(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], first: str, second: str, said: str
) -> None:
    paths = {
        "/a": {"get": {**OK, "security": [{first: []}]}},
        "/b": {"get": {**OK, "security": [{second: []}]}},
    }
    body = {"openapi": "3.1.0", "info": {"title": "Ward", "version": "1.0.0"}, "paths": paths,
            "components": {"securitySchemes": SCHEMES}}  # fmt: skip
    (tmp_path / "ward.json").write_text(json.dumps(body))
    way = Way("http://127.0.0.1:9")
    say_ready(make_bundle(tmp_path / "ward.json", way, tmp_path / "b"), way, ("127.0.0.1", 8701))
    first_line, *between, last = capsys.readouterr().err.splitlines()
    assert first_line == said
    assert ["X-Key: ilk_" in line for line in between] == [True] * ("key" in {first, second})
    assert "(ward 1.0.0, 2 operations)" in last

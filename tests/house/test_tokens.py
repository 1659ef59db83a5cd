"""`interlock proxy run` with an issuer: a stranger's tokens are verified from the first call on, in every worker."""

import http.client
import json
import ssl
from pathlib import Path

import pytest
from cryptography import x509

from tests.doubles.authority import PEM, Authority
from tests.doubles.issuer import AUDIENCE, AuthorizationServer
from tests.doubles.upstream import Upstream
from tests.house.running import ask, proxy_run

pytestmark = pytest.mark.house

WARD = """
openapi: 3.1.0
info: {title: Ward, version: 1.0.0}
security: [{login: [user/Location.rs]}]
paths:
  /beds:
    get:
      responses: {"200": {description: ok, content: {application/json: {schema: {type: object}}}}}
components:
  securitySchemes:
    login: {type: oauth2, flows: {clientCredentials: {tokenUrl: "https://login.example/token", scopes: {}}}}
"""


@pytest.mark.parametrize("workers", ["1", "2"])
@pytest.mark.parametrize("by", ["url", "file"])
def test_tokens_open_what_the_file_asks_for(tmp_path: Path, by: str, workers: str) -> None:
    server, upstream = AuthorizationServer(), Upstream()
    (tmp_path / "ward.yaml").write_text(WARD)
    (tmp_path / "jwks.json").write_text(json.dumps(server.jwks()))
    keys = server.jwks_uri if by == "url" else "jwks.json"
    options = ("--issuer", server.name, "--jwks", keys, "--audience", AUDIENCE, "--purpose", "TREAT")
    file = tmp_path / "ward.yaml"
    with proxy_run(file, upstream.url, *options, "--workers", workers, cwd=tmp_path) as (port, said):
        assert f"a token of {server.name}" in said

        def call(token: str | None, **more: str) -> str:
            lines = {"X-Purpose-Of-Use": "TREAT", **more}
            if token is not None:
                lines["Authorization"] = f"Bearer {token}"
            got = ask(port, "GET", "/beds", headers=lines)
            return "200" if got.status == 200 else f"{got.status} {got.slug}"

        good = server.token(scope="user/*.read")
        assert {call(good) for _ in range(8)} == {"200"}
        assert call(None) == "401 credentials-missing"
        assert call(server.token(scope="patient/*.read")) == "403 scope-missing"
        assert call(server.token(aud="other")) == "401 credentials-refused"
        assert call(server.token(exp=1000, iat=900)) == "401 credentials-expired"
        assert call(good, **{"X-Purpose-Of-Use": "HMARKT"}) == "403 purpose-refused"
    assert all(seen.header("authorization") == [] for seen in upstream.seen if seen.target == "/beds")
    if by == "url":
        assert 1 <= server.fetches <= int(workers)
    server.close()
    upstream.close()


def test_a_pinned_certificate_opens_mutual_tls(tmp_path: Path) -> None:
    upstream = Upstream()
    text = WARD.replace('{type: oauth2, flows: {clientCredentials: {tokenUrl: "https://login.example/token", scopes: {}}}}', "{type: mutualTLS}")  # fmt: skip
    (tmp_path / "ward.yaml").write_text(text.replace("[user/Location.rs]", "[]"))
    authority = Authority("Ward CA")
    server, _ = authority.issue(tmp_path, "server", x509.DNSName("localhost"))
    mine, certificate = authority.issue(tmp_path, "mine")
    pins, root = tmp_path / "pins.pem", tmp_path / "root.pem"
    pins.write_bytes(certificate.public_bytes(PEM))
    root.write_bytes(authority.certificate.public_bytes(PEM))
    options = ("--tls-certificate", str(server), "--tls-key", str(server), "--client-certificate", str(pins))
    with proxy_run(tmp_path / "ward.yaml", upstream.url, *options, cwd=tmp_path) as (port, said):
        assert "interlock proxy https://" in said

        def call(shown: Path | None) -> int:
            context = ssl.create_default_context(cafile=str(root))
            if shown is not None:
                context.load_cert_chain(shown)
            connection = http.client.HTTPSConnection("localhost", port, context=context, timeout=30)
            try:
                connection.request("GET", "/beds")
                return connection.getresponse().status
            finally:
                connection.close()

        assert call(mine) == 200
        assert call(None) == 401
    upstream.close()

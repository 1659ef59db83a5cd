"""Client certificates over a real TLS listener: asked for, pinned or by their authority, and bound to tokens."""

import asyncio
import base64
import contextlib
import hashlib
import json
import ssl
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from kernel.bundle.model import Consumer, Grant
from kernel.bundle.policy import ConsumerPolicy, RoutePolicy
from kernel.bundle.trust import CertificateBinding, TokenTrust
from kernel.errors import SettingsError
from kernel.settings import load
from runtime_proxy.client_certificates import read_certificate, tls_context
from runtime_proxy.edges import Edges
from tests.doubles.authority import PEM, Authority
from tests.doubles.issuer import AuthorizationServer, bound, with_login


def der(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.DER)


class Site:
    """A proxy on TLS; `ask` calls it with a certificate or without."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.lab = Authority("Laboratory CA")
        self.stranger = Authority("Stranger CA")
        self.server, _ = self.lab.issue(folder, "server", x509.DNSName("localhost"))
        self.authorities = folder / "clients.pem"
        self.authorities.write_bytes(self.lab.certificate.public_bytes(PEM))
        self.root = folder / "root.pem"
        self.root.write_bytes(self.lab.certificate.public_bytes(PEM))

    @property
    def settings(self) -> dict[str, Any]:
        return {
            "proxy_tls_certificate": str(self.server),
            "proxy_tls_key": str(self.server),
            "proxy_tls_client_ca": str(self.authorities),
            "proxy_port": 0,
            "proxy_drain_timeout": 0,
        }

    @contextlib.asynccontextmanager
    async def serving(self, house: Any):
        edges = Edges(house.plane.handlers, house.settings)
        await edges.listen()
        self.port = next(iter(edges.addresses().values()))[1]
        try:
            yield
        finally:
            await edges.drain()

    async def ask(self, certificate: Path | None, *lines: str, target: str = "/orders/v1/orders") -> Any:
        context = ssl.create_default_context(cafile=str(self.root))
        if certificate is not None:
            context.load_cert_chain(certificate)
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", self.port, ssl=context, server_hostname="localhost"
        )
        head = [f"GET {target} HTTP/1.1", "Host: localhost", "Connection: close", *lines]
        writer.write("\r\n".join(head).encode() + b"\r\n\r\n")
        async with asyncio.timeout(10):
            raw = await reader.read()
        writer.close()
        with contextlib.suppress(OSError, ssl.SSLError):
            await writer.wait_closed()
        top, _, body = raw.partition(b"\r\n\r\n")
        return int(top.split()[1]), json.loads(body)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    return Site(tmp_path_factory.mktemp("tls"))


def mutual(kit, *alternatives: dict[str, list[str]]) -> dict[str, Any]:
    made = with_login(kit.orders_document())
    made["components"]["securitySchemes"]["certificate"] = {"type": "mutualTLS"}
    made["security"] = list(alternatives) or [{"certificate": []}]
    return made


def analyzer(*certificates: CertificateBinding) -> Consumer:
    policy = ConsumerPolicy(certificates=certificates)
    return Consumer("analyzer", "Analyzer", "internal", (), (Grant("orders", 1),), policy=policy)


async def test_a_certificate_is_its_consumers_by_each_of_its_marks(make_house, kit, site) -> None:
    file, certificate = site.lab.issue(
        site.folder,
        "analyzer-7",
        x509.DNSName("analyzer-7.lab.example"),
        x509.UniformResourceIdentifier("urn:lab:analyzer:7"),
    )
    house = make_house(**site.settings)
    house.provider.answer = lambda _: kit.answer(200, {"id": "o-1"})
    async with site.serving(house):
        for binding in (
            CertificateBinding(sha256=hashlib.sha256(der(certificate)).hexdigest()),
            CertificateBinding(subject="CN=analyzer-7"),
            CertificateBinding(dns="analyzer-7.lab.example"),
            CertificateBinding(uri="urn:lab:analyzer:7"),
        ):
            await house.publish(mutual(kit), consumers=(analyzer(binding),))
            assert (await site.ask(file))[0] == 200
            record = house.journal.records[-1]
            assert (record["consumer"], record["auth"]) == ("analyzer", "certificate")
        await house.publish(mutual(kit), consumers=(analyzer(CertificateBinding(dns="other.example")),))
        status, said = await site.ask(file)
        assert (status, said["type"]) == (403, "urn:interlock:refusal:consumer-unknown")


async def test_without_a_certificate_it_is_401_and_a_header_is_none(make_house, kit, site) -> None:
    _, certificate = site.lab.issue(site.folder, "analyzer-8")
    pin = CertificateBinding(sha256=hashlib.sha256(der(certificate)).hexdigest())
    house = make_house(**site.settings)
    await house.publish(mutual(kit), consumers=(analyzer(pin),))
    forwarded = base64.b64encode(der(certificate)).decode()
    async with site.serving(house):
        for lines in ((), (f"Client-Cert: :{forwarded}:",), (f"X-SSL-Client-Cert: {forwarded}",)):
            status, said = await site.ask(None, *lines)
            assert (status, said["type"]) == (401, "urn:interlock:refusal:credentials-missing")
    assert house.provider.calls == []


async def test_a_certificate_of_a_stranger_ends_the_handshake(make_house, kit, site) -> None:
    file, certificate = site.stranger.issue(site.folder, "stranger")
    pin = CertificateBinding(sha256=hashlib.sha256(der(certificate)).hexdigest())
    house = make_house(**site.settings)
    await house.publish(mutual(kit), consumers=(analyzer(pin),))
    async with site.serving(house):
        with pytest.raises((ssl.SSLError, ConnectionError, IndexError)):
            await site.ask(file)
    assert house.provider.calls == []


async def test_a_pinned_certificate_needs_no_authority(make_house, kit, site) -> None:
    """It stands in the listener's file itself; its sister of the same authority does not get in."""
    file, certificate = site.stranger.issue(site.folder, "pinned")
    sister, _ = site.stranger.issue(site.folder, "sister")
    authorities = site.folder / "pins.pem"
    authorities.write_bytes(certificate.public_bytes(PEM))
    pin = CertificateBinding(sha256=hashlib.sha256(der(certificate)).hexdigest())
    house = make_house(**{**site.settings, "proxy_tls_client_ca": str(authorities)})
    house.provider.answer = lambda _: kit.answer(200, {"id": "o-1"})
    await house.publish(mutual(kit), consumers=(analyzer(pin),))
    async with site.serving(house):
        assert (await site.ask(file))[0] == 200
        with pytest.raises((ssl.SSLError, ConnectionError, IndexError)):
            await site.ask(sister)


async def test_a_bound_token_passes_with_its_own_certificate_alone(make_house, kit, site) -> None:
    mine, certificate = site.lab.issue(site.folder, "mine")
    other, _ = site.lab.issue(site.folder, "other")
    server = AuthorizationServer()
    thumbprint = base64.urlsafe_b64encode(hashlib.sha256(der(certificate)).digest()).rstrip(b"=").decode()
    line = f"Authorization: Bearer {server.token(cnf={'x5t#S256': thumbprint})}"
    house = make_house(**site.settings)
    house.provider.answer = lambda _: kit.answer(200, {"id": "o-1"})
    trust = TokenTrust((server.issuer(jwks_uri="", jwks=server.jwks()),))
    await house.publish(mutual(kit, {"login": []}), consumers=(bound(),), policy=RoutePolicy(tokens=trust))
    async with site.serving(house):
        assert (await site.ask(mine, line))[0] == 200
        assert (await site.ask(other, line))[0] == 401
        assert (await site.ask(None, line))[0] == 401
    server.close()


async def test_where_the_listener_asks_for_none_mutual_tls_is_unverifiable(make_house, kit) -> None:
    house = make_house()
    await house.publish(mutual(kit))
    reply = await house.ask("GET", "/orders/v1/orders", key=None)
    assert (reply.status, kit.problem(reply)["slug"]) == (401, "security-unverifiable")
    await house.publish(mutual(kit, {"certificate": []}, {"apiKey": []}))
    house.provider.answer = lambda _: kit.answer(200, {"id": "o-1"})
    assert (await house.ask("GET", "/orders/v1/orders")).status == 200


def test_a_certificate_that_cannot_be_read_has_its_thumbprint_alone() -> None:
    found = read_certificate(b"nonsense")
    assert found.marks == (("sha256", hashlib.sha256(b"nonsense").hexdigest()),)


def test_the_listeners_files_are_whole_or_refused(site) -> None:
    assert tls_context(load({}, environ={})) is None
    context = tls_context(load(site.settings, environ={}))
    assert context is not None
    assert context.verify_mode == ssl.CERT_OPTIONAL
    for change in (
        {"proxy_tls_key": ""},
        {"proxy_tls_certificate": ""},
        {"proxy_tls_certificate": str(site.folder / "none.pem")},
        {"proxy_tls_client_ca": str(site.folder / "none.pem")},
        {"proxy_tls_key": str(site.root)},
    ):
        with pytest.raises(SettingsError):
            tls_context(load({**site.settings, **change}, environ={}))

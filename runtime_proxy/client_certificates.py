"""Client certificates: what the listener asks for, and what one says of its holder (RFC 8705)."""

from __future__ import annotations

import hashlib
import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes

from kernel.bundle.trust import CertificateBinding
from kernel.errors import Place, SettingsError

if TYPE_CHECKING:
    from pathlib import Path

    from kernel.settings import Settings


@dataclass(frozen=True, slots=True)
class ClientCertificate:
    """A certificate whose chain and key the TLS handshake has proven; `marks` are what bindings may name."""

    thumbprint: bytes  # SHA-256 of its DER form
    marks: tuple[tuple[str, str], ...]  # (sha256 | subject | dns | uri, value), the most exact first


def certificate_of(ssl_object: Any) -> ClientCertificate | None:
    """Read the peer's certificate of a TLS connection, once for the connection; None: it showed none."""
    der = ssl_object.getpeercert(True) if ssl_object is not None else None
    return read_certificate(der) if der else None


def read_certificate(der: bytes) -> ClientCertificate:
    """Take the marks out of a certificate; what it says in a form that we do not read is no mark."""
    thumbprint = hashlib.sha256(der).digest()
    marks = [("sha256", thumbprint.hex())]
    try:
        certificate = x509.load_der_x509_certificate(der)
        subject = certificate.subject.rfc4514_string()
        if subject:
            marks.append(("subject", subject))
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        marks += [("dns", name) for name in names.get_values_for_type(x509.DNSName)]
        marks += [("uri", name) for name in names.get_values_for_type(x509.UniformResourceIdentifier)]
    except (x509.ExtensionNotFound, x509.DuplicateExtension, ValueError):
        pass
    return ClientCertificate(thumbprint, tuple(marks))


def pins_in(file: Path) -> tuple[CertificateBinding, ...]:
    """Pin every certificate of a PEM file; raises `SettingsError` where it holds none."""
    try:
        found = x509.load_pem_x509_certificates(file.read_bytes())
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "it holds no certificate in PEM form"
        raise SettingsError(f"client certificates cannot be read: {why}", place=Place(str(file))) from None
    return tuple(CertificateBinding(sha256=one.fingerprint(hashes.SHA256()).hex()) for one in found)


def tls_context(settings: Settings) -> ssl.SSLContext | None:
    """Make the listener's TLS context out of `proxy_tls_*`; None: it speaks plain HTTP.

    With `proxy_tls_client_ca` clients are asked for a certificate and may come without: the contract
    decides which operation needs one. A pinned certificate may stand in that file itself, without its
    issuer. Raises `SettingsError`.
    """
    chain, key, authorities = (
        settings["proxy_tls_certificate"],
        settings["proxy_tls_key"],
        settings["proxy_tls_client_ca"],
    )
    if not chain and not key and not authorities:
        return None
    if not chain or not key:
        raise SettingsError("TLS needs proxy_tls_certificate and proxy_tls_key")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    try:
        context.load_cert_chain(chain, key, password=_no_password)
        if authorities:
            context.load_verify_locations(cafile=authorities)
            context.verify_mode = ssl.CERT_OPTIONAL
            context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN | ssl.VERIFY_X509_STRICT
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        raise SettingsError(
            f"the files of proxy_tls_* cannot be used: {getattr(error, 'strerror', None) or error}",
            hint="PEM files: a chain, its key without password, and the authorities of clients",
        ) from None
    return context


def _no_password() -> str:
    """Refuse a key under a password, rather than ask the terminal for it."""
    raise ValueError("the key is under a password")

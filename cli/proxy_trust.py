"""Options of `proxy run` that say whom to trust, and the policy that they make of its one route."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from kernel.errors import DocumentError, Place

if TYPE_CHECKING:
    from collections.abc import Callable

    from kernel.bundle.policy import RoutePolicy
    from kernel.bundle.trust import CertificateBinding, TokenTrust

_LARGEST_JWKS: Final = 512 * 1024  # bytes
_OPTIONS: Final = (
    click.option(
        "--issuer", metavar="NAME", help="Take tokens of this issuer (`iss`) where the file asks for bearer."
    ),
    click.option("--jwks", metavar="FILE|URL", help="Where the public keys of --issuer are."),
    click.option(
        "--audience", "audiences", multiple=True, metavar="NAME", help="What `aud` must hold; repeatable."
    ),
    click.option(
        "--purpose",
        "purposes",
        multiple=True,
        metavar="CODE",
        help="Ask for one of these purposes of use, in X-Purpose-Of-Use or a claim; repeatable.",
    ),
    click.option(
        "--tls-certificate", metavar="FILE", help="PEM file of a certificate: the proxy speaks TLS."
    ),
    click.option("--tls-key", metavar="FILE", help="PEM file of its key, without a password."),
    click.option(
        "--client-certificate",
        metavar="FILE",
        help="PEM file of client certificates that open what the file declares as mutualTLS.",
    ),
)


def trust_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options; their values go to `trusting`."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


@dataclass(frozen=True, slots=True)
class Trusting:
    """What the options say."""

    policy: RoutePolicy
    pins: tuple[CertificateBinding, ...]
    settings: dict[str, str | None]  # of the listener; None: not said here

    @property
    def secure(self) -> bool:
        """Whether the options ask for TLS."""
        return bool(self.settings["proxy_tls_certificate"])


def trusting(
    *, tls_certificate: str | None, tls_key: str | None, client_certificate: str | None, **tokens: Any
) -> Trusting:
    """Read the options; raises `UsageError`, or `InterlockError` for files that cannot be read."""
    from runtime_proxy.client_certificates import pins_in

    if client_certificate and not tls_certificate:
        raise click.UsageError("--client-certificate needs --tls-certificate and --tls-key")
    if bool(tls_certificate) != bool(tls_key):
        raise click.UsageError("--tls-certificate and --tls-key belong together")
    settings = {
        "proxy_tls_certificate": tls_certificate,
        "proxy_tls_key": tls_key,
        "proxy_tls_client_ca": client_certificate,
    }
    pins = pins_in(Path(client_certificate)) if client_certificate else ()
    return Trusting(policy_of(**tokens), pins, settings)


def policy_of(
    issuer: str | None, jwks: str | None, audiences: tuple[str, ...], purposes: tuple[str, ...]
) -> RoutePolicy:
    """Write the route's policy; raises `UsageError`, or `InterlockError` for keys that cannot be read."""
    from kernel.bundle.policy import RoutePolicy
    from kernel.bundle.trust import PurposeOfUse

    if any((issuer, jwks, *audiences)) and not (issuer and jwks and audiences):
        raise click.UsageError("--issuer, --jwks and --audience belong together")
    tokens = _trust(issuer, jwks, audiences) if issuer and jwks else None
    try:
        purpose = PurposeOfUse(purposes) if purposes else None
    except ValueError as error:
        raise click.UsageError(f"--purpose: {error}") from None
    return RoutePolicy(tokens=tokens, purpose=purpose)


def _trust(issuer: str, jwks: str, audiences: tuple[str, ...]) -> TokenTrust:
    """Trust one issuer for trying out: plain JWTs pass too, since that is what most tools sign."""
    from kernel.bundle.trust import ALGORITHMS, Issuer, TokenTrust
    from kernel.contract.document import parse

    uri = jwks if "://" in jwks else ""
    keys = None if uri else parse(_read_small(Path(jwks)), name=jwks).root
    try:
        signs = Issuer(
            issuer,
            audiences,
            jwks_uri=uri,
            jwks=keys,
            algorithms=tuple(sorted(ALGORITHMS)),
            types=("at+jwt", "JWT"),
            consumer_claims=("iss",),
        )
    except ValueError as error:
        raise click.UsageError(f"--issuer: {error}") from None
    return TokenTrust((signs,))


def _read_small(file: Path) -> bytes:
    try:
        with file.open("rb") as opened:
            data = opened.read(_LARGEST_JWKS + 1)
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise DocumentError(f"the keys cannot be read: {why}", place=Place(str(file))) from None
    if len(data) > _LARGEST_JWKS:
        raise DocumentError(f"a key set has at most {_LARGEST_JWKS} bytes", place=Place(str(file)))
    return data

"""Builds the control plane of one data folder: the only file that knows all parts of the registry."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from kernel.sealing.keys import KeyFolder

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

    from kernel.settings import Settings
    from registry.review.people import Account, IssuedToken, Token
    from registry.review.relay import Relay
    from registry.review.services import Services

HEADS_KEY = "registry-heads"


def upgrade_databases(settings: Settings) -> list[str]:
    """Bring both schemas to this release, make keys, local tokens and a first bundle; tell what stands.

    Safe to repeat. Raises `StoreFailed`, `CanonicalStoreError`, `SealingError`, `PublicationFailed`.
    """
    from adapters.canonical.engine import open_engine as open_canonical
    from adapters.canonical.upgrade import upgrade as upgrade_canonical
    from cli.local_access import ensure_local_tokens
    from registry.review.publication import publish_first
    from registry.store.engine import open_engine
    from registry.store.upgrade import upgrade

    settings.path.mkdir(mode=0o700, parents=True, exist_ok=True)
    told = []
    for name, opened, migrate in (
        ("registry", open_engine, upgrade),
        ("canonical", open_canonical, upgrade_canonical),
    ):
        engine = opened(settings)
        try:
            told.append(f"{name}: schema at revision {migrate(engine)}")
        finally:
            # Connections made before the roles of PostgreSQL existed would go on without them.
            engine.dispose()
    with open_services(settings) as services:
        made = ensure_local_tokens(services, settings.path / "tokens")
        publish_first(services)
    told.append(f"tokens: {', '.join(made)} made in tokens/" if made else "tokens: all there")
    return told


@contextmanager
def open_services(settings: Settings) -> Iterator[Services]:
    """Give the services of a data folder whose schema is up to date; raises `StoreFailed` where it is not."""
    from registry.errors import StoreFailed
    from registry.review.engines import HouseEngines
    from registry.review.house_policy import profile_for
    from registry.review.requirement import required_of
    from registry.review.services import Services
    from registry.store.database import SqlStore
    from registry.store.engine import open_engine
    from registry.store.press import FolderPress
    from registry.store.upgrade import pending

    required_of(settings)  # a slip in it must not look like nothing being required
    profile_for(settings, "", {})
    engine = open_engine(settings)
    try:
        missing = pending(engine)
        if missing is not None:
            raise StoreFailed(
                f"the registry's schema is not at revision {missing}", hint="run `interlock db upgrade`"
            )
        KeyFolder(settings.path / "keys").ensure(HEADS_KEY, "audit-heads")
        yield Services(
            settings=settings,
            store=SqlStore(engine),
            now=lambda: datetime.now(UTC),
            engines=HouseEngines(settings),
            press=FolderPress(settings.path / "bundle", KeyFolder(settings.path / "keys")),
        )
    finally:
        engine.dispose()


@dataclass(frozen=True, slots=True)
class Running:
    """Services whose audit records reach the journal, and what carries them."""

    services: Services
    relay: Relay


@contextmanager
def run_services(settings: Settings) -> Iterator[Running]:
    """Give services with their journal open and their relay running; raises `AuditError` when it is in use."""
    from kernel.audit.journal import Journal
    from registry.review.relay import WRITER, Relay

    with open_services(settings) as services:
        audit = settings.path / "audit"
        signer = KeyFolder(settings.path / "keys").signing_key(HEADS_KEY)
        journal = Journal.open(
            audit,
            WRITER,
            signer,
            segment_bytes=settings["audit_segment_bytes"],
            queue=settings["audit_queue"],
            fsync=settings["audit_fsync"],
        )
        try:
            relay = Relay(services.store, journal, audit, services.now)
            relay.start()
            try:
                yield Running(replace(services, recorded=relay.wake), relay)
            finally:
                relay.close()
        finally:
            journal.close()


def build_registry_app(services: Services) -> ASGIApp:
    """Join API and pages into one ASGI application: /api/v1 and /healthz, and the pages at all else."""
    from starlette.applications import Starlette

    from registry.api.app import BASE, build_app
    from registry.web.app import routes

    api, pages = build_app(services), Starlette(routes=routes(services))

    async def registry(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] == "/healthz":
            scope = {**scope, "path": f"{BASE}/healthz", "raw_path": f"{BASE}/healthz".encode()}
        is_api = scope["type"] == "http" and scope["path"].startswith(f"{BASE}/")
        await (api if is_api else pages)(scope, receive, send)

    return registry


def serve_registry(settings: Settings) -> None:
    """Serve board and API until SIGTERM or SIGINT, then end what is under way; the first start makes all."""
    from cli.claims import refuse_second
    from cli.registry_process import serve

    refuse_second(settings.path, "registry")
    upgrade_databases(settings)
    with run_services(settings) as running:
        serve(build_registry_app(running.services), running.services)


def add_account(
    settings: Settings, name: str, roles: frozenset[str], password: str, *, replace_known: bool = False
) -> Account:
    """Enter an account of the pages; `replace_known` gives a known one other roles and another password.

    Raises `Conflict` where the name is taken.
    """
    from cli.local_access import local_principal
    from registry.errors import Conflict
    from registry.review import accounts
    from registry.review.principal import Role

    with open_services(settings) as services:
        if not replace_known and any(one.name == name for one in accounts.accounts(services)):
            raise Conflict(
                f"there is an account {name}",
                hint="take another name; --replace gives this one other roles and another password",
            )
        held = frozenset(map(Role, roles))
        return accounts.put_account(services, local_principal(), name=name, roles=held, password=password)


def list_accounts(settings: Settings) -> tuple[Account, ...]:
    """List all accounts."""
    from registry.review import accounts

    with open_services(settings) as services:
        return accounts.accounts(services)


def disable_account(settings: Settings, name: str) -> None:
    """End an account and its sessions."""
    from cli.local_access import local_principal
    from registry.review import accounts

    with open_services(settings) as services:
        accounts.disable_account(services, local_principal(), name)


def issue_token(
    settings: Settings, subject: str, roles: frozenset[str], expires_at: datetime | None
) -> IssuedToken:
    """Make an API token that acts in the name of `subject`."""
    from cli.local_access import local_principal
    from registry.review import accounts
    from registry.review.principal import Role

    with open_services(settings) as services:
        held = frozenset(map(Role, roles))
        return accounts.issue_token(
            services, local_principal(), subject=subject, roles=held, expires_at=expires_at
        )


def tokens(settings: Settings) -> tuple[Token, ...]:
    """List all tokens, without their secrets."""
    from registry.review import accounts

    with open_services(settings) as services:
        return accounts.tokens(services)


def revoke_token(settings: Settings, token_id: str) -> None:
    """Revoke a token for good."""
    from cli.local_access import local_principal
    from registry.review import accounts

    with open_services(settings) as services:
        accounts.revoke_token(services, local_principal(), token_id)

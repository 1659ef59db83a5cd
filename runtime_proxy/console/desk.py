"""The operator's pages: an address of their own, a token for each call, read only, and nothing of any patient."""

from __future__ import annotations

import asyncio
import base64
import binascii
import hmac
import logging
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs

from kernel.theme.pages import SECURITY_HEADERS, load_theme
from runtime_proxy.console import views
from runtime_proxy.console.tokens import ops_token
from runtime_proxy.exchange import Exchange, LateReply, Reply, written
from runtime_proxy.refusals import REFUSALS
from runtime_proxy.refusals_call import InternalError
from runtime_proxy.replies import answer_of
from runtime_proxy.trace import new_request_id

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from runtime_proxy.console.standing import Standing
    from runtime_proxy.console.told import WorkerNow
    from runtime_proxy.exchange import Headers

log = logging.getLogger("interlock.proxy")
_PAGES: Final = Path(__file__).parent / "pages"
_AT_ONCE: Final = 40  # pieces of a page that are rendered without serving others
_OTHERS_SECONDS: Final = 1.2  # in which all workers have told how they stand
_LONGEST_FIND: Final = 128
_COMPLAINT_SECONDS: Final = 10.0  # between two words in the log about tokens that were refused
_NO_STORE: Final = (b"cache-control", b"no-store")
_HTML: Final = (b"content-type", b"text/html; charset=utf-8")
_ASK: Final = (b"www-authenticate", b'Basic realm="Interlock console", charset="UTF-8"')
_TITLES: Final = {
    b"/ops": ("routes", "Routes"),
    b"/ops/exchanges": ("exchanges", "Exchanges"),
    b"/ops/limits": ("limits", "Limits"),
    b"/ops/workers": ("workers", "Workers"),
}


def open_desk(standing: Standing, root: Path, environment: str, *, several: bool) -> Desk:
    """Give the console of a data folder, or of the folder of `proxy run`; raises `SealingError`."""
    return Desk(standing, ops_token(root), environment, several=several)


class Desk:
    """A `Handler` (runtime_proxy/exchange.py) that answers with pages; `several`: other workers tell theirs too."""

    def __init__(self, standing: Standing, token: str, environment: str, *, several: bool) -> None:
        self._standing = standing
        self._token = token.encode()
        self._environment = environment
        self._several = several
        self._theme = load_theme(_PAGES, prefix="/ops/theme")
        for page in sorted(_PAGES.glob("*.html")):
            self._theme.environment.get_template(page.name)  # compiled before calls can wait for it
        self._files = {file.path.encode(): file for file in self._theme.files}
        self._complained = -_COMPLAINT_SECONDS
        self._contexts: dict[bytes, Callable[[Sequence[WorkerNow], str], dict[str, Any]]] = {
            b"/ops": _routes,
            b"/ops/exchanges": _exchanges,
            b"/ops/limits": _limits,
            b"/ops/workers": _workers,
        }

    # -- the port -------------------------------------------------------------------------------------

    def admit(self, exchange: Exchange) -> bool:
        """Take no body."""
        exchange.request_id = new_request_id()
        exchange.needs_task = True
        return False

    async def serve(self, exchange: Exchange) -> Reply:
        """Answer with a page; never raises but when it is cancelled."""
        try:
            reply = await self._answer(exchange)
        except Exception:
            log.exception("a fault in the console, request %s", exchange.request_id)
            reply = answer_of(InternalError(), exchange)
        exchange.prepared = reply
        return reply

    async def protocol_refusal(self, slug: str, peer: str, exchange: Exchange | None) -> Reply:
        """Answer what the edge could not read."""
        exchange = exchange or Exchange(b"", b"", [], peer, time.perf_counter())
        exchange.request_id = exchange.request_id or new_request_id()
        return answer_of(REFUSALS.get(slug, InternalError)(), exchange)

    # -- pages ----------------------------------------------------------------------------------------

    async def _answer(self, exchange: Exchange) -> Reply:
        path, _, query = exchange.target.partition(b"?")
        if exchange.method not in {b"GET", b"HEAD"}:
            return Reply(405, [(b"allow", b"GET, HEAD"), *_guarded()])
        if not self._known(exchange.headers):
            self._complain()
            return await self._page(401, "refused.html", "Sign in", more=[_ASK])
        file = self._files.get(path)
        if file is not None:
            lines = [
                (b"content-type", file.media_type.encode()),
                (b"cache-control", b"private, max-age=86400"),
            ]
            return Reply(200, [*lines, *_guarded()[1:]], file.data)
        if path in {b"/", b"/ops/"}:
            return Reply(303, [(b"location", b"/ops"), *_guarded()])
        context = self._contexts.get(path)
        if context is None:
            return await self._page(404, "missing.html", "Not found")
        await self._look()
        template, title = _TITLES[path]
        # In a thread, for a thousand routes of many workers take longer than a call may wait.
        told = await asyncio.to_thread(lambda: context(self._standing.workers(), _find(query)))
        return await self._page(200, f"{template}.html", title, path=path, context=told)

    async def _look(self) -> None:
        """Have all workers tell how they stand; the first time in a while that takes a second."""
        await self._standing.count_letters()
        if self._standing.look() and self._several:
            await asyncio.sleep(_OTHERS_SECONDS)

    async def _page(
        self,
        status: int,
        template: str,
        title: str,
        *,
        path: bytes = b"",
        context: dict[str, Any] | None = None,
        more: Headers | None = None,
    ) -> Reply:
        stream = self._theme.environment.get_template(template).stream(
            title=title,
            path=path.decode(),
            environment=self._environment,
            now=datetime.now(UTC),
            visitor=None,
            home="/ops",
            pages=[(one.decode(), name) for one, (_, name) in _TITLES.items()],
            signed_in=status != 401,  # noqa: PLR2004
            **(context or {}),
        )
        stream.enable_buffering(_AT_ONCE)
        pieces = (piece.encode() for piece in stream)
        return await written(LateReply(status, [_HTML, *(more or ()), *_guarded()], pieces=pieces))

    # -- who may ---------------------------------------------------------------------------------------

    def _known(self, headers: Headers) -> bool:
        """Whether the token was shown, as a bearer or as the password of any user (RFC 6750, RFC 7617)."""
        found = [value for name, value in headers if name == b"authorization"]
        if len(found) != 1:
            return False
        scheme, _, given = found[0].partition(b" ")
        if scheme.lower() == b"basic":
            try:
                given = base64.b64decode(given.strip(), validate=True).partition(b":")[2]
            except binascii.Error:
                return False
        elif scheme.lower() != b"bearer":
            return False
        return hmac.compare_digest(given.strip(), self._token)

    def _complain(self) -> None:
        now = time.monotonic()
        if now - self._complained >= _COMPLAINT_SECONDS:
            self._complained = now
            log.warning("somebody asked for the console without its token")


def _guarded() -> Headers:
    return [_NO_STORE, *((name.lower().encode(), value.encode()) for name, value in SECURITY_HEADERS.items())]


def _find(query: bytes) -> str:
    try:
        found = parse_qs(query.decode("ascii"), max_num_fields=8).get("find", [""])[0]
    except ValueError:
        return ""
    return found.strip().lower()[:_LONGEST_FIND]


def _routes(workers: Sequence[WorkerNow], find: str) -> dict[str, Any]:
    rows, many = views.route_rows(workers, find)
    return {
        "workers": workers,
        "rows": rows,
        "many": many,
        "find": find,
        "per_second": views.calls_per_second(workers),
        "unmatched": views.refusals(workers),
        "lag": max((one.lag_seconds for one in workers), default=0.0),
        "troubles": sorted({one.trouble for one in workers if one.trouble}),
    }


def _exchanges(workers: Sequence[WorkerNow], _: str) -> dict[str, Any]:
    return {
        "several": len(workers) > 1,
        "bar": views.BAR,
        "kept": views.exchange_rows(workers, failed=False),
        "failed": views.exchange_rows(workers, failed=True),
    }


def _limits(workers: Sequence[WorkerNow], find: str) -> dict[str, Any]:
    rows, many = views.limit_rows(workers, find)
    many += max((one.more_limits for one in workers), default=0)
    shared = [one.shared_limits for one in workers]
    return {"rows": rows, "many": many, "find": find, "several": len(workers) > 1, "shared": shared}


def _workers(workers: Sequence[WorkerNow], _: str) -> dict[str, Any]:
    listeners = {name: at for one in workers for name, at in one.listeners.items()}
    troubles = sorted({pair for one in workers for pair in one.troubles.items()})
    denials = sorted(
        {one for worker in workers for one in worker.denials}, key=lambda one: one.at, reverse=True
    )
    return {
        "workers": workers,
        "parts": sorted({part for one in workers for part in one.serials}),
        "started": {one.worker: datetime.fromtimestamp(one.started, UTC) for one in workers},
        "listeners": sorted(listeners.items()),
        "letters": next((one.letters for one in workers if one.letters is not None), None),
        "troubles": troubles,
        "denials": denials[: views.MOST_ROWS],
        "denied": len(denials),
    }

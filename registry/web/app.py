"""The board's pages as Starlette routes: one table of views, and one place where every answer is made."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from kernel.errors import InterlockError
from kernel.theme.pages import SECURITY_HEADERS, Theme, load_theme
from registry.errors import GateRefused, NotFound, NotSignedIn, RegistryError, RequestRefused
from registry.web import board, contracts, deployments, sign_in, words
from registry.web.gate import check_origin, check_token, read_form, session_of
from registry.web.visit import Cookie, Download, Page, Redirect, View, Visit

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

    from registry.review.services import Services

log = logging.getLogger("interlock.board")

# Path, view of GET, view of POST, whether it is open to whoever is not signed in.
VIEWS: tuple[tuple[str, View | None, View | None, bool], ...] = (
    ("/", lambda _: Redirect("/board"), None, True),
    ("/sign-in", sign_in.show, sign_in.enter, True),
    ("/sign-out", None, sign_in.leave, False),
    ("/board", board.queue, None, False),
    ("/board/reviews/{id}", board.review, board.decide, False),
    ("/contracts", contracts.shelf, None, False),
    ("/contracts/{name}", contracts.contract, None, False),
    ("/contracts/{name}/{version}", contracts.version, None, False),
    ("/contracts/{name}/{version}/document", contracts.document, None, False),
    ("/deployments", deployments.table, None, False),
    ("/deployments/{name}", deployments.environment, None, False),
)
_TITLES = {
    400: "Not understood",
    403: "Not allowed",
    404: "Not found",
    405: "Not possible here",
    409: "Not any more",
}


def routes(services: Services) -> list[BaseRoute]:
    """Give the routes of all pages, and of the two files that they load; unknown pages below them too."""
    theme = load_theme(Path(__file__).parent / "pages")
    desk = _Desk(services, theme)
    found: list[BaseRoute] = [
        Route(path, _Room(desk, get, post, is_open)) for path, get, post, is_open in VIEWS
    ]
    found += [
        Route(f"{prefix}/{{rest:path}}", _Room(desk, _nothing, None, True))
        for prefix in ("/board", "/contracts", "/deployments")
    ]
    for file in theme.files:
        found.append(Route(file.path, _theme_file(file.data, file.media_type)))
    return found


def _nothing(visit: Visit) -> Page:
    del visit
    raise NotFound("there is no such page", hint="the board and the contracts are linked above")


def _theme_file(data: bytes, media_type: str) -> Any:
    headers = {"Cache-Control": "public, max-age=31536000, immutable", "X-Content-Type-Options": "nosniff"}

    async def send_file(request: Request) -> Response:
        del request
        return Response(data, media_type=media_type, headers=headers)

    return send_file


@dataclass(frozen=True, slots=True)
class _Room:
    """One path with its views; an ASGI application, so that it answers every method itself."""

    desk: _Desk
    get: View | None
    post: View | None
    is_open: bool

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        try:
            response = await self.desk.answer(request, self)
        except ClientDisconnect:
            return
        await response(scope, receive, send)


class _Desk:
    """Makes every answer: session, checks, view, page or error page, headers."""

    def __init__(self, services: Services, theme: Theme) -> None:
        self._services = services
        self._theme = theme

    async def answer(self, request: Request, room: _Room) -> Response:
        """Answer one request; an error is a page too, and never says more than its message and hint."""
        visit = Visit(self._services, None, request.client.host if request.client else "", request.url.path)
        try:
            visit = await self._visit(request)
            view = {"GET": room.get, "HEAD": room.get, "POST": room.post}.get(request.method)
            if view is None:
                allowed = ", ".join(
                    name for name, one in (("GET, HEAD", room.get), ("POST", room.post)) if one
                )
                wrong = RequestRefused("this page cannot be asked that way")
                return await self._error(visit, 405, wrong, allow=allowed)
            if visit.session is None and not room.is_open:
                return await self._stranger(visit, request)
            if request.method == "POST":
                check_origin(request.headers)
                if visit.session is not None:
                    check_token(visit.form, visit.session.csrf)
            return await run_in_threadpool(self._carry_out, visit, view, request.url.scheme == "https")
        except RegistryError as error:
            return await self._error(visit, 403 if isinstance(error, NotSignedIn) else error.status, error)
        except InterlockError as error:
            return await self._error(visit, 422, error)
        except ClientDisconnect:
            raise
        except Exception:  # the last border: a page, not a trace
            log.exception("a page failed: %s", request.scope.get("path_format", "unknown"))
            return await self._error(visit, 500, RegistryError("something failed here", hint="try again"))

    async def _visit(self, request: Request) -> Visit:
        form = await read_form(request) if request.method == "POST" else {}
        session = await run_in_threadpool(session_of, self._services, request.cookies)
        return Visit(
            self._services,
            session,
            request.client.host if request.client else "",
            request.url.path + (f"?{request.url.query}" if request.url.query else ""),
            request.path_params,
            dict(request.query_params),
            form,
            request.cookies,
        )

    async def _stranger(self, visit: Visit, request: Request) -> Response:
        if request.method == "POST":
            ended = NotSignedIn("your session has ended", hint="sign in and do it again")
            return await self._error(visit, 403, ended)
        return self._redirect(Redirect(f"/sign-in?next={quote(visit.path, safe='/')}"), secure=False)

    def _carry_out(self, visit: Visit, view: View, secure: bool) -> Response:  # noqa: FBT001 - run in a thread
        result = view(visit)
        if isinstance(result, Redirect):
            return self._redirect(result, secure=secure)
        if isinstance(result, Download):
            disposition = f'attachment; filename="{result.name}"'
            headers = {**SECURITY_HEADERS, "Cache-Control": "no-store", "Content-Disposition": disposition}
            return Response(result.data, media_type=result.media_type, headers=headers)
        return self._page(visit, result, secure=secure)

    def _page(self, visit: Visit, page: Page, *, secure: bool = False) -> Response:
        visitor = None
        if visit.session is not None:
            principal = visit.session.principal
            visitor = {"name": principal.name, "roles": words.roles(principal), "csrf": visit.session.csrf}
        text = self._theme.render(
            page.template,
            title=page.title,
            section=page.section,
            path=visit.path.partition("?")[0],
            visitor=visitor,
            environment=self._services.settings["environment"],
            now=self._services.now(),
            **page.context,
        )
        response = Response(text, page.status, media_type="text/html; charset=utf-8")
        response.headers.update({**SECURITY_HEADERS, "Cache-Control": "no-store"})
        return _with_cookies(response, page.cookies, secure=secure)

    def _redirect(self, redirect: Redirect, *, secure: bool) -> Response:
        response = RedirectResponse(
            redirect.to, 303, headers={**SECURITY_HEADERS, "Cache-Control": "no-store"}
        )
        return _with_cookies(response, redirect.cookies, secure=secure)

    async def _error(self, visit: Visit, status: int, wrong: InterlockError, *, allow: str = "") -> Response:
        title = _TITLES.get(status, "Not possible" if status < 500 else "Something is broken")  # noqa: PLR2004 - HTTP
        reasons = wrong.reasons if isinstance(wrong, GateRefused) else ()
        context = {"message": wrong.message, "hint": wrong.hint, "code": wrong.code, "reasons": reasons}
        page = Page("error.html", title, {**context, "status": status}, status=status)
        response = await run_in_threadpool(self._page, visit, page)
        if allow:
            response.headers["Allow"] = allow
        return response


def _with_cookies(response: Response, cookies: tuple[Cookie, ...], *, secure: bool) -> Response:
    for cookie in cookies:
        response.set_cookie(
            cookie.name,
            cookie.value,
            max_age=cookie.seconds if cookie.value else 0,
            path="/",
            secure=secure,
            httponly=True,
            samesite="strict",
        )
    return response

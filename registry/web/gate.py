"""What stands before every view: the session's cookie, the form's size, its origin and its token."""

from __future__ import annotations

import hmac
import secrets
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

from registry.errors import NotAllowed, NotSignedIn, RequestRefused
from registry.review import accounts
from registry.web.visit import Cookie

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request

    from registry.review.accounts import Session
    from registry.review.services import Services

SESSION_COOKIE = "interlock_session"
ENTRY_COOKIE = "interlock_entry"  # before there is a session: ties the sign-in form to this browser
LARGEST_FORM = 64 * 1024  # bytes
_MOST_FIELDS = 32


def session_of(services: Services, cookies: Mapping[str, str]) -> Session | None:
    """Give the live session of a browser, or None."""
    token = cookies.get(SESSION_COOKIE, "")
    if not token:
        return None
    try:
        return accounts.session(services, token)
    except NotSignedIn:
        return None


async def read_form(request: Request) -> dict[str, str]:
    """Read a URL-encoded form within limits; raises `RequestRefused`, also for a field sent twice."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        raise RequestRefused("this is not a form of these pages")
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST_FORM:
            raise RequestRefused("the form is too large", hint="write less")
    try:
        pairs = parse_qsl(
            body.decode("ascii"), keep_blank_values=True, max_num_fields=_MOST_FIELDS, errors="strict"
        )
    except ValueError:
        raise RequestRefused("the form cannot be read") from None
    form = dict(pairs)
    if len(form) != len(pairs):
        raise RequestRefused("the form names a field twice")
    return form


def check_origin(headers: Mapping[str, str]) -> None:
    """Refuse a form that another site sent; the browser says so (Fetch metadata, else Origin)."""
    site = headers.get("sec-fetch-site")
    origin = headers.get("origin")
    same = site in {"same-origin", "none"} if site is not None else True
    if same and origin is not None:
        same = urlsplit(origin).netloc == headers.get("host", "")
    if not same:
        raise NotAllowed(
            "this form was sent from another site", hint="open the page again and send it from there"
        )


def check_token(form: Mapping[str, str], expected: str) -> None:
    """Refuse a form without the token that its page was given (compared in constant time)."""
    if not expected or not hmac.compare_digest(form.get("csrf", "").encode(), expected.encode()):
        raise NotAllowed(
            "this form is not from your session", hint="open the page again and send it from there"
        )


def entry_token(cookies: Mapping[str, str]) -> tuple[str, tuple[Cookie, ...]]:
    """Give the token of the sign-in form, and the cookie to set when this browser has none yet."""
    token = cookies.get(ENTRY_COOKIE, "")
    if len(token) == 43 and token.replace("-", "").replace("_", "").isalnum():  # noqa: PLR2004 - token_urlsafe(32)
        return token, ()
    token = secrets.token_urlsafe(32)
    return token, (Cookie(ENTRY_COOKIE, token),)

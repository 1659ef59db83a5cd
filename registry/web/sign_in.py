"""Signing in with a local account, and out."""

from __future__ import annotations

from registry.errors import NotSignedIn
from registry.review import accounts
from registry.web.gate import ENTRY_COOKIE, SESSION_COOKIE, check_token, entry_token
from registry.web.visit import Cookie, Page, Redirect, Visit, safe_target


def show(visit: Visit) -> Page | Redirect:
    """Show the form; whoever is signed in already goes on."""
    target = safe_target(visit.query.get("next", "/board"))
    if visit.session is not None:
        return Redirect(target)
    return _form(visit, target)


def enter(visit: Visit) -> Page | Redirect:
    """Open a session, or say that it did not work, alike for every reason."""
    check_token(visit.form, visit.cookies.get(ENTRY_COOKIE, ""))
    target = safe_target(visit.form.get("next", "/board"))
    name = visit.form.get("name", "").strip()
    try:
        session = accounts.sign_in(visit.services, name, visit.form.get("password", ""), source=visit.source)
    except NotSignedIn as refused:
        return _form(visit, target, name=name[:128], refused=refused)
    seconds = max(0, int((session.expires_at - visit.services.now()).total_seconds()))
    return Redirect(target, (Cookie(SESSION_COOKIE, session.token, seconds), Cookie(ENTRY_COOKIE, "")))


def leave(visit: Visit) -> Redirect:
    """End the session."""
    accounts.sign_out(visit.services, visit.cookies.get(SESSION_COOKIE, ""))
    return Redirect("/sign-in?left=1", (Cookie(SESSION_COOKIE, ""),))


def _form(visit: Visit, target: str, *, name: str = "", refused: NotSignedIn | None = None) -> Page:
    token, cookies = entry_token(visit.cookies)
    context = {
        "csrf": token,
        "target": target,
        "name": name,
        "refused": refused.message if refused else "",
        "hint": refused.hint if refused else "",
        "left": "left" in visit.query,
    }
    return Page("sign_in.html", "Sign in", context, status=403 if refused else 200, cookies=cookies)

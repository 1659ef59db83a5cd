"""How the API says no: RFC 9457 problem details, one form for our errors and for the framework's."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from connexion.exceptions import ProblemException
from connexion.lifecycle import ConnexionResponse

from kernel.errors import DocumentError, InterlockError, LifecycleError
from registry.errors import GateRefused, NotSignedIn, PublicationFailed, RegistryError

if TYPE_CHECKING:
    from connexion.lifecycle import ConnexionRequest
    from starlette.exceptions import HTTPException

MEDIA_TYPE = "application/problem+json"
_LONGEST_DETAIL, _LONGEST_HINT, _LONGEST_REASON, _MOST_REASONS = 4_000, 2_000, 1_000, 100
_SLUGS = {
    400: "request-malformed",
    401: "not-signed-in",
    403: "not-allowed",
    404: "not-found",
    405: "method-not-allowed",
    413: "body-too-large",
    415: "media-type-unsupported",
}


class ApiProblem(ProblemException):  # type: ignore[misc]  # connexion has no types
    """An error of ours on its way through connexion's middlewares."""

    def __init__(self, error: InterlockError) -> None:
        super().__init__(status=status_of(error))
        self.error = error


def status_of(error: InterlockError) -> int:
    """Give the HTTP status of an error: its own, 409 for a refused transition, 422 for bad input, else 500."""
    if isinstance(error, RegistryError):
        return error.status
    if isinstance(error, LifecycleError):
        return 409
    return 422 if isinstance(error, DocumentError) or error.exit_code == 1 else 500


def body_of(error: InterlockError) -> dict[str, Any]:
    """Give the problem details of an error."""
    status = status_of(error)
    body = _body(status, error.code, error.message, error.hint)
    if isinstance(error, GateRefused):
        body["reasons"] = [reason[:_LONGEST_REASON] for reason in error.reasons[:_MOST_REASONS]]
    return body


def answer_error(error: InterlockError) -> ConnexionResponse:
    """Answer with the problem details of an error."""
    return _answer(status_of(error), body_of(error), _headers(error))


def answer_ours(_request: ConnexionRequest, problem: ApiProblem) -> ConnexionResponse:
    """Answer an error of ours that was raised before an operation ran."""
    return answer_error(problem.error)


def answer_theirs(_request: ConnexionRequest, problem: HTTPException) -> ConnexionResponse:
    """Answer what the framework refused: not found, wrong method, invalid parameter or body."""
    status = problem.status_code
    detail = str(getattr(problem, "detail", "") or HTTPStatus(status).phrase)
    ours = status >= HTTPStatus.INTERNAL_SERVER_ERROR
    if ours:  # our own answer broke the contract, and what it was is not told
        detail = "the registry's answer does not fit its own contract; this is a defect of Interlock"
    body = _body(status, _SLUGS.get(status, "registry-error" if ours else "request-refused"), detail, "")
    headers = {name: value for name, value in (problem.headers or {}).items() if name.lower() == "allow"}
    return _answer(status, body, headers)


def answer_crash(_request: ConnexionRequest, _error: Exception) -> ConnexionResponse:
    """Answer a defect of ours; what it was stands in the log, not in the answer."""
    return _answer(500, _body(500, "registry-error", "something failed in Interlock itself", ""), {})


def _headers(error: InterlockError) -> dict[str, str]:
    if isinstance(error, NotSignedIn):
        return {"WWW-Authenticate": 'Bearer realm="interlock registry"'}
    return {"Retry-After": "5"} if isinstance(error, PublicationFailed) else {}


def _body(status: int, code: str, detail: str, hint: str) -> dict[str, Any]:
    body: dict[str, Any] = {
        "type": f"urn:interlock:error:{code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail[:_LONGEST_DETAIL],
        "code": code,
    }
    if hint:
        body["hint"] = hint[:_LONGEST_HINT]
    return body


def _answer(status: int, body: dict[str, Any], headers: dict[str, str]) -> ConnexionResponse:
    data = json.dumps(body, ensure_ascii=False).encode("utf-8", "replace")
    return ConnexionResponse(status_code=status, content_type=MEDIA_TYPE, body=data, headers=dict(headers))

"""Bodies of requests and answers, held to the contract: strict JSON in, and nothing repeated that came in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jiter
from connexion.datastructures import MediaTypeDict
from connexion.exceptions import BadRequestProblem, NonConformingResponseBody
from connexion.json_schema import Draft4RequestValidator, Draft4ResponseValidator
from connexion.validators import JSONRequestBodyValidator, JSONResponseBodyValidator, ParameterValidator
from jsonschema import Draft4Validator

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterable, Mapping

    from starlette.types import Scope

_MOST_NAMED = 10  # violations that one answer names


class StrictJson(JSONRequestBodyValidator):  # type: ignore[misc]  # connexion has no types
    """JSON without duplicate keys or NaN; violations are told by place and keyword, never by value."""

    async def _parse(self, stream: AsyncGenerator[bytes, None], scope: Scope) -> Any:
        del scope
        data = b"".join([piece async for piece in stream])
        try:
            return jiter.from_json(data, catch_duplicate_keys=True, allow_inf_nan=False)
        except ValueError as error:
            raise BadRequestProblem(detail=f"the body is no JSON: {_plain(error)}") from None

    def _validate(self, body: Any) -> None:
        validator = Draft4RequestValidator(self._schema, format_checker=Draft4Validator.FORMAT_CHECKER)
        found = [
            f"{_pointer(error.absolute_path)}: {error.validator}"
            for _, error in zip(range(_MOST_NAMED), validator.iter_errors(body), strict=False)
        ]
        if found:
            raise BadRequestProblem(detail=f"the body does not fit the contract: {'; '.join(found)}")


class CheckedAnswer(JSONResponseBodyValidator):  # type: ignore[misc]  # connexion has no types
    """Our own answers fit the contract, or are not given."""

    def _validate(self, body: Any) -> None:
        validator = Draft4ResponseValidator(self._schema, format_checker=Draft4Validator.FORMAT_CHECKER)
        for error in validator.iter_errors(body):
            place = f"{_pointer(error.absolute_path)}: {error.validator}"
            raise NonConformingResponseBody(detail=f"the answer does not fit the contract: {place}")


# Only what stands here is read or written: connexion's own map lets unknown media types pass unchecked.
VALIDATORS: dict[str, Any] = {
    "parameter": ParameterValidator,
    "body": MediaTypeDict({"application/json": StrictJson}),
    "response": MediaTypeDict({"application/json": CheckedAnswer, "application/problem+json": CheckedAnswer}),
}


def unchecked_media_types(document: Mapping[str, Any]) -> list[str]:
    """Name every media type of the contract that no validator stands for; the app does not start with one."""
    found = set()
    for item in document["paths"].values():
        for operation in (one for one in item.values() if isinstance(one, dict)):
            asked = operation.get("requestBody", {}).get("content", {})
            found |= {media for media in asked if media not in VALIDATORS["body"]}
            for answer in operation["responses"].values():
                found |= {
                    media for media in _content(document, answer) if media not in VALIDATORS["response"]
                }
    return sorted(found)


def _content(document: Mapping[str, Any], answer: Mapping[str, Any]) -> Mapping[str, Any]:
    if "$ref" in answer:
        answer = document["components"]["responses"][answer["$ref"].rpartition("/")[2]]
    content: Mapping[str, Any] = answer.get("content", {})
    return content


def _pointer(path: Iterable[str | int]) -> str:
    return "".join(f"/{step}" for step in path) or "/"


def _plain(error: ValueError) -> str:
    # jiter names the duplicate key, which may be anything: only the kind of fault and its place are told.
    text = str(error)
    place = text[text.rfind(" at line") :] if " at line" in text else ""
    return ("a key stands twice" if "uplicate key" in text else "its syntax is wrong") + place

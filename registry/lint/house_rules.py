"""The house's own rules for APIs: what a caller, an operator and the board need beyond a valid document."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from kernel.contract.positions import token
from registry.lint.reading import Hit, Operation, Subject, mapping
from registry.lint.rule import API, BOTH, WARNING, Rule

_PROBLEM_TYPES = frozenset({"application/problem+json", "application/problem+xml", "application/fhir+json",
                            "application/fhir+xml"})  # fmt: skip


def missing_operation_ids(subject: Subject) -> Iterator[Hit]:
    """Find operations without an id."""
    for one in subject.operations:
        if not one.spec.get("operationId"):
            yield Hit(one.pointer, f"{one.title} has no operationId")


def missing_summaries(subject: Subject) -> Iterator[Hit]:
    """Find operations that say nothing about themselves."""
    for one in subject.operations:
        if not one.spec.get("summary") and not one.spec.get("description"):
            yield Hit(one.pointer, f"{one.title} has neither summary nor description")


def missing_description(subject: Subject) -> Iterator[Hit]:
    """Find documents whose `info` says nothing."""
    info = subject.root.get("info")
    if isinstance(info, dict) and not info.get("description") and not info.get("summary"):
        yield Hit("/info", "the document says nowhere what it is for")


def undeclared_security(subject: Subject) -> Iterator[Hit]:
    """Find operations for which neither they nor the root say who may call; `security: []` says anyone."""
    if "security" in subject.root:
        return
    for one in subject.operations:
        if "security" not in one.spec:
            yield Hit(one.pointer, f"{one.title} does not say who may call it")


def missing_error_answers(subject: Subject) -> Iterator[Hit]:
    """Find operations that declare no error at all."""
    for one in subject.operations:
        if not any(_is_error(status) for status in _answers(one)):
            yield Hit(f"{one.pointer}/responses", f"{one.title} declares no error answer")


def missing_client_errors(subject: Subject) -> Iterator[Hit]:
    """Find operations that declare errors of the provider, and none of the caller."""
    for one in subject.operations:
        statuses = [status for status in _answers(one) if _is_error(status)]
        if statuses and not any(status.startswith(("4", "default")) for status in statuses):
            yield Hit(f"{one.pointer}/responses", f"{one.title} declares no 4xx answer")


def errors_without_problem(subject: Subject) -> Iterator[Hit]:
    """Find operations of whose error answers none has the form of RFC 9457, or of FHIR's OperationOutcome."""
    for one in subject.operations:
        answers = [(status, answer) for status, answer in _answers(one).items() if _is_error(status)]
        bodies: set[str] = set()
        for _, declared in answers:
            answer, _home = subject.follow(declared, "")
            content = answer.get("content") if isinstance(answer, dict) else None
            bodies |= {str(media).partition(";")[0].strip().lower() for media in content or ()}
        if answers and not bodies & _PROBLEM_TYPES:
            yield Hit(f"{one.pointer}/responses", f"{one.title}: no error answer is application/problem+json")


def _answers(operation: Operation) -> dict[str, Any]:
    found = operation.spec.get("responses")
    return {str(status): answer for status, answer in found.items()} if isinstance(found, dict) else {}


def _is_error(status: str) -> bool:
    return status == "default" or status[:1] in ("4", "5")


# Words of which one in a name is enough; names are cut at capitals, digits, `_`, `-` and `.`.
_WORDS = frozenset({
    "patient", "mrn", "ssn", "nhs", "nhsnumber", "dob", "birthdate",
    "birthday", "surname", "lastname", "firstname", "forename", "givenname", "familyname",
    "fullname", "maiden", "passport", "insuranceid", "memberid", "subscriber", "phone",
    "telephone", "mobile", "email", "postcode", "zipcode", "diagnosis", "gender",
    "ethnicity",
})  # fmt: skip
_PAIRS = frozenset({
    ("birth", "date"), ("date", "birth"), ("of", "birth"), ("last", "name"), ("first", "name"),
    ("family", "name"), ("given", "name"), ("full", "name"), ("social", "security"), ("member", "id"),
    ("insurance", "number"), ("insurance", "id"), ("medical", "record"), ("national", "id"),
    ("health", "id"), ("nhs", "number"), ("zip", "code"), ("post", "code"), ("phone", "number"),
})  # fmt: skip
_CUT = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_PERSONS = re.compile(r"patient|person|member|subscriber|individual", re.IGNORECASE)


def identities_in_urls(subject: Subject) -> Iterator[Hit]:
    """Find parameters of path and query whose names say that they tell who a patient is, or what ails them."""
    for one in subject.operations:
        for parameter in one.parameters:
            if parameter.place not in ("path", "query", "querystring"):
                continue
            if names_a_person(parameter.name) or _bare_name(parameter.name, parameter.place, one.template):
                yield Hit(
                    parameter.pointer,
                    f"{one.title}: `{parameter.name}` in the {parameter.place} may identify a patient",
                )

    for part in subject.of("channel"):
        for name in mapping(part.node.get("parameters")):
            if names_a_person(name):
                what = f"`{name}` in the address of a channel may identify a patient"
                yield Hit(f"{part.pointer}/parameters{token(name)}", what)


def names_a_person(name: str) -> bool:
    """Whether a name holds a word, or two words in a row, of the lists above."""
    words = [word.lower() for word in _CUT.findall(name)]
    return (
        bool(_WORDS.intersection(words))
        or "".join(words) in _WORDS
        or any(pair in _PAIRS for pair in pairwise(words))
    )


def _bare_name(name: str, place: str, template: str) -> bool:
    return name.lower() == "name" and (place != "path" or _PERSONS.search(template) is not None)


_OK = "'200': {description: Done.}"
_PROBLEM = "'400': {description: Refused., content: {application/problem+json: {schema: {type: object}}}}"


def _asks_for(name: str) -> str:
    parameter = f"{{name: {name}, in: query, schema: {{type: string}}}}"
    return f"paths: {{/orders: {{get: {{parameters: [{parameter}], responses: {{{_OK}}}}}}}}}"


HOUSE_RULES: tuple[Rule, ...] = (
    Rule(
        "operation-id-missing", WARNING, API,
        "Audit records, limits and generated clients name an operation by its id.",
        "Add a short `operationId` such as placeOrder, and never change it.",
        good="paths: {/orders: {get: {operationId: listOrders, responses: {" + _OK + "}}}}",
        bad="paths: {/orders: {get: {responses: {" + _OK + "}}}}", find=missing_operation_ids,
    ),
    Rule(
        "operation-undescribed", WARNING, API,
        "A consumer must learn what the call does without asking the provider.", "Add a `summary`.",
        good="paths: {/orders: {get: {summary: List orders, responses: {" + _OK + "}}}}",
        bad="paths: {/orders: {get: {responses: {" + _OK + "}}}}", find=missing_summaries,
    ),
    Rule(
        "document-undescribed", WARNING, BOTH,
        "A reader must learn what the interface is for.", "Add `info.description`.",
        good="info: {title: Laboratory orders, version: 1.0.0, description: Order tests.}",
        bad="info: {title: Laboratory orders, version: 1.0.0}", find=missing_description,
    ),
    Rule(
        "security-undeclared", WARNING, API,
        "An operation that does not say who may call it is open by accident.",
        "Add `security` to the root or to the operation; `security: []` says that anyone may.",
        good="security: [{key: []}]\npaths: {/orders: {get: {responses: {" + _OK + "}}}}",
        bad="paths: {/orders: {get: {responses: {" + _OK + "}}}}", find=undeclared_security,
    ),
    Rule(
        "error-answer-missing", WARNING, API,
        "Every call can fail, and callers must be able to read how.",
        "Declare at least one 4xx, 5xx or default answer.",
        good="paths: {/orders: {get: {responses: {" + _OK + ", " + _PROBLEM + "}}}}",
        bad="paths: {/orders: {get: {responses: {" + _OK + "}}}}", find=missing_error_answers,
    ),
    Rule(
        "client-error-missing", WARNING, API,
        "A caller must learn that it erred itself, so that it does not try again.",
        "Declare a 4xx answer.",
        good="paths: {/orders: {get: {responses: {" + _OK + ", " + _PROBLEM + "}}}}",
        bad="paths: {/orders: {get: {responses: {" + _OK + ", '500': {description: Failed.}}}}}",
        find=missing_client_errors,
    ),
    Rule(
        "problem-missing", WARNING, API,
        "The proxy answers refusals as RFC 9457 problems; a provider that does the same needs one reader.",
        "Answer errors as application/problem+json (FHIR interfaces: an OperationOutcome).",
        good="paths: {/orders: {get: {responses: {" + _OK + ", " + _PROBLEM + "}}}}",
        bad="paths: {/orders: {get: {responses: {" + _OK + ", '400': {description: Refused.}}}}}",
        find=errors_without_problem,
    ),
    Rule(
        "identity-in-url", WARNING, BOTH,
        "URLs stand in logs, histories and referrers; what tells who a patient is must not.",
        "Send it in the body (a POST search), or use a number that means nothing elsewhere.",
        good=_asks_for("status"),
        bad=_asks_for("birthDate"),
        find=identities_in_urls,
    ),
)  # fmt: skip

"""What may tell who a patient is stays out of URLs: they stand in logs, histories and referrers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from kernel.contract.positions import token
from registry.lint.reading import Hit, Subject, mapping
from registry.lint.rule import BOTH, WARNING, Rule
from registry.lint.words import words

_IN_URLS = frozenset({"path", "query", "querystring"})
# Words of which one in a name is enough.
_WORDS = frozenset({
    "patient", "mrn", "ssn", "nhs", "nhsnumber", "nhsno", "hicn", "mbi", "dob", "birthdate",
    "birthday", "surname", "lastname", "firstname", "forename", "givenname", "familyname",
    "fullname", "maiden", "passport", "insuranceid", "memberid", "subscriber", "phone",
    "telephone", "mobile", "email", "postcode", "zipcode", "diagnosis", "gender",
    "ethnicity", "kvnr", "bsn", "cpr", "personnummer", "aadhaar", "abha",
})  # fmt: skip
_PAIRS = frozenset({
    ("birth", "date"), ("date", "birth"), ("of", "birth"), ("last", "name"), ("first", "name"),
    ("family", "name"), ("given", "name"), ("full", "name"), ("social", "security"), ("member", "id"),
    ("insurance", "number"), ("insurance", "id"), ("medical", "record"), ("record", "number"),
    ("national", "id"), ("national", "identifier"), ("health", "id"), ("nhs", "number"), ("zip", "code"),
    ("post", "code"), ("postal", "code"), ("phone", "number"), ("person", "id"), ("subject", "id"),
})  # fmt: skip
_PERSONS = re.compile(r"patient|person|member|subscriber|individual", re.IGNORECASE)
_BARE = frozenset({"name", "id", "identifier"})  # of a person where the path is about persons


def identities_in_urls(subject: Subject) -> Iterator[Hit]:
    """Find parameters of path and query whose names say that they tell who a patient is, or what ails them."""
    for one in subject.operations:
        for parameter in one.parameters:
            if parameter.place not in _IN_URLS:
                continue
            if names_a_person(parameter.name) or _bare_name(parameter.name, parameter.place, one.template):
                yield Hit(
                    parameter.pointer,
                    f"{one.title}: `{parameter.name}` in the {parameter.place} may identify a patient",
                )
    for type_, key in (("channel", "parameters"), ("server", "variables")):
        for part in subject.of(type_):
            for name in filter(names_a_person, mapping(part.node.get(key))):
                what = f"`{name}` in the address of a {type_} may identify a patient"
                yield Hit(f"{part.pointer}/{key}{token(name)}", what)


def keys_in_urls(subject: Subject) -> Iterator[Hit]:
    """Find security schemes that send a key in the query."""
    for part in subject.of("security-scheme"):
        if part.node.get("type") in ("apiKey", "httpApiKey") and part.node.get("in") == "query":
            yield Hit(f"{part.pointer}/in", "the key is sent in the query")


def names_a_person(name: str) -> bool:
    """Whether a name holds a word, or two words in a row, of the lists above."""
    said = words(name)
    return (
        bool(_WORDS.intersection(said))
        or "".join(said) in _WORDS
        or any(pair in _PAIRS for pair in pairwise(said))
    )


def _bare_name(name: str, place: str, template: str) -> bool:
    """Whether a name without more is a person's: `name` to search by, or what follows `/persons/`."""
    if place != "path":
        return name.lower() == "name"
    before = template.partition("{" + name + "}")[0].rstrip("/").rpartition("/")[2]
    return name.lower() in _BARE and _PERSONS.search(before) is not None


def _asks_for(name: str) -> str:
    parameter = f"{{name: {name}, in: query, schema: {{type: string}}}}"
    answers = "{'200': {description: Done.}}"
    return f"paths: {{/orders: {{get: {{parameters: [{parameter}], responses: {answers}}}}}}}"


def _sends_key(place: str) -> str:
    return f"components: {{securitySchemes: {{key: {{type: apiKey, in: {place}, name: X-Key}}}}}}"


IDENTITY_RULES: tuple[Rule, ...] = (
    Rule(
        "identity-in-url", WARNING, BOTH,
        "URLs stand in logs, histories and referrers; what tells who a patient is must not.",
        "Send it in the body (a POST search), or use a number that means nothing elsewhere.",
        good=_asks_for("status"),
        bad=_asks_for("birthDate"),
        find=identities_in_urls,
    ),
    Rule(
        "key-in-url", WARNING, BOTH,
        "A key in a URL is written into every log that the call passes.", "Send it in a header.",
        good=_sends_key("header"), bad=_sends_key("query"), find=keys_in_urls,
    ),
)  # fmt: skip

"""What the rules of AsyncAPI say of each real document, and why that is right: a golden list."""

from pathlib import Path

import pytest

from kernel.errors import DocumentError
from registry.lint.checking import check_file
from registry.lint.rules import BY_ID

LETTERS = [
    "letter-accepted",
    "letter-any",
    "letter-cancelled",
    "letter-delivered",
    "letter-dispatched",
    "letter-enclosed",
    "letter-failed",
    "letter-forwarded",
    "letter-pending",
    "letter-printed",
    "letter-rejected",
    "letter-returned",
    "mi-submitted",
]
AVRO = "described in Avro, which nothing here looks into"
# Document → the rules of AsyncAPI (and of references) that find something, with the places; then the argument.
GOLDEN: dict[str, dict[str, tuple[list[str], str]]] = {
    "nhs-notify/supplier-api.yaml": {
        "reference-refused": (
            [*(f"/components/messages/{name}/payload" for name in LETTERS), "/components/schemas/letter", "/components/schemas/mi"],
            "the schemas' files are no part of the corpus",
        ),
    },
    "spec-examples/adeo-kafka-request-reply-asyncapi.yml": {
        "reference-refused": (
            ["/components/messages/costingRequestV1/payload/schema", "/components/messages/costingResponse/payload/schema"],
            "both schemas lie on another host, and nothing is fetched",
        ),
        "payload-unchecked": (
            ["/components/messages/costingRequestV1/payload/schemaFormat",
             "/components/messages/costingResponse/payload/schemaFormat"],
            AVRO,
        ),
    },
    "spec-examples/anyof-asyncapi.yml": {},
    "spec-examples/correlation-id-asyncapi.yml": {},
    "spec-examples/gitter-streaming-asyncapi.yml": {},
    "spec-examples/operation-security-asyncapi.yml": {
        "default-mistyped": (
            ["/components/schemas/MetaData/properties/deprecated/default"],
            "a boolean with the text 'false' as its default: it MUST be of the type (3.1 §Schema Object)",
        ),
    },
    "spec-examples/rpc-server-asyncapi.yml": {},
    "spec-examples/simple-asyncapi.yml": {},
    "spec-examples/streetlights-kafka-asyncapi.yml": {},
    "spec-examples/streetlights-mqtt-asyncapi.yml": {},
    "spec-examples-social-media/backend/asyncapi.yaml": {},
    "spec-examples-social-media/comments-service/asyncapi.yaml": {},
}  # fmt: skip


@pytest.mark.corpus
def test_the_rules_of_asyncapi_say_of_real_documents_what_was_argued(corpus: Path) -> None:
    home = corpus / "asyncapi"
    told: dict[str, dict[str, list[str]]] = {}
    for path in sorted(home.rglob("*.y*ml")):
        try:
            findings = check_file(path, home)
        except DocumentError:
            continue  # a part that the documents of social-media share
        places: dict[str, list[str]] = {}
        for one in findings:
            if one.severity == "error" or one.rule == "payload-unchecked" or BY_ID[one.rule].clause:
                places.setdefault(one.rule, []).append(one.pointer)
        told[str(path.relative_to(home))] = {rule: sorted(found) for rule, found in places.items()}
    assert told == {
        name: {rule: found for rule, (found, _) in rules.items()} for name, rules in GOLDEN.items()
    }

"""How names are spelled: paths, parameters, properties, schemas, channels, messages and operationIds."""

from __future__ import annotations

import re
from collections.abc import Iterator

from kernel.contract.positions import token
from registry.lint.reading import Hit, Subject, mapping
from registry.lint.rule import ALL, API, BOTH, EVENTS, INFO, WARNING, Rule
from registry.lint.verbs import CLEAR_VERBS, is_verb
from registry.lint.words import CAMEL, HEADER, KEBAB, PASCAL, STYLES, prevailing, words

_FHIR_NAME = re.compile(r"[_$]?[A-Za-z][A-Za-z0-9.:-]*")  # Patient, _count, $everything, patient.identifier
_PLACEHOLDER = re.compile(r"\{[^{}]*\}")
_CHANNEL = re.compile(r"[a-z0-9]+(?:[-_][a-z0-9]+)*")
_SHOWN = 80


def misspelled_paths(subject: Subject) -> Iterator[Hit]:
    """Find segments of paths that are spelled otherwise than most of the document's; FHIR keeps its own names."""
    found = list(_segments(subject))
    style = prevailing((piece for _, _, piece in found), "kebab-case", "camelCase", "snake_case")
    for pointer, template, piece in found:
        fhir = subject.speaks_fhir and _FHIR_NAME.fullmatch(piece)
        if not STYLES[style].fullmatch(piece) and not fhir:
            yield Hit(pointer, f"`{piece[:_SHOWN]}` in {template[:_SHOWN]} is not {style}")


def _segments(subject: Subject) -> Iterator[tuple[str, str, str]]:
    for template in mapping(subject.root.get("paths")):
        if template.startswith(("x-", "/.well-known")):
            continue
        for piece in re.split(r"[/.:,;]", _PLACEHOLDER.sub("", template)):
            if piece := piece.strip("()@"):
                yield f"/paths{token(template)}", template, piece


def trailing_slashes(subject: Subject) -> Iterator[Hit]:
    """Find paths that end in a slash."""
    for template in mapping(subject.root.get("paths")):
        if len(template) > 1 and template.endswith("/"):
            yield Hit(f"/paths{token(template)}", f"{template[:_SHOWN]} ends in a slash")


def misspelled_parameters(subject: Subject) -> Iterator[Hit]:
    """Find parameters that are spelled otherwise than most: one style in path and query, hyphens in headers."""
    found = list(dict.fromkeys(_parameters(subject)))
    style = prevailing(
        (name for _, place, name in found if place != "header"), "camelCase", "snake_case", "kebab-case"
    )
    for pointer, place, name in found:
        wanted = "words joined by hyphens" if place == "header" else style
        good = HEADER if place == "header" else STYLES[style]
        if not good.fullmatch(name) and not (subject.speaks_fhir and _FHIR_NAME.fullmatch(name)):
            yield Hit(pointer, f"the {place} parameter `{name[:_SHOWN]}` is not {wanted}")


def _parameters(subject: Subject) -> Iterator[tuple[str, str, str]]:
    for one in subject.operations:
        for parameter in one.parameters:
            if parameter.place != "cookie":
                yield parameter.home, parameter.place, parameter.name
    for part in subject.of("channel"):
        for name in mapping(part.node.get("parameters")):
            yield f"{part.pointer}/parameters{token(name)}", "channel", name


def misspelled_properties(subject: Subject) -> Iterator[Hit]:
    """Find properties that are spelled otherwise than most of the document's."""
    found = list(_properties(subject))
    style = prevailing((name for _, name in found), "camelCase", "snake_case")
    for pointer, name in found:
        if not STYLES[style].fullmatch(name.removeprefix("_")):
            yield Hit(pointer, f"`{name[:_SHOWN]}` is not {style}")


def _properties(subject: Subject) -> Iterator[tuple[str, str]]:
    for part in subject.schemas:
        if not subject.is_embedded(part.pointer):
            for name in mapping(mapping(part.node).get("properties")):
                yield f"{part.pointer}/properties{token(name)}", name


def misspelled_schemas(subject: Subject) -> Iterator[Hit]:
    """Find named schemas that are not PascalCase."""
    named = mapping(mapping(subject.root.get("components")).get("schemas"))
    for name in named:
        if not PASCAL.fullmatch(name):
            yield Hit(f"/components/schemas{token(name)}", f"`{name[:_SHOWN]}`")


def misspelled_operation_ids(subject: Subject) -> Iterator[Hit]:
    """Find operationIds (AsyncAPI 3: keys of operations) that are spelled otherwise than most of the document's."""
    found = list(_operation_ids(subject))
    style = prevailing((name for _, name in found), "camelCase", "snake_case", "kebab-case", "PascalCase")
    for pointer, name in found:
        if not all(STYLES[style].fullmatch(piece) for piece in re.split(r"[/.:]", name)):
            yield Hit(pointer, f"`{name[:_SHOWN]}` is not {style}")


def nouns_as_operation_ids(subject: Subject) -> Iterator[Hit]:
    """Find operationIds in which no word, at its beginning or its end, is a verb; what names a group is left out."""
    for pointer, name in _operation_ids(subject):
        said = words(re.split(r"[/.:]", name)[-1])
        ends = {*said[:2], *said[-1:]}
        if said and not CLEAR_VERBS.intersection(words(name)) and not any(is_verb(word) for word in ends):
            yield Hit(pointer, f"`{name[:_SHOWN]}` does not say what is done")


def _operation_ids(subject: Subject) -> Iterator[tuple[str, str]]:
    for one in subject.operations:
        if isinstance(one.spec.get("operationId"), str):
            yield f"{one.pointer}/operationId", one.spec["operationId"]
    if subject.kind != "asyncapi":
        return
    if not subject.version.startswith("2."):
        for name in mapping(subject.root.get("operations")):
            yield f"/operations{token(name)}", name
        return
    for part in subject.of("channel"):
        for action in ("publish", "subscribe"):
            given = mapping(part.node.get(action)).get("operationId")
            if isinstance(given, str):
                yield f"{part.pointer}/{action}/operationId", given


def misspelled_channels(subject: Subject) -> Iterator[Hit]:
    """Find addresses that are not lower-case words between one kind of separator."""
    for pointer, address in subject.addresses:
        bare = _PLACEHOLDER.sub("x", address).strip("/")
        marks = {mark for mark in "./:" if mark in bare}
        if len(marks) > 1:
            yield Hit(pointer, f"{address[:_SHOWN]} separates its words by {' and '.join(sorted(marks))}")
            continue
        wrong = [piece for piece in re.split(r"[./:]", bare) if not _CHANNEL.fullmatch(piece)]
        if bare and wrong:
            yield Hit(pointer, f"`{wrong[0][:_SHOWN]}` in {address[:_SHOWN]} is not in lower case")


def misspelled_messages(subject: Subject) -> Iterator[Hit]:
    """Find names of messages that are neither one word of capitals nor lower-case words with dots."""
    for part in subject.of("message"):
        name = part.node.get("name")
        dotted = isinstance(name, str) and all(
            CAMEL.fullmatch(one) or KEBAB.fullmatch(one) for one in name.split(".")
        )
        if isinstance(name, str) and not PASCAL.fullmatch(name) and not dotted:
            yield Hit(f"{part.pointer}/name", f"`{name[:_SHOWN]}` is neither PascalCase nor words with dots")


_OK = "responses: {'200': {description: Done.}}"


def _paths(*templates: str) -> str:
    return "paths: {" + ", ".join(f"{template}: {{get: {{{_OK}}}}}" for template in templates) + "}"


def _called(name: str) -> str:
    return f"paths: {{/orders: {{get: {{operationId: listOrders, {_OK}}}, post: {{operationId: {name}, {_OK}}}}}}}"


def _asks_for(name: str) -> str:
    listed = ", ".join(
        f"{{name: {one}, in: query, schema: {{type: string}}}}" for one in ("orderedAfter", name)
    )
    return f"paths: {{/orders: {{get: {{parameters: [{listed}], {_OK}}}}}}}"


def _holding(name: str) -> str:
    return f"type: object\nproperties: {{placedBy: {{type: integer}}, {name}: {{type: integer}}}}"


NAMING_RULES: tuple[Rule, ...] = (
    Rule(
        "path-naming", INFO, API,
        "Paths are typed, logged and matched by case; one spelling in a document leaves nothing to guess.",
        "Write all paths in one style; a new document in lower-case words joined by hyphens: /lab-orders.",
        good=_paths("/lab-orders", "/lab-results"), bad=_paths("/lab-orders", "/labResults"), find=misspelled_paths,
    ),
    Rule(
        "path-trailing-slash", WARNING, API,
        "With and without the slash are two addresses: callers try the wrong one and get a 404.",
        "Leave the slash out.", good=_paths("/orders"), bad=_paths("/orders/"), find=trailing_slashes,
    ),
    Rule(
        "parameter-naming", INFO, BOTH,
        "Callers write parameters by hand; one spelling is one thing less to look up.",
        "Write path and query in the one style of the document (new ones: camelCase), headers with hyphens.",
        good=_asks_for("orderStatus"), bad=_asks_for("order_status"), find=misspelled_parameters,
    ),
    Rule(
        "property-naming", INFO, ALL,
        "Two spellings of one word are two fields to every program.",
        "Write all properties in one style; a new document in camelCase: orderedAt.",
        good=_holding("orderedAt"), bad=_holding("ordered_at"),
        find=misspelled_properties, counted="properties are spelled otherwise than most",
    ),
    Rule(
        "schema-naming", INFO, BOTH,
        "Generated types take their names from here.", "Write PascalCase: OrderReceipt.",
        good="components: {schemas: {OrderReceipt: {type: object}}}",
        bad="components: {schemas: {order_receipt: {type: object}}}",
        find=misspelled_schemas, counted="named schemas are not PascalCase",
    ),
    Rule(
        "operation-id-naming", INFO, BOTH,
        "The id becomes a function in generated clients, and a word in audit records.",
        "Write all in one style (new documents: placeOrder); an id that is released changes only with a new major.",
        good=_called("placeOrder"), bad=_called("place_order"),
        find=misspelled_operation_ids, counted="operationIds are spelled otherwise than most",
    ),
    Rule(
        "operation-id-verb", INFO, BOTH,
        "An audit record that says `order` does not say whether one was read, placed or cancelled.",
        "Begin with a verb: listOrders, placeOrder, cancelOrder.",
        good=_called("placeOrder"), bad=_called("orders"), find=nouns_as_operation_ids,
    ),
    Rule(
        "channel-naming", INFO, EVENTS,
        "Brokers match addresses by case and by separator; wildcards need one of them.",
        "Write lower-case words with one separator: clinical.lab-results.",
        good="channels: {results: {address: clinical.lab-results, title: Results}}",
        bad="channels: {results: {address: clinical.LabResults, title: Results}}", find=misspelled_channels,
    ),
    Rule(
        "message-naming", INFO, EVENTS,
        "Consumers dispatch on the name.", "Write LabResultPublished, or words with dots: lab-result.published.v1.",
        good="components: {messages: {Result: {name: LabResultPublished, payload: {type: object}}}}",
        bad="components: {messages: {Result: {name: lab result, payload: {type: object}}}}", find=misspelled_messages,
    ),
)  # fmt: skip

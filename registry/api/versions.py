"""Tag versions: states and documents."""

from __future__ import annotations

import json

from registry.api import present
from registry.api.call import Answer, Call
from registry.review import catalogue, lifecycle


def find(call: Call) -> Answer:
    """List a contract's versions, newest first."""
    found = catalogue.contract(call.services, call.values["name"])
    return Answer({"versions": [present.version(one) for one in found.versions]})


def read(call: Call) -> Answer:
    """Give one version."""
    return Answer(
        present.version(catalogue.version(call.services, call.values["name"], call.values["version"]))
    )


def document(call: Call) -> Answer:
    """Give a version's document as text: contracts are UTF-8, so that no byte is lost."""
    name, number = call.values["name"], call.values["version"]
    digest = catalogue.version(call.services, name, number).digest
    data, media = catalogue.document(call.services, name, number, call.values.get("form", "submitted"))
    return Answer({"media": media, "digest": digest, "document": data.decode("utf-8")})


def statement(call: Call) -> Answer:
    """Give the signed freeze statement."""
    return Answer(json.loads(catalogue.statement(call.services, call.values["name"], call.values["version"])))


def deprecate(call: Call) -> Answer:
    """Announce the end of a frozen version."""
    found = lifecycle.deprecate(
        call.services,
        call.principal,
        call.values["name"],
        call.values["version"],
        sunset=call.moment("sunset"),
        reason=call.body["reason"],
    )
    return Answer(present.version(found))


def retire(call: Call) -> Answer:
    """End a deprecated version."""
    found = lifecycle.retire(
        call.services, call.principal, call.values["name"], call.values["version"], reason=call.body["reason"]
    )
    return Answer(present.version(found))

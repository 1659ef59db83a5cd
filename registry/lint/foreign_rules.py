"""Rules that others report and lint only describes: the proxy's compiler, meta.yaml's reader, the registry."""

from __future__ import annotations

from collections.abc import Iterator

from kernel.contract.finding import Severity
from kernel.contract.metadata import rules as metadata_rules
from registry.lint.rule import ALL, API, ERROR, INFO, WARNING, Rule

_ACCEPT = "Declare it in a form that can be decoded, or accept the finding."

_SERVING: tuple[Rule, ...] = (
    Rule(
        "cannot-be-served", ERROR, ALL,
        "The proxy compiles what was frozen; what it cannot compile would pass unchecked, so it is refused.",
        "Change the declaration; docs/reference/operations.md says what can be served.",
    ),
    Rule(
        "content-unchecked", WARNING, API,
        "The contract says itself, by `x-interlock-unchecked`, that this content is passed on unread.", _ACCEPT,
    ),
    Rule(
        "content-assumed-json", INFO, API,
        "An unknown media type with the schema of an object or array is read as JSON.",
        "Name a media type that ends in +json.",
    ),
    Rule(
        "content-undeclared", INFO, API,
        "An answer without `content` says nothing about a body, so one is passed on unread.",
        "Write `content: {}` where no body may come.",
    ),
    Rule(
        "answers-undeclared", WARNING, API,
        "No answer is declared, so none is judged.", "Declare the answers.",
    ),
    Rule(
        "parameter-unchecked", WARNING, API,
        "A header of a type that the style `simple` cannot carry is passed on unread.", _ACCEPT,
    ),
    Rule(
        "reference-opaque", INFO, ALL,
        "The canonical schema of a registry URN does not stand beside the document: that part was not checked.",
        "Run where contracts/<name>/<version>/schema.json stands beside, or submit: the registry knows it.",
    ),
)  # fmt: skip

_REGISTRY: tuple[Rule, ...] = (
    Rule(
        "kind-changed", ERROR, ALL,
        "Routes, consumers and comparisons rely on what kind of interface a name stands for.",
        "Choose another name.",
    ),
    Rule(
        "version-taken", ERROR, ALL,
        "A number names one content for ever, also after that was rejected or withdrawn.",
        "Submit the next number.",
    ),
    Rule(
        "version-not-newer", ERROR, ALL,
        "Within a major, whoever follows the newest version must never be led backwards.",
        "Submit a number above the newest frozen one.",
    ),
)  # fmt: skip


def _metadata() -> Iterator[Rule]:
    """Give one rule for each finding that meta.yaml can have."""
    known: dict[str, tuple[Severity, str]] = {}
    for name, severity, why in metadata_rules():
        known[name] = (severity, why)
    # A mapping's own finding (`systems: 5`), for which the kernel's table has no row.
    for name in ("systems", "retry", "objectives"):
        known.setdefault(f"meta-{name}-invalid", (ERROR, f"`{name}` is a mapping of several entries"))
    known["meta-kind-mismatch"] = (ERROR, "the kind decides how a document is read, compared and served")
    for name, (severity, why) in known.items():
        yield Rule(
            name, severity, ALL, f"{why[:1].upper()}{why[1:]}.",
            "Write it in meta.yaml as docs/reference/documents.md says.",
        )  # fmt: skip


FOREIGN_RULES: tuple[Rule, ...] = (*_SERVING, *_metadata(), *_REGISTRY)

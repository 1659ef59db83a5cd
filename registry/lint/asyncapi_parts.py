"""The channels, operations and ids of an AsyncAPI document as they stand in it, valid or not, with pointers.

The view of the kernel (kernel/operation/asyncapi_view.py) exists only where a document can be read; these walks
are for the rules that say why one cannot.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kernel.contract.positions import token
from kernel.contract.sites import local_pointer
from kernel.errors import ContractInvalid, ReferenceRefused
from kernel.operation.traits import Merged, with_traits
from registry.lint.reading import Part, Subject, mapping


def is_old(subject: Subject) -> bool:
    """Whether the document is one of AsyncAPI 2."""
    return subject.version.startswith("2.")


def operations(subject: Subject) -> Iterator[tuple[str, dict[str, Any]]]:
    """Give the operations of AsyncAPI 3: those of the root, and those kept among the components."""
    if is_old(subject):
        return
    for section, members in _sections(subject, "operations"):
        for name, declared in mapping(members).items():
            if isinstance(declared, dict) and "$ref" not in declared:
                yield section + token(name), declared


def addressed_channels(subject: Subject) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Give the channels that stand in the document: pointer, address ("" for an unknown one), channel.

    In AsyncAPI 2 a key of the root is the address, of a channel that is referred to there too.
    """
    if is_old(subject):
        for name, declared in mapping(subject.root.get("channels")).items():
            channel, _ = subject.follow(declared, "")
            if isinstance(channel, dict):
                yield "/channels" + token(name), name, channel
        return
    for section, members in _sections(subject, "channels"):
        for name, declared in mapping(members).items():
            if isinstance(declared, dict) and "$ref" not in declared:
                address = declared.get("address")
                yield section + token(name), address if isinstance(address, str) else "", declared


def _sections(subject: Subject, key: str) -> tuple[tuple[str, Any], tuple[str, Any]]:
    components = mapping(subject.root.get("components"))
    return (f"/{key}", subject.root.get(key)), (f"/components/{key}", components.get(key))


def merged(subject: Subject, part: Part) -> Merged | None:
    """Give an operation or a message with its traits; None where they cannot be merged."""
    try:
        return with_traits(subject.root, part.node, part.pointer, own_wins=not is_old(subject))
    except ContractInvalid:
        return None  # `traits-invalid` says so


def ids(subject: Subject, type_: str, key: str) -> Iterator[tuple[str, str]]:
    """Give pointer and value of the id (AsyncAPI 2) of every operation or message, traits applied."""
    for part in subject.of(type_):
        made = merged(subject, part)
        value = None if made is None else made.value.get(key)
        if isinstance(value, str):
            yield f"{part.pointer}/{key}" if key in part.node else f"{part.pointer}/traits", value


def target(declared: Any) -> str | None:
    """Give the JSON pointer of a local reference, None for anything else."""
    ref = declared.get("$ref") if isinstance(declared, dict) else None
    try:
        return local_pointer(ref) if isinstance(ref, str) and ref.startswith("#") else None
    except ReferenceRefused:
        return None

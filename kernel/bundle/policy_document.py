"""Reads policies from the documents that people write, and writes them for the registry to keep.

What is legal stands in the structs of kernel/bundle/policy.py and nowhere else: a value that needs more than a
type is checked in the struct's `__post_init__`, whose `ValueError` gets its place here.
"""

from __future__ import annotations

import re
from typing import Any, Final, TypeVar

import msgspec

from kernel.bundle.policy import ConsumerPolicy, RoutePolicy
from kernel.errors import Place, PolicyInvalid

P = TypeVar("P", RoutePolicy, ConsumerPolicy)
LARGEST_POLICY: Final = 64 * 1024  # bytes of its compact JSON
_FAULT: Final = re.compile(r"(.*?)(?: - at `\$(.*)`)?", re.DOTALL)
_UNKNOWN: Final = re.compile(r"Object contains unknown field `(.*)`", re.DOTALL)
_STEP: Final = re.compile(r"\.([^.\[]+)|\[(\d+|\.\.\.)\]")


def read_policy(form: type[P], document: object) -> P:
    """Read a policy out of parsed JSON; raises `PolicyInvalid` naming pointer and field."""
    try:
        policy = msgspec.convert(document, type=form)
        size = len(msgspec.json.encode(policy))
    except msgspec.ValidationError as error:
        raise _invalid(str(error)) from None
    if size > LARGEST_POLICY:
        raise PolicyInvalid(f"a policy of {size} bytes is larger than {LARGEST_POLICY}")
    return policy


def policy_document(policy: RoutePolicy | ConsumerPolicy) -> dict[str, Any]:
    """Write a policy as the document that reads as it; parts that ask for nothing are left out."""
    written: dict[str, Any] = msgspec.to_builtins(policy)
    return {name: part for name, part in written.items() if part is not None}


def _invalid(text: str) -> PolicyInvalid:
    """Put a message of msgspec (`Expected … - at `$.a.b[0]``) into our words, with an RFC 6901 pointer."""
    found = _FAULT.fullmatch(text)
    what, path = (found[1], found[2] or "") if found else (text, "")
    pointer = "".join(f"/{name or index.replace('...', '*')}" for name, index in _STEP.findall(path))
    unknown = _UNKNOWN.fullmatch(what)
    if unknown:
        pointer += f"/{unknown[1][:64]}"
        what = f"there is no field {unknown[1][:64]!r}"
    return PolicyInvalid(
        f"the policy is invalid at {pointer or 'its root'}: {what}",
        hint="docs/reference/policies.md lists every field",
        place=Place(pointer=pointer),
    )

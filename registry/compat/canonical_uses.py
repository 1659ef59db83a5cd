"""Which contracts use a canonical schema, in which direction, and what a new version of it would do to them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from kernel.contract.digest import digest
from kernel.contract.document import Kind
from kernel.contract.finding import Finding, Verdict
from kernel.contract.references import embed_urns, replaced, sites
from kernel.contract.sites import local_pointer, resolve_pointer
from kernel.contract.urn import PREFIX, Urn
from kernel.contract.version import Version
from kernel.errors import ContractInvalid, DocumentError, InterlockError, ReferenceRefused
from registry.compat.policy_judge import Policy, bump_under, judge, outcome_under
from registry.compat.policy_modes import Mode
from registry.compat.policy_waivers import waived
from registry.compat.rules import BY_ID
from registry.compat.schema_change import Direction

if TYPE_CHECKING:
    from kernel.settings import Settings

Name = tuple[str, int]  # a canonical schema's name and major
Lookup = Callable[[Urn], Any]
_OTHER: Final[dict[Direction, Direction]] = {"accepts": "emits", "emits": "accepts"}
_METHODS: Final = frozenset(
    {"get", "put", "post", "delete", "options", "head", "patch", "trace", "query", "additionalOperations"}
)
MOST_STEPS: Final = 2_000_000  # nodes that are looked at in one document


@dataclass(frozen=True, slots=True)
class Candidate:
    """A new version of a canonical schema; `root` keeps the URNs that it has itself."""

    name: str
    version: Version
    root: Any
    digest: str

    @property
    def key(self) -> Name:
        """What its users name."""
        return self.name, self.version.major


@dataclass(frozen=True, slots=True)
class User:
    """A contract version that may use canonical schemas; `root` keeps its URNs, `mode` is that of a schema."""

    name: str
    version: Version
    kind: Kind
    root: Any
    mode: Mode | None = None

    @property
    def label(self) -> str:
        """Name and version, for sentences."""
        return f"{self.name} {self.version}"


def used_by(root: Any, kind: Kind) -> dict[Name, frozenset[Direction]]:
    """Give the canonical schemas that a document names, with the directions in which their values travel.

    A schema that a canonical schema names travels as that one does; here it is said to travel in both. What only
    stands among the components, and in no message, travels nowhere and has no direction.
    """
    if not isinstance(root, dict):
        return {}
    found: dict[Name, set[Direction]] = {}
    for site in sites(root):
        if site.ref.startswith(PREFIX):
            found.setdefault(_name(site.ref), set())
    if not found:
        return {}
    if kind == "schema":
        return {name: frozenset(_OTHER) for name in found}
    for node, direction in _reached(root, _MESSAGES[kind](root)):
        reference = node.get("$ref")
        if isinstance(reference, str) and reference.startswith(PREFIX):
            found.setdefault(_name(reference), set()).add(direction)
    return {name: frozenset(directions) for name, directions in found.items()}


def directions_of(schema: Name, users: Iterable[User]) -> frozenset[Direction]:
    """Give the directions in which contracts use a schema, also through other schemas; nobody: none."""
    named: dict[Name, set[Name]] = {}  # schema -> the schemas that name it
    straight: dict[Name, set[Direction]] = {}
    for user in users:
        for name, directions in used_by(user.root, user.kind).items():
            if user.kind == "schema":
                named.setdefault(name, set()).add((user.name, user.version.major))
            else:
                straight.setdefault(name, set()).update(directions)
    todo, seen = [schema], {schema}
    out: set[Direction] = set()
    while todo:
        name = todo.pop()
        out |= straight.get(name, set())
        fresh = named.get(name, set()) - seen
        seen |= fresh
        todo += fresh
    return frozenset(out)


def judged_through(
    schema: Candidate, user: User, lookup: Lookup, policy: Policy, settings: Settings | None = None
) -> Verdict | None:
    """Compare a contract as it is with itself on the new version; None when it does not use the schema's major.

    `lookup` gives the canonical schemas that are there already, by URN. Findings name the user (`through`), and
    waivers of the schema hold for them. What of the schema the contract names and the
    new version no longer has is a break; a schema that is not known at all decides nothing.
    """
    unknown: list[Urn] = []

    def known(urn: Urn) -> Any:
        try:
            return made[urn.digest] if urn.digest in made else lookup(urn)
        except InterlockError:
            unknown.append(urn)
            raise

    made: dict[str, Any] = {}
    try:
        after = _moved(user.root, schema, known, made)
        if after is None:
            return None
        old, new = embed_urns(user.root, known), embed_urns(after, known)
    except (DocumentError, ReferenceRefused, ContractInvalid) as error:
        rule = "reference-unresolved" if unknown else "canonical-part-lost"
        return _unusable(rule, schema, user, error.message, policy)
    bare = replace(policy, waivers=())  # they are bound to findings that name the user
    verdict = judge(old, new, user.kind, bare, mode=user.mode, settings=settings)
    beginning = f"In {user.label}, with {schema.name} {schema.version}: "
    told = (replace(one, what=beginning + one.what, through=user.name) for one in verdict.findings)
    findings = tuple(waived(one, policy.waivers, schema.name, policy.as_of) for one in told)
    if not any(one.waived for one in findings):
        return replace(verdict, findings=findings)
    outcome, bump = outcome_under(findings, policy.fail_on), bump_under(findings, policy.fail_on)
    return replace(verdict, outcome=outcome, required_bump=bump, findings=findings)


def _moved(root: Any, schema: Candidate, lookup: Lookup, made: dict[str, Any]) -> Any:
    """Give a root whose URNs of the schema's major name the new version, also inside of what it names.

    `made` takes up, by digest, the schemas that this changes. None when nothing changes.
    """
    refs: dict[int, str] = {}
    for site in sites(root):
        if not site.ref.startswith(PREFIX):
            continue
        urn = Urn.parse(site.ref)
        if (urn.name, urn.version.major) == schema.key:
            if urn.version < schema.version:
                made[schema.digest] = schema.root
                refs[id(site.holder)] = str(replace(urn, version=schema.version, digest=schema.digest))
            continue
        inner = _moved(lookup(urn), schema, lookup, made)
        if inner is not None:
            key = digest(inner)
            made[key] = inner
            refs[id(site.holder)] = str(replace(urn, digest=key))
    return replaced(root, refs) if refs else None


def _unusable(rule_id: str, schema: Candidate, user: User, message: str, policy: Policy) -> Verdict:
    rule = BY_ID[rule_id]
    lost = rule_id == "canonical-part-lost"
    how = f"{user.label} cannot use" if lost else f"It is not known whether {user.label} can use"
    what = f"{how} {schema.name} {schema.version}: {message}"
    found = (Finding.of(rule, "", what, before=user.name),)
    return Verdict(
        outcome_under(found, policy.fail_on), bump_under(found, policy.fail_on), found, {}, policy.described()
    )


def _name(reference: str) -> Name:
    urn = Urn.parse(reference)
    return urn.name, urn.version.major


def _reached(
    root: Any, starts: Iterable[tuple[Any, Direction]]
) -> Iterator[tuple[Mapping[str, Any], Direction]]:
    """Yield every object below the starts, references followed, with the direction in which it is reached."""
    todo = list(starts)
    seen: set[tuple[int, Direction]] = set()
    steps = 0
    while todo and steps < MOST_STEPS:
        node, direction = todo.pop()
        steps += 1
        if (id(node), direction) in seen:
            continue
        if isinstance(node, dict):
            seen.add((id(node), direction))
            yield node, direction
            reference = node.get("$ref")
            if isinstance(reference, str) and reference.startswith("#"):
                target = _target(root, reference)
                if target is not None:
                    todo.append((target, direction))
            todo += [(value, direction) for value in node.values()]
        elif isinstance(node, list):
            todo += [(value, direction) for value in node]


def _target(root: Any, reference: str) -> Any:
    try:
        return resolve_pointer(root, local_pointer(reference))
    except ReferenceRefused:
        return None


def _openapi(root: Mapping[str, Any]) -> Iterator[tuple[Any, Direction]]:
    for item in _values(root.get("paths")):
        yield from _path_item(root, item, "accepts")
    for item in _values(root.get("webhooks")):
        yield from _path_item(root, item, "emits")


def _path_item(root: Any, item: Any, requests: Direction) -> Iterator[tuple[Any, Direction]]:
    """Give the messages of a path item; `requests` is the direction of what callers send."""
    item = _followed(root, item)
    yield item.get("parameters"), requests
    for method in _METHODS & item.keys():
        operations = _values(item[method]) if method == "additionalOperations" else [item[method]]
        for operation in operations:
            if not isinstance(operation, dict):
                continue
            yield operation.get("parameters"), requests
            yield operation.get("requestBody"), requests
            yield operation.get("responses"), _OTHER[requests]
            for callback in _values(operation.get("callbacks")):
                for inner in _values(_followed(root, callback)):
                    yield from _path_item(root, inner, _OTHER[requests])


def _asyncapi(root: Mapping[str, Any]) -> Iterator[tuple[Any, Direction]]:
    """Give what an application sends (AsyncAPI 2: `subscribe`) and receives; of a silent channel, both."""
    for channel in _values(root.get("channels")):
        channel = _followed(root, channel)  # noqa: PLW2901 - the same channel, where it stands
        yield channel.get("publish"), "accepts"
        yield channel.get("subscribe"), "emits"
    operations = [_followed(root, one) for one in _values(root.get("operations"))]
    spoken: set[int] = set()
    for operation in operations:
        way: Direction = "emits" if operation.get("action") == "send" else "accepts"
        listed, reply = operation.get("messages"), operation.get("reply")
        channel = _followed(root, operation.get("channel"))
        yield (listed or channel), way
        spoken.add(id(channel))
        if isinstance(reply, dict):
            answered = _followed(root, reply)
            yield answered, _OTHER[way]
            spoken.add(id(_followed(root, answered.get("channel"))))
    if "operations" in root or not str(root.get("asyncapi", "")).startswith("2."):
        for channel in _values(root.get("channels")):
            if id(_followed(root, channel)) not in spoken:
                yield channel, "accepts"
                yield channel, "emits"


_MESSAGES: Final[dict[str, Callable[[Mapping[str, Any]], Iterator[tuple[Any, Direction]]]]] = {
    "openapi": _openapi,
    "asyncapi": _asyncapi,
}


def _values(node: Any) -> Iterator[Any]:
    if isinstance(node, dict):
        yield from node.values()


def _followed(root: Any, node: Any) -> dict[str, Any]:
    for _ in range(8):
        if not isinstance(node, dict) or not isinstance(node.get("$ref"), str):
            break
        if not node["$ref"].startswith("#"):
            return {}
        node = _target(root, node["$ref"])
    return node if isinstance(node, dict) else {}

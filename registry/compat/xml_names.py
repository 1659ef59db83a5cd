"""Whether two schemas give the same XML names: `xml` changes the bytes, and never what a validator says."""

from __future__ import annotations

from kernel.contract.digest import canonical_bytes
from registry.compat.schema_view import Node, Unreadable

MOST_PARTS = 5_000
Path = tuple[str, ...]


def same_xml(old: Node, new: Node) -> bool:
    """Compare the `xml` of every part that both schemas have, and the name of the root element."""
    try:
        before, after = _words(old), _words(new)
    except Unreadable:
        return False
    shared = before.keys() & after.keys()
    return all(before[path] == after[path] for path in shared)


def _words(start: Node) -> dict[Path, frozenset[bytes]]:
    """Give what `xml` says for each path in the value; the root is named by its component without one."""
    found: dict[Path, set[bytes]] = {(): {start.raw["$ref"].encode()} if _is_reference(start) else set()}
    todo: list[tuple[Node, Path, frozenset[Node]]] = [(start, (), frozenset())]
    for _ in range(MOST_PARTS):
        if not todo:
            return {path: frozenset(words) for path, words in found.items()}
        node, path, around = todo.pop()
        if node in around:
            continue
        around |= {node}
        words = found.setdefault(path, set())
        if isinstance(node.raw, dict) and "xml" in node.raw:
            words.add(canonical_bytes(node.raw["xml"]))
        view = node.view
        todo += [(below, (*path, name), around) for name, below in view.properties.items()]
        todo += [(below, (*path, "*"), around) for below in (view.items, view.additional) if below]
        inside = ((view.ref,) if view.ref else ()) + view.all_of + view.any_of + view.one_of
        todo += [(other, path, around) for other in (*inside, *(view.condition or ())) if other]
    raise Unreadable("too many parts to compare their names in XML")


def _is_reference(node: Node) -> bool:
    return isinstance(node.raw, dict) and isinstance(node.raw.get("$ref"), str)

"""The schemas of Open mHealth as they lie in the corpus: versions of a name, each with what it refers to."""

import json
import re
from itertools import pairwise

VERSION = re.compile(r"(?P<name>.+)-(?P<version>\d+\.\d+)\.json")
LINK = re.compile(r"[\w.-]+\.json")
# IEEE 1752.1 took these schemas over; where it is referred to, the one of the same name stands in for it.
SUCCESSOR = "https://w3id.org/ieee/ieee-1752-schema/"
UNKNOWN = "$unresolved"  # what stands for a target that the corpus does not have


def versions(folder):
    """Give pairs of neighbouring versions of each name, in the order of names."""
    found = {}
    for file in sorted(folder.glob("*.json")):
        match = VERSION.fullmatch(file.name)
        if match:
            number = tuple(int(part) for part in match["version"].split("."))
            found.setdefault(match["name"], []).append((number, file))
    for files in found.values():
        for (_, old), (_, new) in pairwise(sorted(files)):
            yield old, new


def read(file):
    """Read a schema with the files that it refers to as definitions of its own."""
    root = _load(file)
    held = {}
    made = _inlined(root, file, "#", held)
    word = made.setdefault("definitions", {})
    word.update(held)
    return made


def _load(file):
    text = file.read_text()
    while LINK.fullmatch(text.strip()):  # a link of the repository, kept as the name of its target
        text = (file.parent / text.strip()).read_text()
    return json.loads(text)


def _inlined(node, file, here, held):
    if isinstance(node, list):
        return [_inlined(item, file, here, held) for item in node]
    if not isinstance(node, dict):
        return node
    if isinstance(node.get("$ref"), str):
        return _target(node["$ref"], file, here, held)
    return {key: _inlined(value, file, here, held) for key, value in node.items()}


def _target(ref, file, here, held):
    place, _, fragment = ref.removeprefix(SUCCESSOR).partition("#")
    if not place:
        return {"$ref": f"{here}{fragment}"}
    target = file.parent / place
    if "/" in place or not target.exists():
        return {UNKNOWN: ref}
    name = f"file {place}"
    home = f"#/definitions/{name}"
    if name not in held:
        held[name] = {}
        body = _inlined(_load(target), target, home, held)
        held[name] = {key: value for key, value in body.items() if key not in {"$schema", "id", "$id"}}
    return {"$ref": f"{home}{fragment}"}

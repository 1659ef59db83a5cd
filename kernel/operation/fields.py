"""Named fields that come in pairs (query, form body, cookies), gathered into what is declared.

One field is one parameter, several of one name are an array, and an object may be spread over many:
every property under its own name (`form` exploded) or as `name[property]` (`deepObject`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal

from kernel.operation.violation import Undecodable, Violation

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kernel.operation.parameters import Parameter
    from kernel.operation.shapes import Shape

_INDEX_DIGITS: Final = 6  # more than any array has; what is longer is past all positions

_Tree = dict[str, "_Tree | list[bytes]"]
Groups = dict[str, list[bytes]]  # decoded name → raw values, in the order of the message


class Fields:
    """The declared fields of one place, found by name in one lookup each."""

    __slots__ = ("_brackets", "_members", "_named", "_open", "_required", "_spread", "all")

    def __init__(self, parameters: Iterable[Parameter]) -> None:
        self.all = tuple(parameters)
        self._required = tuple(item for item in self.all if item.required)
        self._named = {item.name: item for item in self.all if not item.spread}
        self._brackets = {item.name: item for item in self.all if item.spread == "brackets"}
        self._spread = tuple(item for item in self.all if item.spread == "fields")
        self._members: dict[str, Parameter] = {}
        for item in self._spread:
            for name in item.shape.member_names():
                self._members.setdefault(name, item)
        # The first object that asks for further properties takes what nobody else claims.
        self._open = next((item for item in self._spread if item.shape.is_open), None)

    def check(self, groups: Groups, *, strict: Literal["", "query", "cookie"] = "") -> list[Violation]:
        """Judge all fields; one that nothing declares is a violation in the place named by `strict`."""
        found: list[Violation] = []
        seen: set[str] = set()
        gathered: dict[str, Groups] = {}
        for name, raws in groups.items():
            parameter = self._named.get(name)
            if parameter is not None:
                seen.add(name)
                found += parameter.check(raws)
            elif (owner := self._owner(name)) is not None:
                gathered.setdefault(owner.name, {})[name] = raws
            elif strict:
                found.append(Violation(strict, "", "undeclared", "{key}"))
        for owner in (*self._brackets.values(), *self._spread):
            if owner.name in gathered:
                seen.add(owner.name)
                found += check_object(owner, gathered[owner.name])
        found += [item.missing() for item in self._required if item.name not in seen]
        return found

    def knows(self, name: str) -> bool:
        """Whether a field of this name belongs to something declared."""
        return name in self._named or self._owner(name) is not None

    def undeclared(self, groups: Groups) -> list[str]:
        """List the fields that nothing declares; their names may be anybody's data."""
        return [name for name in groups if name not in self._named and self._owner(name) is None]

    def values(self, groups: Groups) -> dict[str, Any]:
        """Gather typed values by declared name, without judging; what nobody declares is left out.

        Raises `Undecodable` with a pointer that starts with the declared name.
        """
        found: dict[str, Any] = {}
        gathered: dict[str, tuple[Parameter, Groups]] = {}
        for name, raws in groups.items():
            parameter = self._named.get(name)
            if parameter is not None:
                try:
                    found[name] = parameter.best(raws)
                except Undecodable as error:
                    raise _under(name, error) from None
            elif (owner := self._owner(name)) is not None:
                gathered.setdefault(owner.name, (owner, {}))[1][name] = raws
        for name, (owner, mine) in gathered.items():
            try:
                found[name] = read_object(owner, mine)
            except Undecodable as error:
                raise _under(name, error) from None
        return found

    def _owner(self, name: str) -> Parameter | None:
        """Find the object that a field belongs to: one that names it, before one that takes anything."""
        owner = self._members.get(name)
        if owner is None and self._brackets:
            owner = self._brackets.get(name.partition("[")[0])
        return owner or self._open


def check_object(parameter: Parameter, groups: Groups) -> tuple[Violation, ...]:
    """Judge an object that came in several fields."""
    if parameter.allow_empty and groups == {parameter.name: [b""]}:
        return ()
    try:
        value = read_object(parameter, groups)
    except Undecodable as error:
        found: tuple[Violation, ...] = (
            Violation(parameter.where, error.pointer, error.keyword, parameter.name),
        )
    else:
        found = parameter.judge([value])
    if found and parameter.others and parameter.fits_other(lambda one: [read_object(one, groups)]):
        return ()
    return found


def read_object(parameter: Parameter, groups: Groups) -> Any:
    """Build the object from its fields; raises `Undecodable`.

    An array in brackets, which OpenAPI leaves undefined, is read as most clients write it: `name[]=a&name[]=b`
    or `name[0]=a&name[1]=b`.
    """
    if parameter.spread == "brackets" and parameter.name in groups:
        return _bare(parameter, groups)
    tree: _Tree = {}
    for name, raws in groups.items():
        keys = [name] if parameter.spread == "fields" else _keys(name[len(parameter.name) :], parameter.depth)
        if keys == [""]:
            if not parameter.shape.is_array or len(groups) > 1:
                raise Undecodable("style")
            return _typed(parameter, parameter.shape, raws, "")
        place, shape, pointer = tree, parameter.shape, ""
        for key in keys[:-1]:
            shape, pointer = _below(shape, key, pointer)
            inner = place.setdefault(key, {})
            if not isinstance(inner, dict):
                raise Undecodable("style", pointer)
            place = inner
        if keys[-1] in place:
            raise Undecodable("duplicate", _below(shape, keys[-1], pointer)[1])
        place[keys[-1]] = raws
    return _typed(parameter, parameter.shape, tree, "")


def _bare(parameter: Parameter, groups: Groups) -> Any:
    """Read a field that bears the name without brackets: a scalar or an array, where the schema admits one."""
    shape = parameter.shape
    if len(groups) > 1 or not (shape.is_array or shape.scalars):
        raise Undecodable("style")
    return _leaf(parameter, shape, groups[parameter.name], "")


def _below(shape: Shape, key: str, pointer: str) -> tuple[Shape, str]:
    """Go one key down: a property, or an index where only an array is admitted."""
    if shape.is_array and key.isdecimal():
        items = shape.spelled()
        return items[min(int(key[:_INDEX_DIGITS]), len(items) - 1)], f"{pointer}/{key}"
    return shape.member(key), pointer + shape.pointer_of(key)


def _typed(parameter: Parameter, shape: Shape, node: _Tree | list[bytes], pointer: str) -> Any:
    """Type the raw values of a tree by the shapes of its places."""
    if isinstance(node, list):
        return _leaf(parameter, shape, node, pointer)
    found = {key: _typed(parameter, *_with(shape, key, pointer, inner)) for key, inner in node.items()}
    if not shape.is_array:
        return found
    indexes = [str(index) for index in range(len(found))]
    if set(indexes) != found.keys():
        raise Undecodable("style", pointer)
    return [found[index] for index in indexes]


def _with(
    shape: Shape, key: str, pointer: str, inner: _Tree | list[bytes]
) -> tuple[Shape, _Tree | list[bytes], str]:
    shape, pointer = _below(shape, key, pointer)
    return shape, inner, pointer


def _leaf(parameter: Parameter, shape: Shape, raws: list[bytes], pointer: str) -> Any:
    """Read the values of one property: all of them where it is an array, else the only one."""
    if shape.is_array:
        return parameter.each(raws, shape, pointer)
    if len(raws) != 1:
        raise Undecodable("repeated", pointer)
    return parameter.one(raws[0], shape, pointer)


def _keys(brackets: str, depth: int) -> list[str]:
    """Read `[a][b]`; the depth is capped, and an index is a name like any other."""
    if not brackets.endswith("]"):
        raise Undecodable("style")
    keys = brackets[1:-1].split("][")
    if len(keys) > depth:
        raise Undecodable("limit")
    # `name[]` after the last key is how some clients mark an array; it says nothing that we need, but on top.
    if keys == [""]:
        return keys
    if len(keys) > 1 and keys[-1] == "":
        keys.pop()
    if any(not key or "[" in key or "]" in key for key in keys):
        raise Undecodable("style")
    return keys


def _under(name: str, error: Undecodable) -> Undecodable:
    """Put the declared name of a field before the pointer into its value."""
    return Undecodable(error.keyword, f"/{name.replace('~', '~0').replace('/', '~1')}{error.pointer}")

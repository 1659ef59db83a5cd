"""XML bodies by OpenAPI's `xml` object: names, attributes, wrapped arrays, namespaces; no DTD, no entity."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from kernel.operation.scalars import scalars_of
from kernel.operation.shapes import ANNOTATIONS, Shape, dereference, lookup
from kernel.operation.violation import Undecodable
from kernel.operation.xml_text import parse_xml

if TYPE_CHECKING:
    from collections.abc import Iterable
    from xml.etree.ElementTree import Element

    from kernel.operation.media_types import MediaType
    from kernel.operation.schemas import Schemas

_COMPONENT: Final = "#/components/schemas/"
_MOST: Final = 20  # references followed for a name, and objects without elements inside each other
_TEXT: Final = frozenset({"text", "cdata"})
_XSI: Final = "{http://www.w3.org/2001/XMLSchema-instance}"
_XML: Final = "{http://www.w3.org/XML/1998/namespace}"


class XmlReader:
    """Reads an element as its schema's value; text is typed as a parameter's is.

    Elements and attributes without a property become properties of their own, so that
    `additionalProperties: false` refuses them.
    """

    def __init__(self, schema: Any, schemas: Schemas, *, root: Any = None) -> None:
        """Read by `schema`; what the root element is called is told by `root` where that is one branch of it."""
        self._schemas = schemas
        self._root = schema if root is None else root
        self._shape = schemas.shape(schema)
        self._schema = schema
        self._digits = schemas.limits.number_digits

    def read(self, media: MediaType, data: bytes) -> Any:
        """Decode the root element; raises `Undecodable`."""
        root = parse_xml(media, data)
        spec = self._xml_of(self._root)
        names = [spec["name"]] if "name" in spec else self._components(self._root)
        if names and not any(_is_named(root.tag, spec, name) for name in names):
            raise Undecodable("element")
        return self._value(root, self._shape, self._schema, "", names)

    def _value(
        self, element: Element, shape: Shape, schema: Any, pointer: str, names: Iterable[str] = ()
    ) -> Any:
        """Read an element; `names` are those that items without a name of their own inherit."""
        if element.get(_XSI + "nil") in {"true", "1"}:
            if len(element) or element.text:  # XML Schema 1.1 part 1 §3.3.4.3: one or the other
                raise Undecodable("element", pointer)
            return None
        if shape.is_array:
            return self._wrapped(element, schema, pointer, names)
        text = set(shape.scalars) - {"null"}
        if "object" in shape.types and (not text or len(element) or element.attrib):
            return self._object(element, shape, pointer)
        if len(element):
            raise Undecodable("type", pointer)
        return self._scalar(element.text or "", shape, pointer)

    def _scalar(self, text: str, shape: Shape, pointer: str) -> Any:
        # XML Schema collapses white space around everything but strings.
        trimmed = text if "string" in shape.scalars else text.strip()
        found = scalars_of(trimmed, shape.scalars, self._digits)
        if not found:
            raise Undecodable("type", pointer)
        return self._schemas.first_fitting(shape, found)

    def _wrapped(self, element: Element, schema: Any, pointer: str, names: Iterable[str]) -> list[Any]:
        """Read what a wrapping (or root) element holds as the items of an array, in their order."""
        plain = dereference(self._schemas.root, schema)
        first = plain.get("prefixItems", ()) if isinstance(plain, dict) else ()
        kinds = [(item, self._schemas.shape(item)) for item in (*first, self._items_of(schema))]
        children = list(element)
        texts = [element.text or "", *[child.tail or "" for child in children]]
        found: list[Any] = []
        taken = 0
        for item, shape in (*kinds, *[kinds[-1]] * len(children)):
            at = f"{pointer}/{len(found)}"
            if self._xml_of(item).get("nodeType") in _TEXT:
                found.append(self._scalar(texts[taken], shape, at))
                texts[taken] = ""
            elif taken < len(children):
                child = children[taken]
                self._check_item(child, item, at, names)
                found.append(self._value(child, shape, item, at))
                taken += 1
        if any(map(str.strip, texts)):
            raise Undecodable("element", pointer)
        return found

    def _check_item(self, element: Element, item: Any, pointer: str, names: Iterable[str]) -> None:
        """Hold an item to its name, to its component's, or to the one that it inherits."""
        spec = self._xml_of(item)
        known = [spec["name"]] if "name" in spec else [*names, *self._components(item)] if names else []
        if known and not any(_is_named(element.tag, spec, name) for name in known):
            raise Undecodable("element", pointer)

    def _object(self, element: Element, shape: Shape, pointer: str) -> dict[str, Any]:
        found: dict[str, Any] = {}
        text = self._text_name(shape)
        if text is not None:
            found[text] = self._scalar(
                element.text or "", shape.member(text), pointer + shape.pointer_of(text)
            )
        _no_text(element, pointer, own=text is None)
        left = _Left(list(element), element.attrib)
        for name in shape.member_names():
            if name != text:
                self._member(name, shape, left, found, pointer)
        self._further(shape, left, found, pointer)
        return found

    def _further(self, shape: Shape, left: _Left, found: dict[str, Any], pointer: str) -> None:
        """Read what no property takes under its local name, as `additionalProperties` has it.

        Where nothing is said of it, it keeps its name, and its text where it holds nothing else.
        """
        together: dict[str, list[Element | str]] = {}
        for key, text in left.attributes.items():
            together.setdefault(_local(key), []).append(text)
        for child in left.children:
            together.setdefault(_local(child.tag), []).append(child)
        for local, mine in together.items():
            # A declared property with another XML name, or as an attribute, is not meant.
            name = f"{{}}{local}" if local in shape.member_names() else local
            schema, at = shape.member_schema(name), pointer + shape.pointer_of(name)
            unsaid = schema is True or (isinstance(schema, dict) and not schema.keys() - ANNOTATIONS)
            found[name] = _plain(mine) if unsaid else self._all(mine, shape.member(name), schema, at)

    def _all(self, mine: list[Element | str], member: Shape, schema: Any, pointer: str) -> Any:
        """Read the elements or attributes of one name: an array where the schema is one that is not wrapped."""
        if member.is_array and self._xml_of(schema).get("wrapped") is not True:
            inner = self._items_of(schema)
            placed = zip(mine, member.positions(len(mine)), strict=True)
            return [
                self._either(one, items, inner, f"{pointer}/{at}") for at, (one, items) in enumerate(placed)
            ]
        if len(mine) > 1:
            raise Undecodable("repeated", pointer)
        return self._either(mine[0], member, schema, pointer)

    def _either(self, one: Element | str, shape: Shape, schema: Any, pointer: str) -> Any:
        if isinstance(one, str):
            return self._scalar(one, shape, pointer)
        return self._value(one, shape, schema, pointer)

    def _member(self, name: str, shape: Shape, left: _Left, found: dict[str, Any], pointer: str) -> None:
        """Read one property from what is left of its element."""
        schema, member, at = shape.member_schema(name), shape.member(name), pointer + shape.pointer_of(name)
        spec = self._xml_of(schema)
        if spec.get("attribute") is True or spec.get("nodeType") == "attribute":
            text = left.attribute(spec, name)
            if text is not None:
                found[name] = self._scalar(text, member, at)
            elif "null" in member.types and not member.untyped and shape.requires(name):
                found[name] = None  # OpenAPI 3.2, "Handling null Values": an attribute that is left out
            return
        if spec.get("nodeType") == "none" and "object" in member.types:
            self._inlined(name, shape, left, found, pointer)
            return
        unwrapped = member.is_array and spec.get("wrapped") is not True and spec.get("nodeType") != "element"
        inner = self._items_of(schema) if unwrapped else schema
        mine = left.elements(self._xml_of(inner) if unwrapped else spec, name)
        if not mine:
            if unwrapped and shape.requires(name):
                found[name] = []  # an array of nothing has no elements, and no other way to be written
        elif unwrapped:
            placed = zip(mine, member.positions(len(mine)), strict=True)
            found[name] = [
                self._value(child, items, inner, f"{at}/{i}") for i, (child, items) in enumerate(placed)
            ]
        elif len(mine) > 1:
            raise Undecodable("repeated", at)
        else:
            found[name] = self._value(mine[0], member, schema, at, [_local(mine[0].tag)])

    def _inlined(self, name: str, shape: Shape, left: _Left, found: dict[str, Any], pointer: str) -> None:
        """Read an object without an element of its own: its nodes stand in its parent (OpenAPI 3.2, `none`)."""
        if pointer.count("/") > _MOST:
            raise Undecodable("limit")  # a schema that stands in itself
        member, inner = shape.member(name), dict[str, Any]()
        for part in member.member_names():
            self._member(part, member, left, inner, pointer + shape.pointer_of(name))
        if inner or shape.requires(name):
            found[name] = inner

    def _text_name(self, shape: Shape) -> str | None:
        """Name the property that the text of an element is (OpenAPI 3.2, `nodeType`)."""
        for name in shape.member_names():
            if self._xml_of(shape.member_schema(name)).get("nodeType") in _TEXT:
                return name
        return None

    def _items_of(self, schema: Any) -> Any:
        plain = dereference(self._schemas.root, schema)
        return plain.get("items", True) if isinstance(plain, dict) else True

    def _components(self, schema: Any) -> list[str]:
        """List the components that a reference leads through: what an element of theirs is called."""
        found: list[str] = []
        while isinstance(schema, dict) and isinstance(ref := schema.get("$ref"), str) and len(found) < _MOST:
            if not ref.startswith(_COMPONENT) or "/" in ref.removeprefix(_COMPONENT):
                break
            found.append(ref.removeprefix(_COMPONENT))
            schema = lookup(self._schemas.root, ref)
        return found

    def _xml_of(self, schema: Any) -> dict[str, Any]:
        """Find the `xml` object: the schema's own (3.1: also beside `$ref`), else the referenced one's."""
        own = schema.get("xml") if isinstance(schema, dict) else None
        if not isinstance(own, dict):
            plain = dereference(self._schemas.root, schema)
            parts = [plain, *plain.get("anyOf", ())] if isinstance(plain, dict) else []
            # Of a property in two parts of an `allOf`, one may say what it is in XML.
            said = (part.get("xml") for part in parts if isinstance(part, dict))
            own = next((xml for xml in said if isinstance(xml, dict)), None)
        return own if own is not None else {}


class _Left:
    """What no property has taken of an element yet."""

    def __init__(self, children: list[Element], attributes: dict[str, str]) -> None:
        self.children = children
        self.attributes = {key: text for key, text in attributes.items() if not key.startswith((_XSI, _XML))}

    def attribute(self, spec: dict[str, Any], name: str) -> str | None:
        key = next((key for key in self.attributes if _is_named(key, spec, name)), None)
        return None if key is None else self.attributes.pop(key)

    def elements(self, spec: dict[str, Any], name: str) -> list[Element]:
        mine = [child for child in self.children if _is_named(child.tag, spec, name)]
        if mine:
            taken = set(map(id, mine))
            self.children = [child for child in self.children if id(child) not in taken]
        return mine


def _local(name: str) -> str:
    return name.rpartition("}")[2]


def _plain(mine: list[Element | str]) -> str | list[str]:
    """Give the texts of elements or attributes of which nothing is said; of what holds elements, none."""
    texts = [one if isinstance(one, str) else "" if len(one) else one.text or "" for one in mine]
    return texts[0] if len(texts) == 1 else texts


def _no_text(element: Element, pointer: str, *, own: bool = True) -> None:
    """Refuse text between the children of an element, and with `own` before the first of them."""
    if (own and (element.text or "").strip()) or any((child.tail or "").strip() for child in element):
        raise Undecodable("element", pointer)


def _is_named(tag: str, spec: dict[str, Any], default: str) -> bool:
    """Whether an element or attribute bears the declared name, and the namespace where one is declared."""
    namespace, _, local = tag.rpartition("}")
    if local != spec.get("name", default):
        return False
    return "namespace" not in spec or namespace == "{" + str(spec["namespace"])

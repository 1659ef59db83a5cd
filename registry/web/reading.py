"""A contract as people read it: operations with parameters, bodies and answers; messages; schemas."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from kernel.contract.document import kind_of
from kernel.contract.references import resolve_pointer
from kernel.errors import InterlockError
from registry.web.schema_rows import Row, schema_rows, type_words

MOST_WHOLE = 40  # operations and schemas that stand on one page; beyond, each has a page of its own
_METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace", "query")


@dataclass(frozen=True, slots=True)
class Body:
    """A body of one media type."""

    media_type: str
    rows: tuple[Row, ...]

    @property
    def plain(self) -> bool:
        """Whether one line says it all: a reference, or a value without parts."""
        return len(self.rows) == 1


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of an operation."""

    name: str
    where: str
    required: bool
    type: str
    link: str
    notes: tuple[str, ...]
    description: str


@dataclass(frozen=True, slots=True)
class AnswerForm:
    """One answer of an operation; statuses that answer alike stand together."""

    status: str
    description: str
    bodies: tuple[Body, ...]


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of OpenAPI, or one of AsyncAPI (`method` is then send or receive, `path` the address)."""

    at: str  # its key on these pages
    method: str
    path: str
    summary: str
    description: str = ""
    id: str = ""
    deprecated: bool = False
    security: tuple[str, ...] = ()
    parameters: tuple[Parameter, ...] = ()
    request: tuple[Body, ...] = ()
    request_required: bool = False
    answers: tuple[AnswerForm, ...] = ()
    messages: tuple[Body, ...] = ()


@dataclass(frozen=True, slots=True)
class NamedSchema:
    """One schema of the document."""

    name: str
    at: str
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Reading:
    """A document, read; `whole` says whether everything is shown on this page."""

    title: str
    description: str
    operations: tuple[Operation, ...] = ()
    schemas: tuple[NamedSchema, ...] = ()
    index: tuple[tuple[str, str, str, str], ...] = ()  # at, method, path, summary
    schema_index: tuple[tuple[str, str], ...] = ()  # at, name
    whole: bool = True
    found: bool = True


def read_contract(root: Any, *, only: str = "") -> Reading:
    """Read a parsed document; `only` picks one operation or schema of a large one by its `at`."""
    info = _map(_map(root).get("info"))
    kind = kind_of(root)
    title, description = _text(info.get("title")), _text(info.get("description"))
    if kind == "schema":
        rows = NamedSchema("", "schema", schema_rows(root))
        inner = [(f"schema/{name}", name, schema) for name, schema in _definitions(root)]
        whole = (
            rows,
            *(NamedSchema(name, at, schema_rows(schema)) for at, name, schema in inner[:MOST_WHOLE]),
        )
        return Reading(_text(_map(root).get("title")), _text(_map(root).get("description")), (), whole)
    operations = list(_openapi(root) if kind == "openapi" else _asyncapi(root))
    schemas = [(f"schema/{name}", name, schema) for name, schema in _components(root)]
    index = tuple((spot.at, spot.method, spot.path, _summary(spot.item)) for spot in operations)
    schema_index = tuple((at, name) for at, name, _ in schemas)
    small = len(operations) <= MOST_WHOLE and len(schemas) <= 2 * MOST_WHOLE
    picked = [spot for spot in operations if small or spot.at == only]
    picked_schemas = [row for row in schemas if small or row[0] == only]
    read = _operation if kind == "openapi" else _async_operation
    return Reading(
        title,
        description,
        tuple(read(root, spot) for spot in picked),
        tuple(NamedSchema(name, at, schema_rows(schema)) for at, name, schema in picked_schemas),
        index,
        schema_index,
        whole=small,
        found=not only or bool(picked or picked_schemas),
    )


@dataclass(frozen=True, slots=True)
class _Spot:
    """Where an operation stands; `around` is its path item or channel."""

    at: str
    method: str
    path: str
    item: Mapping[str, Any]
    around: Mapping[str, Any]


def _openapi(root: Any) -> Iterator[_Spot]:
    for path, item in _map(_map(root).get("paths")).items():
        for method in _METHODS:
            operation = _map(item).get(method)
            if isinstance(operation, Mapping):
                yield _Spot(f"{method} {path}", method.upper(), str(path), operation, _map(item))


def _operation(root: Any, spot: _Spot) -> Operation:
    item, around = spot.item, spot.around
    parameters: dict[tuple[str, str], Parameter] = {}
    for entry in [*_list(around.get("parameters")), *_list(item.get("parameters"))]:
        parameter = _parameter(_map(_follow(root, entry)))
        parameters[parameter.name, parameter.where] = parameter
    body = _map(_follow(root, item.get("requestBody")))
    answers: dict[tuple[str, tuple[Body, ...]], list[str]] = {}
    for status, entry in _map(item.get("responses")).items():
        answer = _map(_follow(root, entry))
        said = _text(answer.get("description")), _bodies(answer.get("content"))
        answers.setdefault(said, []).append(str(status))
    security = item.get("security", _map(root).get("security"))
    return Operation(
        spot.at, spot.method, spot.path, _summary(item), _text(item.get("description")),
        _text(item.get("operationId")), item.get("deprecated") is True, tuple(_security(security)),
        tuple(parameters.values()), _bodies(body.get("content")), body.get("required") is True,
        tuple(AnswerForm(", ".join(statuses), *said) for said, statuses in answers.items()),
    )  # fmt: skip


def _parameter(entry: Mapping[str, Any]) -> Parameter:
    contents = (_map(media).get("schema") for media in _map(entry.get("content")).values())
    (row, *_) = schema_rows(entry.get("schema", next(contents, True)))
    where = str(entry.get("in", "?"))
    required = entry.get("required") is True or where == "path"
    description = _text(entry.get("description")) or row.description
    return Parameter(str(entry.get("name", "?")), where, required, row.type, row.link, row.notes, description)


def _bodies(content: Any) -> tuple[Body, ...]:
    return tuple(
        Body(str(media), schema_rows(_map(entry).get("schema", True)))
        for media, entry in _map(content).items()
    )


def _security(requirements: Any) -> Iterator[str]:
    for requirement in _list(requirements):
        names = [
            f"{name} ({', '.join(map(str, scopes))})" if scopes else str(name)
            for name, scopes in _map(requirement).items()
        ]
        yield " and ".join(names) or "none"


def _asyncapi(root: Any) -> Iterator[_Spot]:
    document = _map(root)
    for name, item in _map(document.get("operations")).items():
        channel = _map(_follow(root, _map(item).get("channel")))
        address = str(channel.get("address") or "(address at run time)")
        named = {"operationId": name, **_map(item)}
        yield _Spot(f"operation/{name}", str(_map(item).get("action", "?")), address, named, channel)
    if "operations" in document:
        return
    for address, channel in _map(document.get("channels")).items():  # AsyncAPI 2
        for action in ("publish", "subscribe"):
            item = _map(channel).get(action)
            if isinstance(item, Mapping):
                yield _Spot(f"{action} {address}", action, str(address), item, _map(channel))


def _async_operation(root: Any, spot: _Spot) -> Operation:
    item = spot.item
    return Operation(
        spot.at,
        spot.method,
        spot.path,
        _summary(item),
        _text(item.get("description")),
        _text(item.get("operationId")),
        messages=tuple(_message(_map(message)) for message in _messages(root, spot)),
    )


def _messages(root: Any, spot: _Spot) -> list[Any]:
    if "message" in spot.item:  # AsyncAPI 2: one, or one of several
        message = _map(_follow(root, spot.item["message"]))
        return [_follow(root, entry) for entry in _list(message.get("oneOf"))] or [message]
    listed = spot.item.get("messages")
    entries = listed if isinstance(listed, list) else list(_map(spot.around.get("messages")).values())
    return [_follow(root, _follow(root, entry)) for entry in entries]


def _message(message: Mapping[str, Any]) -> Body:
    payload = message.get("payload", True)
    if isinstance(payload, Mapping) and "schema" in payload and "schemaFormat" in payload:
        payload = payload["schema"]
    return Body(
        _text(message.get("name")) or _text(message.get("title")) or type_words(payload), schema_rows(payload)
    )


def _components(root: Any) -> Iterator[tuple[str, Any]]:
    for name, schema in _map(_map(_map(root).get("components")).get("schemas")).items():
        yield str(name), schema


def _definitions(root: Any) -> Iterator[tuple[str, Any]]:
    for keyword in ("$defs", "definitions"):
        for name, schema in _map(_map(root).get(keyword)).items():
            yield str(name), schema


def _follow(root: Any, entry: Any) -> Any:
    """Give what a local reference points at; anything else is given as it is."""
    reference = _map(entry).get("$ref")
    if not isinstance(reference, str) or not reference.startswith("#"):
        return entry
    try:
        return resolve_pointer(root, reference[1:])
    except InterlockError:
        return {}


def _summary(item: Mapping[str, Any]) -> str:
    return _text(item.get("summary")) or _text(item.get("title"))


def _map(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: Any) -> str:
    return value.strip() if isinstance(value, str) else ""

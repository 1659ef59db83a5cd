"""Why a document cannot be read or digested: one class and one stable code for each cause.

    DocumentError
    ├── DocumentSyntax      the text is not JSON, or not YAML
    ├── DocumentEncoding    the bytes are not UTF-8, or hold characters that no document may hold
    ├── DocumentEmpty       there is nothing to read
    ├── DuplicateKey        one object names a key twice
    ├── LimitPassed         too large, too deep, too many nodes or references, too long a key or scalar
    ├── NumberRefused       NaN, Infinity, or a number with too many digits
    ├── YamlRefused         anchors, aliases, tags, merge keys, several documents, keys that are no scalars
    ├── KindUnknown         neither OpenAPI, AsyncAPI nor JSON Schema
    └── NotJson             a Python value that JSON cannot carry

All of them leave the command line with exit code 2: the input is at fault, not the verdict.
"""

from __future__ import annotations

from kernel.errors import DocumentError


class DocumentSyntax(DocumentError):
    """The text does not follow the grammar of JSON (RFC 8259) or YAML (1.2)."""

    code = "document-syntax"


class DocumentEncoding(DocumentError):
    """Bytes that are not UTF-8, a lone surrogate, or a character that documents may not hold."""

    code = "document-encoding"


class DocumentEmpty(DocumentError):
    """No value at all."""

    code = "document-empty"


class DuplicateKey(DocumentError):
    """One object names a key twice; which of the two counts would be up to each reader."""

    code = "document-duplicate-key"


class LimitPassed(DocumentError):
    """A limit on bytes, depth, nodes, references or lengths is passed."""

    code = "document-limit"


class NumberRefused(DocumentError):
    """NaN, an infinity, or a number with more digits than any reader agrees on."""

    code = "document-number"


class YamlRefused(DocumentError):
    """A feature of YAML that readers resolve in different ways."""

    code = "document-yaml"


class KindUnknown(DocumentError):
    """The root says of no kind of contract that it is one."""

    code = "document-kind"


class NotJson(DocumentError):
    """A value that has no JSON form."""

    code = "value-not-json"

"""Turn an OpenAPI 3.0, 3.1 or 3.2 document into operations that freeze checks, CI and the proxy share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from kernel.operation.limits import DEFAULT, OperationLimits

if TYPE_CHECKING:
    from kernel.contract.finding import Finding
    from kernel.operation.operation import Operation

UnknownQuery = Literal["strict", "report", "allow"]


@dataclass(frozen=True, slots=True)
class SecurityScheme:
    """One entry of `components.securitySchemes`: `place` and `parameter` where `type` is apiKey."""

    name: str
    type: str  # apiKey, http, mutualTLS, oauth2, openIdConnect
    place: Literal["header", "query", "cookie"] | None = None
    parameter: str = ""
    scheme: str = ""  # basic, bearer …, lower case, where `type` is http


@dataclass(frozen=True, slots=True)
class CompiledContract:
    """A contract's operations in the order of the document."""

    name: str
    openapi_version: str
    operations: tuple[Operation, ...]
    security_schemes: Mapping[str, SecurityScheme]

    def prepare(self) -> tuple[Finding, ...]:
        """Compile every operation (freeze does); raises as `Operation.prepare` does, at the first defect."""
        return tuple(finding for operation in self.operations for finding in operation.prepare())


def compile_contract(
    root: Any,
    *,
    name: str = "",
    limits: OperationLimits = DEFAULT,
    unknown_query: UnknownQuery = "allow",
) -> CompiledContract:
    """Compile a self-contained document (URNs embedded, files inlined).

    Raises `ContractInvalid` with a pointer for what is not a usable OpenAPI document: a method that the
    HTTP parser cannot carry, a path parameter without declaration, two templates that match the same.
    """
    raise NotImplementedError

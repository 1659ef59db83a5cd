"""One operation out of a few lines, for tests of this folder."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from kernel.operation.compile import compile_contract
from kernel.operation.operation import Operation

Make = Callable[..., Operation]


@pytest.fixture
def make() -> Make:
    """Give a maker of operations: `make(spec, method=…, path=…, version=…, components=…, **options)`."""

    def build(
        spec: dict[str, Any],
        *,
        method: str = "post",
        path: str = "/things",
        version: str = "3.1.0",
        components: dict[str, Any] | None = None,
        **options: Any,
    ) -> Operation:
        spec = {"responses": {"default": {"description": "none", "content": {}}}, **spec}
        root = {
            "openapi": version,
            "info": {"title": "Test", "version": "1.0.0"},
            "paths": {path: {method: spec}},
            "components": components or {},
        }
        contract = compile_contract(root, name="test", **options)
        (operation,) = contract.operations
        return operation

    return build

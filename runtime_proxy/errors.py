"""Errors of the data plane's own set-up; what a caller gets told is a refusal (refusals.py), not an error.

RuntimeProxyError
├── ActivationFailed   a verified bundle that cannot be served; the one before keeps serving
├── KeysUnavailable    idempotency keys cannot be read or written
└── StartFailed        the proxy cannot begin: an address, a file, a setting
"""

from __future__ import annotations

from kernel.errors import InterlockError


class RuntimeProxyError(InterlockError):
    """Any failure of the data plane's own set-up."""

    code = "proxy-error"


class ActivationFailed(RuntimeProxyError):
    """A bundle that is signed and whole, and still cannot be served."""

    code = "activation-failed"


class KeysUnavailable(RuntimeProxyError):
    """The store of idempotency keys cannot be read or written."""

    code = "idempotency-keys-unavailable"


class StartFailed(RuntimeProxyError):
    """The proxy cannot begin to serve."""

    code = "proxy-start-failed"

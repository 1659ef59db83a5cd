"""The WebSocket and SSE channels of an AsyncAPI 2.x or 3.x contract, as operations that a router can serve.

A channel that a server of protocol `ws`, `wss`, `http` or `https` offers (or whose bindings name `ws`, where no
server is named) is a GET of its address. What its binding says of query and headers, its parameters and its
security are compiled as those of any operation: the document is rewritten as an OpenAPI one, in which its own
schemas stay where they are. What its messages are is judged by a `Channel`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from kernel.contract.positions import token
from kernel.operation.channel_reading import ChannelReader
from kernel.operation.channels import Channel
from kernel.operation.compile import CompiledContract, compile_contract
from kernel.operation.faults import noted
from kernel.operation.limits import DEFAULT, OperationLimits
from kernel.operation.members import mapping, refused

if TYPE_CHECKING:
    from kernel.operation.faults import Note

_DRAFT_07: Final = "http://json-schema.org/draft-07/schema#"


@dataclass(frozen=True, slots=True)
class CompiledChannels:
    """The contract as the router sees it; `root` is the rewritten document, `channels` are by operation id."""

    root: dict[str, Any]
    contract: CompiledContract
    channels: dict[str, Channel]


def compile_channels(
    root: Any, *, name: str = "", limits: OperationLimits = DEFAULT, note: Note | None = None
) -> CompiledChannels:
    """Compile the channels that HTTP can carry; there may be none. Raises `ContractInvalid` with a pointer.

    With `note`, defects of single channels are handed to it, and these channels left out.
    """
    version = str(root.get("asyncapi", "")) if isinstance(root, dict) else ""
    if not version.startswith(("2.", "3.")):
        raise refused("this is no AsyncAPI 2 or 3 document", "/asyncapi")
    reader = ChannelReader(root, limits=limits)
    paths: dict[str, Any] = {}
    channels: dict[str, Channel] = {}
    for channel, address, spec in reader.channels(note):
        with noted(note):
            if address in paths:
                raise refused("two channels have the same address", f"/channels{token(channel.id)}")
            paths[address] = {"get": spec}
            channels[channel.id] = channel
    made = {key: value for key, value in root.items() if key not in {"asyncapi", "servers"}}
    components = dict(mapping(root.get("components"), "/components"))
    components["securitySchemes"] = reader.schemes
    made |= {"openapi": "3.2.0", "paths": paths, "components": components}
    for part in ("channels", "components"):  # their schemas are AsyncAPI's own, unless they say otherwise
        made[part] = {"$schema": _DRAFT_07, **mapping(made.get(part), f"/{part}")}
    return CompiledChannels(made, compile_contract(made, name=name, limits=limits, note=note), channels)

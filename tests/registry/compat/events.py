"""Interfaces of events in one plain form, written as AsyncAPI 2.6, 3.0 or 3.1, for tests of the differ.

An interface maps addresses to `{"parameters": {name: values}, "receive": [Said …], "send": [Said …]}`.
"""

import copy
import re
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Said:
    """One message: its name, what it carries, its headers and content type."""

    name: str
    payload: Any
    headers: Any = None
    content_type: str | None = None
    more: dict[str, Any] = field(default_factory=dict)

    def written(self):
        made = {"name": self.name, "payload": self.payload, **self.more}
        if self.headers is not None:
            made["headers"] = self.headers
        if self.content_type is not None:
            made["contentType"] = self.content_type
        return copy.deepcopy(made)


def plain(text):
    return re.sub(r"\W+", "-", text).strip("-") or "root"


def write_3(interface, version="3.0.0", *, prefix=""):
    """Write 3.x; `prefix` gives every key another name."""
    root = _head(version)
    root["servers"] = {f"{prefix}broker": {"host": "broker.example:1883", "pathname": "/lab", "protocol": "mqtt",
                                           "security": [{"$ref": "#/components/securitySchemes/token"}]}}  # fmt: skip
    root["channels"], root["operations"] = {}, {}
    root["components"] = {
        "messages": {},
        "securitySchemes": {"token": {**_token("availableScopes"), "scopes": ["read"]}},
    }
    for address, one in interface.items():
        key = prefix + plain(address)
        channel = root["channels"][key] = {"address": address, "messages": {}}
        if one.get("parameters"):
            channel["parameters"] = {
                name: {} if values is None else {"enum": values} for name, values in one["parameters"].items()
            }
        for action in ("receive", "send"):
            if action in one:
                listed = []
                for said in one[action]:
                    name = prefix + said.name
                    root["components"]["messages"][name] = said.written()
                    channel["messages"][name] = {"$ref": f"#/components/messages/{name}"}
                    listed.append({"$ref": f"#/channels/{key}/messages/{name}"})
                root["operations"][f"{key}-{action}"] = {
                    "action": action, "channel": {"$ref": f"#/channels/{key}"}, "messages": listed,
                }  # fmt: skip
    return root


def write_2(interface, version="2.6.0", *, prefix=""):
    """Write 2.x: what the application receives, others publish."""
    root = _head(version)
    root["servers"] = {f"{prefix}broker": {"url": "mqtt://broker.example:1883/lab", "protocol": "mqtt",
                                           "security": [{"token": ["read"]}]}}  # fmt: skip
    root["channels"] = {}
    root["components"] = {"messages": {}, "securitySchemes": {"token": _token("scopes")}}
    for address, one in interface.items():
        channel = root["channels"][address] = {}
        if one.get("parameters"):
            channel["parameters"] = {
                name: {"schema": {"type": "string", **({} if values is None else {"enum": values})}}
                for name, values in one["parameters"].items()
            }
        for action, word in (("receive", "publish"), ("send", "subscribe")):
            if action in one:
                for said in one[action]:
                    root["components"]["messages"][prefix + said.name] = said.written()
                refs = [{"$ref": f"#/components/messages/{prefix}{said.name}"} for said in one[action]]
                message = refs[0] if len(refs) == 1 else {"oneOf": refs}
                channel[word] = {"operationId": f"{prefix}{plain(address)}-{action}", "message": message}
    return root


def _head(version):
    return {
        "asyncapi": version,
        "info": {"title": "Ward events", "version": "1.0.0"},
        "defaultContentType": "application/json",
    }


def _token(scopes):
    flow = {"tokenUrl": "https://id.example/token", scopes: {"read": "Read events"}}
    return {"type": "oauth2", "flows": {"clientCredentials": flow}}


WRITERS = {
    "2.6": write_2,
    "3.0": write_3,
    "3.1": lambda interface, **kept: write_3(interface, "3.1.0", **kept),
}

"""A small API with something of everything, for tests that change it in one place or another."""

import copy

_JSON = "application/json"


def ref(kind, name):
    return {"$ref": f"#/components/{kind}/{name}"}


WARD = {
    "openapi": "3.0.3",
    "info": {"title": "Ward", "version": "1.0.0"},
    "servers": [{"url": "https://ward.example/v1"}],
    "security": [{"key": []}],
    "paths": {
        "/beds": {
            "parameters": [ref("parameters", "Ward")],
            "get": {
                "operationId": "beds",
                "parameters": [{"name": "free", "in": "query", "schema": {"type": "boolean"}}],
                "responses": {
                    "200": {"description": "Found", "content": {_JSON: {"schema": ref("schemas", "Beds")}}},
                    "default": ref("responses", "Problem"),
                },
            },
            "post": {
                "operationId": "book",
                "security": [{"token": ["write"]}],
                "requestBody": ref("requestBodies", "Booking"),
                "responses": {
                    "201": {
                        "description": "Booked",
                        "headers": {"Location": ref("headers", "Location")},
                        "content": {_JSON: {"schema": ref("schemas", "Bed")}},
                    }
                },
                "callbacks": {"freed": ref("callbacks", "Freed")},
            },
        },
        "/beds/{id}": {
            "parameters": [
                {"name": "id", "in": "path", "required": True, "schema": {"type": "string", "maxLength": 8}}
            ],
            "get": {
                "operationId": "bed",
                "responses": {
                    "200": {"description": "One", "content": {_JSON: {"schema": ref("schemas", "Bed")}}}
                },
            },
            "delete": {"operationId": "close", "responses": {"204": {"description": "Closed"}}},
        },
        "/rounds": {
            "get": {
                "operationId": "rounds",
                "responses": {
                    "200": {"description": "All", "content": {_JSON: {"schema": ref("schemas", "Visit")}}}
                },
            }
        },
        "/ping": {
            "get": {"operationId": "ping", "security": [], "responses": {"200": {"description": "Up"}}}
        },
    },
    "components": {
        "parameters": {
            "Ward": {"name": "ward", "in": "query", "schema": {"type": "string", "enum": ["east", "west"]}}
        },
        "requestBodies": {
            "Booking": {"required": True, "content": {_JSON: {"schema": ref("schemas", "Booking")}}}
        },
        "responses": {
            "Problem": {
                "description": "No",
                "content": {"application/problem+json": {"schema": ref("schemas", "Problem")}},
            }
        },
        "headers": {"Location": {"required": True, "schema": {"type": "string", "maxLength": 200}}},
        "callbacks": {
            "Freed": {
                "{$request.body#/notify}": {
                    "post": {
                        "requestBody": {"content": {_JSON: {"schema": ref("schemas", "Bed")}}},
                        "responses": {"204": {"description": "Heard"}},
                    }
                }
            }
        },
        "schemas": {
            "Beds": {"type": "array", "items": ref("schemas", "Bed"), "maxItems": 100},
            "Bed": {
                "type": "object",
                "required": ["id", "state"],
                "properties": {
                    "id": {"type": "string", "maxLength": 8},
                    "state": ref("schemas", "State"),
                    "next": ref("schemas", "Bed"),
                },
            },
            "State": {"type": "string", "enum": ["free", "taken"]},
            "Booking": {
                "type": "object",
                "required": ["patient"],
                "properties": {
                    "patient": {"type": "string", "minLength": 1, "maxLength": 20},
                    "nights": {"type": "integer", "minimum": 1, "maximum": 30},
                    "notify": {"type": "string"},
                },
            },
            "Visit": {
                "oneOf": [ref("schemas", "Doctor"), ref("schemas", "Nurse")],
                "discriminator": {
                    "propertyName": "kind",
                    "mapping": {"doctor": "#/components/schemas/Doctor", "nurse": "Nurse"},
                },
            },
            "Doctor": {"type": "object", "required": ["kind"], "properties": {"kind": {"enum": ["doctor"]}}},
            "Nurse": {"type": "object", "required": ["kind"], "properties": {"kind": {"enum": ["nurse"]}}},
            "Problem": {"type": "object", "properties": {"title": {"type": "string"}}},
        },
        "securitySchemes": {
            "key": {"type": "apiKey", "in": "header", "name": "X-Key"},
            "token": {
                "type": "oauth2",
                "flows": {
                    "clientCredentials": {
                        "tokenUrl": "https://id.example/t",
                        "scopes": {"write": "", "read": ""},
                    }
                },
            },
        },
    },
}


def ward():
    """Give a copy of the document."""
    return copy.deepcopy(WARD)


def at(root, pointer):
    """Give the parent and the last step of a JSON pointer."""
    *steps, last = (step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:])
    for step in steps:
        root = root[int(step)] if isinstance(root, list) else root[step]
    return root, (int(last) if isinstance(root, list) else last)


def changed(pointer, value=None, *, remove=False, base=ward):
    """Give a document with another value at a pointer, or without what stands there."""
    root = base()
    parent, last = at(root, pointer)
    if remove:
        del parent[last]
    elif isinstance(parent, list) and last == len(parent):
        parent.append(value)
    else:
        parent[last] = value
    return root

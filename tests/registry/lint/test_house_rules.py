"""House rules beside their one example: where exactly they speak, and what they leave alone."""

from typing import Any

import pytest
import yaml

from kernel.contract.document import kind_of
from registry.lint.document import lint

API = {"openapi": "3.1.0", "info": {"title": "Orders", "version": "1.0.0"}, "paths": {}}
EVENTS = {"asyncapi": "3.0.0", "info": {"title": "Events", "version": "1.0.0"}, "channels": {}}
OK = "'200': {description: Done.}"


def told(rule: str, piece: str, base: dict[str, Any] = API) -> list[str]:
    root = base | yaml.safe_load(piece)
    found = lint(root, kind_of(root))
    assert [one for one in found if one.severity == "error"] == []
    return [one.pointer for one in found if one.rule == rule]


def answers(*rows: str, more: str = "") -> str:
    return f"paths: {{/orders: {{get: {{{more}responses: {{{', '.join((OK, *rows))}}}}}}}}}"


def listing(schema: str, *, path: str = "/orders", parameters: str = "") -> str:
    wanted = f"parameters: [{parameters}], " if parameters else ""
    return (
        f"paths: {{{path}: {{get: {{{wanted}responses: {{'200': {{description: A list.,"
        f" content: {{application/json: {{schema: {schema}}}}}}}}}}}}}}}"
    )


def asking(name: str, path: str = "/orders", place: str = "query", schema: str = "{type: string}") -> str:
    parameter = f"{{name: {name}, in: {place}, required: true, schema: {schema}}}"
    return f"paths: {{{path}: {{get: {{parameters: [{parameter}], responses: {{{OK}}}}}}}}}"


GET = "/paths/~1orders/get"
PROBLEM = "content: {application/problem+json: {schema: {type: object}}}"
LIST = "{type: array, items: {type: integer}}"
LIMIT = "{name: limit, in: query, schema: {type: integer}}"
DATES = """
components:
  schemas:
    A:
      properties:
        birthDate: {type: string}
        createdAt: {type: [string, 'null']}
        update: {type: string}
        startDate: {type: string, pattern: '^[0-9]{4}$'}
        sentAt: {type: integer}
"""
ORDER_ID = "{name: orderId, in: path, required: true, schema: {type: string}}"


@pytest.mark.parametrize(
    ("rule", "piece", "pointers"),
    [
        ("problem-incomplete", answers(f"'400': {{description: A., {PROBLEM}}}", "default: {description: B.}"), [f"{GET}/responses/default"]),
        ("problem-incomplete", answers("'400': {description: A.}", "default: {description: B.}"), []),
        ("problem-missing", answers("'400': {description: A.}"), [f"{GET}/responses"]),
        ("problem-missing", answers("'400': {description: A., content: {application/fhir+json: {schema: {type: object}}}}"), []),
        ("problem-missing", answers("'400': {description: A., content: {application/problem+json;charset=utf-8: {schema: {type: object}}}}"), []),
        ("client-error-missing", answers("'500': {description: A.}", more="security: [], "), []),
        ("client-error-missing", answers("'500': {description: A.}"), [f"{GET}/responses"]),
        ("rate-limit-undeclared", answers("4XX: {description: A.}"), []),
        ("rate-limit-undeclared", answers("'404': {description: A.}"), [f"{GET}/responses"]),
        ("retry-after-undeclared", answers("'503': {description: A., headers: {retry-after: {schema: {type: integer}}}}"), []),
        ("retry-after-undeclared", answers("'503': {description: A.}"), [f"{GET}/responses/503"]),
        ("pagination-missing", listing(LIST), [GET]),
        ("pagination-missing", listing(LIST, parameters=LIMIT), []),
        ("pagination-missing", listing("{type: array, maxItems: 9, items: {type: integer}}"), []),
        ("pagination-missing", listing(f"{{type: object, properties: {{orders: {LIST}, total: {{type: integer}}}}}}"), [GET]),
        ("pagination-missing", listing(f"{{type: object, properties: {{a: {LIST}, b: {LIST}}}}}"), []),
        ("pagination-missing", listing(LIST, path="'/orders/{orderId}'", parameters=ORDER_ID), []),
        ("page-size-unbounded", asking("page_size", schema="{type: integer}"), [f"{GET}/parameters/0"]),
        ("page-size-unbounded", asking("page_size", schema="{type: integer, maximum: 5}"), []),
        ("page-size-unbounded", asking("page", schema="{type: integer}"), []),
        ("identity-in-url", asking("id", "'/patients/{id}'", "path"), ["/paths/~1patients~1{id}/get/parameters/0"]),
        ("identity-in-url", asking("id", "'/orders/{id}'", "path"), []),
        ("identity-in-url", asking("X-Patient-Id", place="header"), []),
        ("identity-in-url", asking("medicalRecordNumber"), [f"{GET}/parameters/0"]),
        ("identity-in-url", asking("social_security_number"), [f"{GET}/parameters/0"]),
        ("security-open", "security: [{}]\npaths: {/a: {post: {responses: {" + OK + "}}, get: {responses: {" + OK + "}}}}", ["/paths/~1a/post"]),
        ("server-plain-http", "servers: [{url: 'http://localhost:8080'}, {url: 'http://lab.org'}, {url: /v1}]", ["/servers/1/url"]),
        ("key-in-url", "components: {securitySchemes: {k: {type: apiKey, in: query, name: key}}}", ["/components/securitySchemes/k/in"]),
        ("tag-undeclared", answers(more="tags: [orders], "), []),
        ("path-naming", "paths: {/labOrders: {}, /labResults: {}, /lab-tests: {}}", ["/paths/~1lab-tests"]),
        ("path-naming", "paths: {/.well-known/smartConfig: {}, /a/b.c: {}, '/a:run': {}, /a-b: {}}", []),
        ("path-naming", "paths: {/Patient: {get: {responses: {'200': {description: A., content: {application/fhir+json: {schema: {type: object}}}}}}}, /a-b: {}}", []),
        ("property-naming", "components: {schemas: {A: {properties: {a_b: true, c_d: true, eF: true}}}}", ["/components/schemas/A/properties/eF"]),
        ("schema-naming", "components: {schemas: {lab_order: {type: object}, LabResult: {type: object}}}", ["/components/schemas/lab_order"]),
        ("operation-id-verb", answers(more="operationId: orders/republish-all, "), []),
        ("operation-id-verb", answers(more="operationId: laboratoryStatistics, "), [f"{GET}/operationId"]),
        ("name-spelled-twice", "components: {schemas: {A: {properties: {fileName: true, _fileName: true, filename: true}}}}", ["/components/schemas/A/properties/filename"]),
        ("date-format-missing", DATES, ["/components/schemas/A/properties/birthDate", "/components/schemas/A/properties/createdAt"]),
        ("format-misspelt", "components: {schemas: {A: {type: string, format: dateTime}, B: {type: string, format: int64}, C: {type: string, format: uuid}}}", ["/components/schemas/A/format"]),
        ("id-form-missing", "components: {schemas: {A: {properties: {id: {type: string}, orderId: {type: string, maxLength: 9}, paid: {type: string}}}}}", ["/components/schemas/A/properties/id"]),
    ],
)  # fmt: skip
def test_where_rules_for_apis_speak(rule: str, piece: str, pointers: list[str]) -> None:
    assert told(rule, piece) == pointers


def message(body: str, more: str = "") -> str:
    return f"components: {{messages: {{M: {{name: M, payload: {body}{more}}}}}}}"


@pytest.mark.parametrize(
    ("rule", "piece", "pointers"),
    [
        ("message-id-missing", message("{type: object, properties: {event_id: {type: string}}}"), []),
        ("message-id-missing", message("{allOf: [{properties: {a: true}}, {properties: {ID: true}}]}"), []),
        ("message-id-missing", message("{type: object, properties: {ward: true}}", ", traits: [{headers: {properties: {messageId: true}}}]"), []),
        ("message-id-missing", message("{type: object, properties: {ward: true}}"), ["/components/messages/M"]),
        ("message-id-missing", message("{type: string}"), []),
        ("content-type-missing", message("{}", ", traits: [{contentType: application/json}]"), []),
        ("content-type-missing", message("{}"), ["/components/messages/M"]),
        ("channel-naming", "channels: {a: {address: lab/ward.results}, b: {address: 'lab.{ward}.results', parameters: {ward: {}}}, c: {address: null}}", ["/channels/a/address"]),
        ("message-naming", "components: {messages: {A: {name: lab.result.published.v1}, B: {name: LabResult}, C: {name: Lab Result}}}", ["/components/messages/C/name"]),
        ("server-security-undeclared", "servers: {a: {host: a, protocol: amqps}, b: {host: b, protocol: amqps, security: [{type: X509}]}}", ["/servers/a"]),
        ("server-unencrypted", "servers: {a: {host: a, protocol: MQTT}, b: {host: b, protocol: secure-mqtt}}", ["/servers/a/protocol"]),
        ("identity-in-url", "channels: {a: {address: 'p.{patientId}', parameters: {patientId: {}}}}", ["/channels/a/parameters/patientId"]),
        ("operation-id-verb", "channels: {a: {address: a}}\noperations: {results: {action: send, channel: {$ref: '#/channels/a'}}}", ["/operations/results"]),
    ],
)  # fmt: skip
def test_where_rules_for_events_speak(rule: str, piece: str, pointers: list[str]) -> None:
    assert told(rule, piece, EVENTS) == pointers


def test_a_counted_rule_says_how_often_and_shows_the_first() -> None:
    root = API | yaml.safe_load(
        "components: {schemas: {a_b: {type: string}, c_d: {type: string}, E: {type: string}}}"
    )
    (found,) = [one for one in lint(root, "openapi") if one.rule == "schema-naming"]
    assert found.what == "named schemas are not PascalCase: 2 of them, the first stands here: `a_b`"

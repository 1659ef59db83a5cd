"""Bindings of open protocols as their pages describe them: AMQP, HTTP, Kafka, MQTT, NATS, WebSocket and more."""

from __future__ import annotations

from registry.lint.binding_forms import (
    ANY,
    FLAG,
    SCHEMA,
    SECONDS,
    TEXT,
    TEXTS,
    WHOLE,
    Table,
    closed,
    many,
    one_of,
    record,
    short,
    when,
    whole,
    without,
)

_METHODS = ("GET", "PUT", "POST", "PATCH", "DELETE", "HEAD", "OPTIONS", "CONNECT", "TRACE")
_QUEUE = record({"name": short(255), "durable": FLAG, "exclusive": FLAG, "autoDelete": FLAG, "vhost": TEXT})
_EXCHANGE = record(
    {
        "name": short(255), "type": one_of("topic", "direct", "fanout", "default", "headers"), "durable": FLAG,
        "autoDelete": FLAG, "vhost": TEXT,
    }
)  # fmt: skip
_AMQP_CHANNEL = {"is": one_of("queue", "routingKey"), "exchange": _EXCHANGE, "queue": _QUEUE}
_AMQP_ROUTED = {"name": TEXT, "channel": record({"$ref": TEXT}, "$ref")}
# "When `is` = …, this object defines …": the other object has no meaning then.
_AMQP_KINDS = {
    "allOf": [
        when("is", "routingKey", without("queue")),
        when("is", "queue", without("exchange", "name", "channel")),
    ]
}
_AMQP_OPERATION = {
    "expiration": whole(0), "userId": TEXT, "cc": TEXTS, "priority": WHOLE, "deliveryMode": one_of(1, 2),
    "mandatory": FLAG, "bcc": TEXTS, "timestamp": FLAG, "ack": FLAG,
}  # fmt: skip
_AMQP_MESSAGE = {"contentEncoding": TEXT, "messageType": TEXT}

_IDS = {"groupId": SCHEMA, "clientId": SCHEMA}
_KAFKA_SERVER = {"schemaRegistryUrl": TEXT, "schemaRegistryVendor": TEXT}
_KAFKA_CHANNEL = {"topic": TEXT, "partitions": whole(1), "replicas": whole(1)}
_KAFKA_TOPIC = {
    "cleanup.policy": many(one_of("compact", "delete")), "retention.ms": whole(-1), "retention.bytes": whole(-1),
    "delete.retention.ms": whole(0), "max.message.bytes": whole(0),
}  # fmt: skip
_CONFLUENT = {
    "confluent.key.schema.validation": FLAG, "confluent.key.subject.name.strategy": TEXT,
    "confluent.value.schema.validation": FLAG, "confluent.value.subject.name.strategy": TEXT,
}  # fmt: skip
_KAFKA_MESSAGE = {
    "key": SCHEMA, "schemaIdLocation": one_of("header", "payload"), "schemaIdPayloadEncoding": TEXT,
    "schemaLookupStrategy": TEXT,
}  # fmt: skip

_QOS = one_of(0, 1, 2)
_MQTT_SERVER = {
    "clientId": TEXT, "cleanSession": FLAG, "keepAlive": WHOLE,
    "lastWill": record({"topic": TEXT, "qos": _QOS, "message": TEXT, "retain": FLAG}),
}  # fmt: skip
_MQTT_LATER = {"sessionExpiryInterval": SECONDS, "maximumPacketSize": SECONDS}
_MQTT_MESSAGE = {
    "payloadFormatIndicator": one_of(0, 1), "correlationData": SCHEMA, "contentType": TEXT,
    "responseTopic": {"type": ["string", "object"]},
}  # fmt: skip

# "This schema MUST be of type `object` and have a `properties` key."
_MEMBERS = {"type": "object", "anyOf": [record({"type": {"const": "object"}, "properties": ANY}, "type", "properties"),
                                        record({}, "$ref")]}  # fmt: skip
_HTTP_OPERATION = {"method": one_of(*_METHODS), "query": _MEMBERS}
_HTTP_FIRST = {
    "allOf": [
        when("type", "request", record({}, "method")),
        when("type", "response", without("method")),
    ]
}

OPEN: Table = {
    "amqp": {
        "channel": (
            ("0.1.0 0.2.0 0.3.0", closed(_AMQP_CHANNEL) | _AMQP_KINDS),
            ("0.4.0", closed(_AMQP_CHANNEL | _AMQP_ROUTED) | _AMQP_KINDS),
        ),
        "operation": (
            ("0.1.0 0.2.0", closed(_AMQP_OPERATION | {"replyTo": TEXT})),
            ("0.3.0 0.4.0", closed(_AMQP_OPERATION)),
        ),
        "message": (("0.1.0 0.2.0 0.3.0 0.4.0", closed(_AMQP_MESSAGE)),),
    },
    "amqp1": {},
    "http": {
        "operation": (
            ("0.1.0", closed({**_HTTP_OPERATION, "type": one_of("request", "response")}, "type") | _HTTP_FIRST),
            ("0.2.0 0.3.0", closed(_HTTP_OPERATION)),
        ),
        "message": (
            ("0.1.0 0.2.0", closed({"headers": _MEMBERS})),
            ("0.3.0", closed({"headers": _MEMBERS, "statusCode": {"type": "number"}})),
        ),
    },
    "kafka": {
        "server": (("0.1.0 0.2.0 0.3.0 0.4.0 0.5.0", closed(_KAFKA_SERVER)),),
        "channel": (
            ("0.1.0 0.2.0 0.3.0", closed(_KAFKA_CHANNEL)),
            ("0.4.0", closed(_KAFKA_CHANNEL | {"topicConfiguration": closed(_KAFKA_TOPIC)})),
            ("0.5.0", closed(_KAFKA_CHANNEL | {"topicConfiguration": record(_KAFKA_TOPIC | _CONFLUENT)})),
        ),
        "operation": (("0.1.0 0.2.0 0.3.0 0.4.0 0.5.0", closed(_IDS)),),
        "message": (("0.1.0 0.2.0 0.3.0 0.4.0 0.5.0", closed(_KAFKA_MESSAGE)),),
    },
    "mercure": {},
    "mqtt": {
        "server": (("0.1.0", closed(_MQTT_SERVER)), ("0.2.0", closed(_MQTT_SERVER | _MQTT_LATER))),
        "operation": (
            ("0.1.0", closed({"qos": _QOS, "retain": FLAG})),
            ("0.2.0", closed({"qos": _QOS, "retain": FLAG, "messageExpiryInterval": SECONDS})),
        ),
        "message": (("0.1.0", closed({})), ("0.2.0", closed(_MQTT_MESSAGE))),
    },
    "mqtt5": {"server": (("0.2.0", closed({"sessionExpiryInterval": SECONDS})),)},
    "nats": {"operation": (("0.1.0", closed({"queue": short(255)})),)},
    "redis": {},
    "stomp": {},
    "ws": {"channel": (("0.1.0", closed({"method": one_of("GET", "POST"), "query": _MEMBERS, "headers": _MEMBERS})),)},
}  # fmt: skip

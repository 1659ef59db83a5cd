"""Bindings of products as their pages describe them: IBM MQ, Pub/Sub, Pulsar, ROS 2, SNS, SQS, Solace and more."""

from __future__ import annotations

from registry.lint.binding_forms import (
    ANY,
    FLAG,
    SCHEMA,
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

_NAMED = record({"arn": TEXT, "name": TEXT})
_REDRIVE = record({"deadLetterQueue": _NAMED, "maxReceiveCount": WHOLE}, "deadLetterQueue")
_POLICY = record(
    {"statements": many(record({"effect": one_of("Allow", "Deny")}, "effect", "principal", "action"))},
    "statements",
)
_SQS_QUEUE = {
    "name": TEXT, "fifoQueue": FLAG, "deduplicationScope": one_of("queue", "messageGroup"),
    "fifoThroughputLimit": one_of("perQueue", "perMessageGroupId"), "deliveryDelay": whole(0, 900),
    "visibilityTimeout": whole(0, 43_200), "receiveMessageWaitTime": WHOLE,
    "messageRetentionPeriod": whole(60, 1_209_600), "redrivePolicy": _REDRIVE, "policy": _POLICY, "tags": ANY,
}  # fmt: skip
_CONSUMER = record(
    {
        "protocol": one_of("http", "https", "email", "email-json", "sms", "sqs", "application", "lambda", "firehose"),
        "endpoint": ANY, "filterPolicy": ANY, "rawMessageDelivery": FLAG, "redrivePolicy": _REDRIVE,
        "filterPolicyScope": one_of("MessageAttributes", "MessageBody"), "deliveryPolicy": ANY, "displayName": TEXT,
    },
    "protocol", "endpoint", "rawMessageDelivery",
)  # fmt: skip
_SNS_CHANNEL = closed(
    {
        "name": TEXT, "policy": _POLICY, "tags": ANY,
        "ordering": record({"type": one_of("standard", "FIFO"), "contentBasedDeduplication": FLAG}, "type"),
    },
    "name",
)  # fmt: skip
_SNS_OPERATION = closed({"topic": ANY, "consumers": many(_CONSUMER, 1), "deliveryPolicy": ANY}, "consumers")

_SOLACE_TOPIC = {"topicSubscriptions": TEXTS}
_SOLACE_QUEUE = {
    "name": TEXT, "topicSubscriptions": TEXTS, "accessType": one_of("exclusive", "nonexclusive"),
    "maxTtl": TEXT, "maxMsgSpoolUsage": TEXT,
}  # fmt: skip
_SOLACE_DESTINATIONS = many(
    record(
        {
            "destinationType": one_of("queue", "topic"), "deliveryMode": one_of("direct", "persistent"),
            "queue": record(_SOLACE_QUEUE), "topic": record(_SOLACE_TOPIC),
        }
    )
)  # fmt: skip
_IBMMQ_CHANNEL = closed(
    {
        "destinationType": one_of("topic", "queue"), "maxMsgLength": whole(0, 104_857_600),
        "queue": record({"objectName": short(48), "isPartitioned": FLAG, "exclusive": FLAG}, "objectName"),
        "topic": record({"string": short(10_240), "objectName": short(48), "durablePermitted": FLAG,
                        "lastMsgRetained": FLAG}),
    }
) | {
    "allOf": [
        when("destinationType", "topic", without("queue"), default=True),
        when("destinationType", "queue", record({}, "queue") | {"properties": {"topic": False}}),
    ]
}  # fmt: skip
_PUBSUB_STORED = {
    "labels": ANY, "messageRetentionDuration": TEXT,
    "messageStoragePolicy": closed({"allowedPersistenceRegions": TEXTS}),
    "schemaSettings": record({"encoding": TEXT, "firstRevisionId": TEXT, "lastRevisionId": TEXT, "name": TEXT},
                            "encoding", "name"),
}  # fmt: skip
_PUBSUB_MESSAGE = {"attributes": ANY, "orderingKey": TEXT}
_ROLES = ("publisher", "action_client", "service_client", "subscriber", "action_server", "service_server")
_ROS_POLICIES = record(
    {
        "reliability": one_of("best_effort", "reliable", "realiable"),  # the latter as the schema of 0.1.0 spells it
        "history": one_of("keep_last", "keep_all", "unknown"), "durability": one_of("transient_local", "volatile"),
        "liveliness": one_of("automatic", "manual"), "lifespan": WHOLE, "deadline": WHOLE, "leaseDuration": WHOLE,
    }
)  # fmt: skip

VENDOR: Table = {
    "anypointmq": {
        "channel": (
            ("0.0.1 0.1.0", closed({"destination": TEXT, "destinationType": one_of("exchange", "queue", "fifo-queue")})),
        ),
        "message": (("0.0.1 0.1.0", closed({"headers": SCHEMA})),),
    },
    "googlepubsub": {
        "channel": (
            ("0.1.0", closed(_PUBSUB_STORED | {"topic": TEXT}, "schemaSettings", "topic")),
            ("0.2.0", closed(_PUBSUB_STORED, "schemaSettings")),
        ),
        "message": (
            ("0.1.0", closed(_PUBSUB_MESSAGE | {"schema": record({"name": TEXT, "type": TEXT}, "name", "type")})),
            ("0.2.0", closed(_PUBSUB_MESSAGE | {"schema": record({"name": TEXT}, "name")})),
        ),
    },
    "ibmmq": {
        "server": (
            ("0.1.0 0.2.0", closed({"groupId": TEXT, "ccdtQueueManagerName": TEXT, "cipherSpec": TEXT,
                                     "multiEndpointServer": FLAG, "heartBeatInterval": whole(0, 999_999)})),
        ),
        "channel": (("0.1.0 0.2.0", _IBMMQ_CHANNEL),),
        "operation": (("0.1.0 0.2.0", closed({})),),
        "message": (
            ("0.1.0 0.2.0", closed({"type": one_of("string", "jms", "binary"), "headers": TEXT, "description": TEXT,
                                     "expiry": whole(0)})
             | {"allOf": [when("type", "string", without("headers"), default=True),
                          when("type", "jms", without("headers"))]}),
        ),
    },
    "jms": {
        "server": (
            ("0.0.1", closed({"jmsConnectionFactory": TEXT, "clientID": TEXT,
                               "properties": many(record({"name": TEXT}, "name", "value"))}, "jmsConnectionFactory")),
        ),
        "channel": (("0.0.1", closed({"destination": TEXT, "destinationType": one_of("queue", "fifo-queue")})),),
        "message": (("0.0.1", closed({"headers": SCHEMA})),),
    },
    "pulsar": {
        "server": (("0.1.0", closed({"tenant": TEXT})),),
        "channel": (
            ("0.1.0", closed({"namespace": TEXT, "persistence": one_of("persistent", "non-persistent"),
                               "compaction": whole(0), "geo-replication": TEXTS, "ttl": WHOLE, "deduplication": FLAG,
                               "retention": closed({"time": whole(0), "size": whole(0)})},
                              "namespace", "persistence")),
        ),
    },
    "ros2": {
        "server": (("0.1.0", record({"rmwImplementation": TEXT, "domainId": whole(0, 231)})),),
        "operation": (
            ("0.1.0", closed({"role": one_of(*_ROLES), "node": TEXT, "qosPolicies": _ROS_POLICIES}, "role", "node")),
        ),
    },
    "sns": {
        "channel": (("0.1.0 0.2.0 1.0.0", _SNS_CHANNEL),),
        "operation": (("0.1.0 0.2.0 1.0.0", _SNS_OPERATION),),
    },
    "solace": {
        "server": (
            ("0.2.0", closed({"msvVpn": TEXT})),
            ("0.3.0", closed({"msgVpn": TEXT})),
            ("0.4.0", closed({"msgVpn": TEXT, "clientName": {"type": "string", "minLength": 1, "maxLength": 160}})),
        ),
        "operation": (
            ("0.1.0 0.2.0 0.3.0", closed({"destinations": _SOLACE_DESTINATIONS})),
            ("0.4.0", closed({"destinations": _SOLACE_DESTINATIONS, "timeToLive": WHOLE, "priority": whole(0, 255),
                               "dmqEligible": FLAG})),
        ),
    },
    "sqs": {
        "channel": (
            ("0.1.0 0.2.0 0.3.0", closed({"queue": record(_SQS_QUEUE, "name", "fifoQueue"),
                                           "deadLetterQueue": record(_SQS_QUEUE, "name", "fifoQueue")}, "queue")),
        ),
        "operation": (("0.1.0 0.2.0 0.3.0", closed({"queues": many(record(_SQS_QUEUE))}, "queues")),),
    },
}  # fmt: skip

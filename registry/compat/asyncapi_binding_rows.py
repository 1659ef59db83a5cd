"""The keys of the bindings, one row for each: what kind of thing it says, and what holds where it is absent.

| kind | what it is | a change |
|---|---|---|
| place | where messages are found | breaks; added or removed: undecided |
| form | how they are written, how they are asked for | breaks; added or removed: undecided |
| declared | arguments with which each party declares a queue or exchange | breaks; added or removed: undecided |
| promise | more is better | lowered or removed: breaks |
| quality | MQTT's qos | as a promise; 0 to 1 of what we send is risky, for it may come twice |
| retained | MQTT's retained message | no longer: breaks; newly: risky |
| limit | the largest message | lowered: breaks who sends; raised: risky to who reads |
| behaviour | what readers notice | risky |
| own | a concern of the application or the operators alone | safe |
| chosen | a schema of what the other party chooses when it calls | by meaning |
| carried | a schema of what travels with the message | by meaning and direction |
| open | a reference to another channel, which this one does not compare | undecided |
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal

Kind = Literal[
    "place",
    "form",
    "declared",
    "promise",
    "quality",
    "retained",
    "limit",
    "behaviour",
    "own",
    "chosen",
    "carried",
]
Row = tuple[Kind, Any]  # the kind, and what holds where the key is absent (None: nothing is known)


def _rows(text: str, **defaults: Any) -> dict[str, Row]:
    """Read `kind: key key …; kind: …`; the keys of nested objects are joined by slashes."""
    found: dict[str, Row] = {}
    for group in text.split(";"):
        kind, _, keys = group.strip().partition(": ")
        for key in keys.split():
            found[key] = (kind, defaults.get(key.replace("/", "_").replace(".", "_")))  # type: ignore[assignment]
    return found


_SQS_QUEUE: Final = (
    "place: {0}/name; declared: {0}/fifoQueue {0}/deduplicationScope {0}/fifoThroughputLimit; "
    "behaviour: {0}/deliveryDelay {0}/visibilityTimeout {0}/redrivePolicy {0}/policy; "
    "promise: {0}/messageRetentionPeriod; own: {0}/receiveMessageWaitTime {0}/tags"
)

ROWS: Final[Mapping[tuple[str, str], Mapping[str, Row]]] = {
    ("amqp", "channel"): _rows(
        "place: is name exchange/name exchange/type exchange/vhost queue/name queue/vhost; "
        "declared: exchange/durable exchange/autoDelete queue/durable queue/exclusive queue/autoDelete; open: channel",
        **{"is": "routingKey"},
        exchange_vhost="/",
        queue_vhost="/",
    ),
    ("amqp", "operation"): _rows(
        "place: cc bcc replyTo; behaviour: expiration priority mandatory userId; promise: deliveryMode timestamp; own: ack",
        timestamp=False,
    ),
    ("amqp", "message"): _rows("form: contentEncoding messageType"),
    ("kafka", "server"): _rows("form: schemaRegistryUrl schemaRegistryVendor"),
    ("kafka", "channel"): _rows(
        "place: topic; behaviour: partitions topicConfiguration/cleanup.policy topicConfiguration/delete.retention.ms "
        "topicConfiguration/confluent.key.schema.validation topicConfiguration/confluent.value.schema.validation "
        "topicConfiguration/confluent.key.subject.name.strategy topicConfiguration/confluent.value.subject.name.strategy; "
        "promise: topicConfiguration/retention.ms topicConfiguration/retention.bytes; "
        "limit: topicConfiguration/max.message.bytes; own: replicas",
        topic="$address",
    ),
    ("kafka", "operation"): _rows("own: groupId clientId"),
    ("kafka", "message"): _rows(
        "carried: key; form: schemaIdLocation schemaIdPayloadEncoding schemaLookupStrategy"
    ),
    ("mqtt", "server"): _rows(
        "own: clientId cleanSession keepAlive sessionExpiryInterval; place: lastWill/topic; form: lastWill/message; "
        "quality: lastWill/qos; behaviour: lastWill/retain; limit: maximumPacketSize"
    ),
    ("mqtt", "channel"): {},
    ("mqtt", "operation"): _rows(
        "quality: qos; retained: retain; behaviour: messageExpiryInterval", retain=False
    ),
    ("mqtt", "message"): _rows(
        "form: payloadFormatIndicator contentType correlationData; place: responseTopic"
    ),
    ("http", "operation"): _rows("form: method type; chosen: query"),
    ("http", "message"): _rows("carried: headers; form: statusCode"),
    ("ws", "channel"): _rows("form: method; chosen: query headers"),
    ("jms", "server"): _rows("own: clientID; form: jmsConnectionFactory; behaviour: properties"),
    ("jms", "channel"): _rows(
        "place: destination destinationType", destination="$address", destinationType="queue"
    ),
    ("jms", "message"): _rows("carried: headers"),
    ("ibmmq", "server"): _rows(
        "place: ccdtQueueManagerName; form: cipherSpec; behaviour: multiEndpointServer; own: groupId heartBeatInterval",
        ccdtQueueManagerName="*",
        cipherSpec="ANY",
        multiEndpointServer=False,
    ),
    ("ibmmq", "channel"): _rows(
        "place: destinationType queue/objectName topic/string topic/objectName; "
        "behaviour: queue/isPartitioned queue/exclusive; promise: topic/durablePermitted topic/lastMsgRetained; "
        "limit: maxMsgLength",
        destinationType="topic",
        queue_isPartitioned=False,
        queue_exclusive=False,
        topic_durablePermitted=True,
        topic_lastMsgRetained=False,
    ),
    ("ibmmq", "message"): _rows("form: type headers; behaviour: expiry", type="string", expiry=0),
    ("ros2", "server"): _rows("place: domainId; form: rmwImplementation"),
    ("ros2", "operation"): _rows("form: role; own: node; behaviour: qosPolicies"),
    # 0.4.0 writes `msvVpn`; everyone else knows it as `msgVpn`.
    ("solace", "server"): _rows("place: msgVpn msvVpn; own: clientName"),
    ("solace", "operation"): _rows(
        "place: destinations; behaviour: timeToLive priority dmqEligible", dmqEligible=False
    ),
    ("sns", "channel"): _rows(
        "place: name; declared: ordering/type ordering/contentBasedDeduplication; behaviour: policy; own: tags"
    ),
    ("sns", "operation"): _rows("place: topic consumers; own: deliveryPolicy"),
    ("sqs", "channel"): _rows(_SQS_QUEUE.format("queue") + "; " + _SQS_QUEUE.format("deadLetterQueue")),
    ("sqs", "operation"): _rows("place: queues"),
    ("googlepubsub", "channel"): _rows(
        "place: topic; form: schemaSettings/encoding; promise: messageRetentionDuration; "
        "behaviour: messageStoragePolicy schemaSettings/name "
        "schemaSettings/firstRevisionId schemaSettings/lastRevisionId; own: labels"
    ),
    ("googlepubsub", "message"): _rows("behaviour: attributes orderingKey; form: schema/name schema/type"),
    ("pulsar", "server"): _rows("place: tenant", tenant="public"),
    ("pulsar", "channel"): _rows(
        "place: namespace persistence; promise: retention/time retention/size deduplication; "
        "behaviour: ttl compaction; own: geo-replication",
        retention_time=0,
        retention_size=0,
    ),
    ("nats", "server"): _rows("form: payload encoding", payload="string", encoding="utf8"),
    ("nats", "channel"): _rows("place: is queue/name; behaviour: requestReply/timeout", **{"is": "pubsub"}),
    ("nats", "operation"): _rows("own: unsubAfter; place: queue"),
    ("anypointmq", "channel"): _rows(
        "place: destination destinationType", destination="$address", destinationType="queue"
    ),
    ("anypointmq", "message"): _rows("behaviour: messageId messageGroupId; carried: headers"),
}

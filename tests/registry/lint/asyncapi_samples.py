"""Two documents that use every object of AsyncAPI, one of 2.6 and one of 3.0: good, and broken on purpose."""

import copy
from typing import Any

import yaml

NEW: dict[str, Any] = yaml.safe_load("""
asyncapi: 3.0.0
id: urn:example:ward
info:
  title: Ward events
  version: 1.0.0
  description: Beds and results.
  termsOfService: https://ward.example/terms
  contact: {name: Ward, url: https://ward.example, email: ward@hospital.example}
  license: {name: MIT, url: https://ward.example/license}
  tags: [{name: ward, description: All wards., externalDocs: {url: https://ward.example/tags}}]
  externalDocs: {description: More., url: https://ward.example/docs}
defaultContentType: application/json
servers:
  broker:
    host: '{site}.broker.example:5671'
    pathname: /ward
    protocol: amqps
    protocolVersion: 0-9-1
    title: Broker
    summary: The broker.
    description: Of the wards.
    variables: {site: {enum: [north, south], default: north, description: Site., examples: [north]}}
    security: [{$ref: '#/components/securitySchemes/cert'}, {$ref: '#/components/securitySchemes/token'}]
    tags: [{name: broker}]
    externalDocs: {url: https://ward.example/broker}
    bindings: {mqtt: {clientId: ward, cleanSession: true, lastWill: {topic: gone, qos: 1, message: Gone., retain: false}}}
  spare: {$ref: '#/components/servers/spare'}
channels:
  results:
    address: lab.{ward}.results
    title: Results
    summary: Results of the laboratory.
    description: As they come.
    servers: [{$ref: '#/servers/broker'}]
    parameters:
      ward: {description: Ward code., enum: [W1, W2], default: W1, examples: [W1], location: $message.payload#/ward}
    messages: {final: {$ref: '#/components/messages/Final'}}
    tags: [{$ref: '#/components/tags/results'}]
    externalDocs: {$ref: '#/components/externalDocs/more'}
    bindings: {$ref: '#/components/channelBindings/queued'}
  answers:
    address: null
    messages: {ok: {payload: {type: boolean}}, bad: {payload: {type: string, maxLength: 20}}}
operations:
  ask:
    action: send
    channel: {$ref: '#/channels/results'}
    title: Ask
    summary: Ask for results.
    description: Of one ward.
    security: [{$ref: '#/components/securitySchemes/login'}]
    messages: [{$ref: '#/channels/results/messages/final'}]
    traits: [{$ref: '#/components/operationTraits/slow'}]
    tags: [{name: ask}]
    externalDocs: {url: https://ward.example/ask}
    bindings: {amqp: {expiration: 100, deliveryMode: 2, cc: [logs], bindingVersion: 0.3.0}, kafka: {groupId: {type: string}}}
    reply:
      address: {description: Where to., location: $message.header#/replyTo}
      channel: {$ref: '#/channels/answers'}
      messages: [{$ref: '#/channels/answers/messages/ok'}]
components:
  servers: {spare: {host: spare.example, protocol: kafka}}
  serverVariables: {port: {default: '5671'}}
  parameters: {bed: {description: Bed.}}
  replies: {later: {address: {$ref: '#/components/replyAddresses/inbox'}}}
  replyAddresses: {inbox: {location: $message.header#/inbox}}
  correlationIds: {call: {description: Of the call., location: $message.header#/call}}
  externalDocs: {more: {url: https://ward.example/more}}
  tags: {results: {name: results}}
  securitySchemes:
    cert: {type: X509, description: A certificate.}
    login: {type: userPassword}
    key: {type: apiKey, in: user}
    query: {type: httpApiKey, in: query, name: key}
    bearer: {type: http, scheme: bearer, bearerFormat: JWT}
    open: {type: openIdConnect, openIdConnectUrl: https://login.example/openid}
    sasl: {type: scramSha256}
    token:
      type: oauth2
      scopes: [read]
      flows:
        implicit: {authorizationUrl: https://login.example/a, availableScopes: {read: Read.}}
        password: {tokenUrl: https://login.example/t, availableScopes: {read: Read.}}
        clientCredentials: {tokenUrl: https://login.example/t, availableScopes: {read: Read.}}
        authorizationCode:
          authorizationUrl: https://login.example/a
          tokenUrl: https://login.example/t
          refreshUrl: https://login.example/r
          availableScopes: {read: Read.}
  operationTraits: {slow: {title: Slow, description: Within a day., bindings: {amqp: {ack: true}}, x-days: 1}}
  messageTraits:
    traced: {headers: {type: object, properties: {call: {type: string}}}, contentType: application/json, tags: [{name: trace}]}
  channelBindings: {queued: {amqp: {is: queue, queue: {name: results, durable: true}, bindingVersion: 0.3.0}}}
  serverBindings: {ours: {kafka: {schemaRegistryUrl: https://schemas.example, bindingVersion: 0.5.0}}}
  operationBindings: {once: {mqtt: {qos: 2, retain: true, bindingVersion: 0.2.0}}}
  messageBindings: {keyed: {kafka: {key: {type: string}, schemaIdLocation: payload, bindingVersion: 0.5.0}}}
  messages:
    Final:
      name: Final
      title: Final result
      summary: A result.
      description: That is final.
      contentType: application/json
      headers: {type: object, properties: {ward: {type: string}}}
      payload: {$ref: '#/components/schemas/Final'}
      correlationId: {$ref: '#/components/correlationIds/call'}
      tags: [{name: final}]
      externalDocs: {url: https://ward.example/final}
      bindings: {http: {headers: {type: object, properties: {trace: {type: string}}}, bindingVersion: 0.3.0}}
      traits: [{$ref: '#/components/messageTraits/traced'}]
      examples: [{name: plain, summary: As it comes., headers: {ward: W1}, payload: {ward: W1, kind: blood}}]
    Avro:
      payload:
        schemaFormat: application/vnd.apache.avro;version=1.9.0
        schema: {type: record, name: Result, fields: [{name: ward, type: string}]}
  schemas:
    Final:
      type: object
      discriminator: kind
      required: [kind]
      properties: {ward: {type: string, maxLength: 4, default: W1}, kind: {type: string}, count: {$ref: '#/components/schemas/Count'}}
      externalDocs: {url: https://ward.example/schema}
    Count: {type: integer, minimum: 0, deprecated: true}
    Wrapped: {schemaFormat: application/schema+json;version=draft-07, schema: {type: string, enum: [a]}}
""")
OLD: dict[str, Any] = yaml.safe_load("""
asyncapi: 2.6.0
id: urn:example:ward
info:
  title: Ward events
  version: 1.0.0
  description: Beds.
  termsOfService: https://ward.example/terms
  contact: {name: Ward, url: https://ward.example, email: ward@hospital.example}
  license: {name: MIT, url: https://ward.example/license}
tags: [{name: ward, description: All wards., externalDocs: {url: https://ward.example/tags}}]
externalDocs: {description: More., url: https://ward.example/docs}
defaultContentType: application/json
servers:
  broker:
    url: '{site}.broker.example:5671'
    protocol: amqps
    protocolVersion: 0-9-1
    description: Of the wards.
    variables: {site: {enum: [north, south], default: north, description: Site., examples: [north]}}
    security: [{cert: []}, {token: [read]}]
    tags: [{name: broker}]
    bindings: {mqtt: {clientId: ward, keepAlive: 60}}
channels:
  lab/{ward}/results:
    description: Results.
    servers: [broker]
    parameters: {ward: {description: Ward code., schema: {type: string, maxLength: 4}, location: $message.payload#/ward}}
    bindings: {amqp: {is: queue, queue: {name: results}}}
    publish:
      operationId: resultCame
      summary: A result came.
      description: From the laboratory.
      security: [{login: []}]
      tags: [{name: results}]
      externalDocs: {url: https://ward.example/publish}
      bindings: {amqp: {ack: true, priority: 3}}
      traits: [{$ref: '#/components/operationTraits/slow'}]
      message: {oneOf: [{$ref: '#/components/messages/Final'}, {messageId: draft, payload: {type: array}}]}
    subscribe:
      operationId: resultAsked
      message: {messageId: question, payload: {type: string}, headers: {type: object}}
components:
  servers: {spare: {url: spare.example, protocol: kafka}}
  serverVariables: {port: {default: '5671'}}
  channels: {kept: {description: Kept., subscribe: {message: {payload: {type: integer}}}}}
  parameters: {bed: {schema: {type: string}}}
  correlationIds: {call: {description: Of the call., location: $message.header#/call}}
  securitySchemes:
    cert: {type: X509}
    login: {type: userPassword}
    token: {type: oauth2, flows: {clientCredentials: {tokenUrl: https://login.example/t, scopes: {read: Read.}}}}
    open: {type: openIdConnect, openIdConnectUrl: https://login.example/openid}
  operationTraits: {slow: {description: Within a day., bindings: {amqp: {ack: true}}}}
  messageTraits: {traced: {headers: {type: object, properties: {call: {type: string}}}, contentType: application/json}}
  channelBindings: {socket: {ws: {method: GET, query: {type: object, properties: {page: {type: integer}}}}}}
  messageBindings: {keyed: {kafka: {key: {type: string}}}}
  messages:
    Final:
      messageId: final
      name: Final
      title: Final result
      summary: A result.
      description: That is final.
      contentType: application/json
      schemaFormat: application/vnd.aai.asyncapi;version=2.6.0
      headers: {type: object, properties: {ward: {type: string}}}
      payload: {$ref: '#/components/schemas/Final'}
      correlationId: {$ref: '#/components/correlationIds/call'}
      tags: [{name: final}]
      externalDocs: {url: https://ward.example/final}
      traits: [{$ref: '#/components/messageTraits/traced'}]
      examples: [{name: plain, summary: As it comes., headers: {ward: W1}, payload: {ward: W1, kind: blood}}]
  schemas:
    Final:
      type: object
      discriminator: kind
      required: [kind]
      properties: {ward: {type: string, maxLength: 4}, kind: {type: string}}
""")


def steps_of(pointer: str) -> list[str]:
    return [step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:]]


def changed(root: dict[str, Any], pointer: str, value: Any) -> dict[str, Any]:
    """Give a copy with another value at a pointer; `...` takes the member away."""
    made = copy.deepcopy(root)
    *path, last = steps_of(pointer)
    node: Any = made
    for step in path:
        node = node[int(step)] if isinstance(node, list) else node[step]
    if value is ...:
        del node[int(last) if isinstance(node, list) else last]
    elif isinstance(node, list):
        node[int(last)] = value
    else:
        node[last] = value
    return made

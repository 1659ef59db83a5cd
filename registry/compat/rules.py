# ruff: noqa: E501 - one row for each rule: the table reads by column
"""The rules by which a change is judged: one row each; ids are API and never change once released.

Rules of oasdiff are not listed here: they appear as `oasdiff/<id>`, and docs/rules/oasdiff.md lists them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from kernel.contract.finding import Severity

BREAKING, RISKY, SAFE, UNDECIDED, ERROR = (
    Severity.BREAKING,
    Severity.RISKY,
    Severity.SAFE,
    Severity.UNDECIDED,
    Severity.ERROR,
)


@dataclass(frozen=True, slots=True)
class Rule:
    """One row: what the rule is called, how bad it is, why, and how to do without the change."""

    id: str
    severity: Severity
    why: str
    remedy: str = ""


_KEEP = "Keep the old form beside the new one within this major, or release a new major version."
_ASK = "Have the board look at it, or change it in a way that the engine can decide."

RULES: tuple[Rule, ...] = (
    # Schemas, by meaning
    Rule("value-no-longer-accepted", BREAKING, "A value that the old version accepts is refused by the new one.", _KEEP),
    Rule("value-newly-emitted", BREAKING, "The new version may send a value that the old one promised never to send.", _KEEP),
    Rule("inclusion-undecided", UNDECIDED, "Neither a proof nor a counter-example was found for this schema.", _ASK),
    Rule("witness-not-confirmed", UNDECIDED, "The schemas differ for this value, but the operation, compiled as the proxy runs it, decides alike in both versions.", _ASK),
    Rule("schema-changed-compatibly", SAFE, "The schema changed, and it is proven that no party is broken."),
    Rule("notes-changed", SAFE, "Only descriptions, examples and other notes changed."),
    Rule("property-ignored", RISKY, "A declared property is no longer declared: what is sent there is lost.", _KEEP),
    # Operations and their parts
    Rule("operation-removed", BREAKING, "Callers of the operation get 404 or 405, or meet another operation.", "Deprecate it with an `x-sunset`, and remove it once that has passed, or in the next major version."),
    Rule("operation-added", SAFE, "A new operation asks nothing of existing callers."),
    Rule("parameter-removed", RISKY, "Callers that send the parameter may be refused, or are silently ignored.", _KEEP),
    Rule("parameter-added", SAFE, "An optional parameter asks nothing of existing callers."),
    Rule("parameter-required", BREAKING, "Callers that do not send the parameter are refused.", "Make it optional, with a documented default."),
    Rule("parameter-optional", SAFE, "What callers send is still taken."),
    Rule("parameter-loosened", SAFE, "More ways of writing the parameter are taken."),
    Rule("parameter-empty-refused", BREAKING, "An empty value, which had leave of its own, is refused by the schema.", _KEEP),
    Rule("parameter-style-changed", BREAKING, "The same text is read as another value.", _KEEP),
    Rule("request-body-removed", BREAKING, "The body that callers send is no longer part of the contract.", _KEEP),
    Rule("request-body-added", SAFE, "An optional body asks nothing of existing callers."),
    Rule("request-body-required", BREAKING, "Calls without a body are refused.", "Make the body optional."),
    Rule("request-body-optional", SAFE, "Calls with a body are still taken."),
    Rule("request-media-type-removed", BREAKING, "Callers that send this media type get 415.", _KEEP),
    Rule("request-media-type-added", SAFE, "Another media type asks nothing of existing callers."),
    Rule("response-removed", BREAKING, "Callers that wait for this success answer never get it.", _KEEP),
    Rule("response-no-longer-sent", SAFE, "An answer that no longer comes breaks no reader."),
    Rule("response-added", SAFE, "Callers treat an unknown status by its class (RFC 9110 §15)."),
    Rule("response-media-type-removed", BREAKING, "Callers that ask for this media type get 406, or a form they cannot read.", _KEEP),
    Rule("response-media-type-added", SAFE, "Callers name what they want in Accept."),
    Rule("media-type-range-changed", SAFE, "Types and the range around them stand in for each other; every form is judged by its own schema."),
    Rule("encoding-changed", UNDECIDED, "Fields of a form may be read as other values than their senders mean.", _ASK),
    Rule("part-type-refused", BREAKING, "Parts of a content type that was taken are refused, or parts come in one that readers do not expect.", _KEEP),
    Rule("part-type-kept", SAFE, "Every part that was taken still is, and none comes in a form that is new to readers."),
    Rule("response-body-removed", BREAKING, "Callers that read the body find none.", _KEEP),
    Rule("response-body-added", SAFE, "Callers that expected no body pass over one."),
    Rule("response-header-removed", BREAKING, "A header that was promised is gone.", _KEEP),
    Rule("response-header-no-longer-sent", SAFE, "The header was optional: readers had to do without it."),
    Rule("response-header-added", SAFE, "Readers pass over headers that they do not know (RFC 9110 §5.1)."),
    Rule("response-header-optional", BREAKING, "A header that was promised may be missing.", _KEEP),
    Rule("response-header-required", SAFE, "The header is now always sent."),
    Rule("security-tightened", BREAKING, "Callers that were admitted are refused.", "Keep the old alternative beside the new one."),
    Rule("security-relaxed", SAFE, "Every caller that was admitted still is."),
    Rule("security-scheme-changed", UNDECIDED, "Whether credentials in use still serve is not written in the document.", _ASK),
    Rule("server-changed", UNDECIDED, "Callers that use this address may find nobody there.", "Keep the old server listed while it answers."),
    Rule("server-added", SAFE, "Another address asks nothing of existing callers."),
    Rule("callback-removed", BREAKING, "Callers wait for calls that never come.", _KEEP),
    Rule("callback-changed", UNDECIDED, "What we call is called otherwise, or for the first time: whether those who are called know it is not written in the document.", _ASK),
    Rule("sent-part-dropped", BREAKING, "Those whom we call count on a part that was always sent, and may be missing now.", _KEEP),
    Rule("sent-part-no-longer-sent", SAFE, "The part was optional: those whom we call had to do without it."),
    Rule("sent-part-added", SAFE, "Those whom we call pass over what they do not know."),
    Rule("sent-part-promised", SAFE, "A part is now always sent."),
    Rule("sent-media-type-added", BREAKING, "Those whom we call may get a form that they cannot read.", _KEEP),
    Rule("sent-media-type-removed", SAFE, "A form that is no longer sent breaks nobody who reads the others."),
    Rule("reply-no-longer-taken", BREAKING, "An answer that those whom we call may give is no longer understood.", _KEEP),
    Rule("reply-taken", SAFE, "More answers of those whom we call are understood."),
    Rule("reply-part-required", BREAKING, "Those whom we call must send a part that was optional.", "Keep the part optional."),
    Rule("reply-part-optional", SAFE, "Less is asked of those whom we call."),
    Rule("webhook-removed", BREAKING, "Subscribers wait for calls that never come.", _KEEP),
    Rule("webhook-added", SAFE, "Nobody is subscribed to it yet."),
    Rule("deprecated", SAFE, "A part is marked as deprecated; it still works."),
    Rule("no-longer-deprecated", SAFE, "A part is no longer marked as deprecated."),
    Rule("operation-id-changed", SAFE, "The operationId names the operation for tools; nothing on the wire changes."),
    Rule("link-added", SAFE, "A link tells tools how calls hang together; nothing on the wire changes."),
    Rule("link-removed", SAFE, "A link tells tools how calls hang together; nothing on the wire changes."),
    Rule("link-changed", SAFE, "A link tells tools how calls hang together; nothing on the wire changes."),
    Rule("limit-lowered", BREAKING, "Bodies that were taken are refused as too large.", "Raise the limit again, or release a new major."),
    Rule("limit-raised", SAFE, "Bodies that were taken still are."),
    Rule("idempotency-key-required", BREAKING, "Callers that send no Idempotency-Key are refused.", "Make the key optional, or release a new major."),
    Rule("idempotency-key-dropped", BREAKING, "A repeat under the same Idempotency-Key is carried out a second time.", _KEEP),
    Rule("idempotency-key-shorter", BREAKING, "A repeat that comes late is carried out a second time.", "Keep keys for as long as before, or release a new major."),
    Rule("idempotency-key-taken", SAFE, "Callers may send an Idempotency-Key; whoever sends none is served as before."),
    Rule("idempotency-key-relaxed", SAFE, "Every call that was taken still is, and keys are kept for at least as long."),
    Rule("weight-raised", RISKY, "Callers that stayed within their limits may pass them.", "Keep the weight, or raise the limits of its callers first."),
    Rule("weight-lowered", SAFE, "Callers stay within their limits."),
    Rule("cache-widened", RISKY, "Callers may be given answers that are older than any they got before.", "Lower max-age, or let callers ask for fresh answers by Cache-Control: no-cache."),
    Rule("cache-narrowed", SAFE, "Answers are as fresh as before, or fresher."),
    Rule("cors-narrowed", BREAKING, "Browsers keep pages from calls that they could make.", "Keep admitting what was admitted, within this major."),
    Rule("cors-widened", SAFE, "Every page that could call still can."),
    Rule("unknown-fields-refused", BREAKING, "Calls with a field that nothing declares are refused; they were taken.", "Use the policy `report` first, and see who sends such fields."),
    Rule("unknown-fields-taken", SAFE, "Every call that was taken still is."),
    Rule("accepted-content-now-checked", BREAKING, "Content that was passed on unread is refused where it does not fit its schema.", "Find out who sends what does not fit before it is checked."),
    Rule("accepted-content-no-longer-checked", SAFE, "Every body that was taken still is."),
    Rule("emitted-content-now-checked", SAFE, "What is sent is held to its schema."),
    Rule("emitted-content-no-longer-checked", RISKY, "What is sent is no longer held to its schema, so that readers may get anything.", "Keep the content checked."),
    Rule("change-unclassified", UNDECIDED, "The documents differ here, and no rule knows what that means.", _ASK),
    Rule("version-too-low", BREAKING, "The declared version promises less change than there is.", "Declare the version that the findings ask for."),
    # Promises about time: deprecation, sunset, stability, waivers
    Rule("removed-after-sunset", SAFE, "The part was deprecated, and the sunset that was announced for it has passed (RFC 8594)."),
    Rule("sunset-missing", SAFE, "A deprecated part without a sunset date may only go with the next major version."),
    Rule("sunset-too-soon", RISKY, "Consumers get less time between the announcement and the end than was promised to them.", "Choose a later `x-sunset`; in a tree without a base, say by `x-deprecation` since when it stands."),
    Rule("sunset-brought-forward", BREAKING, "Consumers planned with the later date.", "Keep the date that was announced, or a later one."),
    Rule("sunset-changed", SAFE, "The end was announced, put off, or called off."),
    Rule("sunset-before-deprecation", RISKY, "A part cannot end before it is deprecated (RFC 9745 §4).", "Correct `x-sunset` or `x-deprecation`."),
    Rule("lifecycle-value-unknown", RISKY, "Nobody can tell what a date or level that cannot be read promises; it counts as none.", "Write a date as 2027-01-31, and a level as draft, alpha, beta or stable."),
    Rule("stability-lowered", BREAKING, "Callers rely on the level that was promised.", "Keep the level, or release a new major version."),
    Rule("stability-raised", SAFE, "More is promised than before."),
    Rule("unstable-not-compared", SAFE, "What is still a draft, or alpha, promises nothing yet: its changes are not judged."),
    Rule("compatibility-weakened", RISKY, "Users of the schema rely on the mode that was declared for it.", "Keep the mode within this major version."),
    Rule("canonical-part-lost", BREAKING, "A contract names a part of the canonical schema that the new version does not have.", _KEEP),
    Rule("waiver-expired", ERROR, "What was accepted until a day is not accepted any longer.", "Mend the finding, or have the waiver renewed by its owner."),
    Rule("waiver-stale", ERROR, "A waiver that no finding needs hides the next one that happens to be alike.", "Remove the waiver."),
    # AsyncAPI
    Rule("channel-removed", BREAKING, "Who sends to this address, or listens there, meets nobody.", "Keep the channel beside the new one, deprecate it, and remove it in the next major version."),
    Rule("channel-added", SAFE, "Nobody was told of the address, so nobody relies on it."),
    Rule("channel-address-changed", BREAKING, "Who sends to the old address, or listens there, meets nobody.", "Offer both addresses within this major, or release a new major version."),
    Rule("channel-address-undecided", UNDECIDED, "One version does not say what the address is.", "Write the address down, or have the board look at it."),
    Rule("channel-use-undecided", UNDECIDED, "One version does not say who sends and who receives here.", "Describe the operations of the channel."),
    Rule("channel-server-removed", BREAKING, "Parties that are connected to this server do not find the channel there any more.", _KEEP),
    Rule("channel-server-added", SAFE, "The channel stays where it was, and is found on another server too."),
    Rule("channel-operation-removed", BREAKING, "What the application took here is not taken any more, or what it sent does not come any more.", "Deprecate it with an `x-sunset`, and remove it once that has passed, or in the next major version."),
    Rule("channel-operation-added", SAFE, "The other way was not used here: no party sends or listens that way."),
    Rule("event-renamed", SAFE, "Keys and names of channels and messages are for tools; what travels stays the same."),
    Rule("messages-undecided", UNDECIDED, "One version does not say which messages travel here.", "List the messages of the channel in both versions."),
    Rule("message-removed", BREAKING, "The message is not taken any more, or does not come any more for those who wait for it.", _KEEP),
    Rule("message-added", SAFE, "Who sends to us need not send another message."),
    Rule("message-newly-sent", BREAKING, "Readers of this address meet a message that the old version promised never to send there, and may fail on it.", "Send it at an address of its own, or release a new major version."),
    Rule("message-taken-for-another", UNDECIDED, "What changed of one message may be read as another message of the same address.", "Give messages of one address something to tell them apart by, such as a `const`."),
    Rule("message-content-type-changed", BREAKING, "The same bytes are not what readers expect: JSON is no CBOR.", "Send or take both forms within this major, as messages of their own."),
    Rule("message-content-type-undecided", UNDECIDED, "Whether the label alone changed, or the bytes too, is not written in the documents.", "Keep the content type as it was written; where none was, waive this once, and it is written from now on."),
    Rule("payload-format-undecided", UNDECIDED, "Schemas of this format (Avro, Protobuf …) are compared by their text only.", "Check it with the tools of that format (such as a schema registry's), and have the board look at it."),
    Rule("correlation-changed", BREAKING, "Who matches answers to requests looks for the id where it is not.", _KEEP),
    Rule("correlation-added", SAFE, "Who did without a correlation id still can."),
    Rule("address-newly-used", RISKY, "Who listens to the whole channel (by a wildcard) meets addresses that the old version never used.", "Tell those who listen before you send there, or describe the parameter without a list."),
    Rule("parameter-location-changed", UNDECIDED, "Which value of the message stands in the address is not checked by anyone.", _ASK),
    Rule("parameter-default-changed", RISKY, "Who leaves the parameter to its default meets another address.", "Keep the old default."),
    Rule("reply-removed", BREAKING, "Who waits for the reply waits in vain.", _KEEP),
    Rule("reply-added", SAFE, "Who asked without waiting for an answer may go on so."),
    Rule("reply-expected", RISKY, "Parties that take the request were never asked to answer, and will not.", "Do without the answer where none comes, or release a new major version."),
    Rule("reply-address-changed", BREAKING, "The reply goes where nobody waits for it.", _KEEP),
    Rule("binding-place-changed", BREAKING, "By this binding the messages go through another exchange, queue or topic.", _KEEP),
    Rule("binding-form-changed", BREAKING, "By this binding messages are written, or asked for, in another form.", _KEEP),
    Rule("binding-declaration-changed", BREAKING, "Brokers refuse a party that declares the same queue or exchange with other arguments.", _KEEP),
    Rule("binding-promise-lowered", BREAKING, "Less is promised of delivery or retention than parties rely on.", "Keep the old promise, or release a new major version."),
    Rule("binding-promise-raised", SAFE, "At least what was promised still holds."),
    Rule("binding-limit-lowered", BREAKING, "Messages that were taken are refused as too large.", "Raise the limit again, or release a new major version."),
    Rule("binding-behaviour-changed", RISKY, "Parties may notice the difference: order, repeats, age or size of messages.", "Keep the old behaviour, or tell every party before."),
    Rule("binding-own-changed", SAFE, "This concerns the application or its operators alone."),
    Rule("binding-undecided", UNDECIDED, "No rule knows this key of a binding, or one version does not say what held.", _ASK),
    Rule("server-protocol-changed", BREAKING, "Parties that speak the old protocol are not understood.", "List a second server for the new protocol."),
    Rule("server-protocol-version-changed", UNDECIDED, "Whether clients of the old protocol version are still served is not written in the document.", _ASK),
    # Engines and input
    Rule("reference-unresolved", UNDECIDED, "A registry URN could not be looked up, so its schema is not known.", "Run against a registry, or beside the canonical schemas."),
    Rule("engine-missing", UNDECIDED, "oasdiff is not installed, or not in the pinned version.", "`interlock doctor` says how to get it."),
    Rule("engine-failed", UNDECIDED, "oasdiff did not finish; nothing is concluded from that.", "Run again; if it stays, report the pair of documents."),
    Rule("engine-disagrees", UNDECIDED, "oasdiff calls it breaking; our own proof neither confirms nor refutes it.", _ASK),
    Rule("kinds-differ", UNDECIDED, "Documents of different kinds or dialects cannot be compared.", "Compare versions of one contract."),
    Rule("document-not-comparable", UNDECIDED, "A part of a document cannot be read for comparing.", "`interlock check` says what is wrong with it."),
)  # fmt: skip

# The rule that stands for another where we are the caller (callbacks, webhooks): what was taken is sent there.
CALLED: Mapping[str, str] = {
    "operation-removed": "callback-removed",
    "parameter-removed": "sent-part-dropped",
    "parameter-added": "sent-part-added",
    "parameter-required": "sent-part-promised",
    "parameter-optional": "sent-part-dropped",
    "parameter-loosened": "callback-changed",
    "request-body-removed": "sent-part-dropped",
    "request-body-added": "sent-part-added",
    "request-body-required": "sent-part-promised",
    "request-body-optional": "sent-part-dropped",
    "request-media-type-added": "sent-media-type-added",
    "request-media-type-removed": "sent-media-type-removed",
    "response-removed": "reply-no-longer-taken",
    "response-no-longer-sent": "reply-no-longer-taken",
    "response-added": "reply-taken",
    "response-media-type-removed": "reply-no-longer-taken",
    "response-media-type-added": "reply-taken",
    "response-body-removed": "reply-part-optional",
    "response-body-added": "reply-part-required",
    "response-header-removed": "reply-part-optional",
    "response-header-no-longer-sent": "reply-part-optional",
    "response-header-added": "reply-taken",
    "response-header-required": "reply-part-required",
    "response-header-optional": "reply-part-optional",
    "security-tightened": "callback-changed",
    "security-relaxed": "callback-changed",
    "security-scheme-changed": "callback-changed",
}

BY_ID: Mapping[str, Rule] = {rule.id: rule for rule in RULES}

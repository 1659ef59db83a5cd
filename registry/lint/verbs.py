"""Verbs by which operations are named, as they stand in operationIds."""

from __future__ import annotations

_TEXT = """
accept access accredit acknowledge activate add adjust admit aggregate allow amend analyse analyze announce answer append
apply approve archive arrange ask assess assign associate attach authenticate authorise authorize ban bind block
book bulk calculate call cancel capture change charge check clear clone close collect commit compare
complete compute configure confirm connect consume convert copy correct count create crosspost deactivate
debit decide declare decline decode decrement define delete demote deliver deny deprecate deregister describe
destroy detach determine diff disable disassociate discard discharge dismiss dispatch dispense download drop edit
emit enable encode encrypt end enqueue enrol enroll ensure enter erase estimate evaluate exchange execute
exist exists expand expire export extend extract fetch file filter finalise finalize find finish flush
follow force fork forward generate get give grant group handle has head hide identify ignore import increment
index ingest initialise initialize initiate insert inspect install introspect invalidate invite invoke is
issue join kick label launch leave link list load locate lock log login logout look lookup make manage map
mark match measure merge migrate modify monitor move mute notify observe obtain on open order parse patch
pause pay perform permit pin ping place poll post preview print process produce promote propose provision
prune publish pull purge push put query queue quote raise rate read rebuild receive recommend reconcile
record recover redeem redirect refer refresh refund refuse register reinstate reject release reload remove
rename render renew reopen reorder repair replace replay reply report request rerun resend reserve reset
resolve respond restart restore restrict resubmit resume retire retrieve retry return reverse revert review revoke
rotate route run save scan schedule scope search select send set share show sign simulate skip sort split stage
star start stop store stream submit subscribe suggest suspend swap switch sync synchronise synchronize tag
take terminate test toggle track transfer transform translate transmit trigger turn unarchive unassign unban
unblock undelete undo unfollow uninstall unlink unlock unmark unpin unpublish unregister unstar unsubscribe
unwatch update upgrade upload upsert use validate verify view void vote waive wait watch withdraw write
"""
VERBS: frozenset[str] = frozenset(_TEXT.split())
# Those that are hardly ever nouns, and say what is done wherever they stand in a name.
CLEAR_VERBS = frozenset({
    "get", "create", "delete", "update", "list", "add", "remove", "put", "read", "search", "find", "fetch", "send",
    "promote", "revert", "unmerge",
})  # fmt: skip


def is_verb(word: str) -> bool:
    """Whether a word is a verb of the list, or one with `re` or `un` before it."""
    return word in VERBS or word.removeprefix("re") in VERBS or word.removeprefix("un") in VERBS

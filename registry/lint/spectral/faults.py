"""What can be wrong with a ruleset: its own errors, each with rule, file and line.

RulesetError (a DocumentError)
├── RulesetInvalid   it cannot be read, or asks for something that is not supported
└── RulesetFailed    it cannot be run on this document: too much work, or a filter that reads what is not there
"""

from __future__ import annotations

from kernel.errors import DocumentError


class RulesetError(DocumentError):
    """A ruleset cannot be used."""

    code = "ruleset-error"


class RulesetInvalid(RulesetError):
    """A ruleset cannot be read, or asks for something that Interlock does not do.

    Nothing in a ruleset is skipped silently: custom functions, unknown functions and options, formats and
    path expressions are refused with the rule's name, file and line.
    """

    code = "ruleset-invalid"


class RulesetFailed(RulesetError):
    """A rule of a ruleset cannot be run on this document.

    A filter reads a property of something that is not there (Spectral ends with an error there too), or the
    rule would visit more nodes than are allowed.
    """

    code = "ruleset-failed"
    exit_code = 3


class Refused(Exception):
    """Something in a rule is not supported: what, and what to write instead; who catches it knows the place."""

    def __init__(self, what: str, hint: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.hint = hint

"""A property whose sunset has passed may go, and whatever else is called compatible is held to values one by one."""

from datetime import date
from itertools import product

import jsonschema
from hypothesis import given, settings
from hypothesis import strategies as st

from registry.compat.policy_judge import Policy, judge
from registry.compat.policy_modes import Mode

AFTER = Policy(date(2026, 6, 2))
SUNSET = {"deprecated": True, "x-sunset": "2026-06-01"}
ABSENT = object()
VALUES = [ABSENT, 0, 3, 7, "", "abcd"]
INSTANCES = [
    {name: value for name, value in zip(("a", "old", "z"), values, strict=True) if value is not ABSENT}
    for values in product(VALUES, VALUES, [ABSENT, 0])
]
LEAF = st.one_of(
    st.just({}),
    st.sampled_from([{"type": "string"}, {"type": "string", "maxLength": 2}, {"type": "integer"}]),
    st.sampled_from([{"type": "integer", "maximum": 5}, {"type": "integer", "minimum": 2}]),
)


@st.composite
def objects(draw, *, old):
    """An object schema with `a`, and with `old` where it is asked for, there or in an `allOf`."""
    properties = {"a": draw(LEAF)}
    required = draw(st.sampled_from([[], ["a"]]))
    schema = {"type": "object", "properties": properties, "required": required}
    if old == "here":
        properties["old"] = {**draw(LEAF), **SUNSET}
        schema["required"] = required + draw(st.sampled_from([[], ["old"]]))
    if draw(st.booleans()):
        schema["additionalProperties"] = False
    elif old == "elsewhere" and draw(st.booleans()):
        schema["allOf"] = [
            {"properties": {"old": draw(LEAF)}, "required": draw(st.sampled_from([[], ["old"]]))}
        ]
    return schema


def taken(schema):
    validator = jsonschema.Draft202012Validator(schema)
    return [instance for instance in INSTANCES if validator.is_valid(instance)]


@settings(max_examples=120, deadline=None)
@given(old=objects(old="here"), new=objects(old="elsewhere"))
def test_compatible_is_never_said_of_what_a_value_refutes(old, new):
    backward = judge(old, new, "schema", AFTER, mode=Mode.BACKWARD).outcome
    forward = judge(old, new, "schema", AFTER, mode=Mode.FORWARD).outcome
    after = taken(new)
    if backward == "compatible":  # who sends no `old` any more is still understood
        unrequired = taken({**old, "required": [name for name in old["required"] if name != "old"]})
        assert [one for one in unrequired if "old" not in one and one not in after] == []
    if forward == "compatible":  # readers do without `old`, and should it come, it is what it was
        optional = {**old, "required": [name for name in old["required"] if name != "old"]}
        held = taken(optional)
        assert [one for one in after if one not in held] == []


@settings(max_examples=60, deadline=None)
@given(old=objects(old="here"), new=objects(old="elsewhere"))
def test_before_its_sunset_nothing_may_go_that_values_show(old, new):
    early = Policy(date(2026, 6, 1))
    before, after = taken(old), taken(new)
    if any(one not in after for one in before):
        assert judge(old, new, "schema", early, mode=Mode.BACKWARD).outcome != "compatible"
    if any(one not in before for one in after):
        assert judge(old, new, "schema", early, mode=Mode.FORWARD).outcome != "compatible"

"""No value of a message and no key that the contract does not name is ever told: not in answers, records or logs."""

import json
import logging

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

CANARY = "Sandberg-700123"
SECRET_KEYS = st.sampled_from([f"{CANARY}-key", f"x{CANARY}"])
CANARIES = st.sampled_from([CANARY, f"{CANARY} Ylva", f"<{CANARY}>", f'"{CANARY}"'])
JSON = st.recursive(
    st.one_of(CANARIES, st.none(), st.booleans(), st.integers(), CANARIES),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.one_of(SECRET_KEYS, st.sampled_from(["code", "priority", "copies", "note", "id"])),
            inner,
            max_size=4,
        ),
    ),
    max_leaves=8,
)


def told(reply, house, caplog) -> str:
    lines = b"\n".join(b": ".join(pair) for pair in reply.headers)
    text = reply.body + lines + json.dumps(house.journal.records).encode()
    return text.decode() + caplog.text


@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    derandomize=True,
)
@given(body=JSON)
@pytest.mark.parametrize("broken", ["request", "response"])
async def test_no_value_and_no_unknown_key_is_told(make_house, kit, caplog, broken, body) -> None:
    caplog.set_level(logging.DEBUG)
    caplog.clear()
    house = make_house()
    await house.publish()
    if broken == "request":
        reply = await house.ask("POST", "/orders/v1/orders", body)
        assert reply.status == 422 or house.provider.calls
    else:
        house.provider.answer = lambda _: kit.answer(201, body)
        reply = await house.ask("POST", "/orders/v1/orders", {"code": "2823-3", "priority": "urgent"})
        if reply.status == 201:
            return  # what keeps the contract is the consumer's to read
    assert CANARY not in told(reply, house, caplog)


@pytest.mark.parametrize(
    ("target", "body", "headers"),
    [
        (f"/orders/v1/orders?limit={CANARY}", b"", ()),
        (f"/orders/v1/orders?{CANARY}=1&limit=x", b"", ()),
        (f"/orders/v1/{CANARY}", b"", ()),
        (f"/orders/v1/%zz{CANARY}", b"", ()),
        ("/orders/v1/orders", b"", (("x-ward", CANARY),)),
        ("/orders/v1/orders", b"", ((CANARY.lower(), CANARY), ("x-ward", "123456789"))),
        ("/orders/v1/orders", b"", (("x-request-id", CANARY), ("x-ward", "123456789"))),
        ("/orders/v1/orders", b"", (("traceparent", CANARY), ("x-ward", "123456789"))),
    ],
)
async def test_nothing_of_a_refused_head_is_told(house, kit, caplog, target, body, headers) -> None:
    caplog.set_level(logging.DEBUG)
    reply = await house.ask("GET", target, body, *headers)
    assert reply.status in {400, 404}
    assert CANARY.lower() not in told(reply, house, caplog).lower()


async def test_nothing_of_a_refused_body_is_told(house, kit, caplog) -> None:
    for body in (f'{{"{CANARY}"', f'{{"code":"{CANARY}","code":"2"}}', f'"{CANARY}\x01"'):
        reply = await house.ask("POST", "/orders/v1/orders", body.encode())
        assert reply.status == 400
        assert CANARY not in told(reply, house, caplog)
    reply = await house.ask("POST", "/orders/v1/orders", b"x", ("content-type", f"text/{CANARY}"))
    assert reply.status == 415
    assert CANARY not in told(reply, house, caplog)


async def test_a_wrong_key_is_not_told(house, kit, caplog) -> None:
    for key in (CANARY, f"ilk_w1_{CANARY}"):
        reply = await house.ask("GET", "/orders/v1/orders", key=key)
        assert reply.status == 401
        assert CANARY not in told(reply, house, caplog)


async def test_a_good_key_is_not_told(house, kit, caplog) -> None:
    reply = await house.ask("POST", "/orders/v1/orders", {"code": "2823-3", "priority": "urgent"})
    assert kit.KEY not in told(reply, house, caplog)

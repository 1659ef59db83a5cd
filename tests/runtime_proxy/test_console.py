"""The operator's pages: who may read them, what they say, and what they never hold."""

import asyncio
import base64
import contextlib
import http.client
import itertools
import json
import os
import re
import shutil
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from adapters.errors import UpstreamTimeout
from kernel.bundle.deny import Denial, Denied, DenyList
from kernel.bundle.model import Consumer, Limit
from kernel.errors import SealingError, SettingsError
from kernel.settings import load
from runtime_proxy.console import views
from runtime_proxy.console.meters import Meters
from runtime_proxy.console.rates import Rates, Window, quantile
from runtime_proxy.console.recent import MOST_REFUSED, Recent
from runtime_proxy.console.standing import limits_now
from runtime_proxy.console.tokens import ops_token
from runtime_proxy.console.told import LimitNow, RouteNow, UpstreamNow, WorkerNow
from runtime_proxy.edges import Edges
from runtime_proxy.fronts import fronts_of

ORDER = {"code": "2823-3", "priority": "urgent", "note": "Muster, Erika"}
PAGES = ("/ops", "/ops/exchanges", "/ops/limits", "/ops/workers")
# No word of digits alone: ids and times may hold any.
HIDDEN = ("Muster", "Erika", "1970-01", "urgent", "nowhere", "127.0.0.7", "ilk_")


class Lists:
    """A source of denials that the test holds."""

    origin = "local"

    def __init__(self) -> None:
        self.last: DenyList | None = None

    def changed(self) -> bool:
        return False


@pytest.fixture
def served(make_house, kit, tmp_path):
    """Serve a data plane with its console on loopback; `get` reads a page, `call` calls the proxy."""

    @contextlib.asynccontextmanager
    async def serving(*, token: bool = True, letters: Any = lambda: None, **settings: Any):
        house = make_house(
            **{"ops_listen": "127.0.0.1:0", "ops_sample": 1, "proxy_port": 0, "proxy_drain_timeout": 0}
            | settings
        )
        lab = Consumer("laboratory", "Laboratory", "internal", (), (), (Limit("calls", 600, 60, 50),))
        await house.publish(limits=(Limit("calls", 60, 60, 5),), consumers=(lab,))
        house.plane.open_console(house.settings, tmp_path, letters)
        await house.plane.begin()
        edges = Edges(house.plane.answering, house.settings)
        await edges.listen()
        house.plane.count_answers(edges)
        at = edges.addresses()
        key = ops_token(tmp_path)

        def fetch(port: int, method: str, path: str, body: Any, lines: dict[str, str]) -> Any:
            client = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
            client.request(method, path, None if body is None else json.dumps(body), lines)
            answer = client.getresponse()
            read = SimpleNamespace(
                status=answer.status, headers=dict(answer.getheaders()), text=answer.read().decode()
            )
            client.close()
            return read

        async def get(path: str, method: str = "GET", **lines: str) -> Any:
            shown = {"authorization": f"Bearer {key}"} if token else {}
            return await asyncio.to_thread(fetch, at["ops"][1], method, path, None, shown | lines)

        async def call(method: str, path: str, body: Any = None, **lines: str) -> int:
            shown = {"x-api-key": kit.KEY, "content-type": "application/json"} | lines
            return (await asyncio.to_thread(fetch, at["proxy"][1], method, path, body, shown)).status

        try:
            yield SimpleNamespace(
                house=house, get=get, call=call, token=key, url=f"http://127.0.0.1:{at['ops'][1]}"
            )
        finally:
            await edges.drain()
            await house.plane.stop()

    return serving


async def _some_traffic(site: Any, kit: Any) -> None:
    """Place, read, refuse, break, and use a limit up."""
    assert await site.call("POST", "/orders/v1/orders?born=1970-01-01", ORDER) == 201
    assert await site.call("POST", "/orders/v1/orders", ORDER | {"code": "Muster"}) == 422
    assert await site.call("GET", "/nowhere/Muster") == 404
    site.house.provider.answer = lambda _: kit.answer(200, {"id": "o-1"})
    assert await site.call("GET", "/orders/v1/orders/Erika-4711") == 200

    def late(_: Any) -> Any:
        raise UpstreamTimeout("too late", sent=True)

    site.house.provider.answer = late
    assert await site.call("GET", "/orders/v1/orders/Erika-4711") == 504
    assert await site.call("GET", "/orders/v1/orders/Erika-4711") == 504
    assert await site.call("GET", "/orders/v1/orders/Erika-4711") == 429
    lists = Lists()
    denied = Denial(Denied("key", "w9"), "2026-11-21T09:30:00Z", "amara", "seen in a public repository")
    lists.last = DenyList(1, "local", (denied,))
    site.house.plane.denials._sources = (lists,)


def rows(page: str) -> list[str]:
    """Give the texts of the rows of all tables."""
    found = re.findall(r"<tr>(.*?)</tr>", page.partition("<tbody>")[2], re.DOTALL)
    return [" ".join(re.sub(r"<[^>]+>", " ", one).split()) for one in found]


async def test_nobody_reads_without_the_token(served) -> None:
    async with served(token=False) as site:
        basic = base64.b64encode(f"anybody:{site.token}".encode()).decode()
        wrong = base64.b64encode(b"anybody:guess").decode()
        for path in (*PAGES, "/", "/elsewhere"):
            answer = await site.get(path)
            assert answer.status == 401, path
            assert answer.headers["www-authenticate"].startswith("Basic realm=")
            assert "orders" not in answer.text
            assert site.token not in answer.text
        for refused in (
            f"Basic {wrong}",
            "Basic %%%",
            "Basic",
            f"Bearer {site.token}x",
            f"Token {site.token}",
            "Bearer ",
        ):
            assert (await site.get("/ops", authorization=refused)).status == 401, refused
        for taken in (f"Basic {basic}", f"Bearer {site.token}", f"basic {basic}"):
            assert (await site.get("/ops", authorization=taken)).status == 200, taken
        assert (await site.get("/ops", "POST", authorization=f"Bearer {site.token}")).status == 405


async def test_pages_load_nothing_from_elsewhere_and_stay_in_no_cache(served) -> None:
    async with served() as site:
        for path in PAGES:
            page = await site.get(path)
            assert page.status == 200
            assert page.headers["content-security-policy"].startswith("default-src 'none'; style-src 'self'")
            assert page.headers["cache-control"] == "no-store"
            assert page.headers["x-frame-options"] == "DENY"
            assert "<script" not in page.text
            assert " style=" not in page.text
            for link in re.findall(r'(?:href|src)="([^"]+)"', page.text):
                assert link.startswith(("/", "#")), link
        (style,) = re.findall(r'rel="stylesheet" href="([^"]+)"', page.text)
        loaded = await site.get(style)
        assert (loaded.status, loaded.headers["content-type"]) == (200, "text/css; charset=utf-8")
        head = await site.get("/ops", "HEAD")
        assert (head.status, head.text) == (200, "")
        assert (await site.get("/elsewhere")).status == 404
        away = await site.get("/")
        assert (away.status, away.headers["location"]) == (303, "/ops")


async def test_the_pages_say_what_happened_and_nothing_that_was_sent(served, kit) -> None:
    async with served() as site:
        await _some_traffic(site, kit)
        pages = {path: (await site.get(path)).text for path in PAGES}
        metrics = site.house.plane._meters.page().decode()
    (route,) = rows(pages["/ops"])
    assert route.startswith("orders v1 /orders/v1 1.0.0 ✓ serving ")
    assert "laboratory (double) 0 calls on the way" in route
    assert route.endswith("upstream-timeout 2 body-invalid 1 over-limit 1")
    assert "not-found" in pages["/ops"]
    calls = rows(pages["/ops/exchanges"].partition("<h2>Sampled</h2>")[2])
    assert [re.search(r"[✓✕!] (\d{3})", call)[1] for call in calls] == [
        "429",
        "504",
        "504",
        "200",
        "404",
        "422",
        "201",
    ]
    placed = calls[-1]
    assert placed.startswith("POST /orders/v1/orders ")
    assert " by ward " in placed
    steps = re.findall(
        r"([a-z][a-z ]*?) [\d.]+ ms", placed.partition("match")[1] + placed.partition("match")[2]
    )
    assert steps == ["match", "authenticate", "limit", "body", "validate request", "prepare", "audit", "adapter",
                     "validate response", "audit", "answer"]  # fmt: skip
    failed = rows(pages["/ops/exchanges"].partition("<h2>Sampled</h2>")[0])
    assert len(failed) == 2
    assert rows(pages["/ops/limits"]) == [
        "consumer/ward calls 60 in 60 s, burst 5 ✕ used up in 1 s",
        "consumer/laboratory calls 600 in 60 s, burst 50 50 untouched",
    ]
    workers = pages["/ops/workers"]
    assert re.fullmatch(r"proxy process \d+ ✓ serving just now 1 1 1 none 1 0", rows(workers)[0])
    assert "key/w9 2026-11-21T09:30:00Z amara seen in a public repository this host" in rows(workers)
    for path, word in itertools.product(PAGES, HIDDEN):
        assert word not in pages[path], (path, word)
    answered = re.findall(r"^interlock_requests_total\{.*\} (\d+)$", metrics, re.MULTILINE)
    assert sum(map(int, answered)) == 7, "what the console answers is no traffic"


async def test_what_is_no_request_gets_its_refusal_and_is_no_traffic(served) -> None:
    async with served() as site:
        reader, writer = await asyncio.open_connection("127.0.0.1", int(site.url.rpartition(":")[2]))
        writer.write(b"GET /ops HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n")
        answer = await asyncio.wait_for(reader.read(), 10)
        writer.close()
        metrics = site.house.plane._meters.page().decode()
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"urn:interlock:refusal:host-invalid" in answer
    answered = re.findall(r"^interlock_requests_total\{.*\} (\d+)$", metrics, re.MULTILINE)
    assert sum(map(int, answered)) == 0


async def test_failures_are_kept_whatever_the_sample(served) -> None:
    def late(_: Any) -> Any:
        raise UpstreamTimeout("too late", sent=True)

    async with served(ops_sample=0) as site:
        site.house.provider.answer = late
        assert await site.call("GET", "/orders/v1/orders/1") == 504
        page = (await site.get("/ops/exchanges")).text
    assert "None yet" in page
    (failed,) = rows(page)
    assert "not sampled" in failed
    assert "not known" in failed, "how much of it was the provider's, nobody has measured"


@pytest.mark.parametrize(
    ("letters", "said"), [(lambda: 3, "3 dead letters"), (lambda: 0, "no dead letters"), (lambda: None, "")]
)
async def test_dead_letters_are_counted_where_there_are_listeners(served, letters, said) -> None:
    async with served(letters=letters) as site:
        page = (await site.get("/ops/workers")).text
    found = re.findall(r"</span>(\d dead letters|no dead letters)</span>", page)
    assert found == ([said] if said else [])


async def test_a_database_that_is_away_takes_its_number_from_the_page_and_nothing_else(
    served, caplog
) -> None:
    def away() -> int:
        raise ConnectionError("postgresql://user:secret@db")

    async with served(letters=away) as site:
        assert (await site.get("/ops/workers")).status == 200
    assert "dead letters could not be counted (ConnectionError)" in caplog.text
    assert "secret" not in caplog.text


async def test_a_fault_in_what_is_shown_is_no_fault_of_the_answer(served, monkeypatch, caplog) -> None:
    def broken(*_: Any) -> Any:
        raise RuntimeError("planted")

    async with served() as site:
        monkeypatch.setattr("runtime_proxy.console.looking.seen", broken)
        assert await site.call("POST", "/orders/v1/orders", ORDER) == 201
        assert await site.call("POST", "/orders/v1/orders", ORDER) == 201
    assert caplog.text.count("an exchange could not be shown") == 1


async def test_workers_write_only_while_somebody_looks(served, tmp_path) -> None:
    async with served() as site:
        file = tmp_path / "run" / "ops" / "proxy.json"
        site.house.plane._meters.page()
        assert not file.exists()
        await site.get("/ops")
        assert file.stat().st_mode & 0o777 == 0o600
        file.unlink()
        site.house.plane._meters.page()
        assert file.exists(), "it goes on for a while"
        os.utime(file.with_name("looked"), (0, 0))
        file.unlink()
        site.house.plane._meters.page()
        assert not file.exists()


async def test_search_finds_and_escapes(served) -> None:
    async with served() as site:
        assert rows((await site.get("/ops?find=ORD")).text)
        none = (await site.get("/ops?find=%3Cscript%3E")).text
        assert "&lt;script&gt;" in none
        assert "<script>" not in none
        (row,) = rows((await site.get("/ops/limits?find=ward")).text)
        assert row.startswith("consumer/ward")


def fronts(**settings: Any) -> list[Any]:
    return [
        front for front in fronts_of(load({"data": "unused", **settings}, environ={})) if front.is_console
    ]


def test_the_console_is_off_by_default_and_beyond_loopback_only_over_tls() -> None:
    assert fronts() == []
    (front,) = fronts(ops_listen="[::1]:8799")
    assert (front.host, front.port, front.audiences) == ("::1", 8799, frozenset())
    assert not front.tells
    for setting, why in (
        ("10.0.0.5:8799", "needs TLS"),
        ("console", "HOST:PORT"),
        ("127.0.0.1:8701", "port of its own"),
    ):
        with pytest.raises(SettingsError) as refused:
            fronts(ops_listen=setting)
        assert why in f"{refused.value.message} {refused.value.hint}"
    assert fronts(ops_listen="10.0.0.5:8799", proxy_tls_certificate="chain.pem")


def test_the_token_is_made_once_and_read_by_its_owner_alone(tmp_path) -> None:
    token = ops_token(tmp_path)
    assert len(token) >= 32
    assert ops_token(tmp_path) == token
    file = tmp_path / "tokens" / "ops.token"
    assert file.stat().st_mode & 0o777 == 0o600
    file.chmod(0o644)
    with pytest.raises(SealingError, match="mode 0644"):
        ops_token(tmp_path)


def a_worker(name: str, *, left: int, circuit: str, calls: int, shared: bool | None = None) -> WorkerNow:
    window = Window(60.0, (calls, *[0] * 14), (0, calls, *[0] * 11))
    route = RouteNow(
        "orders v1", "/orders/v1", "internal", "1.1.0", ("1.0.0", "1.1.0"), "laboratory", "http", circuit, 2, 1, 3,
        denied=False, report_only=True, upstreams=(UpstreamNow("a", healthy=True, ejected=circuit == "open", in_flight=1),),
        window=window, refused={"over-limit": 2},
    )  # fmt: skip
    return WorkerNow(
        worker=name, pid=7, at=0.0, started=0.0, serials={"routes": 4}, lag_seconds=0.0, trouble="", troubles={},
        activations=1, refused_bundles=0, draining=False, shared_limits=shared, listeners={}, routes=(route,), unmatched={},
        limits=(LimitNow("consumer/ward", "calls", "600 in 60 s", left, 9),), more_limits=0, denials=(), kept=(), failed=(),
    )  # fmt: skip


def test_several_workers_are_told_as_one() -> None:
    two = [
        a_worker("proxy-0", left=3, circuit="closed", calls=600),
        a_worker("proxy-1", left=0, circuit="open", calls=60),
    ]
    ((row,), many) = views.route_rows(two, "")
    assert many == 1
    assert (row.per_second, row.in_flight, row.waiting, row.others) == ("11", 4, 2, "1.0.0")
    assert (row.p50, row.own_p99) == ("under 5 ms", "0.25 ms")
    assert [one.word for one in row.guards] == [
        "circuit closed in 1 of 2",
        "circuit open in 1 of 2",
        "6 had no room",
    ]
    assert [(one.look, one.word) for one in row.upstreams] == [("warn", "a left out by 1 of 2")]
    assert [one.word for one in row.states] == ["report only"]
    assert row.refused == (("over-limit", 4),)
    assert views.limit_rows(two, "")[0][0].left == 3
    shared = [
        a_worker("proxy-0", left=3, circuit="none", calls=0, shared=True),
        a_worker("proxy-1", left=2, circuit="none", calls=0, shared=True),
    ]
    assert views.limit_rows(shared, "")[0][0].left == 2
    assert views.route_rows(two, "elsewhere") == ([], 0)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0, "untouched"), (None, "when a call ends"), (1, "in 1 s"), (119, "in 119 s"), (121, "in 3 min"), (34211, "in 9 h 30 min"),
     (259200, "in 3 days")],
)  # fmt: skip
def test_when_there_is_more_is_said_in_words(seconds, said) -> None:
    two = []
    for name in ("proxy-0", "proxy-1"):
        worker = a_worker(name, left=1, circuit="none", calls=0)
        limit = msgspec.structs.replace(worker.limits[0], seconds=seconds)
        two.append(msgspec.structs.replace(worker, limits=(limit,)))
    assert [row.more for row in views.limit_rows(two, "")[0]] == [said]


def test_a_minute_is_the_last_one(tmp_path) -> None:
    meters = Meters(tmp_path / "metrics", "proxy", most_rows=256)
    counting = meters._meter(("orders", "1.2.0", "placeOrder"), "laboratory")
    now = [1000.0]
    rates = Rates(clock=lambda: now[0])
    for second in range(121):
        now[0] = 1000.0 + second
        rates.gauge(meters)
        meters.series.numbers[counting.duration] += 1 if second < 60 else 3
        meters.series.numbers[counting.overhead + 2] += 1
    window = rates.windows(meters)["orders v1"]
    assert window.seconds == 60
    assert window.calls == (180 + 3, *[0] * 14)
    assert window.own == (0, 0, 61, *[0] * 10)
    assert window.per_second == pytest.approx(3.05)
    meters.stop()


def test_refusals_beyond_the_bound_are_counted_together() -> None:
    recent = Recent()
    for number in range(MOST_REFUSED + 2):
        recent.refuse(f"route-{number}", "over-limit")
    recent.refuse("route-0", "over-limit")
    assert recent.refused("route-0") == {"over-limit": 2}
    assert recent.refused(f"route-{MOST_REFUSED}") == {"other": 1}
    assert recent.refused("elsewhere") == {}


@pytest.mark.parametrize(
    ("buckets", "part", "seconds"),
    [
        ((0, 0, 0), 0.5, None),
        ((10, 0, 0), 0.5, 0.5),
        ((0, 10, 0), 0.5, 1.5),
        ((5, 5, 0), 0.99, 1.98),
        ((0, 0, 4), 0.5, 2.0),
    ],
)
def test_quantiles_are_spread_within_their_bucket(buckets, part, seconds) -> None:
    found = quantile(buckets, (1.0, 2.0), part)
    assert found == (seconds if seconds is None else pytest.approx(seconds))


def test_items_of_a_limit_are_read_with_their_words() -> None:
    told = b'"calls";r=49;t=0, "a \\"b\\"";r=0;t=17, "slots";r=2'
    found = limits_now("route/x", told, ("calls: 600 in 60 s", "day: 5 a day", "slots: 8 at the same time"))
    assert [(one.left, one.seconds, one.words) for one in found] == [
        (49, 0, "600 in 60 s"),
        (0, 17, "5 a day"),
        (2, None, "8 at the same time"),
    ]


@pytest.mark.chromium
async def test_pages_are_whole_for_everybody(served, kit) -> None:
    """No complaint in the console, nothing wider than a phone, every control named, headings in order."""
    program = shutil.which("chromium")
    if program is None:
        pytest.skip("chromium is not installed: apt-get install chromium")
    from playwright.async_api import async_playwright

    said: list[str] = []
    async with served() as site, async_playwright() as playwright:
        await _some_traffic(site, kit)
        browser = await playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        context = await browser.new_context(
            viewport={"width": 320, "height": 800},
            http_credentials={"username": "ops", "password": site.token},
        )
        page = await context.new_page()
        page.on("console", lambda message: said.append(message.text))
        # Chromium fetches the icon after the page, and gives it up when the page is left.
        page.on(
            "requestfailed", lambda one: None if one.failure == "net::ERR_ABORTED" else said.append(one.url)
        )
        for path in (*PAGES, "/ops?find=orders"):
            answer = await page.goto(site.url + path)
            assert answer.status == 200, path
            assert await page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), path
            unnamed = "[...document.querySelectorAll('input')].filter(e => !e.labels.length).length"
            assert await page.evaluate(unnamed) == 0, path
            levels = await page.evaluate("[...document.querySelectorAll('h1,h2,h3')].map(e => +e.tagName[1])")
            assert levels[0] == 1, path
            assert all(after - before <= 1 for before, after in itertools.pairwise(levels)), (path, levels)
            small = "[...document.querySelectorAll('button, nav a')].filter(e => e.getBoundingClientRect().height < 24).length"
            assert await page.evaluate(small) == 0, path
            assert await page.evaluate("document.querySelectorAll('[aria-current=page]').length") == 1, path
        await browser.close()
    assert said == []

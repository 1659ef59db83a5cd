"""Ask the authorization server what an opaque token is good for (RFC 7662): once at a time, and briefly remembered."""

from __future__ import annotations

import asyncio
import base64
import logging
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, urlencode

from kernel.operation.strict_json import read_json
from kernel.operation.violation import Undecodable
from runtime_proxy.errors import ActivationFailed
from runtime_proxy.fetching import FetchFailed
from runtime_proxy.jwt import Claims, TokenRefused, TokenUndecided, check_answer

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from kernel.bundle.trust import Introspection
    from runtime_proxy.fetching import Fetched

log = logging.getLogger("interlock.proxy")

REFUSED_SECONDS: Final = 10.0  # that a token which is not active is not asked about again
_FAILED_SECONDS: Final = 1.0  # that a token is not asked about again after a failure
_MOST_ASKING: Final = 256  # tokens that are asked about at the same time
_MOST_ANSWERS: Final = 20_000
_LONGEST_SECRET: Final = 4096

Answer = Claims | TokenRefused | TokenUndecided


class Introspector:
    """Answers for opaque tokens; `post` sends a form, `clock` counts seconds and never goes back.

    A failure is never an answer: without one the call is refused (503), whatever was said before.
    `asked_for` counts how often the server was asked.
    """

    def __init__(
        self,
        asked: Introspection,
        post: Callable[[bytes, bytes], Awaitable[Fetched]],
        secret: str,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.asked_for = 0
        self._asked = asked
        self._post = post
        self._clock = clock
        # RFC 6749 section 2.3.1: both are form-encoded before they are joined.
        pair = f"{quote(asked.client_id, safe='')}:{quote(secret, safe='')}"
        self._authorization = b"Basic " + base64.b64encode(pair.encode())
        self._asking: dict[bytes, asyncio.Task[None]] = {}
        self._answers: dict[bytes, tuple[float, Answer]] = {}

    def find(self, token: bytes, digest: bytes, now: float) -> Claims | asyncio.Future[None]:
        """Give what was answered, or what to wait for; `now` in seconds since the epoch.

        Raises `TokenRefused` or `TokenUndecided`. Call it inside the serving event loop.
        """
        answer = self._answers.get(digest)
        if answer is not None:
            until, said = answer
            if isinstance(said, Claims):
                del self._answers[digest]  # whoever asked remembers it from now on
                if said.expires_at > now:
                    return said
            elif self._clock() < until:
                raise type(said)(*said.args)  # the kept one must not gather tracebacks
        task = self._asking.get(digest)
        if task is None:
            if len(self._asking) >= _MOST_ASKING:
                raise TokenUndecided
            task = self._asking[digest] = asyncio.get_running_loop().create_task(
                self._ask(token, digest, now)
            )
        return task

    async def close(self) -> None:
        """Give up what is being asked."""
        for task in tuple(self._asking.values()):
            task.cancel()
        await asyncio.gather(*self._asking.values(), return_exceptions=True)

    async def _ask(self, token: bytes, digest: bytes, now: float) -> None:
        self.asked_for += 1
        answer: Answer
        seconds = REFUSED_SECONDS
        try:
            form = urlencode({"token": token, "token_type_hint": "access_token"}).encode()
            answer = self._judged((await self._post(form, self._authorization)).body, now, token)
        except TokenRefused as error:
            answer = error
        except FetchFailed as error:
            log.warning("introspection failed: %s", error)
            answer, seconds = TokenUndecided(), _FAILED_SECONDS
        except Exception as error:
            log.exception("a fault while a token was asked about")
            answer, seconds = TokenUndecided(type(error).__name__), _FAILED_SECONDS
        finally:
            self._asking.pop(digest, None)
        self._keep(digest, answer, self._clock() + seconds)

    def _judged(self, body: bytes, now: float, token: bytes) -> Claims:
        try:
            said = read_json(body)
        except Undecodable:
            raise FetchFailed(f"{self._asked.endpoint} answered no JSON") from None
        if not isinstance(said, dict) or not isinstance(said.get("active"), bool):
            raise FetchFailed(f"{self._asked.endpoint} did not say whether a token is active")
        if said["active"] is not True:
            raise TokenRefused("The token is not active.")
        return check_answer(said, self._asked, now, token)

    def _keep(self, digest: bytes, answer: Answer, until: float) -> None:
        if len(self._answers) >= _MOST_ANSWERS:
            now = self._clock()
            self._answers = {key: one for key, one in self._answers.items() if one[0] > now}
            while len(self._answers) >= _MOST_ANSWERS:
                del self._answers[next(iter(self._answers))]
        self._answers[digest] = (until, answer)


def read_secret(asked: Introspection) -> str:
    """Read the password of the proxy at the authorization server; raises `ActivationFailed`."""
    file = Path(asked.secret_file)
    try:
        with file.open("rb") as opened:
            data = opened.read(_LONGEST_SECRET + 1)
        secret = data.decode().strip()
    except (OSError, UnicodeDecodeError):
        secret, data = "", b""
    if not secret or len(data) > _LONGEST_SECRET:
        raise ActivationFailed(
            f"the secret for introspection at {asked.endpoint} cannot be read",
            hint="secret_file names a file on the proxy's host with one line, readable for it alone",
        )
    return secret

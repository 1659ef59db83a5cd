"""Applications without any framework, and some that go wrong: imported by tests/ci/test_drift.py."""

import json
import os
from pathlib import Path

import yaml

CONTRACT = yaml.safe_load((Path(__file__).parent / "wards.yaml").read_text())


def changed(act):
    document = json.loads(json.dumps(CONTRACT))
    act(document)
    return document


same = CONTRACT
adds = changed(
    lambda d: d["paths"].update({"/health": {"get": {"responses": {"200": {"description": "well"}}}}})
)
breaks = changed(lambda d: d["components"]["schemas"]["Ward"]["required"].append("floor"))
lacks = changed(lambda d: d["paths"]["/wards"].pop("post"))
mounted = changed(lambda d: d.update(paths={"/api/v1" + path: item for path, item in d["paths"].items()}))
beside = changed(
    lambda d: d.update(
        paths={
            "/api/wards": {"get": d["paths"]["/wards"]["get"]},  # what is mounted lacks the POST …
            "/wards": d["paths"]["/wards"],  # … that something beside it has
            "/apiwards": d["paths"]["/wards"],
        }
    )
)
noisy = changed(lambda d: d.update(servers=[{"url": "http://elsewhere"}], tags=[{"name": "x"}]))
shapeless = ["no", "document"]
number = 7
invalid = {"openapi": "9.9.9", "paths": {}}


class Framework:
    """As FastAPI has it."""

    def openapi(self):
        return same


framework = Framework()


def make():
    return same


def sees():
    """Break what it says by what it sees: the environment of Interlock must not come here."""
    known = {
        "HOME",
        "LANG",
        "LC_CTYPE",
        "OLDPWD",
        "PATH",
        "PWD",
        "PYTHONDONTWRITEBYTECODE",
        "SHLVL",
        "TMPDIR",
        "_",
    }
    assert set(os.environ) <= known, sorted(set(os.environ) - known)
    return same


def wants():
    return same if os.environ["WANTED"] == "1" else lacks


def talks():
    import socket

    socket.create_connection(("127.0.0.1", 9), timeout=1)


def starts():
    import subprocess

    subprocess.run(["true"], check=False)


def sleeps():
    import time

    time.sleep(600)


def leaves():
    raise SystemExit(0)


def dies():
    os._exit(3)


def prints():
    print('{"document": {"openapi": "3.1.0", "info": {}, "paths": {}}}')
    return same


async def asgi(scope, receive, send):
    found = scope["path"] == "/schema.json"
    await send({"type": "http.response.start", "status": 200 if found else 404, "headers": []})
    await send({"type": "http.response.body", "body": json.dumps(same).encode() if found else b""})


def wsgi(environ, start_response):
    start_response("200 OK", [])
    return [json.dumps(same).encode()]

"""Nobody but the person who followed the link is answered, and every answer says what a browser may do with it."""

from __future__ import annotations

import asyncio
import re

import pytest

from forensics.review import read
from forensics.review.web import guard
from tests.review.made import two_incidents
from tests.review.web.asking import HOST, OWN, Client


@pytest.fixture
def case(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return two_incidents(tmp_path).case


def test_the_link_opens_the_desk_once(case):
    client = Client(case, "A. Reviewer")
    link = client.guard.address
    assert re.fullmatch(rf"{OWN}/\?token=[\w-]{{43}}", link)
    assert client.get("/").status == 403
    first = client.get(f"/?token={client.guard.token}")
    assert (first.status, first.headers["location"]) == (303, "/")
    cookie = first.headers["set-cookie"]
    assert re.fullmatch(r"missent-c0ffee-8000=[\w-]{43}; Path=/; HttpOnly; SameSite=Strict", cookie)
    assert client.guard.token not in cookie
    assert client.get(f"/?token={client.guard.token}").status == 403
    client.headers["cookie"] = f"other=1; {cookie.split(';')[0]}; missent-other-1=2"
    assert client.get("/").status == 200
    again = client.get(f"/?token={client.guard.token}")
    assert (again.status, again.headers["location"]) == (303, "/")
    assert "set-cookie" not in again.headers


@pytest.mark.parametrize("query", ["token=", "token=x", "token={t}x", "token={t}&token={t}", "TOKEN={t}"])
def test_another_token_opens_nothing(case, query):
    client = Client(case, "A. Reviewer")
    answer = client.get("/?" + query.format(t=client.guard.token))
    assert answer.status == 403
    assert "set-cookie" not in answer.headers
    assert client.get(f"/?token={client.guard.token}").status == 303, "the link was not used up"


def test_looking_at_the_link_does_not_use_it_up(case):
    client = Client(case, "A. Reviewer")
    assert client.ask("HEAD", f"/?token={client.guard.token}").status == 403
    assert client.get(f"/?token={client.guard.token}").status == 303


@pytest.mark.parametrize(
    "cookie", ["", "missent-c0ffee-8000=", "missent-c0ffee-8000=x", "missent-c0ffee-8001={v}", "x={v}", "{c}; {c}"]
)
def test_another_cookie_opens_nothing(case, cookie):
    client = Client(case, "A. Reviewer").opened()
    good = client.headers["cookie"]
    sent = cookie.format(v=good.split("=")[1], c=good)
    for path in ("/", "/desk.js", "/desk.css", "/list/i1", "/none"):
        assert client.get(path, headers={"cookie": sent}).status == 403


@pytest.mark.parametrize(
    "host",
    [None, "", "127.0.0.1", "127.0.0.1:8001", "localhost:8000", "evil.example", "evil.example:8000", "[::1]:8000"],
)
def test_another_host_is_refused_whatever_it_brings(case, host):
    client = Client(case, "A. Reviewer").opened()
    page = client.get("/")
    assert client.get("/", headers={"host": host}).status == 421
    assert client.get(f"/?token={client.guard.token}", headers={"host": host}).status == 421
    form = {"state": page.value("state"), "incident": "i1", "scope": "incident", "verdict": "confirmed", "reason": "x"}
    assert client.post("/rule", form, headers={"host": host}).status == 421
    assert read(case) == ()


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": None},
        {"origin": "null"},
        {"origin": "http://evil.example"},
        {"origin": "http://127.0.0.1:8001"},
        {"origin": f"https://{HOST}"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"cookie": None},
        {"cookie": "missent-c0ffee-8000=x"},
    ],
)
def test_nothing_is_recorded_for_another_page(case, headers):
    client = Client(case, "A. Reviewer").opened()
    page = client.get("/")
    form = {"state": page.value("state"), "incident": "i1", "scope": "incident", "verdict": "confirmed", "reason": "x"}
    assert client.post("/rule", form, headers=headers).status == 403
    assert client.post("/undo", form, headers=headers).status == 403
    assert read(case) == ()
    assert client.post("/rule", form, headers={"sec-fetch-site": "same-origin"}).status == 303
    assert len(read(case)) == 1


def test_reading_from_another_page_is_refused(case):
    client = Client(case, "A. Reviewer").opened()
    assert client.get("/", headers={"origin": "http://evil.example"}).status == 403
    assert client.get("/", headers={"origin": OWN}).status == 200


@pytest.mark.parametrize(("method", "status"), [("PUT", 405), ("OPTIONS", 405), ("TRACE", 405), ("DELETE", 405)])
def test_other_methods(case, method, status):
    client = Client(case, "A. Reviewer").opened()
    assert client.ask(method, "/", headers={"origin": OWN}).status == status


def test_every_answer_carries_the_policy(case, monkeypatch):
    client = Client(case, "A. Reviewer")
    answers = [client.get("/"), client.get("/?token=x"), client.get("/", headers={"host": "evil.example"})]
    answers.append(client.get(f"/?token={client.guard.token}"))
    client.headers["cookie"] = answers[-1].headers["set-cookie"].split(";")[0]
    page = client.get("/")
    answers += [page, client.get("/none"), client.get("/desk.js"), client.get("/rule"), client.ask("PUT", "/")]
    answers += [client.get("/list/none"), client.get("/list/i1?scope=incident")]
    answers += [client.rule(page, "confirmed", "seen"), client.rule(page, "confirmed", "late")]
    answers.append(client.post("/rule", {}, headers={"content-type": "text/plain"}))
    answers.append(client.post("/rule", {"x": "y"}, headers={"content-length": str(guard.LARGEST + 1)}))
    case.findings.write_bytes(b"no table")
    answers.append(client.get("/"))
    assert sorted({one.status for one in answers}) == [200, 303, 400, 403, 404, 405, 409, 413, 421, 500]
    for one in answers:
        policy = one.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; ")
        assert not re.search(r"unsafe|https?:|data:|\*", policy)
        assert one.headers["referrer-policy"] == "no-referrer"
        assert one.headers["x-content-type-options"] == "nosniff"
        assert one.headers["cache-control"] == "no-store"
        assert one.often["content-security-policy"] == 1


def test_a_body_that_does_not_end_is_not_read(case):
    client = Client(case, "A. Reviewer").opened()
    body = b"reason=" + b"x" * (guard.LARGEST + 1)
    headers = {"origin": OWN, "content-type": "application/x-www-form-urlencoded"}
    assert client.ask("POST", "/rule", headers=headers, body=body).status == 413
    for length in ("-1", "1e3", "4294967296", "٣"):
        sent = client.post("/rule", {}, headers={"content-length": length}) if length.isascii() else None
        assert sent is None or sent.status == 413


def test_read_only_takes_nothing(case):
    before = {path: (path.stat().st_mtime_ns, path.stat().st_size) for path in case.folder.rglob("*")}
    client = Client(case, read_only=True).opened()
    page = client.get("/?records=1")
    assert page.status == 200
    assert "read only" in page.text
    assert "data-rule" not in page.text
    for path in ("/rule", "/undo", "/reviewer", "/none"):
        assert client.post(path, {"verdict": "confirmed", "reason": "x", "reviewer": "M"}).status == 403
    assert {path: (path.stat().st_mtime_ns, path.stat().st_size) for path in case.folder.rglob("*")} == before


def test_a_web_socket_is_closed(case):
    client = Client(case, "A. Reviewer")
    sent = []

    async def send(message):
        sent.append(message)

    asyncio.run(client.guard({"type": "websocket", "headers": []}, None, send))  # type: ignore[arg-type]
    assert sent == [{"type": "websocket.close", "code": 1008}]

"""The scenes: each submits mail and says which deliveries are to come of it."""

from __future__ import annotations

import re

from tests.postfix.drill import Drill, Row, message
from tests.postfix.sinks import submit


def plain(d: Drill) -> None:
    d.send("plain", ["one@accept.example"])
    d.expect("plain", "one@accept.example")
    d.send("mixed", ["yes@accept.example", "no@refuse.example", "odd@data.example"])
    d.expect("mixed", "yes@accept.example")
    d.expect("mixed", "no@refuse.example", "bounced")
    d.expect("mixed", "odd@data.example", "bounced")
    d.reports["mixed@albion.example"] += 1
    d.send("null", ["no@refuse.example", "yes@accept.example"], sender="")
    d.expect("null", "no@refuse.example", "bounced", sender="")
    d.expect("null", "yes@accept.example", sender="")


def expansion(d: Drill) -> None:
    d.send("team", ["Team@groups.albion.example"])
    d.expect("team", "a@accept.example", original="Team@groups.albion.example")
    d.expect("team", "b@refuse.example", "bounced", original="Team@groups.albion.example")
    d.expect("team", "Box.One@box.albion.example", original="Team@groups.albion.example")
    d.reports["team@albion.example"] += 1
    d.send("crew", ["crew@lists.albion.example"])
    for who in "cd":
        d.expect("crew", f"{who}@accept.example", original="crew@lists.albion.example", hops=1)
    d.send("loop", ["loop@lists.albion.example", "one@accept.example"])
    d.expect("loop", "one@accept.example")
    for who in "cde":
        d.expect("loop", f"{who}@accept.example", original="loop@lists.albion.example", hops=1)
    d.send("watched", ["watched@accept.example"])
    d.expect("watched", "watched@accept.example")
    d.expect("watched", "audit@accept.example")


def filtered(d: Drill) -> None:
    d.send("filtered", ["one@accept.example", "scanned@groups.albion.example", "no@refuse.example"], service="filtered")
    d.expect("filtered", "one@accept.example", hops=1)
    d.expect("filtered", "f@accept.example", original="scanned@groups.albion.example", hops=1)
    d.expect("filtered", "g@accept.example", original="scanned@groups.albion.example", hops=1)
    d.expect("filtered", "no@refuse.example", "bounced", hops=1)
    d.reports["filtered@albion.example"] += 1


def agents(d: Drill) -> None:
    d.send("agents", ["x@gone.example", "x@fails.example", "x@nil.example", "toerror@groups.albion.example"])
    d.expect("agents", "x@gone.example", "unknown")  # a program of this host, for a domain that it does not serve
    d.expect("agents", "x@fails.example", "bounced")
    d.expect("agents", "x@error.example", "bounced", original="toerror@groups.albion.example")
    d.expect("agents", "x@nil.example", "discarded")
    d.reports["agents@albion.example"] += 1


def look_alike_ids(d: Drill) -> None:
    """Ids that the evidence does not hold as a continuation. What a server of this host took is then unknown; what a
    server of others answers changes nothing."""
    for place, outcome in (("here", "unknown"), ("away", "delivered")):
        d.send(f"foreign-{place}", [f"x@foreign-{place}.example"])
        d.expect(f"foreign-{place}", f"x@foreign-{place}.example", outcome)
        for name in (f"echo1-{place}", f"echo2-{place}", f"echo3-{place}"):
            queue_id = d.send(name, [f"x@echo-{place}.example"])
            d.postfix.wait_log(f"{queue_id}: removed")
            d.expect(name, f"x@echo-{place}.example", outcome)


def checks(d: Drill) -> None:
    for action, outcome in (("DISCARD", "discarded"), ("REJECT", "rejected")):
        name = action.lower()
        content = message(name, f"{action} this")
        submit(d.postfix.ports["submission"], f"{name}@albion.example", ["one@accept.example"], content)
        d.expect(name, "one@accept.example", outcome, subject=f"{action} this", attempts=0)
    d.send("redirect", ["one@accept.example"], "REDIRECT this")
    d.expect("redirect", "elsewhere@accept.example", subject="REDIRECT this", original="one@accept.example")
    d.send("bcc", ["one@accept.example"], "BCC this")
    d.expect("bcc", "one@accept.example", subject="BCC this")
    d.expect("bcc", "copy@accept.example", subject="BCC this", role="bcc")


def refused_here(d: Drill) -> None:
    port = d.postfix.ports["submission"]
    sender = "refused@albion.example"
    _, codes = submit(port, sender, ["blocked@accept.example"], b"")
    assert codes == [554]
    d.expected.append(Row(None, "blocked@accept.example", None, "rejected", sender, 0, None))
    _, codes = submit(port, sender, ["x@error.example"], b"")
    assert codes == [550]
    d.expected.append(Row(None, "x@error.example", None, "rejected", sender, 0, None))
    _, codes = submit(port, "grey@albion.example", ["grey@accept.example"], b"")
    assert codes == [450]
    d.send("grey", ["grey@accept.example"])
    d.expect("grey", "grey@accept.example", attempts=2)
    _, codes = submit(port, "put-off@albion.example", ["grey-for-good@accept.example"], b"")
    assert codes == [450]
    d.expected.append(Row(None, "grey-for-good@accept.example", None, "deferred", "put-off@albion.example", 0, None))


def spelling(d: Drill) -> None:
    d.send("twice", ["Anna.Bell@accept.example", "anna.bell@ACCEPT.example", "Anna.Bell@accept.example"])
    d.expect("twice", "Anna.Bell@accept.example")
    d.send("directly", ["team@groups.albion.example", "a@accept.example", "Box.One@box.albion.example"])
    d.expect("directly", "a@accept.example", attempts=2)
    d.expect("directly", "b@refuse.example", "bounced", original="team@groups.albion.example")
    d.expect("directly", "Box.One@box.albion.example", attempts=2)
    d.reports["directly@albion.example"] += 1
    for number, local in enumerate(
        ('"john doe"', '"a>b, relay=x, to=<y@z>"', '"x; from=<a@b> to=<c@d>"', "o'neil+tag")
    ):
        d.send(f"quoted{number}", [f"{local}@accept.example"])
        d.expect(f"quoted{number}", f"{local}@accept.example")
    d.send("utf8", ["jörg@bücher.example", "zoë@accept.example"], "Grüße", utf8=True)
    d.expect("utf8", "jörg@bücher.example", subject="Grüße")
    d.expect("utf8", "zoë@accept.example", subject="Grüße")
    d.send("sender", ["one@accept.example"], sender='"a b, size=1, nrcpt=9 (queue active)"@albion.example')
    d.expect("sender", "one@accept.example", sender='"a b, size=1, nrcpt=9 (queue active)"@albion.example')


HOSTILE = (
    b"from=<fake@x> to=<fake2@x>",
    b"x from evil[192.0.2.1]; from=<fake@x> to=<fake2@x> proto=ESMTP helo=<x>",
    b"x\r\n from=<fake@x> to=<fake2@x>",
    b"x\r\n ; from=<fake@x> to=<fake2@x> proto=ESMTP helo=<x>: ",
    b"1234567890: to=<fake@x>, relay=x[192.0.2.1]:25, delay=1, delays=0/0/0/1, status=sent (250 queued as AB)",
    b"caf\xe9 \xff\xfe and \t tab",
    b"caf\xc3\xa9 =?utf-8?Q?na=C3=AFve?=",
)


def hostile(d: Drill) -> None:
    for number, subject in enumerate(HOSTILE):
        d.send(f"hostile{number}", ["one@accept.example"], subject)
        d.expect(f"hostile{number}", "one@accept.example", subject=logged(subject))
        name, content = f"rejected{number}", b"REJECT " + subject
        submit(d.postfix.ports["submission"], f"{name}@albion.example", ["one@accept.example"], message(name, content))
        d.expect(name, "one@accept.example", "rejected", subject=logged(content), attempts=0)
    helo = "x; from=<fake@x> to=<fake2@x> proto=ESMTP helo=<y"
    d.send("helo", ["one@accept.example"], helo=helo)
    d.expect("helo", "one@accept.example")
    quoted = '"x; from=<a@b> to=<c@d> proto=ESMTP helo=<x>"@accept.example'
    refused = quoted.replace("x;", "not-x;")
    for name, recipient, greeting in (("no-helo", "one@accept.example", helo), ("no-quoted", quoted, "client.example")):
        content = message(name, b"REJECT this")
        submit(d.postfix.ports["submission"], f"{name}@albion.example", [recipient], content, helo=greeting)
        d.expect(name, recipient, "rejected", subject="REJECT this", attempts=0)
        _, codes = submit(d.postfix.ports["submission"], quoted, [refused], b"", helo=greeting)
        assert codes == [554]
        d.expected.append(Row(None, refused, None, "rejected", quoted, 0, None))


def logged(subject: bytes) -> str:
    """A subject as cleanup(8) logs it: what is not printable as `?`, at most 200 bytes of the header."""
    text = subject.replace(b"\r\n", b"?").replace(b"\t", b"?")[: 200 - len("Subject: ")]
    try:
        plain = text.decode("utf-8")
    except UnicodeDecodeError:
        plain = re.sub(rb"[^ -~]", b"?", text).decode()
    return plain.replace("=?utf-8?Q?na=C3=AFve?=", "naïve")


def local(d: Drill) -> None:
    d.postfix.run("sendmail", "-f", "local@albion.example", "one@accept.example", stdin=message("local", "Local"))
    d.expect("local", "one@accept.example", subject="Local")
    d.postfix.run("sendmail", "-f", "probe@albion.example", "-bv", "one@accept.example", "no@refuse.example")
    d.reports["probe@albion.example"] += 1


def held(d: Drill) -> None:
    released, deleted, left = (
        d.send(name, ["one@accept.example"], "HOLD this") for name in ("released", "deleted", "left")
    )
    d.postfix.run("postsuper", "-H", released)
    d.postfix.run("postsuper", "-d", deleted)
    d.kept.add(left)
    d.expect("released", "one@accept.example", subject="HOLD this")
    d.expect("deleted", "one@accept.example", "discarded", subject="HOLD this", attempts=0)
    d.expect("left", "one@accept.example", "held", subject="HOLD this", attempts=0)
    queue_id = d.send("put-aside", ["x@never.example"])
    d.postfix.wait_log(f"{queue_id}: to=<.*status=deferred")
    d.postfix.run("postsuper", "-h", queue_id)
    d.kept.add(queue_id)
    d.expect("put-aside", "x@never.example", "held", attempts=0)


def deferred(d: Drill) -> None:
    d.send("later", ["x@later.example", "one@accept.example"])
    d.expect("later", "x@later.example", attempts=2)
    d.expect("later", "one@accept.example")
    d.send("expires", ["x@never.example", "one@accept.example"])
    d.expect("expires", "x@never.example", "expired", attempts=0)
    d.expect("expires", "one@accept.example")
    d.reports["expires@albion.example"] += 1
    requeued = d.send("requeued", ["requeued@later.example"])
    forced = d.send("forced", ["x@never.example"])
    d.postfix.wait_log(f"{requeued}: to=<.*status=deferred")
    d.postfix.run("postsuper", "-r", requeued)
    d.expect("requeued", "requeued@later.example", hops=1, attempts=2)
    d.postfix.wait_log(f"{forced}: to=<.*status=deferred")
    d.postfix.run("postsuper", "-e", forced)
    d.postfix.run("postqueue", "-f")
    d.expect("forced", "x@never.example", "expired", attempts=0)
    d.reports["forced@albion.example"] += 1


def unsettled(d: Drill) -> None:
    """Comes last: still waiting when the log ends."""
    queue_id = d.send("waiting", ["x@never.example", "one@accept.example"])
    d.postfix.wait_log(f"{queue_id}: to=<x@.*status=deferred")
    d.postfix.wait_log(f"{queue_id}: to=<one@.*status=sent")
    d.expect("waiting", "x@never.example", "deferred", attempts=0)
    d.expect("waiting", "one@accept.example")

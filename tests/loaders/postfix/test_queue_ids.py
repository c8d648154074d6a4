"""Queue ids of every form; a line that speaks of a message is never passed over because its id looks like none."""

from __future__ import annotations

from pathlib import Path

import pytest

from forensics import pipeline
from forensics.case import Case
from forensics.custody import manifest

LOG = """\
2023-06-09T07:50:00+00:00 gw1 postfix/smtpd[1]: {id}: client=a.example.org[192.0.2.1]
2023-06-09T07:50:00+00:00 gw1 postfix/cleanup[2]: {id}: message-id=<m1@example.org>
2023-06-09T07:50:00+00:00 gw1 postfix/qmgr[3]: {id}: from=<a@example.org>, size=10, nrcpt=1 (queue active)
2023-06-09T07:50:01+00:00 gw1 postfix/smtp[4]: {id}: to=<b@example.com>, relay=mx[192.0.2.9]:25, delay=1, delays=0/0/1/0, dsn=2.0.0, status=sent (250 2.0.0 Ok)
2023-06-09T07:50:01+00:00 gw1 postfix/qmgr[3]: {id}: removed
"""


IDS = ["C4AAD24A472", "4jYb3c4BDWzL5Qb", "4100000000G", "41000000001", "ABCDEF", "q1w2e3r4t5"]


def read(tmp_path: Path, identity: str) -> pipeline.Ingested:
    log = tmp_path / "mail.log"
    log.write_text(LOG.format(id=identity))
    return pipeline.ingest([log], tmp_path / "case", org=["example.org"])


@pytest.mark.parametrize("identity", IDS)
def test_forms_of_queue_ids(tmp_path: Path, identity: str) -> None:
    result = read(tmp_path, identity)
    assert (result.records, result.used, result.deliveries) == (5, 5, 1)


def test_an_id_of_unknown_form_is_unread_not_irrelevant(tmp_path: Path) -> None:
    result = read(tmp_path, "odd-id/7")
    assert result.deliveries == 0
    assert result.unread == 4  # all but `removed`, which names no message part
    held = manifest.read(Case(tmp_path / "case"))
    assert held.evidence[0].ignored == {"other lines of qmgr": 1}

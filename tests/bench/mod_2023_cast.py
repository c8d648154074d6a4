"""Who writes to whom in the second worked example, and the 15 slips; see `tests.bench.mod_2023`. All invented."""

from __future__ import annotations

from typing import NamedTuple

MILITARY = {
    "navy.mil": 12,
    "army.mil": 12,
    "us.af.mil": 9,
    "mail.mil": 4,
    "dla.mil": 3,
    "usmc.mil": 3,
    "js.pentagon.mil": 3,
}
"""`.mil` domains and how many people there are written to."""

SUPPLIERS = {
    "corbin-marine.co.uk": 4,
    "haldenoptik.no": 3,
    "tresmere-systems.com": 4,
    "ravn-logistik.dk": 2,
    "quarrygate.co.uk": 3,
    "brechtandadler.de": 3,
    "lodestone-survey.com": 2,
    "sorelaero.fr": 3,
    "wetherdale.ac.uk": 3,
    "anker-catering.co.uk": 2,
    "nato.int": 4,
    "gmail.com": 5,
    "norcott-legal.co.uk": 2,
    "tanner-print.co.uk": 2,
}
"""Everyday correspondents, invented but for nato.int and gmail.com."""


class Malian(NamedTuple):
    """A genuine correspondent in Mali: messages to it, from when, and whether it ever answers."""

    domain: str
    people: tuple[str, ...]
    messages: int
    first: str
    answers: bool


MALIANS = (
    Malian("coordination-sahel.gouv.ml", ("a.keita", "m.coulibaly", "secretariat"), 10, "2022-01-11", True),
    Malian("protocole.gouv.ml", ("visites", "o.sangare"), 5, "2022-02-22", True),
    Malian("telesahel.ml", ("i.toure", "exploitation"), 7, "2022-10-04", True),
    Malian("secours-djoliba.org.ml", ("f.dembele", "bureau"), 6, "2022-01-18", True),
    Malian("niaffa-transit.ml", ("commandes",), 3, "2023-02-07", False),
    Malian("auberge-du-fleuve.com.ml", ("reservation",), 3, "2022-06-14", False),
    Malian("dla.ml", ("s.diakite", "direction"), 4, "2022-05-17", True),  # dla.mil is a correspondent as well
    Malian("lecho-bamako.presse.ml", ("redaction",), 1, "2023-05-30", False),
    Malian("institut-kayira.edu.ml", ("scolarite",), 1, "2022-11-22", False),
)
"""40 messages in all: correspondents old and new, some that never answer, one whose name is also a `.mil` one."""


class Slip(NamedTuple):
    """One misdirected message: when, to whom it was meant, and what the sender did next.

    `who` is how the sender knows the address: `own` (has written to it before), `colleague` (only others have),
    `new` (nobody has), `reply-all` (carries on the slip before), `again` (the sender of the slip before repeats it).
    `resent` is the time in minutes until the corrected re-send, after the bounce where there is one.
    """

    date: str
    domain: str
    who: str
    subject: str
    resent: float | None = None
    size: int = 0


SLIPS = (
    Slip("2022-02-15", "navy.mil", "own", "OFFICIAL: Visitor passes for Thursday", 6),
    Slip("2022-03-22", "army.mil", "own", "OFFICIAL: Accommodation for the March exchange"),
    Slip("2022-03-22", "army.mil", "reply-all", "RE: OFFICIAL: Accommodation for the March exchange"),
    Slip("2022-05-10", "navy.mil", "colleague", "OFFICIAL: Joining instructions"),
    Slip("2022-06-28", "us.af.mil", "own", "OFFICIAL: Summer leave dates", 25),
    Slip("2022-09-20", "navy.mil", "own", "OFFICIAL-SENSITIVE: Course nominations", 3),
    Slip("2022-11-08", "army.mil", "new", "OFFICIAL: Introduction"),
    Slip("2023-01-24", "navy.mil", "own", "OFFICIAL: Revised agenda", 118),
    Slip("2023-02-14", "army.mil", "own", "OFFICIAL: Parking and site access"),
    Slip("2023-03-07", "us.af.mil", "own", "OFFICIAL: Conference call details"),
    Slip("2023-03-21", "us.af.mil", "again", "OFFICIAL: Conference call moved to Friday"),
    Slip("2023-04-25", "navy.mil", "colleague", "OFFICIAL: Staff directory update"),
    Slip("2023-05-16", "army.mil", "own", "OFFICIAL: Photographs of the parade", 9, 24_117_248),
    Slip("2023-06-13", "us.af.mil", "own", "OFFICIAL: Travel dates", 25),
    Slip("2023-07-11", "navy.mil", "own", "OFFICIAL: August leave cover"),
)
"""15 messages: seven in 2022, eight in 2023."""

PLAIN = (
    "Agenda for {d}", "Minutes", "Visit programme", "Meeting room", "Leave dates", "Course dates {n}", "Site access",
    "Travel booking {n}", "Spares order {n}", "Press lines", "Training week {w}", "Exercise calendar", "Report {n}",
    "Handover notes", "Lunch on {d}",
)  # fmt: skip
SUBJECTS = (
    *(f"OFFICIAL: {text}" for text in PLAIN),
    "OFFICIAL-SENSITIVE: Draft submission",
    "OFFICIAL-SENSITIVE: Personnel matters",
)

CATCH_ALL = "203.0.113.77"
"""The one server that takes mail for all of the mistyped names that have one."""

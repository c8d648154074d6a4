"""Invented names: people, mailbox conventions, domain names. Every choice comes from the caller's `random.Random`."""

# ruff: noqa: SIM905 (word lists read better as text)

from __future__ import annotations

import random

GIVEN = (
    "adela aldo amina anouk arlo bela benno bram carys celeste dario delphine edda elio emeric esme fabia farid fenna "
    "gaspard gwen hakon hedda ida ilyas imre ines isolde jarl jonna joris kaia karim katell klaas lazare leonie linus "
    "lucian maelle magda malo marek maud milan mirela nadia nilo noor odile oskar otto paola petra quentin rafal "
    "remi rosa runa sanne sefa selim sigrid silvan tamsin tariq thea tilde tomas ulla una valeria vera viggo wanda "
    "wim yara ylva yusuf zelda zora"
).split()

FAMILY = (
    "abara adler ainsley almeida anker aspin baines balogh barlow becker bellamy berger bianchi blom brandt brecht "
    "calder carrow castell cisse conti corbin dacre dahl darrow delmas dunmore eklund elwood engel farrant ferrand "
    "fiske fontaine garnett gerlach gilmour girard hadley hallam harte haugen hobson holm horvath ibarra iverson "
    "jansen jarvis jonsson kahn kemp keita kovac krall lachance lambert larsen leclerc lindqvist lorne maddox maher "
    "maier marchetti marsh mendes mercer moreau nagel nilsen norcott novotny oakes odell orsini pascoe pelletier "
    "penrose petrov quinlan ravn redfern reuter ricci rowntree sadler salas sandoval schreiber sorel stanek sutter "
    "tallis tanner thorne toure urwin vasquez vidal vogel wadham weiss westlake winther wolfe wyatt yates zeller"
).split()

ONSETS = "b br c cl cr d dr f fl g gr h j k kr l m n p pl pr qu r s sc sh sk sl sp st t th tr v w z".split()
VOWELS = "a e i o u ae ai ea ee ia io oa ou y".split()
VOWEL_WEIGHTS = (10, 10, 8, 9, 6, 1, 2, 2, 2, 2, 2, 1, 2, 1)
CODAS = ("", "", "", "n", "r", "l", "s", "x", "m", "t", "k", "nd", "rn", "lt", "st", "ck", "ng")
PLACES = "field ford mere ham wick ton bury dale stead bourne worth brook gate haven hurst combe".split()
TRADES = (
    "marine systems tech labs energy logistics consult media group partners legal design print shipping foods aero "
    "capital health software networks travel engineering research trust institute foundation optics steel events"
).split()

SUFFIXES: tuple[tuple[str, int], ...] = (
    ("com", 520), ("co.uk", 90), ("org", 60), ("net", 45), ("de", 45), ("fr", 30), ("nl", 18), ("eu", 14), ("io", 14),
    ("it", 14), ("es", 12), ("ch", 12), ("se", 10), ("pl", 10), ("ca", 12), ("com.au", 12), ("co.jp", 8),
    ("org.uk", 14), ("ac.uk", 16), ("edu", 16), ("gov.uk", 10), ("co.za", 5), ("com.br", 7), ("in", 6), ("co.nz", 4),
    ("be", 7), ("at", 7),
    ("dk", 6), ("no", 6), ("fi", 5), ("ie", 5), ("us", 4), ("info", 6), ("biz", 3), ("cz", 5), ("cn", 6),
    ("com.cn", 3), ("edu.cn", 4), ("ru", 4), ("tv", 2), ("me", 3), ("co", 3), ("cm", 1), ("or.kr", 2), ("co.kr", 4),
)  # fmt: skip

FREE_MAIL: tuple[tuple[str, int], ...] = (
    ("gmail.com", 300), ("outlook.com", 90), ("hotmail.com", 70), ("yahoo.com", 55), ("hotmail.co.uk", 30),
    ("yahoo.co.uk", 25), ("icloud.com", 25), ("btinternet.com", 15), ("live.com", 14), ("gmx.de", 12), ("web.de", 11),
    ("live.co.uk", 8), ("aol.com", 10), ("googlemail.com", 9), ("me.com", 8), ("gmx.net", 6), ("ymail.com", 5),
    ("mail.com", 4), ("yahoo.fr", 6), ("hotmail.fr", 6), ("orange.fr", 5), ("free.fr", 4), ("gmx.com", 3),
    ("163.com", 4), ("126.com", 3), ("qq.com", 4), ("msn.com", 4), ("yandex.ru", 3), ("mail.ru", 3), ("proton.me", 5),
    ("fastmail.com", 2),
)  # fmt: skip

WELL_KNOWN = frozenset(
    "ibm amd arm hp sap bbc cnn dhl ups abb bmw kpn ing ubs nxp tsm msn aol gmx att nec lge htc vmw rbs kfc ikea "
    "jcb csc bae gsk jpm cgi emc hpe ibm jll kla mtn nba nfl nhl php rwe sas tcs usa vw aig aep amc bp bt bat cvs ebay "
    "dell imf gfk pga kfw who wto eib shell skype sony nokia apple oracle tesla uber visa".split()
)
"""Short names that belong to somebody known: never invented here."""


def pick(rng: random.Random, weighted: tuple[tuple[str, int], ...]) -> str:
    """One entry, by weight."""
    return rng.choices([name for name, _ in weighted], [weight for _, weight in weighted])[0]


def syllable(rng: random.Random, *, last: bool = True) -> str:
    coda = rng.choice(CODAS) if last else rng.choice(("", "", "", "n", "r", "l"))
    return rng.choice(ONSETS) + rng.choices(VOWELS, VOWEL_WEIGHTS)[0] + coda


def word(rng: random.Random) -> str:
    """A pronounceable invented word of two or three syllables."""
    while True:
        count = rng.choices((1, 2, 3), (1, 6, 3))[0]
        text = "".join(syllable(rng, last=i == count - 1) for i in range(count))
        if 4 <= len(text) <= 11 and text not in WELL_KNOWN:
            return text


def label(rng: random.Random) -> str:
    """A second-level label as organisations choose them: a word, a place, a word with a trade, an acronym."""
    kind = rng.random()
    if kind < 0.40:
        return word(rng)
    if kind < 0.55:
        return syllable(rng, last=False) + syllable(rng, last=False) + rng.choice(PLACES)
    if kind < 0.75:
        return word(rng) + rng.choice(("", "-")) + rng.choice(TRADES)
    if kind < 0.85:
        return rng.choice(GIVEN) + rng.choice(FAMILY)
    if kind < 0.92:
        return rng.choice(FAMILY) + rng.choice(("", "-and-", "and")) + rng.choice(FAMILY)
    return acronym(rng, rng.choice((3, 3, 4, 4, 5)))


def acronym(rng: random.Random, length: int) -> str:
    while True:
        text = "".join(rng.choice("abcdefghiklmnoprstuvwz") for _ in range(length))
        if text not in WELL_KNOWN:
            return text


def domain(rng: random.Random, suffix: str | None = None) -> str:
    return f"{label(rng)}.{suffix or pick(rng, SUFFIXES)}"


def mailbox(rng: random.Random, convention: str) -> str:
    """A local part of an invented person by the domain's convention."""
    given, family = rng.choice(GIVEN), rng.choice(FAMILY)
    number = str(rng.randrange(2, 99))
    if convention == "dotted":
        return f"{given}.{family}" + (number if rng.random() < 0.05 else "")
    if convention == "initial":
        return f"{given[0]}{family}" + (number if rng.random() < 0.10 else "")
    if convention == "given":
        return given + (number if rng.random() < 0.10 else "")
    if convention == "free":
        joint = rng.choice(("", ".", "_", ""))
        return f"{given}{joint}{family}" + (number if rng.random() < 0.6 else "")
    return f"{given}_{family}"


CONVENTIONS = ("dotted", "dotted", "initial", "initial", "given", "under")
ROLES = ("info", "sales", "office", "accounts", "contact", "admin", "support", "orders", "enquiries", "press")
SUBJECTS = (
    "Meeting notes", "Contract draft", "Invoice {n}", "Visit itinerary", "Quarterly figures", "Agenda for {d}",
    "Site plan", "Order {n}", "Minutes", "Travel booking", "Feedback on the proposal", "Delivery dates", "Price list",
    "Annual review", "Introduction", "Schedule for week {w}", "Update", "Question about {n}", "Photos from {d}",
    "Training dates", "Access to the building", "Purchase order {n}", "Report {n}", "Résumé du projet",
    "Terminabstimmung", "Lunch?", "Workshop {d}", "Test results {n}", "Signed copy",
    "Draft for comment", "Availability",
)  # fmt: skip


def subject(rng: random.Random) -> str:
    text = rng.choice(SUBJECTS)
    return text.format(n=rng.randrange(1000, 99999), d=rng.choice(("Monday", "Tuesday", "Thursday", "May", "June")),
                       w=rng.randrange(1, 52))  # fmt: skip

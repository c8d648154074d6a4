"""Names of people in free text: those that the case's addresses tell, roles that are none, and what is left to clear.

`omar.boyd@…` tells Omar Boyd, Boyd Omar, O. Boyd, Omar and Boyd; `jtaylor7@…` tells J. Taylor and Taylor. Parts are
found where a text writes them with a capital; whole names however they are written. A role (`press.office@…`, "Head of
service") is nobody's name. A name that no address tells cannot be known: `left` lists what a person must look at.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping

_ROLES_TEXT = """
a accounts admin administration administrator agency all alerts an and answers archive assistant at author authority
bank billing board branch bureau careers centre chief chair civil clerk commercial communications compliance contact
contracts controller coordinator counsel customer daemon data department deputy desk director directorate division
duty editor enquiries events examiner executive external facilities finance for former general group head health
helpdesk help hotel hr human in incident info information inspector international internal it jobs lead legal library
list mail mailer management manager marketing media member minister ministry monitoring network news newsletter no
noreply notifications of office officer on operations ops orders organisation organization parliamentary people
permanent personnel planning police policy post postmaster press principal privacy procurement programme project
protection public purchasing records registrar registry relations reply reporting reports representative research
resources responsible returns root sales scanner secretariat secretary section security senior server service services
spokesman spokesperson spokeswoman staff state statistics supervisor support system systems team technical technology
the training transport travel treasury under undersecretary unit user users web webmaster welfare
"""
ROLES = frozenset(_ROLES_TEXT.split())
"""Words of which names of offices, functions and mailboxes are made."""
_ORDINARY_TEXT = """
a about after all also an and annex any april art article as at august because been before both but by can case
december during each email emails every everybody february first for friday from gdpr had has have he her his how i
ico if in is it its january july june last later mail mails march may message messages monday most mr mrs ms my no
nobody none not november now october of on once one only or other our out over saturday second section senders
september several she since so some somebody sunday such than that the their them then there these they third this
those thursday to tuesday two until up we wednesday were what when where which while who whose why will with would yes
you your
"""
_ORDINARY = frozenset(_ORDINARY_TEXT.split())
"""Words that a sentence may begin with, and names of days and months."""
_CAPITALISED = re.compile(r"(?<![\w@.])[^\W\d_a-z][^\W\d_]+(?:['’\-][^\W\d_]+)*", re.UNICODE)
_SHORTEST = 3


def is_role(text: str) -> bool:
    """Whether the text names a function and nobody: every word of it is one of `ROLES`.

    >>> is_role("Press office"), is_role("Head of service"), is_role("Omar Boyd"), is_role("Boyd, press office")
    (True, True, False, False)
    """
    words = re.findall(r"[^\W\d_]+", text.lower())
    return bool(words) and all(word in ROLES for word in words)


def parts(local: str) -> tuple[str, ...]:
    """The words of a local part, without numbers and what stands behind a plus sign; none for a role.

    >>> parts("omar.boyd2"), parts("press.office"), parts("jtaylor7")
    (('omar', 'boyd'), (), ('jtaylor',))
    """
    words = tuple(re.findall(r"[^\W\d_]+", local.partition("+")[0].lower()))
    return () if all(word in ROLES for word in words) else words


def forms(local: str) -> Iterator[str]:
    """How a text may name the person behind a local part, in full: to be found in any letter case."""
    words = parts(local)
    if len(words) >= 2:
        first, last = words[0], words[-1]
        yield from (f"{first} {last}", f"{last} {first}", f"{last}, {first}", " ".join(words))
        yield from (f"{first[0]}. {last}", f"{first[0]} {last}")
    elif len(words) == 1 and len(words[0]) > _SHORTEST + 1:
        yield from (f"{words[0][0]}. {words[0][1:]}", f"{words[0][0]} {words[0][1:]}")


def single(local: str) -> Iterator[str]:
    """Words that name the person where a text writes them with a capital."""
    words = parts(local)
    for word in words:
        if len(word) >= _SHORTEST and word not in ROLES and word not in _ORDINARY:
            yield word
    if len(words) == 1 and len(words[0]) > _SHORTEST + 1 and words[0][1:] not in ROLES | _ORDINARY:
        yield words[0][1:]


def of_names(names: Collection[str]) -> Iterator[str]:
    """The same of names as people wrote them: `R. Examiner`."""
    for name in names:
        if not is_role(name):
            yield from (word.lower() for word in re.findall(r"[^\W\d_]{3,}", name) if _own(word))


def _own(word: str) -> bool:
    return word.lower() not in ROLES and word.lower() not in _ORDINARY and word[:1].isupper()


def remover(known: Mapping[str, str], whole: Mapping[str, str]) -> Callable[[str], str]:
    """A function that puts its stand-in for every name in a text. `whole`: names in full; `known`: single words, found
    where they are capitalised. Keys in small letters."""
    names = re.compile(r"[^\W\d_]+(?:['’\-][^\W\d_]+)*")
    longest = sorted((name for name in whole if name), key=lambda name: (-len(name), name))

    def remove(text: str) -> str:
        folded = text.lower()
        for name in longest:
            if name in folded:
                pattern = r"\s+".join(re.escape(word) for word in name.split())
                text = re.sub(rf"(?<!\w){pattern}(?!\w)", whole[name].replace("\\", r"\\"), text, flags=re.IGNORECASE)
                folded = text.lower()
        return names.sub(lambda m: _instead(m[0], known), text)

    return remove


def _instead(word: str, known: Mapping[str, str]) -> str:
    """The stand-in for a word of which a part is a name: `O’Neil`, `Boyd-Hale`; a genitive's ending stays."""
    bare, ending = (word[:-2], word[-2:]) if word[-2:] in ("'s", "’s") else (word, "")
    for part in (bare, *re.split(r"['’\-]", bare)):
        if part[:1].isupper() and part.lower() in known:
            return known[part.lower()] + ending
    return word


def left(text: str, own: Collection[str] = ()) -> tuple[str, ...]:
    """Capitalised words that may be somebody's name, each once, in order of their appearance: for a person to clear.
    `own`: words that are known to be none."""
    found: dict[str, None] = {}
    for match in _CAPITALISED.finditer(text):
        word = match[0]
        if word.lower() not in _ORDINARY | ROLES and word not in own and not word.isupper():
            found.setdefault(word)
    return tuple(found)

"""Mail providers that anybody may have an address at.

Two addresses at sibling providers are two people's choices, not a slip. Public knowledge of large providers; a name
that is not here is merely treated as any other domain.
"""

from __future__ import annotations

from forensics import domains

_EVERYWHERE = frozenset(("yahoo", "hotmail", "outlook", "live", "gmx", "yandex", "ymail", "rocketmail", "msn"))
"""Providers under many national suffixes."""

_SUFFIX_LIST = """
com net de at ch li us fr it es pt nl be ie dk se no fi gr cz hu pl ro ru ua by kz tr ca in co.uk co.in co.id co.jp
co.kr co.nz co.th co.za com.au com.ar com.br com.cn com.hk com.mx com.my com.ph com.sg com.tr com.tw com.vn
"""
_SUFFIXES = frozenset(_SUFFIX_LIST.split())
"""Suffixes under which they do: `.co`, `.cm`, `.om` and the like are where slips for `.com` land."""

_PROVIDER_LIST = """
gmail.com googlemail.com icloud.com me.com mac.com aol.com aim.com mail.com email.com usa.com inbox.com
protonmail.com protonmail.ch proton.me pm.me tutanota.com tutanota.de tuta.io tuta.com fastmail.com fastmail.fm
fastmail.im zoho.com hushmail.com mailfence.com mailbox.org posteo.de posteo.net posteo.org riseup.net
runbox.com startmail.com disroot.org web.de t-online.de freenet.de online.de arcor.de email.de mailo.com
mailoo.org kolabnow.com 163.com 126.com yeah.net qq.com foxmail.com sina.com sina.cn sohu.com aliyun.com
139.com 189.cn naver.com daum.net hanmail.net nate.com kakao.com rediffmail.com mail.ru bk.ru list.ru inbox.ru
rambler.ru ukr.net i.ua orange.fr wanadoo.fr free.fr laposte.net sfr.fr neuf.fr bbox.fr libero.it virgilio.it
tiscali.it alice.it tin.it wp.pl o2.pl op.pl onet.pl onet.eu interia.pl poczta.fm gazeta.pl go2.pl seznam.cz
centrum.cz email.cz post.cz azet.sk abv.bg mail.bg citromail.hu freemail.hu telia.com bredband.net online.no
telenet.be skynet.be xs4all.nl ziggo.nl kpnmail.nl home.nl planet.nl bluewin.ch sunrise.ch btinternet.com
btopenworld.com sky.com virginmedia.com ntlworld.com talktalk.net blueyonder.co.uk tiscali.co.uk comcast.net
verizon.net att.net sbcglobal.net bellsouth.net cox.net charter.net earthlink.net juno.com shaw.ca rogers.com
sympatico.ca telus.net bigpond.com bigpond.net.au optusnet.com.au iinet.net.au xtra.co.nz uol.com.br bol.com.br
terra.com.br ig.com.br globo.com walla.co.il hey.com duck.com simplelogin.com
"""
_PROVIDERS = frozenset(_PROVIDER_LIST.split())


def is_freemail(domain: str) -> bool:
    """Whether the domain is a large provider's own.

    >>> is_freemail("gmx.at"), is_freemail("gmail.com"), is_freemail("gmail.co"), is_freemail("yahoo.cm")
    (True, True, False, False)
    """
    if domain in _PROVIDERS:
        return True
    cut = domains.split(domain)
    return cut.suffix in _SUFFIXES and cut.domain in _EVERYWHERE and not cut.subdomain

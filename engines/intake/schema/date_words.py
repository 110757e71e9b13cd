"""Dates in words: months, days of the week, ordinals and blanks of many languages, brought to one plain form in SQL."""

from __future__ import annotations

import re
import unicodedata

#: Names of months, short and long, in small letters without accents: English, German, French, Spanish, Italian, Dutch,
#: Portuguese, Polish (also as "5 stycznia").
_MONTHS = {
    "Jan": "jan january januar janner jaenner jän janv janvier ene enero gen genn gennaio januari janeiro sty styczen "
    "stycznia",
    "Feb": "feb february febr februar feber fev fevr fevrier febrero febbraio februari fevereiro lut luty lutego",
    "Mar": "mar march marz maerz mrz mars marzo mrt maart março marco marzec marca",
    "Apr": "apr april avr avril abr abril apl aprile kwi kwiecien kwietnia",
    "May": "may mai mayo mag magg maggio mei maio maj maja",
    "Jun": "jun june juni juin junio giu giugno junho cze czerwiec czerwca",
    "Jul": "jul july juli juil juillet julio lug luglio julho lip lipiec lipca",
    "Aug": "aug august aout aou ago agosto augustus sie sierpien sierpnia",
    "Sep": "sep sept september septembre septiembre setiembre set sett settembre setembro wrz wrzesien wrzesnia",
    "Oct": "oct october okt oktober octobre octubre ott ottobre out outubro paz paź pazdziernik pazdziernika",
    "Nov": "nov november novembre noviembre novembro lis listopad listopada",
    "Dec": "dec december dez dezember decembre dic diciembre dicembre dezembro gru grudzien grudnia",
}
_WEEKDAYS = (
    "mon(?:day)?|tues?(?:day)?|wed(?:nesday)?|thu(?:rs?)?(?:day)?|fri(?:day)?|sat(?:urday)?|sun(?:day)?"
    "|mo|di|mi|do|fr|sa|so|montag|dienstag|mittwoch|donnerstag|freitag|samstag|sonnabend|sonntag"
    "|lun(?:di)?|mar(?:di)?|mer(?:credi)?|jeu(?:di)?|ven(?:dredi)?|sam(?:edi)?|dim(?:anche)?"
    "|lunes|martes|mi[eé](?:rcoles)?|jue(?:ves)?|vie(?:rnes)?|s[aá]b(?:ado)?|dom(?:ingo)?"
    "|luned[iì]|marted[iì]|mercoled[iì]|gio(?:ved[iì])?|venerd[iì]|sabato|domenica"
    "|ma|wo|vr|za|zo|maandag|dinsdag|woensdag|donderdag|vrijdag|zaterdag|zondag"
    "|seg(?:unda)?(?:-feira)?|ter(?:[cç]a)?(?:-feira)?|qua(?:rta)?(?:-feira)?|qui(?:nta)?(?:-feira)?|sex(?:ta)?(?:-feira)?"
    "|pon(?:iedzia[lł]ek)?|wt(?:orek)?|[sś]r(?:oda)?|czw(?:artek)?|pt|pi[aą]tek|sob(?:ota)?|n(?:ie)?dz(?:iela)?|nd"
)
#: What may follow the name of a weekday: a date of three numbers, or one with the name of a month.
_WHOLE_DATE = (
    r"[0-9]{1,4}[-/. ]+[0-9]{1,2}[-/. ]+[0-9]{1,4}\b.*"
    r"|[0-9]{1,2}(?:\.|st|nd|rd|th|er|º|ª|°)?[-/. ]*(?:of |de |d['’])?\p{L}{3,}.*|[0-9]{4}[-/. ]+\p{L}{3,}.*"
    r"|\p{L}{3,}\.?[-/. ]+[0-9].*"
)
_DIGITS = "".join(
    chr(code)
    for first in (0xFF10, 0x0660, 0x06F0, 0x0966)  # full width, Arabic, Persian, Devanagari
    for code in range(first, first + 10)
)
_BLANKS = "\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"
_SIGNS = {"／": "/", "：": ":", "．": ".", "，": ",", "－": "-", "‐": "-", "‑": "-", "–": "-", "−": "-", "、": ","}
_UNSEEN = "\u200b\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff\u061c"

#: Patterns and what takes their place, one after the other. SQL doubles an apostrophe.
_STEPS = (
    (r"(?:星期|週|周|礼拜)[一二三四五六日天]|[月火水木金土日]曜日?|\(\p{Han}\)|[월화수목금토일]요일", " "),
    (r"([0-9]{4})\s*[年년]\s*([0-9]{1,2})\s*[月월]\s*([0-9]{1,2})\s*[日号號일]?", r"\1-\2-\3 "),
    (r"([0-9]{1,2})\s*[时時点點시]\s*([0-9]{1,2})\s*[分분]\s*([0-9]{1,2})\s*[秒초]", r"\1:\2:\3"),
    (r"([0-9]{1,2})\s*[时時点點시]\s*([0-9]{1,2})\s*[分분]", r"\1:\2"),
    (r"(?:上午|午前|오전)\s*([0-9:]+)", r" \1 AM"),
    (r"(?:下午|午後|오후)\s*([0-9:]+)", r" \1 PM"),
    (r"\s*[(（\[][^()（）\[\]]*[)）\]]\s*$", ""),  # (Central European Standard Time), [Europe/Paris]
    (r"\s*[(（][^()（）0-9]*[)）]\s*", " "),
    (  # Fri Jan 05 15:04:05 CET 2024
        r"^(?:\p{L}+\.?,?\s+)?(\p{L}{3,})\.?\s+([0-9]{1,2})\s+([0-9]{1,2}:[0-9:.]+)((?:\s+[-+A-Z0-9:]{3,6})?)\s+([0-9]{4})$",
        r"\1 \2 \5 \3\4",
    ),
    (r"((?:^|\D)[0-9]{4}):([0-9]{1,2}:[0-9]{2})", r"\1 \2"),  # 05/Jan/2024:15:04:05
    (r"^(?:the|on|le|den|el|il|dnia)\s+", ""),
    (rf"^(?:{_WEEKDAYS})(?:\.,|[.,])?\s+({_WHOLE_DATE})$", r"\1"),
    (r"([0-9])(?:st|nd|rd|th|er|e|º|ª|°)([\s,.]|$)", r"\1\2"),
    (r"\s(?:of|de|del|di)\s+", " "),
    (r"\sd['’]\s*(\p{L})", r" \1"),
    (r"([0-9]{4})\s*[rг]\.(\s|$)", r"\1\2"),  # Polish: 2024 r.
    (r"[,\s]+(?:at|à|um|om|a las?|alle ore|alle|ore|[aà]s|kl\.?|o godz\.?|godz\.?|o)\s+([0-9]{1,2}[:.h])", r" \1"),
    (r"([0-9:])\s*(?:uhr|uur)\.?$", r"\1"),
    (r"\s([0-9]{1,2})\s?h\s?([0-9]{2})(?:\s?(?:m|min))?$", r" \1:\2"),
    (r"\s*\b([ap])\.\s?m\.", r" \1M"),
)


def tidied(text: str) -> str:
    """SQL: a date with plain digits and blanks, and with names of months as Jan to Dec.

    What is not :func:`is_in_words` is given back as it is, at next to no cost.
    """
    plain = f"translate({text}, {_quoted(_DIGITS + _BLANKS + _signs() + _UNSEEN)}, {_quoted(_replacements())})"
    for pattern, becomes in _STEPS:
        plain = f"regexp_replace({plain}, {_quoted(f'(?i){pattern}')}, {_quoted(becomes)}, 'g')"
    known = ", ".join(f"{_quoted(name)}: '{month}'" for name, month in _FOLDED_MONTHS.items())
    word = r"regexp_extract(tidy, '\p{L}{3,}')"
    month = f"map {{{known}}}[strip_accents(lower({word}))]"
    named = rf"case when {month} is null then tidy else replace(tidy, {word}, ' ' || {month} || ' ') end"
    done = f"list_transform([{plain}], lambda tidy: trim({named}))[1]"
    return f"case when {is_in_words(text)} then {done} else {text} end"


def is_in_words(text: str) -> str:
    """SQL: whether there is anything in a date to be tidied."""
    return f"not regexp_full_match({text}, '{_ORDINARY}')"


_IN_EAST = re.compile(r"\d{4}\s*[年년]\s*\d{1,2}\s*[月월]\s*\d{1,2}")
_DAY_FIRST = re.compile(
    r"(?:[\w-]+[.,]*\s+){0,2}?\d{1,2}(?:\.|st|nd|rd|th|er|e|o|a)?[-/. ]*(?:(?:of|de|del)\s+|d['’])?([a-z]{3,})\.?,?"
    r"[-/. ]*(?:(?:de|del)\s+)?(?:\d{4}|\d{2})\b"
)
_MONTH_FIRST = re.compile(
    r"(?:[\w-]+[.,]*\s+)??([a-z]{3,})\.?[-/. ]+\d{1,2}(?:st|nd|rd|th)?"
    r"(?:[-/., ]+|,?\s+\d{1,2}:.*\s)\d{4}\b"
)
_IN_FIGURES = re.compile(
    r"(?:\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4})(?:,\s*|[T\s]\s*)\d{1,2}[:.].*"
)


def looks_like_date(text: str) -> bool:
    """Whether a text is a date in words of these languages, or one that has digits or blanks of other scripts."""
    folded = _folded(unicodedata.normalize("NFKC", text).lower()).strip()
    if _IN_EAST.match(folded) or _IN_FIGURES.fullmatch(folded):
        return True
    found = (pattern.match(folded) for pattern in (_DAY_FIRST, _MONTH_FIRST))
    return any(match is not None and match[1] in _FOLDED_MONTHS for match in found)


_ORDINARY = r"[-0-9/.:,+ TZ]*(?: ?[AaPp][Mm])?"


def _signs() -> str:
    return "".join(_SIGNS)


def _replacements() -> str:
    """What takes the places of digits, blanks and signs; what has none is left out."""
    return "0123456789" * (len(_DIGITS) // 10) + " " * len(_BLANKS) + "".join(_SIGNS.values())


def _folded(name: str) -> str:
    return "".join(letter for letter in unicodedata.normalize("NFD", name) if not unicodedata.combining(letter))


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


_FOLDED_MONTHS = {_folded(name): month for month, names in _MONTHS.items() for name in names.split()}

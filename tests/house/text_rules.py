"""Rules about templates, documents and texts: each returns its complaints."""

import re

_INLINE_STYLE = re.compile(r"<[^>]*\sstyle\s*=", re.IGNORECASE)
_INLINE_SCRIPT = re.compile(r"<script(?![^>]*\bsrc=)(?![^>]*application/ld\+json)", re.IGNORECASE)
_INLINE_HANDLER = re.compile(r"<[^>]*\son[a-z]+\s*=\s*[\"']", re.IGNORECASE)
_FOREIGN = re.compile(
    r"\b(?:src|href)\s*=\s*[\"']//|<(?:script|link|img)[^>]+https?://", re.IGNORECASE
)

_PLACEHOLDER = re.compile(r"%\((\w+)\)[sd]|%%|%[sd]|\{(\w*)\}")

# The product is called so; a claim is anything else.
_PRODUCT_NAME = "点点碳中和"
_CLAIMS = re.compile(
    r"carbon[- ]?neutral|climate[- ]?neutral|climate[- ]?positive|net[- ]zero|"
    r"neutrali[sz]ed?\b|CO2-neutra|klimaatneutra|koolstofneutra|klimaatpositief|"
    r"碳中和|气候中和|零碳|净零",
    re.IGNORECASE,
)

# Written with classes of one letter, so that this page does not find itself.
_SOMEBODYS_MACHINE = re.compile(
    r"(?<![\w./~-])/(?:hom[e]/\w|User[s]/\w|roo[t]/|wor[k]/)|\.\./share[d]/|sub[-]?agen[t]|"
    r"pyp[i]\.org|pythonhoste[d]\.org|registry\.npmj[s]",
    re.IGNORECASE,
)

DECISION_NAME = re.compile(r"(\d{4})-[a-z0-9-]+\.md")
DECISION_MAX_LINES = 60
_STATUS = re.compile(r"^(Proposed|Accepted|Superseded by \d{4})\b", re.MULTILINE)
DECISION_PARTS = (
    "Status",
    "Context",
    "Decision",
    "Consequences",
    "Considered",
    "What would change our mind",
)


def inline_code(template: str) -> list[str]:
    """Find what the content security policy refuses: inline code, and other hosts."""
    rules = {
        "an inline style": _INLINE_STYLE,
        "an inline script": _INLINE_SCRIPT,
        "an inline handler": _INLINE_HANDLER,
        "something loaded from another host": _FOREIGN,
    }
    return [name for name, pattern in rules.items() if pattern.search(template)]


def claims(text: str) -> list[str]:
    """Find words that claim; only claims/wording.py may make them."""
    return _CLAIMS.findall(text.replace(_PRODUCT_NAME, ""))


def somebodys_machine(text: str) -> list[str]:
    """Find folders of one person's machine, and package hosts that the lock file alone may name."""
    return [match[0] for match in _SOMEBODYS_MACHINE.finditer(text)]


def placeholders(text: str) -> list[str]:
    """Return the placeholders of a text, sorted; escapes are left out."""
    return sorted(match[0] for match in _PLACEHOLDER.finditer(text) if match[0] != "%%")


def decision(text: str) -> list[str]:
    """Return what a decision record lacks."""
    found = [f"the part {part!r}" for part in DECISION_PARTS if f"\n## {part}\n" not in text]
    status = text.partition("\n## Status\n")[2].strip()
    if not _STATUS.match(status):
        found.append("a status: Proposed, Accepted or Superseded by NNNN")
    if len(text.splitlines()) > DECISION_MAX_LINES:
        found.append(f"brevity: at most {DECISION_MAX_LINES} lines")
    return found

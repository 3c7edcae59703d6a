"""Two people change the same thing at once: what a form was shown, against what it sends and what is stored. Pure.

A form carries a mark of the texts it was made with. Of what comes back only the fields that its writer changed count;
the others stay as they are stored now, so that nobody takes back unseen what somebody else has saved meanwhile.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from carrel.web.i18n import N_

Texts = Mapping[str, str]

FIELD = "seen"
"""The form's hidden field."""
CHANGED = "changed_meanwhile"
"""The code of a field that both have changed."""
REFUSED = N_(
    "Nothing was saved: somebody else has changed the same fields meanwhile. "
    "Compare them; saving again puts yours in place of theirs."
)
AT_FIELD = N_("Somebody else has changed this meanwhile.")


@dataclass(frozen=True, slots=True)
class Merged:
    """What a form means now; `clashes` are the fields that somebody else has set to something else."""

    texts: dict[str, str]
    clashes: tuple[str, ...] = ()

    @property
    def errors(self) -> dict[str, str]:
        """The code of each clash."""
        return dict.fromkeys(self.clashes, CHANGED)


def mark(shown: Texts) -> str:
    """A mark of each text that a form is made with; names have no spaces."""
    return " ".join(f"{name}={_digest(text)}" for name, text in shown.items())


def merge(sent: Texts, seen: object, now: Texts) -> Merged:
    """What was sent, with what is stored now in the fields that were not touched or were not shown.

    Without a mark, as programs send forms, everything counts as sent.
    """
    if not seen:
        return Merged(dict(sent))
    had = {name: digest for name, _, digest in (one.rpartition("=") for one in str(seen).split())}
    touched = {name for name, text in sent.items() if name in had and had[name] != _digest(text)}
    texts = {name: text if name in touched else now.get(name, "") for name, text in sent.items()}
    clashes = (name for name in touched if _digest(now.get(name, "")) not in (had[name], _digest(sent[name])))
    return Merged(texts, tuple(sorted(clashes)))


def _digest(text: str) -> str:
    """Of the text as a browser sends it back: with line ends of its own, and nothing around it."""
    plain = "\n".join(line.rstrip() for line in text.strip().splitlines())
    return hashlib.sha256(plain.encode()).hexdigest()[:16]

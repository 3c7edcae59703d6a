"""What branches and types of items are called where people read of them; programs and files carry their codes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from carrel.web.i18n import Language, in_language
from server.lending.policy import LibraryPolicy, Name


@dataclass(frozen=True, slots=True)
class Names:
    """In one language. What nobody has named is called by its code.

    `classes` are what classes of patrons are called, where somebody reads of these too.
    """

    policy: LibraryPolicy
    language: Language
    classes: Mapping[str, str] = field(default_factory=dict)

    def branch(self, code: str) -> str:
        """Of a branch."""
        return self._told(self.policy.branch_names, code)

    def item_type(self, code: str) -> str:
        """Of a type of items."""
        return self._told(self.policy.item_type_names, code)

    def patron_class(self, code: str) -> str:
        """Of a class of patrons."""
        return self.classes.get(code, code)

    def _told(self, names: Mapping[str, Name], code: str) -> str:
        name = names.get(code)
        return in_language(self.language, (name.en, name.zh)) if name else code

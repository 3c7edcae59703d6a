"""Who holds something about patrons: asked when a person wants to see everything, or to be forgotten.

A domain that keeps something about patrons adds a line here; see `server.patrons.privacy.Holder`.
"""

from __future__ import annotations

from server.audit import service as audit
from server.auth import service as auth
from server.circulation import service as circulation
from server.feedback import service as feedback
from server.fees import service as fees
from server.holds import service as holds
from server.notices import service as notices
from server.patrons.privacy import Holder
from server.suggestions import service as suggestions
from server.tasks import service as tasks

HOLDERS: tuple[Holder, ...] = (
    Holder("sessions", export=auth.sessions_about, forget=auth.forget_patron),
    Holder("fees", export=fees.about_patron, still_open=fees.count_open),
    Holder(
        "loans", export=circulation.about_patron, still_open=circulation.count_open, forget=circulation.forget_patron
    ),
    Holder("holds", export=holds.about_patron, still_open=holds.count_open, forget=holds.forget_patron),
    Holder("notices", export=notices.about_patron, forget=notices.forget_patron),
    Holder("feedback", export=feedback.about_patron, forget=feedback.forget_patron),
    Holder("suggestions", export=suggestions.about_patron, forget=suggestions.forget_patron),
    Holder("tasks", export=tasks.about_patron, forget=tasks.forget_patron),
    Holder("log", export=audit.about_patron),
)

"""One connection's conversation: login, status, checksums, repeats, refusals of what a terminal may not do."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from server.sip2.profile import Directory, Profile, TerminalConfig
from server.sip2.session import Job, Reply, Session
from server.sip2.wire import codec
from server.sip2.wire.messages import Draft, F, Message
from tests.support.library import NOW
from tests.support.sip2 import DATE, NO_DATE, profile, screen, sealed

CHECKOUT = f"11NN{DATE}{NO_DATE}AOMAIN|AAR1|ABB1|AC|"
ITEM = f"17{DATE}AOMAIN|ABB1|AC|"
LOGIN = "9300CNself-1|COs3cret|CPhall|"


def session(*profiles: Profile, address: str = "127.0.0.1", **terminal: Any) -> Session:
    known = profiles or (profile(**terminal),)
    nobody = TerminalConfig.model_construct(id="unknown", checksum=known[0].terminal.checksum)
    common = Profile(nobody, "MAIN", "main", "en", library="Lib", zone=known[0].zone, timeout_s=3, retries=3)
    return Session(Directory(known), address=address, common=common)


def signed_in(**terminal: Any) -> Session:
    talk = session(**terminal)
    assert said(talk, LOGIN).fixed["ok"] == "1"
    return talk


def heard(talk: Session, text: str | bytes, sequence: int | None = None) -> Reply | Job:
    return talk.receive(text if isinstance(text, bytes) else sealed(text, sequence), NOW)


def said(talk: Session, text: str | bytes, sequence: int | None = None) -> Message:
    reply = heard(talk, text, sequence)
    assert isinstance(reply, Reply)
    return read(reply)


def read(reply: Reply) -> Message:
    return codec.decode(codec.split(reply.data.rstrip(b"\r\n")).body, "utf-8")


def lent(talk: Session, text: str = CHECKOUT, sequence: int | None = None, ok: str = "1") -> Reply:
    """Answer a checkout as the library would."""
    assert isinstance(heard(talk, text, sequence), Job)
    draft = Draft("12").set(ok=ok).add(F.INSTITUTION, "MAIN").add(F.PATRON, "R1").add(F.ITEM, "B1")
    return talk.answer(draft.add(F.TITLE, "伊索").add(F.DUE, "").done(DATE))


def test_a_login_opens_the_terminal_s_own_dialect() -> None:
    talk = session(terminator="crlf", encoding="gb18030")
    reply = heard(talk, LOGIN, 0)
    assert isinstance(reply, Reply)
    assert reply.data.endswith(b"\r\n")
    assert read(reply) == Message("94", {"ok": "1"})
    job = heard(talk, sealed(f"17{DATE}AOMAIN|AB书|", encoding="gb18030"))
    assert isinstance(job, Job)
    assert job.request.get(F.ITEM) == "书"


@pytest.mark.parametrize(
    "text", ["9300CNself-1|COwrong|", "9300CNother|COs3cret|", "9310CNself-1|COs3cret|", "9300CNself-1|", "93", "9300"]
)
def test_a_wrong_login_may_be_tried_three_times(text: str) -> None:
    talk = session()
    for closes in (False, False, True):
        reply = heard(talk, text)
        assert isinstance(reply, Reply)
        assert read(reply) == Message("94", {"ok": "0"})
        assert reply.close is closes
        assert reply.pause_s > 0
    assert talk.profile is None


def test_who_is_signed_in_stays_so_when_a_second_login_is_wrong() -> None:
    talk = signed_in()
    assert said(talk, "9300CNself-1|COwrong|").fixed["ok"] == "0"
    assert isinstance(heard(talk, CHECKOUT), Job)


def test_a_terminal_without_a_login_is_known_by_its_address() -> None:
    gate = profile(id="gate", login="", password="", addresses=("10.1.0.0/16", "::1/128"))
    assert session(gate, address="10.1.2.3").profile is gate
    assert session(gate, address="::ffff:10.1.2.3").profile is gate
    assert session(gate, address="10.2.0.1").profile is None
    assert session(gate, address="not an address").profile is None


def test_a_login_counts_from_its_own_addresses_only() -> None:
    far = profile(addresses=("10.1.0.0/16",))
    assert said(session(far, address="10.1.2.3"), LOGIN).fixed["ok"] == "1"
    assert said(session(far, address="10.2.2.3"), LOGIN).fixed["ok"] == "0"


@pytest.mark.parametrize("text", [CHECKOUT, ITEM, f"35{DATE}AOMAIN|AAR1|", f"37{DATE}0100CNYBV1|AOMAIN|AAR1|"])
def test_nothing_is_carried_out_before_the_login(text: str) -> None:
    refused = said(session(), text)
    assert refused.id == {"11": "12", "17": "18", "35": "36", "37": "38"}[text[:2]]
    assert "not signed in" in screen(refused)


def test_the_status_names_what_the_terminal_may_do() -> None:
    talk = signed_in(rights=("checkin",), offline=True, place="Hall")
    status = said(talk, "9900802.00")
    assert {name: status.fixed[name] for name in ("online", "checkin", "checkout", "renewal", "offline")} == {
        "online": "Y", "checkin": "Y", "checkout": "N", "renewal": "N", "offline": "Y",
    }  # fmt: skip
    assert (status.fixed["timeout"], status.fixed["retries"], status.fixed["version"]) == ("030", "003", "2.00")
    assert status.fixed["date"] == DATE
    assert status.get(F.SUPPORTED) == "NNYNYYYNYNNNNNNN", "anybody may end a visit"
    assert (status.get(F.INSTITUTION), status.get(F.TERMINAL_PLACE)) == ("MAIN", "Hall")


@pytest.mark.parametrize("text", ["9900302.0E|", "99", "990", "9910001.00", "99xxxxxxxx"])
def test_a_status_is_answered_before_the_login_and_whatever_its_version(text: str) -> None:
    status = said(session(), text)
    assert (status.id, status.fixed["online"], status.get(F.SUPPORTED)) == ("98", "Y", "Y" * 16)


def test_what_the_terminal_may_not_do_is_refused_in_its_own_answer() -> None:
    refused = said(signed_in(rights=("checkin",)), CHECKOUT, 4)
    assert (refused.id, refused.fixed["ok"], refused.get(F.ITEM)) == ("12", "0", "B1")
    assert "may not" in screen(refused)


@pytest.mark.parametrize(
    "text", [f"11NN{DATE}{NO_DATE}AOMAIN|AAR1|AC|", f"09N{DATE}{DATE}AOMAIN|", "11NNAOMAIN|AAR1|ABB1|"]
)
def test_an_incomplete_request_gets_its_own_answer(text: str) -> None:
    refused = said(signed_in(), text)
    assert refused.id == {"11": "12", "09": "10"}[text[:2]]
    assert refused.fixed["ok"] == "0"
    assert "incomplete" in screen(refused)


def test_a_bad_checksum_is_not_carried_out() -> None:
    talk = signed_in()
    reply = heard(talk, CHECKOUT.encode() + b"AY3AZ0000")
    assert isinstance(reply, Reply)
    assert reply.data == b"96AZFEF6\r"
    assert isinstance(heard(talk, CHECKOUT, 3), Job)


def test_a_sum_over_characters_is_right_too() -> None:
    talk = signed_in()
    covered = ITEM.replace("B1", "伊索") + "AY4AZ"
    assert isinstance(heard(talk, (covered + codec.codepoint_checksum_of(covered)).encode()), Job)


def test_a_terminal_without_checksums_is_never_asked_again() -> None:
    talk = signed_in(checksum="off")
    assert isinstance(heard(talk, ITEM.encode() + b"AY3AZ0000"), Job)
    assert talk.answer(Draft("18").add(F.ITEM, "B1").add(F.TITLE, "").done(DATE)).data.endswith(b"AJ|\r")


def test_answers_carry_the_request_s_number_and_a_checksum_of_the_terminal_s_kind() -> None:
    talk = signed_in(checksum="codepoints")
    data = lent(talk, sequence=7).data.rstrip(b"\r")
    frame = codec.split(data)
    assert frame.sequence == "7"
    assert frame.checksum == codec.codepoint_checksum_of(frame.covered.decode())
    assert codec.split(lent(talk).data.rstrip(b"\r")).checked is False


def test_97_repeats_the_last_answer_without_its_number() -> None:
    talk = signed_in()
    first = lent(talk, sequence=5).data
    for ask in ("97AZFEF5", "97"):
        again = heard(talk, ask.encode())
        assert isinstance(again, Reply)
        frame = codec.split(again.data.rstrip(b"\r"))
        assert frame.body == codec.split(first.rstrip(b"\r")).body
        assert frame.sequence is None
        assert codec.sum_matches(frame, "utf-8")
        assert frame.checksum is not None


def test_97_after_nothing_or_after_96_asks_again() -> None:
    talk = session()
    assert heard(talk, b"97AZFEF5") == Reply(b"96AZFEF6\r", note="asked to repeat, but there is no answer yet")
    talk = signed_in()
    lent(talk, sequence=5)
    heard(talk, CHECKOUT.encode() + b"AY3AZ0000")
    again = heard(talk, b"97AZFEF5")
    assert isinstance(again, Reply)
    assert again.data == b"96AZFEF6\r"


def test_a_97_that_was_damaged_may_be_sent_again() -> None:
    talk = signed_in()
    first = lent(talk, sequence=5)
    assert isinstance(damaged := heard(talk, b"97AZ0000"), Reply)
    assert damaged.data == b"96AZFEF6\r"
    assert isinstance(again := heard(talk, b"97AZFEF5"), Reply)
    assert codec.split(again.data.rstrip()).body == codec.split(first.data.rstrip()).body


def test_a_terminal_whose_sums_are_never_right_can_sign_in() -> None:
    talk = session(checksum="off")
    assert said(talk, LOGIN.encode() + b"AY1AZFFFF").fixed["ok"] == "1"
    strict = heard(session(), LOGIN.encode() + b"AY1AZFFFF")
    assert isinstance(strict, Reply)
    assert strict.data.startswith(b"96")


@pytest.mark.parametrize(
    "text", [f"35{DATE}AOMAIN|AAR1|AC|AD|", f"35{DATE}AOMAIN|", "35AOMAIN|AAR1|"], ids=["whole", "no card", "cut off"]
)
def test_a_visit_ends_whatever_is_wrong_with_what_ends_it(text: str) -> None:
    talk = signed_in(rights=("checkout",))
    talk.visit.told("R1", "2468", right=True, now=NOW)
    assert said(talk, text).id == "36"
    assert talk.visit.knows("R1", "", NOW) is None


def test_the_same_frame_again_gets_the_stored_answer() -> None:
    talk = signed_in()
    first = lent(talk, sequence=0)
    again = heard(talk, CHECKOUT, 0)
    assert isinstance(again, Reply)
    assert again.data == first.data
    assert isinstance(heard(talk, CHECKOUT.replace("B1", "B2"), 0), Job), "another body is another request"


def test_a_refused_request_without_a_number_is_tried_again() -> None:
    talk = signed_in()
    lent(talk, ok="0")
    assert isinstance(heard(talk, CHECKOUT), Job)
    lent(talk, ok="1")
    assert isinstance(heard(talk, CHECKOUT), Reply)


def test_a_question_that_comes_again_gets_a_fresh_answer() -> None:
    talk = signed_in()
    for _ in range(2):
        assert isinstance(heard(talk, ITEM, 4), Job)
        talk.answer(Draft("18").add(F.ITEM, "B1").add(F.TITLE, "").done(DATE))


def test_a_request_the_library_could_not_answer_may_be_repeated() -> None:
    talk = signed_in()
    assert isinstance(heard(talk, CHECKOUT, 2), Job)
    refused = read(talk.failed(NOW))
    assert refused.fixed["ok"] == "0"
    assert isinstance(heard(talk, CHECKOUT, 2), Job)


@pytest.mark.parametrize(("raw", "data"), [(b"77what", b"96\r"), (b"7 GET", b""), (b"1.1", b""), (b"120NUN", b"")])
def test_what_is_no_request_leaves_the_line_open(raw: bytes, data: bytes) -> None:
    reply = heard(signed_in(), raw)
    assert isinstance(reply, Reply)
    assert (reply.data, reply.close) == (data, False)


def test_the_patron_s_language_lasts_until_the_end_of_the_visit() -> None:
    talk = signed_in(language="zh-CN")
    heard(talk, f"23001{DATE}AOMAIN|AAR1|AC|AD|")
    assert talk.visit.language == "en"
    heard(talk, f"23005{DATE}AOMAIN|AAR1|AC|AD|")
    assert talk.visit.language == "zh-CN" == profile("zh-CN").spoken("000")
    talk.visit.end()
    assert talk.visit.language == "zh-CN"


def test_odd_bytes_are_told_once_and_answered(caplog: pytest.LogCaptureFixture) -> None:
    talk = signed_in()
    for _ in range(3):
        assert isinstance(heard(talk, f"17{DATE}AOMAIN|AB".encode() + b"\xff\xfe|"), Job)
        talk.answer(Draft("18").add(F.ITEM, "?").add(F.TITLE, "").done(DATE))
    assert sum("are not utf-8" in line for line in caplog.messages) == 1


def test_a_pin_is_remembered_for_the_visit_only() -> None:
    visit = signed_in().visit
    assert visit.knows("R1", "1234", NOW) is None
    visit.told("R1", "1234", right=True, now=NOW)
    assert visit.knows("R1", "1234", NOW) is visit.knows("R1", "", NOW) is True
    assert visit.knows("R1", "9999", NOW) is visit.knows("R2", "1234", NOW) is None
    visit.told("R1", "9999", right=False, now=NOW)
    assert visit.knows("R1", "9999", NOW) is False, "the same wrong PIN again is no second guess"
    assert visit.knows("R1", "1234", NOW) is True
    assert visit.knows("R1", "1234", NOW + timedelta(minutes=11)) is None
    visit.told("R2", "1", right=False, now=NOW)
    assert visit.knows("R1", "", NOW) is None
    visit.end()
    assert visit.knows("R2", "1", NOW) is None

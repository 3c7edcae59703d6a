"""The value that every decoder returns."""

from rfid.iso28560.model import Decoded, Model, Status


def test_json_holds_what_is_known_under_plain_names() -> None:
    item = Decoded(
        Model.ISO28560_2, Status.OK, pii="1", owner_width=13, content_parameter=(3, 5), usage="10", other={"27": "x"}
    )
    assert item.to_json() == {
        "model": "iso28560-2",
        "status": "ok",
        "pii": "1",
        "content_parameter": [3, 5],
        "usage": "10",
        "other": {"27": "x"},
        "problems": [],
    }


def test_ownership_is_yes_no_or_not_told() -> None:
    assert Decoded(Model.ISO28560_2, Status.OK, owner="XX-1").owned_by("XX-1") is True
    assert Decoded(Model.ISO28560_2, Status.OK, owner="XX-2").owned_by("XX-1") is False
    assert Decoded(Model.ISO28560_2, Status.OK).owned_by("XX-1") is None
    assert Decoded(Model.ISO28560_3, Status.OK, owner_raw="", owner_width=13).owned_by("XX-1") is None


def test_only_contradictions_beside_the_identity_leave_it_trusted() -> None:
    def trusted(status: Status, *problems: str, pii: str | None = "1") -> bool:
        return Decoded(Model.ISO28560_2, status, pii=pii, problems=problems).trusted

    assert trusted(Status.OK)
    assert not trusted(Status.OK, pii=None)
    assert trusted(Status.INCONSISTENT, "missing:17")
    assert not trusted(Status.INCONSISTENT, "duplicate:1")
    assert not trusted(Status.CORRUPT, "value")

"""AFI values and loan states."""

from rfid.afi import AfiPolicy


def test_each_loan_state_has_its_afi_and_back() -> None:
    policy = AfiPolicy(in_stock=0xD7, on_loan=0xDA)
    assert (policy.wanted(on_loan=True), policy.wanted(on_loan=False)) == (0xDA, 0xD7)
    assert (policy.is_on_loan(0xDA), policy.is_on_loan(0xD7), policy.is_on_loan(0x07)) == (True, False, None)

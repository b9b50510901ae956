"""What ``make import-official`` finds when two servers do not say the same."""

from scripts.import_official.accounts import differences, hashed
from tests.support.official_data import said


def test_the_same_account_has_no_differences() -> None:
    assert differences(said("1.2.15"), said("1.2.15")) == []


def test_every_difference_is_named() -> None:
    official, ours = said("1.2.15"), said("1.2.15")
    missing, extra, changed = list(official)[:3]
    del ours[missing], official[extra]
    ours[changed] = {**ours[changed], "texts": "other", "todos": [["x", "pending", "low"]]}
    assert len(differences(official, ours)) == 4
    assert any(line.startswith(f"{missing}: ") and line.endswith(" is missing") for line in differences(official, ours))
    assert any(line.startswith(f"{changed}: texts is 'other'") for line in differences(official, ours))


def test_numbers_are_hashed_by_their_value() -> None:
    assert hashed({"cost": 1.0}) == hashed({"cost": 1})
    assert hashed({"cost": 1.5}) != hashed({"cost": 1})

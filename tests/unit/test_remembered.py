# SPDX-License-Identifier: Apache-2.0
"""The cache before keystonemiddleware: bounded in number and in time."""

from trio2o.pods.tokens import Remembered


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_value_lives_until_its_time() -> None:
    clock = Clock()
    kept: Remembered[str, int] = Remembered(3, clock)
    kept.put("a", 1, 10.0)
    clock.now = 9.9
    assert kept.get("a") == 1
    clock.now = 10.0
    assert kept.get("a") is None
    assert len(kept) == 0


def test_the_least_recently_used_goes_first() -> None:
    kept: Remembered[str, int] = Remembered(2, Clock())
    kept.put("a", 1, 10.0)
    kept.put("b", 2, 10.0)
    kept.get("a")
    kept.put("c", 3, 10.0)
    assert [kept.get(key) for key in "abc"] == [1, None, 3]

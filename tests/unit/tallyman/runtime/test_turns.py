"""The order in which cases that a worker has at hand go on."""

import threading
import time

from tallyman.runtime.turns import Turns


def work(turns: Turns, places: list[int], *, takes_s: float = 0.02) -> tuple[list[int], int]:
    """The places in the order of their turns, and how many were at work at a time at most."""
    order: list[int] = []
    at_work = [0, 0]

    def one(place: int) -> None:
        with turns.turn(place):
            order.append(place)
            at_work[0] += 1
            at_work[1] = max(at_work)
            time.sleep(takes_s)
            at_work[0] -= 1

    threads = [threading.Thread(target=one, args=(place,)) for place in places]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    return order, at_work[1]


def test_the_lowest_place_goes_first_whoever_arrives_first() -> None:
    assert work(Turns(1), [2, 1]) == ([1, 2], 1)
    assert work(Turns(1), [3, 1, 2]) == ([1, 2, 3], 1)


def test_as_many_work_at_a_time_as_were_asked_for_and_no_more() -> None:
    assert work(Turns(2), [1, 2, 3, 4, 5])[1] == 2


def test_a_turn_that_ends_by_an_error_is_free_again() -> None:
    turns = Turns(1)
    for _ in range(2):
        try:
            with turns.turn(1):
                raise ValueError
        except ValueError:
            pass
    assert work(turns, [1]) == ([1], 1)

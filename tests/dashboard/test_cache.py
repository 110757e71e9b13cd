import threading

import pytest

from dashboard.cache import Cache


def test_only_so_many_answers_are_kept_and_the_oldest_goes():
    cache = Cache(2)
    made = []

    def make(name):
        return lambda: made.append(name) or name

    for name in ("a", "b", "a", "c"):
        assert cache.get(name, make(name)) == name
    assert made == ["a", "b", "c"]
    assert (cache.cached("a"), cache.cached("b"), cache.cached("c")) == ("a", None, "c")


def test_an_error_is_not_kept_and_whoever_waits_tries_again():
    cache = Cache()
    with pytest.raises(ZeroDivisionError):
        cache.get("x", lambda: 1 // 0)
    assert cache.get("x", lambda: 5) == 5


def test_the_same_question_asked_twice_at_a_time_is_worked_out_once():
    cache, made, begun = Cache(), [], threading.Event()
    done = threading.Event()

    def slow():
        begun.set()
        done.wait(5)
        made.append(1)
        return "answer"

    answers = []
    threads = [threading.Thread(target=lambda: answers.append(cache.get("q", slow))) for _ in range(3)]
    for thread in threads:
        thread.start()
    assert begun.wait(5)
    done.set()
    for thread in threads:
        thread.join(5)
    assert (answers, made) == (["answer"] * 3, [1])


def test_a_value_is_made_again_when_it_is_too_old():
    cache, made = Cache(seconds=0), []
    assert [cache.get("x", lambda: made.append(1) or len(made)) for _ in range(2)] == [1, 2]
    assert cache.cached("x") is None

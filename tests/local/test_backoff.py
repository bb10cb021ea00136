from core.local.service.backoff import Backoff


def test_each_failure_in_a_row_waits_longer_up_to_a_limit() -> None:
    now = [0.0]
    backoff = Backoff(first_s=1.0, longest_s=3.0, clock=lambda: now[0])
    waits = []
    for _ in range(2000):
        backoff.failed("a")
        until = next(t / 2 for t in range(100) if not waiting_at(backoff, now, now[0] + t / 2))
        waits.append(until)
    assert waits[:4] == [1.0, 2.0, 3.0, 3.0]
    assert waits[-1] == 3.0


def waiting_at(backoff: Backoff, now: list[float], then: float) -> bool:
    before, now[0] = now[0], then
    waits = backoff.waits("a")
    now[0] = before
    return waits


def test_success_forgets_and_keys_do_not_meet() -> None:
    backoff = Backoff(first_s=100.0)
    assert backoff.failed("a") == 1
    assert backoff.failed("a") == 2
    assert not backoff.waits("b")
    backoff.clear("a")
    assert not backoff.waits("a")
    assert backoff.failures("a") == 0

"""The arithmetic: quantiles, and the best that a queue before several replicas can do."""

import heapq
import math
import random


def quantile(values: list[float], share: float) -> float:
    """The smallest value that at least that share does not exceed; nan of nothing."""
    if not values:
        return math.nan
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def median(values: list[float]) -> float:
    """The middle one; of two the mean."""
    ordered = sorted(values)
    if not ordered:
        return math.nan
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2


def poisson_arrivals(rate: float, seconds: float, chance: random.Random) -> list[float]:
    """Times of arrival in seconds."""
    times, now = [], chance.expovariate(rate)
    while now < seconds:
        times.append(now)
        now += chance.expovariate(rate)
    return times


def log_normal(mean: float, sigma: float, chance: random.Random) -> float:
    """A log-normal time of this mean."""
    return mean * math.exp(sigma * chance.gauss(0, 1) - sigma * sigma / 2)


def central_queue(arrivals: list[float], services: list[float], slots: int) -> list[float]:
    """How long each would take with one queue, first come first served, and no time lost.

    Nothing that does not know the service times beforehand can do better for the mean wait without
    serving out of order.
    """
    free = [0.0] * slots
    latencies = []
    for arrival, service in zip(arrivals, services):
        start = max(arrival, heapq.heappop(free))
        heapq.heappush(free, start + service)
        latencies.append(start + service - arrival)
    return latencies


def check() -> None:
    """Checks this file against cases that can be reckoned by hand."""
    assert quantile([3, 1, 2], 0.5) == 2 and quantile([1, 2, 3, 4], 0.99) == 4
    assert math.isnan(quantile([], 0.5))
    assert median([4, 1, 3, 2]) == 2.5 and median([5]) == 5
    # Two slots: the third waits for the first to end.
    assert central_queue([0, 0, 1], [5, 9, 2], 2) == [5, 9, 6]
    # One slot: a line.
    assert central_queue([0, 1, 20], [10, 10, 1], 1) == [10, 19, 1]
    chance = random.Random(1)
    times = [log_normal(20, 0.7, chance) for _ in range(100_000)]
    assert 19.7 < sum(times) / len(times) < 20.3
    assert 9_700 < len(poisson_arrivals(1000, 10, random.Random(2))) < 10_300

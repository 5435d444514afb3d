"""Figures, the goals for them, and the tables they are shown in."""

import math
from dataclasses import dataclass, field

from .statistics import median


@dataclass
class Goal:
    """What sluice must reach: a text for people and a test of the medians.

    The test gets the median of each gateway and returns sluice's standing (a ratio, or the figure
    itself) and whether that is enough.
    """

    text: str
    test: object


def at_most_times_best(factor: float, peers: tuple[str, ...]) -> Goal:
    """At most that multiple of the best of these peers, of those where less is better."""
    def test(medians):
        best = min((medians[peer] for peer in peers if peer in medians), default=math.nan)
        ratio = medians["sluice"] / best if best else math.nan
        return f"{ratio:.2f} ×", ratio <= factor
    return Goal(f"≤ {factor} × {_among(peers)}", test)


def _among(peers: tuple[str, ...]) -> str:
    """Whom a goal is measured by, in words."""
    names = [{"nginx": "nginx", "haproxy": "HAProxy"}.get(peer, peer) for peer in peers]
    if len(names) > 2:
        return "the best peer"
    return names[0] if len(names) == 1 else f"the better of {names[0]} and {names[1]}"


def at_least_best(peers: tuple[str, ...]) -> Goal:
    """At least what the best of these peers has, of those where more is better."""
    def test(medians):
        best = max((medians[peer] for peer in peers if peer in medians), default=math.nan)
        return f"{medians['sluice'] / best:.2f} ×", medians["sluice"] >= best
    return Goal("≥ the best peer", test)


def at_most(limit: float, unit: str = "") -> Goal:
    """At most so much."""
    return Goal(f"≤ {limit:g}{unit}", lambda medians: ("", medians["sluice"] <= limit))


def at_least(limit: float, unit: str = "") -> Goal:
    """At least so much."""
    return Goal(f"≥ {limit:g}{unit}", lambda medians: ("", medians["sluice"] >= limit))


@dataclass
class Figure:
    """One figure of a scenario."""

    key: str
    title: str
    goal: Goal | None = None
    digits: int = 1


@dataclass
class Outcome:
    """What was measured of a scenario: by gateway, by figure, one value a round."""

    scenario: object
    values: dict[str, dict[str, list[float]]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def add(self, proxy: str, measured: dict[str, float]) -> None:
        for key, value in measured.items():
            self.values.setdefault(proxy, {}).setdefault(key, []).append(value)

    def medians(self, key: str) -> dict[str, float]:
        return {
            proxy: median([value for value in by_key[key] if not math.isnan(value)])
            for proxy, by_key in self.values.items()
            if any(not math.isnan(value) for value in by_key.get(key, []))
        }


def _cell(values: list[float], digits: int) -> str:
    values = [value for value in values if not math.isnan(value)]
    if not values:
        return "–"
    text = f"{median(values):.{digits}f}"
    if len(values) > 1:
        text += f" ({min(values):.{digits}f}–{max(values):.{digits}f})"
    return text


def standing(outcome: Outcome, figure: Figure) -> tuple[str, str]:
    """Sluice's ratio for a figure, and whether the goal is reached."""
    medians = outcome.medians(figure.key)
    if figure.goal is None or "sluice" not in medians:
        return "", ""
    ratio, reached = figure.goal.test(medians)
    if ratio.startswith("nan"):
        return "", "no peer"
    return ratio, "reached" if reached else "MISSED"


def table(outcome: Outcome, names: list[str]) -> list[str]:
    """A scenario as a table in Markdown: medians with the least and the most of the rounds."""
    shown = [name for name in names if name in outcome.values]
    lines = [
        "| figure | " + " | ".join(shown) + " | sluice ÷ best | goal | |",
        "|---|" + "---|" * (len(shown) + 3),
    ]
    for figure in outcome.scenario.FIGURES:
        cells = [_cell(outcome.values[name].get(figure.key, []), figure.digits) for name in shown]
        ratio, reached = standing(outcome, figure)
        goal = figure.goal.text if figure.goal else ""
        lines.append(f"| {figure.title} | {' | '.join(cells)} | {ratio} | {goal} | {reached} |")
    return lines


def check() -> None:
    """Checks the goals against cases that can be seen at once."""
    peers = ("nginx", "haproxy")
    assert at_most_times_best(0.85, peers).test({"sluice": 8, "nginx": 10, "haproxy": 12})[1]
    assert not at_most_times_best(0.85, peers).test({"sluice": 9, "nginx": 10, "haproxy": 12})[1]
    assert at_most_times_best(1.0, ("nginx",)).test({"sluice": 2, "nginx": 2, "haproxy": 1})[1]
    assert at_most_times_best(1.0, ("nginx",)).text == "≤ 1.0 × nginx"
    assert at_most_times_best(1.0, peers).text == "≤ 1.0 × the better of nginx and HAProxy"
    assert at_least_best(peers).test({"sluice": 2, "nginx": 2, "haproxy": 1})[1]
    assert at_most(1).test({"sluice": 1})[1] and not at_least(1).test({"sluice": 0.9})[1]
    outcome = Outcome(None)
    for value in (3.0, 1.0, math.nan, 2.0):
        outcome.add("sluice", {"x": value})
    assert outcome.medians("x") == {"sluice": 2} and _cell([1.0, 3.0, 2.0], 1) == "2.0 (1.0–3.0)"

"""95 % intervals: Wilson's for proportions, a bootstrap over patients for what patients share or what is no proportion, and differences of two.

Pure functions of arrays. A figure between 0 and 1 takes Wilson's interval with the number of independent cases that its bootstrap error is
worth: for one case a patient that number is the count itself, so nothing is resampled. A mean takes the studentised bootstrap interval.
Sources: Wilson 1927; Kish 1965 (effective sample size); Efron and Tibshirani 1993, chapter 12 (bootstrap-t); Newcombe 1998 and Zou and
Donner 2008 (differences, MOVER).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
BLOCKS = 2000  # beyond as many patients, as many random groups of patients are resampled in their place
LEVEL = 0.95


@dataclass(frozen=True, slots=True)
class Figure:
    """A value with its 95 % interval and the independent cases its error is worth; `low` and `high` are NaN where there is none."""

    value: float
    low: float
    high: float
    worth: float  # of a proportion: independent cases; of a mean: NaN
    error: float = math.nan  # standard error

    def at(self, level: float) -> tuple[float, float]:
        """The interval at another level, for comparisons of several."""
        if math.isfinite(self.worth):
            return wilson(self.value, self.worth, level)
        z = _z(level) / _z(LEVEL)
        return self.value - (self.value - self.low) * z, self.value + (self.high - self.value) * z


NONE = Figure(math.nan, math.nan, math.nan, math.nan)


def _z(level: float) -> float:
    return NormalDist().inv_cdf(0.5 + level / 2)


def wilson(p: float, n: float, level: float = LEVEL) -> tuple[float, float]:
    """Wilson's interval for a proportion of `n` cases."""
    if not n > 0 or not math.isfinite(p):
        return math.nan, math.nan
    z = _z(level)
    centre = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(max(0.0, p * (1 - p) / n + z * z / (4 * n * n)))
    return max(0.0, min(p, centre - half)), min(1.0, max(p, centre + half))


def proportion(hits: float, n: float) -> Figure:
    """A plain proportion of independent cases."""
    if n <= 0:
        return NONE
    p = float(hits / n)
    low, high = wilson(p, float(n))
    return Figure(p, low, high, float(n), math.sqrt(p * (1 - p) / n))


def between(p: float, replicates: Array, patients: float, cases: float, drawn: float = math.inf) -> Figure:
    """A figure between 0 and 1 from its bootstrap replicates: Wilson's interval with the cases that their spread is worth.

    `drawn` is how many patients were drawn from; with few, the spread is a little too small and Student's t takes the normal's place.
    """
    spread = replicates[np.isfinite(replicates)]
    error = float(spread.std(ddof=1)) if spread.size > 1 else 0.0
    inner = min(max(p, 0.5 / (cases + 1)), 1 - 0.5 / (cases + 1))
    worth = inner * (1 - inner) / error**2 if error > 0 and 0 < p < 1 else float(patients)
    worth = min(max(worth * _few(drawn), 2.0), float(cases))
    low, high = wilson(p, worth)
    return Figure(float(p), low, high, worth, error)


def _few(drawn: float) -> float:
    """What is left of a sample's worth when its error was estimated from few patients."""
    if drawn < 2 or not math.isfinite(drawn):
        return 1.0
    from scipy.special import stdtrit

    return float((drawn - 1) / drawn * (_z(LEVEL) / stdtrit(drawn - 1, 0.5 + LEVEL / 2)) ** 2)


def weights(units: int, bootstraps: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """How often each unit is drawn in each bootstrap: `bootstraps` × `units`."""
    return rng.multinomial(units, np.full(units, 1 / units), size=bootstraps).astype(np.float32)


def blocks_of(patients: NDArray[np.int32], count: int, rng: np.random.Generator) -> tuple[NDArray[np.int32], int]:
    """Each row's unit of resampling and how many there are: its patient, or beyond `BLOCKS` patients a random group of patients."""
    if count <= BLOCKS:
        return patients, count
    return (rng.permutation(count) % BLOCKS).astype(np.int32)[patients], BLOCKS


def means(sums: Array, counts: Array, drawn: NDArray[np.float32]) -> list[Figure]:
    """The mean of each column of `sums` (units × columns) over `counts`, each with its studentised bootstrap interval."""
    total, n = sums.sum(0), counts.sum(0)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = total / n
    s, c = (sums - mean * counts).astype(np.float32), counts.astype(np.float32)  # centred: nothing is lost in single precision
    s = np.where(np.isfinite(s), s, 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        units = (counts > 0).sum(0)
        error = np.sqrt((s.astype(np.float64) ** 2).sum(0) * units / np.maximum(units - 1, 1)) / n
        drawn_n = drawn @ c
        moved = (drawn @ s) / drawn_n
        held = (drawn > 0).astype(np.float32) @ (c > 0)
        spread = drawn @ (s * s) - 2 * moved * (drawn @ (s * c)) + moved**2 * (drawn @ (c * c))
        again = np.sqrt(np.maximum(spread, 0)) / drawn_n
        t = np.where((held > 1) & (again > 0), moved / again, np.nan)
    found = []
    for j in range(sums.shape[1]):
        sound = t[:, j][np.isfinite(t[:, j])]
        if not units[j]:
            found.append(NONE)
        elif units[j] < 2 or error[j] == 0 or sound.size < 50:
            found.append(
                Figure(float(mean[j]), float(mean[j]) if error[j] == 0 else math.nan, float(mean[j]) if error[j] == 0 else math.nan, math.nan, float(error[j]))
            )
        else:
            upper, lower = np.quantile(sound, [0.975, 0.025])
            correction = math.sqrt(units[j] / (units[j] - 1))
            low, high = mean[j] - upper * error[j] / correction, mean[j] - lower * error[j] / correction
            found.append(Figure(float(mean[j]), float(low), float(high), math.nan, float(error[j])))
    return found


def difference(a: Figure, b: Figure, level: float = LEVEL) -> tuple[float, float, float]:
    """a − b with its interval from the intervals of the two, which are of different patients (MOVER)."""
    (al, au), (bl, bu) = a.at(level), b.at(level)
    d = a.value - b.value
    return d, d - math.hypot(a.value - al, bu - b.value), d + math.hypot(au - a.value, b.value - bl)


def widest(families: Sequence[Sequence[Figure]]) -> tuple[float, float, float]:
    """The largest difference between two figures of one family, over all families, with an interval that holds for all pairs at once.

    The limits are the largest lower and the largest upper limit of any pair at Bonferroni's level, so that the choice of the
    extreme pair is paid for; with one pair they are that pair's own interval.
    """
    pairs = [(a, b) for family in families for i, a in enumerate(family) for b in family[i + 1 :]]
    if not pairs:
        return math.nan, math.nan, math.nan
    level = 1 - (1 - LEVEL) / len(pairs)
    signed = [difference(*(pair if pair[0].value >= pair[1].value else pair[::-1]), level) for pair in pairs]
    return max(d for d, _, _ in signed), max(0.0, *(low for _, low, _ in signed)), max(high for _, _, high in signed)


def apart(a: Figure, b: Figure, comparisons: int) -> bool:
    """Whether two figures still differ when as many comparisons are paid for (Bonferroni)."""
    _, low, high = difference(a, b, 1 - (1 - LEVEL) / max(1, comparisons))
    return low > 0 or high < 0

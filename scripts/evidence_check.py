"""How often the intervals of `pincite evidence` hold the truth, and how often it finds what was planted or what is not there.

    .venv/bin/python scripts/evidence_check.py [REPEATS] [coverage|alarms]      # 1,000 repeats of both take about an hour of one core

Every repeat goes through the files and functions that a user's data go through. The truth of a scenario is its value in a sample of a million.
"""

import math
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn import metrics as sk

from assistant.evidence import drift, metrics, privacy, split

BOOTSTRAPS = 400
# name: patients, cases a patient, distance of the classes, spread between patients, share of positives
CLASSIFIERS = {
    "100 patients": (100, 1, 1.6, 0.0, 0.4), "400 patients": (400, 1, 2.2, 0.0, 0.3), "2,500 patients": (2500, 1, 1.6, 0.0, 0.2), "60 patients, 4 cases each": (60, 4, 1.8, 0.8, 0.4),
    "300 patients, 3 cases each": (300, 3, 1.6, 1.0, 0.3), "150 patients, excellent model": (150, 1, 3.2, 0.0, 0.4),
}  # fmt: skip
VALUES = {
    "Dice, 50 patients": (50, 1, "beta"), "Dice, 200 patients, 3 each": (200, 3, "beta"), "time, 60 patients": (60, 1, "lognormal"), "time, 400 patients, 2 each": (400, 2, "lognormal"),
}  # fmt: skip
RATES = ("prevalence", "selection_rate", "sensitivity", "specificity", "ppv", "npv", "accuracy", "auc", "brier", "calibration_in_the_large")


def classified(rng, patients, each, distance, spread, share, lower=0.0):
    """A made-up study. `lower` is taken from the scores of positive women."""
    of = np.repeat(np.arange(patients), each)
    y = rng.random(patients * each) < share
    level = rng.normal(0, spread, patients)[of] if spread else 0.0
    sex = np.array(["F", "M"])[rng.integers(0, 2, patients)[of]]
    raw = distance * (y - 0.5) + level + rng.normal(0, 1, len(y)) - lower * (y & (sex == "F"))
    return pd.DataFrame({"patient": of, "y": y.astype(int), "p": 1 / (1 + np.exp(-raw)), "sex": sex, "site": rng.choice(list("ABCD"), len(y))})


def measured(rng, patients, each, kind):
    of = np.repeat(np.arange(patients), each)
    level = rng.normal(0, 0.3, patients)[of]
    e = level + rng.normal(0, 0.6, len(of))
    return pd.DataFrame({"patient": of, "v": 1 / (1 + np.exp(-(1.5 + e))) if kind == "beta" else np.exp(1 + e)})


def truth(d):
    chosen = d.p >= 0.5
    return {
        "prevalence": d.y.mean(), "selection_rate": chosen.mean(), "sensitivity": chosen[d.y == 1].mean(), "specificity": 1 - chosen[d.y == 0].mean(), "ppv": d.y[chosen].mean(),
        "npv": 1 - d.y[~chosen].mean(), "accuracy": (chosen == (d.y == 1)).mean(), "auc": sk.roc_auc_score(d.y, d.p), "brier": ((d.p - d.y) ** 2).mean(), "calibration_in_the_large": (d.p - d.y).mean(),
    }  # fmt: skip


def saved(folder, data, name="r.parquet"):
    data.to_parquet(folder / name)
    return folder / name


def coverage(folder, repeats, tell):
    out = {}
    for k, (name, shape) in enumerate(CLASSIFIERS.items()):
        rng = np.random.default_rng(7)
        big = classified(rng, 1_000_000 // shape[1], *shape[1:])
        exact = truth(big)
        women = {m: [exact_of[m] for exact_of in (truth(big[big.sex == s]) for s in "FM")] for m in ("sensitivity", "specificity", "auc", "selection_rate")}
        held = defaultdict(list)
        for i in range(repeats):
            path = saved(folder, classified(np.random.default_rng([k, i]), *shape))
            found = metrics.compute(metrics.Request(path, ("y",), ("p",), groups=("sex",), patient="patient", bootstraps=BOOTSTRAPS))
            whole, by_sex = found["slices"]
            for m in RATES:
                f = whole["groups"][0]["figures"][m]
                if f["low"] is not None:
                    held[m].append(f["low"] <= exact[m] <= f["high"])
            for g in by_sex["gaps"]:
                of = {
                    "equal opportunity difference": "sensitivity",
                    "specificity difference": "specificity",
                    "AUC difference": "auc",
                    "demographic parity difference": "selection_rate",
                }.get(g["gap"])
                if of:
                    held[f"gap of {of}"].append(g["low"] <= abs(women[of][0] - women[of][1]) <= g["high"])
        out[name] = {m: [float(np.mean(h)), len(h)] for m, h in held.items()}
        tell(name, out[name])
    for k, (name, shape) in enumerate(VALUES.items()):
        big = measured(np.random.default_rng(7), 1_000_000 // shape[1], *shape[1:]).v
        exact = {"mean": big.mean(), "median": big.median(), "quantile_05": big.quantile(0.05), "quantile_95": big.quantile(0.95)}
        held = defaultdict(list)
        for i in range(repeats):
            path = saved(folder, measured(np.random.default_rng([k, i]), *shape))
            figures = metrics.compute(metrics.Request(path, value="v", patient="patient", bootstraps=BOOTSTRAPS))["slices"][0]["groups"][0]["figures"]
            for m, value in exact.items():
                if figures[m]["low"] is not None:
                    held[m].append(figures[m]["low"] <= value <= figures[m]["high"])
        out[name] = {m: [float(np.mean(h)), len(h)] for m, h in held.items()}
        tell(name, out[name])
    return out


def alarms(folder, repeats, tell):
    """How often something is said to stand out: on clean data, and where it was planted."""
    counted = defaultdict(list)
    shape = (600, 1, 2.0, 0.0, 0.35)
    for i in range(repeats):
        for planted, lower in (("clean", 0.0), ("planted", 1.6)):
            path = saved(folder, classified(np.random.default_rng(i), *shape, lower=lower), f"{planted}.parquet")
            found = metrics.compute(metrics.Request(path, ("y",), ("p",), groups=("sex", "site"), patient="patient", bootstraps=BOOTSTRAPS))
            counted[f"gaps, {planted}"].append(any(g["stands"] for s in found["slices"] for g in s["gaps"]))
            wanted = metrics.Request(path, ("y",), ("p",), groups=("sex",), patient="patient", bootstraps=BOOTSTRAPS)
            now = classified(np.random.default_rng(10_000 + i), *shape)
            now = now.assign(p=now.p ** (1.0 if planted == "clean" else 2.0))
            compared = drift.compute(
                drift.Request(saved(folder, classified(np.random.default_rng(20_000 + i), *shape), "old.parquet"), saved(folder, now, "new.parquet"), wanted, ("site",), "patient", (("sensitivity", 0.05), ("psi", 0.1)))
            )  # fmt: skip
            counted[f"drift: change that stands, {planted}"].append(any(c["stands"] for c in compared["changes"]))
            counted[f"drift: alarm, {planted}"].append(any(a["state"] == "alarm" for a in compared["alarms"]))
            counted[f"drift: score beyond chance, {planted}"].append(compared["stability"][0]["beyond_noise"])
            rng = np.random.default_rng(i)
            pair = [
                saved(folder, pd.DataFrame({"l": rng.gamma(2, s, 2000)}), f"{n}.parquet")
                for n, s in (("in", 0.1), ("out", 0.1 if planted == "clean" else 0.115))
            ]
            attack = privacy.compute(privacy.Request(*pair, "l", loss=True, bootstraps=BOOTSTRAPS))["membership"]
            counted[f"membership told apart, {planted}"].append(attack["told_apart"])
            counted[f"membership exposed at a low rate, {planted}"].append(any(r.get("exposed") for r in attack["at"]))
            data = classified(rng, 300, 2, 2.0, 0.5, 0.3).assign(image=lambda d: np.arange(len(d)))
            train, test = data[data.patient < 200], data[data.patient >= 200]
            test = pd.concat([test, train.sample(1, random_state=i)]) if planted == "planted" else test
            s = split.compute(split.Request(saved(folder, train, "a.parquet"), saved(folder, test, "b.parquet"), "patient", "image"))
            counted[f"leakage, {planted}"].append(s["patients"]["both"] > 0 and s["cases"]["both"] > 0)
    out = {name: [float(np.mean(h)), len(h)] for name, h in sorted(counted.items())}
    tell("said to stand out", out)
    return out


def main():
    repeats = int(sys.argv[1]) if len(sys.argv) > 1 else 1000

    def tell(name, rows):
        print(name, flush=True)
        for m, (share, n) in rows.items():
            print(f"  {m:44} {100 * share:5.1f} %  of {n}  (± {196 * math.sqrt(share * (1 - share) / n):.1f})", flush=True)

    with tempfile.TemporaryDirectory() as where:
        if "alarms" not in sys.argv:
            found = coverage(Path(where), repeats, tell)
            every = [share for rows in found.values() for share, _ in rows.values()]
            print(f"coverage over all: {100 * np.mean(every):.1f} %, lowest {100 * min(every):.1f} %, highest {100 * max(every):.1f} %")
        if "coverage" not in sys.argv:
            alarms(Path(where), repeats, tell)


if __name__ == "__main__":
    main()

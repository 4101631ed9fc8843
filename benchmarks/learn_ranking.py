"""Learns the fusion's weights and the framework classifier from our own questions; prints cross-validated figures.

    python benchmarks/learn_ranking.py HOME [--write]

HOME is a data folder with the official texts ingested. Sources: questions of the digests, each searched with its own
row taken out, and `corpus/questions/answerable.jsonl`. Weights are chosen by five folds over whole frameworks and
sources; no shared benchmark is read. With --write the result replaces `corpus/ranking.toml` and the classifier.
"""

import json
import sys
from pathlib import Path

import numpy as np

from assistant import corpus, library, retrieve
from assistant.embed import Embedder
from assistant.law import framework_of
from assistant.library import Library
from assistant.pinpoint import Pinpoint

DAY = "2026-11-22"
CANDIDATES = 40
SAMPLE = 1200


def root_of(address: str) -> str:
    """The root provision of an address."""
    instrument, _, path = address.partition(":")
    return Pinpoint(instrument, path).root.address


def digest_questions(home: Library) -> list[tuple[str, str, int]]:
    """(question, address of the digest, row key) of every question in the digest layer."""
    query = "SELECT row.words, p.address, row.key FROM row JOIN provision p ON p.id = row.provision WHERE row.type = 'question' ORDER BY row.key"
    return [(str(w), str(a), int(k)) for w, a, k in home.db.execute(query)]


def learn_classifier(home: Library, questions: list[tuple[str, str, int]]) -> tuple[tuple[str, ...], np.ndarray]:
    """A multinomial logistic regression from question vectors to frameworks; (names, weights with bias)."""
    from sklearn.linear_model import LogisticRegression

    x = np.stack([home.vectors[home.rows.vector[k]] for _, _, k in questions])
    y = [framework_of(a.partition(":")[0]) for _, a, _ in questions]
    model = LogisticRegression(C=4.0, max_iter=2000, class_weight="balanced").fit(x, y)
    return tuple(model.classes_), np.hstack([model.coef_, model.intercept_[:, None]]).astype(np.float32)


def examples(home: Library, questions: list[tuple[str, str, np.ndarray, int | None, str]]) -> list[tuple[np.ndarray, np.ndarray, str]]:
    """For each question the features of its best candidates, which of them are right, and its source."""
    rows = home.rows
    index = {u: i for i, u in enumerate(rows.units)}
    found = []
    for text, gold, vector, own, source in questions:
        day = DAY
        scores = home.scores(retrieve.words_of(text), vector, retrieve.Filter(day))
        ok = scores.ok
        if own is not None:
            ok = ok.copy()
            ok[own] = False
        lexical, dense = scores.lexical * ok, scores.dense * ok
        table = retrieve.unit_features(rows, lexical, dense, ok, text, vector)
        right = np.zeros(len(rows.units), dtype=bool)
        for g in gold.split():
            if root_of(g) in index:
                right[index[root_of(g)]] = True
        if not right.any():
            continue
        present = np.zeros(len(rows.units), dtype=bool)
        present[rows.unit[ok]] = True
        score = np.where(present, table @ retrieve.weight_vector(), -np.inf)
        best = np.argsort(-score)[:CANDIDATES]
        best = np.unique(np.concatenate([best, np.flatnonzero(right)]))
        found.append((table[best], right[best], source))
    return found


def fit(data: list[tuple[np.ndarray, np.ndarray, str]], start: np.ndarray, steps: int = 400, rate: float = 0.05, decay: float = 0.002) -> np.ndarray:
    """Weights by gradient descent on the listwise softmax, pulled gently to `start`; ranked features stay non-negative."""
    w, scale = start.copy(), 8.0
    m, v = np.zeros_like(w), np.zeros_like(w)
    for step in range(1, steps + 1):
        g = decay * (w - start)
        for x, right, _ in data:
            z = scale * (x @ w)
            p = np.exp(z - z.max())
            p /= p.sum()
            q = p * right
            q /= max(q.sum(), 1e-9)
            g += scale * (p - q) @ x / len(data)
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
        w -= rate * (m / (1 - 0.9**step)) / (np.sqrt(v / (1 - 0.999**step)) + 1e-8)
        w[: retrieve.MATCH] = np.maximum(w[: retrieve.MATCH], 0.02)
    return np.asarray(w / w[: retrieve.MATCH].sum())


def measure(data: list[tuple[np.ndarray, np.ndarray, str]], w: np.ndarray) -> tuple[float, float, float, float]:
    """hit@1, @5, @10 and MRR."""
    ranks = np.array([1 + np.sum((x @ w) > np.max((x @ w)[right])) for x, right, _ in data])
    return float(np.mean(ranks <= 1)), float(np.mean(ranks <= 5)), float(np.mean(ranks <= 10)), float(np.mean(np.where(ranks <= 10, 1 / ranks, 0)))


def main() -> None:
    """Learn, cross-validate, print, and write when asked."""
    home = library.current(Path(sys.argv[1]))
    if home is None:
        sys.exit("no library in this folder")
    embedder = Embedder()
    all_questions = digest_questions(home)
    names, matrix = learn_classifier(home, all_questions)
    if "--write" in sys.argv:
        np.savez_compressed(corpus.root() / "framework_classifier.npz", names=np.array(names), weights=matrix.astype(np.float16))
    retrieve._classifier.cache_clear()
    rng = np.random.default_rng(7)
    chosen = [all_questions[i] for i in rng.permutation(len(all_questions))[:SAMPLE]]
    train = [(q, a, np.asarray(home.vectors[home.rows.vector[k]]), k, "digest-" + framework_of(a.partition(":")[0])) for q, a, k in chosen]
    own = [json.loads(line) for line in (corpus.root() / "questions" / "answerable.jsonl").read_text("utf8").splitlines()]
    ours = [
        (r["question"], " ".join(r["gold"]), embedder.embed_query(r["question"]), None, "own-" + framework_of(r["gold"][0].partition(":")[0]))
        for r in own
        if r.get("as_of", DAY) == DAY
    ]
    data_digest, data_own = examples(home, train), examples(home, ours)
    start = np.array(retrieve.weight_vector(), dtype=np.float64)
    print(
        "start     digest {:.3f} {:.3f} {:.3f} mrr {:.3f}".format(*measure(data_digest, start)),
        " own {:.3f} {:.3f} {:.3f} mrr {:.3f}".format(*measure(data_own, start)),
    )
    weighted = data_digest + data_own * 3
    folds = sorted({s for _, _, s in data_own})
    held = []
    for fold in folds:
        w = fit([d for d in weighted if d[2].split("-", 1)[1] != fold.split("-", 1)[1]], start)
        test = [d for d in data_own if d[2] == fold]
        held += [(measure(test, w), len(test), fold)]
        print(f"held out  {fold:14} %.3f %.3f %.3f mrr %.3f" % held[-1][0])
    mean = np.average([h[0] for h in held], axis=0, weights=[h[1] for h in held])
    print("cross-validated own {:.3f} {:.3f} {:.3f} mrr {:.3f}".format(*tuple(mean)))
    w = fit(weighted, start)
    print(
        "fitted    digest {:.3f} {:.3f} {:.3f} mrr {:.3f}".format(*measure(data_digest, w)),
        " own {:.3f} {:.3f} {:.3f} mrr {:.3f}".format(*measure(data_own, w)),
    )
    learned = retrieve.weights() | {name: round(float(value), 4) for name, value in zip(retrieve.FEATURES, w, strict=True)}
    lines = [f"{name} = {value}" for name, value in learned.items()]  # what is no feature, such as `definitions`, stays
    print("\n".join(lines))
    if "--write" in sys.argv:
        head = "# Weights of the fusion in `assistant/retrieve.py`. How they were set: docs/experiments.md; to learn them again: benchmarks/learn_ranking.py.\n"
        (corpus.root() / "ranking.toml").write_text(head + "\n".join(lines) + "\n", "utf8")


if __name__ == "__main__":
    main()

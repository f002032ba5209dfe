"""The peers' side of the benchmark: reads jobs as JSON lines, answers each with {"value": ...} in the job's unit.

scikit-learn and isotree run the same algorithm on the same rows (100 trees of 256 rows, single splits);
River's HalfSpaceTrees, its nearest relative for streams, has trees of the same number and height.
"""

import json
import platform
import sys
import time
from importlib import metadata

import isotree
import numpy as np
from river.anomaly import HalfSpaceTrees
from sklearn.ensemble import IsolationForest

TREES = 100
SAMPLE_SIZE = 256
ROWS: dict = {}
MODELS: dict = {}


def rows_of(path: str, columns: int) -> np.ndarray:
    if path not in ROWS:
        ROWS[path] = np.fromfile(path, dtype="<f8").reshape(-1, columns)
    return ROWS[path]


def new_model(peer: str, threads: int, seed: int):
    if peer == "scikit-learn":
        return IsolationForest(n_estimators=TREES, max_samples=SAMPLE_SIZE, random_state=seed, n_jobs=threads)
    return isotree.IsolationForest(
        ntrees=TREES,
        sample_size=SAMPLE_SIZE,
        max_depth=8,
        ndim=1,
        prob_pick_pooled_gain=0,
        missing_action="fail",
        standardize_data=False,
        nthreads=threads,
        random_seed=seed,
    )


def river_model(job: dict) -> HalfSpaceTrees:
    names = [f"f{index}" for index in range(job["columns"])]
    model = HalfSpaceTrees(
        n_trees=TREES, height=8, window_size=SAMPLE_SIZE, limits={name: (-8, 8) for name in names}, seed=job["seed"]
    )
    for row in rows_of(job["fitFile"], job["columns"])[: 2 * SAMPLE_SIZE]:
        model.learn_one(dict(zip(names, row.tolist())))
    return model


def model_of(job: dict):
    key = (job["peer"], job["fitFile"], job.get("threads", 1))
    if key not in MODELS:
        if job["peer"] == "River":
            MODELS[key] = river_model(job)
        else:
            rows = rows_of(job["fitFile"], job["columns"])
            MODELS[key] = new_model(job["peer"], job.get("threads", 1), job["seed"]).fit(rows)
    return MODELS[key]


def scorer(job: dict):
    model = model_of(job)
    if job["peer"] == "River":
        return model.score_one
    return model.score_samples if job["peer"] == "scikit-learn" else model.predict


def score_row(job: dict) -> float:
    score, rows = scorer(job), rows_of(job["fitFile"], job["columns"])[:1000]
    single = [rows[index : index + 1] for index in range(len(rows))]
    if job["peer"] == "River":
        single = [{f"f{index}": value for index, value in enumerate(row)} for row in rows.tolist()]
    for row in single[: job["calls"] // 10]:
        score(row)
    start = time.perf_counter()
    for call in range(job["calls"]):
        score(single[call % len(single)])
    return (time.perf_counter() - start) * 1e6 / job["calls"]


def time_runs(calls: int, run) -> float:
    """Seconds a call: one that is not counted, then the mean of so many."""
    run()
    start = time.perf_counter()
    for _ in range(calls):
        run()
    return (time.perf_counter() - start) / calls


def score_batch(job: dict) -> float:
    score, rows = scorer(job), rows_of(job["file"], job["columns"])
    assert len(score(rows[:10])) == 10
    return len(rows) / time_runs(job["calls"], lambda: score(rows))


def fit(job: dict) -> float:
    rows = rows_of(job["file"], job["columns"])
    return time_runs(job["calls"], lambda: new_model(job["peer"], 1, job["seed"]).fit(rows)) * 1e6


def versions(_: dict) -> dict:
    packages = {"scikit-learn": "scikit-learn", "isotree": "isotree", "River": "river", "NumPy": "numpy"}
    found = {name: metadata.version(package) for name, package in packages.items()}
    return found | {"Python": platform.python_version()}


JOBS = {"score_row": score_row, "score_batch": score_batch, "fit": fit, "versions": versions}

for line in sys.stdin:
    asked = json.loads(line)
    print(json.dumps({"value": JOBS[asked["job"]](asked)}), flush=True)

"""The peers of bench:autoencoder: PyTorch trains the same network on the same rows, ONNX Runtime scores our file.

Reads one JSON job a line and answers with one JSON line. Rows come as files of 64-bit floats, row-major. One thread.
"""

import json
import platform
import sys
import time

import numpy
import onnxruntime
import torch

WINSORISED = 0.01
CLIP = 20.0
# native/src/autoencoder/train.rs: an epoch is better only by this much.
MIN_IMPROVEMENT = 1e-4


def read_rows(job: dict) -> numpy.ndarray:
    return numpy.fromfile(job["file"], dtype=numpy.float64).reshape(-1, job["columns"])


def standardised(rows: numpy.ndarray) -> torch.Tensor:
    """As native/src/autoencoder/scaler.rs defines it."""
    low, high = numpy.quantile(rows, [WINSORISED, 1 - WINSORISED], axis=0)
    within = numpy.clip(rows, low, high)
    scaled = (rows - within.mean(axis=0)) / within.std(axis=0)
    return torch.from_numpy(numpy.clip(scaled, -CLIP, CLIP).astype(numpy.float32))


def make_network(sizes: list[int]) -> torch.nn.Sequential:
    layers: list[torch.nn.Module] = []
    for inputs, outputs in zip(sizes, sizes[1:]):
        linear = torch.nn.Linear(inputs, outputs)
        torch.nn.init.xavier_uniform_(linear.weight)
        torch.nn.init.zeros_(linear.bias)
        layers += [linear, torch.nn.Tanh()]
    return torch.nn.Sequential(*layers[:-1])


def train(job: dict) -> dict:
    """Only steps are timed, in processor time. The loss is over all rows, with the weights after the epoch whose running
    loss was the best: each batch's from just before its step, as ours chooses it."""
    torch.manual_seed(job["seed"])
    rows = standardised(read_rows(job))
    network = make_network(job["sizes"])
    optimizer = torch.optim.Adam(network.parameters(), lr=job["learning_rate"])
    seconds, best, lowest = 0.0, float("inf"), float("inf")
    for _ in range(job["epochs"]):
        start, losses = time.process_time(), []
        for places in torch.randperm(len(rows)).split(job["batch_size"]):
            batch = rows[places]
            optimizer.zero_grad()
            loss = torch.nn.functional.mse_loss(network(batch), batch)
            loss.backward()
            optimizer.step()
            losses.append((loss.detach(), len(batch)))
        seconds += time.process_time() - start
        running = sum(loss.item() * size for loss, size in losses) / len(rows)
        if running >= lowest * (1 - MIN_IMPROVEMENT):
            continue
        lowest = running
        with torch.no_grad():
            best = torch.nn.functional.mse_loss(network(rows), rows).item()
    return {"ms": seconds * 1000, "loss": best}


def score(job: dict) -> list[float]:
    session = onnxruntime.InferenceSession(job["onnx"], providers=["CPUExecutionProvider"])
    (scores,) = session.run(["score"], {"features": read_rows(job).astype(numpy.float32)})
    return scores.tolist()


def versions(_: dict) -> dict:
    return {
        "Python": platform.python_version(),
        "PyTorch": torch.__version__,
        "onnxruntime": onnxruntime.__version__,
    }


JOBS = {"train": train, "score": score, "versions": versions}


def main() -> None:
    torch.set_num_threads(1)
    for line in sys.stdin:
        job = json.loads(line)
        print(json.dumps({"value": JOBS[job["job"]](job)}), flush=True)


if __name__ == "__main__":
    main()

"""The PyTorch half of check.py: a few given steps from given weights."""

import json
import sys
from pathlib import Path

import numpy as np
import torch
import torch_runs

folder = Path(sys.argv[1])
config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
with np.load(folder / "given.npz") as file:
    given = {name: file[name] for name in file.files}
steps = sum(name[0] == "x" for name in given)
pixels = np.zeros((steps * config["batch_size"], 32, 32, 3), np.uint8)
labels = np.zeros(len(pixels))
arrays = {"x_train": pixels, "y_train": labels, "x_test": pixels, "y_test": labels}
cpu = torch.device("cpu")
run = torch_runs.Run(config, torch_runs.Images(arrays, cpu), cpu, "float64")
torch_runs.set_keras_values(run.network, given)
rows = []
for step in range(steps):
    images = torch.from_numpy(given[f"x{step}"]).double().permute(0, 3, 1, 2)
    run.learn(images, torch.from_numpy(given[f"y{step}"]), run.rates[step])
    rows.append(run.measured.numpy().copy())
measures = np.diff(rows, axis=0, prepend=0)
measured = {name: measures[:, index] for index, name in enumerate(torch_runs.MEASURES)}
np.savez(folder / "got.npz", **torch_runs.keras_values(run.network), **measured)

"""CIFAR-10 in PyTorch, many networks at once on one GPU: where the lesson's table comes from.

Needs PyTorch and NumPy only. Runs that have ended are kept in OUTPUT, and are not run again.

A network as small as ResNet-20 leaves most of a large GPU idle, and a step is hundreds of short
kernels. So a step is captured once as a CUDA graph, and several networks replay theirs side by
side, each on a stream of its own. All else is what resnet_lesson.training does: check.py compares
network, loss, gradient, norms and update with Keras.
"""

import argparse
import json
import math
import os
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch
import torch._dynamo
from torch import nn
from torch.nn import functional

SIDE_BY_SIDE = 8  # networks that train at the same time
TEST_BATCH = 500
# Those of GradientMonitor, whose module needs TensorFlow.
MEASURES = ("gradient_norm", "weight_norm", "update_ratio")


class Conv(nn.Conv2d):
    """Without bias, padded as Keras's "same": at stride 2 only below and to the right."""

    def __init__(self, channels, filters, size, stride=1):
        padding = size // 2 if stride == 1 else 0
        super().__init__(channels, filters, size, stride, padding, bias=False)
        self.pads = size > 1 and stride > 1

    def forward(self, x):
        return super().forward(functional.pad(x, (0, 1, 0, 1)) if self.pads else x)


class BNReLU(nn.BatchNorm2d):
    def __init__(self, channels):
        super().__init__(channels, eps=2e-5, momentum=0.1)

    def forward(self, x):
        return functional.relu(super().forward(x))


class Module(nn.Module):
    """A basic residual module in full pre-activation."""

    def __init__(self, channels, filters, stride, shortcut):
        super().__init__()
        self.shortcut = shortcut
        self.bn1, self.conv1 = BNReLU(channels), Conv(channels, filters, 3, stride)
        self.bn2, self.conv2 = BNReLU(filters), Conv(filters, filters, 3)
        projects = shortcut and (stride > 1 or channels != filters)
        self.projection = Conv(channels, filters, 1, stride) if projects else None

    def forward(self, x):
        activated = self.bn1(x)
        branch = self.conv2(self.bn2(self.conv1(activated)))
        if not self.shortcut:
            return branch
        return branch + (self.projection(activated) if self.projection else x)


class Network(nn.Module):
    """``build_cifar`` of 6n + 2 layers: images (B, C, H, W) -> logits (B, classes)."""

    def __init__(self, depth, shortcut, channels=3, classes=10):
        super().__init__()
        self.stem, self.names = nn.Module(), []
        self.stem.conv = Conv(channels, 16, 3)
        channels = 16
        for stage in (1, 2, 3):
            for unit in range(1, (depth - 2) // 6 + 1):
                filters, stride = 8 * 2**stage, 2 if stage > 1 and unit == 1 else 1
                self.names.append(f"stage{stage}_unit{unit}")
                self.add_module(self.names[-1], Module(channels, filters, stride, shortcut))
                channels = filters
        self.final = nn.Module()
        self.final.bn1 = BNReLU(channels)
        self.classifier = nn.Linear(channels, classes)
        self.apply(_initialise)

    def forward(self, x):
        x = self.stem.conv(x)
        for name in self.names:
            x = self.get_submodule(name)(x)
        return self.classifier(self.final.bn1(x).mean(dim=(2, 3)))

    def kernels(self):
        """A dict from Keras's name of a layer to its kernel: these are decayed and measured."""
        return {
            keras_name(name).removesuffix("/kernel"): value
            for name, value in self.named_parameters()
            if keras_name(name).endswith("/kernel")
        }


def _initialise(layer):
    """As in Keras: he_normal, which is truncated at two deviations, and glorot_uniform."""
    if isinstance(layer, nn.Conv2d):
        # 0.8796 is the standard deviation of a standard normal distribution truncated at 2.
        deviation = math.sqrt(2 / layer.weight[0].numel()) / 0.87962566103423978
        nn.init.trunc_normal_(layer.weight, 0, deviation, -2 * deviation, 2 * deviation)
    elif isinstance(layer, nn.Linear):
        nn.init.xavier_uniform_(layer.weight)
        nn.init.zeros_(layer.bias)


_KERAS_BN = {
    "running_mean": "moving_mean",
    "running_var": "moving_variance",
    "bias": "beta",
    "weight": "gamma",
}


def keras_name(name):
    """Keras's path for a name of ``named_parameters`` or ``named_buffers``."""
    *layer, end = name.split(".")
    if not layer[-1].startswith("bn"):
        end = {"weight": "kernel"}.get(end, end)
    return "_".join(layer) + "/" + (_KERAS_BN[end] if layer[-1].startswith("bn") else end)


def keras_values(network):
    """All weights and moving averages as a dict of arrays, named and laid out as in Keras."""
    return {name: value.cpu().contiguous().numpy() for name, value in _as_in_keras(network)}


def set_keras_values(network, values):
    """The opposite of ``keras_values``."""
    for name, value in _as_in_keras(network):
        value.copy_(torch.from_numpy(values[name]))


def _as_in_keras(network):
    """Keras's path and a view, laid out as in Keras, of each weight and moving average."""
    for name, value in [*network.named_parameters(), *network.named_buffers()]:
        if "num_batches" not in name:
            path, value = keras_name(name), value.detach()
            # (filters, channels, height, width) -> (height, width, channels, filters)
            is_kernel = path.endswith("/kernel")
            yield path, value.permute(*range(2, value.dim()), 1, 0) if is_kernel else value


def rates(config, steps):
    """(steps,) the learning rate of each step, as in ``training.schedule``."""
    total, warmup = config["epochs"] * steps, round(config["warmup_epochs"] * steps)
    step = np.arange(total)
    if config["drops"]:
        after = 0.1 ** (step[:, None] >= np.array(config["drops"])).sum(axis=1)
    else:
        after = 0.5 * (1 + np.cos(np.pi * (step - warmup) / (total - warmup)))
    return config["learning_rate"] * np.where(step < warmup, (step + 1) / max(1, warmup), after)


class Images:
    """The data on the device, images as bytes (N, H, W, C)."""

    def __init__(self, arrays, device):
        self.side = arrays["x_train"].shape[1]
        self.train = torch.from_numpy(arrays["x_train"]).to(device)
        self.labels = torch.from_numpy(arrays["y_train"].reshape(-1).astype(np.int64)).to(device)
        self.test = torch.from_numpy(arrays["x_test"]).to(device)
        self.test_labels = torch.from_numpy(arrays["y_test"].reshape(-1).astype(np.int64)).to(
            device
        )
        self.padded = {}

    @staticmethod
    def scaled(images):
        """Bytes (B, H, W, C) -> (B, C, H, W) in [0, 1], channels last in memory."""
        return (images.float() / 255).permute(0, 3, 1, 2)

    def with_padding(self, padding):
        """Training images (N, H + 2 padding, W + 2 padding, C), mirrored at their edges."""
        if padding not in self.padded:
            pixels = np.pad(np.arange(self.side), padding, mode="reflect")
            self.padded[padding] = self.train[:, pixels][:, :, pixels].contiguous()
        return self.padded[padding]


class Run:
    """One network, and all tensors that its CUDA graph reads and writes."""

    def __init__(self, config, images, device, precision):
        self.config, self.images, self.device, self.precision = config, images, device, precision
        self.steps = len(images.labels) // config["batch_size"]
        self.generator = torch.Generator(device).manual_seed(config["seed"])
        torch.manual_seed(config["seed"])
        options = {
            "device": device,
            "dtype": torch.float64 if precision == "float64" else torch.float32,
        }
        network = Network(config["depth"], config["shortcut"])
        self.network = network.to(**options, memory_format=torch.channels_last)
        self.rates = torch.tensor(rates(config, self.steps), **options)
        self.parameters = list(self.network.parameters())
        kernels = self.network.kernels()
        self.layers = list(kernels)
        self.kernels = list(kernels.values())
        indices = {id(value): index for index, value in enumerate(self.parameters)}
        self.decayed = [indices[id(value)] for value in self.kernels]
        self.velocity = [torch.zeros_like(value) for value in self.parameters]
        shape = (self.steps, config["batch_size"])
        self.order = torch.zeros(shape, dtype=torch.int64, device=device)
        self.corners = torch.zeros((self.steps, 2, shape[1]), dtype=torch.int64, device=device)
        self.mirrored = torch.zeros(shape, dtype=torch.bool, device=device)
        self.batch_index = torch.zeros(1, dtype=torch.int64, device=device)  # in the epoch
        self.step_number = torch.zeros(1, dtype=torch.int64, device=device)
        self.measured = torch.zeros((3, len(kernels)), **options)  # sums over the epoch
        self.train_sums = torch.zeros(2, **options)  # of cross-entropy, and of correct predictions
        self.test_sums = torch.zeros(2, **options)
        self.history = []

    def shuffle(self):
        """Draw an epoch's order, crops and flips."""
        config, shape = self.config, self.order.shape
        options = {"device": self.device, "generator": self.generator}
        order = torch.randperm(len(self.images.labels), **options)
        self.order.copy_(order[: self.order.numel()].reshape(shape))
        self.corners.copy_(torch.randint(2 * config["padding"] + 1, self.corners.shape, **options))
        if config["flip"]:
            self.mirrored.copy_(torch.rand(shape, **options) < 0.5)
        for sums in (self.batch_index, self.measured, self.train_sums):
            sums.zero_()

    def batch(self):
        """The images and labels of the current step."""
        chosen = self.order.index_select(0, self.batch_index)[0]
        corner = self.corners.index_select(0, self.batch_index)[0]
        mirrored = self.mirrored.index_select(0, self.batch_index)[0]
        side = torch.arange(self.images.side, device=self.device)
        rows, columns = corner[0][:, None] + side, corner[1][:, None] + side
        columns = torch.where(mirrored[:, None], columns.flip(1), columns)
        padded = self.images.with_padding(self.config["padding"])
        cropped = padded[chosen[:, None, None], rows[:, :, None], columns[:, None, :]]
        return Images.scaled(cropped), self.images.labels[chosen]

    def logits(self, images):
        kind, half = self.device.type, self.precision == "bfloat16"
        with torch.autocast(kind, torch.bfloat16, enabled=half, cache_enabled=False):
            return self.network(images).to(self.rates.dtype)

    def step(self):
        """Forward, backward, norms, update: all on the device, without waiting for it."""
        images, labels = self.batch()
        self.learn(images, labels, self.rates.index_select(0, self.step_number)[0])
        self.batch_index += 1
        self.step_number += 1

    def learn(self, images, labels, rate):
        """One step of Keras's SGD with Nesterov momentum, and the measures of GradientMonitor."""
        logits = self.logits(images)
        loss = functional.cross_entropy(logits, labels)
        gradients = list(torch.autograd.grad(loss, self.parameters))
        with torch.no_grad():
            decayed = [gradients[index] for index in self.decayed]
            torch._foreach_add_(decayed, self.kernels, alpha=self.config["weight_decay"])
            norms, weights = torch._foreach_norm(decayed), torch._foreach_norm(self.kernels)
            momentum = self.config["momentum"]
            moves = torch._foreach_mul(gradients, -rate)
            torch._foreach_mul_(self.velocity, momentum)
            torch._foreach_add_(self.velocity, moves)
            torch._foreach_add_(moves, self.velocity, alpha=momentum)
            torch._foreach_add_(self.parameters, moves)
            changes = torch._foreach_norm([moves[index] for index in self.decayed])
            norms, weights, changes = map(torch.stack, (norms, weights, changes))
            self.measured += torch.stack([norms, weights, changes / weights])
            correct = (logits.argmax(dim=1) == labels).sum()
            self.train_sums += torch.stack([loss * len(labels), correct])

    def test(self):
        """Add cross-entropy and correct predictions of the current batch of test images."""
        with torch.no_grad():
            chosen = self.batch_index * TEST_BATCH + torch.arange(TEST_BATCH, device=self.device)
            logits = self.logits(Images.scaled(self.images.test[chosen]))
            labels = self.images.test_labels[chosen]
            loss = functional.cross_entropy(logits, labels, reduction="sum")
            self.test_sums += torch.stack([loss, (logits.argmax(dim=1) == labels).sum()])
            self.batch_index += 1

    def prepare(self):
        """Capture a step and a test, after a few that choose the kernels and are undone."""
        self.stream = None
        if self.device.type != "cuda":
            self.replay_step, self.replay_test = self.step, self.test
            return
        # The deepest take longest: the others run in between.
        self.stream = torch.cuda.Stream(priority=-1 if self.config["depth"] > 100 else 0)
        for module in self.network.modules():
            if isinstance(module, Module):
                module.compile(dynamic=False)
        kept = [value.clone() for value in self._state()]
        self.stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(self.stream):
            self.shuffle()
            for _ in range(3):
                self.network.train()
                self.step()
                self.network.eval()
                self.test()
        torch.cuda.synchronize()
        torch.cuda.empty_cache()  # which the trials of the kernels have filled
        step, test = torch.cuda.CUDAGraph(), torch.cuda.CUDAGraph()
        self.network.train()
        with torch.cuda.graph(step, stream=self.stream):
            self.step()
        self.network.eval()
        with torch.cuda.graph(test, pool=step.pool(), stream=self.stream):
            self.test()
        self.replay_step, self.replay_test = step.replay, test.replay
        for value, before in zip(self._state(), kept, strict=True):
            value.data.copy_(before)
        self.generator.manual_seed(self.config["seed"])
        torch.cuda.synchronize()

    def _state(self):
        buffers = list(self.network.buffers())
        return [*self.parameters, *buffers, *self.velocity, self.batch_index, self.step_number]

    def train(self, deadline):
        """Train all epochs, or until the loss is no longer finite.

        Returns:
            Whether the run has ended; False where the deadline (of ``time.perf_counter``) came.
        """
        for epoch in range(self.config["epochs"]):
            start = time.perf_counter()
            if start > deadline:
                return False
            self.shuffle()
            self.network.train()
            for _ in range(self.steps):
                self.replay_step()
            measured, sums = self.measured.cpu().numpy(), self.train_sums.cpu().numpy()
            trained = time.perf_counter()
            self.network.eval()
            self.batch_index.zero_()
            self.test_sums.zero_()
            for _ in range(len(self.images.test) // TEST_BATCH):
                self.replay_test()
            self._log(epoch, start, trained, measured / self.steps, sums)
            if not np.isfinite(sums[0]):
                break
        return True

    def _log(self, epoch, start, trained, measured, sums):
        count = self.order.numel()
        tested = self.test_sums.cpu().numpy() / len(self.images.test_labels)
        row = {
            "learning_rate": self.rates[(epoch + 1) * self.steps - 1].item(),
            "loss": sums[0] / count,
            "accuracy": sums[1] / count,
            "test_loss": tested[0],
            "test_accuracy": tested[1],
            "seconds": time.perf_counter() - start,
            "images_per_second": count / (trained - start),
        }
        measures = zip(MEASURES, measured, strict=True)
        self.history.append(
            {"epoch": epoch + 1, "step": (epoch + 1) * self.steps}
            | {name: _rounded(value) for name, value in row.items()}
            | {name: [_rounded(value) for value in values] for name, values in measures}
        )


def _rounded(value):
    return float(f"{value:.6g}") if math.isfinite(value) else None


class Results:
    """The runs that have ended, with those of earlier calls, kept in two files.

    Raises:
        SystemExit: the folder holds runs of another device or other versions.
    """

    def __init__(self, output, about):
        output.mkdir(parents=True, exist_ok=True)
        self.about, self.runs, self.weights = about, [], {}
        self.runs_path, self.weights_path = output / "runs.json", output / "weights.npz"
        self.lock = threading.Lock()
        if not self.runs_path.exists():
            return
        kept = json.loads(self.runs_path.read_text(encoding="utf-8"))
        self.runs = kept.pop("runs")
        if kept != about:
            raise SystemExit(
                f"all runs of a folder must come from one device and one set of versions: {output} "
                f"holds runs of {kept}, received {about}; choose another folder"
            )
        with np.load(self.weights_path) as file:
            self.weights = dict(file)

    def add(self, run, seconds):
        finished = len(run.history) == run.config["epochs"]
        about = {"config": run.config, "finished": finished, "seconds": seconds}
        values = keras_values(run.network) if finished and run.config["depth"] == 20 else {}
        with self.lock:
            index = len(self.runs)
            self.runs.append(about | {"layers": run.layers, "history": run.history})
            self.weights |= {f"{index}:{name}": value for name, value in values.items()}
            self._write()
        last = run.history[-1]
        print(run.config, {name: last[name] for name in ("epoch", "accuracy", "test_accuracy")})

    def _write(self):
        """The weights first: every run in ``runs.json`` has its own, wherever this is stopped."""
        text = json.dumps(self.about | {"runs": self.runs})
        part = self.weights_path.with_suffix(".part.npz")
        np.savez(part, **self.weights)
        os.replace(part, self.weights_path)
        part = self.runs_path.with_suffix(".part.json")
        part.write_text(text, encoding="utf-8")
        os.replace(part, self.runs_path)


def prepared(config, images, device, precision):
    """A run ready to train.

    The first capture of a process can fail while a library starts up in it; the next does not.
    """
    for attempt in (1, 2):
        run = Run(config, images, device, precision)
        try:
            run.prepare()
            return run
        except torch.AcceleratorError:
            if attempt == 2:
                raise


def main(jobs, data, output, seconds):
    """Train the jobs that have not ended in ``output``.

    Args:
        jobs: path of a JSON list of the fields of ``TrainingConfig``s.
        data: path of an .npz file, as ``resnet_lesson.load`` takes it.
        output: path of the folder.
        seconds: no epoch starts later.
    """
    deadline = time.perf_counter() + seconds
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    torch.backends.cudnn.benchmark = True
    torch._dynamo.config.recompile_limit = 200  # all widths and strides share a module's code
    about = {
        "hardware": torch.cuda.get_device_name() if device.type == "cuda" else "CPU",
        "versions": {"torch": torch.__version__, "python": sys.version.split()[0]},
        "precision": "bfloat16" if device.type == "cuda" else "float32",
    }
    results = Results(output, about)
    ended = [run["config"] for run in results.runs]
    configs = json.loads(jobs.read_text(encoding="utf-8"))
    with np.load(data) as file:
        images = Images(dict(file), device)
    queue = [
        prepared(config, images, device, about["precision"])
        for config in configs
        if config not in ended
    ]
    print(f"{about}: {len(queue)} runs are ready", flush=True)

    def train(run):
        start = time.perf_counter()
        with torch.cuda.stream(run.stream):  # None, on a CPU, is no stream
            has_ended = run.train(deadline)
        if has_ended:
            results.add(run, time.perf_counter() - start)

    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        list(pool.map(train, queue))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("jobs", type=Path, metavar="JOBS", help="jobs.json of the main command")
    parser.add_argument("data", type=Path, metavar="DATA", help="CIFAR-10 as an .npz file")
    parser.add_argument("output", type=Path, metavar="OUTPUT", help="a folder for the runs")
    parser.add_argument(
        "--seconds",
        type=float,
        default=3600,
        metavar="N",
        help="no epoch starts later; 3600, if not given",
    )
    main(**vars(parser.parse_args()))

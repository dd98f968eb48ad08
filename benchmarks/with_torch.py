"""The same networks in PyTorch, built and differentiated anew for every depth."""

import numpy as np
import torch
from torch import nn
from torch.nn import functional


def applied(h, weight):
    """The matrix, or the convolution that keeps the size."""
    if weight.dim() == 2:
        return functional.linear(h, weight)
    return functional.conv2d(h, weight, padding=weight.shape[-1] // 2)


class BNReLU(nn.Module):
    """relu(bn(h)), BN without moving averages, scale and offset, as in the engine."""

    def __init__(self, channels, normalization, dense):
        super().__init__()
        bn = nn.BatchNorm1d if dense else nn.BatchNorm2d
        options = {"eps": 2e-5, "affine": False, "track_running_stats": False}
        self.bn = bn(channels, **options) if normalization else None

    def forward(self, h):
        return functional.relu(h if self.bn is None else self.bn(h))


class Branch(BNReLU):
    """f(relu(bn(h))), with a given weight of f."""

    def __init__(self, weight, normalization):
        super().__init__(weight.shape[1], normalization, weight.dim() == 2)
        self.weight = nn.Parameter(weight)

    def forward(self, h):
        return applied(super().forward(h), self.weight)


class Layer(nn.Sequential):
    """One layer or module: h <- [h +] f(relu(bn(h))), over each of its weights."""

    def __init__(self, weights, normalization, shortcut):
        super().__init__(*(Branch(weight, normalization) for weight in weights))
        self.shortcut = shortcut

    def forward(self, h):
        return h + super().forward(h) if self.shortcut else super().forward(h)


class Stack(nn.Module):
    def __init__(self, layers, readout, normalization, shortcut):
        super().__init__()
        self.layers = nn.ModuleList(Layer(each, normalization, shortcut) for each in layers)
        self.end = BNReLU(readout.shape[1], normalization, layers[0][0].dim() == 2)
        self.readout = nn.Parameter(readout)

    def forward(self, h):
        """The logits, and the signal at each layer's input."""
        signals = []
        for layer in self.layers:
            signals.append(h)
            h = layer(h)
        h = self.end(h)
        h = h if h.dim() == 2 else h.mean(dim=(2, 3))
        return applied(h, self.readout), signals


def norms(tensors):
    """(n,) Euclidean norms of n tensors of one shape, in float64."""
    stacked = torch.stack(tensors).flatten(1)
    return torch.linalg.vector_norm(stacked, dim=1, dtype=torch.float64)


def transposed(array):
    """From TensorFlow's order of axes to PyTorch's: channels before pixels, out before in."""
    axes = {2: (1, 0), 4: (3, 2, 0, 1)}[array.ndim]
    return torch.from_numpy(np.ascontiguousarray(array.transpose(axes)))


def prepare(options, material):
    """As in ``ours``; ``material`` is there to be read."""
    saved = np.load(material)
    weights = [saved[name] for name in sorted(saved.files) if name.startswith("weights")]
    per_layer = len(weights)
    weights = [[transposed(each) for each in layer] for layer in zip(*weights, strict=True)]
    inputs, readout = torch.from_numpy(saved["inputs"]), transposed(saved["readout"])
    if inputs.dim() == 4:
        inputs = inputs.permute(0, 3, 1, 2).contiguous()
    labels = torch.from_numpy(saved["labels"]).long()
    flags = options["normalization"], options["shortcut"]

    def differentiate(depth):
        model = Stack(weights[:depth], readout, *flags)
        kernels = list(model.layers.parameters())
        logits, signals = model(inputs.detach().requires_grad_())
        loss = functional.cross_entropy(logits, labels)
        gradients = torch.autograd.grad(loss, [*kernels, *signals])
        by_weight, by_signal = gradients[: len(kernels)], gradients[len(kernels) :]
        by_position = torch.stack(
            [norms(by_weight[position::per_layer]) for position in range(per_layer)]
        )
        with torch.no_grad():
            rms = norms(signals) / inputs.numel() ** 0.5
        return torch.stack([by_position.norm(dim=0), norms(by_signal), rms]).numpy()

    return differentiate


def versions():
    return {"torch": torch.__version__}

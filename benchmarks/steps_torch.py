"""Training steps in PyTorch, channels last, with networks of the same weights."""

import contextlib

import networks
import numpy as np
import torch
from torch import nn
from torch.nn import functional
from with_torch import versions

__all__ = ["prepare", "versions"]


class Conv(nn.Conv2d):
    """A convolution that pads as Keras does, until ``evenly`` is set.

    With a stride of two Keras pads below and to the right only, for which PyTorch needs a pass of
    its own. So only the comparison of results pads like this, and what is timed does not.
    """

    evenly = False

    def __init__(self, channels, filters, size, stride=1):
        super().__init__(channels, filters, size, stride, padding=size // 2, bias=False)

    def forward(self, x):
        if self.stride == (1, 1) or self.kernel_size == (1, 1) or Conv.evenly:
            return super().forward(x)
        padded = functional.pad(x, (0, 1, 0, 1))
        return functional.conv2d(padded, self.weight, stride=self.stride)


class BNReLU(nn.BatchNorm2d):
    def __init__(self, channels):
        super().__init__(channels, eps=2e-5, momentum=0.1)

    def forward(self, x):
        return functional.relu_(super().forward(x))


class Module(nn.Module):
    """A module in full pre-activation."""

    def __init__(self, channels, convolutions, projects):
        super().__init__()
        filters, _, _ = convolutions[-1]
        if projects:
            stride = max(stride for _, _, stride in convolutions)
            self.projection = Conv(channels, filters, 1, stride)
        self.branch = len(convolutions)
        for number, (width, size, stride) in enumerate(convolutions, start=1):
            setattr(self, f"bn{number}", BNReLU(channels))
            setattr(self, f"conv{number}", Conv(channels, width, size, stride))
            channels = width

    def forward(self, x):
        activated = branch = self.bn1(x)
        shortcut = self.projection(activated) if hasattr(self, "projection") else x
        for number in range(1, self.branch + 1):
            branch = branch if number == 1 else getattr(self, f"bn{number}")(branch)
            branch = getattr(self, f"conv{number}")(branch)
        return branch + shortcut


class Network(nn.Module):
    """Its parameters have the names of the package's layers."""

    def __init__(self, network):
        super().__init__()
        self.of_article = network == "article"
        described = list(networks.modules(network))
        _, channels, _, _ = described[0]
        if self.of_article:
            self.stem_bn1, self.stem_bn2 = nn.BatchNorm2d(3, eps=2e-5), BNReLU(channels)
        self.stem_conv = Conv(3, channels, 5 if self.of_article else 3)
        self.modules_ = [name for name, *_ in described]
        for name, width, convolutions, projects in described:
            setattr(self, name, Module(width, convolutions, projects))
        filters, _, _ = described[-1][2][-1]
        self.final_bn1 = BNReLU(filters)
        self.classifier = nn.Linear(filters, networks.CLASSES)

    def forward(self, x):
        if self.of_article:
            x = self.stem_bn2(self.stem_conv(self.stem_bn1(x)))
            x = functional.max_pool2d(x, 3, 2, padding=1)
        else:
            x = self.stem_conv(x)
        for name in self.modules_:
            x = getattr(self, name)(x)
        return self.classifier(self.final_bn1(x).mean(dim=(2, 3)))

    def take(self, values):
        """Start from the package's weights, by the paths of its layers."""
        ours = {"gamma": "weight", "beta": "bias", "kernel": "weight", "bias": "bias"}
        parameters, taken = dict(self.named_parameters()), set()
        for path, value in values.items():
            layer, _, weight = path.partition("/")
            for part in ("bn", "conv", "projection"):  # of a module, if it is one of these
                layer = layer.replace(f"_{part}", f".{part}") if "_unit" in layer else layer
            axes = {4: (3, 2, 0, 1), 2: (1, 0), 1: (0,)}[value.ndim]
            parameter = parameters[f"{layer}.{ours[weight]}"]
            with torch.no_grad():
                parameter.copy_(torch.from_numpy(value.transpose(axes).copy()))
            taken.add(f"{layer}.{ours[weight]}")
        if missing := parameters.keys() - taken:
            raise ValueError(f"weights must be given for all parameters, none for {missing}")


def squares(parameters):
    return sum(parameter.detach().square().sum().item() for parameter in parameters)


def prepare(options, material):
    """The function that trains one step on the batch in ``material`` and returns the loss."""
    saved = dict(np.load(material))
    network = Network(options["network"])
    network.take({name: value for name, value in saved.items() if "/" in name})
    network = network.to(memory_format=torch.channels_last).train()
    images = torch.from_numpy(saved["images"]).permute(0, 3, 1, 2)
    images = images.contiguous(memory_format=torch.channels_last)
    labels = torch.from_numpy(saved["labels"]).long()
    kernels = [value for value in network.parameters() if value.ndim > 1]
    others = [value for value in network.parameters() if value.ndim == 1]
    groups = [{"params": kernels, "weight_decay": 2 * networks.DECAY}, {"params": others}]
    optimizer = torch.optim.SGD(groups, networks.RATE, networks.MOMENTUM, nesterov=True)
    is_half = options["precision"] == "mixed_bfloat16"

    def half():
        return torch.autocast("cpu", torch.bfloat16) if is_half else contextlib.nullcontext()

    Conv.evenly = False

    def step(evenly):
        Conv.evenly = evenly
        optimizer.zero_grad(set_to_none=True)
        with half():
            loss = functional.cross_entropy(network(images), labels)
        # Keras's loss has the penalty in it; here the optimizer adds its gradient.
        penalty = (
            0 if evenly else networks.DECAY * sum(k.detach().square().sum().item() for k in kernels)
        )
        loss.backward()
        optimizer.step()
        return np.asarray([loss.item() + penalty])

    return step

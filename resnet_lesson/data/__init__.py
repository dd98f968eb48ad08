"""Image data sets as arrays: digits, Fashion-MNIST, CIFAR-10, and CIFAR-10 from local files."""

from .datasets import Dataset, load

__all__ = ["Dataset", "load"]

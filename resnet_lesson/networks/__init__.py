"""Residual networks: the module in five orders, the article's network, He's CIFAR networks."""

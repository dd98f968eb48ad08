"""Gradients, measured: of a batch, of a training, of a stack at any depth."""

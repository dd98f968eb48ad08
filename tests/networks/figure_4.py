"""Figure 4 of He et al. 2016 in words, as the tests' oracle, and the counts that follow from it."""

# The branch and what follows, as He et al. 2016 draw them in figure 4, for three convolutions.
FIGURE_4 = {
    "original": "conv bn relu conv bn relu conv bn add relu",
    "bn_after_addition": "conv bn relu conv bn relu conv add bn relu",
    "relu_before_addition": "conv bn relu conv bn relu conv bn relu add",
    "relu_only_preactivation": "relu conv bn relu conv bn relu conv bn add",
    "full_preactivation": "bn relu conv bn relu conv bn relu conv add",
}
# The same for a basic module: two convolutions.
BASIC = {
    "original": "conv bn relu conv bn add relu",
    "bn_after_addition": "conv bn relu conv add bn relu",
    "relu_before_addition": "conv bn relu conv bn relu add",
    "relu_only_preactivation": "relu conv bn relu conv bn add",
    "full_preactivation": "bn relu conv bn relu conv add",
}
# What a projected shortcut starts from (the input or the activated tensor), and its own norm.
PROJECTIONS = {
    "original": ("input", True),
    "bn_after_addition": ("input", False),
    "relu_before_addition": ("input", True),
    "relu_only_preactivation": ("relu1", True),
    "full_preactivation": ("relu1", False),
}
# What stands before the first module and after the last, as a module of the order leaves it out.
AROUND = {
    "original": ("stem_bn1", "stem_relu1"),
    "bn_after_addition": ("stem_bn1", "stem_relu1"),
    "relu_before_addition": ("stem_bn1", "stem_relu1"),
    "relu_only_preactivation": ("stem_bn1", "final_relu1"),
    "full_preactivation": ("final_bn1", "final_relu1"),
}
KINDS = {"Conv2D": "conv", "BatchNormalization": "bn", "ReLU": "relu", "Add": "add"}


def branch_parameters(before, convolutions, sequence):
    """Parameters of a branch: a norm has the channels of the last convolution before it."""
    total = sum(a * b * size for a, b, size in convolutions)
    at, seen = before, iter(convolutions)
    for kind in sequence.split():
        at = next(seen)[1] if kind == "conv" else at
        total += 4 * at if kind == "bn" else 0
    return total

"""EfficientNet-Lite in MONAI's terms: the network every classifier bundle of ours runs.

Tan and Le, "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks", ICML 2019; the Lite variants
(2020) leave out squeeze-and-excitation and use ReLU6, which makes them quick on a CPU. MONAI's EfficientNet accepts
block strings, so the variants are written out here with their final widths and repeats. Loads no framework on import.
"""

from __future__ import annotations

from typing import Any

from models.monai_networks import monai_networks

# Lite scaling keeps stem, head and the repeats of the first and last stage fixed, which MONAI's own scaling does not;
# so widths and repeats are given as they come out, and MONAI is told to scale by 1.
TOY = -1  # one narrow block a stage: learns a generated task in seconds, for tests
_STAGES = {
    0: ((1, 16), (2, 24), (2, 40), (3, 80), (3, 112), (4, 192), (1, 320)),
    1: ((1, 16), (3, 24), (3, 40), (4, 80), (4, 112), (5, 192), (1, 320)),
    TOY: ((1, 8), (1, 16), (1, 16), (1, 24), (1, 24), (1, 32), (1, 64)),
    2: ((1, 16), (3, 24), (3, 48), (4, 88), (4, 120), (5, 208), (1, 352)),
}
_KERNELS = (3, 3, 5, 3, 5, 5, 3)
_STRIDES = (1, 2, 2, 2, 1, 2, 1)
FEATURES = 1280  # channels of the last convolution, and so of the vector that the gate compares
GATE_STAGES = (1, 2, 3, 4)  # not the first, which sees edges only, nor the last two, which see little but the classes
Begun = tuple[Any, tuple[Any, ...]]  # activations so far, and the looks among them
MEAN, DEVIATION = 127.0 / 255.0, 128.0 / 255.0  # the normalisation these variants were trained with


def block_strings(variant: int) -> list[str]:
    """The stages as MONAI writes them: r(epeats) k(ernel) s(tride) e(xpansion) i(n) o(ut)."""
    blocks, width = [], 32
    for stage, (repeats, out) in enumerate(_STAGES[variant]):
        expansion = 1 if stage == 0 else 6
        stride = _STRIDES[stage]
        blocks.append(f"r{repeats}_k{_KERNELS[stage]}_s{stride}{stride}_e{expansion}_i{width}_o{out}")
        width = out
    return blocks


def efficientnet_lite(variant: int, side_px: int, classes: int) -> Any:
    """A MONAI EfficientNet with `classes` outputs for RGB pictures of `side_px` squared; weights not yet trained."""
    from torch import nn

    network = monai_networks().EfficientNet(
        blocks_args_str=block_strings(variant),
        spatial_dims=2,
        in_channels=3,
        num_classes=classes,
        width_coefficient=1.0,
        depth_coefficient=1.0,
        dropout_rate=0.2,
        image_size=side_px,
        drop_connect_rate=0.0,
    )
    for module in network.modules():
        if hasattr(module, "_swish"):
            module._swish = nn.ReLU6(inplace=False)  # out of place: Grad-CAM hooks need the values
    # MONAI starts the last layer as if it had a thousand classes; with two or three the first scores would be huge.
    nn.init.normal_(network._fc.weight, std=0.01)
    nn.init.zeros_(network._fc.bias)
    return network


def begin(network: Any, pictures: Any, stages: int) -> Begun:
    """What the stem and the first `stages` stages make of (n, 3, side, side) normalised pictures, and mean and spread
    of each channel of the middle stages among them."""
    x = network._conv_stem(network._conv_stem_padding(pictures))
    return _through(network, network._swish(network._bn0(x)), 0, stages)


def see(network: Any, pictures: Any, begun: Begun | None = None, stages: int = 0) -> tuple[Any, Any]:
    """For (n, 3, side, side) normalised pictures: (n, 1280, h, w) activations of the last convolution, and (n, d) mean
    and spread of each channel of the middle stages, which say what kind of picture it is.

    `begun`: what `begin` made of them with a network whose first `stages` stages are the same.
    """
    x, middle = begun or begin(network, pictures, stages)
    x, later = _through(network, x, stages, len(network._blocks))
    x = network._conv_head(network._conv_head_padding(x))
    return network._swish(network._bn1(x)), _beside((*middle, *later))


def _through(network: Any, x: Any, first: int, end: int) -> Begun:
    middle = []
    for number in range(first, end):
        x = network._blocks[number](x)
        if number in GATE_STAGES:
            middle += [x.mean((2, 3)), x.std((2, 3))]
    return x, tuple(middle)


def _beside(parts: tuple[Any, ...]) -> Any:
    import torch

    return torch.cat(parts, 1)


def classify(network: Any, features: Any) -> Any:
    """(n, classes) logits from (n, 1280) pooled features."""
    return network._fc(network._dropout(features))

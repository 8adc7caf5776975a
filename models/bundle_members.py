"""The networks of one bundle: built from an allowed list of targets, their weights loaded, asked for logits and looks.

Most bundles hold one network; an ensemble holds several of the same build, each with its own gate.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from domain.errors import ModelUnavailable
from models.bundle_files import SHARED_FILE, BundleSettings
from models.imaging_gate import Gate, load_gate
from models.lite_network import DEVIATION, MEAN, begin, see
from models.monai_networks import NETWORKS, monai_networks

ALLOWED_TARGETS = ("models.lite_network.efficientnet_lite", f"{NETWORKS}.")


@dataclass(frozen=True, slots=True, eq=False)
class Member:
    """One network, ready to read, and its gate. Callers see to threads and locks. `shared_stages`: above 0, so many of
    its first stages are the same as in all members that share any. `left_out`: the fold that it did not see."""

    network: Any
    channels: int
    gate: Gate | None = None
    shared_stages: int = 0
    left_out: int = 0

    @property
    def explains(self) -> bool:
        """True where the last convolution is known, so that a map can be drawn from it."""
        return hasattr(self.network, "_conv_head")


def maps_of(members: Sequence[Member], squares: np.ndarray) -> list[tuple[Any, Any]]:
    """Of each member, for uint8 (n, side, side) views: (n, features, h, w) activations of its last convolution, and
    (n, d) look of its middle layers. What members share is computed once."""
    pictures = to_tensor(squares, members[0].channels)
    begun, seen = None, []
    for member in members:
        if member.shared_stages and begun is None:
            begun = begin(member.network, pictures, member.shared_stages)
        seen.append(see(member.network, pictures, begun if member.shared_stages else None, member.shared_stages))
    return seen


def ask(members: Sequence[Member], squares: np.ndarray) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Of each member, mean over uint8 (n, side, side) views of one picture: logits (classes,), pooled features of the
    last layer (features,), look of the middle layers (d,)."""
    if not members[0].explains:
        plain = [member.network(to_tensor(squares, member.channels)).mean(0).numpy() for member in members]
        return [(out, out, out) for out in plain]
    answers = []
    for member, (maps, look) in zip(members, maps_of(members, squares), strict=True):
        pooled = maps.mean((2, 3))
        answers.append((member.network._fc(pooled).mean(0).numpy(), pooled.mean(0).numpy(), look.mean(0).numpy()))
    return answers


def load_members(folder: Path, settings: BundleSettings) -> tuple[Member, ...]:
    """Every network of the bundle. Raises ModelUnavailable where one cannot be built or does not fit its weights."""
    if not settings.members:
        return (Member(build_network(folder, settings), settings.channels, _gate(folder, settings, "gate.npz")),)
    return tuple(
        Member(
            build_network(folder, settings, Path(name).name, number),
            settings.channels,
            None if settings.shares(number) else _gate(folder, settings, f"gate_{number}.npz"),
            settings.shared_stages if settings.shares(number) else 0,
            settings.left_out(number),
        )
        for number, name in enumerate(settings.members)
    )


def build_network(folder: Path, settings: BundleSettings, file: str = "model.safetensors", number: int = 0) -> Any:
    """The network of the member of this number with its weights, in float32, ready to read."""
    import importlib

    import torch

    target, arguments = settings.network_of(number)
    target = target if "." in target else f"{NETWORKS}.{target}"  # bundles may name a network by its class alone
    if not target.startswith(ALLOWED_TARGETS):
        raise ModelUnavailable(
            f"The bundle asks for a network that is not allowed ({target.rpartition('.')[2]}). "
            "Use a network of monai.networks.nets."
        )
    module, _, name = target.rpartition(".")
    try:
        home = monai_networks(module) if module.startswith(NETWORKS) else importlib.import_module(module)
        network = getattr(home, name)(**arguments)
    except (ImportError, AttributeError, TypeError, ValueError, NotImplementedError) as error:
        raise ModelUnavailable(
            f"The network of this bundle cannot be built ({name}). Write network_def in inference.json with a class of "
            "monai.networks.nets and plain values, without references or expressions."
        ) from error
    packed = folder / "models" / file
    if packed.is_file() and packed.suffix == ".safetensors":
        from safetensors.torch import load_file

        state = load_file(packed)
        if settings.shares(number):
            shared = folder / "models" / SHARED_FILE
            if not shared.is_file():
                raise ModelUnavailable(
                    f"The bundle lacks {SHARED_FILE}, the weights that its networks share. Copy the whole bundle again."
                )
            state |= load_file(shared)
    else:
        plain = packed if packed.is_file() else folder / "models" / "model.pt"
        state = torch.load(plain, map_location="cpu", weights_only=True)
    state = state.get("state_dict", state.get("model", state))  # MONAI's own savers wrap it
    try:
        network.load_state_dict(
            {name: value.float() if value.is_floating_point() else value for name, value in state.items()}
        )
    except RuntimeError as error:
        raise ModelUnavailable(
            "The weights of this bundle do not fit its network. Export both from the same training run."
        ) from error
    network.eval().requires_grad_(False)
    return network.to(memory_format=torch.channels_last)


def to_tensor(squares: np.ndarray, channels: int) -> Any:
    """float32 (n, channels, side, side), normalised, from uint8 (n, side, side)."""
    import torch

    batch = torch.from_numpy(np.ascontiguousarray(squares)).float().div_(255.0).sub_(MEAN).div_(DEVIATION)
    return batch[:, None].expand(-1, channels, -1, -1).contiguous(memory_format=torch.channels_last)


def _gate(folder: Path, settings: BundleSettings, file: str) -> Gate | None:
    return None if settings.gate_limit is None else load_gate(folder / "models" / file)

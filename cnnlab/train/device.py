"""Devices and number formats of a training run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch

from cnnlab.train.errors import TrainError

PRECISIONS = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}
BF16_TENSOR_CORES = (8, 0)  # the first compute capability that has them: Ampere; a T4 is (7, 5)


def has_gpu() -> bool:
    """Say whether torch can compute on a graphics card of NVIDIA's or AMD's here."""
    return torch.cuda.is_available()


def choose_device(device: str | torch.device | None) -> torch.device:
    """Return the device asked for; without a wish the GPU where there is one, else the CPU.

    Raises TrainError where a GPU is asked for and there is none.
    """
    if device is None:
        device = "cuda" if has_gpu() else "cpu"
    try:
        chosen = torch.device(device)
    except RuntimeError as error:
        raise TrainError(f'{device!r} is no device: give "cuda", "cpu" or None for the best.') from error
    if chosen.type == "cuda":
        if not has_gpu():
            raise TrainError(
                'There is no GPU here: give device="cpu" (and a recipe its budget="small"), or on Colab choose Runtime > '
                "Change runtime type > GPU."
            )
        # "cuda" and "cuda:0" must compare as equal
        chosen = torch.device("cuda", torch.cuda.current_device() if chosen.index is None else chosen.index)
    return chosen


@dataclass(frozen=True)
class Precision:
    """The numbers that layers compute with; weights, losses and the optimiser stay in float32.

    name: "fp32", "bf16" or "fp16".
    """

    name: str
    device: torch.device

    def autocast(self) -> torch.autocast:
        """Return the context in which matrix products and convolutions take the narrower type."""
        return torch.autocast(self.device.type, PRECISIONS[self.name], enabled=self.name != "fp32")

    def scaler(self) -> torch.amp.GradScaler:
        """Return the scaler that keeps small gradients of fp16 from becoming zero; for other types it does nothing."""
        return torch.amp.GradScaler(self.device.type, enabled=self.name == "fp16")


def choose_precision(name: str, device: torch.device) -> Precision:
    """Return the precision asked for; "auto" is bf16 on GPUs with tensor cores for it, fp16 on others, fp32 elsewhere."""
    if name == "auto":
        name = "fp32"
        if device.type == "cuda":
            # Asked of the card itself: torch also says yes where it only emulates bf16, at a tenth of the speed.
            amd = torch.version.hip is not None
            fast = amd or torch.cuda.get_device_capability(device) >= BF16_TENSOR_CORES
            name = "bf16" if fast else "fp16"
    if name not in PRECISIONS:
        raise ValueError(f"precision is auto, {', '.join(PRECISIONS)}, not {name!r}")
    return Precision(name, device)


@contextmanager
def preserved_settings(device: torch.device, deterministic: bool) -> Iterator[None]:
    """Leave torch's random numbers and cuDNN's choices as they were found, whatever is done within.

    deterministic: repeatable algorithms only, slower; otherwise cuDNN tries its algorithms and keeps the fastest.
    """
    devices = [device.index] if device.type == "cuda" else []
    before = (
        torch.are_deterministic_algorithms_enabled(),
        torch.is_deterministic_algorithms_warn_only_enabled(),
    )
    flags = torch.backends.cudnn.flags(
        enabled=True,
        benchmark=not deterministic,
        deterministic=deterministic,
    )
    with torch.random.fork_rng(devices), flags:
        if deterministic:
            torch.use_deterministic_algorithms(True, warn_only=True)
        try:
            yield
        finally:
            torch.use_deterministic_algorithms(before[0], warn_only=before[1])

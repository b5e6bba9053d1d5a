"""What each layer of a network costs, against counts made by hand and by torch."""

from __future__ import annotations

import math

import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402

from cnnlab import models  # noqa: E402


def total(rows: list[dict[str, object]], column: str) -> int:
    return sum(int(str(row[column])) for row in rows)


def test_each_layer_has_a_row_in_order_of_use() -> None:
    network = nn.Sequential(
        nn.Conv2d(4, 6, (3, 2), stride=2, groups=2), nn.ReLU(), nn.Flatten(), nn.Linear(90, 5)
    )
    rows = models.costs(network, (4, 7, 10))
    assert [(row["name"], row["kind"]) for row in rows] == [
        ("0", "Conv2d"),
        ("1", "ReLU"),
        ("2", "Flatten"),
        ("3", "Linear"),
    ]
    assert [row["shape"] for row in rows] == [(6, 3, 5), (6, 3, 5), (90,), (5,)]
    assert [row["parameters"] for row in rows] == [6 * 2 * 6 + 6, 0, 0, 455]
    assert [row["macs"] for row in rows] == [90 * 12, 0, 0, 450]
    assert [row["activations"] for row in rows] == [90, 90, 90, 5]


# C. Szegedy's own table differs; the numbers are those of the layers as they stand.
@pytest.mark.parametrize(
    ("name", "image", "macs"),
    [("alexnet_2012", 227, 724_406_816), ("vgg16", 224, 15_470_264_320), ("resnet18", 224, 1_814_073_344)],
)
def test_the_known_networks(name: str, image: int, macs: int) -> None:
    with torch.device("meta"):
        network = models.get(name, 1000, image)
    rows = models.costs(network, (3, image, image))
    assert total(rows, "macs") == macs
    assert total(rows, "parameters") == sum(p.numel() for p in network.parameters())
    assert all(row["activations"] == math.prod(row["shape"]) for row in rows)


def test_the_network_is_left_as_it_was() -> None:
    network = models.get("resnet20")
    network.layer1.eval()
    modes = [module.training for module in network.modules()]
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    models.costs(network, (3, 32, 32))
    assert [module.training for module in network.modules()] == modes
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())
    assert not any(module._forward_hooks for module in network.modules())


def test_a_layer_used_twice_counts_its_parameters_once_and_its_work_twice() -> None:
    conv = nn.Conv2d(2, 2, 3, padding=1, bias=False)
    rows = models.costs(nn.Sequential(conv, conv), (2, 4, 4))
    assert [row["parameters"] for row in rows] == [36, 0]
    assert [row["macs"] for row in rows] == [576, 576]

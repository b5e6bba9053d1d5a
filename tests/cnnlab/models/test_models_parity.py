"""cnnlab.models against torchvision: names, shapes, counts and outputs; what torchvision said is kept below as well.

Run as a script where torchvision can be imported, this file prints the table anew.
"""

from __future__ import annotations

import hashlib
import math
import warnings
import zlib
from collections import OrderedDict
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from cnnlab import models
from cnnlab.models.densenet import densenet121

# name: (parameters, entries of the state dictionary, digest of their names and shapes, first three of the scores of
# `scores` below), from torchvision 0.28.0
TORCHVISION: dict[str, tuple[int, int, str, tuple[float, float, float]]] = {
    "alexnet": (61_100_840, 16, "9c198ebdae1863e4", (-0.00544151215811, -0.0831826117451, 0.0494442332634)),
    "densenet121": (7_978_856, 727, "aa0fd9923b0003b8", (-0.123074367203, -0.167437162974, -0.178446973076)),
    "densenet161": (28_681_000, 967, "82d337d48f910d3a", (0.166540751645, 0.25500167087, 0.0344368991304)),
    "densenet169": (14_149_480, 1015, "e2d0f02d9c0ce650", (-0.195550029567, 0.174027969108, 0.108652080859)),
    "densenet201": (20_013_928, 1207, "0d234ad7e9a31b95", (-0.247709037654, 0.197582885593, 0.0257037909106)),
    "googlenet": (13_004_888, 364, "7f541ca29410efb1", (0.206925137426, -0.0980841582294, 0.105363136389)),
    "mobilenet_v2": (3_504_872, 314, "37bbbce8932fd0c4", (-0.297493170537, 0.251176266597, 1.86958897368)),
    "resnet101": (44_549_160, 626, "02c0f34f4842751f", (5646.4782526, -3970.813874, -5398.01672302)),
    "resnet152": (60_192_808, 932, "685c66205bc823aa", (956225.627806, 26348.4567714, -512072.59533)),
    "resnet18": (11_689_512, 122, "84fb10d9c6905a1c", (1.13603840734, 0.85853541244, 0.125903159612)),
    "resnet34": (21_797_672, 218, "28f9096d51307499", (11.8126770139, 0.281839946746, 3.73321351926)),
    "resnet50": (25_557_032, 320, "d7e4f8bb0a536344", (21.0035452304, -7.77968348042, -22.0390906955)),
    "resnext101_32x8d": (88_791_336, 626, "da7dd7525807e2ee", (2003.62117596, -1907.0134902, 182.830932295)),
    "resnext101_64x4d": (83_455_272, 626, "90caac80ae24c51d", (6474.04749091, -2115.08166452, -1500.65115559)),
    "resnext50_32x4d": (25_028_904, 320, "e3bad165c034e60f", (32.0936320691, 2.55978841533, 9.99118844094)),
    "squeezenet1_0": (1_248_424, 52, "4654d26ad581241f", (0.0424382086262, 0.0935006513074, 0.180545168582)),
    "squeezenet1_1": (1_235_496, 52, "1d365589393f9c1e", (0.0118299412673, 0.0014528689398, 0)),
    "vgg11": (132_863_336, 22, "cb3dc23f2a13e182", (-0.0393393190912, -0.16023623671, -0.0516666050619)),
    "vgg11_bn": (132_868_840, 62, "8b6717e727c0ecf9", (-0.183984076641, -0.0402008815631, -0.0343956741986)),
    "vgg13": (133_047_848, 26, "67c1dc8b57fde74b", (-0.0824943414866, -0.0438837393473, -0.0895466832548)),
    "vgg13_bn": (133_053_736, 76, "f6b0597d18a7e4d2", (0.0420266778525, -0.12644136524, -0.186023372808)),
    "vgg16": (138_357_544, 32, "35c4623e0cd4a39d", (-0.0952267902764, 0.00670839483647, -0.13285901135)),
    "vgg16_bn": (138_365_992, 97, "347371586a8ea365", (0.044718506793, -0.0218232824728, -0.232141291374)),
    "vgg19": (143_667_240, 38, "4723255af8f6c485", (-0.0368192540531, -0.037099417104, 0.00267008822016)),
    "vgg19_bn": (143_678_248, 118, "fc3ff6fab2b5cc09", (0.0642919453491, -0.136684622304, -0.103763992048)),
    "wide_resnet101_2": (126_886_696, 626, "4f088c0a152b8f5c", (659.474257317, 62.9993618827, 346.290052358)),
    "wide_resnet50_2": (68_883_240, 320, "41203d1d536c02ed", (10.7923064469, -2.63816803186, -3.7474198446)),
}  # fmt: skip
HEAVY = {name for name, (count, *_) in TORCHVISION.items() if count > 60_000_000}
PERIOD = 10007  # a prime, so that no two filters of a layer are filled alike
VALUES = torch.from_numpy(np.random.default_rng(5).random(2 * PERIOD) * 2 - 1)
VALUES[PERIOD:] = VALUES[:PERIOD]


def by_weight(names: Any) -> list[Any]:
    """Return each name as a parameter of a test, the heavy ones marked slow."""
    return [pytest.param(name, marks=[pytest.mark.slow] * (name in HEAVY)) for name in names]


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def torchvision() -> Any:
    try:
        import torchvision.models as theirs
    except (ImportError, RuntimeError, OSError) as error:  # a build for another torch raises the latter two
        pytest.skip(f"torchvision cannot be imported: {error}")
    return theirs


def ours(name: str) -> nn.Module:
    """Return our network without memory for its weights."""
    with torch.device("meta"):
        return models.get(name, classes=1000, image=224)


def theirs(torchvision: Any, name: str) -> nn.Module:
    """Return torchvision's network without memory for its weights."""
    options = {"init_weights": True} if name == "googlenet" else {}
    with torch.device("meta"):
        return torchvision.get_model(name, weights=None, **options)


def digest(network: nn.Module) -> tuple[int, int, str]:
    state = network.state_dict()
    lines = "\n".join(f"{name} {tuple(value.shape)}" for name, value in state.items())
    count = sum(parameter.numel() for parameter in network.parameters())
    return count, len(state), hashlib.sha256(lines.encode()).hexdigest()[:16]


def filled(network: nn.Module) -> nn.Module:
    """Give a network memory and, in float64, numbers of He's size that depend on each entry's name alone."""
    network = network.double().to_empty(device="cpu").eval()
    for name, value in network.state_dict().items():
        if value.is_floating_point():
            value.copy_(numbers(name, value.shape))
        else:
            value.zero_()
    return network


def numbers(name: str, shape: torch.Size) -> torch.Tensor:
    start, count = zlib.crc32(name.encode()) % PERIOD, math.prod(shape)
    uniform = VALUES[start : start + PERIOD].repeat(-(-count // PERIOD))[:count].reshape(shape)
    if len(shape) > 1:
        return uniform * math.sqrt(6 / math.prod(shape[1:]))
    if name.endswith(("running_var", "weight")):
        return 1 + uniform / 4
    return uniform / 10


def picture() -> torch.Tensor:
    """Return an image that is not square, (1, 3, 64, 96)."""
    return numbers("picture", torch.Size((1, 3, 64, 96)))


def scores(network: nn.Module) -> torch.Tensor:
    with torch.no_grad():
        return network(picture())


@pytest.mark.parametrize("name", TORCHVISION)
def test_names_shapes_and_counts_are_torchvisions(name: str) -> None:
    assert digest(ours(name)) == TORCHVISION[name][:3]


@pytest.mark.parametrize("name", by_weight(TORCHVISION))
def test_scores_are_those_that_torchvision_gave(name: str) -> None:
    first = scores(filled(ours(name)))[0, :3]
    expected = torch.tensor(TORCHVISION[name][3], dtype=torch.float64)
    torch.testing.assert_close(first, expected, rtol=1e-7, atol=0)


@pytest.mark.parametrize("name", by_weight(TORCHVISION))
def test_torchvisions_state_loads_and_gives_its_scores(torchvision: Any, name: str) -> None:
    source = filled(theirs(torchvision, name))
    network = ours(name).double().eval()
    network.load_state_dict(source.state_dict(), assign=True)
    assert [*network.state_dict()] == [*source.state_dict()]
    assert digest(network) == digest(source)
    torch.testing.assert_close(scores(network), scores(source), rtol=1e-12, atol=0)


@pytest.mark.parametrize("name", ["resnet18", "squeezenet1_0", "mobilenet_v2", "densenet121", "googlenet"])
def test_weights_are_drawn_as_torchvision_draws_them(torchvision: Any, name: str) -> None:
    options = {"init_weights": True} if name == "googlenet" else {}
    torch.manual_seed(3)
    expected = torchvision.get_model(name, weights=None, **options).state_dict()
    torch.manual_seed(3)
    drawn = models.get(name, classes=1000, image=224).state_dict()
    assert all(torch.equal(drawn[key], expected[key]) for key in expected)


def test_googlenets_heads_and_its_input_are_torchvisions(torchvision: Any) -> None:
    from cnnlab.models.googlenet import googlenet

    source = filled(torchvision.googlenet(transform_input=True, init_weights=False))
    network = googlenet(transform_input=True).double()
    network.load_state_dict(source.state_dict())
    network.eval()
    torch.testing.assert_close(scores(network), scores(source), rtol=1e-12, atol=0)
    for part in (*network.modules(), *source.modules()):
        if isinstance(part, nn.Dropout):
            part.p = 0.0
    x = torch.cat([picture(), 1 - picture()])
    got, expected = network.train()(x), source.train()(x)
    # by name, as the orders differ; before 0.21 torchvision named each head's scores as the other's
    for mine, other in (("scores", "logits"), ("aux1", "aux_logits1"), ("aux2", "aux_logits2")):
        torch.testing.assert_close(getattr(got, mine), getattr(expected, other), rtol=1e-9, atol=1e-12)


def test_densenet_loads_the_names_of_torchvisions_older_files() -> None:
    source = filled(densenet121()).state_dict()
    old = OrderedDict()
    for name, value in source.items():
        if name.endswith("num_batches_tracked"):
            continue  # older than these counts
        for kind in ("norm", "conv"):
            for number in "12":
                if "denselayer" in name:
                    name = name.replace(f".{kind}{number}.", f".{kind}.{number}.")
        old[name] = value
    assert "features.denseblock1.denselayer1.norm.1.weight" in old and "features.norm5.weight" in old
    network = densenet121().double()
    network.load_state_dict(old)
    loaded = network.state_dict()
    assert all(torch.equal(loaded[name], value) for name, value in source.items())
    assert "features.denseblock1.denselayer1.norm.1.weight" in old  # what was given stays as it was
    with pytest.raises(RuntimeError, match="Missing key"):
        network.load_state_dict({name: value for name, value in old.items() if "transition2" not in name})


def write_table() -> None:
    import torchvision

    print(f"# torchvision {torchvision.__version__}")
    wanted = [name for name in torchvision.models.list_models(torchvision.models) if name in models.names()]
    for name in sorted(wanted):
        network = theirs(torchvision.models, name)
        first = ", ".join(f"{value:.12g}" for value in scores(filled(network))[0, :3].tolist())
        count, *rest = digest(network)
        print(f"    {name!r}: ({count:_}, {rest[0]}, {rest[1]!r}, ({first})),".replace("'", '"'), flush=True)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    write_table()

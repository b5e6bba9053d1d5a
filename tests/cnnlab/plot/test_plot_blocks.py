"""Diagrams of blocks and the picture of accuracy against costs, drawn without a screen."""

import matplotlib
import numpy as np
import pytest

matplotlib.use("Agg")

import matplotlib.pyplot as plt
from matplotlib.collections import PathCollection
from matplotlib.colors import to_rgba

from cnnlab import plot

BRANCHES = (["3 x 3", "norm"], [])


@pytest.fixture(autouse=True)
def no_figures_left():
    plt.close("all")
    yield
    plt.close("all")


def texts():
    """Every text of the current figure that shows something, by its words."""
    found = [text for text in plt.gcf().findobj(matplotlib.text.Text) if text.get_text()]
    return {text.get_text(): text for text in found}


def extent(text):
    return text.get_window_extent(plt.gcf().canvas.get_renderer())


def inside(text):
    figure, box = plt.gcf(), extent(text)
    return box.x0 >= 0 and box.y0 >= 0 and box.x1 <= figure.bbox.width and box.y1 <= figure.bbox.height


def point(name="a", parameters=1000, macs=10**6, accuracies=(0.7, 0.8)):
    return {"name": name, "parameters": parameters, "macs": macs, "accuracies": list(accuracies)}


def test_steps_flow_downwards_and_branches_stand_side_by_side():
    plot.show_blocks({"a block": ["first", (["left", "below"], ["right"]), "+"]})
    where = {words: text.get_position() for words, text in texts().items()}
    assert where["a block"][1] < where["first"][1] < where["left"][1] < where["below"][1] < where["+"][1]
    assert where["left"][0] < where["first"][0] < where["right"][0]
    assert where["left"][1] == where["right"][1]
    assert all(inside(text) for text in texts().values())


def test_several_blocks_do_not_touch():
    plot.show_blocks({"a long name above": ["one"], "b": [BRANCHES, "+", "ReLU"]})
    assert extent(texts()["a long name above"]).x1 < extent(texts()["3 x 3"]).x0
    assert all(inside(text) for text in texts().values())


def test_marked_boxes_are_tinted():
    plot.show_blocks({"a": [BRANCHES, "+"]}, marks=["norm"])
    tints = {words: text.get_bbox_patch() for words, text in texts().items() if words != "a"}
    assert [words for words, box in tints.items() if box.get_facecolor() != to_rgba("white")] == ["norm"]


def test_no_block_or_no_step_is_an_error():
    for blocks in ({}, {"a": []}):
        with pytest.raises(ValueError, match="at least one block"):
            plot.show_blocks(blocks)


def test_discs_lie_at_their_parameters_and_mean_accuracy():
    plot.show_tradeoff([point(), point("b", 4000, 4 * 10**6, (0.9,))], title="a title")
    discs = [c for c in plt.gca().collections if isinstance(c, PathCollection)]
    offsets = np.concatenate([disc.get_offsets() for disc in discs])
    np.testing.assert_allclose(offsets, [[1000, 75], [4000, 90]])
    areas = [disc.get_sizes()[0] for disc in discs]
    assert areas[1] == pytest.approx(4 * areas[0])
    assert {"a", "b"} <= set(texts()) and plt.gca().get_title(loc="left") == "a title"
    assert "at most 4 M" in plt.gca().get_xlabel()


def test_names_of_equal_networks_do_not_cover_each_other():
    plot.show_tradeoff([point("first"), point("second"), point("third", accuracies=(0.2,))])
    boxes = [extent(texts()[name]) for name in ("first", "second")]
    assert not boxes[0].overlaps(boxes[1])


def test_no_point_or_no_accuracy_is_an_error():
    for points in ([], [point(accuracies=())]):
        with pytest.raises(ValueError, match="at least one network"):
            plot.show_tradeoff(points)

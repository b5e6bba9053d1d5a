"""The lessons' pictures, drawn without a screen and looked at through pyplot."""

import subprocess
import sys

import matplotlib
import numpy as np
import pytest

matplotlib.use("Agg")

import matplotlib.pyplot as plt

from cnnlab import plot


@pytest.fixture(autouse=True)
def no_figures_left():
    plt.close("all")
    yield
    plt.close("all")


def pixels():
    """Render the current figure: (H, W, 3) in 0..255."""
    canvas = plt.gcf().canvas
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].astype(int)


def texts():
    """Every text that the current figure shows."""
    return [text.get_text() for text in plt.gcf().findobj(matplotlib.text.Text) if text.get_text()]


def shown():
    """The axes that hold an image of the caller, without the colour bar."""
    return [axes for axes in plt.gcf().axes if axes.images]


def inside(text):
    """Whether a text lies wholly within the current figure."""
    figure = plt.gcf()
    box = text.get_window_extent(figure.canvas.get_renderer())
    return box.x0 >= 0 and box.y0 >= 0 and box.x1 <= figure.bbox.width and box.y1 <= figure.bbox.height


def test_importing_plot_leaves_pyplot_alone():
    script = "import sys, cnnlab.plot; assert 'matplotlib.pyplot' not in sys.modules"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_images_stand_in_order_under_their_titles():
    rng = np.random.default_rng(0)
    images = [rng.random((6, 9)), rng.random((6, 9, 3)), rng.random((6, 9))]
    plot.show_images(images, ["one", "two", "three"], columns=2)
    assert [axes.get_title() for axes in shown()] == ["one", "two", "three"]
    for axes, image in zip(shown(), images, strict=True):
        np.testing.assert_array_equal(axes.images[0].get_array(), image)


def test_a_colour_image_is_clipped_and_left_unchanged():
    image = np.full((4, 4, 3), 1.5)
    image[0] = -0.5
    kept = image.copy()
    plot.show_images([image])
    np.testing.assert_array_equal(shown()[0].images[0].get_array(), np.clip(kept, 0, 1))
    np.testing.assert_array_equal(image, kept)


def test_signed_images_share_one_scale_around_zero():
    small, large, grey = np.array([[-1.0, 0.5]]), np.array([[0.0, 3.0]]), np.array([[7.0, 9.0]])
    plot.show_images([small, large, grey], signed=[True, True, False])
    assert [axes.images[0].get_clim() for axes in shown()] == [(-3, 3), (-3, 3), (7, 9)]
    assert len(plt.gcf().axes) == 4  # the fourth is the colour bar
    negative, positive = (shown()[0].images[0].to_rgba(value) for value in (-3, 3))
    assert negative[2] > negative[0], "negative is blue"
    assert positive[0] > positive[2], "positive is red"


def test_an_image_of_zeros_can_be_signed():
    plot.show_images([np.zeros((3, 3))], signed=True)
    assert shown()[0].images[0].get_clim() == (-1, 1)


def test_a_box_surrounds_exactly_its_pixels():
    plot.show_images([np.zeros((8, 8)), np.zeros((8, 8))], boxes=[[(2, 3, 4, 1)], []])
    first, second = shown()
    (box,) = first.patches
    assert box.get_bbox().extents.tolist() == [2.5, 1.5, 3.5, 5.5]
    assert not second.patches


def test_long_titles_are_not_cut_off():
    plot.show_images([np.zeros((8, 8))] * 3, ["a title much wider than its image"] * 3, size=1.0)
    pixels()
    assert all(inside(axes.title) for axes in shown())


@pytest.mark.parametrize(
    "wrong",
    [
        {"titles": ["only one"]},
        {"signed": [True]},
        {"boxes": [[]]},
    ],
)
def test_lists_of_another_length_are_refused(wrong):
    with pytest.raises(ValueError, match=f"1 {next(iter(wrong))} for 2 pictures"):
        plot.show_images([np.zeros((2, 2))] * 2, **wrong)


def test_no_images_are_refused():
    with pytest.raises(ValueError, match="at least one"):
        plot.show_images([])


def test_an_image_of_a_wrong_shape_is_refused():
    with pytest.raises(ValueError, match=r"not \(1, 4, 4\)"):
        plot.show_images([np.zeros((1, 4, 4))])


def test_grids_show_every_number_and_tint_the_marked_cells():
    grid = np.array([[1, -2, 30], [4, 5.25, 6]])
    mark = np.array([[False, True, True], [False, False, True]])
    plot.show_grids([grid, [7, 8]], ["grid", "row"], [mark, None])
    assert texts() == ["grid", "1", "-2", "30", "4", "5.25", "6", "row", "7", "8"]
    tinted = [patch.get_facecolor()[:3] != (1, 1, 1) for patch in plt.gca().patches]
    assert tinted == [*mark.ravel().tolist(), False, False]


def test_a_cell_has_the_asked_size_in_every_grid():
    plot.show_grids([np.ones((3, 5)), np.ones((1, 2))], columns=1, cell=0.5)
    renderer_boxes = [patch.get_window_extent() for patch in plt.gca().patches]
    expected = 0.5 * plt.gcf().dpi
    np.testing.assert_allclose([box.width for box in renderer_boxes], expected)
    np.testing.assert_allclose([box.height for box in renderer_boxes], expected)


@pytest.mark.parametrize("columns", [1, 2, 3])
def test_grids_do_not_overlap_and_stay_in_the_figure(columns):
    grids = [np.ones((2, 3)), np.ones((4, 1)), np.ones((1, 6))]
    plot.show_grids(grids, ["a title wider than its grid"] * 3, columns=columns)
    pixels()
    cells = [patch.get_window_extent() for patch in plt.gca().patches]
    groups = [cells[:6], cells[6:10], cells[10:]]
    spans = [
        (min(c.x0 for c in g), min(c.y0 for c in g), max(c.x1 for c in g), max(c.y1 for c in g))
        for g in groups
    ]
    for i, (left, bottom, right, top) in enumerate(spans):
        for other_left, other_bottom, other_right, other_top in spans[i + 1 :]:
            assert right < other_left or other_right < left or top < other_bottom or other_top < bottom
    assert all(inside(text) for text in plt.gca().texts)
    assert min(span[0] for span in spans) >= 0
    assert min(span[1] for span in spans) >= 0


def test_marked_cells_are_seen():
    plot.show_grids([np.zeros((2, 2))])
    plain = pixels()
    plt.close("all")
    plot.show_grids([np.zeros((2, 2))], marks=[np.ones((2, 2), bool)])
    changed = np.abs(pixels() - plain).max(axis=2) > 30
    assert changed.mean() > 0.2


def test_a_mark_of_another_shape_is_refused():
    with pytest.raises(ValueError, match=r"\(1, 2\) does not fit a grid of shape \(2, 2\)"):
        plot.show_grids([np.zeros((2, 2))], marks=[[True, False]])


def test_times_stand_in_order_with_their_units_and_ratios():
    plot.bar_times({"slow": 1.5, "fast": 0.0005, "middle": 0.02}, "a race")
    assert [bar.get_width() for bar in plt.gca().patches] == [1.5, 0.0005, 0.02]
    assert [label.get_text() for label in plt.gca().get_yticklabels()] == ["slow", "fast", "middle"]
    tops = [bar.get_window_extent().y1 for bar in plt.gca().patches]
    assert tops == sorted(tops, reverse=True)
    assert {"1.5 s   3,000.0 x", "500 µs   1.0 x", "20 ms   40.0 x", "a race"} <= set(texts())


@pytest.mark.parametrize("slowest", [1e-4, 1e-2, 100])
def test_labels_of_times_stay_in_the_figure(slowest):
    plot.bar_times({"a rather long name of a way": slowest, "fast": 1e-4})
    pixels()
    labels = [text for text in plt.gca().texts if text.get_text()]
    assert len(labels) == 2
    assert all(inside(label) for label in labels)


@pytest.mark.parametrize("seconds", [{}, {"broken": 0.0}])
def test_times_that_are_none_or_not_positive_are_refused(seconds):
    with pytest.raises(ValueError, match="positive"):
        plot.bar_times(seconds)


def test_lines_show_their_values_and_names():
    plot.show_lines([0, 1, 4], {"up": [1, 2, 3], "down": [3, 2, 0.5]}, xlabel="pixels", title="two lines")
    drawn = plt.gca().lines
    assert [list(line.get_xdata()) for line in drawn] == [[0, 1, 4]] * 2
    assert [list(line.get_ydata()) for line in drawn] == [[1, 2, 3], [3, 2, 0.5]]
    assert len({(line.get_color(), line.get_marker()) for line in drawn}) == 2
    assert {"up", "down", "pixels", "two lines"} <= set(texts())
    assert [label.get_text() for label in plt.gca().get_xticklabels()] == ["0", "1", "4"]


@pytest.mark.parametrize(
    "logarithmic, scales", [("", ["linear"] * 2), ("y", ["linear", "log"]), ("xy", ["log"] * 2)]
)
def test_lines_have_the_asked_scales(logarithmic, scales):
    plot.show_lines([1, 10], {"a": [1, 100]}, logarithmic=logarithmic)
    assert [plt.gca().get_xscale(), plt.gca().get_yscale()] == scales


def test_the_names_of_lines_stay_in_the_figure():
    plot.show_lines([1, 2], {"a rather long name of a line that goes on": [1, 2], "b": [2, 1]})
    pixels()
    assert all(inside(text) for text in plt.gca().get_legend().get_texts())


@pytest.mark.parametrize(
    "lines, words", [({}, "at least one line"), ({"a": [1]}, "1 values of 'a' for 2 places")]
)
def test_lines_that_do_not_fit_are_refused(lines, words):
    with pytest.raises(ValueError, match=words):
        plot.show_lines([1, 2], lines)


def test_a_confusion_counts_what_was_said_of_what():
    plot.show_confusion([0, 0, 1, 2, 2, 2], [0, 1, 1, 2, 0, 0], ["cat", "dog", "ankle boot"], title="test")
    axes = plt.gcf().axes[0]
    numbers = {tuple(map(int, t.get_position()[::-1])): t.get_text() for t in axes.texts}
    assert numbers == {(0, 0): "1", (0, 1): "1", (1, 1): "1", (2, 2): "1", (2, 0): "2"}
    np.testing.assert_array_equal(axes.images[0].get_array(), [[0, 1, 0], [0, 0, 0], [2, 0, 0]])
    assert [label.get_text() for label in axes.get_yticklabels()] == ["cat", "dog", "ankle boot"]
    assert axes.get_title(loc="left") == "test: 50.0% right"
    pixels()
    assert all(inside(text) for text in plt.gcf().findobj(matplotlib.text.Text) if text.get_text())


def test_a_confusion_refuses_what_does_not_fit():
    with pytest.raises(ValueError, match="one guess a label"):
        plot.show_confusion([0, 1], [0])
    with pytest.raises(ValueError, match="2 names for 3 classes"):
        plot.show_confusion([0, 2], [0, 1], ["a", "b"])


def layers(count=1):
    rows = [
        {
            "name": f"part{i // 3}.conv{i}",
            "kind": "Conv2d",
            "shape": (8, 6, 5),
            "parameters": 100,
            "activations": 240,
            "macs": 3000,
        }
        for i in range(count)
    ]
    relu = {
        "name": "relu",
        "kind": "ReLU",
        "shape": (8, 6, 5),
        "parameters": 0,
        "activations": 240,
        "macs": 0,
    }
    dense = {
        "name": "fc",
        "kind": "Linear",
        "shape": (10,),
        "parameters": 300,
        "activations": 10,
        "macs": 1000,
    }
    return [*rows, relu, dense]


def test_costs_are_shares_of_the_whole_and_what_multiplies_nothing_counts_before():
    plot.show_costs(layers(), title="a network")
    labels = [label.get_text() for label in plt.gcf().axes[0].get_yticklabels()]
    assert labels == ["part0.conv0", "fc"]
    assert {"25.0%", "75.0%"} <= set(texts()), "of the parameters and of the multiply-adds"
    assert "98.0%" in texts() and "2.0%" in texts(), "480 of 490 activations"
    assert "400 parameters" in texts() and "4 k multiply-adds of one image" in texts()
    assert all(inside(text) for text in plt.gcf().findobj(matplotlib.text.Text) if text.get_text())


def test_costs_of_many_layers_are_put_together_by_part():
    plot.show_costs(layers(60))
    labels = [label.get_text() for label in plt.gcf().axes[0].get_yticklabels()]
    assert labels == [*(f"part{i}" for i in range(20)), "fc"]


def test_a_diagram_names_each_block_and_leaves_activations_out():
    plot.show_network(layers(), title="a network", image=(3, 8, 7))
    assert {"image", "3 x 8 x 7", "part0.conv0", "8 x 6 x 5", "fc", "10"} <= set(texts())
    assert "relu" not in texts()
    assert all(inside(text) for text in plt.gca().texts if text.get_text())


def test_a_diagram_of_many_layers_puts_equal_sizes_together():
    plot.show_network(layers(60))
    assert {"60 layers", "6 x 5", "fc"} <= set(texts())


def test_nothing_to_draw_is_an_error():
    for draw in (plot.show_costs, plot.show_network):
        with pytest.raises(ValueError, match="there is no layer to draw"):
            draw([])
    with pytest.raises(ValueError, match="a table needs rows"):
        plot.show_table([])


def test_a_table_has_separators_and_totals(capsys):
    plot.show_table(layers())
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["name", "kind", "shape", "parameters", "activations", "macs"]
    assert "3,000" in lines[1] and "8 x 6 x 5" in lines[1]
    assert lines[-1].split() == ["total", "400", "490", "4,000"]
    plot.show_table([{"name": "a", "loss": 0.123456}])
    assert capsys.readouterr().out.splitlines() == ["name    loss", "a     0.1235"]


def test_runs_are_dots_with_a_bar_at_their_mean():
    plot.show_spread({"all": [90.0, 92.0, 91.0], "less": [80.0, 84.0]}, xlabel="per cent", title="ablation")
    axes = plt.gca()
    dots, bars = axes.lines[::2], axes.lines[1::2]
    assert [list(line.get_xdata()) for line in dots] == [[90.0, 92.0, 91.0], [80.0, 84.0]]
    assert [line.get_xdata()[0] for line in bars] == [91.0, 82.0]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["all", "less"]
    for runs in ({}, {"all": []}):
        with pytest.raises(ValueError, match="at least one result"):
            plot.show_spread(runs)

"""Pictures that the lessons share: of images, grids of numbers, curves, times; of networks layer by layer.

Every function draws one new pyplot figure, shows it and returns None; `plt.gcf()` is that figure where the backend keeps
it. pyplot is imported inside the functions: it costs a third of a second that a grading run need not pay.
"""

from cnnlab.plot.blocks import show_blocks, show_tradeoff
from cnnlab.plot.networks import show_costs, show_network, show_table
from cnnlab.plot.pictures import bar_times, show_confusion, show_grids, show_images, show_lines
from cnnlab.plot.spread import show_spread

__all__ = [
    "bar_times",
    "show_blocks",
    "show_confusion",
    "show_costs",
    "show_grids",
    "show_images",
    "show_lines",
    "show_network",
    "show_spread",
    "show_table",
    "show_tradeoff",
]

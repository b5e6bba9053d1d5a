"""Takes the grades to where a university wants them: Canvas, Moodle, Gradescope.

What counts is read from the gradebook, so a person's points, extra credit and late penalties are in it.
"""

from autograder.exports.canvas import canvas_table
from autograder.exports.cells import write_table
from autograder.exports.gradescope import VISIBILITIES, results, write_results
from autograder.exports.moodle import IDENTIFIERS, moodle_table
from autograder.exports.roster import Person, read_roster
from autograder.exports.standing import Standing, Standings, standings

__all__ = [
    "IDENTIFIERS",
    "VISIBILITIES",
    "Person",
    "Standing",
    "Standings",
    "canvas_table",
    "moodle_table",
    "read_roster",
    "results",
    "standings",
    "write_results",
    "write_table",
]

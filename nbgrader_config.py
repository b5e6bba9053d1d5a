"""nbgrader's settings for this course: for `nbgrader autograde 1_layers` in this folder, and Formgrader.

Loading this file changes nothing on disk. Settings of your own, such as a plugin for late submissions, go
to the end.
"""

import os
import sys
from pathlib import Path

HERE = str(Path(__file__).resolve().parent)
if HERE not in sys.path:
    sys.path.insert(0, HERE)  # autograder and cnnlab, also where the checkout is not installed
TOOLS = os.path.dirname(sys.executable)
if TOOLS not in os.environ.get("PATH", "").split(os.pathsep):
    # nbgrader starts `alembic` by its bare name when it makes a gradebook
    os.environ["PATH"] = os.pathsep.join([TOOLS, os.environ.get("PATH", "")])

from autograder.course import Course  # noqa: E402

COURSE = Course.here()
c = get_config()  # noqa: F821

# Where the class lies: work/source, work/submitted, work/autograded, work/feedback.
c.CourseDirectory.root = str(COURSE.work)
c.CourseDirectory.db_url = COURSE.db_url

# Before nbgrader reads a submission, intake replaces it by notebooks that we wrote.
c.Autograde.pre_convert_hook = "autograder.recording.nbgrader_steps.pre_convert"
c.Autograde.sanitize_preprocessors = [
    "nbgrader.preprocessors.OverwriteCells",
    "nbgrader.preprocessors.CheckCellMetadata",
]
# `nbgrader zip_collect` opens archives with our caps, and tells whose a file is by the part that the student did not write.
c.ZipCollectApp.extractor_plugin = "autograder.intake.collect.Extractor"
c.ZipCollectApp.collector_plugin = "autograder.intake.collect.Collector"
# Nothing is executed here: the judge runs the notebook in the sandbox and writes the points.
c.Autograde.autograde_preprocessors = [
    "autograder.recording.nbgrader_steps.JudgeStep",
    "autograder.recording.nbgrader_steps.SaveVerdicts",
    "nbgrader.preprocessors.AssignLatePenalties",
]

# What students wrote, and their grades, are for the owner of work/ alone.
c.Autograde.permissions = 400
c.GenerateFeedback.permissions = 600

# nbgrader's own templates show Markdown uncleaned, whatever sanitize_html says; this filter cleans it
# wherever it is shown.
c.HTMLExporter.sanitize_html = True
c.HTMLExporter.filters = {"markdown2html": "autograder.reporting.feedback.safe_markdown"}

# The page for students is ours: it loads nothing and runs nothing. Formgrader keeps nbgrader's template.
c.GenerateFeedback.preprocessors = ["autograder.recording.nbgrader_steps.FeedbackGrades"]
c.GenerateFeedback.exporter_class = "autograder.reporting.feedback.FeedbackExporter"

# Students hand in elsewhere: without this, formgrader logs an error about the exchange at every click.
c.ExchangeFactory.list = "autograder.recording.nbgrader_steps.NoExchange"

# `nbgrader export` writes beside the gradebook, not into the checkout.
c.ExportPlugin.to = str(COURSE.work / "grades.csv")

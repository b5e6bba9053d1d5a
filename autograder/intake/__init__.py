"""Intake: from files that strangers wrote to notebooks that we wrote.

A submission is the student's word for what they wrote, nothing more. Nothing but text of its cells comes
through, what they handed in is kept byte for byte in work/raw/, and what could not be used is said, to the
student and the instructor.

A student's folder passes these steps:

    hand_in            verify the student's id and the folder
    inspect_folder     keep each file in work/raw/, and find out what it is good for
      read_notebook      have a process of its own open the file (reader/), and verify what it says
      recognise_lesson   find the lesson that the notebook answers
      graft              put the student's answers and code into a copy of that lesson
    choose_notebooks   choose one notebook for each lesson
    write_submission   write them to work/submitted/, and note in work/intake/ what was done
    current            take in again what was taken in with an earlier release of the lesson

A learner's own notebook passes the same reader and graft when its lesson is released anew (own_copies).
"""

from autograder.intake.current import take_in_current
from autograder.intake.errors import IntakeError
from autograder.intake.graft import GraftedNotebook
from autograder.intake.nbgrader_hook import pre_convert_hook, take_in_submitted
from autograder.intake.notebook_intake import preload_lessons, take_in_notebook
from autograder.intake.pristine_lesson import load_pristine_lesson
from autograder.intake.reader_process import start_server as start_reader_server
from autograder.intake.recognise_lesson import names_lesson
from autograder.intake.records import IntakeRecord, LessonIntake, load_record, save_record
from autograder.intake.student_id import verify_student
from autograder.intake.submission import take_in, take_in_safely

__all__ = [
    "GraftedNotebook",
    "IntakeError",
    "IntakeRecord",
    "LessonIntake",
    "load_pristine_lesson",
    "load_record",
    "names_lesson",
    "pre_convert_hook",
    "preload_lessons",
    "save_record",
    "start_reader_server",
    "take_in",
    "take_in_current",
    "take_in_notebook",
    "take_in_safely",
    "take_in_submitted",
    "verify_student",
]

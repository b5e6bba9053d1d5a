"""The parts of the grading benchmark: one lesson's course, a class, both graders, and the measuring of a run.

course.py       a copy of the checkout with the convolution lesson alone
submissions.py  a class: solved, wrong and unfinished notebooks, no two alike
graders.py      how each grader is run on it, and the points that it gave
checks.py       the lesson's checks as ordinary nbgrader tests
launch.py       runs a command and counts the CPU time and memory of all its processes
clock.py        a clock of CPU time that leaves no process out
student_code.py the CPU time of the students' code by itself, which alone.py runs
"""

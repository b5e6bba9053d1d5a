"""Records graded submissions in nbgrader's gradebook and in work/autograded/, as nbgrader itself would leave them.

Any number of processes write drafts (`drafting.draft`), and one process commits them (`recorder.Recorder`):

    found = draft(course, assignment, student, judgements)  # in a worker
    with Recorder(course, assignment) as recorder:          # in the process that coordinates
        problems = recorder.commit([found, ...])
"""

"""Recording: graded submissions into nbgrader's gradebook and work/autograded/, as nbgrader itself would leave them.

Any number of processes write drafts (`drafting.draft`), one commits them (`recorder.Recorder`):

    found = draft(course, assignment, student, judgements)  # in a worker
    with Recorder(course, assignment) as recorder:          # in the process that coordinates
        problems = recorder.commit([found, ...])
"""

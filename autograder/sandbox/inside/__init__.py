"""All that runs inside the sandbox, beside hostile code: the files of this folder, the standard library and `cnnlab`.

bubblewrap.py shows this folder to the sandbox as /course/inside, beside /course/cnnlab, and nothing else of the grader. So
no module here may import anything of `autograder` but its neighbours, by relative imports (pyproject.toml has a contract
for that). Everything in the process may be changed by the code that it runs: nothing it says is believed beyond being a
value.

`__main__.py` starts one of two programs: alone.py runs one submission, server.py forks a worker for one after the other.
"""

FOLDER: str = __path__[0]  # all of it is shown to the sandbox

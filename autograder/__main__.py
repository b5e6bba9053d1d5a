"""`python -m autograder`, which is what the script `autograder` runs."""

import sys

from autograder.cli import main

if __name__ == "__main__":  # the processes of a class may import this file too
    sys.exit(main())

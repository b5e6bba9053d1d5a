"""What the course's code costs, measured: run by hand, not by the tests."""

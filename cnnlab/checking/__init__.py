"""Asks Answers, compares what they do with what is expected, and reports: the same code in a kernel and in the sandbox."""

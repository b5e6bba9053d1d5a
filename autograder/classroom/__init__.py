"""A whole class: takes every submission in, has them judged side by side, records the Verdicts."""

"""Exit statuses of the command line."""

USER_ERROR, USAGE_ERROR, INTERNAL_ERROR = 1, 2, 70
LOST = 75
"""Another process of the training has gone."""
INTERRUPTED, TERMINATED = 130, 143

"""Examples of a team's own checks: run by a drill (tests/test_application.py), not by the suite."""

collect_ignore_glob = ["*"]

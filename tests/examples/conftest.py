"""Examples of a team's own checks, which the drills of tests/drill/test_application.py run."""

collect_ignore_glob = ["*"]

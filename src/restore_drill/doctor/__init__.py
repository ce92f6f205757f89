"""What a drill would meet here, found out without one: `restore-drill doctor` and `--dry-run`.

Nothing is started, restored or written. All that waits for somebody else has a limit of its own.
"""

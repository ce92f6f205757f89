"""The checkup before a drill, and plans."""

"""The ways to bring the files of a physical backup into a data directory of the drill."""

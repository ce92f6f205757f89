"""What is wrapped around a backup: encryption, zip, tar.

Each wrap is a function from a binary stream to the binary stream behind it, with flat memory: a
layer of `streams.OPENERS`, as the compressions are. Nothing of them is imported before one is met.
"""

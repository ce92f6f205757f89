"""Commands as they go over the wire, where redis-py would send them one by one."""

from __future__ import annotations


def command(*words: bytes) -> bytes:
    """A command as it goes over the wire."""
    return b"*%d\r\n%b" % (len(words), b"".join(map(word, words)))


def word(text: bytes) -> bytes:
    """A word of a command."""
    return b"$%d\r\n%b\r\n" % (len(text), text)

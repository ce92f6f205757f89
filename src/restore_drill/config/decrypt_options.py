"""Options of what decrypts backups."""

from __future__ import annotations

from restore_drill.config.option import Option

DECRYPT_OPTIONS = (
    Option(
        "--decrypt-key",
        "DRILL_DECRYPT_KEY_FILE",
        None,
        "file of the key or passphrase of an encrypted backup",
        unset="none",
    ),
    Option(
        "--decrypt-options",
        "DRILL_DECRYPT_OPTIONS",
        None,
        "options that openssl enc encrypted it with",
        unset="usual ones are tried",
    ),
)

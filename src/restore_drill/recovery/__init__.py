"""A physical backup recovered: copied, made safe, started, replayed to a target, and proved."""

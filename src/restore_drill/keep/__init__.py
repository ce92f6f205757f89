"""Throwaway servers that stay up after their drill, to be looked into; part of the engine."""

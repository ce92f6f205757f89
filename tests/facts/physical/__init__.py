"""What is proved of a recovered server."""

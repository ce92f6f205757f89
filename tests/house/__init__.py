"""The repository: documents, package, workflows."""

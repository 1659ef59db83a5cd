"""One form of the release notes per file."""

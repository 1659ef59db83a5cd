"""Control plane: submission, review, freezing and publication of contracts."""

"""The life of one contract version from submission to frozen."""

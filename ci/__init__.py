"""Gates for pipelines: one verdict, several report formats."""

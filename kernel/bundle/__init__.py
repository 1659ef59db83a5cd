"""The three signed parts that the data plane runs from."""

"""Laboratory analyzers and laboratory systems that send results as HL7 v2 over MLLP."""

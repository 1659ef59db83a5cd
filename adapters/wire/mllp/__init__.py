"""MLLP, the framing of HL7 v2 over TCP (release 1): blocks, the listening side, the sending side, TLS."""

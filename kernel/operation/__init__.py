"""One callable operation of a contract, compiled: decoders, validators, security."""

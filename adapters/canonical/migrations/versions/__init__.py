"""One file for each revision of schema `canonical`."""

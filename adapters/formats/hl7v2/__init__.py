"""HL7 version 2 messages: reading them to the byte, their data types, and the answers to them."""

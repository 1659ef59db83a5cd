"""What a contract is: documents, digests, versions, states, findings."""

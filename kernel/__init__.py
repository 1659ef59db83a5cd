"""What every part of Interlock may know: contracts, schemas, operations, bundles, audit records."""

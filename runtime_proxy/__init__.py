"""Data plane: every request validated, limited, routed and recorded."""

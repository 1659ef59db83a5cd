"""What keeps one slow or broken provider from costing others: guards around adapters, and careful repeats."""

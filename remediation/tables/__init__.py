"""Arrow in memory: one schema per dataset, and what is computed from them."""

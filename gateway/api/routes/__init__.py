"""The calls of /api/v1, one file per noun."""

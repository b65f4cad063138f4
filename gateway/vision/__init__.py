"""The child programs of the vision house: `python -m gateway.vision ROLE`; imports nothing, each role loads its own."""

__all__: list[str] = []

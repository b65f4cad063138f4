"""placeholder."""


def demo() -> None: ...

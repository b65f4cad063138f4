"""Numbers with their nouns, for people."""


def counted(number: int, one: str, several: str = "") -> str:
    """The number and its noun: ``1 event``, ``2 events``, ``0 people``.

    Args:
        number: how many.
        one: the noun of one.
        several: of any other number; `one` with an s if it is left out.
    """
    return f"{number} {one if number == 1 else several or one + 's'}"

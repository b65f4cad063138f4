"""What the interface takes of a person on the watch-list."""

import pytest
from pydantic import ValidationError

from gateway.api.routes.watchlist import NewPerson, PersonChange

PERSON = {"name": "张三", "reason": "order", "authority": "police", "valid_until": "2100-01-01T00:00:00Z"}


@pytest.mark.parametrize("category", ["wanted", "barred", "threat", "missing", "校外人员", "ex-staff 2", " barred "])
def test_a_category_is_a_known_one_or_a_label_of_the_school(category: str) -> None:
    assert NewPerson.model_validate(PERSON | {"category": category}).category == category.strip()


@pytest.mark.parametrize("category", ["", " ", "<b>", "a\nb", "x" * 41, "-", 7])
def test_what_is_no_label_is_refused(category: object) -> None:
    for model, body in ((NewPerson, PERSON), (PersonChange, {})):
        with pytest.raises(ValidationError):
            model.model_validate(body | {"category": category})

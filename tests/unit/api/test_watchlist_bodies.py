"""What the interface takes of a person on the watch-list."""

import httpx
import pytest
from fastapi import FastAPI
from pydantic import ValidationError

from gateway.api.problems import add_problem_handlers
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


@pytest.mark.parametrize("until", ["2026-12-31", "2026-12-31T23:59:59", "next year", None, {}])
async def test_an_expiry_that_is_no_moment_is_told_with_an_example(until: object) -> None:
    app = FastAPI()
    add_problem_handlers(app)

    @app.post("/people")
    async def people(_body: NewPerson) -> None:
        return

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://gate") as client:
        answer = await client.post("/people", json=PERSON | {"category": "wanted", "valid_until": until})
    assert answer.status_code == 422
    (fault,) = answer.json()["faults"]
    assert fault["where"] == "body.valid_until"
    assert "such as 2026-12-31T23:59:59+08:00" in fault["what"]
    assert "Input" not in answer.json()["detail"]

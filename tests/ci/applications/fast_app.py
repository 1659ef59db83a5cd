"""The wards as a FastAPI application."""

from fastapi import FastAPI
from pydantic import BaseModel


class Ward(BaseModel):
    name: str
    beds: int


class Strict(Ward):
    floor: int


app = FastAPI()
strict = FastAPI()


@app.get("/wards", operation_id="findWards")
def find() -> list[Ward]:
    return [Ward(name="A", beds=3)]


@app.post("/wards", status_code=201, operation_id="addWard")
def add(ward: Ward) -> Ward:
    return ward


@strict.get("/wards", operation_id="findWards")
def find_strictly() -> list[Ward]:
    return []


@strict.post("/wards", status_code=201, operation_id="addWard")
def add_strictly(ward: Strict) -> Ward:
    return ward

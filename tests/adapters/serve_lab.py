"""A laboratory listener as a process of its own, for tests that kill it: serve_lab.py DATA RUN_FILE."""

import asyncio
import importlib.util
import sys
from pathlib import Path


async def serve(data: Path, run_file: Path) -> None:
    """Listen until killed; the address goes to RUN_FILE once messages are taken."""
    spec = importlib.util.spec_from_file_location("lab_house", Path(__file__).with_name("conftest.py"))
    assert spec is not None
    assert spec.loader is not None
    house_module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(house_module)
    house = house_module.LabHouse(data, house_module.bundle_of(*house_module.NAMES))
    listener = await house.listen()
    draft = run_file.with_suffix(".draft")
    draft.write_text("{} {}".format(*listener.address()))
    draft.rename(run_file)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1]), Path(sys.argv[2])))

"""Write the table of the SDK's operations into docs/azure-emulation.md, or say that it is another (`--check`)."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from contract_tests.azure.operations.table import rows, share  # noqa: E402

DOCUMENT = ROOT / "docs" / "azure-emulation.md"
BEGIN, END = "<!-- operations: begin, by scripts/azure_operations.py -->", "<!-- operations: end -->"


def written(text: str) -> str:
    """The document with the table as the code has it."""
    before, _, rest = text.partition(BEGIN)
    after = rest.partition(END)[2]
    works, all_of_them = share()
    said = f"{works} of {all_of_them} operations of the classes that the emulation is about work."
    return "\n".join([f"{before}{BEGIN}", "", said, "", *rows(), "", f"{END}{after}"])


def main(words: list[str]) -> int:
    text = DOCUMENT.read_text("utf-8")
    if "--check" in words:
        return int(written(text) != text)
    DOCUMENT.write_text(written(text), "utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))

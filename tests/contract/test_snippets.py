"""Snippets are complete, quote what needs it, and hold no key."""

import ast
import json
import re
import shlex
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from signatures import bank_signature

from core.contract.payload import Decoder
from core.contract.snippets import WRITERS, snippets
from core.domain.data import ColumnKind
from core.domain.signature import Column, Signature

URI = "http://127.0.0.1:5001/score"


def one_column(name: str, typical: str) -> Signature:
    return Signature((Column(name, ColumnKind.STRING, nullable=False, typical=typical),), "y", ("no", "yes"))


HARD = one_column('it\'s "odd" $(x) `y` \\ )" é\n', 'O\'Neil\t@" )-"')


def _python_body(text: str) -> str:
    tree = ast.parse(text)
    return next(n.value.value for n in tree.body if isinstance(n, ast.Assign) and n.targets[0].id == "body")


READ = {
    "curl": lambda text: shlex.split(text.replace("\\\n", " "))[-1],
    "ab": lambda text: shlex.split(text.replace("\\\n", " "))[2],
    "python": _python_body,
    "azure": _python_body,
    "javascript": lambda text: re.search(r"JSON\.stringify\((.*)\),\n", text)[1],
    "csharp": lambda text: re.search(r'var body = @"((?:[^"]|"")*)";\n', text)[1].replace('""', '"'),
    "r": lambda text: re.search(r'body <- r"(-*)\((.*)\)\1"\n', text)[2],
    "powershell": lambda text: re.search(r"\$body = '((?:[^']|'')*)'\n", text)[1].replace("''", "'"),
}
"""The request as each language's own rules for strings give it back."""


@pytest.mark.parametrize("client", WRITERS)
@pytest.mark.parametrize("signature", [bank_signature(), HARD], ids=["bank", "hard"])
@pytest.mark.parametrize("form", ["v1", "v2", "mlflow"])
def test_every_client_sends_a_valid_body(client, signature, form):
    text = snippets(URI, signature, form=form, method="predict_proba")[client].text
    request = Decoder(signature)(READ[client](text).encode())
    assert (request.rows, request.form, request.method) == (1, form, "predict_proba")


@settings(max_examples=60, derandomize=True, deadline=None)
@given(st.text(min_size=1, max_size=12), st.text(max_size=12))
def test_no_name_or_value_breaks_out_of_its_string(name, value):
    signature = one_column(name, value)
    made = snippets(URI, signature)
    sent = {client: json.loads(read(made[client].text)) for client, read in READ.items()}
    assert all(body == sent["python"] for body in sent.values())


def test_every_client_reads_the_key_from_the_environment_and_says_its_address():
    made = snippets(URI, bank_signature())
    assert all("SLIPWAY_KEY" in snippet.text for snippet in made.values())
    assert all(URI in snippet.text for key, snippet in made.items() if key != "azure")
    assert [snippet.title for snippet in made.values()][:4] == ["curl", "Python", "Python, azure-ai-ml", "JavaScript"]


def test_a_request_too_long_for_an_argument_goes_in_by_standard_input(tmp_path):
    """Of a table of 1,500 columns with long names: a program takes at most 128 KiB in one argument."""
    columns = tuple(Column(f"Größe {'é' * 40} {at}", ColumnKind.NUMBER, False, typical=0.5) for at in range(1_500))
    text = snippets(URI, Signature(columns, "y", ("no", "yes")))["curl"].text
    stand_in = tmp_path / "curl"
    stand_in.write_text("#!/bin/sh\ncat\n")
    stand_in.chmod(0o700)
    environ = {"PATH": f"{tmp_path}:/usr/bin:/bin", "SLIPWAY_KEY": "k"}
    ran = subprocess.run(["sh"], input=text.encode(), env=environ, capture_output=True, check=True)
    assert len(ran.stdout) > 128 * 1024
    assert Decoder(Signature(columns, "y", ("no", "yes")))(ran.stdout).rows == 1

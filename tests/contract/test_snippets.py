"""Snippets are complete, quote what needs it, and hold no key."""

import ast
import json
import shlex

from signatures import bank_signature

from core.contract.payload import Decoder
from core.contract.snippets import snippets
from core.domain.data import ColumnKind
from core.domain.signature import Column, Signature

URI = "http://127.0.0.1:5001/score"
HARD = Signature((Column('it\'s "odd" $(x)', ColumnKind.STRING, nullable=False, typical="O'Neil"),), "y", ("no", "yes"))


def test_the_shell_snippets_send_a_valid_body():
    for signature in (bank_signature(), HARD):
        made = snippets(URI, signature)
        curl = shlex.split(made["curl"].replace("\\\n", " "))
        assert curl[:2] == ["curl", URI]
        assert Decoder(signature)(curl[-1].encode()).rows == 1
        ab = shlex.split(made["ab"].replace("\\\n", " "))
        assert Decoder(signature)(ab[2].encode()).rows == 1
        assert ab[-1] == URI


def test_the_python_snippet_is_python_and_sends_a_valid_body():
    for signature in (bank_signature(), HARD):
        tree = ast.parse(snippets(URI, signature)["python"])
        body = next(n.value.value for n in tree.body if isinstance(n, ast.Assign) and n.targets[0].id == "body")
        assert Decoder(signature)(body.encode()).rows == 1


def test_every_snippet_reads_the_key_from_the_environment():
    assert all("SLIPWAY_KEY" in text for text in snippets(URI, bank_signature()).values())
    assert json.dumps(snippets(URI, bank_signature()))

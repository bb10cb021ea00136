"""What is scored in the event loop and what beside it: by bytes, by rows, and by how long a deployment takes."""

import asyncio

import pytest
from serving_fakes import KEY, ROW

from core.contract.samples import body
from core.serving.http import Head

HEADERS = {b"authorization": f"Bearer {KEY}".encode(), b"content-type": b"application/json"}
SHORT_ROWS = b'{"data":[' + b",".join([b"{}"] * 8000) + b"]}"
SHORT_LISTS = b'{"input_data":{"columns":[],"data":[' + b",".join([b"[]"] * 8000) + b"]}}"


def is_beside(client, sent: bytes) -> bool:
    async def finish() -> bool:
        exchange, settled = client.app.begin(Head("POST", "/score", b"", HEADERS))
        assert settled is None
        answer = client.app.finish(exchange, sent)
        if not isinstance(answer, asyncio.Future):
            return False
        await answer
        return True

    return client.run(finish())


@pytest.mark.parametrize("rows", [1, 2, 50])
def test_a_small_request_is_answered_in_the_event_loop(client, rows):
    assert not is_beside(client, body([ROW] * rows))


@pytest.mark.parametrize("sent", [SHORT_ROWS, SHORT_LISTS, body([ROW] * 5000)])
def test_many_rows_are_scored_beside_it_however_short_they_are(client, sent):
    assert is_beside(client, sent)


def test_an_endpoint_that_only_gets_fifty_rows_a_request_may_be_slow_too(client):
    pace = client.state.now.deployments["v1"].pace
    assert pace.run_s == 0.0
    client.score(body([ROW] * 50))
    assert pace.run_s > 0.0

"""The key check."""

import hashlib
import hmac
from collections.abc import Sequence
from itertools import repeat

from core.serving.refusals import KeyRefused

SCHEME = b"bearer "


def authorize(authorization: bytes | None, digests: Sequence[str]) -> str:
    """The digest of the key in force that came as `Bearer KEY`. Raises KeyRefused for every other header.

    Digests have equal length and are all compared, so that time tells nothing about them.
    """
    if authorization is None:
        raise KeyRefused("No key was sent", hint="Send the header Authorization: Bearer KEY")
    if authorization[: len(SCHEME)].lower() != SCHEME:
        raise KeyRefused("The scheme is not Bearer", hint="Send the header Authorization: Bearer KEY")
    sent = hashlib.sha256(authorization[len(SCHEME) :].strip()).hexdigest()
    if sum(map(hmac.compare_digest, digests, repeat(sent))) == 0:
        raise KeyRefused("The key is wrong", hint="The endpoint's page and `endpoint keys` show the current key")
    return sent

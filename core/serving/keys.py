"""The key check."""

import hashlib
import hmac
from collections.abc import Sequence

from core.serving.refusals import KeyRefused

SCHEME = b"bearer "


def check_key(authorization: bytes | None, digests: Sequence[str]) -> None:
    """Raise KeyRefused unless the header is `Bearer KEY` with a key of one of these digests.

    Digests have equal length and are all compared, so that time tells nothing about them.
    """
    if authorization is None:
        raise KeyRefused("No key was sent", hint="Send the header Authorization: Bearer KEY")
    if authorization[: len(SCHEME)].lower() != SCHEME:
        raise KeyRefused("The scheme is not Bearer", hint="Send the header Authorization: Bearer KEY")
    sent = hashlib.sha256(authorization[len(SCHEME) :].strip()).hexdigest()
    if sum(hmac.compare_digest(sent, digest) for digest in digests) == 0:
        raise KeyRefused("The key is wrong", hint="The endpoint's page and `endpoint keys` show the key in force")

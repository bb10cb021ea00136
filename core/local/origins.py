"""The keys of our own senders (gates, load tests, batches, the app's form), by which servers tell them from clients.

They are made of one secret in the store, so nothing is kept for each endpoint and a rotation of an endpoint's own keys
leaves them in force. No verb and no page shows them.
"""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Mapping

from core.domain.monitoring import Origin
from core.local.store import Store

FACT = "origins_secret"
SECRET_BYTES = 32


def key_of(store: Store, endpoint: str, origin: Origin) -> str:
    """The key with which a request to an endpoint is recorded under this origin; a client's is its primary key.

    Raises EndpointNotFound.
    """
    if origin is Origin.CLIENT:
        return store.endpoints.keys(endpoint).primary
    return _derived(_secret(store), store.endpoints.get(endpoint).name, origin)


def keys_of(store: Store, endpoint: str) -> Mapping[Origin, str]:
    """The keys of all senders of ours."""
    secret = _secret(store)
    return {origin: _derived(secret, endpoint, origin) for origin in Origin if origin is not Origin.CLIENT}


def _secret(store: Store) -> bytes:
    # Read first: a write for each request of the Test form would wait for whoever writes just now.
    known = store.facts.get(FACT) or store.facts.settle(FACT, secrets.token_urlsafe(SECRET_BYTES))
    return known.encode()


def _derived(secret: bytes, endpoint: str, origin: Origin) -> str:
    made = hmac.digest(secret, f"{endpoint} {origin.value}".encode(), hashlib.sha256)
    return base64.urlsafe_b64encode(made).rstrip(b"=").decode()

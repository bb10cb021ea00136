"""Schemathesis's requests go where the user said, with the key that the user gave, as all our own do.

`requests`, by which it sends, takes `HTTP_PROXY` for the way to any host, loopback too: requests and key would go to
one whom the user did not name. It puts a password of `~/.netrc` in the key's place, and does not trust an authority
that our own client trusts. A proxy is asked for a tunnel to what is behind HTTPS, as our own client asks it, and for
nothing else. Imported with Schemathesis, never before.
"""

import ssl
from functools import cache
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from schemathesis.transport.requests import SameHostRedirectsSession

from core.loadtest.way import BEHIND, meant_status, proxy_to


class Trusting(HTTPAdapter):
    """Trusts whom our own client trusts as well: the system's authorities, or those in `SSL_CERT_FILE`.

    They are read when it sends something: that takes 20 ms, and Schemathesis makes a dozen sessions.
    """

    def send(self, request: requests.PreparedRequest, *arguments: Any, **options: Any) -> requests.Response:
        if "ssl_context" not in self.poolmanager.connection_pool_kw:
            self.poolmanager.connection_pool_kw["ssl_context"] = ssl.create_default_context()
        if (proxy := proxy_to(str(request.url))) is not None:
            options["proxies"] = {"https": proxy.url}
        response = super().send(request, *arguments, **options)
        response.status_code = meant_status(response.status_code, response.headers.get(BEHIND))
        return response

    def proxy_manager_for(self, proxy: str, **options: Any) -> Any:
        options["ssl_context"] = self.poolmanager.connection_pool_kw["ssl_context"]
        return super().proxy_manager_for(proxy, **options)


@cache
def go_straight() -> None:
    """Have each session that Schemathesis begins from now on ask neither the environment nor `~/.netrc`."""
    # It has no setting for that, and makes sessions in several places, all of this class.
    begin = SameHostRedirectsSession.__init__

    def straight(self: requests.Session) -> None:
        begin(self)
        self.trust_env = False
        self.mount("https://", Trusting())

    SameHostRedirectsSession.__init__ = straight  # type: ignore[method-assign]

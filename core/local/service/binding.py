"""Where the service's door listens, and how: read from the settings, and refused where it would be unsafe."""

import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

from core.domain.errors import SpecInvalid
from core.local.machine.asking import leaf
from core.settings import Settings


@dataclass(frozen=True, slots=True)
class Binding:
    """An address of this machine, the names under which the door may be called there, and its certificate and key."""

    host: str
    names: tuple[str, ...] = ()
    tls: tuple[Path, Path] | None = None

    def url(self, port: int) -> str:
        """The address that clients are given: by the first of the names, where there is one."""
        return self._url(self.names[0], port) if self.names else self.local_url(port)

    def local_url(self, port: int) -> str:
        """The address at which this machine reaches it, whatever its names mean here."""
        loopback = "::1" if ":" in self.host else "127.0.0.1"
        return self._url(loopback if ip_address(self.host).is_unspecified else self.host, port)

    @property
    def certificate(self) -> str:
        """The server's own, which proves to this machine's health checks that it is ours; empty without TLS."""
        return leaf(self.tls[0].read_text()) if self.tls else ""

    def _url(self, host: str, port: int) -> str:
        return f"{'https' if self.tls else 'http'}://{in_url(host)}:{port}"


def binding(settings: Settings) -> Binding:
    """What the settings ask for.

    Raises SpecInvalid for what is no address, for an address other than loopback without TLS unless that is allowed by
    name, and for a certificate that cannot be used.
    """
    host = "127.0.0.1" if settings.service_host == "localhost" else settings.service_host
    try:
        address = ip_address(host)
    except ValueError as e:
        raise SpecInvalid(
            f"SLIPWAY_SERVICE_HOST is '{settings.service_host[:60]}', expected an IP address of this machine",
            hint="127.0.0.1 is loopback, 0.0.0.0 every address; SLIPWAY_SERVICE_NAMES takes host names",
        ) from e
    tls = _tls(settings)
    if not (address.is_loopback or tls or settings.service_allow_http):
        raise SpecInvalid(
            f"SLIPWAY_SERVICE_HOST is {host}, which others can reach, and keys would be sent in clear text",
            hint="Set SLIPWAY_SERVICE_TLS_CERT and SLIPWAY_SERVICE_TLS_KEY, or SLIPWAY_SERVICE_ALLOW_HTTP=1",
        )
    names = tuple(name.strip().lower() for name in settings.service_names.split(",") if name.strip())
    return Binding(host, names, tls)


def allowed_hosts(bound: Binding) -> Sequence[str]:
    """What a request's Host header may be, beside the loopback names."""
    return (*bound.names, in_url(bound.host))


def in_url(host: str) -> str:
    """A host as it stands in an address."""
    return f"[{host}]" if ":" in host else host


def _tls(settings: Settings) -> tuple[Path, Path] | None:
    cert, key = settings.service_tls_cert, settings.service_tls_key
    if not cert and not key:
        return None
    if not cert or not key:
        raise SpecInvalid(
            "TLS needs a certificate and its key",
            hint="Set both SLIPWAY_SERVICE_TLS_CERT and SLIPWAY_SERVICE_TLS_KEY",
        )
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(cert, key, password=_no_password)
    except (OSError, ValueError) as e:  # an SSLError is an OSError
        reason = e.strerror if isinstance(e, OSError) and e.strerror else str(e)
        raise SpecInvalid(
            f"The certificate {cert} and the key {key} cannot be used: {reason}",
            hint="Both are PEM files, the key without a password and that of the certificate",
        ) from e
    return Path(cert), Path(key)


def _no_password() -> str:
    """Asked for where a key has one; without this, OpenSSL would ask whoever sits at the terminal."""
    raise ValueError("the key has a password")

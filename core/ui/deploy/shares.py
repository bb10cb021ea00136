"""Shares of the traffic that keep their sum."""

from collections.abc import Iterable, Mapping

from core.domain.endpoint import Deployment, Endpoint


def given(now: Mapping[str, int], names: Iterable[str], name: str, percent: int) -> dict[str, int]:
    """One deployment gets `percent`; the others share the rest as they share it now, the newest where none has any."""
    others = [other for other in names if other != name]
    rest = 100 - percent if others else 0
    total = sum(now.get(other, 0) for other in others)
    exact = {o: rest * now.get(o, 0) / total if total else rest * (o == others[-1]) for o in others}
    shares = {other: int(share) for other, share in exact.items()}
    for other in sorted(others, key=lambda o: shares[o] - exact[o])[: rest - sum(shares.values())]:
        shares[other] += 1
    return shares | {name: percent}


def told(shares: Mapping[str, int]) -> str:
    """The shares as people read them, the largest first: `v2 90 %, v1 10 %`."""
    return ", ".join(f"{name} {share} %" for name, share in sorted(shares.items(), key=lambda s: -s[1]))


def previous(endpoint: Endpoint) -> Deployment | None:
    """Where to roll back to: the newest proven deployment that is older than the newest one with traffic."""
    newest = max((d.created_at for d in endpoint.live), default=0.0)
    older = [d for d in endpoint.deployments if d.created_at < newest and d.proven]
    return max(older, key=lambda d: d.created_at, default=None)

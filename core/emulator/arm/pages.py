"""Lists in pages, in the order that is asked for."""

from urllib.parse import urlencode

from core.emulator.messages import AzureError, Document, Request

PAGE = 200


def page(request: Request, found: list[Document]) -> Document:
    """The page that a request is for, and where the next one is. Raises AzureError 400."""
    query = request.query
    start, size = _number(query.get("$skip"), 0), _number(query.get("count") or query.get("$top"), PAGE)
    ordered = found
    if wanted := query.get("$orderby", "").lower():
        ordered = sorted(found, key=_created, reverse=wanted.endswith(" desc"))
    end = start + min(size or PAGE, PAGE)
    body: Document = {"value": ordered[start:end]}
    if end < len(ordered):
        rest = urlencode({name: value for name, value in query.items() if name != "$skip"} | {"$skip": end})
        body["nextLink"] = f"https://{request.host}{request.raw_path or request.path}?{rest}"
    return body


def _created(resource: Document) -> str:
    return str(resource.get("systemData", {}).get("createdAt", ""))


def _number(said: str | None, default: int) -> int:
    if not said:
        return default
    if not said.isdecimal():
        raise AzureError(400, "UserError", f"'{said[:40]}' is no number of resources")
    return int(said)

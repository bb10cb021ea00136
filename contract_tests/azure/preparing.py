"""What was in the workspace before a recording began, and is made before it is replayed."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from contract_tests.azure.addresses import about
from contract_tests.azure.validation import parsed

ARM_ID = re.compile(
    r"/subscriptions/[^/\"]+/resourceGroups/[^/\"]+/providers/Microsoft\.MachineLearningServices/workspaces/[^/\"]+/"
    r"(?:computes/[\w.-]+|(?:codes|components|environments|models|data)/[\w.-]+/versions/[\w.-]+)",
    re.IGNORECASE,
)
ROWS = 80


@dataclass(frozen=True)
class Before:
    """A request that makes something."""

    method: str
    address: str
    body: bytes
    headers: Mapping[str, str]


def needed(entries: Sequence[Mapping[str, Any]]) -> list[str]:
    """Addresses that are asked for or referred to, and that no earlier request of the recording makes."""
    made: set[str] = set()
    found: dict[str, None] = {}
    for entry in entries:
        parts = urlsplit(entry["RequestUri"])
        path = unquote(parts.path)
        body = parsed(entry.get("ResponseBody"))
        for each in ARM_ID.findall(json.dumps(entry.get("RequestBody") or "")):
            if each.lower() not in made:
                found.setdefault(each)
        if entry["RequestMethod"] == "PUT":
            if entry["StatusCode"] == 200 and path.lower() not in made and about("PUT", path):
                found.setdefault(path)  # it was there, and is put in the place of itself
            made |= {path.lower(), parts.netloc + path.lower()}
            if isinstance(body, dict) and isinstance(body.get("id"), str):
                made.add(body["id"].lower())
        elif entry["StatusCode"] == 200 and path.lower() not in made and parts.netloc + path.lower() not in made:
            subject = about(entry["RequestMethod"], path)
            if entry["RequestMethod"] == "HEAD":
                found.setdefault(f"https://{parts.netloc}{path}")
            elif subject and subject.listed and "hash=" in parts.query and isinstance(body, dict):
                found.update({each["id"]: None for each in body.get("value", ())})
            elif subject and not subject.listed and not subject.action and "/" in subject.kind:
                found.setdefault(path.replace("/mferp/managementfrontend", ""))
    return list(found)


def prepared(wanted: Sequence[str], entries: Sequence[Mapping[str, Any]]) -> Iterator[Before]:
    """The requests that make what is needed, in an order in which they can be sent."""
    answers = {
        unquote(urlsplit(each["RequestUri"]).path).lower().replace("/mferp/managementfrontend", ""): parsed(
            each.get("ResponseBody")
        )
        for each in entries
        if each["RequestMethod"] == "GET" and each["StatusCode"] == 200
    }
    sent = {
        unquote(urlsplit(each["RequestUri"]).path).lower(): each
        for each in reversed(entries)
        if each["RequestMethod"] == "PUT"
    }
    hashed = {
        one["id"].lower(): one | {"hash": dict(parse_qsl(urlsplit(each["RequestUri"]).query))["hash"]}
        for each in entries
        if "hash=" in each["RequestUri"] and isinstance(each.get("ResponseBody"), dict)
        for one in each["ResponseBody"].get("value", ())
    }
    answers |= hashed
    for address in sorted(
        wanted, key=lambda each: (not each.startswith("https"), "/jobs/" in each, "/schedules/" in each)
    ):
        if address.startswith("https"):
            yield from _blob(address, _target(entries), _flavors(entries))
            continue
        if same := sent.get(address.lower()):
            body = json.dumps(parsed(same["RequestBody"])).encode()
            yield Before("PUT", same["RequestUri"], body, {"Content-Type": "application/json"})
            continue
        known = answers.get(address.lower())
        body = _template(address, known if isinstance(known, dict) else {}, _target(entries))
        if body is not None:
            json_type = {"Content-Type": "application/json"}
            version = "2022-10-01" if "/jobs/" not in address else "2023-04-01-preview"
            yield Before(
                "PUT",
                f"https://management.azure.com{address}?api-version={version}",
                json.dumps(body).encode(),
                json_type,
            )


def _target(entries: Sequence[Mapping[str, Any]]) -> str:
    """The column that an AutoML job of the recording learns."""
    found = re.search(r'"target_?column_?name": "([^"]+)"', json.dumps([e.get("RequestBody") for e in entries]), re.I)
    return found[1] if found else "y"


def _flavors(entries: Sequence[Mapping[str, Any]]) -> Any:
    """What a model of the recording says of itself."""
    for entry in entries:
        for body in (parsed(entry.get("RequestBody")), parsed(entry.get("ResponseBody"))):
            properties = body.get("properties") if isinstance(body, dict) else None
            if isinstance(properties, dict) and properties.get("flavors"):
                return {name: each.get("data", {}) for name, each in properties["flavors"].items()}
    return {}


def _blob(address: str, target: str, flavors: Any) -> Iterator[Before]:
    """A blob, marked as an upload that was completed; a table where it is one's description."""
    done = {
        "x-ms-blob-type": "BlockBlob",
        "x-ms-meta-upload_status": "completed",
        "x-ms-meta-name": "n",
        "x-ms-meta-version": "1",
    }
    folder, _, name = address.rpartition("/")
    if name == "MLTable":
        rows = "".join(f"{n % 7},{n % 5},{'yes' if n % 7 > 3 else 'no'}\n" for n in range(ROWS))
        yield Before("PUT", f"{folder}/rows.csv", f"a,b,{target}\n{rows}".encode(), done)
        content = "paths:\n  - file: ./rows.csv\ntransformations:\n  - read_delimited:\n      delimiter: ','\n"
    else:
        content = json.dumps({"flavors": flavors}) if name == "MLmodel" else "nothing\n"
    yield Before("PUT", address, content.encode(), done)


def _template(address: str, known: Mapping[str, Any], target: str) -> dict[str, Any] | None:
    """A body for whatever is referred to, from its recorded answer where there is one."""
    properties = known.get("properties") or {}
    kind = about("GET", address).kind.rpartition("workspaces/")[2].lower()
    match kind:
        case "computes":
            size = {"vmSize": "Standard_DS3_v2", "scaleSettings": {"minNodeCount": 0, "maxNodeCount": 4}}
            return {"location": "westeurope", "properties": {"computeType": "AmlCompute", "properties": size}}
        case "codes/versions":
            uri = "https://x.blob.core.windows.net/c/code"
            given = {
                name: properties[name] for name in ("codeUri", "properties", "isAnonymous") if properties.get(name)
            }
            if "hash" in known:
                given["properties"] = {"hash_sha256": known["hash"], "hash_version": "202208"}
            return {"properties": {"codeUri": uri, **given}}
        case "environments/versions":
            return {"properties": {"image": "mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu20.04:latest"}}
        case "components/versions":
            spec = {"type": "command", "name": "it", "version": "1", "command": "echo it",
                    "environment": "azureml:AzureML-sklearn-1.0-ubuntu20.04-py38-cpu:1"}  # fmt: skip
            return {"properties": {"componentSpec": properties.get("componentSpec", spec)}}
        case "models/versions":
            return {
                "properties": {
                    "modelUri": "azureml://datastores/workspaceblobstore/paths/m",
                    "modelType": "custom_model",
                }
            }
        case "data/versions":
            uri = "azureml://datastores/workspaceblobstore/paths/d"
            return {"properties": {"dataUri": uri, "dataType": properties.get("dataType", "uri_folder")}}
        case "schedules":
            keep = ("trigger", "action", "displayName", "isEnabled", "description", "tags", "properties")
            return {"properties": {name: properties[name] for name in keep if properties.get(name) is not None}}
        case "onlineendpoints" | "batchendpoints":
            mode = {"authMode": properties.get("authMode", "AADToken")}
            return {"location": "westeurope", "properties": mode}
        case "datastores" if address.rpartition("/")[2].startswith("workspace"):
            return None
        case "datastores":
            credentials = {"credentialsType": "None"}
            names = (
                "datastoreType",
                "accountName",
                "containerName",
                "endpoint",
                "protocol",
                "fileShareName",
                "filesystem",
            )
            return {
                "properties": {**{n: properties[n] for n in names if properties.get(n)}, "credentials": credentials}
            }
    return None

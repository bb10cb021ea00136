"""What was said to Azure is said to the emulation, in its order, and the answers are held against the recorded ones.

Names that Azure chose (operations, versions of anonymous components, child runs) are led to those that the emulation
chose; what was there before the recording began is made first.
"""

import base64
import json
import re
import time
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx

from contract_tests.azure.likeness import differences
from contract_tests.azure.preparing import needed, prepared
from contract_tests.azure.validation import parsed
from core.emulator.names import ARM_HOST, host_kind
from core.emulator.server import Running

WORKSPACE = re.compile(
    r"/subscriptions/[^/\"]+/resourceGroups/[^/\"]+/providers/Microsoft\.MachineLearningServices/workspaces/[^/\"?]+",
    re.IGNORECASE,
)
SUBSCRIPTION = re.compile(r"/subscriptions/[^/\"?]+(?=/providers/)", re.IGNORECASE)
BLOB_HOST = re.compile(r"https://[a-z0-9]{3,24}\.blob\.core\.windows\.net/azureml-blobstore-[0-9a-f-]{36}")
CONTAINER = re.compile(r"azureml-blobstore-[0-9a-f-]{36}")
SANITIZED = re.compile(r"^0{18,}$")
OPERATION = re.compile(r"/\w*Operation(sStatus|Results|sResults)/([^/?]+)", re.IGNORECASE)
SENT_ON = frozenset({"if-none-match", "content-type", "azureml-model-deployment"})
GOING_ON = frozenset({"InProgress", "Creating", "Updating", "Deleting", "NotStarted", "Preparing", "Running", "Queued",
                      "Starting", "Provisioning"})  # fmt: skip


@dataclass(frozen=True)
class Difference:
    """One line of what is otherwise."""

    request: str
    text: str

    def __str__(self) -> str:
        return f"{self.request}: {self.text}"


@dataclass
class Replay:
    """One recording over one emulation."""

    running: Running
    wait_s: float = 20.0
    """How long an operation may take."""
    led: dict[str, str] = field(default_factory=dict)
    """What Azure called something -> what the emulation calls it."""
    operations: dict[str, str] = field(default_factory=dict)
    """Number of a recorded operation -> the address of ours."""
    latest: dict[str, str] = field(default_factory=dict)
    """Kind of resource -> the last one whose name the recording has replaced by zeros."""
    open_operations: list[str] = field(default_factory=list)

    def differences(self, recording: Path) -> list[Difference]:
        """All that is otherwise, in the order of the recording."""
        entries = json.loads(recording.read_bytes())["Entries"]
        with httpx.Client(timeout=60) as self._client:
            self._tokens = {
                scope: self._token(scope) for scope in ("https://management.azure.com", "https://ml.azure.com")
            }
            for before in prepared(needed(entries), entries):
                self._send(before.method, self._address(before.address), before.body, before.headers)
                self._settle()
            return [each for group in _grouped(entries) for each in self._step(group)]

    def _step(self, group: list[Mapping[str, Any]]) -> Iterator[Difference]:
        """One request; one that was sent again and again until something had happened is so here too."""
        entry = group[-1]
        address = self._address(entry["RequestUri"], entry)
        if not host_kind(urlsplit(address).netloc):
            return
        title = f"{entry['RequestMethod']} {entry['RequestUri'].partition('?')[0].rpartition('/workspaces/')[2]}"
        polled = OPERATION.search(entry["RequestUri"])
        if polled and polled[2] not in self.operations:
            return  # of an operation that began before the recording
        if not polled:
            self._settle()
        recorded = parsed(entry.get("ResponseBody"))
        answer = self._send(entry["RequestMethod"], address, self._body(entry), entry["RequestHeaders"])
        if _ended(recorded) or polled:
            answer = self._until_ended(entry, address, answer)
        if answer.status_code != entry["StatusCode"] and not (polled and answer.is_success):
            yield Difference(
                title, f"{answer.status_code} where {entry['StatusCode']} is recorded: {answer.text[:200]}"
            )
            return
        ours = parsed(answer.text)
        if polled:
            yield from _outcome(title, recorded, ours)
        elif entry["RequestMethod"] != "HEAD":
            yield from (Difference(title, each) for each in differences(recorded, ours))
        self._learn(entry, recorded, ours, answer)

    def _until_ended(self, entry: Mapping[str, Any], address: str, answer: httpx.Response) -> httpx.Response:
        until = time.monotonic() + self.wait_s
        while answer.is_success and not _ended(parsed(answer.text)) and time.monotonic() < until:
            if answer.status_code == 200 and OPERATION.search(address) and "Results" in address:
                break
            time.sleep(0.1)
            answer = self._send("GET", address, None, {})
        return answer

    def _settle(self) -> None:
        """Wait for operations whose end was not recorded: what follows relies on it."""
        while self.open_operations:
            address = self.open_operations.pop()
            until = time.monotonic() + self.wait_s
            while time.monotonic() < until:
                answer = self._send("GET", address, None, {})
                if not answer.is_success or _ended(parsed(answer.text)):
                    break
                time.sleep(0.1)

    def _learn(self, entry: Mapping[str, Any], recorded: Any, ours: Any, answer: httpx.Response) -> None:
        theirs = {name.lower(): value for name, value in entry["ResponseHeaders"].items()}
        for name in ("azure-asyncoperation", "location"):
            there, here = theirs.get(name), answer.headers.get(name)
            if there and here and (found := OPERATION.search(str(there))):
                self.operations.setdefault(found[2], here)
        if address := answer.headers.get("azure-asyncoperation"):
            self.open_operations.append(address)
        self._lead(recorded, ours)

    def _lead(self, recorded: Any, ours: Any) -> None:
        if isinstance(recorded, dict) and isinstance(ours, dict):
            for name in ("id", "name", "runId"):
                there, here = recorded.get(name), ours.get(name)
                if isinstance(there, str) and isinstance(here, str) and len(there) > 8:
                    self.led[self._mapped(there)] = here
            if isinstance(recorded.get("value"), list) and isinstance(ours.get("value"), list):
                for one, other in zip(recorded["value"], ours["value"], strict=False):
                    if isinstance(one, dict) and "runId" in one:
                        self._lead(one, other)

    def _address(self, uri: str, entry: Mapping[str, Any] | None = None) -> str:
        if (found := OPERATION.search(uri)) and found[2] in self.operations:
            return self.operations[found[2]]
        address = self._named(self._mapped(uri), entry)
        host = urlsplit(address).netloc
        if host.endswith(".ms") and not host_kind(host):
            address = address.replace(host, self.running.emulation.names.api_host, 1)
        if ".inference." in host:
            endpoint = host.partition(".")[0]
            address = address.replace(host, self.running.emulation.names.scoring_host(endpoint), 1)
        return address

    def _named(self, address: str, entry: Mapping[str, Any] | None) -> str:
        """Recordings have zeros for names that change from run to run; each PUT of them is of something else."""
        place, mark, query = address.partition("?")
        parent, _, name = place.rpartition("/")
        if not SANITIZED.match(name) or entry is None:
            return address
        recorded = parsed(entry.get("ResponseBody"))
        if entry["RequestMethod"] == "PUT" and isinstance(recorded, dict) and isinstance(recorded.get("name"), str):
            self.latest[parent] = recorded["name"]
            if SANITIZED.match(recorded["name"]):
                self.latest[parent] = f"replayed-{uuid.uuid4().hex[:12]}"
        return f"{parent}/{self.latest.get(parent, name)}{mark}{query}"

    def _mapped(self, text: str) -> str:
        """Names of the recording's workspace as those of the emulated one, and then what was led elsewhere."""
        names = self.running.emulation.names
        text = BLOB_HOST.sub(f"https://{names.blob_host}/{names.container}", text)
        text = CONTAINER.sub(names.container, WORKSPACE.sub(names.workspace_path, text))
        text = SUBSCRIPTION.sub(f"/subscriptions/{names.subscription}", text)
        for there, here in sorted(self.led.items(), key=lambda each: -len(each[0])):
            if there != here:
                text = text.replace(there, here)
        return text

    def _body(self, entry: Mapping[str, Any]) -> bytes | None:
        body = entry.get("RequestBody")
        if body is None:
            return None
        if isinstance(body, str) and "octet-stream" in str(entry["RequestHeaders"].get("Content-Type")):
            return base64.b64decode(body)
        text = body if isinstance(body, str) else json.dumps(body)
        return self._mapped(text).encode()

    def _send(self, method: str, address: str, body: bytes | None, headers: Mapping[str, Any]) -> httpx.Response:
        host = urlsplit(address).netloc
        sent = {
            name: str(value)
            for name, value in headers.items()
            if name.lower().startswith("x-ms-") and name.lower() not in ("x-ms-date", "x-ms-version")
        }
        sent |= {name: value for name, value in headers.items() if name.lower() in SENT_ON}
        if host_kind(host) == "blob":
            address += ("&" if "?" in address else "?") + self._signature()
        else:
            scope = "https://management.azure.com" if host == ARM_HOST else "https://ml.azure.com"
            sent["authorization"] = f"Bearer {self._tokens[scope]}"
        return self._client.request(method, address, content=body, headers=sent)

    def _token(self, scope: str) -> str:
        names = self.running.emulation.names
        form = {
            "grant_type": "client_credentials",
            "client_id": names.client,
            "client_secret": self.running.emulation.secret,
            "scope": f"{scope}/.default",
        }
        answer = self._client.post(f"https://login.microsoftonline.com/{names.tenant}/oauth2/v2.0/token", data=form)
        return str(answer.json()["access_token"])

    def _signature(self) -> str:
        """A signature of the storage account, as its own key makes it."""
        from datetime import UTC, datetime, timedelta

        from azure.storage.blob import AccountSasPermissions, ResourceTypes, generate_account_sas

        names = self.running.emulation.names
        if not hasattr(self, "_key"):
            store = f"https://{ARM_HOST}{names.workspace_path}/datastores/workspaceblobstore/listSecrets"
            self._key = self._send("POST", f"{store}?api-version=2022-05-01", None, {}).json()["key"]
        return generate_account_sas(
            names.storage_account,
            self._key,
            ResourceTypes(container=True, object=True),
            AccountSasPermissions(read=True, write=True, list=True, create=True, add=True, delete=True),
            datetime.now(UTC) + timedelta(hours=1),
        )


def _grouped(entries: list[Mapping[str, Any]]) -> list[list[Mapping[str, Any]]]:
    """GETs of one address that follow each other are one question."""
    groups: list[list[Mapping[str, Any]]] = []
    for entry in entries:
        same = groups and entry["RequestMethod"] == "GET" and groups[-1][-1]["RequestMethod"] == "GET"
        if same and groups[-1][-1]["RequestUri"] == entry["RequestUri"]:
            groups[-1].append(entry)
        else:
            groups.append([entry])
    return groups


def _ended(body: Any) -> bool:
    """Whether an operation, a job, whatever is provisioned, or all of a list has come to its end."""
    if not isinstance(body, dict):
        return False
    if isinstance(body.get("value"), list):
        return bool(body["value"]) and all(_ended(each) for each in body["value"])
    properties = body.get("properties") if isinstance(body.get("properties"), dict) else {}
    state = body.get("status") or properties.get("status") or properties.get("provisioningState")
    return isinstance(state, str) and state not in GOING_ON


def _outcome(title: str, recorded: Any, ours: Any) -> Iterator[Difference]:
    there = recorded.get("status") if isinstance(recorded, dict) else None
    here = ours.get("status") if isinstance(ours, dict) else None
    if there and there not in GOING_ON and there != here:
        yield Difference(title, f"the operation is {here} where {there} is recorded: {str(ours)[:300]}")
    elif there == "Failed":
        yield from (Difference(title, each) for each in differences(recorded["error"], ours["error"], "error"))

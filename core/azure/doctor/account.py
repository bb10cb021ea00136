"""The account: the credential and whose it is, the clock, subscription and workspace, and what is allowed there."""

import base64
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from fnmatch import fnmatchcase
from typing import Any

from core.azure.arm import Answer, ask
from core.azure.context import ARM_SCOPE, ML_SCOPE, Context
from core.azure.doctor import commands
from core.azure.doctor.finding import beware, failed, fine
from core.azure.target import Target
from core.domain.errors import SlipwayError, SpecInvalid
from core.domain.monitoring import Finding

ML = "Microsoft.MachineLearningServices"
PROVIDERS = (ML, "Microsoft.Storage", "Microsoft.KeyVault", "Microsoft.Insights", "Microsoft.ContainerRegistry")
SKEW_WARNED_S, SKEW_MAX_S = 60.0, 300.0
"""Azure takes a token from five minutes before it was made to five minutes after it ends."""

_WORKSPACE = f"{ML}/workspaces/"
NEEDED: Mapping[str, tuple[str, ...]] = {
    commands.SCIENTIST: (
        *(_WORKSPACE + part for part in ("read", "data/versions/write", "jobs/write", "models/versions/write")),
        *(_WORKSPACE + part for part in ("datastores/listSecrets/action", "components/versions/write")),
        *(_WORKSPACE + part for part in ("onlineEndpoints/write", "onlineEndpoints/deployments/write")),
        *(_WORKSPACE + part for part in ("onlineEndpoints/listKeys/action", "batchEndpoints/write")),
        *(_WORKSPACE + part for part in ("batchEndpoints/deployments/write", "schedules/write")),
    ),
    commands.OPERATOR: (_WORKSPACE + "computes/write",),
}
"""Role that brings them -> what Slipway does in a workspace."""
_AADSTS = re.compile(r"AADSTS(\d+)")


@dataclass(frozen=True, slots=True)
class Identity:
    """Who the credential is, by the claims of its token."""

    name: str
    object_id: str
    tenant: str

    @property
    def assignee(self) -> str:
        return self.object_id or self.name


def identity(token: str) -> Identity:
    """Whose token it is; it is not verified, since Azure does that."""
    part = [*token.split("."), "", ""][1]
    try:
        claims = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except ValueError:
        claims = {}
    name = claims.get("upn") or claims.get("unique_name") or claims.get("app_displayname") or claims.get("appid") or ""
    return Identity(str(name), str(claims.get("oid", "")), str(claims.get("tid", "")))


def sign_in(context: Context) -> Iterator[Finding | Identity]:
    """A finding about the credential; and who it is, where Azure takes it."""
    way = context.settings.azure_credential
    target = _target(context)
    try:
        token = context.token(ARM_SCOPE)
        context.token(ML_SCOPE)
    except SpecInvalid as e:
        yield failed(
            "Credential", e.message, f"Make one: {commands.make_principal(target)}" if _principal(e) else e.hint
        )
        return
    except SlipwayError as e:
        yield failed("Credential", e.message, _refused(e.message, context, target))
        return
    who = identity(token)
    yield fine("Credential", f"{way}: {who.name or who.object_id} of tenant {who.tenant} is accepted")
    yield who


def _principal(error: SpecInvalid) -> bool:
    return "service principal" in error.message


def _refused(said: str, context: Context, target: Target) -> str:
    found = _AADSTS.search(said)
    number = found.group(1) if found else ""
    client = context.environ.get("AZURE_CLIENT_ID", "")
    if number in ("7000215", "7000222"):
        return f"The secret is wrong or has expired. A new one: {commands.new_secret(client)}"
    if number in ("90002", "900023"):
        return "The tenant does not exist. Yours: az account show --query tenantId --output tsv (AZURE_TENANT_ID)"
    if number == "700016":
        return f"There is no such service principal in this tenant. Make one: {commands.make_principal(target)}"
    if context.settings.azure_credential == "cli":
        return f"az login --tenant TENANT_ID; az account set --subscription {target.subscription}"
    return f"Make a service principal: {commands.make_principal(target)}"


def look(context: Context, who: Identity) -> Iterator[Finding]:
    """From the clock down to the permissions; ends at the first thing that the rest needs."""
    target = context.target
    answer = ask(context, f"/subscriptions/{target.subscription}", "2022-12-01")
    yield _clock(context, answer)
    if not answer.found:
        yield failed(
            "Subscription",
            f"{who.name} does not see the subscription {target.subscription}: {answer.message}",
            "Is SLIPWAY_AZURE_SUBSCRIPTION right (az account list --output table)? If it is: "
            + commands.assign(commands.SCIENTIST, who.assignee, target.path),
        )
        return
    name = answer.body.get("displayName", "")
    state = str(answer.body.get("state", "Enabled"))
    if state != "Enabled":
        yield failed("Subscription", f"{name} is {state.lower()}", "Azure's portal says why, under Subscriptions")
        return
    yield fine("Subscription", f"{name} ({target.subscription})")
    yield from _providers(context)
    yield from _workspace(context, who)


def _clock(context: Context, answer: Answer) -> Finding:
    try:
        apart_s = context.clock() - parsedate_to_datetime(answer.date).timestamp()
    except (TypeError, ValueError):
        return beware("Clock", "Azure did not say what time it is")
    said = f"This machine's clock is {abs(apart_s):,.0f} s {'ahead of' if apart_s > 0 else 'behind'} Azure's"
    hint = "Set it, for example: sudo timedatectl set-ntp true"
    if abs(apart_s) > SKEW_MAX_S:
        return failed("Clock", f"{said}: tokens and signed addresses are refused", hint)
    return beware("Clock", said, hint) if abs(apart_s) > SKEW_WARNED_S else fine("Clock", said)


def _providers(context: Context) -> Iterator[Finding]:
    target = context.target
    missing = []
    for namespace in PROVIDERS:
        answer = ask(context, f"/subscriptions/{target.subscription}/providers/{namespace}", "2021-04-01")
        if answer.found and answer.body.get("registrationState") != "Registered":
            missing.append(namespace)
    for namespace in missing:
        say = failed if namespace == ML else beware
        yield say(
            "Resource provider",
            f"{namespace} is not registered in the subscription",
            commands.register_provider(target, namespace),
        )
    if not missing:
        yield fine("Resource providers", "all are registered")


def _workspace(context: Context, who: Identity) -> Iterator[Finding]:
    target = context.target
    answer = ask(context, target.path, "2024-10-01")
    if answer.code == "ResourceGroupNotFound":
        yield failed("Resource group", answer.message, commands.make_group(target, "REGION"))
        return
    if answer.status == 404:
        yield failed("Workspace", answer.message, commands.make_workspace(target))
        return
    if not answer.found:
        assign = commands.assign(commands.SCIENTIST, who.assignee, target.path)
        yield failed("Permissions", f"{who.name} may not read the workspace: {answer.message}", assign)
        return
    found = answer.body.get("properties", {})
    yield fine("Workspace", f"{target.workspace} in {answer.body.get('location', '')}")
    if found.get("v1LegacyMode"):
        yield failed(
            "Workspace",
            "It is in v1 legacy mode, in which the API of v2 is closed",
            f"az ml workspace update --name {target.workspace} --resource-group {target.resource_group}"
            " --v1-legacy-mode false",
        )
    if not found.get("applicationInsights"):
        yield beware(
            "Application Insights", "The workspace has none, so nothing is recorded of endpoints", _insights(target)
        )
    yield from _permissions(context, who)


def _insights(target: Target) -> str:
    return (
        f"az monitor app-insights component create --app {target.workspace} --location REGION --resource-group"
        f" {target.resource_group}, then az ml workspace update --application-insights ITS_ID"
    )


def _permissions(context: Context, who: Identity) -> Iterator[Finding]:
    target = context.target
    answer = ask(context, f"{target.path}/providers/Microsoft.Authorization/permissions", "2022-04-01")
    if not answer.found:
        yield beware("Permissions", f"Azure does not say what {who.name} may do: {answer.message}")
        return
    lacking = {
        role: missing
        for role, actions in NEEDED.items()
        if (missing := [action for action in actions if not allowed(action, answer.values)])
    }
    for role, missing in lacking.items():
        rest = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        yield (failed if role == commands.SCIENTIST else beware)(
            "Permissions",
            f"{who.name} may not {missing[0]}{rest}",
            commands.assign(role, who.assignee, target.path),
        )
    if not lacking:
        yield fine("Permissions", f"{who.name} may do everything that Slipway does in the workspace")


def allowed(action: str, permissions: Sequence[Any]) -> bool:
    """Whether roles allow an action: one of them names it, and the same one does not take it away."""
    return any(
        _named(action, role.get("actions") or ()) and not _named(action, role.get("notActions") or ())
        for role in permissions
    )


def _named(action: str, patterns: Sequence[str]) -> bool:
    """In any case, `*` for anything; `computes/*/write` means the computes themselves too."""
    action = action.lower()
    return any(
        fnmatchcase(action, pattern) or fnmatchcase(action, pattern.replace("/*/", "/"))
        for pattern in (str(each).lower().replace("[", "[[]") for each in patterns)
    )


def _target(context: Context) -> Target:
    try:
        return context.target
    except SpecInvalid:
        return commands.UNKNOWN

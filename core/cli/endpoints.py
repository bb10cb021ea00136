"""`endpoint`."""

import sys
from argparse import Namespace
from dataclasses import fields
from pathlib import Path
from typing import Any

from core.cli.autoscale import AUTOSCALE
from core.cli.batch import BATCH
from core.cli.command import DONE, FAILED, Argument, Command, Context, Outcome, arg
from core.cli.following import follow
from core.cli.records import RECORDS
from core.cli.values import OnOff, name_version, percent
from core.cli.watching import WATCHING
from core.domain.endpoint import Deployment, DeploymentSpec, EndpointLimits, EndpointSpec, GateBudget, GateState
from core.domain.errors import SourceUnreadable
from core.domain.signature import FORMS

NAME = arg("name", metavar="ENDPOINT")
SHORTER = {"collect_sample_pct": ("sample_pct",)}
"""Limits that are also called otherwise."""


def _limit_arguments() -> tuple[Argument, ...]:
    """One argument for each of an endpoint's limits, named and typed as the domain has it."""
    arguments = []
    for limit in fields(EndpointLimits):
        default = limit.default
        flags = [f"--{name.replace('_', '-')}" for name in (limit.name, *SHORTER.get(limit.name, ()))]
        if limit.type is bool:
            usual = "on" if default else "off"
            arguments.append(arg(*flags, action=OnOff, default=None, help=f"(new endpoints: {usual})"))
        elif limit.type not in (int, float):
            arguments.append(arg(*flags, nargs="*", default=None))
        else:
            arguments.append(arg(*flags, type=limit.type, default=None, help=f"(new endpoints: {default})"))
    return tuple(arguments)


def _limits(options: Namespace) -> dict[str, Any]:
    """Those that are named."""
    named = (limit.name for limit in fields(EndpointLimits))
    given: dict[str, Any] = {name: value for name in named if (value := getattr(options, name)) is not None}
    return {name: tuple(value) if isinstance(value, list) else value for name, value in given.items()}


def _create(context: Context, options: Namespace) -> Any:
    limits = EndpointLimits().changed(_limits(options))
    address = f"127.0.0.1:{options.port}" if options.port else ""
    return context.workspace.endpoints.create(EndpointSpec(options.name, address, options.description, limits))


def _update(context: Context, options: Namespace) -> Any:
    return context.workspace.endpoints.update(options.name, _limits(options))


def _deploy(context: Context, options: Namespace) -> Any:
    model, version = options.model
    deployment = context.workspace.endpoints.deploy(
        DeploymentSpec(
            endpoint=options.name,
            model=model,
            model_version=version,
            name=options.deployment,
            legacy_reply=options.legacy_reply,
            primary_form=options.primary_form,
            unseen_categories=options.unseen_categories,
            budget=GateBudget(p99_ms=options.p99_ms, requests_per_s=options.requests_per_s),
            instances=options.instances,
            size=options.size,
        )
    )
    if options.wait:
        name = deployment.name
        deployment = follow(
            context, lambda: _deployment(context, options.name, name), lambda d: d.state.final and d.gate.final
        )
    passed = not options.wait or deployment.gate is GateState.PASSED
    return Outcome(deployment, DONE if passed else FAILED)


def _deployment(context: Context, endpoint: str, name: str) -> Deployment:
    return next(d for d in context.workspace.endpoints.get(endpoint).deployments if d.name == name)


def _traffic(context: Context, options: Namespace) -> Any:
    mirror = dict(options.mirror) if options.mirror is not None else None
    forced = bool(options.force_by)
    return context.workspace.endpoints.set_traffic(
        options.name,
        dict(options.traffic),
        mirror,
        force=forced,
        by=options.force_by or "cli",
        expected=None if options.expect is None else dict(options.expect),
    )


def _keys(context: Context, options: Namespace) -> Any:
    keys = context.workspace.endpoints.keys(options.name)
    return {"primary": keys.primary, "secondary": keys.secondary}


def _rotate(context: Context, options: Namespace) -> Any:
    context.workspace.endpoints.rotate_key(options.name, options.which)
    return {"endpoint": options.name, "rotated": options.which}


def _invoke(context: Context, options: Namespace) -> Any:
    reply = context.workspace.endpoints.invoke(options.name, _body(options.body), deployment=options.deployment)
    return Outcome(reply, DONE if reply.status == 200 else FAILED)


def _body(path: str) -> bytes:
    if path == "-":
        return sys.stdin.buffer.read()
    try:
        return Path(path).read_bytes()
    except OSError as e:
        raise SourceUnreadable(f"Cannot read '{path}': {e.strerror}", hint="Give a file, or - for input") from e


def _delete(context: Context, options: Namespace) -> None:
    if options.deployment:
        context.workspace.endpoints.delete_deployment(options.name, options.deployment)
    else:
        context.workspace.endpoints.delete(options.name)


MIRROR = "share copied to each, at most 50 %% in total; alone: none; left out: unchanged"
DEPLOY = (
    NAME,
    arg("model", metavar="MODEL[:VERSION]", type=name_version),
    arg("--deployment", default="", metavar="NAME", help="its name (default: v and the model's version)"),
    arg("--legacy-reply", action="store_true", help="answer with double-encoded JSON, as older AutoML services did"),
    arg("--primary-form", choices=FORMS, default="v1", help="the request form shown in Swagger 2.0"),
    arg(
        "--unseen-categories",
        choices=("as_signature", "accept"),
        default="as_signature",
        help="accept: allow them everywhere",
    ),
    arg("--p99-ms", type=float, default=GateBudget().p99_ms, help="the gate's budget (default: %(default)s)"),
    arg("--requests-per-s", type=float, default=GateBudget().requests_per_s, help="the same (default: %(default)s)"),
    arg("--instances", type=int, default=0, help="so many machines, on Azure (default: the setting azure_instances)"),
    arg("--size", default="", help="their size, on Azure (default: the setting azure_instance_type)"),
    arg("--wait", action="store_true", help="until its gate has ended; exits 1 when it did not pass"),
)
COMMANDS = (
    Command(
        "endpoint create",
        "create an endpoint with keys and no deployment",
        _create,
        (
            NAME,
            arg("--port", type=int, default=0, help="0: any free one, kept from then on"),
            arg("--description", default=""),
            *_limit_arguments(),
        ),
        starts_service=True,
    ),
    Command("endpoint update", "change its limits", _update, (NAME, *_limit_arguments()), starts_service=True),
    Command("endpoint deploy", "put a model behind it with 0 % traffic, and gate it", _deploy, DEPLOY, True),
    Command(
        "endpoint list",
        "all endpoints",
        lambda context, options: context.workspace.endpoints.list(),
        columns=("name", "state", "scoring_uri", "traffic", "error"),
    ),
    Command(
        "endpoint get",
        "one",
        lambda context, options: context.workspace.endpoints.get(options.name),
        (NAME,),
        formerly=("show",),
    ),
    Command(
        "endpoint set-traffic",
        "give each deployment its share; refused for one whose gate has not passed",
        _traffic,
        (
            NAME,
            arg("traffic", metavar="DEPLOYMENT=PERCENT", nargs="+", type=percent, help="sum 0 or 100"),
            arg(
                "--expect",
                metavar="DEPLOYMENT=PERCENT",
                nargs="+",
                type=percent,
                help="change nothing unless this is the traffic now",
            ),
            arg("--mirror", metavar="DEPLOYMENT=PERCENT", nargs="*", type=percent, help=MIRROR),
            arg(
                "--force-by",
                metavar="WHO",
                default="",
                help="override a gate that has not passed; the name is recorded",
            ),
        ),
        starts_service=True,
        formerly=("traffic",),
    ),
    AUTOSCALE,
    Command("endpoint keys", "both keys", _keys, (NAME,)),
    Command(
        "endpoint rotate-key",
        "replace a key; takes effect within a second",
        _rotate,
        (NAME, arg("which", choices=("primary", "secondary"))),
        starts_service=True,
    ),
    Command(
        "endpoint invoke",
        "send a body as any client would; exits 1 unless it is answered with 200",
        _invoke,
        (
            NAME,
            arg("--body", default="-", metavar="FILE", help="the request (default: standard input)"),
            arg("--deployment", default="", metavar="NAME", help="this deployment, whatever its traffic"),
        ),
        starts_service=True,
    ),
    Command(
        "endpoint swagger",
        "the document it publishes",
        lambda context, options: context.workspace.endpoints.swagger(options.name, options.version),
        (NAME, arg("--version", choices=("2", "3", "3.1"), default="2", help="(default: %(default)s)")),
        starts_service=True,
    ),
    Command(
        "endpoint package",
        "write a folder that serves a deployment elsewhere, with one command",
        lambda context, options: {
            "folder": context.workspace.endpoints.package(
                options.name, Path(options.output), deployment=options.deployment
            )
        },
        (
            NAME,
            arg("-o", "--output", metavar="FOLDER", required=True, help="an empty or new folder"),
            arg("--deployment", default="", metavar="NAME", help="default: the one with most traffic"),
        ),
    ),
    *RECORDS,
    *WATCHING,
    BATCH,
    Command(
        "endpoint delete",
        "stop and remove it, with its keys and records; or one deployment without traffic",
        _delete,
        (NAME, arg("--deployment", default="", metavar="NAME", help="only this")),
        starts_service=True,
    ),
)

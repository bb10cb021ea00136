"""The one family of errors that Slipway can explain.

`status` is the HTTP code a server would answer, `hint` the next thing to try. Anything outside this family is a bug and
stays a traceback.
"""

from dataclasses import dataclass, field

TEXT_CHARS_MAX = 600
CUT_END_CHARS = 80
"""A text that is too long keeps its beginning and so many letters of its end."""


class SlipwayError(Exception):
    """Something we can explain: what was found, what was expected, and in `hint` what to do."""

    status = 500

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(cut(message))
        self.message, self.hint = cut(message), cut(hint)


def cut(text: str) -> str:
    """The text at a length that people read: names and cells of tables may be of any length."""
    if len(text) <= TEXT_CHARS_MAX:
        return text
    return f"{text[: TEXT_CHARS_MAX - CUT_END_CHARS - 5]} ... {text[-CUT_END_CHARS:]}"


class SpecInvalid(SlipwayError):
    """A value that makes no sense, refused before anything was started."""

    status = 400


@dataclass(frozen=True, slots=True)
class DefinitionProblem:
    """One thing that is wrong with a pipeline's definition; line and column count from 1, 0 where there is no file."""

    message: str
    hint: str = ""
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        said = f"{self.message} ({self.hint[:1].lower()}{self.hint[1:]})" if self.hint else self.message
        return f"line {self.line}: {said}" if self.line else said


PROBLEMS_SHOWN_MAX = 20


class DefinitionInvalid(SpecInvalid):
    """A pipeline's definition that makes no sense: everything that is wrong with it, at once."""

    def __init__(self, where: str, problems: tuple[DefinitionProblem, ...]) -> None:
        self.problems = problems
        first = problems[0]
        if len(problems) == 1:
            place = f"{where}, line {first.line}: " if first.line else ""
            super().__init__(f"{place}{first.message}", hint=first.hint)
            return
        super().__init__(f"{where} has {len(problems)} problems")
        shown = [f"- {cut(str(problem))}" for problem in problems[:PROBLEMS_SHOWN_MAX]]
        more = [f"- and {len(problems) - PROBLEMS_SHOWN_MAX} more"] if len(problems) > PROBLEMS_SHOWN_MAX else []
        self.message = "\n".join([f"{self.message}:", *shown, *more])
        self.args = (self.message,)


class SourceUnreadable(SlipwayError):
    """A table that cannot be found or read."""

    status = 400


class TableUnusable(SlipwayError):
    """A table that was read but cannot be used: empty, duplicate columns, no usable target."""

    status = 400


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with a request body. `row` counts from 0; -1 means that the problem has no row."""

    row: int
    column: str
    problem: str
    code: str = field(default="wrong_shape", compare=False)
    """The rule that was broken, for counting."""
    value: str = field(default="", compare=False)
    """The category, or the column's name, that is not known; cut short."""


class PayloadInvalid(SlipwayError):
    """A request body that the contract forbids; `details` lists the problems (at most 20 are shown to the client)."""

    status = 400

    def __init__(self, message: str, *, details: tuple[Problem, ...] = (), hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.details = details


class PayloadTooLarge(SlipwayError):
    """More bytes or rows than the endpoint's limits allow."""

    status = 413


class Unauthorized(SlipwayError):
    """No key, another scheme, or a wrong key."""

    status = 401


class Forbidden(SlipwayError):
    """A key that is known, and does not open this."""

    status = 403


class NotFound(SlipwayError):
    """A name or id that this workspace does not hold."""

    status = 404


class DataNotFound(NotFound):
    """An unknown data asset or version."""


class JobNotFound(NotFound):
    """An unknown job or trial."""


class ModelNotFound(NotFound):
    """An unknown model or version."""


class EndpointNotFound(NotFound):
    """An unknown endpoint or deployment."""


class PipelineNotFound(NotFound):
    """An unknown pipeline endpoint or schedule."""


class AlertNotFound(NotFound):
    """An unknown alert."""


class Conflict(SlipwayError):
    """The thing exists already, or its state does not allow this."""

    status = 409


class StateChanged(Conflict):
    """Something is not as the caller expects it, so that nothing was changed."""


class JobStateInvalid(Conflict):
    """A move between job states that cannot happen."""


class GateRefused(Conflict):
    """Traffic was asked for a deployment whose gate has not passed."""


class PortInUse(Conflict):
    """The port that was asked for, or that the store holds, is taken by another process."""


class ServiceRunning(Conflict):
    """A second service for one workspace."""


class QueueFull(SlipwayError):
    """As many runs wait as may; `retry_after_s` later there may be room."""

    status = 429

    def __init__(self, message: str, *, hint: str = "", retry_after_s: int = 10) -> None:
        super().__init__(message, hint=hint)
        self.retry_after_s = retry_after_s


class NotSupported(SlipwayError):
    """A verb that this backend cannot do; it is absent from `Workspace.capabilities` too."""

    status = 501


class BackendMissing(SlipwayError):
    """A backend that is not installed or not known."""

    status = 501


class ServiceUnavailable(SlipwayError):
    """The workspace service, or an endpoint, cannot be reached."""

    status = 503


class StorageDenied(ServiceUnavailable):
    """The workspace's folder, or a file in it, cannot be opened or written: nothing of it can be reached."""

    status = 500


class StepFailed(SlipwayError):
    """A pipeline's step that did not do what it was to do; the message says why."""

    status = 500


class TrainingFailed(SlipwayError):
    """A job ended without a usable model; the message says why."""

    status = 500


class ModelUnreadable(SlipwayError):
    """A model folder that is incomplete, damaged, or from a newer version."""

    status = 500


class StoredUnreadable(SlipwayError):
    """A row of the workspace's store that is damaged, or from a newer version; the message names it."""

    status = 500


class StorageFull(SlipwayError):
    """The disk (or a quota) is full; what was acknowledged before is intact."""

    status = 507


class NoVerdict(SlipwayError):
    """A proof that could not be run or is too noisy to judge (exit code 3)."""

    status = 503

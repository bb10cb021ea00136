"""What a pipeline's run may read that somebody triggers by the app or the HTTP door."""

from core.definitions.pipelines import bind, values_of
from core.domain.pipeline import ParameterType, PipelineSpec
from core.domain.run import PipelineRunSpec
from core.domain.steps import settings_of
from core.settings import Settings
from core.sources import check_source


def check_run(spec: PipelineSpec, run: PipelineRunSpec, settings: Settings) -> None:
    """Raise SourceUnreadable for a table that a confined run was given and may not read.

    What the definition itself names is left to who published it: the command line may publish any path.
    """
    if not run.confined:
        return
    given = values_of(spec, run.parameters)
    for parameter in spec.parameters:
        if parameter.type is ParameterType.DATA and given[parameter.name] != parameter.default:
            check_source(given[parameter.name], settings)
    for step, published in zip(bind(spec, run.parameters), bind(spec, {}, complete=False), strict=True):
        for name, setting in settings_of(step.kind).items():
            found = step.settings.get(name)
            if setting.type is ParameterType.DATA and found and found != published.settings[name]:
                check_source(found, settings)

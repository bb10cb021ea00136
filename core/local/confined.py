"""What a pipeline's run may read that somebody triggers by the app or the HTTP door."""

from core.definitions.pipelines import bind
from core.domain.pipeline import PipelineSpec
from core.domain.run import PipelineRunSpec
from core.settings import Settings
from core.sources import check_source


def check_run(spec: PipelineSpec, run: PipelineRunSpec, settings: Settings) -> None:
    """Raise SourceUnreadable for a table that a confined run was given and may not read.

    What the definition itself names is left to who published it: the command line may publish any path.
    """
    if not run.confined:
        return
    for step, published in zip(bind(spec, run.parameters), bind(spec, {}), strict=True):
        if "data" in step.settings and step.settings["data"] != published.settings["data"]:
            check_source(step.settings["data"], settings)

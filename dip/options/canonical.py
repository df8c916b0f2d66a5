"""The canonical form of a method, which keys of runs and names of states are made from.

A setting that was added to a component later is left out while it is at its default, so that a new
setting does not make every stored run stale. Its default therefore has to be neutral: to change
nothing. Whoever changes such a default counts the component's version up.
"""

from typing import Any

from dip.options.base import Options
from dip.options.method import Method

# By the name of the class: the settings it had when runs were first stored. They are never left
# out. A class that is not here has all its settings in keys; before it gets another one, its first
# ones are written down here.
FIRST_SETTINGS: dict[str, frozenset[str]] = {
    name: frozenset(settings.split())
    for name, settings in {
        "Method": "architecture input input_noise batch loss total_variation optimizer held_out"
        " learning_rate schedule backtracking parameter_noise sgld_noise",
        "UNetOptions": "channels encoder_kernel decoder_kernel",
        "SkipOptions": "channels skip_channels encoder_kernel decoder_kernel downsampling"
        " upsampling padding pointwise",
        "ResNetOptions": "blocks channels",
        "PaperUNetOptions": "channels upsampling norm padding",
        "DeepDecoderOptions": "channels",
        "ConvDecoderOptions": "layers channels input_side",
        "PIPOptions": "channels skip_channels upsampling",
        "SirenOptions": "channels layers frequency",
        "ImportedOptions": "import_ options",
        "LearnedInputOptions": "channels scale",
        "NoiseInputOptions": "channels scale",
        "MeshgridInputOptions": "start",
        "FourierInputOptions": "frequencies highest",
        "AdamOptions": "betas weight_decay",
        "AdamWOptions": "betas weight_decay",
        "SGDOptions": "momentum",
        "AdamLBFGSOptions": "adam_iterations adam_learning_rate history",
        "StepSchedule": "every factor",
        "Backtracking": "drop_db every",
    }.items()
}


def canonical(options: Options) -> dict[str, Any]:
    """The settings of a method or of a part of one, without those that may be left out."""
    return options.model_dump(mode="json", by_alias=True, exclude=_left_out(options))


def method_text(method: Method) -> str:
    """The method as text: two methods of one text compute the same.

    A version is part of it once it is counted up.
    """
    text = method.model_dump_json(by_alias=True, exclude=_left_out(method))
    later = {name: v for name, v in method.versions.items() if isinstance(v, int) and v > 1}
    return f"{text} {later}" if later else text


def _left_out(options: Options) -> dict[str, Any]:
    """The settings to leave out, as pydantic's `exclude` takes them."""
    fields = type(options).model_fields
    always = FIRST_SETTINGS.get(type(options).__name__, fields.keys()) | {"name"}
    left_out: dict[str, Any] = {}
    for name, field in fields.items():
        value = getattr(options, name)
        if name not in always and value == field.get_default(call_default_factory=True):
            left_out[name] = True
        elif isinstance(value, Options) and (inside := _left_out(value)):
            left_out[name] = inside
    return left_out

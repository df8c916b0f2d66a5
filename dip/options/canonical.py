"""The canonical form of a method, which keys of runs and names of states are made from.

A setting that was added to a component later is left out while it is at its default, so that a new
setting does not make every stored run stale. Its default therefore has to be neutral: to change
nothing. Whoever changes such a default later counts the component's version up.
"""

from typing import Any

from dip.options.base import Options

# The settings that were there when runs were first stored: they are never left out. This list does
# not grow.
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


def canonical_json(options: Options) -> str:
    """The same, as JSON."""
    return options.model_dump_json(by_alias=True, exclude=_left_out(options))


def _left_out(options: Options) -> dict[str, Any]:
    """The settings to leave out, as pydantic's `exclude` takes them."""
    always = FIRST_SETTINGS.get(type(options).__name__, frozenset()) | {"name"}
    left_out: dict[str, Any] = {}
    for name, field in type(options).model_fields.items():
        value = getattr(options, name)
        if name not in always and value == field.get_default(call_default_factory=True):
            left_out[name] = True
        elif isinstance(value, Options) and (inside := _left_out(value)):
            left_out[name] = inside
    return left_out

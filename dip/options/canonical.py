"""The canonical form of a method. Run keys and the names of saved states are made from it.

A setting that is added to a component later is left out while it is at its default, so that stored
runs stay valid. Its default must therefore be neutral: it changes nothing. A change of such a
default needs a higher version of the component.
"""

from typing import Any

from dip.options.base import Options
from dip.options.method import Method

# By class name: the settings that are never left out, because keys of stored runs contain them.
# For a class that is not listed, all settings are in keys. List its settings here before you add
# another one.
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
    """The canonical settings of a method or of one of its components.

    Args:
        options: the method or component.

    Returns:
        JSON-compatible values by setting, without added settings at their defaults.
    """
    return options.model_dump(mode="json", by_alias=True, exclude=_left_out(options))


def method_text(method: Method) -> str:
    """The canonical settings as text; methods with the same text compute the same.

    Args:
        method: the method.

    Returns:
        JSON, followed by the component versions that are above 1.
    """
    text = method.model_dump_json(by_alias=True, exclude=_left_out(method))
    later = {name: v for name, v in method.versions.items() if isinstance(v, int) and v > 1}
    return f"{text} {later}" if later else text


def _left_out(options: Options) -> dict[str, Any]:
    """The settings to leave out, in the form of pydantic's `exclude`."""
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

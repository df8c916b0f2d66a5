"""Reads the YAML of presets, suites and command lines.

Plain values are those of YAML 1.2's core schema: 1e-3 is a number, and `no`, 1:30 and 2024-05-01
are text. YAML 1.1, which PyYAML follows, has it the other way round. A key that stands twice, a
whole number of more than 64 bits, and aliases that unfold to very much are refused.
"""

import re
from typing import Any

import yaml

from dip.errors import InputError

LARGEST = 2**63 - 1  # what tables of results can hold
RANGE = "-(2^63 - 1) to 2^63 - 1"
MOST_VALUES = 100_000  # of a file whose aliases are unfolded
KIND = "tag:yaml.org,2002:"
# https://yaml.org/spec/1.2.2/#103-core-schema, and merge keys; the first that matches counts.
PLAIN = {
    "null": re.compile(r"(~|null|Null|NULL|)\Z"),
    "bool": re.compile(r"(true|True|TRUE|false|False|FALSE)\Z"),
    "int": re.compile(r"([-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+)\Z"),
    "float": re.compile(
        r"([-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?"
        r"|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN))\Z"
    ),
    "merge": re.compile(r"<<\Z"),
}


def read_yaml(text: str) -> Any:
    """Read the value of a YAML document.

    Args:
        text: the document.

    Returns:
        Plain values, lists and dicts.

    Raises:
        InputError: it cannot be read; the message says in which line, and why.
    """
    try:
        return yaml.load(text, _Loader)  # noqa: S506 - the loader makes plain values only
    except RecursionError:
        raise InputError("is nested too deeply") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        problem = getattr(error, "problem", None) or f"is not YAML that can be read ({error})"
        if problem.startswith("but "):
            problem = f"{getattr(error, 'context', '')} {problem}"
        where = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        raise InputError(" ".join(f"{where}{problem}".split())) from None


class _Loader(yaml.SafeLoader):
    yaml_implicit_resolvers = {}  # noqa: RUF012 - PyYAML declares it without a type
    yaml_constructors = {}  # noqa: RUF012 - likewise

    def get_single_node(self) -> Any:
        node = super().get_single_node()
        _count(node, {})
        return node

    def compose_mapping_node(self, anchor: Any) -> Any:
        node = super().compose_mapping_node(anchor)
        seen: dict[Any, yaml.Node] = {}
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode):
                name = key.value if key.tag == f"{KIND}merge" else self.construct_object(key)
                other = seen.setdefault(name, key)
                if other.tag != key.tag:  # as 1 and true, of which a dict can hold one only
                    wrong = f"counts as the key '{other.value}'; write both in quotes"
                    raise _at(key, f"'{key.value}' {wrong}")
                if other is not key:
                    raise _at(key, f"'{key.value}' is named twice")
        return node


def _count(node: Any, counts: dict[int, int]) -> int:
    """How many values a node is with its aliases unfolded; raises InputError if very many."""
    if id(node) not in counts:
        counts[id(node)] = MOST_VALUES  # as long as its parts are counted: it may be one of them
        parts: Any = node.value if isinstance(node, yaml.CollectionNode) else ()
        if isinstance(node, yaml.MappingNode):
            parts = [part for pair in node.value for part in pair]
        counts[id(node)] = 1 + sum(_count(part, counts) for part in parts)
        if counts[id(node)] > MOST_VALUES:
            raise _at(node, f"more than {MOST_VALUES} values, or an alias of what it stands in")
    return counts[id(node)]


def _at(node: yaml.Node, problem: str) -> InputError:
    return InputError(f"line {node.start_mark.line + 1}: {problem}")


def _matched(node: Any) -> str:
    kind = node.tag.removeprefix(KIND)
    if not (isinstance(node, yaml.ScalarNode) and PLAIN[kind].match(node.value)):
        raise _at(node, f"is tagged !!{kind} but is not one")
    return str(node.value)


def _whole_number(_: Any, node: Any) -> int:
    text = _matched(node)
    base = {"0o": 8, "0x": 16}.get(text[:2], 10)
    # Python refuses to read very long numbers.
    number = int(text, base) if len(text.lstrip("-+0")) < 99 else LARGEST + 1
    if abs(number) > LARGEST:
        raise _at(node, f"{text[:99]} is out of range; whole numbers go from {RANGE}")
    return number


def _number(_: Any, node: Any) -> float:
    return float(_matched(node).lower().replace(".inf", "inf").replace(".nan", "nan"))


def _truth_value(_: Any, node: Any) -> bool:
    return _matched(node).lower() == "true"


def _nothing(_: Any, node: Any) -> None:
    _matched(node)


def _text(loader: Any, node: Any) -> str:
    text = str(loader.construct_scalar(node))
    if re.search("[\ud800-\udfff]", text):
        raise _at(node, "contains an incomplete Unicode character")
    return text


for _kind, _pattern in PLAIN.items():
    _Loader.add_implicit_resolver(KIND + _kind, _pattern, None)
_Loader.yaml_constructors |= {
    KIND + "null": _nothing,
    KIND + "bool": _truth_value,
    KIND + "int": _whole_number,
    KIND + "float": _number,
    KIND + "str": _text,
    KIND + "seq": yaml.SafeLoader.construct_yaml_seq,
    KIND + "map": yaml.SafeLoader.construct_yaml_map,
    None: yaml.SafeLoader.construct_undefined,
}

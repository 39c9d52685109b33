"""Mistakes in YAML graphs: each is reported where it is (`«` marks the place), with what helps."""

from collections.abc import Callable

import pytest

DOUBLE = "{calculator: ./calculators.py:Double, inputs: {VALUE: a}, outputs: {RESULT: b}}"


def graph(nodes: str, head: str = "inputs: {VALUE: a}\n") -> str:
    return f"{head}nodes:\n{nodes}"


def node(fields: str, calculator: str = "Double", inputs: str = "{VALUE: a}", outputs: str = "{RESULT: b}") -> str:
    """A graph of one node with further fields, each on a line of its own."""
    lines = [f"calculator: ./calculators.py:{calculator}"]
    lines += [f"inputs: {inputs}"] if inputs else []
    lines += [f"outputs: {outputs}"] if outputs else []
    lines += fields.splitlines()
    return graph("  n:\n" + "".join(f"    {line}\n" for line in lines))


# what is wrong: (text, essentials of message and hint)
MISTAKES: dict[str, tuple[str, tuple[str, ...]]] = {
    # --- the text
    "not yaml": ("nodes: {a: b\nc«: d: e}\n", ("not YAML",)),
    "tab": ("nodes:\n«\ta: b\n", ("not YAML",)),
    "control character": ("graph: «\x00\n", ("not YAML",)),
    "empty": ("«# nothing here\n", ("the graph is empty", "nodes")),
    "a list": ("«- a\n- b\n", ("a graph is a mapping", "nodes")),
    "duplicate key": (f"inputs: {{VALUE: a}}\nnodes:\n  n: {DOUBLE}\n«nodes:\n", ("'nodes' is given twice", "line 2")),
    "duplicate node": (graph(f"  n: {DOUBLE}\n  «n: {DOUBLE}\n"), ("'n' is given twice", "line 3")),
    "duplicate tag": (node("", inputs="{VALUE: a, «VALUE: a}"), ("'VALUE' is given twice",)),
    "key is a list": (f"«[a]: b\ninputs: {{VALUE: a}}\nnodes: {{n: {DOUBLE}}}\n", ("a key must be a name",)),
    "python object": (node("options: {factor: «!!python/object:os.system x}"), ("unknown YAML tag", "plain values")),
    "anchor in itself": (node("options: {mode: «&m [*m]}"), ("an anchor contains itself",)),
    # --- keys and kinds
    "unknown graph key": (f"inputs: {{VALUE: a}}\n«node: {{}}\nnodes: {{n: {DOUBLE}}}\n", ("'node'", "'nodes'")),
    "misspelt graph key": ("«input: {VALUE: a}\nnodes: {}\n", ("'input'", "did you mean 'inputs'")),
    "mediapipe graph key": ("«input_side_packets: {}\nnodes: {}\n", ("a graph has no 'input_side_packets'",)),
    "unknown node key": (node("«option: {factor: 1}"), ("node 'n' has no 'option'", "did you mean 'options'")),
    "other word": (node("«params: {factor: 1}"), ("node 'n' has no 'params'", "called 'options' here")),
    "nodes a list": ("nodes: «[a]\n", ("'nodes' must be a mapping",)),
    "node a text": ("nodes:\n  n: «Double\n", ("node 'n' must be a mapping", "calculator")),
    "node empty": ("nodes:\n  «n:\n", ("node 'n' has no calculator",)),
    "no calculator": ("nodes:\n  «n: {options: {}}\n", ("node 'n' has no calculator",)),
    "calculator a list": ("nodes:\n  n: {calculator: «[a]}\n", ("'calculator' must be text",)),
    "options a list": (node("options: «[1]"), ("'options' must be a mapping",)),
    "max_in_flight text": (node("max_in_flight: «many"), ("'max_in_flight' must be a whole number", "'many'")),
    "max_in_flight truth": (node("max_in_flight: «true"), ("whole number", "True")),
    "report_deadlock": ("report_deadlock: «maybe\nnodes: {}\n", ("must be true or false", "'maybe'")),
    "when": (node("when: «factor > 2"), ("'when' cannot be", "$param")),
    "policy a list": (node("input_policy: «[default]"), ("input_policy must be a name",)),
    "policy nameless": (node("input_policy: «{batch_size: 2}"), ("input_policy must be a name", "'name'")),
    "executor a number": ("executors: {heavy: «2}\nnodes: {}\n", ("'heavy' must be a mapping", "num_threads")),
    # --- names
    "stream name": (
        graph(
            "  n: {calculator: ./calculators.py:Double, inputs: {VALUE: «myStream}, outputs: {RESULT: b}}\n",
            "inputs: {VALUE: «myStream}\n",
        ),
        ("'myStream' cannot be the name of a stream", "did you mean 'mystream'"),
    ),
    "node name": (graph(f"  «Double: {DOUBLE}\n"), ("'Double' cannot be the name of a node", "'double'")),
    "node number": (graph(f"  «2nd: {DOUBLE}\n"), ("'2nd' cannot be the name of a node", "no digit in front")),
    "lower-case tag": (f"inputs: {{«value: a}}\nnodes: {{n: {DOUBLE}}}\n", ("'value' is not a tag", "'VALUE'")),
    "parameter name": ("params: {«Size: 1}\nnodes: {}\n", ("cannot be the name of a parameter", "'size'")),
    # --- connections
    "inputs a text": (node("", inputs="«a"), ("must map tags to streams",)),
    "input null": (node("", "Join", "{VALUE: [a, «null]}", "{TOTAL: b}"), ("name is missing", "only outputs")),
    "nested list": (node("", "Join", "«{VALUE: [«[a]]}", "{TOTAL: b}"), ("a stream's name is expected",)),
    "connection without stream": (
        node("", "Same", "[a, «{back_edge: true}]", "[b]"),
        ("names no stream", "{stream: name"),
    ),
    "back_edge on output": (
        node("", outputs="{RESULT: {stream: b, «back_edge: true}}"),
        ("a connection has no 'back_edge'",),
    ),
    "back_edge misspelt": (
        node("", "Same", "[{stream: a, «backedge: true}]", "[b]"),
        ("no 'backedge'", "did you mean 'back_edge'"),
    ),
    "back_edge text": (
        node("", "Same", "[{stream: a, back_edge: «maybe}]", "[b]"),
        ("'back_edge' must be true or false",),
    ),
    # --- calculators and options
    "unknown calculator": (
        "nodes:\n  n:\n    calculator: «PassThru\n",
        ("unknown calculator or graph 'PassThru'", "did you mean 'PassThrough'"),
    ),
    "unknown graph": (
        "nodes:\n  n:\n    calculator: «Neste\n",
        ("unknown calculator or graph 'Neste'", "did you mean 'Nested'"),
    ),
    "unknown class": (
        "nodes:\n  n:\n    calculator: «./calculators.py:Dubble\n",
        ("defines no calculator 'Dubble'", "Double", "Join", "did you mean 'Double'"),
    ),
    "no such file": ("nodes:\n  n:\n    calculator: «./nowhere.py:Double\n", ("no file", "nowhere.py")),
    "unknown option": (
        node("options:\n  «facter: 2"),
        ("Double has no option 'facter'", "did you mean 'factor'"),
    ),
    "unknown option, none near": (node("options:\n  «zzz: 2"), ("no option 'zzz'", "options: factor, mode")),
    "option of no options": (node("options: {«zzz: 2}", "Same", "[a]", "[b]"), ("no option 'zzz'", "it takes none")),
    "wrong type": (
        node("options:\n  mode: FAST\n  «factor: [1, 2]"),
        ("'factor'", "valid number", "what to multiply by"),
    ),
    "not among the values": (node("options:\n  «mode: SLOW"), ("'mode'", "'FAST' or 'EXACT'", "'SLOW'")),
    "nested option": (
        node("options:\n  ranges:\n  - {begin: 0, end: 1}\n  - {begin: 1, end: «soon}", "Cut", "[a]", "[b, c]"),
        ("ranges.1.end", "'soon'"),
    ),
    "nested unknown option": (
        node("options:\n  ranges:\n  - {begin: 0, end: 1, stop: «2}", "Cut", "[a]", "[b]"),
        ("option 'ranges.0.stop' does not exist; there are: begin, end",),
    ),
    "missing option": (
        graph("  «n: {calculator: ./calculators.py:Spell, inputs: {VALUE: a}, outputs: {TEXT: b}}\n"),
        ("Spell needs option 'language'", "which language"),
    ),
    "missing option of given ones": (
        node("options: «{}", "Spell", outputs="{TEXT: b}"),
        ("Spell needs option 'language'",),
    ),
    "calculator's own check": (
        graph("  «n: {calculator: ./calculators.py:Cut, inputs: [a], outputs: [b]}\n"),
        ("0 ranges for 1 outputs",),
    ),
    # --- ports
    "undeclared tag": (
        node("", "Join", "{VALUE: a, BIAZ: «a}", "{TOTAL: b}"),
        ("Join has no input 'BIAZ'", "did you mean 'BIAS'", "inputs: VALUE, BIAS"),
    ),
    "misspelt tag": (node("", inputs="{VALUES: «a}"), ("Double has no input 'VALUES'", "did you mean 'VALUE'")),
    "undeclared output": (
        node("", outputs="{RESULT: b, OTHER: «c}"),
        ("Double has no output 'OTHER'", "outputs: RESULT"),
    ),
    "undeclared side input": (
        "side_inputs: {OFFSET: o}\n" + node("side_inputs: {OFFSET: «o}"),
        ("Double has no side input", "no side inputs"),
    ),
    "tag on untagged": (node("", "Shout", "«{TEXT: «a}", "[b]"), ("no input 'TEXT'", "needs input without a tag")),
    "too many": (node("", inputs="{VALUE: [a, «a]}"), ("input 'VALUE' of Double takes one connection",)),
    "missing input": (node("", "Join", "«{BIAS: a}", "{TOTAL: b}"), ("Join needs input 'VALUE'",)),
    "missing inputs": (
        graph("  «n: {calculator: ./calculators.py:Double, outputs: {RESULT: b}}\n"),
        ("Double needs input 'VALUE'", "what to multiply"),
    ),
    "missing output": (
        graph("  «n: {calculator: ./calculators.py:Double, inputs: {VALUE: a}}\n"),
        ("needs output 'RESULT'",),
    ),
    "missing side input": (
        graph("  «n: {calculator: ./calculators.py:Offset, inputs: {VALUE: a}, outputs: {RESULT: b}}\n"),
        ("Offset needs side input 'OFFSET'",),
    ),
    "index gap": (
        node("", "Same", "[T:0:a, «T:2:a]", "[T:0:b, T:1:c]"),
        ("T:2 is connected but T:1 is not", "without a gap"),
    ),
    "index twice": (node("", "Same", "[T:1:a, T:0:a, «T:1:a]", "[T:0:b]"), ("T:1 is connected twice",)),
    # --- wiring
    "undeclared stream": (
        node("", inputs="{VALUE: «imag}").replace("{VALUE: a}", "{VALUE: image}"),
        ("node 'n' reads stream 'imag', which nothing produces", "did you mean 'image'"),
    ),
    "undeclared stream, none near": (node("", inputs="{VALUE: «zzz}"), ("'zzz'", "streams: a, b")),
    "stream is a side packet": (
        "side_inputs: {S: s}\n" + node("", inputs="{VALUE: «s}"),
        ("'s', which nothing produces", "is a side packet"),
    ),
    "undeclared side packet": (
        "side_inputs: {S: shift}\n" + node("side_inputs: {OFFSET: «shif}", "Offset"),
        ("reads side packet 'shif'", "did you mean 'shift'"),
    ),
    "two producers": (
        graph(f"  m: {DOUBLE}\n  n: {DOUBLE.replace('RESULT: ', 'RESULT: «')}\n"),
        ("stream 'b' has two producers: 'm' and 'n'", "<text>:3:3"),
    ),
    "one producer twice": (node("", "Same", "[a, a]", "[b, «b]"), ("node 'n' produces stream 'b' twice",)),
    "shadows input": (node("", outputs="{RESULT: «a}"), ("'n' produces 'a', which is an input of the graph",)),
    "duplicate graph input": (
        f"inputs: {{VALUE: a, OTHER: «a}}\nnodes: {{n: {DOUBLE}}}\n",
        ("graph input 'a' is declared twice",),
    ),
    "unproduced output": (
        node("") + "outputs: {RESULT: «bb, OTHER: b}\n",
        ("no node produces the graph's output 'bb'", "did you mean 'b'"),
    ),
    "unproduced side output": (node("") + "side_outputs: [«s]\n", ("no node produces the graph's side output 's'",)),
    "cycle": (
        graph(
            "  loop: {calculator: ./calculators.py:Previous, inputs: {MAIN: a, LOOP: «back}, outputs: {PREVIOUS: p}}\n"
            "  n: {calculator: ./calculators.py:Same, inputs: [p], outputs: [back]}\n"
        ),
        ("cycle without a back edge: loop -> n -> loop", "'back_edge: true' on input LOOP of 'loop'", "stream: back"),
    ),
    "cycle whose loop comes last": (
        graph(
            "  n: {calculator: ./calculators.py:Same, inputs: [p], outputs: [back]}\n"
            "  loop: {calculator: ./calculators.py:Previous, inputs: {MAIN: a, LOOP: «back}, outputs: {PREVIOUS: p}}\n"
        ),
        ("cycle without a back edge: n -> loop -> n", "input LOOP of 'loop'"),
    ),
    "self loop": (
        graph("  n: {calculator: ./calculators.py:Same, inputs: [a, «c], outputs: [b, c]}\n"),
        ("cycle without a back edge: n -> n", "untagged input 1 of 'n'"),
    ),
    "cycle in the dark": (
        graph(
            "  x: {calculator: ./calculators.py:Same, inputs: [«z], outputs: [u]}\n"
            "  y: {calculator: ./calculators.py:Same, inputs: [u], outputs: [v]}\n"
            "  z: {calculator: ./calculators.py:Same, inputs: [v], outputs: [z]}\n"
        ),
        ("x -> y -> z -> x", "untagged input 0 of 'x'"),
    ),
    "side packet cycle": (
        graph(
            "  «x: {calculator: ./calculators.py:Settle, side_inputs: {GIVEN: q}, side_outputs: {MADE: p}}\n"
            "  y: {calculator: ./calculators.py:Settle, side_inputs: {GIVEN: p}, side_outputs: {MADE: q}}\n"
        ),
        ("cycle", "x -> y -> x", "side packets cannot go round"),
    ),
    "side packet twice": (
        graph(
            "  x: {calculator: ./calculators.py:Settle, side_outputs: {MADE: p}}\n"
            "  y: {calculator: ./calculators.py:Settle, side_outputs: {MADE: «p}}\n"
        ),
        ("side packet 'p' has two producers: 'x' and 'y'",),
    ),
    "type mismatch": (
        graph(f"  m: {DOUBLE}\n  n: {{calculator: ./calculators.py:Shout, inputs: [«b], outputs: [c]}}\n"),
        ("node 'n': untagged input 0 takes str, but stream 'b' carries float", "made by 'm' (output RESULT)"),
    ),
    "type mismatch through a pass-through": (
        graph(
            f"  m: {DOUBLE}\n  p: {{calculator: ./calculators.py:Same, inputs: [b], outputs: [c]}}\n"
            "  n: {calculator: ./calculators.py:Shout, inputs: [«c], outputs: [d]}\n"
        ),
        ("takes str, but stream 'c' carries float", "made by 'p'"),
    ),
    "type mismatch along a back edge": (
        graph(
            "  loop:\n    calculator: ./calculators.py:Previous\n"
            "    inputs: {MAIN: a, LOOP: {stream: back, back_edge: true}}\n    outputs: {PREVIOUS: p}\n"
            "  n: {calculator: ./calculators.py:Shout, inputs: [«p], outputs: [c]}\n"
            "  m: {calculator: ./calculators.py:Double, inputs: {VALUE: a}, outputs: {RESULT: back}}\n"
        ),
        ("node 'n'", "stream 'p' carries float"),
    ),
    "side packet type": (
        graph(
            "  t: {calculator: ./calculators.py:Title, side_outputs: [s]}\n"
            "  m:\n    calculator: ./calculators.py:Offset\n    inputs: {VALUE: a}\n"
            "    side_inputs: {OFFSET: «s}\n    outputs: {RESULT: b}\n"
        ),
        ("input OFFSET takes int, but side packet 's' carries str", "made by 't'"),
    ),
    # --- settings
    "max_in_flight zero": (node("max_in_flight: «0"), ("node 'n': max_in_flight cannot be 0",)),
    "queue_size": (node("queue_size: «-2"), ("queue_size cannot be -2", "-1 lifts")),
    "num_threads": ("num_threads: «-3\nnodes: {}\n", ("num_threads cannot be -3",)),
    "max_queue_size": ("max_queue_size: «0\nnodes: {}\n", ("max_queue_size cannot be 0",)),
    "reserved executor": ("executors: {«__x: {num_threads: 1}}\nnodes: {}\n", ("'__x' is reserved",)),
    "reserved default": (
        "executors: {«default: {num_threads: 1}}\nnodes: {}\n",
        ("'default' is reserved", "num_threads"),
    ),
    "negative executor": ("executors: {«x: {num_threads: -1}}\nnodes: {}\n", ("executor 'x' cannot be -1",)),
    "two defaults": ('num_threads: «2\nexecutors: {"": {num_threads: 1}}\nnodes: {}\n', ("keep one of them",)),
    "unknown executor": (
        "executors: {heavy: {num_threads: 1}}\n" + node("executor: «heavi"),
        ("unknown executor 'heavi'", "did you mean 'heavy'"),
    ),
    "executor of none": (node("executor: «heavy"), ("unknown executor 'heavy'", "declares none under 'executors'")),
    "unknown policy": (
        node("input_policy: «imediate"),
        ("unknown input policy 'imediate'", "'immediate'", "sync_sets"),
    ),
    "unknown graph policy": ("input_policy: «latest\nnodes: {}\n", ("unknown input policy 'latest'", "default")),
    "policy option": (
        node("input_policy: «{name: fixed_size, trigger_size: 2}"),
        ("no option 'trigger_size'", "'trigger_queue_size'"),
    ),
    "policy count": (
        node("input_policy: «{name: default, batch_size: 0}"),
        ("node 'n': option 'batch_size' of input policy default must be a whole number from 1, not 0",),
    ),
    "policy of unknown input": (
        node("input_policy: «{name: sync_sets, sync_set: [{tag_index: [VALU]}]}"),
        ("input policy sync_sets names input 'VALU', which the node does not have", "did you mean 'VALUE'"),
    ),
    "policy names an input twice": (
        node("input_policy: «{name: sync_sets, sync_set: [{tag_index: VALUE}, {tag_index: VALUE}]}"),
        ("names input 'VALUE' twice", "one sync_set only"),
    ),
    "base of unknown input": (
        node("input_policy: «{name: timestamp_align, timestamp_base_tag_index: 'VALUE:1'}"),
        ("names input 'VALUE:1'", "did you mean 'VALUE'"),
    ),
    # --- parameters
    "unknown parameter": (
        "params: {factor: 1.0}\n" + node("options:\n  «factor: $facter"),
        ("no parameter 'facter'", "'factor'"),
    ),
    "no parameters": (node("options:\n  «factor: $factor"), ("no parameter 'factor'", "declares none")),
    "unknown in when": (node("when: «$smooth"), ("no parameter 'smooth'",)),
    "lonely dollar": (
        node("options:\n  «language: 5 $ or so", "Spell", outputs="{TEXT: b}"),
        ("'$' is followed by", "$$"),
    ),
    "parameter of another kind": (
        "params: {n: many}\n" + node("max_in_flight: «$n"),
        ("'max_in_flight' must be a whole number", "'many'"),
    ),
    "parameter without value": ("params: «{size: }\nnodes: {}\n", ("parameter 'size' of graph must be set",)),
    # --- subgraphs
    "subgraph tag": (
        node("options: {language: en}")
        .replace("./calculators.py:Double", "Scale")
        .replace("VALUE: a}\n    o", "VALUE: a, BIAZ: «a}\n    o"),
        ("subgraph Scale has no input 'BIAZ'", "did you mean 'BIAS'"),
    ),
    "subgraph output": (
        node("options: {language: en}", outputs="{RESULT: b, TEXTS: «c}").replace("./calculators.py:Double", "Scale"),
        ("subgraph Scale has no output 'TEXTS'", "'TEXT'"),
    ),
    "subgraph parameter": (
        node("options:\n  language: en\n  «facter: 2").replace("./calculators.py:Double", "Scale"),
        ("Scale has no parameter 'facter'", "did you mean 'factor'"),
    ),
    "subgraph parameter missing": (
        node("").replace("calculator: ./calculators.py:Double", "calculator: «Scale"),
        ("'language' of Scale must be set",),
    ),
    "subgraph parameter type": (
        node("options:\n  language: en\n  «spelled: 3").replace("./calculators.py:Double", "Scale"),
        ("'spelled' of Scale must be true or false, not 3",),
    ),
    "calculator's field on a subgraph": (
        node("options: {language: en}\nmax_in_flight: «2").replace("./calculators.py:Double", "Scale"),
        ("'max_in_flight' is for calculators", "subgraph Scale"),
    ),
    "reading what when left out": (
        node("options: {language: en, spelled: false}", outputs="{RESULT: r, TEXT: b}").replace(
            "./calculators.py:Double", "Scale"
        )
        + "  m: {calculator: ./calculators.py:Shout, inputs: «[b], outputs: [c]}\n",
        ("Shout needs input without a tag", "'spell' is left out: when $spelled does not hold"),
    ),
}


@pytest.mark.parametrize(("text", "essentials"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_reported_at_its_place(text: str, essentials: tuple[str, ...], mistakes: Callable) -> None:
    found, places = mistakes(text)
    assert sorted({(line, column) for line, column, _ in found}) == places, found
    for essential in essentials:
        assert any(essential in words for _, _, words in found), found


def test_all_mistakes_are_reported_at_once(mistakes: Callable) -> None:
    found, places = mistakes(
        "inputs: {VALUE: a}\n"
        "«outputz: {}\n"
        "num_threads: «-1\n"
        "nodes:\n"
        "  one:\n"
        "    calculator: «Nonsense\n"
        "    inputs: {VALUE: «missing}\n"
        "    max_in_flight: «none\n"
        "  two:\n"
        "    calculator: ./calculators.py:Double\n"
        "    inputs: {VALUE: a}\n"
        "    outputs: {RESULT: b, «result: «B}\n"
        "    options:\n"
        "      «factor: high\n"
        "      «mood: bad\n"
        "  three:\n"
        "    calculator: ./calculators.py:Shout\n"
        "    inputs: [b]\n"
        "    outputs: [c]\n"
    )
    lines = [(line, column) for line, column, _ in found]
    assert sorted(set(lines)) == sorted(places), found

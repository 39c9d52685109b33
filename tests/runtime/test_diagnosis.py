"""What a run says about itself when nothing moves."""

from __future__ import annotations

from pathlib import Path

import graphflow

from .recording import Case, new_log

NODES = Path(__file__).with_name("recording.py")
JOIN = """
graph: Join
inputs: [a, b]
outputs: [c, d, e]
nodes:
  join: {calculator: PassThrough, inputs: [a, b], outputs: [c, d]}
  after: {calculator: PassThrough, inputs: [c], outputs: [e]}
max_queue_size: 3
"""


def test_it_names_the_input_a_node_waits_for() -> None:
    graph = graphflow.load(JOIN, fuse=False)
    graph.start()
    for timestamp in (10, 20, 30):
        graph.add_packet("a", timestamp, timestamp)
    graph.set_bound("b", 5)
    graph.wait_until_idle()
    said = graph.diagnose()
    graph.close_input("b")
    graph.close_input("a")
    graph.wait_until_done()
    assert said.splitlines()[0] == "graph 'Join': running, 0 calls running, 0 waiting for a thread"
    assert "input 'a': open, settled before 31" in said
    assert "node 'join' (PassThrough): waits for 'b' (default policy)" in said
    assert "input 'a': 3 waiting from 10 to 30, settled before 31" in said
    assert "input 'b': empty, settled before 5" in said
    assert "node 'after' (PassThrough): waits for 'c'" in said
    assert graph.diagnose().splitlines() == [
        "graph 'Join': terminated, 0 calls running, 0 waiting for a thread",
        "  input 'a': closed",
        "  input 'b': closed",
        "  closed: join, after",
    ]


def test_it_names_the_members_of_a_step() -> None:
    graph = graphflow.load(JOIN)
    graph.start()
    graph.add_packet("a", 10, 10)
    graph.wait_until_idle()
    said = graph.diagnose()
    graph.close_all_inputs()
    graph.wait_until_done()
    assert "step 'join + after' (PassThrough + PassThrough): waits for 'b' (default policy)" in said


def test_it_names_the_call_that_does_not_return() -> None:
    graph = graphflow.load(Case("", "default", "ab", []).yaml())
    log = new_log(graph)
    log.holding = True
    graph.start({"log": log})
    graph.add_packet("a", 1, 1)
    graph.close_input("b")
    assert log.entered.wait(timeout=10)
    said = graph.diagnose()
    log.leave.set()
    graph.close_all_inputs()
    graph.wait_until_done()
    assert "1 calls running" in said
    assert "1 in flight or waiting for a thread: process at 1" in said
    assert "input 'b': empty, ended" in said


def test_it_names_what_a_node_needs_to_open() -> None:
    graph = graphflow.load(f"""
graph: Sides
inputs: [a]
side_inputs: {{LOG: log}}
nodes:
  provide: {{calculator: "{NODES}:ProvideLate", side_inputs: {{LOG: log}}, side_outputs: [made]}}
  reader: {{calculator: "{NODES}:Record", inputs: [a], side_inputs: {{LOG: made}}}}
""")
    log = new_log(graph)
    graph.start({"log": log})
    assert log.entered.wait(timeout=10)
    said = graph.diagnose()
    log.leave.set()
    graph.close_all_inputs()
    graph.wait_until_done()
    assert "node 'reader' (" in said
    assert "not open, waits for 'made'" in said
    assert "not open, is being opened" in said

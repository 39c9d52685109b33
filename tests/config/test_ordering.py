"""The order of nodes, against networkx."""

import networkx as nx
import numpy as np

from graphflow.config.ordering import topological_order


def test_orders_as_networkx_does() -> None:
    random = np.random.default_rng(0)
    cycles = 0
    for _ in range(300):
        count = int(random.integers(1, 9))
        keys = random.integers(0, 3, count).tolist()
        dependencies = {
            node: {int(other) for other in random.integers(0, count, random.integers(0, 3))} for node in range(count)
        }
        graph: nx.DiGraph[int] = nx.DiGraph()
        graph.add_nodes_from(range(count))
        graph.add_edges_from((other, node) for node, needed in dependencies.items() for other in needed)
        expected = None
        if nx.is_directed_acyclic_graph(graph):
            expected = list(nx.lexicographical_topological_sort(graph, key=keys.__getitem__))
        else:
            cycles += 1
        assert topological_order(range(count), dependencies, keys.__getitem__) == expected
    assert 50 < cycles < 250

"""Pictures of graphs: SVG, a page to explore, and text for Mermaid and Graphviz."""

from graphflow.drawing.html import html_page
from graphflow.drawing.model import Level, picture
from graphflow.drawing.svg import svg_picture
from graphflow.drawing.text import dot_text, mermaid_text

__all__ = ["Level", "dot_text", "html_page", "mermaid_text", "picture", "svg_picture"]

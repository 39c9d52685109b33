// Draws the graph in DATA: the same picture as the SVG's, of which subgraphs can be opened and closed.
"use strict";
const SVG = "http://www.w3.org/2000/svg";
const G = DATA.geometry;
const open = new Set();
let selected = null;

// ---------------------------------------------------------------- places, as in placement.py

function textWidth(text, size) {
  let narrow = 0, wide = 0;
  for (const letter of text) {
    if ("ijltfr.,:;|!()[]'I".includes(letter)) narrow++;
    if ((letter >= "A" && letter <= "Z") || "mwMW_@".includes(letter)) wide++;
  }
  return size * (0.56 * text.length - 0.22 * narrow + 0.12 * wide);
}

const labelWidth = (port) => textWidth(port.label || port.stream, 8.5) + 12;

function spread(widths, whole) {
  const extra = (whole - widths.reduce((a, b) => a + b, 0)) / (widths.length || 1);
  let x = 0;
  return widths.map((width) => { const middle = x + (width + extra) / 2; x += width + extra; return middle; });
}

function sized(box) {
  if (box.kind === "input" || box.kind === "output") {
    const width = textWidth(box.name, 12) + 26;
    return { x: 0, y: 0, width, height: G.pill, tops: [width / 2], bottoms: [width / 2], inside: null };
  }
  if (box.inside && open.has(box.inside.path)) {
    const inside = place(box.inside);
    const width = Math.max(inside.width, textWidth(box.name + "  " + box.calculator, 13) + 60);
    for (const cell of inside.cells) cell.x += (width - inside.width) / 2;
    inside.width = width;
    return {
      x: 0, y: 0, width, height: inside.height + G.header, inside,
      tops: interfacePlaces(inside, "input", box.tops, width),
      bottoms: interfacePlaces(inside, "output", box.bottoms, width),
    };
  }
  const tops = box.tops.map(labelWidth), bottoms = box.bottoms.map(labelWidth);
  const sum = (widths) => widths.reduce((a, b) => a + b, 0) + 12;
  const titles = Math.max(textWidth(box.name, 13) * G.bold, textWidth(box.calculator, 11)) + (box.kind === "graph" ? 62 : 34);
  const width = Math.max(titles, sum(tops), sum(bottoms), 96);
  return { x: 0, y: 0, width, height: G.box, tops: spread(tops, width), bottoms: spread(bottoms, width), inside: null };
}

function interfacePlaces(inside, kind, ports, width) {
  const ends = new Map(), seen = {}, counts = {};
  inside.level.boxes.forEach((box, number) => {
    if (box.kind !== kind) return;
    seen[box.calculator] = (seen[box.calculator] || 0) + 1;
    ends.set(box.calculator + "/" + (seen[box.calculator] - 1), number);
  });
  return ports.map((port) => {
    const tag = port.label.split(":")[0];
    counts[tag] = (counts[tag] || 0) + 1;
    const number = ends.get(tag + "/" + (counts[tag] - 1));
    return number === undefined ? width / 2 : inside.cells[number].x + inside.cells[number].width / 2;
  });
}

function place(level) {
  const cells = level.boxes.map(sized);
  while (cells.length < level.cells) {
    cells.push({ x: 0, y: 0, width: G.point, height: 0, tops: [], bottoms: [], inside: null });
  }
  const boxes = level.boxes.length, bands = [];
  let y = G.margin;
  level.rows.forEach((row, number) => {
    const height = Math.max(0, ...row.map((cell) => cells[cell].height));
    for (const cell of row) {
      if (cell >= boxes) { cells[cell].y = y; cells[cell].height = height; }
      else cells[cell].y = y + Math.max(0, (Math.min(height, G.box) - cells[cell].height) / 2);
    }
    bands.push([y, height]);
    const crowd = level.pieces.filter((piece) => row.includes(piece.start.cell)).length;
    y += height + G.rowGap + Math.min(crowd, 20) * (number + 1 < level.rows.length ? 1.6 : 0);
  });
  const result = { level, cells, bands, width: 0, height: 0 };
  putBeside(result);
  const left = Math.min(...cells.map((cell) => cell.x), Infinity);
  for (const cell of cells) cell.x += G.margin - left;
  result.width = Math.max(0, ...cells.map((cell) => cell.x + cell.width)) + G.margin;
  const last = bands[bands.length - 1] || [G.margin, 0];
  result.height = last[0] + last[1] + G.margin;
  return result;
}

function jointX(placed, joint) {
  const cell = placed.cells[joint.cell];
  if (joint.port < 0) return cell.x + cell.width / 2;
  return cell.x + (joint.side === "top" ? cell.tops : cell.bottoms)[joint.port];
}

function putBeside(placed) {
  const { level, cells } = placed, boxes = level.boxes.length;
  const rowOf = new Map();
  level.rows.forEach((row, number) => row.forEach((cell) => rowOf.set(cell, number)));
  const near = cells.map(() => []);
  for (const piece of level.pieces) {
    near[piece.start.cell].push([piece.start, piece.end]);
    near[piece.end.cell].push([piece.end, piece.start]);
  }
  for (const row of level.rows) {
    let x = 0;
    for (const cell of row) { cells[cell].x = x; x += cells[cell].width + G.boxGap; }
  }
  for (let turn = 0; turn < G.rounds; turn++) {
    const downwards = turn % 2 === 0, both = turn >= G.rounds / 2;
    for (let i = 0; i < level.rows.length; i++) {
      const number = downwards ? i : level.rows.length - 1 - i, row = level.rows[number];
      const wanted = [], weights = [];
      for (const cell of row) {
        let total = 0, moved = 0;
        for (const [own, other] of near[cell]) {
          if (!both && rowOf.get(other.cell) !== number + (downwards ? -1 : 1)) continue;
          const pull = G.straightness[(own.port < 0 ? 1 : 0) + (other.port < 0 ? 1 : 0)];
          total += pull;
          moved += pull * (jointX(placed, other) - jointX(placed, own));
        }
        wanted.push(cells[cell].x + moved / (total || 1));
        weights.push(Math.max(total, 0.05));
      }
      const gaps = row.slice(1).map((other, at) => {
        const points = (row[at] >= boxes ? 1 : 0) + (other >= boxes ? 1 : 0);
        return cells[row[at]].width + [G.boxGap, G.boxGap * 0.6, 2][points];
      });
      spaced(wanted, weights, gaps).forEach((x, at) => { cells[row[at]].x = x; });
    }
  }
}

function spaced(wanted, weights, gaps) {
  const offsets = [0];
  for (const gap of gaps) offsets.push(offsets[offsets.length - 1] + gap);
  const pools = [];
  wanted.forEach((place, i) => {
    let pool = [place - offsets[i], weights[i], 1];
    while (pools.length && pools[pools.length - 1][0] > pool[0]) {
      const [mean, mass, number] = pools.pop(), total = mass + pool[1];
      pool = [(mean * mass + pool[0] * pool[1]) / total, total, number + pool[2]];
    }
    pools.push(pool);
  });
  const levels = pools.flatMap(([mean, , number]) => Array(number).fill(mean));
  return levels.map((mean, i) => mean + offsets[i]);
}

// ---------------------------------------------------------------- drawing, as in svg.py

function element(parent, name, attributes, text) {
  const made = document.createElementNS(SVG, name);
  for (const key in attributes) made.setAttribute(key, attributes[key]);
  if (text !== undefined) made.textContent = text;
  parent.appendChild(made);
  return made;
}

const f = (number) => number.toFixed(1);

function pointOf(placed, joint) {
  const cell = placed.cells[joint.cell];
  return [jointX(placed, joint), joint.side === "top" ? cell.y : cell.y + cell.height];
}

function bandEdge(placed, joint) {
  const [top, height] = placed.bands[placed.level.rows.findIndex((row) => row.includes(joint.cell))];
  return joint.side === "top" ? top : top + height;
}

function curve(placed, piece) {
  const [x1, y1] = pointOf(placed, piece.start), [x2, y2] = pointOf(placed, piece.end);
  const first = bandEdge(placed, piece.start), last = bandEdge(placed, piece.end);
  const around = piece.start.side === piece.end.side;
  const bend = around ? first + (piece.start.side === "bottom" ? 26 : -26) : (first + last) / 2;
  return `M${f(x1)} ${f(y1)}V${f(first)}C${f(x1)} ${f(bend)} ${f(x2)} ${f(bend)} ${f(x2)} ${f(last)}V${f(y2)}`;
}

const kindOf = (piece, wire) => (piece.back ? " back" : wire.side ? " side" : "");

function drawLevel(parent, placed) {
  const { level, cells } = placed;
  const line = (kind, d, wire) => {
    const made = element(parent, "path", { class: "wire" + kind, d });
    const wide = element(parent, "path", { class: "reach", d });
    const name = level.path + "/" + wire.name;
    made.dataset.wire = name;
    wide.addEventListener("pointerenter", (event) => hover(event, name, wire.type ? `${wire.name}: ${wire.type}` : wire.name));
    wide.addEventListener("pointerleave", () => hover(null, name));
  };
  for (const piece of level.pieces) {
    const wire = level.wires[piece.wire];
    line(kindOf(piece, wire), curve(placed, piece), wire);
    if (piece.end.port >= 0) {
      const [x, y] = pointOf(placed, piece.end);
      element(parent, "path", { class: "arrow" + kindOf(piece, wire), d: `M${f(x)} ${f(y)}l-3.6 -7h7.2z` });
    }
  }
  for (let number = level.boxes.length; number < cells.length; number++) {
    const piece = level.pieces.find((entry) => entry.start.cell === number || entry.end.cell === number);
    const wire = level.wires[piece.wire], cell = cells[number], x = cell.x + cell.width / 2;
    line(kindOf(piece, wire), `M${f(x)} ${f(cell.y)}V${f(cell.y + cell.height)}`, wire);
  }
  level.boxes.forEach((box, number) => drawBox(parent, level, box, cells[number]));
}

function drawBox(parent, level, box, cell) {
  const { width, height } = cell;
  const group = element(parent, "g", { transform: `translate(${f(cell.x)} ${f(cell.y)})`, class: "entry" });
  group.dataset.path = (level.path ? level.path + "/" : "") + box.name;
  const middle = { x: f(width / 2), "text-anchor": "middle" };
  if (box.kind === "input" || box.kind === "output") {
    element(group, "rect", { class: "pill " + box.kind, width: f(width), height: f(height), rx: f(height / 2) });
    element(group, "text", { class: "pilltext", y: 16.5, ...middle }, box.name);
  } else if (cell.inside) {
    const frame = element(group, "rect", { class: "open", width: f(width), height: f(height), rx: 8 });
    frame.addEventListener("dblclick", () => toggle(box));
    cell.inside.level.boxes.forEach((entry, number) => {
      if (entry.kind !== "input" && entry.kind !== "output") return;
      const inner = cell.inside.cells[number], y = inner.y + G.header;
      const [first, last] = entry.kind === "input" ? [0, y] : [y + inner.height, height];
      const side = [...entry.tops, ...entry.bottoms][0].side ? " side" : "";
      element(group, "path", { class: "wire" + side, d: `M${f(inner.x + inner.width / 2)} ${f(first)}V${f(last)}` });
    });
    drawLevel(element(group, "g", { transform: `translate(0 ${G.header})` }), cell.inside);
    const title = element(group, "text", { class: "name halo clickable", x: 34, y: 20 }, box.name);
    element(title, "tspan", { class: "calculator", dx: 8, "font-weight": 400 }, box.calculator);
    title.addEventListener("click", () => show(level, box, group));
    button(group, 10, 7, "−", box);
  } else {
    if (box.kind === "graph") element(group, "rect", { class: "box graph", x: 4, y: 4, width: f(width), height: f(height), rx: 6 });
    const body = element(group, "rect", { class: "box clickable " + box.kind, width: f(width), height: f(height), rx: 6 });
    element(group, "rect", { x: 0.5, y: 6, width: 4, height: f(height - 12), rx: 2, fill: colourOf(box) });
    element(group, "text", { class: "name", y: f(height / 2 - 2), ...middle }, box.name);
    element(group, "text", { class: "calculator", y: f(height / 2 + 13), ...middle }, box.calculator);
    for (const [ports, places, y] of [[box.tops, cell.tops, 11], [box.bottoms, cell.bottoms, height - 5]]) {
      ports.forEach((port, at) => {
        const style = port.label ? "tag" : "tag untagged";
        element(group, "text", { class: style, x: f(places[at]), y: f(y), "text-anchor": "middle" }, port.label || port.stream);
      });
    }
    body.addEventListener("click", () => show(level, box, group));
    if (box.inside) { body.addEventListener("dblclick", () => toggle(box)); button(group, 11, height / 2 - 8, "+", box); }
  }
  if (!cell.inside) {
    group.addEventListener("pointerenter", (event) => hover(event, null, hoverText(level, box)));
    group.addEventListener("pointerleave", () => hover(null, null));
  }
  if (selected === box) group.classList.add("selected");
}

function button(group, x, y, sign, box) {
  const made = element(group, "g", { class: "button clickable", transform: `translate(${x} ${f(y)})` });
  element(made, "rect", { width: 16, height: 16, rx: 3 });
  element(made, "text", { x: 8, y: 12.5, "text-anchor": "middle" }, sign);
  made.dataset.toggle = box.inside.path;
  made.addEventListener("click", (event) => { event.stopPropagation(); toggle(box); });
}

const colourOf = (box) => DATA.colours[box.kind === "graph" ? "graph" : box.group] || DATA.colours.own;
const shown = (value) => (value && value.required ? "required" : typeof value === "string" ? value : JSON.stringify(value));
const isSet = (option) => JSON.stringify(option.value) !== JSON.stringify(option.default);

function typeOf(level, port) {
  const wire = level.wires.find((entry) => entry.name === port.stream && entry.side === port.side);
  return wire && wire.type ? wire.type : port.side ? "side packet" : "";
}

function hoverText(level, box) {
  const lines = [box.calculator && box.kind !== "input" && box.kind !== "output" ? `${box.name} — ${box.calculator}` : box.name];
  if (box.doc) lines.push(box.doc);
  for (const [word, ports] of [["in", box.tops], ["out", box.bottoms]]) {
    for (const port of ports) lines.push(`${word}  ${port.label ? port.label + ": " : ""}${port.stream}  ${typeOf(level, port)}`);
  }
  for (const option of box.options) if (isSet(option)) lines.push(`${option.name} = ${shown(option.value)}`);
  return lines.join("\n");
}

// ---------------------------------------------------------------- the page around it

const picture = document.getElementById("picture"), scene = document.getElementById("scene");
const tip = document.getElementById("tip"), panel = document.getElementById("panel");
const view = { x: 0, y: 0, scale: 1 };
let size = { width: 1, height: 1 };

function draw() {
  hover(null);
  scene.replaceChildren();
  const placed = place(DATA.level);
  size = placed;
  drawLevel(scene, placed);
  search();
}

function apply() { scene.setAttribute("transform", `translate(${view.x} ${view.y}) scale(${view.scale})`); }

function fit() {
  const area = picture.getBoundingClientRect();
  view.scale = Math.min(1.4, (area.width - 30) / size.width, Math.max((area.height - 30) / size.height, 0.35));
  view.x = (area.width - size.width * view.scale) / 2;
  view.y = Math.max(15, (area.height - size.height * view.scale) / 2);
  apply();
}

function toggle(box) {
  const path = box.inside.path, before = findEntry(path);
  if (open.has(path)) open.delete(path); else open.add(path);
  draw();
  const after = findEntry(path);
  if (before && after) { view.x += before.left - after.left; view.y += before.top - after.top; apply(); }
}

function findEntry(path) {
  const entry = [...scene.querySelectorAll(".entry")].find((made) => made.dataset.path === path);
  return entry ? entry.getBoundingClientRect() : null;
}

function everyGraph(level, act) {
  for (const box of level.boxes) if (box.inside) { act(box.inside.path); everyGraph(box.inside, act); }
}

function hover(event, wire, text) {
  for (const made of scene.querySelectorAll(".wire.lit")) made.classList.remove("lit");
  tip.hidden = !event;
  if (!event) return;
  if (wire) for (const made of scene.querySelectorAll(".wire")) if (made.dataset.wire === wire) made.classList.add("lit");
  tip.textContent = text;
  const left = Math.min(event.clientX + 14, window.innerWidth - tip.offsetWidth - 8);
  const top = event.clientY + 14 + tip.offsetHeight > window.innerHeight ? event.clientY - tip.offsetHeight - 8 : event.clientY + 14;
  tip.style.left = left + "px";
  tip.style.top = Math.max(4, top) + "px";
}

function html(parent, name, text, style) {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  if (style) made.className = style;
  parent.appendChild(made);
  return made;
}

function show(level, box, group) {
  selected = box;
  hover(null);
  for (const made of scene.querySelectorAll(".selected")) made.classList.remove("selected");
  group.classList.add("selected");
  panel.replaceChildren();
  panel.hidden = false;
  const close = html(panel, "button", "×", "close");
  close.addEventListener("click", () => { panel.hidden = true; selected = null; draw(); });
  html(panel, "h2", box.name);
  html(panel, "p", box.calculator + (box.policy !== "default" ? `, input policy ${box.policy}` : ""), "quiet");
  html(panel, "p", box.doc);
  for (const [title, ports] of [["inputs", box.tops], ["outputs", box.bottoms]]) {
    if (!ports.length) continue;
    html(panel, "h3", title);
    const table = html(panel, "table");
    for (const port of ports) {
      const row = html(table, "tr");
      html(row, "td", port.label);
      const stream = html(row, "td", port.stream, "code");
      html(stream, "div", typeOf(level, port), "quiet");
    }
  }
  if (box.options.length) {
    html(panel, "h3", box.kind === "graph" ? "parameters" : "options");
    const table = html(panel, "table");
    for (const option of box.options) {
      const row = html(table, "tr", undefined, isSet(option) ? "set" : "");
      html(row, "td", option.name, "code");
      const value = html(row, "td", shown(option.value), "code");
      if (isSet(option)) html(value, "span", ` (default ${shown(option.default)})`, "quiet");
      if (option.doc) {
        const doc = html(html(table, "tr"), "td", option.doc, "quiet doc");
        doc.colSpan = 2;
      }
    }
  }
  html(panel, "p", box.place, "quiet code");
}

function search() {
  const words = document.getElementById("search").value.trim().toLowerCase();
  for (const entry of scene.querySelectorAll(".entry")) {
    const own = [...entry.querySelectorAll(":scope > .name, :scope > .calculator, :scope > .pilltext")];
    entry.classList.toggle("found", words !== "" && own.some((made) => made.textContent.toLowerCase().includes(words)));
  }
}

document.getElementById("search").addEventListener("input", search);
document.getElementById("expand").addEventListener("click", () => { everyGraph(DATA.level, (path) => open.add(path)); draw(); fit(); });
document.getElementById("collapse").addEventListener("click", () => { open.clear(); draw(); fit(); });
document.getElementById("fit").addEventListener("click", fit);
picture.addEventListener("wheel", (event) => {
  event.preventDefault();
  const factor = Math.exp(-event.deltaY * 0.0015), area = picture.getBoundingClientRect();
  const x = event.clientX - area.left, y = event.clientY - area.top;
  const scale = Math.min(4, Math.max(0.03, view.scale * factor));
  view.x = x - (x - view.x) * (scale / view.scale);
  view.y = y - (y - view.y) * (scale / view.scale);
  view.scale = scale;
  apply();
}, { passive: false });
let drag = null;
picture.addEventListener("pointerdown", (event) => {
  if (!event.target.closest(".clickable")) { drag = { x: event.clientX - view.x, y: event.clientY - view.y }; picture.classList.add("dragged"); }
});
window.addEventListener("pointermove", (event) => {
  if (drag) { view.x = event.clientX - drag.x; view.y = event.clientY - drag.y; apply(); }
});
window.addEventListener("pointerup", () => { drag = null; picture.classList.remove("dragged"); });
window.addEventListener("keydown", (event) => { if (event.key === "Escape") { panel.hidden = true; selected = null; draw(); } });

const legend = document.getElementById("legend");
for (const [name, colour] of DATA.legend) {
  const entry = html(legend, "span");
  html(entry, "i").style.background = colour;
  entry.append(name);
}
for (const [name, style] of [["stream", ""], ["back edge", "back"], ["side packet", "side"]]) {
  const entry = html(legend, "span"), line = document.createElementNS(SVG, "svg");
  line.setAttribute("width", 28); line.setAttribute("height", 8);
  element(line, "path", { class: "wire " + style, d: "M0 4h28" });
  entry.append(line, name);
}
for (const path of DATA.open) open.add(path);
draw();
fit();

// The steps of a pipeline: a button for each, where the server says (by layer and slot), and lines between them.
// Times of what goes on are counted here, so that they cost the server nothing.

const NARROW_PX = 600, MANY = 40;
const SIZES = {
  few: { least: 104, most: 220, scrolled: 170, high: 60, across: 20, down: 18 },
  many: { least: 108, most: 150, scrolled: 150, high: 42, across: 24, down: 8 },
};

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".graph");
  const graph = (root.graph ??= begun(root));
  if (graph.data?.now !== data.now) graph.at = performance.now();
  graph.data = data;
  graph.open = (name) => setTriggerValue("step", name);
  draw(graph);
  clearInterval(graph.timer);
  graph.timer = data.going ? setInterval(() => tell(graph), 1000) : undefined;
  graph.width ??= new ResizeObserver(() => place(graph));
  graph.width.observe(graph.scroll);
  return () => {
    clearInterval(graph.timer);
    graph.width.disconnect();
  };
}

function begun(root) {
  const made = (tag, kind) => root.appendChild(Object.assign(document.createElement(tag), { className: kind }));
  const head = made("div", "head"), scroll = made("div", "scroll");
  const canvas = scroll.appendChild(Object.assign(document.createElement("div"), { className: "canvas" }));
  const lines = canvas.appendChild(document.createElementNS("http://www.w3.org/2000/svg", "svg"));
  lines.setAttribute("aria-hidden", "true");
  canvas.setAttribute("role", "group");
  return { head, scroll, canvas, lines, steps: new Map(), fresh: true };
}

function draw(graph) {
  const { data, steps, canvas } = graph;
  canvas.setAttribute("aria-label", data.label);
  const known = new Set(data.steps.map((step) => step.name));
  for (const [name, button] of steps) {
    if (!known.has(name)) {
      button.remove();
      steps.delete(name);
    }
  }
  for (const step of data.steps) {
    if (!steps.has(step.name)) steps.set(step.name, canvas.appendChild(card(graph, step.name)));
    dress(steps.get(step.name), step, data);
  }
  tell(graph);
  place(graph);
}

function card(graph, name) {
  const button = document.createElement("button");
  button.type = "button";
  button.append(document.createElement("span"), document.createElement("span"));
  button.firstChild.className = "name";
  button.firstChild.append(document.createElement("span"), document.createElement("span"));
  button.firstChild.firstChild.className = "icon";
  button.firstChild.firstChild.setAttribute("aria-hidden", "true");
  button.lastChild.className = "said";
  button.onclick = () => graph.data.opens && graph.open(name);
  return button;
}

function dress(button, step, data) {
  const small = data.steps.length > MANY;
  button.className = [
    step.color, small ? "small" : "", step.turning ? "turning" : "", data.opens ? "" : "still",
  ].join(" ");
  button.firstChild.firstChild.textContent = step.icon;
  button.firstChild.lastChild.textContent = step.name;
  if (data.opens) button.setAttribute("aria-pressed", String(step.name === data.opened));
}

function tell(graph) {
  const { data, head, steps } = graph;
  const now = data.now + (performance.now() - graph.at) / 1000;
  head.textContent = filled(data.head, data.since, undefined, now);
  for (const step of data.steps) {
    const said = filled(step.said, step.since, step.until, now), button = steps.get(step.name);
    button.lastChild.textContent = said.replace(/(\d) (s|min|h)\b/g, "$1\u00a0$2"); // a number keeps its unit
    button.title = button.ariaLabel = `${step.name}, ${step.kind}${said ? ": " + said : ""}`;
  }
}

// `{since}` is how long something goes on already, `{until}` how long something is still to wait.
function filled(text, since, until, now) {
  return text
    .replace("{since}", () => lasting(Math.max(0, now - since)))
    .replace("{until}", () => lasting(Math.max(0, until - now)));
}

function lasting(seconds) {
  const whole = Math.floor(seconds), minutes = Math.floor(whole / 60), hours = Math.floor(minutes / 60);
  if (whole < 60) return `${whole} s`;
  if (minutes < 60) return whole % 60 ? `${minutes} min ${whole % 60} s` : `${minutes} min`;
  return minutes % 60 ? `${hours} h ${minutes % 60} min` : `${hours} h`;
}

function place(graph) {
  const { data, steps, canvas, scroll, lines } = graph;
  const size = data.steps.length > MANY ? SIZES.many : SIZES.few, room = scroll.clientWidth - 8;
  if (room <= 0) return;
  const downward = room < NARROW_PX;
  const beside = downward ? data.slots + 1 : data.layers;
  const fitting = (room - (beside - 1) * size.across) / beside;
  const wide = fitting < size.least ? size.scrolled : Math.min(fitting, downward ? 300 : size.most);
  const stepX = wide + size.across, stepY = size.high + size.down;
  const spot = ([layer, slot]) => (downward ? [slot * stepX, layer * (stepY + 8)] : [layer * stepX, slot * stepY]);
  for (const step of data.steps) {
    const [x, y] = spot([step.layer, step.slot]);
    Object.assign(steps.get(step.name).style, {
      left: `${x}px`, top: `${y}px`, width: `${wide}px`, height: `${size.high}px`,
    });
  }
  const [across, down] = downward ? [data.slots, data.layers - 1] : [data.layers - 1, data.slots];
  canvas.style.width = `${across * stepX + wide}px`;
  canvas.style.height = `${down * (downward ? stepY + 8 : stepY) + size.high}px`;
  lines.replaceChildren(...data.lines.map((line) => path(line, spot, wide, size.high, downward)));
  if (graph.fresh) lookAt(graph);
  graph.fresh = false;
}

function path(line, spot, wide, high, downward) {
  const ends = line.places.map((place, number) => {
    const [x, y] = spot(place), last = number === line.places.length - 1;
    if (downward) return [[x + wide / 2, number && y], [x + wide / 2, last ? y : y + high]];
    return [[number && x, y + high / 2], [last ? x : x + wide, y + high / 2]];
  });
  let drawn = "";
  for (let number = 1; number < ends.length; number++) {
    const [fromX, fromY] = ends[number - 1][1], [toX, toY] = ends[number][0];
    const bend = downward ? (toY - fromY) / 2 : (toX - fromX) / 2;
    if (number === 1) drawn = `M ${fromX} ${fromY}`;
    else drawn += ` L ${fromX} ${fromY}`;
    drawn += downward
      ? ` C ${fromX} ${fromY + bend} ${toX} ${toY - bend} ${toX} ${toY}`
      : ` C ${fromX + bend} ${fromY} ${toX - bend} ${toY} ${toX} ${toY}`;
  }
  const made = document.createElementNS("http://www.w3.org/2000/svg", "path");
  made.setAttribute("d", drawn);
  if (line.done) made.setAttribute("class", "done");
  return made;
}

// What is opened, what has failed or goes on, else where it begins: seen at once where not all can be.
function lookAt({ data, steps, scroll }) {
  const urgent = data.steps.find((step) => step.color === "red" || step.turning);
  const sought = data.opened || (urgent ?? data.steps.find((step) => step.layer === 0))?.name;
  const button = sought && steps.get(sought);
  if (!button) return;
  scroll.scrollLeft = button.offsetLeft - scroll.clientWidth / 2 + button.offsetWidth / 2;
  scroll.scrollTop = button.offsetTop - scroll.clientHeight / 2 + button.offsetHeight / 2;
}

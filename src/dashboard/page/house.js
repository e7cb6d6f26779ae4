/** The picture of the house: what exists is lit, what does not is dark, and traffic flows. */
import { byId, html, say, svg } from "./dom.js";
import { count, percent, rate, things, tierNames } from "./format.js";

const boxes = {
  dns: { x: 130, y: 6, width: 140, height: 46, title: "Route 53" },
  api: { x: 14, y: 106, width: 160, height: 46, title: "API Gateway" },
  lambda: { x: 14, y: 190, width: 160, height: 70, title: "Lambda" },
  balancer: { x: 226, y: 106, width: 160, height: 46, title: "Load balancer" },
  tasks: { x: 226, y: 190, width: 160, height: 70, title: "Fargate tasks" },
};
const edges = {
  lambda: { d: "M176 52 C176 82 94 74 94 106", label: [104, 82], anchor: "end" },
  lambdaDown: { d: "M94 152 V190", label: [104, 176], anchor: "start" },
  fargate: { d: "M224 52 C224 82 306 74 306 106", label: [296, 82], anchor: "start" },
  fargateDown: { d: "M306 152 V190", label: [316, 176], anchor: "start" },
};
/** More dots than this would not be counted anyway. */
const dotsMax = 16;

const box = (name, { x, y, width, height, title }) => {
  const text = { x: x + width / 2, "text-anchor": "middle" };
  const tall = height > 50;
  const detail = svg("text", { ...text, y: y + 37, class: "detail" });
  const dots = svg("g", { class: "dots" });
  const group = svg(
    "g",
    { class: "box", "data-box": name },
    svg("rect", { x, y, width, height, rx: 9 }),
    svg("text", { ...text, y: y + 20, class: "title" }, title),
    detail,
    dots,
  );
  return { group, detail, dots, x, y, width, tall };
};

/** A row of dots, one for each instance; hollow ones are wanted and not there yet. */
const drawDots = ({ dots, x, y, width }, running, wanted) => {
  const shown = Math.min(dotsMax, Math.max(running, wanted));
  const signature = `${running} ${wanted}`;
  if (dots.dataset.shown === signature) return;
  dots.dataset.shown = signature;
  const gap = Math.min(12, (width - 24) / Math.max(1, shown));
  const from = x + width / 2 - (gap * (shown - 1)) / 2;
  dots.replaceChildren(
    ...Array.from({ length: shown }, (_, at) =>
      svg("circle", {
        cx: from + at * gap,
        cy: y + 56,
        r: Math.min(4, gap / 2.6),
        class: at < running ? "full" : "hollow",
      }),
    ),
  );
};

/** Creates the picture; the returned function shows a snapshot in it. */
export const createHouse = () => {
  const parts = Object.fromEntries(
    Object.entries(boxes).map(([name, at]) => [name, box(name, at)]),
  );
  const wires = Object.fromEntries(
    Object.entries(edges).map(
      ([
        name,
        {
          d,
          label: [x, y],
          anchor,
        },
      ]) => {
        const path = svg("path", { d, "data-wire": name });
        const label = svg("text", { x, y, "text-anchor": anchor, class: "flow" });
        return [name, { path, label }];
      },
    ),
  );
  const drawing = svg(
    "svg",
    { viewBox: "0 0 400 268", "aria-hidden": "true", focusable: "false" },
    ...Object.values(wires).flatMap(({ path, label }) => [path, label]),
    ...Object.values(parts).map(({ group }) => group),
  );
  const words = html("p", { class: "hidden" });
  byId("house").replaceChildren(drawing, words);
  const light = (name, state) => parts[name].group.setAttribute("data-state", state);
  const flow = (name, share, label) => {
    const { path, label: text } = wires[name];
    path.setAttribute("data-flows", share > 0 ? "yes" : "no");
    path.style.strokeWidth = String(1.5 + (3.5 * share) / 100);
    say(text, label);
  };
  return (snapshot) => {
    const { tiers, route, inSync } = snapshot;
    const { lambda, fargate } = tiers;
    const exists = fargate.state !== "absent";
    const running = fargate.running ?? 0;
    const desired = fargate.desired ?? 0;
    light("dns", "ready");
    light("api", lambda.state);
    light("lambda", lambda.state);
    light("balancer", fargate.state);
    light("tasks", exists && fargate.running === 0 ? "starting" : fargate.state);
    say(parts.dns.detail, inSync ? "weights in sync" : "weights on their way");
    say(parts.api.detail, "always there");
    const environments = lambda.running;
    say(parts.lambda.detail, environments === null ? "" : things(environments, "environment"));
    say(parts.balancer.detail, exists ? fargate.state : "does not exist");
    const wanted = Math.max(desired, running);
    const none = fargate.state === "starting" ? "none yet" : "none";
    const tasks = wanted > 0 && exists ? `${count(running)} of ${count(wanted)} healthy` : none;
    say(parts.tasks.detail, exists && fargate.running === null ? "" : tasks);
    drawDots(parts.lambda, environments ?? 0, 0);
    drawDots(parts.tasks, exists ? running : 0, exists ? desired : 0);
    flow("lambda", route.lambda, percent(route.lambda));
    flow("fargate", route.fargate, route.fargateRecord || exists ? percent(route.fargate) : "");
    const perSecond = ({ requestsPerSecond }) =>
      requestsPerSecond === null ? "" : `${rate(requestsPerSecond)}/s`;
    flow("lambdaDown", (lambda.requestsPerSecond ?? 0) > 0 ? 40 : 0, perSecond(lambda));
    const burst = exists ? perSecond(fargate) : "";
    flow("fargateDown", exists && (fargate.requestsPerSecond ?? 0) > 0 ? 40 : 0, burst);
    say(
      words,
      `Route 53 sends ${percent(route.lambda)} to API Gateway and ${tierNames.lambda}, ` +
        `${percent(route.fargate)} to the load balancer and ${tierNames.fargate}. ` +
        (exists ? `Fargate is ${fargate.state}, ${tasks}.` : "Balancer and Fargate do not exist."),
    );
  };
};

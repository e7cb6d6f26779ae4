/** Runs in the report's page: draws what `simulate-report.ts` has put into it. */
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const root = document.getElementById("report");
  const palette = ["#d6336c", "#2f7de1", "#e8871e", "#8b5cf6", "#0e9aa7", "#b08900"];
  const own = { "always Lambda": "#7c8794", "always Fargate": "#a3adb8", optimum: "#128a53" };
  let used = 0;
  const colours = data.courses.map(({ name }) => own[name] ?? palette[used++ % palette.length]);
  const firstPolicy = data.courses.findIndex(({ name }) => !/^(always|optimum)/.test(name));
  let chosen = Math.max(0, firstPolicy);
  let plots = [];
  /** What the two buttons above the plots have set. */
  const shown = { curved: false, above: false };

  const element = (tag, attributes = {}, ...children) => {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    made.append(...children);
    return made;
  };
  const theme = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const swatch = (colour) => element("span", { class: "swatch", style: `background:${colour}` });
  const usd = (value) => {
    const size = Math.abs(value);
    const digits = size >= 1000 ? 0 : size >= 1 || size === 0 ? 2 : 4;
    const options = { minimumFractionDigits: digits, maximumFractionDigits: digits };
    return `${value.toLocaleString("en-US", options)} USD`;
  };
  const rate = (value) =>
    `${value.toLocaleString("en-US", { maximumFractionDigits: value < 10 ? 2 : 1 })} /s`;

  // A trace may count its seconds from its own start: then days are counted and not dated.
  const dated = data.times[0] > 86400 * 365;
  const two = (value) => String(value).padStart(2, "0");
  const time = (seconds) => {
    const at = new Date(seconds * 1000);
    const clock = `${two(at.getUTCHours())}:${two(at.getUTCMinutes())}`;
    if (dated) return `${at.toISOString().slice(0, 10)} ${clock} UTC`;
    return `day ${Math.floor(seconds / 86400) + 1}, ${clock}`;
  };

  const tickTime = (seconds, span) => {
    if (span > 3 * 86400)
      return time(seconds)
        .slice(0, dated ? 10 : undefined)
        .split(",")[0];
    return time(seconds).replace(" UTC", "");
  };

  /** The table is the legend: its buttons choose whose tiers colour the traffic. */
  const table = () => {
    const rows = data.courses.map((course, at) => {
      const button = element("button", { type: "button" }, swatch(colours[at]), course.name);
      button.addEventListener("click", () => choose(at));
      const ratio = course.ratio === null ? "–" : course.ratio.toFixed(3);
      const cells = [usd(course.usd), ratio, String(course.transitionsInAll)];
      const row = element("tr", {}, element("td", {}, button));
      row.append(...cells.map((cell) => element("td", {}, cell)));
      return row;
    });
    const heads = ["choice", "over the trace", "/ optimum", "transitions"];
    const head = element("tr", {}, ...heads.map((text) => element("th", { scope: "col" }, text)));
    return element("div", { class: "scroll" }, element("table", {}, head, ...rows));
  };

  const key = (colour, text) => element("span", {}, swatch(colour), text);
  const traffic = element("div", { class: "plot" });
  const money = element("div", { class: "plot" });
  const keys = element("div", { class: "keys" });
  const list = element("div", { class: "scroll" });
  const listHead = element("h2");
  const trafficHead = element("h2");

  const toggle = (name, text) => {
    const button = element("button", { type: "button", "aria-pressed": "false" }, text);
    button.addEventListener("click", () => {
      shown[name] = !shown[name];
      button.setAttribute("aria-pressed", String(shown[name]));
      draw();
    });
    return button;
  };

  const choose = (at) => {
    chosen = at;
    for (const [index, button] of [...root.querySelectorAll("td button")].entries()) {
      button.setAttribute("aria-pressed", String(index === at));
    }
    const { name, transitions, transitionsInAll } = data.courses[at];
    trafficHead.textContent = `Traffic by tier: ${name}`;
    const kept = transitionsInAll > transitions.length ? `, the first ${transitions.length}` : "";
    listHead.textContent = `Transitions of ${name}: ${transitionsInAll}${kept}`;
    const rows = transitions.map(([seconds, , reason]) =>
      element(
        "tr",
        {},
        element("td", {}, time(seconds)),
        element("td", { class: "reason" }, reason),
      ),
    );
    list.replaceChildren(rows.length === 0 ? "" : element("table", {}, ...rows));
    draw();
  };

  const axes = (unit) => {
    const stroke = theme("--faint");
    const grid = { stroke: theme("--line"), width: 1 };
    const shared = { stroke, grid, ticks: grid };
    return [
      {
        ...shared,
        space: 110,
        values: (plot, splits) =>
          splits.map((at) => tickTime(at, plot.scales.x.max - plot.scales.x.min)),
      },
      { ...shared, label: unit, labelSize: 20, size: 64 },
    ];
  };

  /** Shades the ways, marks the transitions, draws break-even. */
  const marks = (plot) => {
    const { ctx, bbox } = plot;
    const { ways, transitions } = data.courses[chosen];
    const x = (seconds) => plot.valToPos(seconds, "x", true);
    ctx.save();
    ctx.beginPath();
    ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
    ctx.clip();
    ctx.fillStyle = theme("--way");
    ctx.globalAlpha = 0.35;
    for (const [from, to] of ways) {
      ctx.fillRect(x(from), bbox.top, Math.max(1, x(to) - x(from)), bbox.height);
    }
    ctx.globalAlpha = 1;
    const size = 5 * devicePixelRatio;
    for (const [seconds, tier] of transitions) {
      ctx.fillStyle = theme(`--${tier}`);
      ctx.beginPath();
      ctx.moveTo(x(seconds) - size, bbox.top);
      ctx.lineTo(x(seconds) + size, bbox.top);
      ctx.lineTo(x(seconds), bbox.top + 2 * size);
      ctx.fill();
    }
    if (data.breakEvenRps !== null) {
      const y = plot.valToPos(data.breakEvenRps, "y", true);
      ctx.strokeStyle = theme("--even");
      ctx.lineWidth = devicePixelRatio;
      ctx.setLineDash([6 * devicePixelRatio, 4 * devicePixelRatio]);
      ctx.beginPath();
      ctx.moveTo(bbox.left, y);
      ctx.lineTo(bbox.left + bbox.width, y);
      ctx.stroke();
    }
    ctx.restore();
  };

  const line = (name, value, colour) =>
    element("div", { class: "row" }, swatch(colour), name, element("i", {}, value));

  const trafficTip = (at) => {
    const { onLambda, onFargate } = data.courses[chosen];
    return [
      element("b", {}, time(data.times[at])),
      line("on Lambda", rate(onLambda[at]), theme("--lambda")),
      line("on Fargate", rate(onFargate[at]), theme("--fargate")),
      line("busiest minute", rate(data.peakRps[at]), "transparent"),
    ];
  };
  const courses = data.courses;
  const optimum = courses.find(({ name }) => name === "optimum");
  /** What a choice has paid, or how much more than the optimum. */
  const paidBy = ({ paidUsd }) =>
    shown.above ? paidUsd.map((paid, at) => paid - optimum.paidUsd[at]) : paidUsd;
  const moneyTip = (at) => {
    const until = data.times[at] + data.pointMinutes * 60;
    const rows = courses
      .map((course, index) => ({
        name: course.name,
        paid: paidBy(course)[at],
        colour: colours[index],
      }))
      .sort((a, b) => b.paid - a.paid);
    const head = `${shown.above ? "above the optimum" : "paid"} until ${time(until)}`;
    const lines = rows.map(({ name, paid, colour }) => line(name, usd(paid), colour));
    return [element("b", {}, head), ...lines];
  };

  /** The transition under the pointer, and the way, if there is one. */
  const whyTip = (plot, left) => {
    const { transitions, ways } = data.courses[chosen];
    const distance = ([seconds]) => Math.abs(plot.valToPos(seconds, "x") - left);
    const near = transitions
      .filter((one) => distance(one) < 8)
      .sort((a, b) => distance(a) - distance(b));
    const at = plot.posToVal(left, "x");
    const way = ways.find(([from, to]) => from <= at && at < to);
    const texts = near.slice(0, 2).map(([seconds, , reason]) => `${time(seconds)}: ${reason}`);
    if (near.length > 2) texts.push(`and ${near.length - 2} more here: drag to zoom in`);
    if (way !== undefined) texts.push(`${way[2]}: Lambda serves, both tiers are paid`);
    return texts.map((text) => element("div", { class: "why" }, text));
  };

  const tipFor = (linesAt, withWhy) => {
    const tip = element("div", { class: "tip" });
    return {
      hooks: {
        init: (plot) => plot.over.append(tip),
        setCursor: (plot) => {
          const { left, top, idx } = plot.cursor;
          // The other plot's pointer moves this one's too: only the one pointed at explains.
          const hidden = idx == null || left < 0 || !plot.over.matches(":hover");
          tip.style.display = hidden ? "none" : "block";
          if (hidden) return;
          tip.replaceChildren(...linesAt(idx), ...(withWhy ? whyTip(plot, left) : []));
          const { width, height } = plot.over.getBoundingClientRect();
          const x = left + 16 + tip.offsetWidth > width ? left - 16 - tip.offsetWidth : left + 16;
          tip.style.left = `${Math.max(0, x)}px`;
          tip.style.top = `${Math.max(0, Math.min(top, height - tip.offsetHeight))}px`;
        },
      },
    };
  };

  const sync = uPlot.sync("time");
  const shared = (curved) => ({
    width: Math.max(320, root.clientWidth),
    legend: { show: false },
    // asinh is a logarithm that has a zero.
    scales: {
      x: { time: dated },
      y: curved ? { distr: 4, asinh: 1, range: (_plot, _min, max) => [0, 1.2 * max] } : {},
    },
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC"),
    cursor: { sync: { key: sync.key }, points: { size: 6 }, drag: { x: true, y: false } },
  });

  /** A zoom of one plot is a zoom of both. */
  let zooming = false;
  const together = (plot, scale) => {
    if (scale !== "x" || zooming) return;
    zooming = true;
    const { min, max } = plot.scales.x;
    for (const other of plots) if (other !== plot) other.setScale("x", { min, max });
    zooming = false;
  };

  const draw = () => {
    const { min, max } = plots[0]?.scales.x ?? {};
    for (const plot of plots) plot.destroy();
    plots = [];
    const lambda = theme("--lambda");
    const fargate = theme("--fargate");
    keys.replaceChildren(
      key(lambda, "served by Lambda"),
      key(fargate, "served by Fargate"),
      key(theme("--way"), "deploying or draining: both are paid"),
      key(
        theme("--even"),
        `break-even ${data.breakEvenRps === null ? "never" : rate(data.breakEvenRps)}`,
      ),
      element("span", {}, "▼ decision: hover for its reason · drag to zoom, double click for all"),
    );
    const { onLambda, onFargate } = data.courses[chosen];
    const total = onLambda.map((value, at) => value + onFargate[at]);
    const stepped = uPlot.paths.stepped({ align: 1 });
    const area = (colour) => ({
      stroke: colour,
      fill: colour,
      width: 1,
      paths: stepped,
      points: { show: false },
    });
    plots.push(
      new uPlot(
        {
          ...shared(shown.curved),
          height: 300,
          axes: axes("requests/s"),
          series: [{}, area(fargate), area(lambda)],
          hooks: { draw: [marks], setScale: [together] },
          plugins: [tipFor(trafficTip, true)],
        },
        [data.times, total, onLambda],
        traffic,
      ),
    );
    const curve = (colour, at) => ({
      stroke: colour,
      width: at === chosen ? 3 : 1.5,
      dash: /^always/.test(data.courses[at].name) ? [6, 4] : undefined,
      points: { show: false },
    });
    plots.push(
      new uPlot(
        {
          ...shared(false),
          height: 320,
          axes: axes(shown.above ? "USD above the optimum" : "USD so far"),
          series: [{}, ...colours.map(curve)],
          hooks: { setScale: [together] },
          plugins: [tipFor(moneyTip, false)],
        },
        [data.times, ...courses.map(paidBy)],
        money,
      ),
    );
    if (min != null) plots[0].setScale("x", { min, max });
  };

  const { pointMinutes } = data;
  const span = pointMinutes === 1 ? "a minute" : `the mean of ${pointMinutes} minutes`;
  const grain = `Each point is ${span}.`;
  root.append(
    table(),
    trafficHead,
    keys,
    toggle("curved", "logarithmic"),
    traffic,
    element("p", { class: "note" }, grain),
    element("h2", {}, "Cumulative cost of each choice"),
    toggle("above", "above the optimum"),
    money,
    listHead,
    list,
  );
  choose(chosen);
  addEventListener("resize", () => {
    for (const plot of plots)
      plot.setSize({ width: Math.max(320, root.clientWidth), height: plot.height });
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
})();

/** The lane below the traffic: which phase when, and each event with its reason. */
import { axisPx, edgePx } from "./charts.js";
import { phaseSpans } from "./columns.js";
import { byId, html, say } from "./dom.js";
import { capital, span, tierNames } from "./format.js";

/** More than this nobody can tell apart; what is narrow gives way to what is wide. */
const shownMax = 150;

const kindOf = (record) => (record.type === "alarm" ? "alarm" : record.event.type);
const atOf = (record) => record.atMs ?? record.event.atMs;

/** What a record of the history says. */
export const sentence = (record) =>
  record.type === "alarm" ? `alarm ${record.name}: ${record.state}` : capital(record.event.message);

/** Events and alarms without those that merely say that nothing is wrong yet. */
export const newsOf = (events) => {
  const alarmed = new Set();
  return events.filter(({ type, name, state }) => {
    if (type !== "alarm") return true;
    if (state === "ALARM") alarmed.add(name);
    return state === "ALARM" || (state === "OK" && alarmed.delete(name));
  });
};

/** The spans that can still be told apart. */
const widest = (spans) => spans.sort((a, b) => b.to - b.from - (a.to - a.from)).slice(0, shownMax);

/** Marks that would lie on each other are one, which tells of all. */
const clustered = (marks, lanePx) => {
  const clusters = [];
  for (const mark of marks) {
    const last = clusters.at(-1);
    if (last !== undefined && (mark.at - last.at) * lanePx < 11) {
      last.why += `\n${mark.why}`;
      if (mark.kind === "failure" || mark.kind === "decision") last.kind = mark.kind;
    } else clusters.push({ ...mark });
  }
  return clusters;
};

/** Creates the lane; `state` gives the history, the span and how times are written. */
export const createLane = (state) => {
  const root = byId("lane");
  const phases = html("div", { class: "phases" });
  const marks = html("div", { class: "marks" });
  const tip = html("div", { class: "lane-tip", role: "tooltip", id: "lane-tip", hidden: true });
  root.append(phases, marks, tip);
  root.style.marginLeft = `${axisPx}px`;
  root.style.marginRight = `${edgePx}px`;
  let drawn = "";

  const show = (event) => {
    const item = event.target.closest("[data-why]");
    if (item === null) return;
    say(tip, item.dataset.why);
    tip.hidden = false;
    const lane = root.getBoundingClientRect();
    const at = item.getBoundingClientRect();
    const middle = at.left - lane.left + at.width / 2;
    const left = Math.min(Math.max(0, middle - tip.offsetWidth / 2), lane.width - tip.offsetWidth);
    tip.style.left = `${Math.max(0, left)}px`;
  };
  const hide = () => {
    tip.hidden = true;
  };
  root.addEventListener("pointerover", show);
  root.addEventListener("focusin", show);
  root.addEventListener("pointerleave", hide);
  root.addEventListener("focusout", hide);
  root.addEventListener("keydown", (event) => event.key === "Escape" && hide());

  /** What goes on gets longer words, and is still the same thing: `key` says so. */
  const item = (kind, key, why, from, width) => {
    const made = html("button", {
      type: "button",
      class: kind,
      "aria-label": why,
      "data-why": why,
      "data-key": `${kind} ${key}`,
    });
    made.style.left = `${from * 100}%`;
    if (width !== null) made.style.width = `${width * 100}%`;
    return made;
  };
  return {
    draw() {
      const [fromS, toS] = state.span();
      const history = state.history();
      const last = history.snapshots.at(-1);
      const signature = `${fromS} ${toS} ${last?.atMs} ${history.events.length}`;
      if (last === undefined || signature === drawn) return;
      drawn = signature;
      const lengthMs = Math.max(1, (toS - fromS) * 1000);
      const share = (ms) => (ms - fromS * 1000) / lengthMs;
      const words = state.words();
      const spans = phaseSpans(history)
        .map((one) => ({
          ...one,
          from: Math.max(0, share(one.fromMs)),
          to: Math.min(1, share(one.toMs)),
        }))
        .filter(({ from, to }) => to > from);
      const ways = widest(spans.filter(({ phase }) => phase !== "steady"));
      const stays = widest(spans.filter(({ phase }) => phase === "steady"));
      const focused = document.activeElement?.dataset?.key;
      phases.replaceChildren(
        ...[...ways, ...stays]
          .sort((a, b) => a.from - b.from)
          .map(({ phase, fromMs, toMs, from, to, reason, target }) => {
            const rests = phase === "steady";
            const tier = tierNames[target];
            const what = rests ? `Steady on ${tier}` : `${capital(phase)} towards ${tier}`;
            const because = reason === "" ? "" : ` ${capital(reason)}`;
            const why = `${words.text(fromMs)} · ${what}, ${span(toMs - fromMs)}.${because}`;
            const made = item(
              rests ? `stay ${target}` : `phase ${phase}`,
              fromMs,
              why,
              from,
              to - from,
            );
            const label = rests ? `on ${tier}` : phase;
            const fits = (to - from) * root.clientWidth > 14 + 7 * label.length;
            if (fits) made.append(html("span", {}, label));
            return made;
          }),
      );
      const seen = newsOf(history.events)
        .filter((record) => kindOf(record) !== "notice")
        .map((record) => ({
          at: share(atOf(record)),
          atMs: atOf(record),
          kind: kindOf(record),
          why: `${words.text(atOf(record))} · ${sentence(record)}`,
        }))
        .filter(({ at }) => at >= 0 && at <= 1)
        .slice(-shownMax);
      marks.replaceChildren(
        ...clustered(seen, root.clientWidth).map(({ at, atMs, kind, why }) =>
          item(`mark ${kind}`, atMs, why, at, null),
        ),
      );
      if (focused === undefined) return;
      for (const one of root.querySelectorAll("[data-why]")) {
        if (one.dataset.key === focused) one.focus();
      }
    },
  };
};

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

/** Alarms that merely begin to know something are no news. */
export const isNews = (record) => record.type !== "alarm" || record.state !== "INSUFFICIENT_DATA";

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

  const item = (kind, why, from, width) => {
    const made = html("button", {
      type: "button",
      class: kind,
      "aria-label": why,
      "data-why": why,
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
        .filter(({ from, to, phase }) => to > from && phase !== "steady")
        .sort((a, b) => b.to - b.from - (a.to - a.from))
        .slice(0, shownMax)
        .sort((a, b) => a.from - b.from);
      const focused = document.activeElement?.dataset?.why;
      phases.replaceChildren(
        ...spans.map(({ phase, fromMs, toMs, from, to, reason, target }) => {
          const towards = `${capital(phase)} towards ${tierNames[target]}`;
          const lasted = span(toMs - fromMs);
          const why = `${words.text(fromMs)} · ${towards}, ${lasted}. ${capital(reason)}`;
          const made = item(`phase ${phase}`, why, from, to - from);
          made.append(html("span", {}, phase));
          return made;
        }),
      );
      const seen = history.events
        .filter((record) => isNews(record) && kindOf(record) !== "notice")
        .filter((record) => share(atOf(record)) >= 0 && share(atOf(record)) <= 1)
        .slice(-shownMax);
      marks.replaceChildren(
        ...seen.map((record) => {
          const why = `${words.text(atOf(record))} · ${sentence(record)}`;
          return item(`mark ${kindOf(record)}`, why, share(atOf(record)), null);
        }),
      );
      if (focused === undefined) return;
      for (const one of root.querySelectorAll("[data-why]")) {
        if (one.dataset.why === focused) one.focus();
      }
    },
  };
};

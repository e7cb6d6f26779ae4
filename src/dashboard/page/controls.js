/** What a person may ask of a running system. */
import { byId, say } from "./dom.js";
import { tierNames } from "./format.js";

/** Sends one wish; resolves with what will happen, or with why nothing will. */
const ask = async (command) => {
  const response = await fetch("control", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(command),
  });
  return await response.json();
};

/** Wires the controls that `setup` allows; the returned function shows a snapshot in them. */
export const createControls = ({ controls }) => {
  const may = (type) => controls.includes(type);
  const root = byId("controls");
  root.hidden = controls.length === 0;
  const shift = byId("shift");
  const load = byId("load");
  const answer = byId("answer");
  shift.hidden = !may("shift");
  byId("pins").hidden = !may("pin");
  let target = "lambda";
  /** What was asked for and is not seen yet: the radio buttons must not jump back meanwhile. */
  let asked = null;

  const send = async (command) => {
    say(answer, "…");
    answer.dataset.ok = "yes";
    try {
      const { ok, message } = await ask(command);
      say(answer, message);
      answer.dataset.ok = ok ? "yes" : "no";
      if (!ok) asked = null;
    } catch {
      say(answer, "Nobody answers: is it still running?");
      answer.dataset.ok = "no";
      asked = null;
    }
  };
  shift.addEventListener("click", () => {
    send({ type: "shift", tier: target === "lambda" ? "fargate" : "lambda" });
  });
  byId("pins").addEventListener("change", ({ target: { value } }) => {
    asked = { value, untilMs: performance.now() + 3000 };
    send(value === "auto" ? { type: "auto" } : { type: "pin", tier: value });
  });
  const showLoad = (factor) => say(byId("load-value"), `${factor.toFixed(1)} ×`);
  load.addEventListener("input", () => showLoad(Number(load.value)));
  load.addEventListener("change", () => send({ type: "load", factor: Number(load.value) }));

  return (snapshot) => {
    if (root.hidden) return;
    target = snapshot.target;
    const other = target === "lambda" ? "fargate" : "lambda";
    say(shift, `Shift to ${tierNames[other]} now`);
    const { override, loadFactor } = snapshot;
    const pinned = override !== null && override.untilMs === null;
    const value = pinned ? override.tier : "auto";
    if (asked !== null && (asked.value === value || performance.now() > asked.untilMs))
      asked = null;
    const radio = root.querySelector(`input[value="${asked?.value ?? value}"]`);
    if (radio !== null && !radio.checked) radio.checked = true;
    byId("load-row").hidden = loadFactor === null || !may("load");
    if (loadFactor !== null && document.activeElement !== load) {
      load.value = String(loadFactor);
      showLoad(loadFactor);
    }
  };
};

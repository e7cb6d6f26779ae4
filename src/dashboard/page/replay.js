/** The time slider of a run that is over. */
import { byId, say } from "./dom.js";

/** Real time in which a whole run is played. */
const playMs = 40_000;

/** Wires the slider over `from` to `to`; `move` is called with each moment that is looked at. */
export const createReplay = (words, move) => {
  const root = byId("replay");
  const slider = byId("moment");
  const play = byId("play");
  let range = { from: 0, to: 1 };
  let playing = null;

  /** The slider stands on whole steps, the run does not end on one. */
  const moment = () => {
    const ms = Number(slider.value);
    return ms + Number(slider.step) > range.to ? range.to : ms;
  };
  const show = (ms) => {
    say(byId("moment-text"), words().text(ms));
    slider.setAttribute("aria-valuetext", words().text(ms));
    move(ms);
  };
  const stop = () => {
    if (playing !== null) cancelAnimationFrame(playing);
    playing = null;
    say(play, "Play");
    play.setAttribute("aria-pressed", "false");
  };
  const advance = (beforeMs) => (nowMs) => {
    const next = Number(slider.value) + ((nowMs - beforeMs) * (range.to - range.from)) / playMs;
    slider.value = String(Math.min(range.to, next));
    show(moment());
    if (next >= range.to) stop();
    else playing = requestAnimationFrame(advance(nowMs));
  };
  slider.addEventListener("input", () => {
    stop();
    show(moment());
  });
  play.addEventListener("click", () => {
    if (playing !== null) return stop();
    if (moment() >= range.to) slider.value = String(range.from);
    say(play, "Pause");
    play.setAttribute("aria-pressed", "true");
    playing = requestAnimationFrame(advance(performance.now()));
  });
  return {
    /** Begins at the end of the run, where its sums stand. */
    open(from, to) {
      root.hidden = false;
      range = { from, to };
      slider.min = String(from);
      slider.max = String(to);
      slider.step = String(Math.max(1, Math.round((to - from) / 2000)));
      slider.value = String(to);
      stop();
      show(to);
    },
    get ms() {
      return root.hidden ? null : moment();
    },
  };
};

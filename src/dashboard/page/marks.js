/** What is drawn over the plots: thresholds, failed requests, and the moment that is looked at. */
import { theme } from "./dom.js";
import { numberTick } from "./format.js";

/** Draws lines at the thresholds, and what lies after the moment that is looked at. */
export const overlay = (kind, state) => (plot) => {
  const { ctx, bbox } = plot;
  const ratio = devicePixelRatio;
  ctx.save();
  ctx.font = `${11 * ratio}px ${theme("font")}`;
  ctx.textAlign = "left";
  for (const { at, text, colour } of kind.lines?.(state.snapshot(), state.lines()) ?? []) {
    const y = plot.valToPos(at, "y", true);
    const above = y < bbox.top;
    const lineY = Math.max(y, bbox.top + ratio);
    ctx.strokeStyle = theme(colour);
    ctx.lineWidth = ratio;
    ctx.setLineDash([5 * ratio, 4 * ratio]);
    if (!above) {
      ctx.beginPath();
      ctx.moveTo(bbox.left, lineY);
      ctx.lineTo(bbox.left + bbox.width, lineY);
      ctx.stroke();
    }
    const round = Number(at.toPrecision(3));
    const label = `${above ? "↑ " : ""}${text} ${numberTick(round, round)}`;
    // Above the line if there is room, on a ground of its own: curves may pass behind it.
    const fits = !above && lineY - 18 * ratio > bbox.top;
    const textY = fits ? lineY - 6 * ratio : lineY + 13 * ratio;
    const { width } = ctx.measureText(label);
    ctx.globalAlpha = 0.8;
    ctx.fillStyle = theme("panel");
    ctx.fillRect(bbox.left + 4 * ratio, textY - 11 * ratio, width + 6 * ratio, 15 * ratio);
    ctx.globalAlpha = 1;
    ctx.fillStyle = theme("faint");
    ctx.fillText(label, bbox.left + 7 * ratio, textY);
  }
  const nowMs = state.replayMs();
  if (nowMs !== null) {
    const x = Math.max(bbox.left, plot.valToPos(nowMs / 1000, "x", true));
    ctx.globalAlpha = 0.72;
    ctx.fillStyle = theme("panel");
    ctx.fillRect(x, bbox.top, bbox.left + bbox.width - x, bbox.height);
    ctx.globalAlpha = 1;
    ctx.fillStyle = theme("ink");
    ctx.fillRect(x - ratio / 2, bbox.top, ratio, bbox.height);
  }
  ctx.restore();
};

/** Marks where requests failed, along the top of the traffic. */
export const failures = (state) => (plot) => {
  const { time, failed } = state.columns();
  const { ctx, bbox } = plot;
  const size = 3 * devicePixelRatio;
  ctx.save();
  ctx.fillStyle = theme("bad");
  for (let at = 1; at < failed.length; at += 1) {
    if (failed[at] <= failed[at - 1]) continue;
    const x = plot.valToPos(time[at], "x", true);
    if (x >= bbox.left && x <= bbox.left + bbox.width) {
      ctx.fillRect(x - size / 2, bbox.top, size, 3 * size);
    }
  }
  ctx.restore();
};

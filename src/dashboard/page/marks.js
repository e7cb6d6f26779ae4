/** What is drawn over the plots: thresholds, failed requests, and the moment that is looked at. */
import { theme } from "./dom.js";
import { numberTick } from "./format.js";

/** Draws lines at the thresholds, and what lies after the moment that is looked at. */
export const overlay = (kind, state) => (plot) => {
  const { ctx, bbox } = plot;
  const ratio = devicePixelRatio;
  ctx.save();
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
  ctx.font = `${11 * ratio}px ${theme("font")}`;
  ctx.textAlign = "left";
  ctx.lineJoin = "round";
  const labels = [];
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
    // Above the line if there is room, with an edge of its own: curves may pass behind it.
    const fits = !above && lineY - 18 * ratio > bbox.top;
    const textY = fits ? lineY - 6 * ratio : lineY + 13 * ratio;
    // Beside a label that it would lie on.
    const crowded = labels.filter((one) => Math.abs(one.y - textY) < 13 * ratio);
    const x = Math.max(bbox.left + 7 * ratio, ...crowded.map(({ to }) => to + 12 * ratio));
    labels.push({ y: textY, to: x + ctx.measureText(label).width });
    ctx.setLineDash([]);
    ctx.lineWidth = 4 * ratio;
    ctx.strokeStyle = theme("panel");
    ctx.strokeText(label, x, textY);
    ctx.fillStyle = theme("ink");
    ctx.fillText(label, x, textY);
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
    if (failed[at - 1] === null || failed[at] <= failed[at - 1]) continue;
    const x = plot.valToPos(time[at], "x", true);
    if (x >= bbox.left && x <= bbox.left + bbox.width) {
      ctx.fillRect(x - size / 2, bbox.top, size, 3 * size);
    }
  }
  ctx.restore();
};

/** Several runs of one load side by side: the table that chooses which one is looked at. */
import { byId, html } from "./dom.js";
import { count, usd } from "./format.js";

/** Shows the choices, cheapest first; `onChoose` is called with the index of one. */
export const createChoices = (choices, onChoose) => {
  byId("choices").hidden = false;
  const order = choices.map((_, at) => at).sort((a, b) => choices[a].usd - choices[b].usd);
  const buttons = [];
  const rows = order.map((at) => {
    const { name, usd: paid, ratio, transitions } = choices[at];
    const button = html("button", { type: "button", "aria-pressed": "false" }, name);
    button.addEventListener("click", () => onChoose(at));
    buttons[at] = button;
    return html(
      "tr",
      {},
      html("th", { scope: "row" }, button),
      html("td", {}, usd(paid)),
      html("td", {}, ratio === null ? "–" : ratio.toFixed(3)),
      html("td", {}, count(transitions)),
    );
  });
  byId("choice-rows").replaceChildren(...rows);
  return (chosen) => {
    for (const [at, button] of buttons.entries()) {
      button.setAttribute("aria-pressed", String(at === chosen));
    }
  };
};

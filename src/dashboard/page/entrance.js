/** The door of a page that others can reach: changes the token behind the # for a cookie. */
import { byId, say } from "./dom.js";

const form = byId("enter");
const field = byId("token");

const refuse = (why) => {
  say(byId("why"), why);
  form.hidden = false;
  field.focus();
};

/** Without a token it asks for a cookie from before, which a link from elsewhere did not bring. */
const enter = async (token) => {
  try {
    const headers = token === "" ? {} : { authorization: `Bearer ${token}` };
    const response = await fetch("enter", { method: "POST", headers });
    const { ok } = await response.json();
    // The address without the # is what the browser keeps in its history.
    if (ok) location.replace(location.pathname);
    else if (token === "")
      refuse("Open the whole address that lambdaflex printed, or give its token.");
    else refuse("That is not the token of this run: each run has its own.");
  } catch {
    refuse("Nobody answers: is it still running?");
  }
};

/** People paste the whole address. */
const tokenIn = (text) => text.trim().replace(/^.*token=/, "");

form.addEventListener("submit", (event) => {
  event.preventDefault();
  enter(tokenIn(field.value));
});
enter(location.hash === "" ? "" : tokenIn(location.hash));
addEventListener("hashchange", () => enter(tokenIn(location.hash)));

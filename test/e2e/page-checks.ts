/** What is looked for in a page by scripts that run in it. */

/**
 * Every visible text with less contrast than WCAG AA asks for. Text that stands on a drawing is
 * measured against the panel behind it.
 */
export const tooFaint = `(() => {
  const parse = (colour) => {
    const srgb = /color\\(srgb ([\\d.]+) ([\\d.]+) ([\\d.]+)(?: \\/ ([\\d.]+))?\\)/.exec(colour);
    if (srgb) return [srgb[1] * 255, srgb[2] * 255, srgb[3] * 255, Number(srgb[4] ?? 1)];
    const [r = 0, g = 0, b = 0, a = 1] = (colour.match(/[\\d.]+/g) ?? [0, 0, 0, 0]).map(Number);
    return [r, g, b, a];
  };
  const over = ([r, g, b, a], [x, y, z]) =>
    [r * a + x * (1 - a), g * a + y * (1 - a), b * a + z * (1 - a), 1];
  const groundOf = (element) => {
    if (element === null) return [255, 255, 255, 1];
    const own = parse(getComputedStyle(element).backgroundColor);
    return own[3] === 1 ? own : over(own, groundOf(element.parentElement));
  };
  const luminance = (colour) => {
    const [r, g, b] = colour.slice(0, 3).map((part) => {
      const share = part / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const found = [];
  let looked = 0;
  while (walker.nextNode()) {
    const text = walker.currentNode.textContent.trim();
    const element = walker.currentNode.parentElement;
    if (text === "" || element.closest("script, style, noscript, .hidden, .skip")) continue;
    if (!element.checkVisibility({ visibilityProperty: true })) continue;
    const style = getComputedStyle(element);
    const drawn = element.namespaceURI.endsWith("svg");
    const ground = groundOf(element);
    const colour = over(parse(drawn ? style.fill : style.color), ground);
    const [high, low] = [luminance(colour), luminance(ground)].sort((a, b) => b - a);
    const ratio = (high + 0.05) / (low + 0.05);
    looked += 1;
    if (ratio < 4.5) found.push(text.slice(0, 30) + ": " + ratio.toFixed(2));
  }
  return { looked, found };
})()`;

/** Interactive elements without a name that a screen reader could say. */
export const nameless = `[...document.querySelectorAll(
    "button, input, select, a, summary, [tabindex]",
  )]
  .filter((one) => one.checkVisibility())
  .filter((one) => {
    const labelled = one.getAttribute("aria-label") ?? one.labels?.[0]?.textContent ?? "";
    return (labelled || one.textContent).trim() === "";
  })
  .map((one) => one.outerHTML.slice(0, 120))`;

/** Pixels by which the page is wider than its window. */
export const sideways = "document.documentElement.scrollWidth - innerWidth";

/** What sticks out of the panel that it stands in, where nothing scrolls. */
export const stickingOut = `[...document.querySelectorAll(".panel *")]
  .filter((one) => one.checkVisibility() && !one.closest(".scroll, .hidden, .plot"))
  .filter((one) => {
    const { right } = one.closest(".panel").getBoundingClientRect();
    return one.getBoundingClientRect().right > right;
  })
  .map((one) => one.outerHTML.slice(0, 120))`;

/** Whether an element lies above everything else where it is. */
export const onTop = (selector: string): string => `(() => {
  const one = document.querySelector("${selector}");
  one.style.pointerEvents = "auto";
  const { left, right, top, bottom } = one.getBoundingClientRect();
  const corners = [[left + 9, top + 9], [right - 9, top + 9], [left + 9, bottom - 9]];
  const above = corners.every(([x, y]) => one.contains(document.elementFromPoint(x, y)));
  one.style.pointerEvents = "";
  return above;
})()`;

/** Whether each visible plot has more than one colour in it. */
export const blankPlots = `[...document.querySelectorAll("canvas")].filter((canvas) => {
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  const colours = new Set(new Uint32Array(data.buffer));
  return colours.size < 8;
}).length`;

/** As much XML as AWS needs: elements and text, no attributes but a namespace. */

/** An element's children by name: text, or elements; repeated ones as a list. */
export type XmlTree = string | { readonly [name: string]: XmlTree | readonly XmlTree[] };

const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
};

/** Text as XML may contain it. */
export function escapeXml(text: string): string {
  return text.replaceAll(/[&<>"]/g, (sign) => entities[sign] ?? sign);
}

/** Writes a value; `itemName` says what the items of a list are called. */
export function writeXml(
  name: string,
  value: unknown,
  itemName: (list: string) => string | null,
): string {
  if (value === undefined || value === null) return "";
  if (Array.isArray(value)) {
    const item = itemName(name);
    // A flattened list repeats its own name.
    if (item === null) return value.map((one) => writeXml(name, one, itemName)).join("");
    return `<${name}>${value.map((one) => writeXml(item, one, itemName)).join("")}</${name}>`;
  }
  if (value instanceof Date) return `<${name}>${value.toISOString()}</${name}>`;
  if (typeof value === "object") {
    const inner = Object.entries(value).map(([key, child]) => writeXml(key, child, itemName));
    return `<${name}>${inner.join("")}</${name}>`;
  }
  return `<${name}>${escapeXml(String(value))}</${name}>`;
}

/** Reads a document into the content of its root element. */
export function readXml(text: string): XmlTree {
  const tokens = text.match(/<[^>]+>|[^<]+/g) ?? [];
  const root: Element = { name: "", children: [], text: "" };
  const open: Element[] = [root];
  for (const token of tokens) {
    if (token.startsWith("<?") || token.startsWith("<!")) continue;
    if (token.startsWith("</")) {
      open.pop();
    } else if (token.startsWith("<")) {
      const name = /^<([^\s/>]+)/.exec(token)?.[1] ?? "";
      const element: Element = { name, children: [], text: "" };
      open.at(-1)?.children.push(element);
      if (!token.endsWith("/>")) open.push(element);
    } else {
      const last = open.at(-1);
      if (last) last.text += unescapeXml(token);
    }
  }
  const first = root.children[0];
  return first ? treeOf(first) : "";
}

interface Element {
  readonly name: string;
  readonly children: Element[];
  text: string;
}

function treeOf(element: Element): XmlTree {
  if (element.children.length === 0) return element.text;
  const tree: Record<string, XmlTree | XmlTree[]> = {};
  for (const child of element.children) {
    const before = tree[child.name];
    const value = treeOf(child);
    if (before === undefined) tree[child.name] = value;
    else tree[child.name] = Array.isArray(before) ? [...before, value] : [before, value];
  }
  return tree as XmlTree;
}

function unescapeXml(text: string): string {
  return text
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&quot;", '"')
    .replaceAll("&apos;", "'")
    .replaceAll(/&#x([0-9a-fA-F]+);/g, (_, code: string) =>
      String.fromCodePoint(Number.parseInt(code, 16)),
    )
    .replaceAll(/&#(\d+);/g, (_, code: string) => String.fromCodePoint(Number(code)))
    .replaceAll("&amp;", "&");
}

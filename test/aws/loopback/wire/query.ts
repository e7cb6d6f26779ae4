/** The query protocol: form parameters in, XML out. CloudFormation, ELBv2, IAM, STS and SNS. */
import type { Protocol } from "./protocol.ts";
import { escapeXml, writeXml } from "./xml.ts";

type Tree = { [name: string]: Tree | string };

/** `A.member.1.B=x` becomes `{ A: [{ B: "x" }] }`. */
export function unflatten(parameters: URLSearchParams): Record<string, unknown> {
  const root: Tree = {};
  for (const [path, value] of parameters) {
    const parts = path.split(".");
    let at = root;
    for (const part of parts.slice(0, -1)) {
      const next = at[part];
      const child: Tree = typeof next === "object" ? next : {};
      at[part] = child;
      at = child;
    }
    at[parts.at(-1) ?? ""] = value;
  }
  return listsIn(root) as Record<string, unknown>;
}

function listsIn(tree: Tree | string): unknown {
  if (typeof tree === "string") return tree;
  const { member, entry } = tree;
  if (typeof member === "object") return itemsOf(member).map(listsIn);
  if (typeof entry === "object") {
    const pairs = itemsOf(entry).map((pair) => (typeof pair === "object" ? pair : {}));
    return Object.fromEntries(pairs.map(({ key, value }) => [String(key), listsIn(value ?? "")]));
  }
  return Object.fromEntries(Object.entries(tree).map(([name, child]) => [name, listsIn(child)]));
}

function itemsOf(numbered: Tree): readonly (Tree | string)[] {
  return Object.entries(numbered)
    .sort(([a], [b]) => Number(a) - Number(b))
    .map(([, item]) => item);
}

/** The protocol. */
export const query: Protocol = {
  parse({ body, url }) {
    const parameters = new URLSearchParams(body.length > 0 ? body.toString() : url.search);
    const { Action, Version: _version, ...input } = unflatten(parameters);
    return typeof Action === "string" ? { action: Action, input } : null;
  },
  answer(action, output, requestId) {
    const result = writeXml(`${action}Result`, output ?? {}, () => "member");
    const metadata = `<ResponseMetadata><RequestId>${requestId}</RequestId></ResponseMetadata>`;
    const body = `<${action}Response>${result}${metadata}</${action}Response>`;
    return { status: 200, headers: { "content-type": "text/xml" }, body };
  },
  fail({ code, message, status }, requestId) {
    const type = status >= 500 ? "Receiver" : "Sender";
    const text = escapeXml(message);
    const error = `<Type>${type}</Type><Code>${code}</Code><Message>${text}</Message>`;
    const id = `<RequestId>${requestId}</RequestId>`;
    const body = `<ErrorResponse><Error>${error}</Error>${id}</ErrorResponse>`;
    return { status, headers: { "content-type": "text/xml" }, body };
  },
};

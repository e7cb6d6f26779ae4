/** EC2's own protocol: the query protocol with lower-case answers and no result around them. */
import type { Protocol } from "./protocol.ts";
import { unflatten } from "./query.ts";
import { escapeXml, writeXml } from "./xml.ts";

/** The protocol. */
export const ec2Query: Protocol = {
  parse({ body }) {
    const { Action, Version: _version, ...input } = unflatten(new URLSearchParams(body.toString()));
    return typeof Action === "string" ? { action: Action, input } : null;
  },
  answer(action, output, requestId) {
    const tree = { requestId, ...(output as object) };
    const body = writeXml(`${action}Response`, tree, () => "item");
    return { status: 200, headers: { "content-type": "text/xml" }, body };
  },
  fail({ code, message, status }, requestId) {
    const error = `<Error><Code>${code}</Code><Message>${escapeXml(message)}</Message></Error>`;
    const id = `<RequestID>${requestId}</RequestID>`;
    const body = `<Response><Errors>${error}</Errors>${id}</Response>`;
    return { status, headers: { "content-type": "text/xml" }, body };
  },
};

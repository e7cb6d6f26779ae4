/** Bodies that the SDK sends in chunks with a checksum behind them. */

/** The body itself: `size in hex;signature CRLF bytes CRLF … 0 CRLF trailers`. */
export function withoutChunks(body: Buffer, headers: Readonly<Record<string, string>>): Buffer {
  if (!(headers["content-encoding"] ?? "").includes("aws-chunked")) return body;
  const parts: Buffer[] = [];
  let at = 0;
  while (at < body.length) {
    const end = body.indexOf("\r\n", at);
    if (end < 0) break;
    const size = Number.parseInt(body.toString("latin1", at, end).split(";")[0] ?? "0", 16);
    if (!(size > 0)) break;
    parts.push(body.subarray(end + 2, end + 2 + size));
    at = end + 2 + size + 2;
  }
  return Buffer.concat(parts);
}

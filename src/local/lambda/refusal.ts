/** How the front door refuses what never became a request. */
import type { Socket } from "node:net";

const parserAnswers: Readonly<Record<string, readonly [number, string]>> = {
  HPE_HEADER_OVERFLOW: [431, "Request Header Fields Too Large"],
  ERR_HTTP_REQUEST_TIMEOUT: [408, "Request Timeout"],
};

/** Answers bytes that are not HTTP and closes the connection. */
export function refuseBytes(error: Error & { code?: string }, socket: Socket, busy: boolean): void {
  // Bytes of an answer that is under way must not be followed by those of another one.
  if (busy || !socket.writable || error.code === "ECONNRESET") {
    socket.destroy();
    return;
  }
  const [status, message] = parserAnswers[error.code ?? ""] ?? [400, "Bad Request"];
  const body = JSON.stringify({ message });
  socket.end(
    `HTTP/1.1 ${status} ${message}\r\ncontent-type: application/json\r\n` +
      `content-length: ${body.length}\r\nconnection: close\r\n\r\n${body}`,
  );
}

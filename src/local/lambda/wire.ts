/**
 * A small HTTP/1.1 request reader for the Runtime API.
 *
 * The peer is one process on this machine that sends two tiny requests per invocation. Node's own
 * server spends most of its time on streams and objects that this exchange never needs, so the
 * Runtime API reads the bytes itself. Everything is bounded, and what is not HTTP throws WireError.
 */

/** A request of which every byte has arrived. */
export interface WireRequest {
  readonly method: string;
  readonly target: string;
  /** Lower-case names; of repeated headers the last one counts. Trailers are added at the end. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Buffer;
  /** The body was larger than allowed and has been thrown away. */
  readonly oversize: boolean;
  /** Bytes of the next request have arrived already. */
  readonly pipelined: boolean;
}

/** The peer does not speak HTTP/1.1, or not within the limits. */
export class WireError extends Error {
  override readonly name = "WireError";
}

/** Bounds and receivers of a reader. */
export interface ReaderOptions {
  readonly headBytesMax: number;
  readonly bodyBytesMax: number;
  readonly onRequest: (request: WireRequest) => void;
  /**
   * Asked with each head that announces a body: a receiver gets its pieces as they come, and
   * `onRequest` an empty body at its end. Pieces are never too many for a receiver.
   */
  readonly receiverOf?: (
    method: string,
    target: string,
    headers: ReadonlyMap<string, string>,
  ) => ((piece: Buffer) => void) | null;
  /** The peer waits for "100 Continue" before it sends the body. */
  readonly onContinue: () => void;
}

type State = "head" | "body" | "chunk-size" | "chunk-data" | "chunk-end" | "trailers";

const nothing: Buffer = Buffer.alloc(0);
const headEnd = Buffer.from("\r\n\r\n");
const lineEnd = Buffer.from("\r\n");
/** A chunk's size line with extensions, or a trailer line, is never longer. */
const lineBytesMax = 4096;
const headersMax = 200;
/** A runtime sends two kinds of requests; the length of its answers varies. */
const knownBlocks = 4;
const knownBlockMax = 1024;

/** Cuts a byte stream into requests; one reader per connection. */
export class RequestReader {
  readonly #options: ReaderOptions;
  #state: State = "head";
  #pending: Buffer = nothing;
  #method = "";
  #target = "";
  #headers = new Map<string, string>();
  /** Headers that came lately: a runtime repeats itself to the byte. */
  readonly #known: { readonly block: string; readonly headers: Map<string, string> }[] = [];
  #body: Buffer = nothing;
  #bodyLength = 0;
  /** Bytes of the body or of the chunk that are still to come. */
  #left = 0;
  #oversize = false;
  #receive: ((piece: Buffer) => void) | null = null;

  constructor(options: ReaderOptions) {
    this.#options = options;
  }

  /** Takes the next bytes and reports each request that they complete. */
  feed(bytes: Buffer): void {
    this.#pending = this.#pending.length === 0 ? bytes : Buffer.concat([this.#pending, bytes]);
    while (this.#step());
  }

  /** Does one piece of work; `false` when more bytes are needed. */
  #step(): boolean {
    switch (this.#state) {
      case "head":
        return this.#readHead();
      case "body":
      case "chunk-data":
        return this.#readBody();
      case "chunk-size":
        return this.#readChunkSize();
      case "chunk-end":
        return this.#readChunkEnd();
      case "trailers":
        return this.#readTrailer();
    }
  }

  #readHead(): boolean {
    const end = this.#pending.indexOf(headEnd);
    if ((end < 0 ? this.#pending.length : end) > this.#options.headBytesMax) {
      throw new WireError("the request's head is too large");
    }
    if (end < 0) return false;
    const text = this.#pending.toString("latin1", 0, end);
    this.#pending = this.#pending.subarray(end + headEnd.length);
    const line = text.indexOf("\r\n");
    const start = (line < 0 ? text : text.slice(0, line)).split(" ");
    if (start.length !== 3 || !start[0] || !start[1] || !start[2]?.startsWith("HTTP/1.")) {
      throw new WireError("the request line is malformed");
    }
    this.#method = start[0];
    this.#target = start[1];
    this.#headers = this.#headersOf(line < 0 ? "" : text.slice(line));
    this.#beginBody();
    return true;
  }

  /** Reads header lines, each with a line end before it; `block` is often the one before. */
  #headersOf(block: string): Map<string, string> {
    const known = this.#known.find((one) => one.block === block);
    if (known) return known.headers;
    this.#headers = new Map();
    const lines = block.split("\r\n");
    for (let index = 1; index < lines.length; index += 1) this.#addHeader(lines[index] ?? "");
    // Trailers would be added to a map that is kept.
    if (block.length <= knownBlockMax && !this.#headers.has("transfer-encoding")) {
      this.#known.unshift({ block, headers: this.#headers });
      this.#known.length = Math.min(this.#known.length, knownBlocks);
    }
    return this.#headers;
  }

  #addHeader(line: string): void {
    const colon = line.indexOf(":");
    const name = line.slice(0, colon).toLowerCase();
    if (colon < 1 || /[\s\0]/.test(name)) throw new WireError("a header is malformed");
    const value = line.slice(colon + 1).trim();
    if (name === "content-length" && (this.#headers.get(name) ?? value) !== value) {
      throw new WireError("the content length is ambiguous");
    }
    this.#headers.set(name, value);
  }

  #beginBody(): void {
    const length = this.#headers.get("content-length");
    const encoding = this.#headers.get("transfer-encoding");
    this.#body = nothing;
    this.#bodyLength = 0;
    this.#oversize = false;
    if (encoding !== undefined) {
      if (encoding.toLowerCase() !== "chunked" || length !== undefined) {
        throw new WireError("the body's length cannot be told");
      }
      this.#state = "chunk-size";
    } else {
      if (length !== undefined && !/^\d{1,12}$/.test(length)) {
        throw new WireError("the content length is malformed");
      }
      this.#left = length === undefined ? 0 : Number(length);
      this.#oversize = this.#left > this.#options.bodyBytesMax;
      this.#state = "body";
    }
    const { receiverOf } = this.#options;
    this.#receive = receiverOf?.(this.#method, this.#target, this.#headers) ?? null;
    if (this.#receive) this.#oversize = false;
    const waits = this.#headers.get("expect")?.toLowerCase() === "100-continue";
    if (waits && this.#pending.length === 0) this.#options.onContinue();
  }

  #readBody(): boolean {
    const whole = this.#state === "body" && this.#bodyLength === 0 && !this.#receive;
    if (whole && !this.#oversize) {
      // The usual case: everything came in one piece, and no byte needs to be copied.
      if (this.#pending.length >= this.#left) {
        this.#body = this.#pending.subarray(0, this.#left);
        this.#bodyLength = this.#left;
        this.#pending = this.#pending.subarray(this.#left);
        this.#finish();
        return true;
      }
    }
    const piece = this.#pending.subarray(0, this.#left);
    this.#append(piece);
    this.#pending = this.#pending.subarray(piece.length);
    this.#left -= piece.length;
    if (this.#left > 0) return false;
    if (this.#state === "body") this.#finish();
    else this.#state = "chunk-end";
    return true;
  }

  #append(piece: Buffer): void {
    if (this.#receive) {
      if (piece.length > 0) this.#receive(piece);
      return;
    }
    const length = this.#bodyLength + piece.length;
    if (length > this.#options.bodyBytesMax) this.#oversize = true;
    if (this.#oversize) {
      this.#body = nothing;
      return;
    }
    if (length > this.#body.length) {
      const room = Math.max(length, this.#body.length * 2, 1024);
      const grown = Buffer.allocUnsafe(Math.min(room, this.#options.bodyBytesMax));
      this.#body.copy(grown, 0, 0, this.#bodyLength);
      this.#body = grown;
    }
    piece.copy(this.#body, this.#bodyLength);
    this.#bodyLength = length;
  }

  #readChunkSize(): boolean {
    const line = this.#readLine();
    if (line === null) return false;
    const size = /^([0-9a-f]{1,8})[ \t]*(?:;.*)?$/i.exec(line)?.[1];
    if (size === undefined) throw new WireError("a chunk's size is malformed");
    this.#left = Number.parseInt(size, 16);
    this.#state = this.#left === 0 ? "trailers" : "chunk-data";
    return true;
  }

  #readChunkEnd(): boolean {
    const line = this.#readLine();
    if (line === null) return false;
    if (line !== "") throw new WireError("a chunk is longer than it said");
    this.#state = "chunk-size";
    return true;
  }

  #readTrailer(): boolean {
    const line = this.#readLine();
    if (line === null) return false;
    if (line === "") this.#finish();
    else if (this.#headers.size > headersMax) throw new WireError("too many trailers");
    else this.#addHeader(line);
    return true;
  }

  #readLine(): string | null {
    const end = this.#pending.indexOf(lineEnd);
    if ((end < 0 ? this.#pending.length : end) > lineBytesMax) {
      throw new WireError("a line is too long");
    }
    if (end < 0) return null;
    const line = this.#pending.toString("latin1", 0, end);
    this.#pending = this.#pending.subarray(end + lineEnd.length);
    return line;
  }

  #finish(): void {
    this.#state = "head";
    this.#options.onRequest({
      method: this.#method,
      target: this.#target,
      headers: this.#headers,
      body: this.#oversize ? nothing : this.#body.subarray(0, this.#bodyLength),
      oversize: this.#oversize,
      pipelined: this.#pending.length > 0,
    });
  }
}

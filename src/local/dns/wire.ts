/** DNS messages (RFC 1035, EDNS of RFC 6891) between bytes and what the zone needs to know. */
import { type Answer, AUTHORITATIVE_ANSWER, decode, encode, RECURSION_DESIRED } from "dns-packet";

/** Longest message accepted and sent: what survives every path without fragments (RFC 9715). */
export const messageBytesMax = 1232;
/** Longest answer for a client that does not say that it takes more. */
const plainBytesMax = 512;
const headerBytes = 12;

/** Numbers of the question types that are told apart. */
export const typeNumber = { A: 1, NS: 2, SOA: 6, SRV: 33, IXFR: 251, AXFR: 252, ANY: 255 } as const;

/** Numbers of the response codes in use. */
export const rcode = {
  noError: 0,
  serverFailure: 2,
  nameError: 3,
  notImplemented: 4,
  refused: 5,
} as const;

/** One question, its name in lower case without the final dot. */
export interface Question {
  readonly name: string;
  readonly type: number;
  /** 1 is IN, the Internet. */
  readonly class: number;
}

/** A query as it was read. */
export interface Query {
  readonly id: number;
  readonly opcode: number;
  readonly recursionDesired: boolean;
  /** `null` for an opcode whose sections mean something else. */
  readonly question: Question | null;
  /** The question's own bytes: it is echoed exactly, upper and lower case included. */
  readonly questionBytes: Buffer;
  /** What EDNS says, `null` without it. */
  readonly edns: { readonly version: number; readonly bytesMax: number } | null;
}

/** The sections of an answer. */
export interface Reply {
  readonly rcode: number;
  readonly authoritative: boolean;
  readonly answers: readonly Answer[];
  readonly authorities: readonly Answer[];
  readonly additionals: readonly Answer[];
}

/** Reads a query; `null` for anything that deserves no answer. */
export function readQuery(packet: Buffer): Query | null {
  if (packet.length < headerBytes || packet.length > messageBytesMax) return null;
  const flags = packet.readUInt16BE(2);
  const isResponse = (flags & 0x8000) !== 0;
  const isTruncated = (flags & 0x0200) !== 0;
  // Answering a response invites two servers to talk to each other for ever.
  if (isResponse || isTruncated) return null;
  const head = {
    id: packet.readUInt16BE(0),
    opcode: (flags >> 11) & 0xf,
    recursionDesired: (flags & RECURSION_DESIRED) !== 0,
  };
  if (head.opcode !== 0) {
    return { ...head, question: null, questionBytes: Buffer.alloc(0), edns: null };
  }
  if (packet.readUInt16BE(4) !== 1) return null;
  const read = readQuestion(packet);
  if (read === null) return null;
  const edns = readEdns(packet);
  if (edns === undefined) return null;
  const questionBytes = packet.subarray(headerBytes, read.end);
  return { ...head, question: read.question, questionBytes, edns };
}

function readQuestion(packet: Buffer): { question: Question; end: number } | null {
  const labels: string[] = [];
  let offset = headerBytes;
  for (;;) {
    const length = packet[offset];
    // A compressed name can not come first: there is nothing before it to point to.
    if (length === undefined || length > 63) return null;
    offset += 1;
    if (length === 0) break;
    if (offset + length > packet.length) return null;
    const label = packet.toString("latin1", offset, offset + length);
    labels.push(label.replaceAll(".", "\\."));
    offset += length;
    if (offset - headerBytes > 254) return null;
  }
  if (offset + 4 > packet.length) return null;
  const name = labels.join(".").toLowerCase();
  const type = packet.readUInt16BE(offset);
  return { question: { name, type, class: packet.readUInt16BE(offset + 2) }, end: offset + 4 };
}

/** `undefined` when the message does not parse to its last byte. */
function readEdns(packet: Buffer): Query["edns"] | undefined {
  try {
    const { additionals = [] } = decode(packet);
    if (decode.bytes !== packet.length) return undefined;
    const options = additionals.filter((record) => record.type === "OPT");
    if (options.length > 1) return undefined;
    const option = options[0];
    if (!option) return null;
    return { version: option.ednsVersion, bytesMax: option.udpPayloadSize };
  } catch {
    // The decoder throws at the first byte that makes no sense.
    return undefined;
  }
}

/** Writes the answer to `query`, within what its sender accepts. */
export function writeReply(query: Query, reply: Reply): Buffer {
  const asked = query.edns?.bytesMax ?? plainBytesMax;
  const bytesMax = Math.min(messageBytesMax, Math.max(plainBytesMax, asked));
  const whole = writeSections(query, reply);
  if (whole.length <= bytesMax) return whole;
  const bare = writeSections(query, { ...reply, answers: [], authorities: [], additionals: [] });
  // TC: the answer exists but does not fit.
  bare.writeUInt16BE(bare.readUInt16BE(2) | 0x0200, 2);
  return bare;
}

function writeSections(query: Query, reply: Reply): Buffer {
  const badVersion = query.edns !== null && query.edns.version !== 0;
  const option: Answer = {
    type: "OPT",
    name: ".",
    udpPayloadSize: messageBytesMax,
    // BADVERS is 16: its upper bits travel here, its lower four in the header are 0.
    extendedRcode: badVersion ? 1 : 0,
    ednsVersion: 0,
    flags: 0,
    flag_do: false,
    options: [],
  };
  const message = encode({
    type: "response",
    id: query.id,
    flags:
      (query.opcode << 11) |
      (query.recursionDesired ? RECURSION_DESIRED : 0) |
      (reply.authoritative && !badVersion ? AUTHORITATIVE_ANSWER : 0) |
      (badVersion ? 0 : reply.rcode),
    answers: badVersion ? [] : [...reply.answers],
    authorities: badVersion ? [] : [...reply.authorities],
    additionals: [...(badVersion ? [] : reply.additionals), ...(query.edns ? [option] : [])],
  });
  if (query.question) message.writeUInt16BE(1, 4);
  const sections = message.subarray(headerBytes);
  return Buffer.concat([message.subarray(0, headerBytes), query.questionBytes, sections]);
}

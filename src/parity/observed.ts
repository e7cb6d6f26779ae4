/** Requests that are replayed, and what came of them. */

/** Names and values in the order and spelling that they were sent or received in. */
export type Fields = readonly (readonly [name: string, value: string])[];

/** A request to send to every tier. */
export interface ReplayRequest {
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  readonly headers: Fields;
  /** `null` without a body. */
  readonly body: Uint8Array | null;
  /** Where it comes from, for people: `openapi`, `har`, `load`. */
  readonly origin: string;
}

/** What a client got. */
export interface Answered {
  readonly type: "answer";
  readonly status: number;
  readonly reason: string;
  readonly headers: Fields;
  readonly body: Uint8Array;
  readonly trailers: Fields;
  /** Statuses of interim answers, 100 left out. */
  readonly interim: readonly number[];
}

/** Nothing that could be called an answer came. */
export interface Unanswered {
  readonly type: "none";
  /** Why, in the words of the client. */
  readonly reason: string;
}

/** The outcome of one request on one way. */
export type Observed = Answered | Unanswered;

/** What a service saw of a request, where it can tell. */
export interface SeenRequest {
  readonly method: string;
  readonly target: string;
  readonly headers: Fields;
  /** Digest of the body, or the body. */
  readonly body: string;
  readonly trailers: Fields;
}

/** `GET /pets?limit=1`. */
export function requestText({ method, target }: ReplayRequest): string {
  return `${method} ${target.length > 80 ? `${target.slice(0, 77)}...` : target}`;
}

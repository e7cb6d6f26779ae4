/** What a wire protocol turns bytes into, and back. */

/** A request as it arrived. */
export interface Arrived {
  readonly method: string;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** The operation that a request asks for, with its members by name. */
export interface Parsed {
  readonly action: string;
  readonly input: Readonly<Record<string, unknown>>;
}

/** A response to send. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Buffer;
}

/** Thrown by an operation: what AWS answers instead of a result. */
export class AwsError extends Error {
  readonly code: string;
  readonly status: number;
  /** Members of the error besides its message. */
  readonly members: Readonly<Record<string, unknown>>;
  constructor(
    code: string,
    message: string,
    status = 400,
    members: Readonly<Record<string, unknown>> = {},
  ) {
    super(message);
    this.name = "AwsError";
    this.code = code;
    this.status = status;
    this.members = members;
  }
}

/** One wire protocol. */
export interface Protocol {
  /** `null` for a request that means nothing in this protocol. */
  readonly parse: (request: Arrived) => Parsed | null;
  readonly answer: (action: string, output: unknown, requestId: string) => Answer;
  readonly fail: (error: AwsError, requestId: string) => Answer;
}

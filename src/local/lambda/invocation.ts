/** What travels between the front door and an environment. */

/** How Lambda answers for a function: with its payload, or with an error of the function. */
export type InvocationResult =
  | {
      readonly type: "response";
      readonly body: Buffer;
      /** The body is a JSON prelude, eight NUL bytes and the raw answer. */
      readonly streaming: boolean;
      /** The body has gone to `onPiece` already. @default false */
      readonly received?: boolean;
    }
  | { readonly type: "error"; readonly errorType: string; readonly message: string };

/** One event for the function, and who wants the answer. */
export interface Invocation {
  readonly requestId: string;
  readonly traceId: string;
  /** The event, as JSON text. */
  readonly payload: string;
  /**
   * Takes a streamed answer as it comes. `false` asks for a pause, which `resume` ends. Without it
   * the answer comes whole.
   */
  readonly onPiece?: (piece: Buffer, resume: () => void) => boolean;
  /** Called exactly once, unless the invocation was refused or cancelled. */
  readonly done: (result: InvocationResult) => void;
}

/** The largest event that Lambda takes in a synchronous invocation (6 MB). */
export const requestPayloadBytesMax: number = 6 * 1024 * 1024;

/** The largest answer that Lambda takes: 6 MB and 100 bytes, as the Runtime API words it. */
export const responsePayloadBytesMax: number = 6 * 1024 * 1024 + 100;

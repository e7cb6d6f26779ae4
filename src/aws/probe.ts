/** One request to a tier as a client makes it: real Host and server name, without its DNS. */
import { request as plainRequest } from "node:http";
import { request as tlsRequest } from "node:https";

/** What is probed. */
export interface ProbeTarget {
  /** Where to connect to. */
  readonly address: string;
  /** Scheme, Host and server name, port and path. */
  readonly url: URL;
}

/** Resolves with whether the answer was 2xx; never rejects. */
export type Probe = (target: ProbeTarget) => Promise<boolean>;

/** Longest wait for an answer: a cold start of Lambda may take it. */
const timeoutMs = 10_000;

/** The real probe. It follows no redirect and reads no body. */
export const httpProbe: Probe = ({ address, url }) =>
  new Promise((resolve) => {
    const secure = url.protocol === "https:";
    const options = {
      host: address,
      port: url.port === "" ? (secure ? 443 : 80) : Number(url.port),
      path: `${url.pathname}${url.search}`,
      method: "GET",
      headers: { host: url.host, "user-agent": "lambdaflex-probe" },
      agent: false,
      signal: AbortSignal.timeout(timeoutMs),
    };
    const sent = secure
      ? tlsRequest({ ...options, servername: url.hostname })
      : plainRequest(options);
    sent.on("response", (answer) => {
      const status = answer.statusCode ?? 0;
      // The rest of the answer does not matter, and might be long.
      answer.on("error", () => undefined);
      answer.destroy();
      resolve(status >= 200 && status < 300);
    });
    sent.on("error", () => resolve(false));
    sent.end();
  });

/** How AWS is called: bounded in time, and tried again only where that cannot do harm. */

/** What all clients share; the endpoint and the credentials come from the environment. */
export interface ClientSettings {
  readonly region: string;
}

/** What the SDK's clients take. */
export interface ClientConfiguration {
  readonly region: string;
  readonly maxAttempts: number;
  readonly retryMode: "standard";
  readonly requestHandler: {
    readonly connectionTimeout: number;
    readonly requestTimeout: number;
    readonly throwOnRequestTimeout: boolean;
  };
}

/** For reads and for writes with a token: the SDK backs off exponentially with full jitter. */
export function retrying(settings: ClientSettings): ClientConfiguration {
  return configuration(settings, 4);
}

/** For what must not happen twice: the next tick decides anew. */
export function onceOnly(settings: ClientSettings): ClientConfiguration {
  return configuration(settings, 1);
}

/** A tick must end within the controller's 55 seconds, whatever a service does. */
function configuration({ region }: ClientSettings, maxAttempts: number): ClientConfiguration {
  return {
    region,
    maxAttempts,
    retryMode: "standard",
    requestHandler: {
      connectionTimeout: 2_000,
      requestTimeout: 5_000,
      throwOnRequestTimeout: true,
    },
  };
}

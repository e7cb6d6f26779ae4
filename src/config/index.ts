/** The configuration: `lambdaflex/config`. */
import type { Config, ConfigInput } from "./types.ts";

export { type ErrorCode, errorCodes, UserError } from "./errors.ts";
export { configFiles } from "./files.ts";
export { type LoadedConfig, type LoadOptions, loadConfig } from "./load.ts";
export { nameFromFolder, parseConfig } from "./parse.ts";
export { configSchema } from "./schema.ts";
export {
  argvOf,
  engineSettings,
  envelopeVariables,
  loadMix,
  type MixedRequest,
  type ServiceFields,
  serviceFields,
} from "./settings.ts";
export { setupDigest } from "./setup.ts";
export type { Config, ConfigInput };

/** Gives `lambdaflex.config.ts` its types; returns what it is given. */
export function defineConfig<
  Input extends ConfigInput | (() => ConfigInput | Promise<ConfigInput>),
>(config: Input): Input {
  return config;
}

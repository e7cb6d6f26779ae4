/** Stacks for AWS: `lambdaflex/cdk`. */
export { FlexService, type FlexServiceProps } from "./flex-service.ts";
export type { DeploymentProps } from "./props.ts";
export {
  type FlexApp,
  flexApp,
  type Synthesised,
  type SynthOptions,
  synthesise,
} from "./synthesise.ts";

/** What a stored event must look like: the table may be edited by hand. */
import { type Check, isNumber, isPlain, isText, object, oneOf } from "../core/shape-check.ts";

/** What is wrong with a value that should be an `EngineEvent`, `null` if nothing is. */
export const eventProblem: Check = object({
  atMs: isNumber,
  type: oneOf("decision", "shift", "provision", "deprovision", "failure", "notice"),
  message: isText,
  phase: oneOf("steady", "provisioning", "shifting", "draining", "deprovisioning"),
  data: isPlain,
});

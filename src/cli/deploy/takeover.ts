/**
 * Takes a live name over. Everything is deployed by then and the old records still answer; they go
 * in the same batch that makes ours, so that there is no moment without an answer.
 */
import { GetFunctionConfigurationCommand, type LambdaClient } from "@aws-sdk/client-lambda";
import {
  ChangeResourceRecordSetsCommand,
  type ResourceRecordSet,
  Route53Client,
} from "@aws-sdk/client-route-53";
import { type DomainFacts, readDeployment } from "../../aws/deployment.ts";
import { httpProbe, type Probe } from "../../aws/probe.ts";
import { tierRecord } from "../../aws/records.ts";
import { lambdaOnly } from "../../core/index.ts";
import { toRoute53Weights } from "../../core/route.ts";
import { type Claim, readClaim, requireTakeable } from "../aws/claim.ts";
import { clientOf } from "../aws/session.ts";
import { formerText, keepFormer, keepSeconds, restoreCommand } from "./former.ts";
import type { ServiceAt } from "./service.ts";

/** What became of a live name. */
export type Takeover =
  | {
      readonly ok: true;
      readonly domain: string;
      /** Where it led, in one line. */
      readonly former: string;
      /** Clients may go on to the old service for so long. */
      readonly keepSeconds: number;
      /** The command that brings the old records back. */
      readonly undo: string;
    }
  /** The old records answer as before. */
  | { readonly ok: false; readonly domain: string; readonly reason: string };

/** What a take-over works with. */
export interface TakeoverParts
  extends Pick<ServiceAt, "loaded" | "names" | "session" | "table" | "pace"> {
  readonly lambda: LambdaClient;
  readonly say: (line: string) => void;
  /** @default real requests over HTTPS */
  readonly probe?: Probe;
}

/** A new custom domain of an API answers after a minute or two, and a first start may be slow. */
const answersWithinMs = 5 * 60_000;

/** Takes the name over if somebody else's records answer for it; `null` if none do. */
export async function takeOver(parts: TakeoverParts): Promise<Takeover | null> {
  const { session, table, pace, say } = parts;
  const facts = await domainFacts(parts);
  if (facts === null) return null;
  const claim = await readClaim(session, { id: facts.zoneId, name: "" }, facts.name);
  if (claim.foreign.length === 0) return null;
  requireTakeable(claim);
  const domain = facts.name;
  say(`${domain} leads to ${formerText(claim)}: asking the API for it before anything is moved`);
  if (!(await answers(facts, parts))) {
    const minutes = answersWithinMs / 60_000;
    const reason =
      `the API does not answer for ${domain} with 2xx within ${minutes} minutes, ` +
      "so the name still leads where it led; run lambdaflex deploy --take-domain again";
    return { ok: false, domain, reason };
  }
  // First, so that it is known whatever happens next.
  await keepFormer(table, { ...claim, atMs: pace.nowMs(), by: session.arn });
  // What the controller has made stays as it is: an AAAA record alone does not hinder it.
  const ours = claim.ours ? null : ourRecord(facts);
  const reason = await replace(parts, claim, ours);
  if (reason !== null) return { ok: false, domain, reason };
  return {
    ok: true,
    domain,
    former: formerText(claim),
    keepSeconds: keepSeconds(claim.foreign),
    undo: restoreCommand(claim, ours),
  };
}

/** What the controller was told: the target of the API and the zone. */
async function domainFacts({ lambda, names }: TakeoverParts): Promise<DomainFacts | null> {
  const command = new GetFunctionConfigurationCommand({ FunctionName: names.controllerFunction });
  const { Environment } = await lambda.send(command);
  return readDeployment(Environment?.Variables ?? {}).domain;
}

/** Asks at the API's own address, with the Host and the server name that clients will use. */
async function answers(facts: DomainFacts, parts: TakeoverParts): Promise<boolean> {
  const { loaded, pace, probe = httpProbe } = parts;
  const url = new URL(loaded.config.readiness.path, `https://${facts.name}`);
  const untilMs = pace.nowMs() + answersWithinMs;
  for (;;) {
    pace.signal.throwIfAborted();
    if (await probe({ address: facts.apiTarget, url })) return true;
    if (pace.nowMs() >= untilMs) return false;
    await pace.pause(pace.pollMs);
  }
}

/** The record that the controller makes where the name is free. */
function ourRecord(facts: DomainFacts): ResourceRecordSet {
  const api = { name: facts.apiTarget, zoneId: facts.apiTargetZone };
  return tierRecord(facts, "lambda", toRoute53Weights(lambdaOnly).lambda, api);
}

/** All of it or nothing. Resolves with why it is nothing. */
async function replace(
  { session }: TakeoverParts,
  { domain, zoneId, foreign }: Claim,
  ours: ResourceRecordSet | null,
): Promise<string | null> {
  const client = new Route53Client(clientOf(session));
  const removals = foreign.map((record) => ({
    Action: "DELETE" as const,
    ResourceRecordSet: record,
  }));
  const made = ours === null ? [] : [{ Action: "CREATE" as const, ResourceRecordSet: ours }];
  const Changes = [...removals, ...made];
  const ChangeBatch = { Comment: "lambdaflex takes the name over", Changes };
  try {
    const command = new ChangeResourceRecordSetsCommand({ HostedZoneId: zoneId, ChangeBatch });
    await client.send(command);
    return null;
  } catch (error) {
    // An answer may be lost after the change was made, and its repetition is then refused.
    const now = await readClaim(session, { id: zoneId, name: "" }, domain);
    if (now.foreign.length === 0) return null;
    const why = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    return `Route 53 refused to replace the records, which lead where they led: ${why}`;
  }
}

/** What stands in front of Lambda: an HTTP API or a REST API, with or without a domain. */
import { CfnApiMapping, CfnDomainName } from "aws-cdk-lib/aws-apigatewayv2";
import { CfnCertificate } from "aws-cdk-lib/aws-certificatemanager";
import type { CfnLogGroup } from "aws-cdk-lib/aws-logs";
import type { Construct } from "constructs";
import { addHttpApi } from "./http-api.ts";
import type { LambdaTier } from "./lambda-tier.ts";
import type { Plan } from "./plan.ts";
import { addRestApi } from "./rest-api.ts";

/** An API and its one stage. */
export interface Api {
  readonly id: string;
  readonly stage: string;
  /** Where it answers without a domain. */
  readonly url: string;
  /** How CloudWatch names it. */
  readonly dimension: { readonly name: "ApiId" | "ApiName"; readonly value: string };
}

/** The domain's side of the API. */
export interface ApiDomain {
  readonly certificateArn: string;
  /** What the Lambda record points to, and in which zone. */
  readonly target: string;
  readonly targetZone: string;
  readonly resource: CfnDomainName;
}

/** The API and, if there is one, its domain. */
export interface FrontDoor {
  readonly api: Api;
  readonly domain: ApiDomain | null;
  readonly url: string;
}

/** Makes the front door. */
export function addFrontDoor(
  scope: Construct,
  plan: Plan,
  tier: LambdaTier,
  logs: CfnLogGroup,
): FrontDoor {
  const { frontDoor, domain } = plan.config;
  const api =
    frontDoor === "http" ? addHttpApi(scope, plan, tier, logs) : addRestApi(scope, plan, tier);
  if (domain === null) return { api, domain: null, url: api.url };
  return { api, domain: addDomain(scope, plan, domain, api), url: `https://${domain}` };
}

function addDomain(scope: Construct, plan: Plan, domainName: string, api: Api): ApiDomain {
  const certificateArn = plan.config.certificateArn ?? makeCertificate(scope, plan, domainName);
  const domain = new CfnDomainName(scope, "Domain", {
    domainName,
    domainNameConfigurations: [
      { certificateArn, endpointType: "REGIONAL", securityPolicy: "TLS_1_2" },
    ],
  });
  new CfnApiMapping(scope, "Mapping", {
    apiId: api.id,
    domainName: domain.ref,
    stage: api.stage,
  });
  return {
    certificateArn,
    target: domain.attrRegionalDomainName,
    targetZone: domain.attrRegionalHostedZoneId,
    resource: domain,
  };
}

/** CloudFormation itself writes the record that proves that the domain is ours. */
function makeCertificate(scope: Construct, plan: Plan, domainName: string): string {
  const hostedZoneId = plan.hostedZoneId ?? "";
  return new CfnCertificate(scope, "Certificate", {
    domainName,
    validationMethod: "DNS",
    domainValidationOptions: [{ domainName, hostedZoneId }],
  }).ref;
}

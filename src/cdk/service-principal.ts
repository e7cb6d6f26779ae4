/** The service as CDK's grants see it: what one tier may do, the other may too. */
import {
  type AddToPrincipalPolicyResult,
  ArnPrincipal,
  type CfnManagedPolicy,
  type CfnRole,
  type IPrincipal,
  type PolicyStatement,
  PrincipalPolicyFragment,
} from "aws-cdk-lib/aws-iam";
import { Lazy, Stack } from "aws-cdk-lib/core";
import type { Construct } from "constructs";
import type { Config } from "../config/index.ts";
import { checkPolicySize } from "./policy-size.ts";
import { addServicePolicy, permissionStatements } from "./roles.ts";

/** Both roles behind one principal, whose permissions are one policy. */
export class ServicePrincipal implements IPrincipal {
  readonly assumeRoleAction = "sts:AssumeRole";
  readonly grantPrincipal: IPrincipal = this;
  /** The roles of the two tiers. */
  roles: readonly CfnRole[] = [];
  /** The policy's ARN once there is anything to allow; an empty policy is none. */
  readonly policyArns: string[];
  readonly #scope: Construct;
  readonly #statements: object[] = [];
  #policy: CfnManagedPolicy | null = null;

  constructor(scope: Construct, config: Config) {
    this.#scope = scope;
    this.policyArns = Lazy.list(
      { produce: () => (this.#policy === null ? [] : [this.#policy.ref]) },
      { omitEmpty: true },
    );
    for (const statement of permissionStatements(config)) this.#add(statement);
  }

  get principalAccount(): string {
    return Stack.of(this.#scope).account;
  }

  get policyFragment(): PrincipalPolicyFragment {
    const arns = this.roles.map(({ attrArn }) => attrArn);
    return new PrincipalPolicyFragment({ AWS: arns });
  }

  addToPrincipalPolicy(statement: PolicyStatement): AddToPrincipalPolicyResult {
    this.#add(statement.toStatementJson());
    return { statementAdded: true, ...(this.#policy && { policyDependable: this.#policy }) };
  }

  /** What identifies the service in other policies, for comparison by CDK. */
  dedupeString(): string {
    return `${this.#scope.node.path}/${ArnPrincipal.name}`;
  }

  #add(statement: object): void {
    this.#statements.push(statement);
    checkPolicySize(Stack.of(this.#scope).resolve(this.#statements));
    this.#policy ??= addServicePolicy(
      this.#scope,
      Lazy.any({ produce: () => this.#statements }) as unknown as object[],
    );
  }
}

/** An app of the CDK with a service on two tiers, and a table that both may use. */
import { AttributeType, BillingMode, Table } from "aws-cdk-lib/aws-dynamodb";
import { App, CfnOutput, RemovalPolicy, Stack } from "aws-cdk-lib/core";
import { FlexService } from "lambdaflex/cdk";

const app = new App();
// The name that `lambdaflex status`, `history` and `shift` look for.
const stack = new Stack(app, "pets-base");

const table = new Table(stack, "Pets", {
  partitionKey: { name: "id", type: AttributeType.STRING },
  billingMode: BillingMode.PAY_PER_REQUEST,
  removalPolicy: RemovalPolicy.DESTROY,
});

const service = new FlexService(stack, "Service", {
  name: "pets",
  // Pushed by your pipeline; by its digest, so that both tiers run the same.
  image: app.node.getContext("image"),
  domain: "pets.example.com",
  hostedZoneId: "Z0123456789ABCDEFGHIJ",
  readinessPath: "/healthz",
  env: { TABLE: table.tableName },
  lambdaMemoryMB: 1024,
  fargateVcpu: 1,
  fargateMemoryMB: 2048,
  thresholdsUpRequestsPerMinute: 6000,
  thresholdsDownRequestsPerMinute: 600,
});
table.grantReadWriteData(service);

for (const [name, value] of Object.entries(service.outputs)) new CfnOutput(stack, name, { value });

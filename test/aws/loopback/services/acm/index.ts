/** ACM: certificates of the account. */
import type { DescribeCertificateCommandInput } from "@aws-sdk/client-acm";
import { access, operation, type Service } from "../../service.ts";
import { json } from "../../wire/json.ts";
import { AwsError } from "../../wire/protocol.ts";

/** The service. */
export const acm: Service = {
  scope: "acm",
  protocol: json,
  operations: {
    DescribeCertificate: operation<DescribeCertificateCommandInput>(
      (input, world) => {
        const found = world.certificates.find(({ arn }) => arn === input.CertificateArn);
        if (!found) {
          throw new AwsError("ResourceNotFoundException", `Could not find ${input.CertificateArn}`);
        }
        return {
          Certificate: {
            CertificateArn: found.arn,
            DomainName: found.domain,
            SubjectAlternativeNames: [found.domain],
            Status: found.status,
            Type: "AMAZON_ISSUED",
          },
        };
      },
      (input) => access("acm:DescribeCertificate", input.CertificateArn ?? ""),
    ),
    ListCertificates: operation<object>(
      (_input, world) => ({
        CertificateSummaryList: world.certificates.map(({ arn, domain, status }) => ({
          CertificateArn: arn,
          DomainName: domain,
          Status: status,
        })),
      }),
      () => access("acm:ListCertificates", "*"),
    ),
  },
};

/** Roles that AWS services make for themselves once per account; the burst tier needs three. */
import { CreateServiceLinkedRoleCommand, IAMClient } from "@aws-sdk/client-iam";
import { asAwsMistake, isNamed } from "../aws/errors.ts";
import { clientOf, type Session } from "../aws/session.ts";
import { missingServiceRoles } from "../doctor/account.ts";

/** Makes the service-linked roles that are missing; says why one could not be made. */
export async function ensureServiceRoles(
  session: Session,
  say: (line: string) => void,
): Promise<void> {
  const client = new IAMClient(clientOf(session));
  try {
    for (const { role, service } of await missingServiceRoles(session)) {
      await client
        .send(new CreateServiceLinkedRoleCommand({ AWSServiceName: service }))
        .catch((error) => {
          // Somebody else was faster.
          if (!isNamed(error, "InvalidInputException", "InvalidInput")) throw error;
        });
      say(`made the service-linked role ${role}`);
    }
  } catch (error) {
    // They may exist although we may not look; a burst would say it if not.
    const mistake = asAwsMistake(error);
    const why = mistake instanceof Error ? mistake.message : String(mistake);
    say(`service-linked roles could not be checked: ${why}`);
  }
}

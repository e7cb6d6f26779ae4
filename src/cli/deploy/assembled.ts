/** The templates of a service in its account, in a folder for as long as they are needed. */
import { findZone } from "../aws/domain.ts";
import { inFolder, type WrittenTemplate, writeAssembly } from "./assembly.ts";
import type { ServiceAt } from "./service.ts";

/** What was synthesised. */
export interface Assembled {
  /** An assembly of the CDK. */
  readonly folder: string;
  /** Base, and burst if there is a domain. */
  readonly templates: readonly WrittenTemplate[];
}

/** Writes the templates and works with them. Without an image they ask for it. */
export async function assembled<T>(
  { loaded, session }: Pick<ServiceAt, "loaded" | "session">,
  image: string | undefined,
  work: (assembled: Assembled) => Promise<T>,
): Promise<T> {
  const { config } = loaded;
  const { domain, hostedZoneId } = config;
  const zone = domain === null ? null : await findZone(session, domain, hostedZoneId);
  return inFolder(async (folder) => {
    const { account, region } = session;
    const templates = await writeAssembly(config, {
      out: folder,
      account,
      region,
      ...(image && { image }),
      ...(zone && { hostedZoneId: zone.id }),
    });
    return work({ folder, templates });
  });
}

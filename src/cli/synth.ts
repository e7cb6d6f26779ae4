/** `lambdaflex synth`: the templates as files, without an account. */
import { resolve } from "node:path";
import { type CommandDef, defineCommand } from "citty";
import { loadConfig } from "../config/index.ts";
import { type WrittenTemplate, writeAssembly } from "./deploy/assembly.ts";
import { parseImage } from "./deploy/image.ts";
import { count } from "./screen.ts";

const args = {
  config: {
    type: "string",
    valueHint: "PATH",
    description: "Folder or file of the configuration; default here",
  },
  out: {
    type: "string",
    valueHint: "DIR",
    default: "cdk.out",
    description: "Folder for the templates and their assets",
  },
  image: {
    type: "string",
    valueHint: "REPOSITORY@sha256:DIGEST",
    description: "The image; without it the base template asks for it as a parameter",
  },
  json: { type: "boolean", description: "Print what was written as one JSON object" },
} as const;

const command: CommandDef = defineCommand({
  meta: { name: "synth", description: "The CloudFormation templates as files" },
  args,
  run: async ({ args: given }) => {
    const { config } = await loadConfig(given.config);
    const out = resolve(given.out);
    const image = given.image === undefined ? {} : { image: imageNamed(given.image) };
    const templates = await writeAssembly(config, { out, ...image });
    const result = { app: config.name, out, templates };
    const text = given.json === true ? `${JSON.stringify(result)}\n` : summary(result);
    process.stdout.write(text);
    return 0;
  },
}) as CommandDef;

export default command;

/** Without an account nobody knows its region: the image's own is as good as any. */
function imageNamed(text: string): string {
  const region = /\.dkr[.-]ecr\.([a-z0-9-]+)\./.exec(text)?.[1] ?? "";
  const { repository, digest } = parseImage(text, region);
  return `${repository.uri}@${digest}`;
}

interface Written {
  readonly app: string;
  readonly out: string;
  readonly templates: readonly WrittenTemplate[];
}

function summary({ app, out, templates }: Written): string {
  const width = Math.max(...templates.map(({ stack }) => stack.length));
  const rows = templates.map(({ stack, file, bytes }) => {
    return `  ${stack.padEnd(width)}  ${count(bytes).padStart(9)} bytes  ${file}`;
  });
  const alone = templates.length === 1 ? ["no burst template: there is no domain"] : [];
  return `${[`${app}: templates in ${out}`, ...rows, ...alone].join("\n")}\n`;
}

/** What a Dockerfile says about how its image will do on both tiers. */
import {
  type Dockerfile,
  filled,
  type ImageFacts,
  type Instruction,
  imageFacts,
  type Stage,
} from "./dockerfile.ts";
import type { Hit } from "./finding.ts";

/** What the configuration says about the image. */
export interface ImageWishes {
  readonly port: number;
  readonly architecture: "arm64" | "x86_64";
}

/** All hits in a Dockerfile. */
export function imageHits(dockerfile: Dockerfile, wishes: ImageWishes): readonly Hit[] {
  const facts = imageFacts(dockerfile);
  return [
    ...adapterHits(facts),
    ...userHits(facts),
    ...shellHits(facts),
    ...tagHits(dockerfile, facts),
    ...portHits(facts, wishes.port),
    ...platformHits(facts, wishes.architecture),
    ...listenHits(facts),
    ...keepAliveHits(facts),
  ];
}

/** Where a stage's process begins, for hits that concern it as a whole. */
const endOf = ({ chain, cmd, entrypoint }: ImageFacts): number =>
  (cmd ?? entrypoint ?? chain.at(-1))?.line ?? 1;

const adapterFile =
  /lambda-adapter|lambdaflex|bootstrap(?:\.m?js)?\b|aws-lambda-rie|\/entrypoint\.sh/;
/** AWS's own base images begin with a runtime interface client. */
const runtimeBase =
  /(?:^|\/)(?:public\.ecr\.aws\/)?lambda\/(?:nodejs|python|java|ruby|dotnet|provided|go)\b/;

function adapterHits(facts: ImageFacts): readonly Hit[] {
  const { base, copies, entrypoint, cmd } = facts;
  const texts = [...copies, entrypoint, cmd].map((instruction) => instruction?.text ?? "");
  const runs = facts.chain.flatMap(({ instructions }) =>
    instructions.filter(({ keyword }) => keyword === "RUN").map(({ text }) => text),
  );
  if (runtimeBase.test(base)) return [];
  if ([...texts, ...runs].some((text) => adapterFile.test(text))) return [];
  const message = "the final image contains no bootstrap and no Lambda Web Adapter";
  return [{ rule: "image-adapter-missing", line: endOf(facts), message }];
}

function userHits(facts: ImageFacts): readonly Hit[] {
  const { user, env, base } = facts;
  if (user === null) {
    if (runtimeBase.test(base) || /nonroot/.test(base)) return [];
    const message = "no USER: the service runs as root";
    return [{ rule: "image-root-user", line: facts.chain.at(-1)?.line ?? 1, message }];
  }
  const [name = ""] = filled(user.text, env).split(":");
  if (name !== "root" && name !== "0") return [];
  return [{ rule: "image-root-user", line: user.line, message: `USER ${name}` }];
}

/** The script of `["sh", "-c", script]`, or of the shell form. */
function scriptOf(instruction: Instruction | null): string | null {
  if (instruction === null) return null;
  const { words, text } = instruction;
  if (words === null) return text;
  const [program = "", flag, script] = words;
  return /(?:^|\/)(?:ba|da|a)?sh$/.test(program) && flag === "-c" ? (script ?? "") : null;
}

/** A shell replaces itself by the last command only when it is told to. */
function keepsShell(script: string): boolean {
  const last = script.split(/&&|;|\n/).at(-1) ?? "";
  return !/^\s*(?:\w+=\S*\s+)*exec\s/.test(last);
}

function shellHits({ cmd, entrypoint }: ImageFacts): readonly Hit[] {
  // In the shell form of ENTRYPOINT the command is not even looked at.
  const both = entrypoint?.words === null ? [entrypoint] : [entrypoint, cmd];
  return both.flatMap((instruction) => {
    const script = scriptOf(instruction);
    if (instruction === null || script === null || !keepsShell(script)) return [];
    const { keyword, line } = instruction;
    const message = `${keyword} runs a shell in front of the service: ${shortened(script)}`;
    return [{ rule: "image-shell-form" as const, line, message }];
  });
}

function tagHits({ stages }: Dockerfile, { chain }: ImageFacts): readonly Hit[] {
  const names = new Set(stages.map(({ name }) => name));
  const copied = new Set(
    chain.flatMap(({ instructions }) =>
      instructions.flatMap(({ flags }) => (flags.from === undefined ? [] : [flags.from])),
    ),
  );
  const counts = (stage: Stage): boolean => chain.includes(stage) || copied.has(stage.name);
  return stages.flatMap((stage) => {
    const { base, line } = stage;
    const isStage = names.has(base.toLowerCase()) || base === "scratch";
    if (!counts(stage) || isStage || base.includes("@sha256:")) return [];
    const tag = /:([\w][\w.-]*)$/.exec(base)?.[1];
    const message = `${base} is pinned to no digest`;
    const floats = tag === undefined || tag === "latest";
    if (!floats) return [{ rule: "image-tag-floating" as const, line, message }];
    return [{ rule: "image-tag-floating" as const, line, message, level: "warning" as const }];
  });
}

function portHits(facts: ImageFacts, wanted: number): readonly Hit[] {
  const { exposed, env } = facts;
  const hits: Hit[] = [];
  const named = env.AWS_LWA_PORT ?? env.PORT;
  if (named !== undefined && /^\d+$/.test(named) && Number(named) !== wanted) {
    const line = lineOfVariable(facts, env.AWS_LWA_PORT === undefined ? "PORT" : "AWS_LWA_PORT");
    const message = `the image listens on ${named}, \`port\` of the configuration is ${wanted}`;
    hits.push({ rule: "image-port-mismatch", line, message });
  }
  const [first] = exposed;
  if (first && !exposed.some(({ port }) => port === wanted)) {
    const message = `EXPOSE ${first.port}, \`port\` of the configuration is ${wanted}`;
    hits.push({ rule: "image-port-mismatch", line: first.line, message });
  }
  return hits;
}

function lineOfVariable(facts: ImageFacts, name: string): number {
  const all = facts.chain.flatMap(({ instructions }) => instructions);
  const set = all.findLast(
    ({ keyword, text }) => keyword === "ENV" && new RegExp(`\\b${name}[= ]`).test(text),
  );
  return set?.line ?? endOf(facts);
}

const platforms: Readonly<Record<string, ImageWishes["architecture"]>> = {
  "linux/amd64": "x86_64",
  "linux/x86_64": "x86_64",
  "linux/arm64": "arm64",
  "linux/arm64/v8": "arm64",
  "linux/aarch64": "arm64",
};

function platformHits(
  { chain }: ImageFacts,
  architecture: ImageWishes["architecture"],
): readonly Hit[] {
  return chain.flatMap(({ platform, line }) => {
    const built = platform === null ? undefined : platforms[platform.toLowerCase()];
    if (built === undefined || built === architecture) return [];
    const message = `built for ${platform}, \`lambda.architecture\` is ${architecture}`;
    return [{ rule: "image-platform-mismatch" as const, line, message }];
  });
}

const loopback = /^(?:127\.\d+\.\d+\.\d+|localhost|::1)$/;

/** The command with the variables of the image filled in. */
function commandText({ env, entrypoint, cmd }: ImageFacts): string {
  const parts = entrypoint?.words === null ? [entrypoint] : [entrypoint, cmd];
  const texts = parts.map((part) => part?.words?.join(" ") ?? part?.text ?? "");
  return filled(texts.join(" "), env);
}

function listenHits(facts: ImageFacts): readonly Hit[] {
  const command = commandText(facts);
  const option = /(?:--(?:host|bind|address|listen)[= ]|(?<!\S)-[bH][= ])(\S+)/.exec(command)?.[1];
  const address = option?.replace(/:(?:\d+|\$\S*)?$/, "");
  const line = endOf(facts);
  if (address !== undefined) {
    if (!loopback.test(address)) return [];
    return [{ rule: "listen-loopback", line, message: `the command listens on ${address}` }];
  }
  const host = facts.env.HOST;
  if (host !== undefined && loopback.test(host)) {
    const at = lineOfVariable(facts, "HOST");
    return [{ rule: "listen-loopback", line: at, message: `HOST is ${host} in the image` }];
  }
  const runserver = /\bmanage\.py runserver(?:\s+(?!-)(\S+))?/.exec(command);
  const bound = /^(.*):\d+$/.exec(runserver?.[1] ?? "")?.[1];
  if (bound !== undefined && !loopback.test(bound)) return [];
  const silent =
    runserver?.[0] ??
    /(?:^|[\s/])(?:uvicorn|flask run|hypercorn|daphne|granian|fastapi dev)\s/.exec(
      ` ${command} `,
    )?.[0];
  if (silent === undefined) return [];
  const message = `${silent.trim().replace(/^\//, "")} listens on 127.0.0.1 unless told otherwise`;
  return [{ rule: "listen-loopback", line, message }];
}

/** Servers whose own keep-alive is shorter than the balancer's, and the option that changes it. */
const servers: readonly (readonly [name: RegExp, option: RegExp, seconds: number])[] = [
  [/(?:^|[\s/])uvicorn\s/, /--timeout-keep-alive[= ](\d+)/, 5],
  [/(?:^|[\s/])gunicorn\s/, /--keep-alive[= ](\d+)/, 2],
  [/(?:^|[\s/])hypercorn\s/, /--keep-alive[= ](\d+)/, 5],
];
const balancerIdleSeconds = 60;
const gunicornKeeps =
  /^(?!.*\s(?:-c|--config)[= ]).*\s(?:-k|--worker-class|--threads)[= ](?!sync\b)/;

function keepAliveHits(facts: ImageFacts): readonly Hit[] {
  const command = ` ${commandText(facts)} `;
  return servers.flatMap(([name, option, usual]) => {
    const server = name.exec(command)?.[0].trim().replace(/^\//, "");
    if (server === undefined) return [];
    const given = option.exec(command)?.[1];
    // Gunicorn may be told by a file, and its usual workers keep no connection at all.
    if (server === "gunicorn" && given === undefined && !gunicornKeeps.test(command)) return [];
    const seconds = given === undefined ? usual : Number(given);
    if (seconds > balancerIdleSeconds) return [];
    const message = `${server} keeps idle connections for ${seconds} s`;
    return [{ rule: "keep-alive-short" as const, line: endOf(facts), message }];
  });
}

function shortened(text: string): string {
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}

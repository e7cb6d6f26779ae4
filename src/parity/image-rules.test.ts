/** Dockerfiles: how they are read, and what they are told. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { assignments, DockerfileError, imageFacts, parseDockerfile } from "./dockerfile.ts";
import { imageHits } from "./image-rules.ts";
import type { RuleId } from "./rules.ts";

const wishes = { port: 8080, architecture: "arm64" } as const;

/** A Dockerfile that no rule objects to, with lines added at its end. */
function image(...lines: readonly string[]): string {
  const own = (keyword: string): boolean => lines.some((line) => line.startsWith(keyword));
  return [
    `FROM node:24-slim@sha256:${"0".repeat(64)}`,
    "COPY --from=lambdaflex /bootstrap.mjs /lambdaflex/bootstrap.mjs",
    ...(own("USER") ? [] : ["USER node"]),
    ...(own("ENTRYPOINT") ? [] : ['ENTRYPOINT ["node", "/lambdaflex/bootstrap.mjs", "--"]']),
    ...lines,
    ...(own("CMD") ? [] : ['CMD ["node", "server.js"]']),
  ].join("\n");
}

const rules = (text: string): readonly RuleId[] =>
  imageHits(parseDockerfile(text), wishes).map(({ rule }) => rule);

test("a good image has no finding", () => {
  assert.deepEqual(rules(image()), []);
});

const bad: readonly (readonly [RuleId, string])[] = [
  ["image-adapter-missing", 'FROM scratch\nUSER 1000\nCOPY app /app\nCMD ["/app"]'],
  ["image-root-user", image("USER root")],
  ["image-root-user", image("ENV WHO=0", "USER $WHO:0")],
  ["image-root-user", 'FROM a@sha256:1\nCOPY bootstrap.mjs /\nCMD ["node", "server.js"]'],
  ["image-shell-form", image("CMD node server.js")],
  ["image-shell-form", image('CMD ["sh", "-c", "node server.js"]')],
  ["image-shell-form", image("CMD cd app && node server.js")],
  ["image-shell-form", image("ENTRYPOINT node /lambdaflex/bootstrap.mjs -- node server.js")],
  ["image-tag-floating", image().replace(/@sha256:0+/, "")],
  ["image-tag-floating", image().replace(/:24-slim@sha256:0+/, "")],
  ["image-port-mismatch", image("EXPOSE 3000")],
  ["image-port-mismatch", image("ENV PORT=3000")],
  ["image-port-mismatch", image("ARG P=3000", "ENV AWS_LWA_PORT=$P")],
  ["image-platform-mismatch", image().replace("FROM ", "FROM --platform=linux/amd64 ")],
  ["listen-loopback", image("ENV HOST=127.0.0.1")],
  ["listen-loopback", image('CMD ["uvicorn", "app:app", "--port", "8080"]')],
  ["listen-loopback", image('CMD ["gunicorn", "-b", "127.0.0.1:8080", "app:app"]')],
  ["listen-loopback", image('CMD ["python", "manage.py", "runserver"]')],
  ["listen-loopback", image('CMD ["python", "manage.py", "runserver", "127.0.0.1:8080"]')],
  ["listen-loopback", image('CMD ["fastapi", "dev", "app.py"]')],
  ["keep-alive-short", image('CMD ["uvicorn", "app:app", "--host", "0.0.0.0"]')],
  ["keep-alive-short", image('CMD ["gunicorn", "-k", "uvicorn.workers.UvicornWorker", "a:b"]')],
  ["keep-alive-short", image('CMD ["gunicorn", "app:app", "-b", "0.0.0.0", "--keep-alive=5"]')],
];
const good: readonly (readonly [RuleId, string])[] = [
  ["image-adapter-missing", "FROM public.ecr.aws/lambda/python:3.13\nCMD app.handler"],
  ["image-adapter-missing", "FROM a\nCOPY --from=b /lambda-adapter /opt/extensions/x\nCMD x"],
  ["image-root-user", image("USER 1000:1000")],
  ["image-root-user", image("USER root", "RUN chmod 1777 /data", "USER node")],
  ["image-shell-form", image("CMD exec node server.js")],
  ["image-shell-form", image('CMD ["sh", "-c", "export A=1 && exec node server.js"]')],
  ["image-shell-form", image('SHELL ["/bin/bash", "-c"]', "RUN echo shells are fine here")],
  ["image-tag-floating", `FROM a@sha256:1 AS base\nFROM base\n`],
  ["image-tag-floating", "FROM golang:1 AS unused\nFROM scratch\nCOPY bootstrap /"],
  ["image-port-mismatch", image("EXPOSE 9090 8080/tcp")],
  ["image-port-mismatch", image("ENV PORT=8080 OTHER=9")],
  ["image-platform-mismatch", image().replace("FROM ", "FROM --platform=$BUILDPLATFORM ")],
  ["image-platform-mismatch", image().replace("FROM ", "FROM --platform=linux/arm64 ")],
  ["listen-loopback", image("ENV HOST=0.0.0.0")],
  [
    "listen-loopback",
    image("ENV HOST=0.0.0.0", 'CMD ["sh", "-c", "exec uvicorn a:b --host $HOST"]'),
  ],
  ["listen-loopback", image('CMD ["python", "manage.py", "runserver", "0.0.0.0:8080"]')],
  ["listen-loopback", image('CMD ["fastapi", "run", "app.py"]')],
  ["keep-alive-short", image('CMD ["uvicorn", "app:app", "--timeout-keep-alive", "75"]')],
  ["keep-alive-short", image('CMD ["gunicorn", "app:app", "-b", "0.0.0.0:8080"]')],
  ["keep-alive-short", image('CMD ["gunicorn", "--threads", "8", "-c", "conf.py", "a:b"]')],
];

describe("rules", () => {
  for (const [rule, text] of bad) {
    test(`${rule} bites: ${text.split("\n").at(-1)}`, () => {
      assert.ok(rules(text).includes(rule), rules(text).join(" "));
    });
  }
  for (const [rule, text] of good) {
    test(`${rule} spares: ${text.split("\n").at(-1)}`, () => {
      assert.ok(!rules(text).includes(rule), rules(text).join(" "));
    });
  }
});

describe("reading", () => {
  test("continuations, comments between them, and heredocs", () => {
    const text = [
      "# syntax=docker/dockerfile:1",
      "ARG VERSION=3.13",
      // biome-ignore lint/suspicious/noTemplateCurlyInString: a Dockerfile's own variables
      "FROM python:${VERSION:-3.12} AS Build",
      "RUN apt-get update && \\",
      "  # a comment in between",
      "  apt-get install -y x",
      "RUN <<EOF",
      "USER root",
      "EOF",
      "FROM build",
      'CMD [ "python", "app.py" ]',
    ].join("\n");
    const { stages } = parseDockerfile(text);
    assert.deepEqual(
      stages.map(({ name, base, line }) => [name, base, line]),
      [
        ["build", "python:3.13", 3],
        ["1", "build", 10],
      ],
    );
    const [run, heredoc] = stages[0]?.instructions ?? [];
    assert.match(run?.text ?? "", /^apt-get update &&\s+apt-get install -y x$/);
    assert.equal(heredoc?.line, 7);
    const facts = imageFacts({ stages });
    assert.equal(facts.base, "python:3.13");
    assert.deepEqual(facts.cmd?.words, ["python", "app.py"]);
    assert.equal(facts.user, null);
  });

  test("variables in all their forms", () => {
    const known = { A: "1", EMPTY: "" };
    // biome-ignore lint/suspicious/noTemplateCurlyInString: a Dockerfile's own variables
    const text = "B=$A C=${EMPTY:-two} D=\"three $A\" E='four $A' F=${A:+five} G=six\\ seven";
    assert.deepEqual(assignments(text, known), {
      B: "1",
      C: "two",
      D: "three 1",
      E: "four 1",
      F: "five",
      G: "six seven",
    });
    assert.deepEqual(assignments("OLD the whole line"), { OLD: "the whole line" });
  });

  test("what cannot be read says where", () => {
    const broken: readonly (readonly [string, number])[] = [
      ["", 1],
      ["# nothing", 1],
      ["FROM a\nRUNN x", 2],
      ["FROM a\n\nCMD", 3],
      ["USER x\nFROM a", 1],
      ["FROM a as", 1],
      ["FROM $MISSING", 1],
      ["FROM a\nRUN <<EOF\nx", 2],
      ["<html>", 1],
    ];
    for (const [text, line] of broken) {
      assert.throws(
        () => parseDockerfile(text),
        (error: unknown) => error instanceof DockerfileError && error.line === line,
        JSON.stringify(text),
      );
    }
  });

  test("no text brings it down", () => {
    const word = fc.constantFrom(
      "FROM",
      "RUN",
      "CMD",
      "ENV",
      "[",
      '"',
      "\\",
      "\n",
      "<<E",
      "$",
      "{",
      "=",
    );
    const text = fc
      .array(fc.oneof(word, fc.string()), { maxLength: 30 })
      .map((all) => all.join(" "));
    fc.assert(
      fc.property(text, (candidate) => {
        try {
          imageHits(parseDockerfile(`FROM a\n${candidate}`), wishes);
        } catch (error) {
          assert.ok(error instanceof DockerfileError);
        }
      }),
    );
  });
});

import assert from "node:assert/strict";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, describe, test } from "node:test";
import { textFiles } from "../../../test/sources.ts";
import { UserError } from "../../config/errors.ts";
import { parseConfig } from "../../config/index.ts";
import { detectLanguage, detectStart } from "./detect.ts";
import { exampleFolder, languages, templateFiles } from "./templates.ts";

const identity = { name: "hello", domain: null };

for (const language of languages) {
  test(`a new ${language} service is the example hello-${language}`, async () => {
    const written = await templateFiles(language, identity, null);
    for (const { path, text } of written) {
      if (path === ".gitignore") continue;
      const example = await readFile(join(exampleFolder(language), path), "utf8");
      assert.equal(text, example.replace(`"hello-${language}"`, '"hello"'), path);
    }
    const folder = `examples/hello-${language}/`;
    const example = textFiles().flatMap(({ path }) =>
      path.startsWith(folder) && !path.endsWith("README.md") ? [path.slice(folder.length)] : [],
    );
    const paths = written.map(({ path }) => path).filter((path) => path !== ".gitignore");
    assert.deepEqual(paths.toSorted(), example.toSorted());
  });

  test(`a ${language} service takes the name and the domain`, async () => {
    const renamed = { name: "shop", domain: "shop.example.com" };
    const files = await templateFiles(language, renamed, null);
    const text = files.find(({ path }) => path === "lambdaflex.json")?.text ?? "";
    const config = parseConfig(JSON.parse(text), ".", "lambdaflex.json");
    assert.deepEqual([config.name, config.domain], ["shop", "shop.example.com"]);
  });
}

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "lambdaflex-init-"));
});
after(() => rm(folder, { recursive: true, force: true }));

async function project(files: Readonly<Record<string, string>>): Promise<string> {
  const path = await mkdtemp(join(folder, "project-"));
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(path, name)), { recursive: true });
    await writeFile(join(path, name), text);
  }
  return path;
}

const fastapi = `from fastapi import FastAPI\napp = FastAPI()\n@app.get("/health")\n`;
const flask = "from flask import Flask\nweb = Flask(__name__)\n";
const venv = "python3 -m venv .venv && .venv/bin/pip install -r requirements.txt";

describe("an existing project", () => {
  const cases: readonly (readonly [string, Readonly<Record<string, string>>, unknown])[] = [
    [
      "a start script that is node",
      {
        "package.json": '{"scripts":{"start":"node --enable-source-maps main.js"}}',
        "package-lock.json": "{}",
        "main.js": 'if (path === "/healthz") {}',
      },
      ["node", "node --enable-source-maps main.js", "npm ci", "/healthz"],
    ],
    [
      "another start script",
      { "package.json": '{"scripts":{"start":"next start -p $PORT"}}' },
      ["node", "npm start", null, "/"],
    ],
    [
      "a main file",
      { "package.json": '{"main":"src/server.js"}', "src/server.js": "" },
      ["node", "node src/server.js", null, "/"],
    ],
    ["a manifest alone", { "package.json": "{}" }, ["node", null]],
    [
      "FastAPI",
      { "requirements.txt": "fastapi\nuvicorn\n", "main.py": fastapi },
      [
        "python",
        ".venv/bin/uvicorn main:app --port $PORT --timeout-keep-alive 75",
        venv,
        "/health",
      ],
    ],
    [
      "Flask with gunicorn",
      { "requirements.txt": "flask\ngunicorn==23\n", "app.py": flask },
      [
        "python",
        ".venv/bin/gunicorn app:web --keep-alive 75 --worker-class gthread --bind 127.0.0.1:$PORT",
        venv,
        "/",
      ],
    ],
    [
      "a Go command in a folder of its own",
      { "go.mod": "module x\n", "cmd/api/main.go": 'package main\n// "/readyz"\n' },
      [
        "go",
        "go build -o .lambdaflex/service ./cmd/api && exec .lambdaflex/service",
        "go build -o .lambdaflex/service ./cmd/api",
        "/readyz",
      ],
    ],
    ["an empty folder", {}, [null]],
  ];
  for (const [name, files, expected] of cases) {
    test(name, async () => {
      const path = await project(files);
      const language = await detectLanguage(path);
      const start = language && (await detectStart(path, language));
      const found = start && [start.command, start.setup, start.readiness];
      assert.deepEqual([language, ...(found ?? (language ? [null] : []))], expected);
      if (language === null || start === null) return;
      const written = await templateFiles(language, identity, start);
      const config = written.find(({ path: file }) => file === "lambdaflex.json");
      parseConfig(JSON.parse(config?.text ?? ""), path, "lambdaflex.json");
      const dockerfile = written.find(({ path: file }) => file === "Dockerfile")?.text ?? "";
      assert.match(dockerfile, new RegExp(`READINESS_CHECK_PATH=${start.readiness}\\b|=/ `));
      assert.ok(dockerfile.includes(`"exec ${start.inImage}"`), dockerfile);
    });
  }

  test("two languages have to be told apart by the user", async () => {
    const path = await project({ "package.json": "{}", "go.mod": "module x\n" });
    await assert.rejects(detectLanguage(path), (error) => {
      assert.ok(error instanceof UserError);
      assert.equal(error.code, "LANGUAGE_UNCLEAR");
      assert.match(error.message, /go\.mod and package\.json/);
      return true;
    });
  });
});

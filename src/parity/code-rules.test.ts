/** Each rule bites on its bad samples and spares its good ones, in each language it knows. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { codeHits } from "./code-rules.ts";
import type { CodeContext } from "./patterns.ts";
import type { RuleId } from "./rules.ts";
import type { Language } from "./source-text.ts";

interface Sample {
  readonly language: Language;
  readonly text: string;
}

const js = (text: string): Sample => ({ language: "javascript", text });
const py = (text: string): Sample => ({ language: "python", text });
const go = (text: string): Sample => ({ language: "go", text });
const context: CodeContext = { port: 8080, commands: "python app.py", streams: false };

function rulesIn({ language, text }: Sample, more: Partial<CodeContext> = {}): readonly RuleId[] {
  const files = [{ path: "app.py", language, text }];
  return codeHits(files, { ...context, ...more }).map(({ rule }) => rule);
}

const handler = (body: string): string =>
  `func handle(w http.ResponseWriter, r *http.Request) {\n${body}\n}\n`;

const shared = (type: string, field: string): string =>
  `type ${type} struct {\n\tmu sync.Mutex\n\t${field} map[string]int\n}\n\n` +
  `func (s *${type}) put(k string) {\n\ts.${field}[k] = 1\n}\n`;

const samples: Readonly<
  Partial<Record<RuleId, { readonly bad: readonly Sample[]; readonly good: readonly Sample[] }>>
> = {
  websocket: {
    bad: [
      py("async def f(request):\n    ws = web.WebSocketResponse()"),
      js('import { WebSocketServer } from "ws";\nnew WebSocketServer({ server });'),
      js('import { Server } from "socket.io";'),
      js('server.on("upgrade", (request, socket) => {});'),
      py('@app.websocket("/ws")\nasync def ws(socket): ...'),
      py("socketio = SocketIO(app)"),
      go("var up = websocket.Upgrader{}"),
    ],
    good: [
      js("const socket = new WebSocket(url); // a client\n"),
      js('// server.on("upgrade", …) is what others do\nconst text = "new WebSocketServer(";'),
      py('"""@app.websocket("/ws") is not here."""'),
      go("conn, _, err := websocket.DefaultDialer.Dial(url, nil)"),
    ],
  },
  "http2-grpc": {
    bad: [
      js("http2.createSecureServer(options).listen(port);"),
      js("const server = new grpc.Server();"),
      py("server = grpc.aio.server()"),
      go("s := grpc.NewServer()"),
    ],
    good: [
      js('import http from "node:http";'),
      py("channel = grpc.insecure_channel(address)"),
      go("conn, err := grpc.NewClient(address)"),
    ],
  },
  "listen-loopback": {
    bad: [
      js('import Fastify from "fastify";\nawait app.listen({ port: env.PORT });'),
      py('HTTPServer(("127.0.0.1", port), Handler)'),
      go('const addr = "localhost:8080"\n\nfunc main() {\n\thttp.ListenAndServe(addr, nil)\n}'),
      js('server.listen(process_port, "127.0.0.1");'),
      js('app.listen({ port, host: "localhost" });'),
      py('uvicorn.run(app, host="127.0.0.1", port=port)'),
      py("uvicorn.run(app, port=port)"),
      py('if __name__ == "__main__":\n    app.run(port=port)'),
      go('http.ListenAndServe("127.0.0.1:"+port, nil)\nnet.Listen("tcp", "localhost:9")'),
    ],
    good: [
      js('import Fastify from "fastify";\nawait app.listen({ port: env.PORT, host: env.HOST });'),
      py("web.run_app(app, port=port)"),
      py("uvicorn.run(app, **settings)"),
      js('server.listen(PORT, process.env.HOST ?? "127.0.0.1");'),
      js('server.listen(PORT, "0.0.0.0");'),
      js('client.connect(6379, "127.0.0.1");'),
      py('uvicorn.run(app, host="0.0.0.0", port=port, timeout_keep_alive=75)'),
      py('uvicorn.run(app, host=os.environ["HOST"], port=port)'),
      go('http.ListenAndServe(":"+os.Getenv("PORT"), nil)'),
    ],
  },
  "port-hard-coded": {
    bad: [
      js("const PORT = 3000;\nserver.listen(PORT);"),
      js("serve({ fetch: app.fetch, port: 8787 });"),
      py("PORT = 9000\nweb.run_app(app, port=PORT)"),
      py('HTTPServer(("", 8000), Handler)'),
      js("app.listen(3000);"),
      js("app.listen({ port: 8_080 });"),
      py('uvicorn.run(app, host="0.0.0.0", port=8000)'),
      go('http.ListenAndServe(":8080", nil)'),
      go('srv := &http.Server{Addr: ":9000"}'),
    ],
    good: [
      js("const PORT = process.env.PORT || 3000;\nserver.listen(PORT);"),
      js("let port = 3000;\nport = Number(process.env.PORT);\nserver.listen(port);"),
      js("app.listen(process.env.PORT || 3000);"),
      js("app.listen(port);"),
      js("server.listen(0);"),
      py('uvicorn.run(app, host="0.0.0.0", port=int(os.environ["PORT"]))'),
      go('addr := ":" + os.Getenv("PORT")\nhttp.ListenAndServe(addr, nil)'),
    ],
  },
  "sigterm-ignored": {
    bad: [
      js("const app = await NestFactory.create(AppModule);\nawait app.listen(port);"),
      js("const app = require('./app');\napp.listen(port);"),
      py("from flask import Flask\napp.run(host=host, port=port)"),
      go('import "github.com/gin-gonic/gin"\nfunc main() {\n\trouter.Run(addr)\n}'),
      js("createServer(handle).listen(port);"),
      py("HTTPServer(address, Handler).serve_forever()"),
      go("http.ListenAndServe(addr, nil)"),
    ],
    good: [
      js("const app = await NestFactory.create(M);\napp.enableShutdownHooks();\napp.listen(port);"),
      js('import grace from "close-with-grace";\nfastify().listen({ port });'),
      js(
        'const s = createServer(handle);\ns.listen(port);\nprocess.on("SIGTERM", () => s.close());',
      ),
      js("queue.listen(port);"),
      py("signal.signal(signal.SIGTERM, stop)\nserver.serve_forever()"),
      go("ctx, _ := signal.NotifyContext(ctx, syscall.SIGTERM)\nsrv.ListenAndServe()"),
    ],
  },
  "keep-alive-short": {
    bad: [
      js("createServer(handle).listen(port);"),
      js("const s = createServer(handle);\ns.keepAliveTimeout = 5_000;\ns.listen(port);"),
      js("const s = createServer({ keepAliveTimeout: 30 * 1000 }, handle);"),
      py('uvicorn.run(app, host="0.0.0.0", port=port)'),
      py('uvicorn.run(app, host="0.0.0.0", port=port, timeout_keep_alive=30)'),
      go("srv := &http.Server{IdleTimeout: 30 * time.Second}"),
      go("srv := &http.Server{ReadTimeout: time.Minute}"),
    ],
    good: [
      js('import fastify from "fastify";\nfastify().listen({ port, host });'),
      js("const s = createServer(handle);\ns.keepAliveTimeout = 75_000;\ns.listen(port);"),
      js("const s = createServer({ keepAliveTimeout: 75 * 1000 }, handle);\ns.listen(port);"),
      py('uvicorn.run(app, host="0.0.0.0", port=port, timeout_keep_alive=75)'),
      go("srv := &http.Server{IdleTimeout: 75 * time.Second, ReadTimeout: 5 * time.Second}"),
      go("srv := &http.Server{ReadHeaderTimeout: 5 * time.Second}"),
    ],
  },
  "write-outside-tmp": {
    bad: [
      js('const file = path.join("data", "x");\nfs.writeFileSync(file, text);'),
      js('const db = new Database("app.db");'),
      js('new winston.transports.File({ filename: "app.log" });'),
      py('DIR = Path("uploads")\n(DIR / name).write_bytes(data)'),
      py('url = "sqlite:///app.db"'),
      py('logging.basicConfig(level=1, filename="app.log")'),
      py('file.save(os.path.join("uploads", name))'),
      go('const dir = "data"\nfunc f() {\n\tos.MkdirAll(dir, 0o755)\n}'),
      go('c.SaveUploadedFile(file, "./files/x")'),
      js('fs.writeFileSync("cache.json", text);'),
      js('await writeFile(join(__dirname, "x"), text);'),
      js("createWriteStream(`uploads/new`);"),
      js('copyFile("/tmp/a", "data/b");'),
      js('const upload = multer({ dest: "uploads/" });'),
      py('with open("out.txt", "w") as f: pass'),
      py('open("log", mode="ab")'),
      py('Path("state.json").write_text(text)'),
      py('sqlite3.connect("app.db")'),
      py('shutil.copy("/tmp/a", "data/b")'),
      go('os.WriteFile("state.json", data, 0o644)'),
      go('f, err := os.OpenFile("log", os.O_APPEND|os.O_WRONLY, 0o644)'),
      go('db, err := sql.Open("sqlite3", "app.db")'),
    ],
    good: [
      js('const dir = process.env.DIR || "data";\nfs.mkdirSync(dir);'),
      js('const file = path.join(os.tmpdir(), "x");\nfs.writeFileSync(file, text);'),
      py("DIR = Path(tempfile.gettempdir())\n(DIR / name).write_bytes(data)"),
      py('url = "sqlite:////tmp/app.db"'),
      py('DIR = Path(os.environ.get("DIR", "data"))\nDIR.mkdir()'),
      py("user.save()\nform.save(commit)"),
      js('fs.writeFileSync("/tmp/cache.json", text);'),
      js("await writeFile(path, text);"),
      js('fs.readFileSync("config.json");'),
      js('await writeFile(join(tmpdir(), "x"), text);'),
      js('const upload = multer({ dest: "/tmp/uploads" });'),
      py('with open("in.txt") as f: pass'),
      py('open("in.txt", "rb")'),
      py('open("/tmp/out.txt", "w")'),
      py('sqlite3.connect(":memory:")'),
      py("open(path, 'w')"),
      go('os.WriteFile("/tmp/state.json", data, 0o644)'),
      go('f, err := os.OpenFile("in", os.O_RDONLY, 0)'),
    ],
  },
  "work-after-response": {
    bad: [
      js("app.post('/', (req, res) => {\n  res.json({});\n  sendMail(req).catch(log);\n});"),
      js("class A {\n  @Cron('* * * * *')\n  run() {}\n}"),
      py("def f(tasks: BackgroundTasks):\n    tasks.add_task(send_mail)"),
      py("def f():\n    Thread(target=work).start()"),
      js("setInterval(flush, 1000);"),
      js('cron.schedule("* * * * *", run);'),
      js("app.post('/', async (req, res) => {\n  res.json({});\n  await sendMail();\n});"),
      js("app.get('/', (req, res) => {\n  res.status(202).send();\n  setTimeout(work, 10);\n});"),
      py("background_tasks.add_task(send_mail, address)"),
      py("async def f():\n    asyncio.create_task(work())"),
      py("Thread(target=work, daemon=True).start()"),
      go(handler("\tgo sendMail(address)")),
      go("t := time.NewTicker(time.Second)"),
    ],
    good: [
      py("def end(signal, frame):\n    Thread(target=server.shutdown).start()"),
      py("def f():\n    worker = Thread(target=work)\n    worker.start()\n    worker.join()"),
      js("const timer = setTimeout(give_up, 1000);"),
      js("app.post('/', async (req, res) => {\n  await sendMail();\n  res.json({});\n});"),
      js("if (bad) {\n    res.status(400).end();\n    return;\n  }\n  await work();"),
      js("if (bad) return res.status(400).json({});\nawait work();"),
      py("task = asyncio.create_task(work())\nawait task"),
      py("await send_mail(address)"),
      go("func main() {\n\tgo serve()\n\t<-done\n}"),
      go(handler("\tvar wg sync.WaitGroup\n\tgo work(&wg)\n\twg.Wait()")),
    ],
  },
  "state-in-memory": {
    bad: [
      js("const CARTS = new Map();\napp.post('/', (req, res) => {\n  CARTS.set(1, req.body);\n});"),
      js("const rooms = new Set();\napp.get('/', (c) => rooms.add(c.id));"),
      js("let todos = [{ id: 1 }];\nfunction add(todo) {\n  todos.push(todo);\n}"),
      js("let nextId = 1;\nfunction id() {\n  return nextId++;\n}"),
      js("@Injectable()\nclass A {\n  all: C[] = [];\n  add(c) {\n    this.all.push(c);\n  }\n}"),
      py("ITEMS = {}\n\ndef add(item):\n    ITEMS[item.id] = item"),
      py("visits = 0\n\ndef visit():\n    global visits\n    visits += 1"),
      go("var (\n\tmu sync.Mutex\n\tnextID = 1\n)\n\nfunc add() {\n\tnextID++\n}"),
      go("var albums = []album{\n\t{},\n}\n\nfunc add(a album) {\n\talbums = append(albums, a)\n}"),
      go(shared("Store", "items")),
      js("const sessions = new Map();\nfunction login(id) {\n  sessions.set(id, {});\n}"),
      js("let carts = {};\nfunction add(id) {\n  carts[id] = [];\n}"),
      js('app.use(session({ secret: "x" }));'),
      py("users = {}\n\ndef add(user):\n    users[user.id] = user"),
      py("orders: list[Order] = []\n\ndef add(order):\n    orders.append(order)"),
      go("var carts = map[string]int{}\n\nfunc add(id string) {\n\tcarts[id] = 1\n}"),
    ],
    good: [
      js("const prices = {};\nfor (const one of list) {\n  prices[one.id] = one;\n}"),
      js("const prices = {};\nlist.forEach((one) => {\n  prices[one.id] = one;\n});"),
      js("let retries = 0;\nfunction again() {\n  retries++;\n}"),
      py("names = {}\nfor path in paths:\n    names[path.stem] = path"),
      py("COUNT = 3\n\ndef f(n):\n    return COUNT + n"),
      go("var names = map[string]int{}\n\nfunc init() {\n\tnames[x] = 1\n}"),
      go(shared("lru", "cached")),
      go(
        "func f() {\n\tcount := 0\n\tcount++\n\ttotals := []int{}\n\ttotals = append(totals, 1)\n}",
      ),
      js("const routes = new Map();\nfunction add(id) {\n  routes.set(id, {});\n}"),
      js("const colours = { red: 1 };\nfunction f() {\n  return colours[x] === 1;\n}"),
      js("function f() {\n  const found = new Map();\n  found.set(1, 2);\n}"),
      js('app.use(session({ secret: "x", store: new RedisStore() }));'),
      js("const templateCache = new Map();\nfunction f() {\n  templateCache.set(1, 2);\n}"),
      py("COLOURS = {}\n\ndef f():\n    return COLOURS[1] == 2"),
      py("def f():\n    users = {}\n    users[1] = 2"),
      go("func f() {\n\tseen := map[string]bool{}\n\tseen[x] = true\n}"),
    ],
  },
  "encoded-path": {
    bad: [
      js("const name = decodeURIComponent(req.params.name);"),
      js('app.get("/files/a%2Fb", handle);'),
      py('path = unquote(request.path)\nraw = scope["raw_path"]'),
      go("path := r.URL.EscapedPath()"),
      go("router.UseEncodedPath()"),
    ],
    good: [
      js("const name = req.params.name;"),
      js('const url = "/files/" + encodeURIComponent(name);'),
      py("path = request.path"),
      go("path := r.URL.Path"),
    ],
  },
  "payload-over-limit": {
    bad: [
      py("app = web.Application(client_max_size=100 * 1024**2)"),
      js('app.use(express.json({ limit: "50mb" }));'),
      js("multer({ limits: { fileSize: 20 * 1024 * 1024 } });"),
      py('app.config["MAX_CONTENT_LENGTH"] = 16 * 1024 * 1024'),
      go("r.Body = http.MaxBytesReader(w, r.Body, 32<<20)"),
    ],
    good: [
      js('app.use(express.json({ limit: "1mb" }));'),
      js("const page = await find({ limit: 10_000_000 });"),
      py("MAX_CONTENT_LENGTH = 4 * 1024 * 1024"),
      go("r.Body = http.MaxBytesReader(w, r.Body, 1<<20)"),
    ],
  },
  "server-sent-events": {
    bad: [
      js('response.writeHead(200, { "content-type": "text/event-stream" });'),
      py("return EventSourceResponse(events())"),
      py('StreamingResponse(f(), media_type="text/event-stream")'),
      go('w.Header().Set("Content-Type", "text/event-stream")'),
    ],
    good: [
      js('fetch(url, { headers: { accept: "text/event-stream" } });'),
      py('headers = {"accept": "text/event-stream"}'),
      go('req.Header.Set("Accept", "text/event-stream")'),
    ],
  },
  "client-address-first": {
    bad: [
      js('const xff = req.headers["x-forwarded-for"];\nconst ip = xff.split(",")[0];'),
      py('sent = request.headers.get("X-Forwarded-For")\nip = sent.split(",")[0]'),
      go('sent := r.Header.Get("X-Forwarded-For")\nip := strings.Split(sent, ",")[0]'),
      js('const ip = req.headers["x-forwarded-for"].split(",")[0];'),
      js('app.set("trust proxy", true);'),
      py('ip = request.headers["X-Forwarded-For"].split(",")[0]'),
      go('ip := strings.Split(r.Header.Get("X-Forwarded-For"), ",")[0]'),
    ],
    good: [
      js('const xff = req.headers["x-forwarded-for"];\nconst ip = xff.split(",").at(-1);'),
      js('const ip = req.headers["x-forwarded-for"].split(",").at(-1);'),
      js('app.set("trust proxy", 1);'),
      py('ip = request.headers["X-Forwarded-For"].split(",")[-1]'),
      go('parts := strings.Split(r.Header.Get("X-Forwarded-For"), ",")'),
    ],
  },
};

for (const [rule, { bad, good }] of Object.entries(samples)) {
  describe(rule, () => {
    for (const sample of bad) {
      test(`bites: ${sample.text.slice(0, 60)}`, () => {
        assert.ok(rulesIn(sample).includes(rule as RuleId), rulesIn(sample).join(" "));
      });
    }
    for (const sample of good) {
      test(`spares: ${sample.text.slice(0, 60)}`, () => {
        assert.ok(!rulesIn(sample).includes(rule as RuleId), sample.text);
      });
    }
  });
}

test("what only runs when the file is started by hand does not count", () => {
  const sample = py('if __name__ == "__main__":\n    uvicorn.run(app)');
  assert.deepEqual(rulesIn(sample, { commands: "uvicorn app:app" }), []);
  assert.ok(rulesIn(sample, { commands: "python -u app.py" }).includes("listen-loopback"));
});

test("events are no finding where answers are streamed", () => {
  const sample = py("return EventSourceResponse(events())");
  assert.deepEqual(rulesIn(sample, { streams: true }), []);
});

test("a hit names its line", () => {
  const text = "// one\n\nconst a = 1;\nsetInterval(flush, 1000);\n";
  const [hit] = codeHits([{ path: "a/b.ts", language: "javascript", text }], context);
  assert.equal(hit?.path, "a/b.ts");
  assert.equal(hit?.line, 4);
  assert.match(hit?.message ?? "", /setInterval/);
});

test("a signal may be handled in another file", () => {
  const listen = {
    path: "a.js",
    language: "javascript",
    text: "createServer(f).listen(p);",
  } as const;
  const stop = { path: "b.js", language: "javascript", text: 'process.on("SIGTERM", f);' } as const;
  const has = (files: Parameters<typeof codeHits>[0]): boolean =>
    codeHits(files, context).some(({ rule }) => rule === "sigterm-ignored");
  assert.equal(has([listen]), true);
  assert.equal(has([listen, stop]), false);
});

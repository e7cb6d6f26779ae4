/** The request shapes of the differential test: methods × headers × bodies × sizes × paths. */
import type { AskOptions } from "../../src/local/ask.ts";
import type { Fields, ReplayRequest } from "../../src/parity/observed.ts";
import { answers, largeAnswers } from "./answers.ts";

/** One shape. */
export interface Shape {
  readonly name: string;
  readonly request: ReplayRequest;
  readonly options: AskOptions;
  /** Whether the answer tells what the service saw. */
  readonly echoes: boolean;
  /** Sends megabytes or waits: left out of the fast run. */
  readonly slow: boolean;
}

interface Wish {
  readonly method?: string;
  readonly target?: string;
  readonly headers?: Fields;
  readonly body?: Uint8Array | string | null;
  readonly options?: AskOptions;
  readonly slow?: boolean;
}

function shape(name: string, wish: Wish): Shape {
  const { method = "GET", target = "/echo", headers = [], options = {}, slow = false } = wish;
  const body = typeof wish.body === "string" ? Buffer.from(wish.body) : (wish.body ?? null);
  const request = { method, target, headers, body, origin: "shape" };
  return { name, request, options, echoes: !target.startsWith("/answer/"), slow };
}

const json = (value: unknown): string => JSON.stringify(value);
const typed = (type: string): Fields => [["content-type", type]];
/** Fixed bytes that are no UTF-8. */
const binary = (length: number): Buffer => Buffer.alloc(length, Buffer.from([0xff, 0, 0x80, 0x41]));

const methods = ["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"];

const paths: readonly string[] = [
  "/",
  "/a",
  "/a/",
  "/a//b",
  "//a",
  "/a/./b",
  "/a/../b",
  "/a.b-c_d~e",
  "/a;v=1",
  "/a:b",
  "/a@b",
  "/a,b",
  "/a!b",
  "/a$b",
  "/a&b",
  "/a'b",
  "/a(b)",
  "/a*b",
  "/a+b",
  "/a=b",
  "/a|b",
  "/a[b]",
  "/{id}",
  "/a%20b",
  "/a%2Fb",
  "/a%2fb",
  "/a%3Fb",
  "/a%23b",
  "/a%25b",
  "/a%2541",
  "/%C3%A4",
  "/%E2%82%AC",
  "/%F0%9F%98%80",
  "/a%00b",
  "/a%7Eb",
  "/%61",
  "/a%2E%2E/b",
  "/a%5Cb",
  "/a\\b",
  "/100%25",
  `/${"x".repeat(1000)}`,
  `/${"y/".repeat(400)}`,
  "/index.html",
  "/.well-known/x",
  "/a%0Ab",
];

const queries: readonly string[] = [
  "?",
  "?a=1",
  "?a=1&b=2",
  "?b=2&a=1",
  "?a=1&a=2",
  "?a",
  "?a=",
  "?=1",
  "?&",
  "?&&a=1",
  "?a=1&",
  "?a=%20",
  "?a=+",
  "?a=%2B",
  "?a=%26",
  "?a=b%3Dc",
  "?a=b=c",
  "?q=%C3%A4",
  "?q=%ff",
  "?q=%",
  "?q=%zz",
  "?a[]=1&a[]=2",
  "?a.b=c",
  "?u=http://x/y?z",
  "?a?b",
  "?a;b",
  "?a/b",
  "?a:b@c",
  "?x='\"",
  '?a={"b":1}',
  "?a=1,2,3",
  "?%61=%62",
  `?${"k=v&".repeat(200)}`,
  "?a=%00",
  "?a=%0D%0A",
  "?+a=+b",
];

const headerSets: readonly (readonly [string, Fields])[] = [
  ["none", []],
  [
    "mixed case",
    [
      ["X-Mixed-Case", "Yes"],
      ["ACCEPT", "*/*"],
    ],
  ],
  [
    "repeated",
    [
      ["x-two", "1"],
      ["x-two", "2"],
    ],
  ],
  [
    "repeated apart",
    [
      ["x-two", "1"],
      ["x-other", "0"],
      ["X-Two", "2"],
    ],
  ],
  [
    "repeated accept",
    [
      ["accept", "text/html"],
      ["accept", "application/json;q=0.9"],
    ],
  ],
  ["with commas", [["x-list", "a, b,c"]]],
  ["empty value", [["x-empty", ""]]],
  ["inner blanks", [["x-blank", "a  b\tc"]]],
  ["latin 1", [["x-latin", "caf\u00e9"]]],
  ["punctuation", [["x-punct", "!#$%&'*+-.^_`|~ ()<>@,;:\\\"/[]?={}"]]],
  ["quotes", [["x-quote", '"a\\"b"']]],
  ["long value", [["x-long", "v".repeat(4000)]]],
  ["many", Array.from({ length: 60 }, (_, at) => [`x-many-${at}`, `${at}`] as const)],
  ["cookie", [["cookie", "a=1"]]],
  ["cookies", [["cookie", 'a=1; b=2; c="3"']]],
  ["cookies without blanks", [["cookie", "a=1;b=2"]]],
  [
    "two cookie lines",
    [
      ["cookie", "a=1"],
      ["cookie", "b=2"],
    ],
  ],
  ["cookie with commas", [["cookie", "a=1,2; b=x=y"]]],
  ["empty cookie", [["cookie", ""]]],
  ["authorization", [["authorization", "Bearer abc.def"]]],
  ["basic", [["authorization", "Basic dXNlcjpwYXNz"]]],
  [
    "accept",
    [
      ["accept", "application/json, text/*;q=0.5"],
      ["accept-language", "de, en;q=0.8"],
    ],
  ],
  [
    "conditional",
    [
      ["if-none-match", '"v1", W/"v2"'],
      ["if-modified-since", "Sun, 06 Nov 1994 08:49:37 GMT"],
    ],
  ],
  ["range", [["range", "bytes=0-99, 200-"]]],
  ["encoding", [["accept-encoding", "gzip, deflate, br"]]],
  [
    "origin",
    [
      ["origin", "https://a.example"],
      ["access-control-request-method", "PUT"],
    ],
  ],
  ["host", [["host", "pets.example"]]],
  ["host with port", [["host", "pets.example:8443"]]],
  ["user agent", [["user-agent", "Mozilla/5.0 (X11; Linux x86_64)"]]],
  [
    "proto names",
    [
      ["constructor", "x"],
      ["__proto__", "y"],
      ["hasOwnProperty", "z"],
    ],
  ],
  [
    "underscore",
    [
      ["x_under", "1"],
      ["x_forwarded_for", "6.6.6.6"],
    ],
  ],
  ["dots", [["x.dot", "1"]]],
  [
    "spoofed address",
    [
      ["x-forwarded-for", "6.6.6.6"],
      ["X-Forwarded-For", "7.7.7.7"],
    ],
  ],
  [
    "spoofed proto",
    [
      ["x-forwarded-proto", "https"],
      ["x-forwarded-port", "443"],
    ],
  ],
  [
    "spoofed host",
    [
      ["x-forwarded-host", "evil.example"],
      ["x-forwarded-prefix", "/evil"],
    ],
  ],
  ["forwarded", [["forwarded", "for=6.6.6.6;proto=https"]]],
  ["real ip", [["x-real-ip", "6.6.6.6"]]],
  ["trace", [["x-amzn-trace-id", "Root=1-67891233-abcdef012345678912345678"]]],
  ["broken trace", [["x-amzn-trace-id", "Root=x; evil"]]],
  [
    "spoofed context",
    [
      ["x-amzn-request-context", "{}"],
      ["x-amzn-lambda-context", "{}"],
    ],
  ],
  [
    "hop by hop",
    [
      ["te", "trailers"],
      ["keep-alive", "timeout=5"],
      ["proxy-connection", "close"],
    ],
  ],
  [
    "named by connection",
    [
      ["connection", "close, x-gone"],
      ["x-gone", "1"],
      ["x-stays", "2"],
    ],
  ],
  ["expect", [["expect", "100-continue"]]],
  [
    "upgrade insecure",
    [
      ["upgrade-insecure-requests", "1"],
      ["dnt", "1"],
    ],
  ],
  [
    "api gateway names",
    [
      ["x-api-key", "k"],
      ["x-amz-date", "20200101T000000Z"],
      ["via", "1.1 x"],
    ],
  ],
];

const bodies: readonly (readonly [string, Fields, Uint8Array | string])[] = [
  ["empty", [], ""],
  ["json", typed("application/json"), json({ a: 1, b: ["x", null] })],
  ["json utf-8", typed("application/json; charset=utf-8"), json({ a: "häß €😀" })],
  ["escapes", typed("application/json"), '{"a":"\\"\\\\\\n\\u0000"}'],
  ["vendor json", typed("application/vnd.api+json"), json({ data: [] })],
  ["xml", typed("application/xml"), "<a b='c'>&amp;</a>"],
  ["form", typed("application/x-www-form-urlencoded"), "a=1&b=%C3%A4&c=x+y"],
  [
    "multipart",
    typed("multipart/form-data; boundary=b"),
    '--b\r\ncontent-disposition: form-data; name="a"\r\n\r\n\xff\r\n--b--\r\n',
  ],
  ["text", typed("text/plain"), "plain\r\ntext\n"],
  ["latin-1 text", typed("text/plain; charset=iso-8859-1"), Buffer.from([0x63, 0xe9])],
  ["bom", typed("text/plain"), Buffer.from([0xef, 0xbb, 0xbf, 0x61])],
  ["nul", typed("text/plain"), Buffer.from([0x61, 0, 0x62])],
  ["lone surrogate", typed("application/json"), Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22])],
  ["octets", typed("application/octet-stream"), binary(64)],
  ["untyped text", [], "who knows"],
  ["untyped octets", [], binary(5)],
  [
    "gzip",
    [
      ["content-type", "application/json"],
      ["content-encoding", "gzip"],
    ],
    Buffer.from("1f8b0800000000000003ab56ca54b2320400", "hex"),
  ],
  ["protobuf", typed("application/x-protobuf"), binary(33)],
  ["one byte", typed("application/octet-stream"), Buffer.from([0])],
  ["looks like http", typed("text/plain"), "GET /evil HTTP/1.1\r\nhost: x\r\n\r\n"],
  ["looks like json", typed("text/plain"), '{"statusCode":500,"body":"x"}'],
  ["64 KB", typed("application/octet-stream"), binary(65_536)],
];

const sizes: readonly (readonly [string, number, string])[] = [
  ["1 MB text", 1_000_000, "text/plain"],
  ["1 MB octets", 1_000_000, "application/octet-stream"],
  ["4.4 MB octets", 4_400_000, "application/octet-stream"],
  ["5.9 MB text", 5_900_000, "text/plain"],
  ["5 MB octets", 5_000_000, "application/octet-stream"],
  ["7 MB text", 7_000_000, "text/plain"],
  ["11 MB", 11_000_000, "application/octet-stream"],
];

/** All shapes; their names are unique. */
export function allShapes(): readonly Shape[] {
  return [
    ...methods.map((method) => shape(`${method} plain`, { method })),
    ...methods.map((method) =>
      shape(`${method} answer`, { method, target: "/answer/text?length=20" }),
    ),
    ...paths.map((target) => shape(`path ${target.slice(0, 30)}`, { target })),
    ...queries.map((query) => shape(`query ${query.slice(0, 30)}`, { target: `/echo${query}` })),
    ...headerSets.flatMap(([name, headers]) => [
      shape(`headers ${name}`, { headers }),
      shape(`headers ${name}, POST`, { method: "POST", headers, body: "x" }),
    ]),
    ...["POST", "PUT", "PATCH", "DELETE"].flatMap((method) =>
      bodies.map(([name, headers, body]) => shape(`${method} ${name}`, { method, headers, body })),
    ),
    ...bodies.map(([name, headers, body]) =>
      shape(`chunked ${name}`, { method: "POST", headers, body, options: { chunkBytes: 7000 } }),
    ),
    shape("upgrade", {
      headers: [
        ["connection", "Upgrade"],
        ["upgrade", "echo"],
      ],
    }),
    shape("GET with a body", { headers: typed("text/plain"), body: "unusual" }),
    shape("OPTIONS *", { method: "OPTIONS", target: "*" }),
    shape("absolute target", { target: "http://parity.test/echo?a=1" }),
    shape("trailers", {
      method: "POST",
      body: "x",
      options: { chunkBytes: 1, trailers: [["x-sum", "1"]] },
    }),
    shape("head of 9 KB", { headers: [["x-large", "v".repeat(9_000)]] }),
    shape("head of 11 KB", { headers: [["x-large", "v".repeat(11_000)]] }),
    shape("head of 20 KB", { headers: [["x-large", "v".repeat(20_000)]] }),
    ...answers.map((name) => shape(`answer ${name.slice(0, 40)}`, { target: `/answer/${name}` })),
    ...[
      "text?length=50",
      "bytes?length=50",
      "packed?coding=gzip",
      "chunked",
      "status?code=404&body=x",
      "cached",
      "cookies",
    ].map((name) => shape(`HEAD ${name}`, { method: "HEAD", target: `/answer/${name}` })),
    ...sizes.map(([name, length, type]) =>
      shape(`body of ${name}`, {
        method: "POST",
        headers: typed(type),
        body: type === "text/plain" ? Buffer.alloc(length, "text ") : binary(length),
        slow: true,
      }),
    ),
    ...largeAnswers.map((name) =>
      shape(`answer ${name}`, { target: `/answer/${name}`, slow: true }),
    ),
  ];
}

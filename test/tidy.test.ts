/** The house's shape, read from its text. Every failure says in a sentence why it matters; exceptions are listed with a reason. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { RULES } from "../src/rules/index.ts";
import { circles, functionsOf, HOUSE, importsOf, type SourceFile, sources } from "./helpers/source.ts";

const src = sources("src");
const tests = sources("test");
const scripts = sources("scripts", [".ts", ".sh", "setup", "start", "test", "try", "new"]);
const words = [
  ...sources("config", [".yaml", ".md"]),
  ...sources("docs", [".md"]),
  ...sources("test", [".md", ".talk"]),
];

/** "src/doors/smtp/server.ts" lies in "doors"; "src/main.ts" in "main.ts". */
const roomOf = (path: string): string => path.split("/")[1] ?? "";

/** From the ground up; a room imports from rooms that stand before it. Rooms in one line know nothing of each other. */
const FLOORS: readonly (readonly string[])[] = [
  ["kit"],
  ["mail"],
  ["config"],
  ["law"],
  ["registers", "ledger", "signals", "authenticity"],
  ["rules"],
  ["pipeline", "delivery"],
  ["stores", "reports", "scorers", "desk", "resolver", "admission"],
  ["metrics"],
  ["doors", "console"],
  ["law-in-force.ts"],
  ["house.ts", "deliverers.ts"],
  ["carriage.ts"],
  ["delivering.ts"],
  ["custody.ts"],
  ["main.ts", "deliverer.ts"],
  ["supervisor"],
  ["commands"],
];
const floorOf = (room: string): number => FLOORS.findIndex((rooms) => rooms.includes(room));

/** Each library has one room, so that it can be replaced there. */
const ROOMS: Readonly<Record<string, readonly string[]>> = {
  "smtp-server": ["src/doors/smtp/"],
  fastify: ["src/doors/http/"],
  "prom-client": ["src/metrics/"],
  ioredis: ["src/stores/redis/"],
  lmdb: ["src/stores/lmdb/"],
  "@duckdb/node-api": ["src/stores/duckdb/"],
  zstddec: ["src/stores/duckdb/parquet/"],
  "iconv-lite": ["src/mail/"],
  re2js: ["src/rules/content/"],
  tldts: ["src/mail/", "src/signals/"],
  pino: ["src/kit/log.ts"],
  "ipaddr.js": ["src/kit/ip.ts"],
  yaml: ["src/config/"],
  yargs: ["src/commands/"],
  // A schema stands where its value is read: a few lines each, and no room could hold them all.
  zod: [
    "src/config/",
    "src/law/",
    "src/registers/",
    "src/signals/",
    "src/rules/",
    "src/pipeline/",
    "src/desk/",
    "src/doors/http/",
    "src/commands/",
  ],
};

/** Rooms that only think: they touch no file, network or process of their own. */
const PURE = ["mail", "rules", "pipeline", "registers", "ledger", "signals", "authenticity"];
const WORLD = /^node:(?:fs|net|dns|http|https|http2|tls|dgram|child_process|worker_threads|cluster)(?:\/|$)/;

/** Files that are run as a process of their own, beside the relay. */
const OWN_PROCESSES = [
  "src/stores/duckdb/archivist.ts",
  "src/stores/duckdb/point-worker.ts",
  "src/supervisor/worker-process.ts",
  "src/deliverer.ts",
];

const FUNCTION_LINES_LONG = 45;
const FUNCTION_LINES_MAX = 70;
const FILE_LINES_MAX = 300;

/** What may be longer than the others, as "function <file> <name>" or "file <file>", and why. None needs to be now. */
const EXCEPTIONS: Readonly<Record<string, string>> = {};

/** Files below src/rules that are no rule, and what proves them. */
const RULE_HELPERS: Readonly<Record<string, string>> = {
  "src/rules/define.ts": "types and constructors: every rule's test",
  "src/rules/index.ts": "the list: test/pipeline/settings.test.ts",
  "src/rules/consequence.ts":
    "test/rules/advertising/subject-label.test.ts, test/rules/consent/recorded-consent.test.ts",
  "src/rules/advertising/detection.ts": "test/rules/advertising/detect.test.ts",
  "src/rules/content/scorers.ts": "types only",
  "src/rules/content/patterns.ts": "test/rules/content/prohibited.test.ts",
  "src/rules/groups.ts": "test/rules/advertising/subject-label.test.ts",
  "src/rules/consent/excess.ts": "test/rules/consent/scope.test.ts",
  "src/rules/consent/caps.ts": "test/rules/consent/scope.test.ts",
  "src/rules/consent/demands.ts": "test/rules/consent/recorded-consent.test.ts",
  "src/rules/advertising/label-words.ts": "test/rules/advertising/subject-label.test.ts",
  "src/rules/advertising/label-edit.ts": "test/rules/advertising/label-edit.test.ts",
};

const packageOf = (from: string): string =>
  from
    .split("/")
    .slice(0, from.startsWith("@") ? 2 : 1)
    .join("/");

/** Every line of these files that a pattern finds, as "path:line: text". */
const findings = (files: readonly SourceFile[], pattern: RegExp): string[] =>
  files.flatMap(({ path, lines }) =>
    lines.flatMap((line, index) => (pattern.test(line) ? [`${path}:${index + 1}: ${line.trim()}`] : [])),
  );

describe("rooms and floors", () => {
  it("every room has its floor", () => {
    const homeless = [...new Set(src.map(({ path }) => roomOf(path)))].filter((room) => floorOf(room) < 0);
    expect(homeless, "A room without a floor in FLOORS could import from anywhere, and anybody from it.").toEqual([]);
  });

  it("imports go down only", () => {
    const upward = src.flatMap((file) =>
      importsOf(file).flatMap(({ path }) => {
        if (path === undefined || roomOf(path) === roomOf(file.path)) return [];
        return floorOf(roomOf(path)) < floorOf(roomOf(file.path)) ? [] : [`${file.path} -> ${path}`];
      }),
    );
    expect(
      upward,
      "What imports upward cannot be understood, tested or replaced without what stands above it.",
    ).toEqual([]);
  });

  it("nothing imports from outside of src", () => {
    const strays = src.flatMap((file) =>
      importsOf(file).flatMap(({ path }) =>
        path === undefined || path.startsWith("src/") ? [] : [`${file.path} -> ${path}`],
      ),
    );
    expect(strays, "Tests and scripts are not there where the relay runs.").toEqual([]);
  });

  it("only house.ts, commands and tests choose a store", () => {
    const choosing = src
      .filter(({ path }) => !["stores", "house.ts", "delivering.ts", "custody.ts", "commands"].includes(roomOf(path)))
      .filter((file) => importsOf(file).some(({ path }) => path?.startsWith("src/stores/")));
    expect(
      choosing.map(({ path }) => path),
      "Whoever knows a store by name cannot be run on another one.",
    ).toEqual([]);
  });

  it("no file needs itself in a circle", () => {
    const found = [...circles(src), ...circles(scripts)].map((circle) => circle.join(" -> "));
    expect(found, "Nothing in a circle can be read, or changed, by itself.").toEqual([]);
  });
});

describe("libraries", () => {
  it("have one room each", () => {
    const strays = src.flatMap((file) =>
      importsOf(file).flatMap(({ from, path }) => {
        if (path !== undefined || from.startsWith("node:")) return [];
        const rooms = ROOMS[packageOf(from)];
        if (!rooms) return [`${file.path}: ${from} has no room in ROOMS`];
        return rooms.some((room) => file.path.startsWith(room))
          ? []
          : [`${file.path}: ${from} belongs to ${rooms.join(", ")}`];
      }),
    );
    expect(strays, "A library that is used everywhere can be replaced nowhere.").toEqual([]);
  });

  it("rooms that only think touch neither disk nor network", () => {
    const strays = src
      .filter(({ path }) => PURE.includes(roomOf(path)))
      .flatMap((file) =>
        importsOf(file)
          .filter(
            ({ from, names, typeOnly }) => WORLD.test(from) && !typeOnly && !names.every((name) => /^isIP/.test(name)),
          )
          .map(({ from }) => `${file.path}: ${from}`),
      );
    expect(strays, "A rule that reads a file or asks the network can hang, and cannot be tested by a table.").toEqual(
      [],
    );
  });

  it("rooms that only think have no clock and no dice", () => {
    const found = findings(
      src.filter(({ path }) => [...PURE, "law"].includes(roomOf(path))),
      /\bDate\.now\(|\bnew Date\(\)|\bperformance\.now\(|\bMath\.random\(|\bset(?:Timeout|Interval)\(/,
    );
    expect(found, "Time is a parameter, so that a test can turn sixty days in a second.").toEqual([]);
  });
});

describe("sizes", () => {
  const spans = src.flatMap(functionsOf).sort((a, b) => b.lines - a.lines);
  const tooLong = spans.filter(({ lines }) => lines > FUNCTION_LINES_MAX);
  const tooLarge = [...src, ...scripts].filter(({ lines }) => lines.length - 1 > FILE_LINES_MAX);
  const keyOf = ({ path, name }: { path: string; name: string }): string => `function ${path} ${name}`;

  it("functions fit on a screen", () => {
    const median = spans[Math.floor(spans.length / 2)]?.lines;
    const long = spans.filter(({ lines }) => lines > FUNCTION_LINES_LONG);
    console.log(
      [
        `${spans.length} functions, the middle one has ${median} lines; longer than ${FUNCTION_LINES_LONG}:`,
        ...long.map(({ path, line, name, lines }) => `  ${lines} ${name} ${path}:${line}`),
      ].join("\n"),
    );
    const complaints = tooLong
      .filter((span) => !(keyOf(span) in EXCEPTIONS))
      .map(({ path, line, name, lines }) => `${path}:${line}: ${name} has ${lines} lines`);
    expect(complaints, "What does not fit on a screen is changed by people who have not read all of it.").toEqual([]);
  });

  it("are measured as they are", () => {
    const text = [
      "export async function one(",
      "  a: string,",
      "): Promise<{ b: string }> {",
      "  return { b: a };",
      "}",
      "const two = (a: string): string =>",
      "  a",
      "    .trim();",
      "const three = () => {",
      "  if (two) {",
      "    one();",
      "  }",
      "};",
    ];
    const file = { path: "x.ts", text: text.join("\n"), lines: text };
    expect(functionsOf(file).map(({ name, line, lines }) => [name, line, lines])).toEqual([
      ["one", 1, 5],
      ["two", 6, 3],
      ["three", 9, 5],
    ]);
    expect(spans.length, "functions are found at all").toBeGreaterThan(src.length);
  });

  it("files stay rooms and do not become cities", () => {
    const complaints = tooLarge
      .filter(({ path }) => !(`file ${path}` in EXCEPTIONS))
      .map(({ path, lines }) => `${path}: ${lines.length - 1} lines`);
    expect(complaints, "The map says one file; the reader should not meet a city.").toEqual([]);
  });

  it("exceptions are still needed, and have their reason", () => {
    const needed = new Set([...tooLong.map(keyOf), ...tooLarge.map(({ path }) => `file ${path}`)]);
    const idle = Object.entries(EXCEPTIONS).filter(([key, reason]) => !needed.has(key) || reason.length < 20);
    expect(idle, "An exception that is not needed lets the next one pass unseen.").toEqual([]);
  });
});

describe("rules", () => {
  const files = src.filter(({ path }) => path.startsWith("src/rules/"));
  const rules = files.filter(({ path }) => !(path in RULE_HELPERS));

  it("every rule file is in the list, and everything in the list has its file", () => {
    const ids = rules.map(({ path }) => path.slice("src/rules/".length, -".ts".length)).sort();
    expect(RULES.map(({ id }) => id).sort(), "A rule that nobody lists is never asked, and nobody notices.").toEqual(
      ids,
    );
  });

  it("every rule has a test of its own", () => {
    const untested = rules.filter(
      ({ path }) => !existsSync(join(HOUSE, path.replace(/^src/, "test").replace(/\.ts$/, ".test.ts"))),
    );
    expect(
      untested.map(({ path }) => path),
      "A rule refuses people's mail: what it lets through and catches is written down.",
    ).toEqual([]);
  });

  it("every helper among them is still there", () => {
    expect(Object.keys(RULE_HELPERS).filter((path) => !existsSync(join(HOUSE, path)))).toEqual([]);
  });
});

describe("words", () => {
  const mine = "test/tidy.test.ts";
  const everything = [...src, ...tests.filter(({ path }) => path !== mine), ...scripts, ...words];

  it("no type is waved through", () => {
    const found = findings(
      src,
      /\bas any\b|:\s*any(?=[;,)\]>]|\s*$|\s[=|&])|<any>|@ts-(?:ignore|nocheck|expect-error)/,
    );
    expect(found, "Where the compiler is told to look away, nobody looks.").toEqual([]);
  });

  it("nothing is marked for later", () => {
    const found = findings(everything, /\b(?:TODO|FIXME|XXX|HACK)\b/);
    expect(found, "Later does not come: it is done, or it is said in the docs that it is not there.").toEqual([]);
  });

  it("no machine's own paths", () => {
    const found = findings(everything, /(?:^|[\s"'`(=:])\/(?:work|tmp|home|root|Users)\//);
    expect(found, "A path of one machine is an error on every other.").toEqual([]);
  });

  it("nothing is printed past the log", () => {
    const found = findings(
      src.filter(({ path }) => !path.startsWith("src/commands/")),
      /\bconsole\.|\bprocess\.std(?:out|err)\.write/,
    );
    expect(found, "What is printed past the log has no level, no time and no promise to hold no secrets.").toEqual([]);
  });

  it("only commands end the process", () => {
    const found = findings(
      src.filter(({ path }) => !path.startsWith("src/commands/") && !OWN_PROCESSES.includes(path)),
      /\bprocess\.exit\(/,
    );
    expect(found, "A library that ends the process takes other people's mails with it.").toEqual([]);
  });

  it("a lint rule is switched off only with a reason", () => {
    const found = findings([...src, ...tests], /biome-ignore(?!.*: \S+)/).filter((line) => !line.startsWith(mine));
    expect(found, "A switch without a reason is never switched back.").toEqual([]);
  });
});

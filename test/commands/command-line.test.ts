import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { createCli } from "../helpers/cli.ts";
import { sale } from "../helpers/detections.ts";

const cli = createCli("rules:\n  envelope/helo: watch\n  envelope/header-shape: { datePastDaysMax: 10 }\n");

describe("a command line that cannot be understood", () => {
  it.each<[string, string[], string]>([
    [
      "a command that does not exist",
      ["clint", "list"],
      "consentry: there is no such command; did you mean client?\nconsentry --help says what there is\n",
    ],
    [
      "a command below one",
      ["client", "lsit"],
      "consentry: there is no such command; did you mean list?\nconsentry client --help says what there is\n",
    ],
    [
      "an option that does not exist",
      ["client", "list", "--colour"],
      "consentry: there is no such word or option: colour\nconsentry client --help says what there is\n",
    ],
    [
      "an option that is missing",
      ["client", "add", "x"],
      "consentry: --kind is missing\nconsentry client --help says what there is\n",
    ],
    [
      "an option without its value",
      ["client", "set", "x", "--rate"],
      "consentry: --rate needs a value\nconsentry client --help says what there is\n",
    ],
    [
      "an option given twice",
      ["ledger", "find", "--ip", "192.0.2.1", "--ip", "192.0.2.2"],
      "consentry: --ip is given twice\nconsentry ledger --help says what there is\n",
    ],
    [
      "a word that is missing",
      ["pack", "show"],
      "consentry: something is missing: 0 given, 1 needed\nconsentry pack --help says what there is\n",
    ],
    [
      "two sources of one password",
      ["client", "add", "x", "--kind", "person", "--password-stdin", "--password-prompt"],
      "consentry: give one of --password-file, --password-stdin and --password-prompt\n",
    ],
    [
      "a prompt where nobody sits",
      ["client", "add", "x", "--kind", "person", "--password-prompt"],
      "consentry: --password-prompt needs a terminal; elsewhere use --password-stdin\n",
    ],
    [
      "a login that nobody has",
      ["check", "-", "--from", "a@b.example", "--to", "c@d.example", "--ip", "192.0.2.1", "--login", "shp"],
      'consentry: --login "shp": there is no such client\n',
    ],
  ])("is told %s, on stderr, with exit 2", async (_, words, says) => {
    expect(await cli.run(words)).toEqual({ code: 2, stdout: "", stderr: says });
  });

  it("gets the page that lists the commands when there is none on it", async () => {
    const ran = await cli.run([]);
    expect([ran.code, ran.stdout]).toEqual([2, ""]);
    for (const name of ["serve", "check", "config", "client", "consent", "pack", "rules", "ledger"]) {
      expect(ran.stderr).toContain(`consentry ${name}`);
    }
  });
});

describe("consentry config", () => {
  it("checks: 0 when it is right, 1 with every complaint when it is not", async () => {
    expect((await cli.run(["config", "check"])).code).toBe(0);
    const broken = createCli("rules: { relay/anonymus: watch }\ncolour: red\n");
    const ran = await broken.run(["config", "check"]);
    expect(ran.code).toBe(1);
    expect(ran.stderr).toMatch(
      /^consentry: \S+ cannot be used:\n.*:2: rules\."relay\/anonymus": .*\n.*:3: colour: there is no such key\n$/,
    );
    const json = await broken.run(["config", "check", "--json"]);
    expect([json.code, JSON.parse(json.stdout).problems.length]).toEqual([1, 2]);
    expect((await broken.run(["client", "list"])).code).toBe(2);
  });

  it("shows what differs from the defaults, rules' options too", async () => {
    const shown = await cli.run(["config", "show", "--changed"]);
    const rows = shown.stdout
      .trim()
      .split("\n")
      .map((line) => line.split(/ {2,}/));
    expect(rows.map(([key, value]) => [key, value]).slice(2)).toEqual([
      ['rules."envelope/helo".mode', "watch"],
      ['rules."envelope/header-shape".datePastDaysMax', "10"],
    ]);
    expect(rows.at(-1)?.[2]).toMatch(/consentry\.yaml:4$/);
  });
});

describe("consentry rules and pack", () => {
  it("lists rules with the mode in force and what they rest on", async () => {
    const lines = (await cli.run(["rules"])).stdout.split("\n");
    expect(lines.find((line) => line.startsWith("envelope/helo "))).toMatch(/ watch .*RFC 5321 4\.1\.1\.1 \(RFC\)$/);
    const [one] = (await cli.json(["rules", "list"])) as { id: string; mode: string; stages: string[] }[];
    expect(one).toMatchObject({ id: "relay/anonymous", mode: "enforce", stages: ["mail", "rcpt"] });
  });

  it("shows a rule's options with default, value and meaning", async () => {
    const { stdout } = await cli.run(["rules", "show", "envelope/header-shape"]);
    expect(stdout).toContain(
      "\n  datePastDaysMax = 10, default 3650: how old Date may be, days; 0: any age [number]\n",
    );
    const none = await cli.run(["rules", "show", "envelope/nothing"]);
    expect(none).toEqual({
      code: 1,
      stdout: "",
      stderr: "consentry: there is no rule envelope/nothing; consentry rules lists them\n",
    });
  });

  it("lists packs with mode and use, and shows one", async () => {
    expect(await cli.json(["pack", "list"])).toContainEqual(
      expect.objectContaining({ id: "cn-2006", country: "CN", mode: "enforce", usedFor: ["all"] }),
    );
    const { stdout } = await cli.run(["pack", "show", "cn-2006"]);
    expect(stdout).toContain("\n  广告 or AD, at the front of the Subject\n");
    expect(stdout).toContain("\n  Order 38 (CN 2006) art. 13(3) (C5)\n");
    expect(stdout).toMatch(/\n {4}fine: .*CNY 10,000/);
  });

  it("checks a pack file: every error with its line, exit 1", async () => {
    const file = cli.file("xx-2020.yaml", "id: xx-2020\ntitle: 5\n");
    const ran = await cli.run(["pack", "check", file]);
    expect(ran.code).toBe(1);
    expect(ran.stderr).toContain(`\n  ${file}:2: title: 5 does not do: `);
    const shipped = fileURLToPath(new URL("../../config/packs/vn-2008.yaml", import.meta.url));
    expect((await cli.run(["pack", "check", shipped])).stdout).toMatch(
      /is right: vn-2008@\S+, \d+ articles, \d+ examples\n$/,
    );
  });
});

describe("consentry check", () => {
  const mail = `From: a@b.example\nDate: ${new Date().toUTCString()}\n\nx\n`;
  const envelope = ["--from", "a@b.example", "--ip", "192.0.2.1"];

  it("refuses with exit 1 what the relay would refuse, from stdin or a file, and leaves no ledger", async () => {
    const ran = await cli.run(["check", "-", ...envelope, "--to", "c@d.example"], { stdin: mail });
    expect([ran.code, ran.stderr]).toEqual([1, ""]);
    expect(ran.stdout).toContain("note: 4 lines end in LF alone");
    expect(ran.stdout).toContain("\n  c@d.example: reject by relay/anonymous, Order 38 (CN 2006) art. 7 (C2)\n");
    expect((await cli.run(["ledger", "find"])).stderr).toContain("there is no ledger in");
  });

  it("accepts with exit 0 what the relay would accept, and says it all as JSON too", async () => {
    await cli.run(["client", "add", "desk", "--kind", "person", "--network", "192.0.2.0/24", "--domain", "b.example"]);
    const words = [
      "check",
      cli.file("m.eml", mail),
      ...envelope,
      "--to",
      "c@d.example",
      "--door",
      "submission",
      "--json",
    ];
    const ran = await cli.run(words);
    expect(ran.code).toBe(0);
    expect(JSON.parse(ran.stdout)).toMatchObject({
      accepted: true,
      session: { client: "desk", role: "submission" },
      mendedLines: 4,
      recipients: [{ recipient: "c@d.example", accepted: true, verdict: "accept" }],
      replies: [
        { after: "RCPT", code: 250 },
        { after: "DATA", code: 250 },
      ],
    });
  });

  it("names in words what speaks for advertising", async () => {
    const head = `From: a@b.example\nDate: ${new Date().toUTCString()}\nSubject: x\n`;
    const ad = `${head}Content-Type: text/plain; charset=utf-8\n\n${sale()}`;
    const ran = await cli.run(["check", "-", ...envelope, "--to", "c@d.example"], { stdin: ad });
    expect(ran.code).toBe(1);
    expect(ran.stdout).toMatch(
      /note +advertising\/detect: .*score (?:1|0\.9\d*), detected prices and ordering words, /,
    );
    expect(ran.stdout).toMatch(/reject +advertising\/subject-label: .*links 1 to 1 host/);
    const stranger = [...envelope.slice(0, -1), "203.0.113.9", "--to", "c@example.com"];
    const local = createCli("localDomains: [example.com]\n");
    const heard = await local.run(["check", "-", ...stranger], { stdin: ad });
    expect(heard.stdout).toMatch(
      /skip +advertising\/detect: declared, or nobody asks \| score .*prices and ordering words/,
    );
  });

  it("lists everything that is wrong with the envelope", async () => {
    const ran = await cli.run(["check", "-", "--from", "a", "--to", "b", "--ip", "300.1.1.1", "--size", "-1"]);
    expect(ran.code).toBe(2);
    expect(ran.stderr.match(/\n {2}--\w+/g)).toEqual(["\n  --from", "\n  --to", "\n  --size", "\n  --ip"]);
  });
});

describe("a reader that has seen enough", () => {
  it("ends a listing quietly", async () => {
    const rows = Array.from({ length: 3_000 }, (_, i) => `reader${i}@mail.example,brand.example,2026-01-02,paper\n`);
    await cli.run(["consent", "import", "-"], { stdin: `recipient,advertiser,granted_at,how\n${rows.join("")}` });
    const entry = fileURLToPath(new URL("../../src/commands/index.ts", import.meta.url));
    const words = [
      "--disable-warning=ExperimentalWarning",
      entry,
      "consent",
      "list",
      "--config",
      `${cli.dir}/consentry.yaml`,
    ];
    const child = spawn(process.execPath, words, { cwd: cli.dir, timeout: 20_000 });
    let trouble = "";
    child.stderr.on("data", (piece: Buffer) => {
      trouble += piece;
    });
    await once(child.stdout, "data");
    child.stdout.destroy();
    const [code] = await once(child, "close");
    expect([code, trouble]).toEqual([0, ""]);
  });
});

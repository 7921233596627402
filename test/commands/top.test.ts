import { describe, expect, it } from "vitest";
import { readingOf, textOf, viewOf } from "../../src/commands/top-view.ts";
import { createCli } from "../helpers/cli.ts";
import { sharedService } from "../helpers/service.ts";
import { openSmtp } from "../helpers/smtp-dialogue.ts";

const METRICS = { door: "metrics", listen: "127.0.0.1:0" };
const SMTP = { door: "smtp", listen: "127.0.0.1:0", requireTls: false };

describe("the view", () => {
  const at = (accepted: number, sum: number, count: number, ms: number) =>
    readingOf(
      [
        `consentry_verdicts_total{door="smtp",direction="in",verdict="accept"} ${accepted}`,
        `consentry_findings_total{rule="relay/anonymous",mode="watch",verdict="accept"} ${accepted}`,
        `consentry_stage_seconds_sum{stage="rcpt"} ${sum}`,
        `consentry_stage_seconds_count{stage="rcpt"} ${count}`,
        `consentry_memory_bytes{worker="1",kind="resident"} 104857600`,
        `consentry_memory_bytes{worker="1",kind="heap"} 1`,
        `consentry_cpu_seconds_total{worker="1"} ${ms / 2_000}`,
        'consentry_keeper{worker="1"} 1',
        'consentry_articles_total{article="a \\"quoted\\" one\\\\two"} 1',
      ].join("\n"),
      ms,
    );

  it("is of the time between two looks", () => {
    const view = viewOf(at(300, 0.9, 300, 12_000), at(100, 0.1, 100, 10_000));
    expect(view.verdictsPerSecond).toEqual({ accept: 100 });
    expect(view.stagesMs.rcpt).toBeCloseTo(4, 6);
    expect(view.rules).toEqual([{ rule: "relay/anonymous", mode: "watch", verdict: "accept", perSecond: 100 }]);
    expect(view.workers).toEqual([{ worker: "1", cpu: 0.5, memoryMb: 100, lagMs: 0, overload: 0, keepsHouse: true }]);
  });

  it("does not go below nothing when a worker was started again", () => {
    expect(viewOf(at(3, 0, 0, 12_000), at(100, 1, 100, 10_000)).verdictsPerSecond).toEqual({ accept: 0 });
  });

  it("fits on a screen", () => {
    const lines = textOf(viewOf(at(300, 0.9, 300, 12_000), at(100, 0.1, 100, 10_000)));
    expect(lines.length).toBeLessThan(24);
    expect(lines.join("\n")).toMatch(/^ {5}1 +50 % +100 MB.*keeps the house$/m);
    expect(lines.join("\n")).toMatch(/100\/s {2}~relay\/anonymous/);
  });

  it("reads labels with quotes and backslashes", () => {
    const { samples } = at(1, 1, 1, 1);
    expect(samples.at(-1)?.labels).toEqual({ article: 'a "quoted" one\\two' });
  });
});

describe("consentry top", () => {
  const service = sharedService({ listeners: [SMTP, METRICS] });

  it("shows what a running relay does, once, as JSON", async () => {
    const smtp = await openSmtp(service().smtp);
    await smtp.say("EHLO host.stranger.example");
    await smtp.say("MAIL FROM:<a@stranger.example>");
    await smtp.say("RCPT TO:<b@elsewhere.example>");
    const cli = createCli(`listeners: [{ door: metrics, listen: "127.0.0.1:${service().ports[1]}" }]`);
    const { code, stdout, stderr } = await cli.run(["top", "--once", "--json", "--every", "0.1"]);
    expect([code, stderr]).toEqual([0, ""]);
    const view = JSON.parse(stdout);
    expect(view.connections).toEqual({ smtp: 1 });
    expect(view.workers).toHaveLength(1);
    expect(view.verdictsPerSecond).toHaveProperty("reject");
    smtp.end();
  });

  it("shows it as text", async () => {
    const cli = createCli();
    const url = `http://127.0.0.1:${service().ports[1]}/metrics`;
    const { code, stdout } = await cli.run(["top", "--once", "--every", "0.1", "--url", url]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^worker +cpu +memory/);
  });

  it.each<[string, readonly string[], number, RegExp]>([
    ["no metrics door", ["top", "--once"], 2, /has no metrics door[\s\S]*door: metrics/],
    ["nobody there", ["top", "--once", "--url", "http://127.0.0.1:1/metrics"], 1, /does not answer/],
    ["an interval of nothing", ["top", "--every", "0"], 2, /--every/],
  ])("says no to %s", async (_, words, exit, said) => {
    const { code, stderr } = await createCli().run(words);
    expect([code, stderr]).toEqual([exit, expect.stringMatching(said)]);
  });
});

describe("the metrics door", () => {
  const service = sharedService({ listeners: [SMTP, METRICS, { door: "http", listen: "127.0.0.1:0" }] });

  it("has /metrics, /healthz and /readyz and nothing else; the HTTP door has no /metrics", async () => {
    const [, metrics, http] = service().ports;
    const statusOf = async (port: number | undefined, path: string) =>
      (await fetch(`http://127.0.0.1:${port}${path}`)).status;
    expect(await Promise.all(["/metrics", "/healthz", "/readyz"].map((path) => statusOf(metrics, path)))).toEqual([
      200, 200, 200,
    ]);
    expect(await Promise.all(["/", "/refuse/x", "/v1/refusals"].map((path) => statusOf(metrics, path)))).toEqual([
      404, 404, 404,
    ]);
    expect(await statusOf(http, "/metrics")).toBe(404);
  });

  it("speaks Prometheus' text, with nothing in it that a client chose", async () => {
    const smtp = await openSmtp(service().smtp);
    await smtp.say("EHLO chosen-by-client.example");
    for (const name of ["one", "two", "three"]) {
      await smtp.say(`MAIL FROM:<chosen-${name}@chosen-by-client.example>`);
      await smtp.say(`RCPT TO:<chosen-${name}@elsewhere.example>`);
      await smtp.say("RSET");
    }
    const answer = await fetch(`http://127.0.0.1:${service().ports[1]}/metrics`);
    expect(answer.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
    const text = await answer.text();
    expect(text).toMatch(/^consentry_verdicts_total\{door="smtp",direction="out",verdict="reject"\} 3$/m);
    expect(text).not.toContain("chosen");
    smtp.end();
  });
});

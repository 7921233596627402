/** Several workers behind the same doors, for real: killed, reloaded and stopped while clients send. */
import { once } from "node:events";
import { readdirSync, readlinkSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { readMetrics } from "../../src/metrics/read.ts";
import { isAlive, startCrowd, startServing } from "../helpers/serving.ts";
import { openSmtp } from "../helpers/smtp-dialogue.ts";
import { until } from "../helpers/wait.ts";

const RESTART_MS = 20_000;
const idsIn = (mails: readonly string[]): string[] =>
  mails.map((mail) => /^message-id: (\S+)/im.exec(mail)?.[1] ?? "").sort();

describe("two workers", () => {
  it("share SMTP, milter and HTTP doors, each with its own connections and ids that differ", async () => {
    const relay = await startServing({
      listeners: [
        { door: "smtp", listen: "127.0.0.1:0" },
        { door: "milter", listen: "127.0.0.1:0" },
        { door: "milter", listen: `unix:${join((await import("../helpers/temp.ts")).tempDir(), "milter.sock")}` },
        { door: "http", listen: "127.0.0.1:0" },
      ],
    });
    expect(relay.workers().size).toBe(2);
    const crowd = startCrowd(relay.port, 6, { perConnection: 1 });
    await until("mails are accepted", () => crowd.accepted.length >= 40, 30_000);
    await crowd.stop();
    expect([crowd.refused, crowd.broken]).toEqual([[], 0]);
    const runs = new Set(relay.delivered().map((mail) => / id [0-9A-Z]{10}([0-9A-Z]{5})/.exec(mail)?.[1]));
    expect(runs.size, "both workers took mails, each under a run of its own").toBe(2);
    const ready = await fetch(`http://127.0.0.1:${relay.ports[3]}/readyz`);
    expect(ready.status).toBe(200);
    for (const at of [{ port: relay.ports[1] ?? 0, host: "127.0.0.1" }]) expect(await opens(at)).toBe(true);
    const numbers = new Set(relay.log().flatMap(({ worker }) => (worker === undefined ? [] : [worker])));
    expect([...numbers].every((number) => number === 1 || number === 2)).toBe(true);
    expect(relay.log().filter(({ msg }) => msg === "this process keeps the house")).toHaveLength(1);
  });

  it("count the connections of one address together", async () => {
    const relay = await startServing({ limits: { connectionsPerIpMax: 5 } });
    const open: Awaited<ReturnType<typeof openSmtp>>[] = [];
    for (let each = 0; each < 5; each += 1) open.push(await openSmtp(relay.port));
    expect(open.map(({ greeting }) => greeting.slice(0, 3))).toEqual(Array(5).fill("220"));
    const refusal = await until("a further one is refused", async () => {
      const further = await openSmtp(relay.port);
      further.end();
      return further.greeting.startsWith("421") && further.greeting;
    });
    expect(refusal).toContain("too many connections");
    for (const each of open.splice(0, 3)) each.end();
    await until("there is room again", async () => {
      const further = await openSmtp(relay.port);
      further.end();
      return further.greeting.startsWith("220");
    });
    for (const each of open) each.end();
  });
});

describe("a worker that is killed", () => {
  it("takes only its own connections with it, loses nothing that was answered, and is started again with the reason in the log", async () => {
    const relay = await startServing();
    const crowd = startCrowd(relay.port, 8);
    for (let kill = 0; kill < 3; kill += 1) {
      const before = crowd.accepted.length;
      await until("mails flow", () => crowd.accepted.length > before + 30, RESTART_MS);
      const [victim] = [...relay.workers().values()].slice(-1);
      process.kill(victim ?? 0, "SIGKILL");
      const ended = await until(
        "it is told",
        () => relay.log().find(({ ofPid, msg }) => ofPid === victim && msg.startsWith("a worker ended")),
        RESTART_MS,
      );
      expect([ended.signal, typeof ended.waitMs]).toEqual(["SIGKILL", "number"]);
      await until("there are two again", () => relay.workers().size === 2, RESTART_MS);
    }
    const before = crowd.accepted.length;
    await until("mails flow on", () => crowd.accepted.length > before + 30, RESTART_MS);
    await crowd.stop();
    expect(crowd.refused).toEqual([]);
    expect(crowd.broken, "connections of the killed").toBeGreaterThan(0);
    const delivered = new Set(idsIn(relay.delivered()));
    expect(crowd.accepted.filter((id) => !delivered.has(id))).toEqual([]);
  });

  it("hands the house to another, when it kept it", async () => {
    const relay = await startServing();
    const keeper = await relay.logged(/this process keeps the house/);
    process.kill(keeper.pid as number, "SIGKILL");
    await until(
      "another keeps it",
      () => relay.log().filter(({ msg }) => msg === "this process keeps the house").length === 2,
      60_000,
    );
    const keepers = relay.log().flatMap(({ msg, pid }) => (msg === "this process keeps the house" ? [pid] : []));
    expect(new Set(keepers).size).toBe(2);
  });
});

describe("a connection on its way to a worker that dies", () => {
  it("is closed at once, and not left waiting for a greeting for ever", async () => {
    const relay = await startServing();
    const [stopped] = [...relay.workers().values()];
    process.kill(stopped ?? 0, "SIGSTOP");
    // By turns: some are greeted by the other, at least one is handed to the one that cannot take it.
    const clients = Array.from({ length: 4 }, () => connect(relay.port, "127.0.0.1"));
    onTestFinished(() => void clients.map((client) => client.destroy()));
    const greeted = new Set<Socket>();
    for (const client of clients) client.once("data", () => greeted.add(client)).on("error", () => undefined);
    const rest = () => clients.filter((client) => !greeted.has(client));
    await until("the others are greeted", () => greeted.size >= 3);
    expect(rest()).toHaveLength(1);
    const closed = once(rest()[0] as Socket, "close");
    rest()[0]?.resume();
    process.kill(stopped ?? 0, "SIGKILL");
    await closed;
  }, 30_000);
});

describe("the figures of several workers", () => {
  it("are added up, whichever of them is asked, and count a worker that ended", async () => {
    const relay = await startServing({
      listeners: [
        { door: "smtp", listen: "127.0.0.1:0" },
        { door: "metrics", listen: "127.0.0.1:0" },
      ],
    });
    const read = async () => readMetrics(await (await fetch(`http://127.0.0.1:${relay.ports[1]}/metrics`)).text());
    const figure = async (name: string, label = "") =>
      (await read())
        .filter((sample) => sample.name === name && Object.values(sample.labels).includes(label || "in"))
        .reduce((sum, { value }) => sum + value, 0);
    const plain = async (name: string) => (await read()).find((sample) => sample.name === name)?.value;
    const crowd = startCrowd(relay.port, 4, { perConnection: 1 });
    await until("mails are accepted", () => crowd.accepted.length >= 40, 30_000);
    await crowd.stop();
    for (let asked = 0; asked < 4; asked += 1) {
      expect(await figure("consentry_verdicts_total")).toBe(crowd.accepted.length);
    }
    expect([await plain("consentry_workers"), await plain("consentry_worker_ends_total")]).toEqual([2, 0]);
    expect((await read()).filter(({ name }) => name === "consentry_started_seconds")).toHaveLength(2);
    expect((await read()).filter(({ name, value }) => name === "consentry_keeper" && value === 1)).toHaveLength(1);
    process.kill([...relay.workers().values()][1] ?? 0, "SIGKILL");
    await until("it is counted", async () => (await plain("consentry_worker_ends_total")) === 1, RESTART_MS);
  });
});

describe("a supervisor that is killed", () => {
  it("leaves nobody listening; mails in progress end, and then the workers do", async () => {
    const relay = await startServing();
    const workers = [...relay.workers().values()];
    const smtp = await openSmtp(relay.port);
    await smtp.say("EHLO host.stranger.example");
    await smtp.say("MAIL FROM:<a@stranger.example>");
    await smtp.say("RCPT TO:<b@example.com>");
    expect(await smtp.say("DATA")).toMatch(/^354/);
    relay.program.signal("SIGKILL");
    await relay.program.exited;
    expect(await opens({ port: relay.port, host: "127.0.0.1" }), "the port is closed").toBe(false);
    const content = `From: <a@stranger.example>\r\nDate: Sat, 01 Aug 2026 10:00:00 +0000\r\nMessage-ID: <last@x.example>\r\n\r\nhello`;
    expect(await smtp.say(`${content}\r\n.`)).toMatch(/^250/);
    await smtp.closed;
    await until("they are gone", () => !workers.some(isAlive), RESTART_MS);
    expect(idsIn(relay.delivered())).toEqual(["<last@x.example>"]);
  });
});

describe("a supervisor that is killed while a worker starts", () => {
  it("leaves that one no reason to stay", async () => {
    const relay = await startServing();
    const [first, second] = [...relay.workers().values()];
    process.kill(second ?? 0, "SIGKILL");
    // It is building its house, and not ready.
    const late = await until("another has begun", () =>
      [...relay.workers().values()].find((pid) => pid !== first && pid !== second && hasOpen(pid, "store/data.mdb")),
    );
    relay.program.signal("SIGKILL");
    await relay.program.exited;
    await until("all are gone", () => ![first ?? 0, late].some(isAlive), 60_000);
  });
});

describe("a queue that several workers share", () => {
  it("is one service's: a second supervisor is refused, and the first may reload and lose a worker", async () => {
    const relay = await startServing({ nextHop: { to: "maildir:MAIL", mode: "queue" } });
    const second = startServing({ dataDir: join(relay.dir, "var"), nextHop: { to: "maildir:MAIL", mode: "queue" } });
    await expect(second).rejects.toThrow(
      /serve ended with (?:1|2):[\s\S]*is in use by another consentry \(process \d+\)/,
    );
    relay.program.signal("SIGHUP");
    await relay.logged(/^reloaded/);
    process.kill([...relay.workers().values()][0] ?? 0, "SIGKILL");
    await until("there are two again", () => relay.workers().size === 2, RESTART_MS);
    const crowd = startCrowd(relay.port, 2);
    await until("mails flow", () => crowd.accepted.length > 10, RESTART_MS);
    await crowd.stop();
    await until("all is delivered", () => idsIn(relay.delivered()).length >= crowd.accepted.length, 60_000);
  });

  it("loses nothing when a worker is killed, nor when the supervisor is, and the next one starts beside the last mails of the old", async () => {
    const relay = await startServing({ nextHop: { to: "maildir:MAIL", mode: "queue" } });
    const crowd = startCrowd(relay.port, 6);
    await until("mails flow", () => crowd.accepted.length > 30, RESTART_MS);
    process.kill([...relay.workers().values()].at(-1) ?? 0, "SIGKILL");
    await until("there are two again", () => relay.workers().size === 2, RESTART_MS);
    const before = crowd.accepted.length;
    await until("mails flow on", () => crowd.accepted.length > before + 30, RESTART_MS);
    // One is in the middle of a mail, and keeps its worker for a while.
    const slow = await openSmtp(relay.port);
    for (const line of [
      "EHLO host.stranger.example",
      "MAIL FROM:<a@stranger.example>",
      "RCPT TO:<b@example.com>",
      "DATA",
    ])
      await slow.say(line);
    relay.program.signal("SIGKILL");
    await relay.program.exited;
    await crowd.stop();
    const next = await relay.again();
    expect(next.workers().size).toBe(2);
    const content = `From: <a@stranger.example>\r\nDate: Sat, 01 Aug 2026 10:00:00 +0000\r\nMessage-ID: <slow@x.example>\r\n\r\nhello`;
    expect(await slow.say(`${content}\r\n.`)).toMatch(/^250/);
    const promised = [...crowd.accepted, "<slow@x.example>"];
    await until(
      "all is delivered",
      () => {
        const delivered = new Set(idsIn(next.delivered()));
        return promised.every((id) => delivered.has(id));
      },
      60_000,
    );
  });
});

describe("a reload under load", () => {
  it("refuses no mail, and is in force at every worker", async () => {
    const relay = await startServing();
    const crowd = startCrowd(relay.port, 6, { perConnection: 5 });
    for (let reload = 1; reload <= 4; reload += 1) {
      await until("mails flow", () => crowd.accepted.length > reload * 20, RESTART_MS);
      relay.write({ localDomains: ["example.com", `more${reload}.example`] });
      relay.program.signal("SIGHUP");
      await until("it is done", () => relay.log().filter(({ msg }) => msg === "reloaded").length === reload, 30_000);
    }
    await crowd.stop();
    expect([crowd.refused, crowd.broken]).toEqual([[], 0]);
    for (let connection = 0; connection < 4; connection += 1) {
      const smtp = await openSmtp(relay.port);
      await smtp.say("EHLO host.stranger.example");
      await smtp.say("MAIL FROM:<a@stranger.example>");
      expect(await smtp.say("RCPT TO:<b@more4.example>")).toMatch(/^250/);
      smtp.end();
    }
  });

  it("changes nothing anywhere when the file is broken or a worker refuses, and says so; a worker that dies then comes back with the old one", async () => {
    const relay = await startServing();
    relay.write("hostnme: typo\n");
    relay.program.signal("SIGHUP");
    expect((await relay.logged(/^not reloaded/)).reason).toMatch(/hostnme/);
    const [victim] = [...relay.workers().values()];
    process.kill(victim ?? 0, "SIGKILL");
    await until("it is back", () => relay.workers().size === 2 && ![...relay.workers().values()].includes(victim ?? 0));
    const crowd = startCrowd(relay.port, 4, { perConnection: 2 });
    await until("all is well", () => crowd.accepted.length > 20, RESTART_MS);
    await crowd.stop();
    // The schema likes it; what stands in the files it names only a worker finds out.
    relay.write({ lists: [{ file: join(relay.dir, "nothing-here.txt") }] });
    relay.program.signal("SIGHUP");
    const refusal = await relay.logged(/a worker refuses/);
    expect([typeof refusal.of, refusal.reason]).toEqual(["number", expect.stringMatching(/nothing-here/)]);
    relay.write({ workers: 3 });
    relay.program.signal("SIGHUP");
    expect((await relay.logged(/^reloaded$/)).waitingForRestart).toEqual(["workers"]);
  });
});

describe("a stop", () => {
  it("lets a mail in progress end, tells idle clients to come back, and leaves no process", async () => {
    const relay = await startServing();
    const workers = [...relay.workers().values()];
    const [idle, busy] = [await openSmtp(relay.port), await openSmtp(relay.port)];
    for (const smtp of [idle, busy]) await smtp.say("EHLO host.stranger.example");
    await busy.say("MAIL FROM:<a@stranger.example>");
    await busy.say("RCPT TO:<b@example.com>");
    await busy.say("DATA");
    relay.program.signal("SIGTERM");
    await relay.logged(/^stopping/);
    await idle.closed;
    expect(await idle.say("NOOP")).toMatch(/^421/);
    const content = `From: <a@stranger.example>\r\nDate: Sat, 01 Aug 2026 10:00:00 +0000\r\nMessage-ID: <last@x.example>\r\n\r\nhello`;
    expect(await busy.say(`${content}\r\n.`)).toMatch(/^250/);
    expect((await relay.program.exited).code).toBe(0);
    expect(workers.filter(isAlive)).toEqual([]);
    expect(relay.delivered()).toHaveLength(1);
    expect(relay.log().at(-1)?.msg).toBe("stopped");
  });

  it("ends a worker that an operator stops by itself, and starts another", async () => {
    const relay = await startServing();
    const [first] = [...relay.workers().values()];
    process.kill(first ?? 0, "SIGTERM");
    await until("another is there", () => relay.workers().size === 2 && !isAlive(first ?? 0), RESTART_MS);
  });
});

describe("a start", () => {
  it("says once what is wrong and ends, where no worker can start", async () => {
    const relay = await startServing();
    const taken = startServing({ listeners: [{ door: "smtp", listen: `127.0.0.1:${relay.port}` }] });
    await expect(taken).rejects.toThrow(/serve ended with 2:[\s\S]*cannot listen on 127\.0\.0\.1/);
  });
});

function opens(at: { readonly port: number; readonly host: string }): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(at);
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}

const hasOpen = (pid: number, file: string): boolean =>
  readdirSync(`/proc/${pid}/fd`).some((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`).includes(file));

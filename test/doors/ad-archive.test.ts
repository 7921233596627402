import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import type { Client } from "../../src/mail/client.ts";
import { adCopiesOf } from "../../src/stores/open-ads.ts";
import { clientOf } from "../helpers/described.ts";
import { startScripted } from "../helpers/scripted-server.ts";
import { type Overrides, startService } from "../helpers/service.ts";
import { openTalk } from "../helpers/smtp-talk.ts";
import { until } from "../helpers/wait.ts";

/** Advertising services' mail as it passes the real doors. */
const ANN = "ann@example.com";

async function relay(client: Partial<Client>, more: Overrides = {}) {
  const service = await startService({
    rules: { "advertising/management-code": "off", "advertising/contents": "off" },
    ...more,
  });
  await service.house.clients.save(clientOf({ kind: "ad-service", networks: ["203.0.113.9"], ...client }));
  await service.house.consents.grant({ advertiser: "shop", recipient: ANN, topics: [], proof: { how: "test" } });
  const directory = join(service.house.law.config.dataDir, "ads");
  return {
    service,
    directory,
    files: () =>
      existsSync(directory)
        ? readdirSync(directory, { recursive: true, withFileTypes: true }).filter((file) => file.isFile())
        : [],
    async send(subject = "[QC] sale") {
      const talk = await openTalk(service.smtp);
      await talk.sayAll("EHLO proxy.example.net", "XCLIENT ADDR=203.0.113.9", "EHLO mx.shop.example");
      await talk.sayAll("MAIL FROM:<a@shop.example>", `RCPT TO:<${ANN}>`, "DATA");
      const date = new Date().toUTCString().replace("GMT", "+0000");
      return talk.data(`From: a@shop.example\nDate: ${date}\nSubject: ${subject}\n\nbuy now\n`);
    },
  };
}

const vietnam = { packs: { default: ["vn-2008"], modes: { "vn-2008": "enforce" } } };

describe("what an advertising service sends", () => {
  it("is kept as it was handed over, where its law asks for it", async () => {
    const { service, send } = await relay({}, vietnam);
    const reply = await send();
    expect(reply.code).toBe(250);
    const id = /id (\w+)$/.exec(reply.text.trim())?.[1] ?? "";
    const { config } = service.house.law;
    const copy = await adCopiesOf(config, service.house.clock).read(id);
    const sent = service.mailsTo(ANN)[0] ?? "";
    expect(sent).toContain(copy?.mail.toString("latin1"));
    expect(copy?.mail.toString()).toMatch(/^Received: [\s\S]*buy now/);
  });

  it.each([
    ["refuses it", "554 5.7.1 no", 554],
    ["is gone", "close", 451],
  ] as const)("is not kept when the next hop %s", async (_, dot, code) => {
    const hop = await startScripted({ answers: { dot } });
    onTestFinished(() => hop.stop());
    const { files, send } = await relay({}, { ...vietnam, nextHop: { to: `smtp://127.0.0.1:${hop.port}` } });
    expect((await send()).code).toBe(code);
    await until("the copy is gone", () => files().length === 0);
    expect(hop.commands.filter((line) => line.startsWith("DATA"))).not.toEqual([]);
  });

  it("is put off when the copy cannot be written", async () => {
    const { service, directory, send } = await relay({}, vietnam);
    rmSync(directory, { recursive: true, force: true });
    writeFileSync(directory, "in the way");
    expect((await send()).code).toBe(452);
    expect(service.mailsTo(ANN)).toEqual([]);
    rmSync(directory);
    mkdirSync(directory);
    expect((await send()).code).toBe(250);
  });

  it.each([
    ["where the law is only watched", {}, { packs: { default: ["vn-2008"], modes: { "vn-2008": "watch" } } }],
    ["under laws that do not ask", {}, { packs: { default: ["cn-2006"] } }],
    ["where the operator keeps none", {}, { ...vietnam, adArchive: { keep: "off" } }],
    ["of an advertiser itself", { kind: "advertiser" }, vietnam],
  ] as [string, Partial<Client>, Overrides][])("is not kept %s", async (_, client, more) => {
    const { files, send } = await relay(client, more);
    expect((await send(JSON.stringify(more).includes("cn-2006") ? "AD sale" : "[QC] sale")).code).toBe(250);
    expect(files()).toEqual([]);
  });
});

import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { configSchema } from "../../../src/config/schema.ts";
import { openCarrier } from "../../../src/delivery/carrier/open.ts";
import { createLog } from "../../../src/kit/log.ts";
import { Misuse } from "../../../src/kit/trouble.ts";
import { queuedMail } from "../../helpers/carrying.ts";
import { docLines } from "../../helpers/doc-blocks.ts";
import { recipientOf } from "../../helpers/letters.ts";
import { namesOf } from "../../helpers/names.ts";

const open = (config: object) =>
  openCarrier(configSchema.parse({ hostname: "relay.example", ...config }), {
    names: namesOf([]),
    log: createLog("silent"),
  });

describe("the ways a configuration names", () => {
  it("are those of docs/delivery.md", async () => {
    const text = docLines("delivery.md", { section: "", file: "consentry.yaml" }).join("\n");
    const carrier = open(parse(text) as object);
    const destination = (to: string, clientId?: string) => {
      const recipient = recipientOf(to);
      return carrier.destinationOf(queuedMail([recipient], clientId === undefined ? {} : { clientId }), recipient);
    };
    expect(destination("b@partner.example")).toBe("smtp://gate.partner.example:25");
    expect(destination("b@b.example", "shop")).toBe("b.example via 192.0.2.10,2001:db8::10");
    expect(destination("b@b.example", "other")).toBe("b.example");
    expect(destination("b@b.example")).toBe("b.example");
    expect(carrier.widthOf?.("b.example")).toBe(20);
    await carrier.close(0);
  });

  it.each<[string, object, RegExp]>([
    ["mx: without DNS", { nextHop: { to: "mx:" } }, /mx: needs DNS.*dns\.servers/s],
    ["a route by mx: without DNS", { routes: [{ domains: ["a.example"], to: "mx:" }] }, /mx: needs DNS/],
    ["a port that is none", { nextHop: { to: "mx:99999" }, dns: { servers: ["127.0.0.1:53"] } }, /mx:99999/],
    [
      "certificates that are not there",
      { routes: [{ to: "smtp://a.example", caFile: "/nowhere" }] },
      /caFile.*nowhere/s,
    ],
  ])("%s: a clear word at the start", (_, config, words) => {
    expect(() => open(config)).toThrow(Misuse);
    expect(() => open(config)).toThrow(words);
  });

  it.each<[string, object]>([
    ["a user without a password", { to: "smtp://a.example", user: "u" }],
    ["an address that is none", { egress: ["192.0.2"] }],
    ["a way that is none", { to: "ftp://a.example" }],
  ])("%s is refused by the schema", (_, route) => {
    expect(configSchema.safeParse({ routes: [route] }).success).toBe(false);
  });
});

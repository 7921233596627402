import { describe, expect, it } from "vitest";
import { CLIENT_KINDS, isAdSender } from "../../src/mail/client.ts";
import { isOwn } from "../../src/mail/views.ts";
import { clientOf, sessionOf } from "../helpers/described.ts";

describe("kinds of clients", () => {
  it.each(CLIENT_KINDS)("%s counts as advertising or does not", (kind) => {
    expect(isAdSender(clientOf({ kind }))).toBe(kind === "advertiser" || kind === "ad-service");
  });

  it("a stranger is no advertiser of ours", () => {
    expect(isAdSender(undefined)).toBe(false);
  });
});

describe("one of our own", () => {
  it.each([
    ["a stranger", {}, false],
    ["a client", { client: {} }, true],
    ["a host of relayNetworks", { relayNetwork: true }, true],
    ["a login without a client behind it", { login: "ghost" }, false],
  ])("%s", (_, mail, expected) => {
    expect(isOwn(sessionOf(mail))).toBe(expected);
  });
});

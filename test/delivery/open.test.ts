import { describe, expect, it } from "vitest";
import { openNextHop } from "../../src/delivery/open.ts";
import { Misuse } from "../../src/kit/trouble.ts";

const options = {
  hostname: "relay.example",
  timeoutMs: 1_000,
  connectionsMax: 1,
  idleMs: 1_000,
  mailsPerConnectionMax: 1,
  tls: "never",
} as const;

describe("the next hop's URL", () => {
  it.each([
    ["smtp://mail.example", "smtp://mail.example:25"],
    ["smtp://127.0.0.1:10025", "smtp://127.0.0.1:10025"],
    ["SMTP://127.0.0.1:10025/", "smtp://127.0.0.1:10025"],
    ["smtp://[::1]:10025", "smtp://[::1]:10025"],
    ["smtps://mail.example", "smtps://mail.example:465"],
    ["lmtp://127.0.0.1", "lmtp://127.0.0.1:24"],
    ["smtp+unix:/run/smtp", "smtp+unix:/run/smtp"],
    ["lmtp+unix:/run/dovecot/lmtp", "lmtp+unix:/run/dovecot/lmtp"],
    ["lmtp+unix:///run/dovecot/lmtp", "lmtp+unix:/run/dovecot/lmtp"],
    ["maildir:/var/mail", "maildir:/var/mail"],
    ["maildir:///var/mail", "maildir:/var/mail"],
    ["maildir:var/mail", "maildir:var/mail"],
  ])("%s is %s", (to, name) => {
    expect(openNextHop(to, options).name).toBe(name);
  });

  it.each([
    "",
    "mail.example:25",
    "http://mail.example",
    "smtp:",
    "smtp://",
    "smtp:///",
    "smtp://mail.example:0",
    "smtp://mail.example:99999",
    "smtp://mail.example/path",
    "smtp://mail.example?x",
    "lmtp+unix:",
    "lmtp+unix:relative",
    "lmtp+unix://host/path",
    "maildir:",
    "maildir://host/path",
    "mx:",
  ])("%j is refused with the accepted forms", (to) => {
    expect(() => openNextHop(to, options)).toThrow(Misuse);
    expect(() => openNextHop(to, options)).toThrow(/smtp:\/\/host:port.*lmtp\+unix:\/path.*maildir:\//s);
  });

  it("with credentials is refused, and they are not repeated", () => {
    const open = () => openNextHop("smtp://relay:s3cret@mail.example", options);
    expect(open).toThrow(Misuse);
    expect(open).not.toThrow(/s3cret/);
  });

  it("with a caFile that is none is refused", () => {
    for (const caFile of ["/nonexistent/ca.pem", import.meta.filename]) {
      expect(() => openNextHop("smtp://mail.example", { ...options, caFile })).toThrow(Misuse);
    }
  });
});

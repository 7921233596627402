import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { NextHop } from "../../src/delivery/next-hop.ts";
import { openNextHop } from "../../src/delivery/open.ts";
import { parcelOf } from "../../src/delivery/parcel.ts";
import type { SmtpNextHop } from "../../src/delivery/smtp/next-hop.ts";
import type { Session } from "../../src/mail/views.ts";
import { contentOf, recipientOf, senderOf, sessionOf } from "../helpers/letters.ts";
import { type Postfix, postfixIsHere, startPostfix } from "../helpers/postfix.ts";

const FRONT = Buffer.from("Received: from client.example by relay.example; Sun, 22 Nov 2026 06:00:00 +0000\r\n");
const HEADER = "From: a@example.com\r\nMessage-ID: <1@example.com>\r\nDate: Sun, 22 Nov 2026 06:00:00 +0000\r\n";

describe.skipIf(!postfixIsHere())("Postfix as the next hop (skipped without postfix, or not as root)", () => {
  let postfix: Postfix;
  let hop: NextHop;

  beforeAll(async () => {
    postfix = await startPostfix({
      users: ["b", "c", "bytes", "large", "many"],
      mainCf: ["message_size_limit = 30000000", "inet_protocols = all"],
    });
    hop = openNextHop(`smtp://127.0.0.1:${postfix.port}`, {
      hostname: "relay.example",
      timeoutMs: 15_000,
      connectionsMax: 4,
      idleMs: 30_000,
      mailsPerConnectionMax: 100,
      tls: "opportunistic",
    });
  });
  afterAll(async () => {
    await hop?.close(1_000);
    await postfix?.stop();
  });

  async function deliver(
    user: string,
    mail: Buffer | string,
    more: { pieceBytes?: number; session?: Partial<Session> } = {},
  ) {
    const handover = hop.begin(
      sessionOf(more.session),
      senderOf("a@example.com", { eightBit: true, sizeBytes: mail.length }),
      "01MAIL",
    );
    const rcpt = await handover.rcpt(recipientOf(`${user}@example.test`));
    expect(rcpt).toMatchObject({ code: 250, enhanced: "2.1.5" });
    return handover.data(parcelOf(contentOf(mail, more.pieceBytes), FRONT, []), Promise.resolve());
  }

  /** What stands behind the lines that Postfix itself put in front, line ends as on the wire. */
  function behindItsHeaders(stored: Buffer | undefined): string {
    const text = stored?.toString("latin1").replaceAll("\n", "\r\n") ?? "";
    return text.slice(text.indexOf(FRONT.toString()));
  }

  it("stores the mail byte for byte, and its queue id is in the outcome", async () => {
    const body = `.\r\n..\r\n.x\r\n\r\n ${"\xe9\xff"}\r\n${"long ".repeat(180)}\r\n.`;
    const mail = Buffer.from(`${HEADER}Subject: =?utf-8?q?x?=\r\n  folded\r\n\r\n${body}\r\n`, "latin1");
    const outcome = await deliver("bytes", mail);
    expect(outcome.nextHopIp).toBe("127.0.0.1");
    expect(outcome.replies[0]?.lines[0]).toMatch(/^Ok: queued as [0-9A-F]+$/);
    const [stored] = await postfix.delivered("bytes", 1);
    expect(behindItsHeaders(stored)).toBe(FRONT + mail.toString("latin1"));
  });

  it("stores a large mail that is streamed byte for byte", async () => {
    const line = `.${"0123456789".repeat(7)}\r\n`;
    const mail = Buffer.from(`${HEADER}\r\n${line.repeat(140_000)}`);
    await deliver("large", mail, { pieceBytes: 65_536 });
    const [stored] = await postfix.delivered("large", 1);
    expect(behindItsHeaders(stored) === FRONT + mail.toString("latin1")).toBe(true);
  });

  it("is told who really sent each mail, also on a kept connection", async () => {
    for (const clientIp of ["192.0.2.77", "192.0.2.77", "2001:db8::77"]) {
      await deliver("b", `${HEADER}\r\nx\r\n`, { session: { clientIp, helo: "helo.example" } });
    }
    await postfix.delivered("b", 3);
    const clients = [...(await postfix.log()).matchAll(/smtpd\[\d+\]: [0-9A-F]+: client=.*$/gm)].map(String);
    const ours = clients.filter((line) => /::77|\.77/.test(line));
    expect(ours).toHaveLength(3);
    expect(ours[1]).toContain("orig_client=unknown[192.0.2.77]");
    expect(ours[2]).toContain("orig_client=unknown[2001:db8::77]");
  });

  it("notes our id of the mail when it is given one", async () => {
    const handover = (hop as SmtpNextHop).begin(sessionOf(), senderOf("a@example.com"), "01OURMAILID");
    await handover.rcpt(recipientOf("c@example.test"));
    await handover.data(parcelOf(contentOf(`${HEADER}\r\nx\r\n`), FRONT, []), Promise.resolve());
    expect(await postfix.log()).toContain("orig_queue_id=01OURMAILID");
    await postfix.delivered("c", 1);
  });

  it("refuses an unknown recipient at RCPT, and the others get the mail", async () => {
    const before = (await postfix.mails("c")).length;
    const handover = hop.begin(sessionOf(), senderOf("a@example.com"), "01MAIL");
    expect(await handover.rcpt(recipientOf("nobody@example.test"))).toMatchObject({ code: 550, enhanced: "5.1.1" });
    expect(await handover.rcpt(recipientOf("other@elsewhere.example"))).toMatchObject({ code: 554, enhanced: "5.7.1" });
    expect(await handover.rcpt(recipientOf("c@example.test"))).toMatchObject({ code: 250 });
    await handover.data(parcelOf(contentOf(`${HEADER}\r\nx\r\n`), FRONT, []), Promise.resolve());
    expect(await postfix.delivered("c", before + 1)).toHaveLength(before + 1);
  });

  it("gets nothing when ready fails, nor after abort", async () => {
    const before = (await postfix.mails("c")).length;
    const unready = hop.begin(sessionOf(), senderOf("a@example.com"), "01MAIL");
    await unready.rcpt(recipientOf("many@example.test"));
    const ready = Promise.reject(new Error("no ledger"));
    const mail = parcelOf(contentOf(`${HEADER}\r\nx\r\n`, 10), FRONT, []);
    await expect(unready.data(mail, ready)).rejects.toThrow("no ledger");
    const aborted = hop.begin(sessionOf(), senderOf("a@example.com"), "01MAIL");
    await aborted.rcpt(recipientOf("many@example.test"));
    aborted.abort();
    await deliver("c", `${HEADER}\r\nx\r\n`);
    await postfix.delivered("c", before + 1);
    expect(await postfix.mails("many")).toHaveLength(0);
  });

  it("takes forty mails at a time over four connections", async () => {
    const before = (await postfix.log()).split(" connect from ").length;
    const outcomes = await Promise.all(Array.from({ length: 40 }, (_, i) => deliver("many", `${HEADER}\r\n${i}\r\n`)));
    expect(outcomes.every(({ replies }) => replies[0]?.code === 250)).toBe(true);
    expect(await postfix.delivered("many", 40)).toHaveLength(40);
    expect((await postfix.log()).split(" connect from ").length - before).toBeLessThanOrEqual(4);
  });

  it("answers ping, and is Unavailable when it is gone", async () => {
    await hop.ping();
    const gone = await startPostfix();
    const other = openNextHop(`smtp://127.0.0.1:${gone.port}`, {
      hostname: "relay.example",
      timeoutMs: 5_000,
      connectionsMax: 1,
      idleMs: 30_000,
      mailsPerConnectionMax: 100,
      tls: "never",
    });
    await other.ping();
    await gone.stop();
    await expect(other.ping()).rejects.toMatchObject({ name: "Unavailable", dependency: "next-hop" });
    await other.close(0);
  });
});

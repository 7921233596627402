import { describe, expect, it } from "vitest";
import type { Edits } from "../../../src/doors/milter/edits.ts";
import type { Answer, MailAnswer } from "../../../src/doors/milter/handler.ts";
import type { MilterOptions } from "../../../src/doors/milter/options.ts";
import { letters, type Offer, type Seen, sendMail, V2 } from "../../helpers/milter-client.ts";
import { type Served, serveSession } from "../../helpers/milter-handler.ts";

/** Sends a mail whose end makes these edits; what comes back up to the answer. */
async function edited(
  edit: (edits: Edits) => unknown,
  options: MilterOptions & { offer?: Offer } = {},
): Promise<Served & { seen: Seen[] }> {
  const endOfMessage = async (edits: Edits): Promise<MailAnswer> => ((await edit(edits)) ?? "accept") as MailAnswer;
  const served = await serveSession({ endOfMessage }, options);
  await sendMail(served.client);
  return { ...served, seen: await served.client.endOfMessage() };
}

const NO_LEADSPC: Offer = { steps: 0x0f_ffff };

describe("edits", () => {
  it.each<[string, (edits: Edits) => void, Seen]>([
    ["a header added", (edits) => edits.addHeader("X-Mark", "yes"), { letter: "h", parts: ["X-Mark", " yes"] }],
    ["a header inserted", (edits) => edits.insertHeader(0, "X-Top", "1"), { letter: "i", parts: ["0", "X-Top", " 1"] }],
    [
      "a header changed",
      (edits) => edits.changeHeader(2, "Subject", "new"),
      { letter: "m", parts: ["2", "Subject", " new"] },
    ],
    ["a header deleted", (edits) => edits.deleteHeader(1, "Subject"), { letter: "m", parts: ["1", "Subject", ""] }],
    [
      "a folded header",
      (edits) => edits.addHeader("X-Long", "one\r\n\ttwo"),
      { letter: "h", parts: ["X-Long", " one\n\ttwo"] },
    ],
    ["a sender changed", (edits) => edits.changeSender("c@d"), { letter: "e", parts: ["<c@d>"] }],
    [
      "a sender with parameters",
      (edits) => edits.changeSender("<c@d>", "RET=HDRS"),
      { letter: "e", parts: ["<c@d>", "RET=HDRS"] },
    ],
    ["a sender emptied", (edits) => edits.changeSender(""), { letter: "e", parts: ["<>"] }],
    ["a recipient added", (edits) => edits.addRecipient("<c@d>"), { letter: "+", parts: ["<c@d>"] }],
    [
      "a recipient with parameters",
      (edits) => edits.addRecipient("c@d", "NOTIFY=NEVER"),
      { letter: "2", parts: ["<c@d>", "NOTIFY=NEVER"] },
    ],
    ["a recipient deleted", (edits) => edits.deleteRecipient("<zoë@d>"), { letter: "-", parts: ["<zoë@d>"] }],
    ["a body replaced", (edits) => edits.replaceBody(Buffer.from("new\r\n")), { letter: "b", parts: ["new\r\n"] }],
    ["a body emptied", (edits) => edits.replaceBody(Buffer.alloc(0)), { letter: "b", parts: [""] }],
    ["a mail held", (edits) => edits.quarantine("look at it\r\n"), { letter: "q", parts: ["look at it?"] }],
  ])("%s goes out before the answer", async (_, edit, seen) => {
    expect((await edited(edit)).seen).toEqual([seen, { letter: "a", parts: [] }]);
  });

  it("leave the blank after the colon to an MTA that adds it", async () => {
    const { seen } = await edited((edits) => edits.addHeader("X-Mark", " yes"), { offer: NO_LEADSPC });
    expect(seen[0]).toEqual({ letter: "h", parts: ["X-Mark", "yes"] });
  });

  it("keep bytes that are no text", async () => {
    const { client } = await serveSession({
      endOfMessage: (edits) => {
        edits.changeHeader(1, "Subject", Buffer.from([0xb9, 0xe3]));
        return "accept";
      },
    });
    await sendMail(client);
    client.raw(Buffer.from([0, 0, 0, 1, 0x45]));
    expect((await client.next())?.payload.subarray(-4)).toEqual(Buffer.from([0x20, 0xb9, 0xe3, 0]));
  });

  it("come in the order they were made, but the body last and in one run", async () => {
    const { seen } = await edited((edits) => {
      edits.replaceBody(Buffer.from("a"));
      edits.addHeader("A", "1");
      edits.replaceBody(Buffer.from("b"));
      edits.deleteRecipient("c@d");
    });
    expect(letters(seen)).toBe("h-bba");
  });

  it("cut a large body into pieces an MTA takes, and arrive whole", async () => {
    const body = Buffer.alloc(200_001, "0123456789\r\n");
    const { seen } = await edited((edits) => edits.replaceBody(body));
    expect(seen.map((one) => one.parts[0]?.length)).toEqual([65_535, 65_535, 65_535, 3_396, undefined]);
    expect(seen.map((one) => one.parts[0] ?? "").join("")).toBe(body.toString());
  });

  it("arrive together with the answer in one write", async () => {
    const { client } = await serveSession({
      endOfMessage: (edits) => {
        for (let i = 0; i < 50; i += 1) edits.addHeader(`X-${i}`, "x");
        return "continue";
      },
    });
    await sendMail(client);
    let writes = 0;
    client.socket.on("data", () => {
      writes += 1;
    });
    expect(letters(await client.endOfMessage())).toBe(`${"h".repeat(50)}c`);
    expect(writes).toBe(1);
  });

  it.each<Answer>(["reject", "tempfail", "discard", { code: 550, enhanced: "5.7.1", lines: ["no"] }])(
    "are not made when the answer is %j",
    async (answer) => {
      const { seen } = await edited((edits) => {
        edits.addHeader("X-Mark", "yes");
        return answer;
      });
      expect(seen).toHaveLength(1);
      expect("rtdy").toContain(seen[0]?.letter);
    },
  );

  it.each<[string, (edits: Edits) => void]>([
    ["a header name with a colon", (edits) => edits.addHeader("A:b", "x")],
    ["a header name with a blank", (edits) => edits.addHeader("A b", "x")],
    ["an empty header name", (edits) => edits.addHeader("", "x")],
    ["a value that begins another header", (edits) => edits.addHeader("A", "x\r\nBcc: me@b")],
    ["a value that ends the headers", (edits) => edits.addHeader("A", "x\n\nbody")],
    ["a value with a bare CR", (edits) => edits.addHeader("A", "x\ry")],
    ["a value with NUL", (edits) => edits.changeHeader(1, "A", "x\0y")],
    ["a change to nothing", (edits) => edits.changeHeader(1, "A", "  ")],
    ["the header before the first", (edits) => edits.changeHeader(0, "A", "x")],
    ["half a header", (edits) => edits.deleteHeader(1.5, "A")],
    ["an address with a line end", (edits) => edits.addRecipient("a@b\r\n")],
    ["parameters with NUL", (edits) => edits.changeSender("a@b", "SIZE=1\0")],
    ["more than the bound", (edits) => edits.replaceBody(Buffer.alloc(70_000))],
  ])("with %s make the mail a fault, and none is made", async (_, edit) => {
    const { seen, faults, calls } = await edited(
      (edits) => {
        edits.addHeader("X-Before", "1");
        edit(edits);
      },
      { editBytesMax: 66_000 },
    );
    expect(seen.map((one) => one.parts[0]?.slice(0, 9))).toEqual(["451-4.3.0"]);
    expect(faults[0]?.error).toBeInstanceOf(RangeError);
    expect(calls.at(-1)).toBe("abort");
  });

  it("the MTA did not agree to are a fault", async () => {
    const { seen, faults } = await edited((edits) => edits.changeSender("x@y"), { offer: V2 });
    expect(seen[0]?.parts[0]).toMatch(/^451/);
    expect(String(faults[0]?.error)).toContain("changeSender");
  });

  it("say beforehand whether they can be made", async () => {
    const can: boolean[] = [];
    await edited((edits) => void can.push(edits.can("addHeader"), edits.can("changeSender")), { offer: V2 });
    expect(can).toEqual([true, false]);
  });

  it("come too late once the mail is over", async () => {
    let kept: Edits | undefined;
    const { client } = await edited((edits) => {
      kept = edits;
    });
    expect(() => kept?.addHeader("A", "b")).toThrow(RangeError);
    kept?.progress();
    expect(letters([await client.mail("<a@b>")])).toBe("c");
  });

  it("may be preceded by progress, at once", async () => {
    let finish = (): void => {};
    const { client } = await serveSession({
      endOfMessage: (edits) => {
        edits.progress();
        edits.addHeader("A", "b");
        return new Promise((resolve) => {
          finish = () => resolve("accept");
        });
      },
    });
    await sendMail(client);
    client.raw(Buffer.from([0, 0, 0, 1, 0x45]));
    expect((await client.answer())?.letter).toBe("p");
    finish();
    expect(letters([await client.answer(), await client.answer()])).toBe("ha");
  });

  it("are accompanied by progress for as long as they take", async () => {
    let left = 3;
    let finish = (): void => {};
    const { client } = await serveSession(
      { endOfMessage: () => new Promise((resolve) => (finish = () => resolve("accept"))) },
      { keepAliveMs: 5 },
    );
    await sendMail(client);
    client.raw(Buffer.from([0, 0, 0, 1, 0x45]));
    for (; left > 0; left -= 1) expect((await client.answer())?.letter).toBe("p");
    finish();
    let last = await client.answer();
    while (last?.letter === "p") last = await client.answer();
    expect(last?.letter).toBe("a");
  });
});

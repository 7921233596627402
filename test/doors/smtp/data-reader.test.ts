import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DataReader } from "../../../src/doors/smtp/data-reader.ts";

const bounds = { mailBytesMax: 100_000, lineBytesMax: 1000, headerBytesMax: 10_000, headersMax: 100 };

interface Read {
  readonly mails: string[];
  readonly defect: string | undefined;
  readonly after: string;
}

/** Feeds text cut at the given places; what follows the end is kept. */
function read(text: string, cuts: readonly number[] = [], limits = bounds): Read {
  const slices: string[] = [];
  const reader = new DataReader(limits, (slice) => slices.push(slice.toString("latin1")));
  const bytes = Buffer.from(text, "latin1");
  const marks = [0, ...[...cuts].sort((a, b) => a - b), bytes.length];
  for (let index = 1; index < marks.length; index += 1) {
    const rest = reader.feed(bytes.subarray(marks[index - 1], marks[index]));
    if (rest) {
      const after = rest.toString("latin1") + bytes.subarray(marks[index]).toString("latin1");
      return { mails: [slices.join("")], defect: reader.defect?.reply, after };
    }
  }
  return { mails: [], defect: reader.defect?.reply, after: "" };
}

describe("the text after DATA", () => {
  it.each([
    ["one line", "a\r\n.\r\n", "a\r\n"],
    ["nothing", ".\r\n", ""],
    ["an empty line", "\r\n.\r\n", "\r\n"],
    ["stuffed dots", "..\r\n..a\r\na..\r\n.\r\n", ".\r\n.a\r\na..\r\n"],
    ["a dot that was not stuffed", ".a\r\n.\r\n", "a\r\n"],
  ])("%s comes out as it went in", (_, wire, content) => {
    expect(read(wire)).toEqual({ mails: [content], defect: undefined, after: "" });
  });

  it.each(["a\rb\r\n.\r\n", "\ra\r\n.\r\n", "a\r\n\rb\r\n.\r\n", "a\rb\n\r\n.\r\n"])(
    "a bare CR inside a line does not hide the end of the mail: %j",
    (wire) => {
      expect(read(wire)).toMatchObject({ mails: [expect.any(String)], defect: "bare-newline", after: "" });
      for (let cut = 1; cut < wire.length; cut += 1) expect(read(wire, [cut]).mails).toHaveLength(1);
    },
  );

  it("leaves what follows the mail for the next command", () => {
    expect(read("a\r\n.\r\nQUIT\r\n").after).toBe("QUIT\r\n");
    expect(read("a\r\n.\r\nMAIL FROM:<x@y.z>\r\nRC").after).toBe("MAIL FROM:<x@y.z>\r\nRC");
  });

  /** The published smuggling sequences: what some server somewhere takes for the end of a mail. */
  it.each([
    "\n.\n",
    "\n.\r\n",
    "\r\n.\n",
    "\r.\r",
    "\r.\r\n",
    "\r\n.\r",
    "\n.\r",
    "\r\n\0.\r\n",
    "\r\n.\0\r\n",
    "\r.\n",
    "\n\n.\r\n",
    "\r\r\n.\r\n",
    "\r\n.\r\r\n",
  ])("%j ends no mail, or the mail is refused", (end) => {
    const smuggled = "MAIL FROM:<evil@example.net>\r\nRCPT TO:<victim@example.com>\r\nDATA\r\nsmuggled\r\n.\r\n";
    const { mails, defect, after } = read(`first${end}${smuggled}`);
    const passedOn = defect === undefined;
    const cutShort = after !== "";
    expect(mails.length, "exactly one end was seen").toBe(1);
    expect(cutShort && passedOn, "nothing after a false end becomes commands of an accepted mail").toBe(false);
    expect(defect).toBe(end.includes("\0") ? "nul-byte" : "bare-newline");
  });

  it("gives the same wherever the packets are cut", () => {
    const lines = fc.array(fc.constantFrom("a", ".", "..", ".a", "", "\r", "\n", "x".repeat(50), "Subject: y"), {
      maxLength: 12,
    });
    fc.assert(
      fc.property(lines, fc.array(fc.nat(400), { maxLength: 30 }), (parts, cuts) => {
        const wire = `${parts.map((part) => `${part}\r\n`).join("")}.\r\nRSET\r\n`;
        const whole = read(wire);
        const cut = read(
          wire,
          cuts.filter((at) => at < wire.length),
        );
        expect(cut.after).toBe(whole.after);
        expect(cut.defect).toBe(whole.defect);
        if (!whole.defect) expect(cut.mails).toEqual(whole.mails);
      }),
      { numRuns: 500 },
    );
  });

  it("gives every content back that was stuffed as RFC 5321 4.5.2 says", () => {
    fc.assert(
      fc.property(fc.array(fc.stringMatching(/^[ -~]{0,40}$/), { maxLength: 20 }), (lines) => {
        const content = lines.map((line) => `${line}\r\n`).join("");
        const wire = `${content.replace(/^\./gm, "..")}.\r\n`;
        expect(read(wire)).toEqual({ mails: [content], defect: undefined, after: "" });
      }),
    );
  });

  it.each([
    ["line-too-long", `a\r\n${"x".repeat(1001)}\r\n.\r\n`, bounds],
    ["header-too-large", `${"A: x\r\n".repeat(2000)}\r\nb\r\n.\r\n`, { ...bounds, headersMax: 10_000 }],
    ["too-many-headers", `${"A: x\r\n".repeat(101)}\r\nb\r\n.\r\n`, bounds],
    [
      "mail-too-large",
      `A: x\r\n\r\n${"y".repeat(900)}\r\n`.concat(`${"y".repeat(900)}\r\n`.repeat(200), ".\r\n"),
      bounds,
    ],
  ])("%s is found, and the end is still seen", (reply, wire, limits) => {
    const result = read(wire, [], limits);
    expect(result.defect).toBe(reply);
    expect(result.after).toBe("");
    expect(result.mails.length).toBe(1);
  });

  it("holds a line that never ends in constant memory, and sees the end after it", () => {
    const slices: Buffer[] = [];
    const reader = new DataReader(bounds, (slice) => slices.push(slice));
    for (let round = 0; round < 2000; round += 1) expect(reader.feed(Buffer.alloc(1000, 120))).toBeUndefined();
    expect(reader.defect?.reply).toBe("line-too-long");
    expect(reader.feed(Buffer.from("\r"))).toBeUndefined();
    expect(reader.feed(Buffer.from("\n.\r"))).toBeUndefined();
    expect(reader.feed(Buffer.from("\nNOOP\r\n"))?.toString()).toBe("NOOP\r\n");
    expect(slices.length).toBe(0);
  });
});

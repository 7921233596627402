import { describe, expect, it } from "vitest";
import { createPolicies } from "../../../src/delivery/mx/sts.ts";
import { isNamed, readStsPolicy, stsIdOf } from "../../../src/delivery/mx/sts-policy.ts";
import { stsShelf } from "../../../src/delivery/mx/sts-shelf.ts";
import type { Names } from "../../../src/kit/names.ts";
import { createMemoryTables } from "../../../src/stores/memory/tables.ts";
import { handClock } from "../../helpers/hand-clock.ts";
import { namesOf } from "../../helpers/names.ts";

const policy = (...lines: string[]): string => ["version: STSv1", ...lines, ""].join("\r\n");
const GOOD = policy("mode: enforce", "mx: mx.b.example", "mx: *.mail.b.example", "max_age: 86400");

describe("a policy's text", () => {
  it("is read", () => {
    expect(readStsPolicy(GOOD)).toEqual({ mode: "enforce", mx: ["mx.b.example", "*.mail.b.example"], maxAgeS: 86_400 });
  });

  it.each([
    ["with LF alone and an extension", GOOD.replaceAll("\r\n", "\n").concat("later: x\n"), "enforce"],
    ["that says there is none", policy("mode: none", "max_age: 1"), "none"],
    ["for a test", policy("mode: testing", "mx: a.b", "max_age: 1"), "testing"],
    ["whose first mode counts", policy("mode: testing", "mode: enforce", "mx: a.b", "max_age: 1"), "testing"],
  ])("%s", (_, text, mode) => {
    expect(readStsPolicy(text)?.mode).toBe(mode);
  });

  it.each([
    ["no version", "mode: enforce\r\nmx: a.b\r\nmax_age: 1\r\n"],
    ["another version", GOOD.replace("STSv1", "STSv2")],
    ["no mode", policy("mx: a.b", "max_age: 1")],
    ["another mode", policy("mode: maybe", "mx: a.b", "max_age: 1")],
    ["no mx", policy("mode: enforce", "max_age: 1")],
    ["no age", policy("mode: enforce", "mx: a.b")],
    ["an age that is none", policy("mode: enforce", "mx: a.b", "max_age: 1e9")],
    ["a star in the middle", policy("mode: enforce", "mx: a.*.b", "max_age: 1")],
    ["a page of HTML", "<html>\r\n<body>mode: enforce</body>\r\n"],
  ])("with %s is none", (_, text) => {
    expect(readStsPolicy(text)).toBeUndefined();
  });

  it("is kept for a year at most", () => {
    expect(readStsPolicy(policy("mode: none", "max_age: 9999999999"))?.maxAgeS).toBe(31_557_600);
  });
});

describe("the hosts it names", () => {
  const read = readStsPolicy(GOOD);
  it.each([
    ["mx.b.example", true],
    ["MX.B.example.", true],
    ["a.mail.b.example", true],
    ["mail.b.example", false],
    ["a.b.mail.b.example", false],
    ["other.b.example", false],
    ["mx.b.example.evil.example", false],
  ])("%s: %s", (host, named) => {
    expect(read && isNamed(read, host)).toBe(named);
  });
});

describe("the record that announces it", () => {
  it.each<[readonly string[], string | undefined]>([
    [["v=STSv1; id=20260101T1;"], "20260101T1"],
    [["v=STSv1;id=a"], "a"],
    [["v=spf1 -all", "v=STSv1; id=1"], "1"],
    [["v=STSv1; id=1", "v=STSv1; id=2"], undefined],
    [["v=STSv1"], undefined],
    [["v=STSv1; id=a-b"], undefined],
    [[], undefined],
  ])("%j: %s", (records, id) => {
    expect(stsIdOf(records)).toBe(id);
  });
});

describe("policies", () => {
  const announced = (id: string): string[] => [`_mta-sts.b.example TXT v=STSv1; id=${id}`];

  function world(zone: readonly string[], texts: (string | undefined)[]) {
    const clock = handClock(1_700_000_000_000);
    const asked: string[] = [];
    let current = namesOf(zone);
    const names: Names = { ask: (name, type) => current.ask(name, type) };
    const policies = createPolicies({
      names,
      clock,
      fetch: async (host) => {
        asked.push(host);
        return texts.shift();
      },
    });
    const mode = async () => (await policies.of("b.example"))?.mode;
    const say = (lines: readonly string[]): void => {
      current = namesOf(lines);
    };
    return { clock, asked, mode, policies, say };
  }

  it("are fetched once for each id, and only where DNS announces one", async () => {
    const { asked, mode, say } = world(announced("1"), [GOOD, GOOD.replace("enforce", "testing")]);
    expect([await mode(), await mode()]).toEqual(["enforce", "enforce"]);
    expect(asked).toEqual(["mta-sts.b.example"]);
    say(announced("2"));
    expect(await mode()).toBe("testing");
    const none = world([], [GOOD]);
    expect(await none.mode()).toBeUndefined();
    expect(none.asked).toEqual([]);
  });

  it("that are kept count though DNS is silent, the record is gone or the new one cannot be had", async () => {
    const { mode, say } = world(announced("1"), [GOOD]);
    await mode();
    say(["_mta-sts.b.example silence TXT"]);
    expect(await mode()).toBe("enforce");
    say([]);
    expect(await mode()).toBe("enforce");
    say(announced("2"));
    expect(await mode()).toBe("enforce");
  });

  it("end with their time", async () => {
    const { clock, mode, say } = world(announced("1"), [GOOD]);
    await mode();
    say([]);
    await clock.pass(86_400_000);
    expect(await mode()).toBeUndefined();
  });

  it("that cannot be had are not asked for by every mail", async () => {
    const { clock, asked, mode } = world(announced("1"), [undefined, "nonsense", GOOD]);
    expect([await mode(), await mode(), await mode()]).toEqual([undefined, undefined, undefined]);
    expect(asked).toHaveLength(1);
    await clock.pass(300_000);
    expect(await mode()).toBeUndefined();
    await clock.pass(300_000);
    expect(await mode()).toBe("enforce");
  });

  it("are fetched once for many mails at a time", async () => {
    const { asked, policies } = world(announced("1"), [GOOD]);
    const all = await Promise.all(Array.from({ length: 50 }, () => policies.of("b.example")));
    expect(new Set(all.map((each) => each?.mode))).toEqual(new Set(["enforce"]));
    expect(asked).toHaveLength(1);
  });

  it("are kept beyond the process that fetched them, for their time and no longer", async () => {
    const clock = handClock(1_700_000_000_000);
    const shelf = stsShelf(createMemoryTables(), clock);
    const texts = [GOOD];
    const process = (zone: readonly string[]) =>
      createPolicies({ names: namesOf(zone), clock, shelf, fetch: async () => texts.shift() });
    expect((await process(announced("1")).of("b.example"))?.mode).toBe("enforce");
    const cutOff = process(["_mta-sts.b.example silence TXT"]);
    expect((await cutOff.of("b.example"))?.mode, "after a restart, with DNS silent").toBe("enforce");
    await clock.pass(86_400_000);
    expect(await cutOff.of("b.example")).toBeUndefined();
    expect(await process([]).of("b.example")).toBeUndefined();
    await shelf.tidy();
    expect(await shelf.get("b.example")).toBeUndefined();
  });

  it("of address literals there are none", async () => {
    const { policies, asked } = world(announced("1"), [GOOD]);
    expect(await policies.of("[192.0.2.1]")).toBeUndefined();
    expect(asked).toEqual([]);
  });
});

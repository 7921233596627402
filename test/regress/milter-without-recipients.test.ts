import { describe, expect, it } from "vitest";
import { letter } from "../helpers/letters-now.ts";
import { greet, openDoor, spoken, tellContent } from "../helpers/milter-door.ts";

/**
 * An MTA may go on to the end of a mail although every RCPT was refused. The mail was then judged for nobody, a bug was logged, and the
 * answer was 451: the sender tried again for days. Found by scripts/fuzz, target milter.
 */
describe("a mail that goes on without a recipient", () => {
  it("is refused for good at its end, and no bug is logged", async () => {
    const { mta, entries, faults } = await openDoor();
    await greet(mta);
    await mta.mail("<bob@sender.example>");
    expect(spoken(await mta.rcpt("<>"))).toMatch(/^501 5\.1\.3 /);
    const answers = await tellContent(mta, letter());
    expect(spoken(answers.at(-1))).toBe("554 5.5.1 no valid recipients");
    expect(faults).toEqual([]);
    expect((await entries()).filter(({ event }) => event === "received")).toEqual([]);
  });

  it("does not spoil the next one", async () => {
    const { mta } = await openDoor();
    await greet(mta);
    await mta.mail("<bob@sender.example>");
    await mta.rcpt("<>");
    await tellContent(mta, letter());
    await mta.mail("<bob@sender.example>");
    await mta.rcpt("<ann@example.com>");
    expect(spoken((await tellContent(mta, letter())).at(-1))).toBe("ok");
  });
});

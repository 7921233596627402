import { describe, expect, it } from "vitest";
import { nextHopLine } from "../../src/commands/doctor/machine.ts";
import { configSchema } from "../../src/config/schema.ts";
import { nextHopOf } from "../../src/delivery/open.ts";
import { startScripted } from "../helpers/scripted-server.ts";

const lineOf = (nextHop: object) => nextHopLine(nextHopOf(configSchema.parse({ nextHop })));

describe("what the doctor says of the next hop", () => {
  it("that it answers", async () => {
    const server = await startScripted();
    const to = `smtp://127.0.0.1:${server.port}`;
    expect(await lineOf({ to })).toMatchObject({ verdict: "ok", about: `next hop ${to}` });
    await server.stop();
  });

  it("that mx: are many, of which none can speak for the others", async () => {
    expect(await lineOf({ to: "mx:", mode: "queue" })).toMatchObject({
      verdict: "cannot know",
      advice: expect.stringContaining("port 25"),
    });
  });
});

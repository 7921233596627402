import { describe, expect, it } from "vitest";
import { webLines } from "../../src/commands/doctor/web-door.ts";
import type { Listener } from "../../src/config/schema.ts";
import { freePort } from "../helpers/process.ts";
import { sharedService } from "../helpers/service.ts";

const listener = (door: Listener["door"], host: string, port: number): Listener => ({
  door,
  listen: { host, port },
  tls: "starttls",
  requireTls: true,
  proxyHeader: false,
  submissionDaemons: [],
});

describe("doctor, of HTTP and metrics doors", () => {
  const service = sharedService({
    listeners: ["smtp", "http", "metrics"].map((door) => ({ door, listen: "127.0.0.1:0", requireTls: false })),
  });

  it.each(["http", "metrics"] as const)("sees that %s answers and mail can be taken", async (door) => {
    const port = service().ports[door === "http" ? 1 : 2] ?? 0;
    expect(await webLines(listener(door, "127.0.0.1", port))).toMatchObject([{ verdict: "ok" }]);
  });

  it("warns of figures for everybody", async () => {
    const lines = await webLines(listener("metrics", "0.0.0.0", service().ports[2] ?? 0));
    expect(lines.map(({ verdict }) => verdict)).toEqual(["warn", "ok"]);
  });

  it("cannot know where nobody listens", async () => {
    expect(await webLines(listener("http", "127.0.0.1", await freePort()))).toMatchObject([
      { verdict: "cannot know", found: "nobody listens there" },
    ]);
  });
});

import { beforeAll, describe, expect, it } from "vitest";
import { type Cli, createCli } from "../helpers/cli.ts";

/** The real command line, one process after the other, on one customer. */
let cli: Cli;
beforeAll(async () => {
  cli = createCli();
  await cli.run(["client", "add", "isp", "--kind", "email-provider", "--licence", "B2", "--domain", "isp.example"]);
});
const run = (line: string) => cli.run(line.split(" "));

describe("consentry client suspend", { timeout: 60_000 }, () => {
  it("takes a reason and an end, shows them, and resume ends it", async () => {
    const words = ["client", "suspend", "isp", "--reason", "filing is being renewed", "--until", "2099-01-01"];
    const done = await cli.run([...words, "--actor", "ann"]);
    expect(done).toMatchObject({
      code: 0,
      stdout: "isp: suspended until 2099-01-01T00:00Z by ann: filing is being renewed\n",
    });
    expect((await run("client list")).stdout).toMatch(/^isp +email-provider +suspended/m);
    expect((await run("client show isp")).stdout).toContain("suspended      until 2099-01-01T00:00Z by ann: filing");
    expect((await run("client resume isp")).stdout).toBe("isp: resumed\n");
    expect(await run("client resume isp")).toMatchObject({ code: 1, stderr: "consentry: isp is not suspended\n" });
    const found = (await run("ledger find --event client-changed --json")).stdout;
    for (const change of ["suspended", "resumed"]) expect(found).toContain(`"change":"${change}"`);
  });

  it.each([
    ["without a reason", "client suspend isp", 2],
    ["with an end that is over", "client suspend isp --reason x --until 2020-01-01", 2],
    ["of nobody", "client suspend nobody --reason x", 1],
  ])("says no %s", async (_, line, code) => {
    expect((await run(line)).code).toBe(code);
  });
});

describe("consentry client set --verp", { timeout: 60_000 }, () => {
  it("is kept, taken back and cleared, and says where the configuration knows nothing of it", async () => {
    const asked = await run("client set isp --verp");
    expect(asked).toMatchObject({ code: 0, stderr: expect.stringContaining("envelopeRewriting.verp is off") });
    expect(await cli.json(["client", "show", "isp"])).toMatchObject({ verp: true });
    expect(await run("client set isp --no-verp")).toMatchObject({ code: 0, stderr: "" });
    expect(await cli.json(["client", "show", "isp"])).toMatchObject({ verp: false });
    await run("client set isp --clear verp");
    expect(await cli.json(["client", "show", "isp"])).not.toHaveProperty("verp");
  });
});

describe("consentry client address", { timeout: 60_000 }, () => {
  it("tells from when one may be used, takes a second one for a change, and ends one on its day", async () => {
    const add = (more: string) =>
      cli.run(["client", "address", "add", "isp", ...more.split(" "), "--authority", "MIIT"]);
    expect((await add("192.0.2.25 --registered-on 2026-01-01")).stdout).toBe(
      "isp: 192.0.2.25 (source) registered, usable from 2026-01-21\n",
    );
    expect((await add("2001:DB8:0::/48 --registered-on 2026-02-01")).stdout).toBe(
      "isp: 2001:db8::/48 (source) registered, usable from 2026-03-03\n",
    );
    expect((await add("192.0.2.25")).code).toBe(1);
    expect((await add("not-an-address")).code).toBe(2);
    expect((await add("192.0.2.26 --registered-on 2026-13-01")).code).toBe(2);
    expect((await run("client address remove isp 192.0.2.25 --ends-on 2026-03-31")).stdout).toBe(
      "isp: 192.0.2.25 ends on 2026-03-31\n",
    );
    expect(JSON.parse((await run("client address list isp --json")).stdout)).toMatchObject([
      { network: "192.0.2.25", state: "over", endsOn: "2026-03-31" },
      { network: "2001:db8::/48", state: "usable", change: true, usableFrom: "2026-03-03" },
    ]);
    for (const network of ["192.0.2.25", "2001:db8::/48"]) await run(`client address remove isp ${network}`);
    expect(await cli.json(["client", "show", "isp"])).not.toHaveProperty("addresses");
    expect((await run("client address remove isp 192.0.2.25")).code).toBe(1);
  });
});

describe("consentry client campaign", { timeout: 60_000 }, () => {
  it("declares, lists and takes back", async () => {
    const words = "client campaign add isp Winter --sender News@isp.example --recipients 500 --per-minute 60";
    const done = await run(`${words} --from 2026-12-01 --until 2026-12-08`);
    expect(done.stdout).toBe(
      "isp: declared winter: 2026-12-01T00:00Z to 2026-12-08T00:00Z, from news@isp.example, to 500, 60 a minute\n",
    );
    expect((await run(`${words} --from 2026-12-01 --until 2026-12-08`)).code).toBe(1);
    const wrong = await run(
      "client campaign add isp x --sender nobody --recipients 0 --from 2026-12-08 --until 2026-12-01",
    );
    expect([wrong.code, wrong.stderr]).toEqual([
      2,
      expect.stringMatching(/senders\.0: an address[\s\S]*recipientsMax/),
    ]);
    expect(JSON.parse((await run("client campaign list isp --json")).stdout)).toMatchObject([{ name: "winter" }]);
    expect((await run("client campaign remove isp winter")).stdout).toBe("isp: campaign winter removed\n");
    expect((await run("client campaign list isp")).stdout).toBe("none\n");
  });
});

describe("consentry client complaints", { timeout: 60_000 }, () => {
  it("counts reports, and suspends when they are enough of what was delivered", async () => {
    expect((await run("client complaints isp")).stdout).toMatch(/^isp: 0 reports of spam for 0 delivered/);
    expect((await run("client complaints isp --add 4")).stdout).not.toContain("suspended");
    expect(await cli.json(["client", "complaints", "isp", "--add", "1", "--reference", "FBL 118"])).toMatchObject({
      complaints: 5,
      percent: 100,
      suspended: { by: "consentry", reason: "5 reports of spam, 100 % of what was delivered" },
    });
    const entries = (await run("ledger find --event complaints-counted --json")).stdout;
    expect(entries).toContain('"reference":"FBL 118"');
    await run("client resume isp");
    expect((await run("client complaints isp --add -1")).code).toBe(2);
  });
});

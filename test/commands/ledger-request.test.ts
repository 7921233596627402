import { userInfo } from "node:os";
import { describe, expect, it } from "vitest";
import { loginName } from "../../src/commands/who.ts";
import { createCli } from "../helpers/cli.ts";

const LEDGER = `ledger: { mayActAs: [${JSON.stringify(loginName())}], auditors: [ann, bob] }\n`;
const open = (caseNumber: string, ...more: string[]): string[] => [
  ...["ledger", "request", "open", "--case", caseNumber, "--authority", "City Police", "--basis", "order 12"],
  ...["--scope", "mail of li", ...more],
];

describe("consentry ledger request", { timeout: 60_000 }, () => {
  it("takes two persons, of whom the second is an auditor", async () => {
    const cli = createCli(LEDGER);
    const opened = await cli.run(
      open("2026-117", "--address", "Li@Example.com", "--since", "2026-11-01", "--as", "ann"),
    );
    expect(opened).toEqual({
      code: 0,
      stdout: "request 2026-117 is open; somebody other than ann approves it\n",
      stderr: "note: no hold stands for case 2026-117: days whose time is over are deleted all the same\n",
    });
    const approve = (as: string) => cli.run(["ledger", "request", "approve", "--case", "2026-117", "--as", as]);
    expect((await approve("ann")).stderr).toBe(
      "consentry: request 2026-117 was opened by ann: another person has to approve it\n",
    );
    expect((await approve("eve")).stderr).toBe(
      "consentry: this is for auditors, and ledger.auditors does not name eve\n",
    );
    expect((await approve("bob")).stdout).toBe("request 2026-117 is approved by bob\n");
    expect(await approve("bob")).toMatchObject({
      code: 1,
      stderr: "consentry: request 2026-117 is approved already\n",
    });
    const [listed] = (await cli.json(["ledger", "request", "list", "--as", "ann"])) as object[];
    expect(listed).toMatchObject({
      case: "2026-117",
      state: "approved",
      openedBy: "ann",
      approvedBy: "bob",
      search: { address: "Li@example.com", since: "2026-11-01T00:00:00.000Z" },
    });
    expect((await cli.run(["ledger", "request", "show", "--case", "2026-117", "--as", "bob"])).stdout).toMatch(
      /^searches for address +Li@example\.com$/m,
    );
    expect((await cli.run(["ledger", "find"])).stdout).toMatch(/request-opened .*request-approved /s);
  });

  it("refuses what has no subject, what is there already, and what is not there", async () => {
    const cli = createCli();
    const nobody = await cli.run(open("1"));
    expect([nobody.code, nobody.stderr]).toEqual([
      2,
      expect.stringMatching(/a request is about somebody: give --sender/),
    ]);
    await cli.run(open("1", "--ip", "192.0.2.0/24"));
    expect((await cli.run(open("1", "--ip", "192.0.2.0/24"))).stderr).toMatch(/case 1 has a request already/);
    expect((await cli.run(["ledger", "request", "approve", "--case", "2"])).stderr).toMatch(
      /there is no request for case 2/,
    );
  });

  it("does not let somebody act as another who may not", async () => {
    const cli = createCli();
    const ran = await cli.run(open("1", "--ip", "192.0.2.1", "--as", "bob"));
    expect(ran).toMatchObject({ code: 1, stderr: expect.stringMatching(/may not ask for somebody else/) });
    expect(userInfo().username).not.toBe("bob");
  });
});

describe("consentry ledger hold", { timeout: 60_000 }, () => {
  it("sets, lists and releases, each as an entry", async () => {
    const cli = createCli(LEDGER);
    const set = [
      "ledger",
      "hold",
      "set",
      "--case",
      "2026-117",
      "--reason",
      "order 12",
      "--since",
      "2026-11-01",
      "--as",
      "ann",
    ];
    expect((await cli.run(set)).stdout).toBe("2026-117: days 2026-11-01 to … will not be deleted\n");
    expect((await cli.run(set)).stderr).toBe("consentry: case 2026-117 is held already\n");
    expect((await cli.run(["ledger", "hold", "list", "--as", "bob"])).stdout).toMatch(
      /^2026-117 +held +days 2026-11-01 to … .* ann +order 12$/m,
    );
    const release = ["ledger", "hold", "release", "--case", "2026-117", "--as", "bob"];
    expect((await cli.run(release)).stdout).toBe("2026-117: released\n");
    expect(await cli.run(release)).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/case 2026-117 is not held/),
    });
    expect((await cli.run(["ledger", "find"])).stdout).toMatch(/hold-set .* by ann.*hold-released .* by bob/s);
  });

  it.each([
    [["--since", "yesterday"], '--since "yesterday": expected a day such as 2026-11-22'],
    [["--since", "2026-11-02", "--until", "2026-11-01"], "--since is after --until"],
  ])("refuses %j", async (more, says) => {
    const ran = await createCli().run(["ledger", "hold", "set", "--case", "1", "--reason", "x", ...more]);
    expect(ran).toEqual({ code: 2, stdout: "", stderr: `consentry: ${says}\n` });
  });
});

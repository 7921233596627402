/**
 * A queue's desk was opened in the process of the service it belongs to, beside a commit that waited for the event loop: the event loop
 * then waited for LMDB's lock, which that commit had, for ever. A whole run of the tests hung in one file, about one time in ten.
 */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { tempDir } from "../helpers/temp.ts";

const CHILD = join(import.meta.dirname, "../helpers/lmdb-child.ts");

it("an environment that is opened again in its own process shares what is open, and is closed by the last", async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [CHILD, "again", tempDir()], { timeout: 20_000 });
  expect(stdout.trim().split("\n")).toEqual(["read 0", "read 1", "read 2", "read 3", "read 4", "read 5"]);
});

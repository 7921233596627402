import { execFileSync } from "node:child_process";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { maildirNextHop } from "../../src/delivery/maildir.ts";
import { parcelOf } from "../../src/delivery/parcel.ts";
import { contentOf, recipientOf, senderOf, sessionOf } from "../helpers/letters.ts";

/** Of a file system small enough to fill. */
const SIZE = "256k";

function canMount(): boolean {
  if (process.getuid?.() !== 0) return false;
  try {
    execFileSync("unshare", ["-m", "mount", "-t", "tmpfs", "none", "/mnt"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

describe.skipIf(!canMount())("a full disk under a Maildir (skipped where no tmpfs can be mounted)", () => {
  let root = "";
  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), "maildir-full-"));
    execFileSync("mount", ["-t", "tmpfs", "-o", `size=${SIZE}`, "none", root]);
  });
  afterAll(async () => {
    execFileSync("umount", [root]);
    await rm(root, { recursive: true });
  });

  async function deliver(bytes: number, pieceBytes?: number) {
    const hop = maildirNextHop(root, { hostname: "relay.example", timeoutMs: 10_000 });
    const handover = hop.begin(sessionOf(), senderOf("a@example.com"), "01MAIL");
    for (const name of ["a", "b"]) await handover.rcpt(recipientOf(`${name}@example.com`));
    const content = contentOf(Buffer.alloc(bytes, "x"), pieceBytes);
    return (await handover.data(parcelOf(content, Buffer.alloc(0), []), Promise.resolve())).replies;
  }

  it.each([undefined, 4_096])("is 452 4.3.1 and leaves nothing behind (pieces of %s)", async (pieceBytes) => {
    // The first recipient's copy fits, the second's does not.
    expect(await deliver(150_000, pieceBytes)).toMatchObject([{ code: 452, enhanced: "4.3.1" }]);
    for (const box of await readdir(root)) {
      for (const part of ["tmp", "new"]) expect(await readdir(join(root, box, part))).toEqual([]);
    }
    expect(await deliver(1_000, pieceBytes)).toMatchObject([{ code: 250 }]);
    for (const box of await readdir(root)) {
      const news = await readdir(join(root, box, "new"));
      expect(news).toHaveLength(1);
      for (const name of news) await rm(join(root, box, "new", name));
    }
  });
});

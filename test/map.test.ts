import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { REPLIES } from "../src/mail/replies.ts";
import { RULES } from "../src/rules/index.ts";

const map = readFileSync("src/README.md", "utf8");

/** Every folder below src that holds a file, as "doors/smtp". */
const folders = readdirSync("src", { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map((entry) => entry.parentPath.replace(/^src\/?/, ""))
  .filter((path, index, all) => path !== "" && all.indexOf(path) === index);

/** The folders that have a line of their own in the table. */
const described = [...map.matchAll(/^\| `([a-z/]+)\/` \|/gm)].map(([, path = ""]) => path);

describe("the code map, src/README.md", () => {
  it("has a line for every folder", () => {
    expect(folders.filter((path) => !described.includes(path))).toEqual([]);
  });

  it("has no line for a folder that is gone", () => {
    expect(described.filter((path) => !existsSync(join("src", path)))).toEqual([]);
  });

  it("shows where every rule looks", () => {
    expect(RULES.map((rule) => rule.id).filter((id) => !map.includes(`\`${id}\``))).toEqual([]);
  });

  it("shows where every reply leaves", () => {
    expect(Object.keys(REPLIES).filter((id) => !map.includes(`\`${id}\``))).toEqual([]);
  });

  it("names no file that is gone", () => {
    const files = [...map.matchAll(/`([a-z-]+(?:\/[a-z-]+)*\.ts)`/g)].map(([, path = ""]) => path);
    const gone = files.filter(
      (path) => ![".", "rules"].some((at) => existsSync(join("src", at, path))) && !findable(path),
    );
    expect(gone).toEqual([]);
  });
});

/** A bare file name may stand in the line of its folder. */
const findable = (name: string): boolean => folders.some((folder) => existsSync(join("src", folder, name)));

/** Prints, as one plain line, what vitest's JSON report counted: "N passed, N failed", and ", N skipped" where some were. */
import { readFileSync } from "node:fs";

interface Report {
  readonly success: boolean;
  readonly testResults: readonly {
    readonly status: string;
    readonly assertionResults: readonly { readonly status: string }[];
  }[];
}

/** A file that could not even be loaded has run no test, and failed; so has a run that fell over by itself. */
function statuses({ success, testResults }: Report): string[] {
  const all = testResults.flatMap(({ status, assertionResults }) => {
    const own = assertionResults.map((test) => test.status);
    return status === "failed" && !own.includes("failed") ? ["failed", ...own] : own;
  });
  return success || all.includes("failed") ? all : ["failed", ...all];
}

function read(path: string): string[] {
  try {
    return statuses(JSON.parse(readFileSync(path, "utf8")) as Report);
  } catch {
    console.error("vitest left no report");
    return ["failed"];
  }
}

const all = read(process.argv[2] ?? "");
const passed = all.filter((status) => status === "passed").length;
const failed = all.filter((status) => status === "failed").length;
const skipped = all.length - passed - failed;
console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`);

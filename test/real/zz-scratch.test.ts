import { it } from "vitest";
import { startSendmailForTalks } from "../helpers/sendmail-talks.ts";
import { startMilterService } from "../helpers/milter-door.ts";
import { execFileSync } from "node:child_process";
it("x", async () => {
  const mta = await startSendmailForTalks();
  await startMilterService({}, mta.socketDir);
  console.log(execFileSync("sh", ["-c", "ps axf | grep -E 'sendmail|bridge' | grep -v grep"]).toString());
  const t = performance.now();
  try {
  const talk = await mta.connect({ kind: "client", ip: "203.0.113.9", helo: "mx.x.example", port: "smtp" } as never);
  console.log(performance.now() - t, talk.opened.text);
  } catch (e) { console.log(performance.now() - t, e); }
  console.log(execFileSync("sh", ["-c", "for p in $(pgrep sendmail); do echo; tr '\\0' ' ' </proc/$p/cmdline; cat /proc/$p/wchan; timeout 2 strace -p $p 2>&1 | head -5; nsenter -t $p -n ss -tnp;  done"]).toString());
  await mta.stop();
}, 30000);

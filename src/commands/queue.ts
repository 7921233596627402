import { defineGroup } from "./globals.ts";
import { adopt, drop, hold, resume, retry, suspend } from "./queue-change.ts";
import { destinations, list, oldest, show } from "./queue-list.ts";

export const queue = defineGroup("queue", "Mail in our custody: what waits, for what, and what to do about it", [
  list,
  show,
  oldest,
  destinations,
  retry,
  drop,
  hold,
  suspend,
  resume,
  adopt,
]);

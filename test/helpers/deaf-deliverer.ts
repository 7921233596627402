/** A process that delivers as seen from outside, and hangs: it says that it is there, and nothing of what it is brought. */
process.on("message", (word: unknown) => {
  if (typeof word === "object" && word !== null && "endWithinMs" in word) process.exit(0);
});
process.on("disconnect", () => process.exit(0));
process.send?.("ready");

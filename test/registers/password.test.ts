import { describe, expect, it } from "vitest";
import { hashPassword, NOBODY, verifyPassword } from "../../src/registers/password.ts";

describe("password hashes", () => {
  it("know their password and no other, and hide it", async () => {
    const hash = await hashPassword("open sesame");
    expect(hash).toMatch(/^\$scrypt\$ln=15\$[\w+/=]+\$[\w+/=]+$/);
    expect(hash).not.toContain("sesame");
    expect(await verifyPassword("open sesame", hash)).toBe(true);
    for (const wrong of ["", "open", "open sesame ", "Open sesame"])
      expect(await verifyPassword(wrong, hash)).toBe(false);
  });

  it("are salted: the same password twice makes two hashes", async () => {
    expect(await hashPassword("x")).not.toBe(await hashPassword("x"));
  });

  it("take a password as it is typed, composed or not", async () => {
    const hash = await hashPassword("m\u1eadt kh\u1ea9u");
    expect(await verifyPassword("mâ\u0323t khẩu".normalize("NFD"), hash)).toBe(true);
  });

  it("of nobody fit no password", async () => {
    for (const text of ["", "\0", "nobody"]) expect(await verifyPassword(text, NOBODY)).toBe(false);
  });

  it.each([
    "",
    "plain",
    "$scrypt$ln=15$",
    "$2b$10$abcdefghijklmnopqrstuv",
    "$scrypt$ln=31$AAAA$AAAA",
    "$scrypt$ln=1$AAAA$AAAA",
    "$scrypt$ln=15$AAAA$",
    "$scrypt$ln=15$AAAA$AAAA$more",
  ])("in another form are refused, without work: %j", async (hash) => {
    expect(await verifyPassword("x", hash)).toBe(false);
  });
});

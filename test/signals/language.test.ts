import { describe, expect, it } from "vitest";
import { languageOf } from "../../src/signals/language.ts";
import { wordingOf } from "../../src/signals/normal.ts";

const of = (text: string): string => languageOf(wordingOf({ subject: "", text, own: [] }), text);

describe("the language of a mail's words", () => {
  const cases: [language: string, text: string][] = [
    ["zh", "您好，附件是更新后的合同，请查收。"],
    ["zh", "Dear all, 本公司专业代理各类出口业务，欢迎来电咨询 more information"],
    ["zh", "介紹一款新產品，歡迎洽詢"],
    ["vi", "Kính gửi quý khách, chúng tôi xin thông báo lịch giao hàng của đơn hàng này"],
    ["vi", "Quy khach vui long dang ky truoc ngay 20 de nhan uu dai cua chung toi"],
    ["vi", "Hẹn gặp lại tối mai ở quán cũ"],
    ["latin", "Please find the invoice attached."],
    ["latin", "Sehr geehrte Damen und Herren, anbei die Rechnung"],
    ["latin", ""],
    ["other", "お世話になっております。資料をお送りします。"],
    ["other", "안녕하세요, 회의 자료를 보내드립니다."],
    ["other", "Здравствуйте, высылаем вам счёт"],
    ["other", "สวัสดีครับ"],
  ];
  it.each(cases)("%s: %s", (language, text) => expect(of(text)).toBe(language));
});

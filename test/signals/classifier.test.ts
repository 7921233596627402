import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { emptyText } from "../../src/mail/text.ts";
import { ADVERTISING_MIN, judge, UNWANTED_MIN } from "../../src/signals/classifier.ts";
import { loadModel } from "../../src/signals/model.ts";

const model = loadModel(readFileSync("config/models/advertising.bin"));
const said = (subject: string, text: string) => judge({ subject, text: { ...emptyText(), text }, own: [] }, model);

describe("the model that ships knows an advertisement", () => {
  const cases: [language: string, subject: string, text: string][] = [
    ["zh", "夏季大促销", "本店全场五折优惠，买二送一，数量有限，欢迎来电订购，热线电话 400-123-4567，免费送货上门。"],
    ["zh", "代开各类发票", "我公司可为贵公司代开各种正规发票，税点优惠，先验票后付款，联系人：陈先生 手机 13800000000"],
    [
      "zh",
      "企业管理培训课程",
      "采购谈判技巧与成本控制公开课，主讲老师：王老师，培训费用 2600 元/人，报名热线 021-12345678，欢迎参加。",
    ],
    [
      "vi",
      "Khuyến mãi lớn tháng này",
      "Giảm giá đến 50% tất cả sản phẩm, tặng kèm quà hấp dẫn. Số lượng có hạn, đăng ký ngay hotline 1900 1234 để nhận ưu đãi!",
    ],
    [
      "latin",
      "Huge summer sale",
      "Save up to 70% on all watches! Free shipping, order now at our online shop. Limited time offer, best price guaranteed. Click here to buy.",
    ],
  ];
  it.each(cases)("%s: %s", (language, subject, text) => {
    const judged = said(subject, text);
    expect(judged.language).toBe(language);
    expect(judged.advertising).toBeGreaterThan(ADVERTISING_MIN);
    expect(judged.unwanted).toBeGreaterThanOrEqual(judged.advertising);
  });
});

describe("and leaves ordinary mail alone", () => {
  const cases: [subject: string, text: string][] = [
    ["明天的会议", "王工，明天上午十点的会议改到三楼会议室，请把测试报告打印两份带过来。谢谢！李明"],
    ["Re: 合同盖章", "您好，合同已收到，盖章后今天下午快递寄出，请注意查收。"],
    [
      "Họp dự án",
      "Chào anh, cuộc họp chiều mai dời sang thứ Năm nhé. Anh gửi giúp em bản báo cáo tuần trước. Em cảm ơn.",
    ],
    [
      "Minutes of Tuesday",
      "Hi Anna, attached are the minutes. Could you check the second item before I send them to everybody? Thanks, Tom",
    ],
    [
      "Re: build fails",
      "The test suite fails since the last commit because the path is wrong on my machine. I will send a patch tonight.",
    ],
  ];
  it.each(cases)("%s", (subject, text) => {
    const judged = said(subject, text);
    expect(judged.advertising).toBeLessThan(ADVERTISING_MIN);
    expect(judged.unwanted).toBeLessThan(UNWANTED_MIN);
  });
});

it("of a language it was not taught it says nothing", () => {
  const judged = said("夏のセール", "全品半額セール開催中です。今すぐご注文ください。お電話でもどうぞ。");
  expect(judged).toMatchObject({ language: "other", advertising: 0, unwanted: 0 });
});

it("what was taught moves the odds of advertising", () => {
  const mail = { subject: "Minutes", text: { ...emptyText(), text: "the minutes are attached" }, own: [] };
  const before = judge(mail, model);
  const after = judge(mail, model, { shift: () => 6 });
  expect(after.advertising).toBeGreaterThan(before.advertising);
  expect(after.learned).toBe(6);
});

it("its file tells where it comes from and how good it was", () => {
  const { trained, sources, quality } = model.header;
  expect(trained).toMatch(/^\d{4}-\d\d-\d\d$/);
  expect(Object.keys(sources)).toContain("zh-lists-modern");
  expect(quality["zh-lists-modern"]?.f1).toBeGreaterThan(95);
});

import { describe, expect, it } from "vitest";
import { loadRefusalWords } from "../../src/desk/refusal-words.ts";
import { topOfReply } from "../../src/mail/reply-top.ts";

const refuses = loadRefusalWords();

describe("words of refusal in an answer", () => {
  it.each([
    ["unsubscribe"],
    ["Unsubscribe!"],
    ["UNSUBSCRIBE ME"],
    ["STOP"],
    ["Please stop sending me these emails."],
    ["Stop sending me e-mails"],
    ["Hello,\n\nplease remove me from your mailing list.\n\nThank you"],
    ["Don’t send me any more ads, thanks"],
    ["I no longer want to receive your newsletters."],
    ["Could you please take me off your list? I get too many of these."],
    ["no more emails please"],
    ["退订"],
    ["TD"],
    ["拒收"],
    ["请退订，谢谢！"],
    ["您好，请不要再发了。"],
    ["不要再发"],
    ["不要再给我发广告邮件了！"],
    ["我拒绝接收你们的广告"],
    ["停止发送广告邮件"],
    ["ｔｄ"],
    ["từ chối"],
    ["TỪ CHỐI"],
    ["Từ chối nhận quảng cáo"],
    ["Tôi từ chối nhận thư quảng cáo này."],
    ["Xin ngừng gửi thư quảng cáo cho tôi."],
    ["Ngừng gửi"],
    ["Đừng gửi email cho tôi nữa!"],
    ["Vui lòng hủy đăng ký nhận bản tin"],
    ["Tôi không muốn nhận quảng cáo nữa"],
    ["từ chối"],
  ])("%j is one", (said) => {
    expect(refuses(said)).toBe(true);
  });

  it.each([
    ["don't stop sending"],
    ["Please don't stop sending me these emails"],
    ["do not unsubscribe me"],
    ["Keep sending! Never stop."],
    ["Stop by our office tomorrow"],
    ["stop the campaign in Hanoi, we have no stock"],
    ["When does the sale stop?"],
    ["Can't stop laughing at your last mail"],
    ["How do I unsubscribe my brother?"],
    ["I clicked unsubscribe by mistake. Unsubscribe"],
    ["unsubscribe bob@example.com"],
    ["Remove the blue shoes from my order"],
    ["remove me from the order list of Monday's meeting"],
    ["stop, but keep sending me the offers"],
    ["Unsubscribe me unless it is about shoes"],
    ["Thanks, great offer. I do not want to receive it before Monday"],
    ["The word for this is: unsubscribing"],
    ["yes"],
    ["ok, thank you"],
    ["?"],
    [""],
    ["请不要退订我的账号"],
    ["不要停止发送"],
    ["继续发，别停"],
    ["怎么退订其中一个"],
    ["拒收的包裹怎么办"],
    ["我要"],
    ["不要再发错货了"],
    ["Đừng hủy đăng ký của tôi"],
    ["Tiếp tục gửi cho tôi nhé, đừng ngừng gửi"],
    ["Ngân hàng từ chối thanh toán đơn hàng của tôi"],
    ["Tôi không từ chối"],
    ["Làm thế nào để từ chối nhận quảng cáo của bên khác"],
    [`Please stop sending me emails. ${"I have a long story to tell about it. ".repeat(10)}`],
  ])("%j is none", (said) => {
    expect(refuses(said)).toBe(false);
  });
});

describe("the top of an answer", () => {
  it.each([
    ["thanks!\n\nOn Mon, 3 Nov 2026 at 10:00, Shop <news@shop.example> wrote:\n> unsubscribe", "thanks!"],
    [
      "thanks!\nOn Mon, 3 Nov 2026 at 10:00, The Shop of Everything\n<news@shop.example> wrote:\nunsubscribe",
      "thanks!",
    ],
    ["ok\n> stop", "ok"],
    ["ok\n\n-----Original Message-----\nstop", "ok"],
    ["好的\n\n------------------ 原始邮件 ------------------\n退订", "好的"],
    ["好的\n在 2026年11月3日，商店 <news@shop.example> 写道：\n退订", "好的"],
    ["cảm ơn\nVào Th 2, 3 thg 11, 2026, Shop <news@shop.example> đã viết:\ntừ chối", "cảm ơn"],
    ["fine\n\nFrom: Shop <news@shop.example>\nSubject: sale\nunsubscribe here", "fine"],
    ["fine\n-- \nstop", "fine"],
    ["fine\n________________________________\nstop", "fine"],
    ["> only quoted\n> stop", ""],
    ["On Monday we meet\nat the station", "On Monday we meet\nat the station"],
  ])("of %j is %j", (text, top) => {
    expect(topOfReply(text)).toBe(top);
  });
});

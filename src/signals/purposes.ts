/**
 * What the words of a mail are for, by groups of words in the three languages: prices, ordering, courses, loans … Each
 * group is a feature of the model, so that a word for it that no collection has counts like those that they have; and
 * it is what evidence names. Bounded by what is read of the wording.
 */
import type { Wording } from "./normal.ts";

/** On the wording as features see it: lower case, no marks, digits as 0. The names are part of the model. */
const GROUPS: readonly (readonly [words: string, pattern: RegExp])[] = [
  ["prices", /[$€£¥]\s?0|0\s?(?:元|万元|美元|usd|eur|rmb|vnd|dong\b|d\b(?=\W)|k\b|trieu|ty\b)|(?:gia|price|售价|价格|单价|费用)\s?(?:chi |只|仅|only |tu )?[:：]?\s?0(?!0*\s?%)/],
  ["discounts", /优惠|促销|折扣|特价|满减|立减|[0一二三四五六七八九]折|买.送|赠送|清仓|優惠|特價|khuyen mai|uu dai|giam (?:gia|ngay|den|toi|0)|tang (?:ngay|kem|qua)|chiet khau|voucher|\bsale\b|0\s?% off|discount|special offer|save up to|free gift|buy 0 get/],
  ["ordering words", /订购|抢购|购买|下单|选购|报名|预订|欲购|购物|订货|立即|訂購|報名|dat (?:hang|mua|tour|cho|lich)|mua (?:ngay|0|sam)|dang ky (?:ngay|tham gia|hoc)|soan \S{1,30} gui|order (?:now|today|online)|buy now|shop now|sign up|book (?:now|by|your)|register (?:now|today)|click here/],
  ["free of charge", /免费|免費|包邮|零费用|mien phi|freeship|free (?:shipping|trial|delivery|quote|sample|audit)|no obligation/],
  ["how to reach the seller", /热线|咨询|联系人|微信|扣扣|\bqq\b|来电|洽谈|致电|hotline|lien he|\blh\b|zalo|goi ngay|call (?:us|now|today)|whatsapp|contact us/],
  ["how to leave", /退订|取消订阅|不再接收|退訂|tu choi|huy dang ky|ngung nhan|unsubscribe|opt.?out|to be removed|remove (?:me|your)/],
  ["hurry", /限时|仅限|名额有限|数量有限|截止|最后.天|先到先得|so luong co han|co han|het ngay|duy nhat|ket thuc|limited time|hurry|last chance|while (?:stocks|supplies)|offer ends|act now|expires/],
  ["self-praise", /厂家直销|质量保证|品质|专业|一流|领先|信誉|chinh hang|chat luong cao|hang dau|uy tin|guarantee|leading|best price|competitive price|top quality/],
  ["invoices for sale", /代开|开票|發票.{0,6}代|代.{0,4}发票|税点/],
  ["courses", /培训|讲师|学员|公开课|研修|课程|khoa hoc|hoc phi|khai giang|webinar|seminar|training course/],
  ["loans", /贷款|放款|利息|无抵押|vay (?:von|nhanh|tin|tien)|lai suat|giai ngan|\bloan|low interest|mortgage/],
  ["gambling", /博彩|赌|彩金|百家乐|casino|ca cuoc|no hu\b|\bpoker\b|betting/],
  ["adult offers", /成人|色情|激情|小妹|上门服务|sex|porn|viagra|cialis|gai goi/],
  ["credentials wanted", /密码.{0,12}(?:过期|验证|修改)|账户.{0,10}(?:冻结|停用|异常)|邮箱.{0,10}(?:升级|备案|停用)|verify your|account (?:will be|has been) (?:suspended|closed|limited)|mailbox.{0,20}(?:full|quota|upgrade)|tai khoan.{0,20}(?:bi khoa|het han)|xac minh tai khoan/],
]; // biome-ignore format: one group a line

/** Where an offer and the way to it stand: beginning and end of the body. */
const HEAD_CHARS = 6_000;
const TAIL_CHARS = 2_000;

/** The groups found, by their words, in the order of the list. */
export function purposesOf({ subject, body }: Wording): string[] {
  const read =
    body.length <= HEAD_CHARS + TAIL_CHARS ? body : `${body.slice(0, HEAD_CHARS)}\n${body.slice(-TAIL_CHARS)}`;
  const sample = `${subject}\n${read}`;
  return GROUPS.filter(([, pattern]) => pattern.test(sample)).map(([words]) => words);
}

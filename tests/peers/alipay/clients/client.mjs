// The vendor's own Node client against the peer: what it sends is taken, what it reads is right.
import { AlipaySdk } from "alipay-sdk";

const chunks = [];
for await (const chunk of process.stdin) chunks.push(chunk);
const asked = JSON.parse(Buffer.concat(chunks).toString());
const sdk = new AlipaySdk({
  appId: asked.app_id,
  privateKey: asked.private_key,
  alipayPublicKey: asked.public_key,
  keyType: "PKCS8",
  gateway: `${asked.url}/gateway.do`,
  camelcase: false,
});
const found = {};
const exec = (method, bizContent) => sdk.exec(method, { bizContent }, { validateSign: true });

const page = sdk.pageExec("alipay.trade.page.pay", "GET", {
  notifyUrl: "https://shop.example/n",
  bizContent: {
    out_trade_no: asked.number,
    total_amount: "12.50",
    subject: "x",
    product_code: "FAST_INSTANT_TRADE_PAY",
  },
});
const shown = await fetch(page);
found.page = [shown.status, await shown.text()];

const made = await exec("alipay.trade.precreate", {
  out_trade_no: `${asked.number}Q`,
  total_amount: "0.01",
  subject: "点点",
});
found.precreate = [made.code, made.qr_code.startsWith("https://qr.alipay.com/")];
const trade = await exec("alipay.trade.query", { out_trade_no: asked.paid });
found.query = [trade.code, trade.trade_status, trade.total_amount, trade.out_trade_no];
const missing = await exec("alipay.trade.query", { out_trade_no: "nobody" });
found.missing = [missing.code, missing.sub_code];
const back = await exec("alipay.trade.refund", {
  out_trade_no: asked.paid,
  out_request_no: `R${asked.paid}`,
  refund_amount: "0.04",
});
found.refund = [back.code, back.fund_change, back.refund_fee];
const over = await exec("alipay.trade.refund", {
  out_trade_no: asked.paid,
  out_request_no: `R${asked.paid}-2`,
  refund_amount: "99.00",
});
found.refused = [over.code, over.sub_code];

// Two faults wait: an answer signed by somebody else, and one that nobody signed.
found.forged = [];
for (let place = 0; place < 2; place += 1) {
  try {
    await exec("alipay.trade.close", { out_trade_no: asked.paid });
    found.forged.push("believed");
  } catch (error) {
    found.forged.push(error.name);
  }
}

const notice = (body) => Object.fromEntries(new URLSearchParams(body));
found.notice = sdk.checkNotifySign(notice(asked.notice), true);
found.other = sdk.checkNotifySign({ ...notice(asked.notice), total_amount: "9.99" }, true);
found.stranger = sdk.checkNotifySign(notice(asked.stranger), true);
console.log(JSON.stringify(found));

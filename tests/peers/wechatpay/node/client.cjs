// A merchant's day at the peer, with a client that we did not write. Reads its facts from standard
// input, writes what it saw as one line of JSON. The folder of the client is the first argument.
const { createRequire } = require('module')
const { readFileSync } = require('fs')

const load = createRequire(`${process.argv[2]}/package.json`)
const { Wechatpay, Formatter, Rsa, Aes } = load('wechatpay-axios-plugin')

const facts = JSON.parse(readFileSync(0, 'utf8'))
const merchant = new Wechatpay({
  baseURL: `${facts.base}/`,
  mchid: facts.mchid,
  serial: facts.serial,
  privateKey: facts.privateKey,
  certs: facts.certs,
  proxy: false,
})

async function control(name, wishes) {
  const answer = await fetch(`${facts.base}/control/${name}`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(wishes),
  })
  return answer.json()
}

function query() {
  return merchant.v3.pay.transactions.outTradeNo.$out_trade_no$.get({
    params: { mchid: facts.mchid },
    out_trade_no: facts.number,
  })
}

function heard({ headers, body }) {
  const stamp = headers['Wechatpay-Timestamp']
  const signed = Rsa.verify(
    Formatter.joinedByLineFeed(stamp, headers['Wechatpay-Nonce'], body),
    headers['Wechatpay-Signature'],
    facts.certs[headers['Wechatpay-Serial']],
  )
  if (!signed) return null
  const { ciphertext, nonce, associated_data: beside } = JSON.parse(body).resource
  return JSON.parse(Aes.AesGcm.decrypt(ciphertext, facts.apiKey, nonce, beside))
}

async function day() {
  const seen = {}
  const created = await merchant.v3.pay.transactions.native.post({
    appid: facts.app,
    mchid: facts.mchid,
    description: '点点 124 kg',
    out_trade_no: facts.number,
    notify_url: 'https://shop.example/notices',
    amount: { total: 804, currency: 'CNY' },
  })
  seen.code = created.data.code_url
  seen.before = (await query()).data.trade_state
  const wishes = { mchid: facts.mchid, out_trade_no: facts.number }
  const paid = await control('pay', wishes)
  seen.notice = heard(paid.notice)
  seen.forgedNotice = heard(await control('notice', { ...wishes, forged: 'signature' }))
  seen.after = (await query()).data
  const refund = await merchant.v3.refund.domestic.refunds.post({
    out_trade_no: facts.number,
    out_refund_no: `${facts.number}R`,
    amount: { refund: 100, total: 804, currency: 'CNY' },
  })
  seen.refund = refund.data.status
  seen.refused = []
  for (const kind of facts.faults) {
    await control('fault', { path: '/v3/pay', kind })
    seen.refused.push(await query().then(() => 'believed', (error) => error.code || error.message))
  }
  seen.unknown = await merchant.v3.pay.transactions.outTradeNo.$out_trade_no$
    .get({ params: { mchid: facts.mchid }, out_trade_no: 'NOBODYKNOWS' })
    .then(() => 'believed', ({ response }) => [response.status, response.data.code])
  return seen
}

day().then(
  (seen) => process.stdout.write(`${JSON.stringify(seen)}\n`),
  (error) => {
    process.stderr.write(`${error.stack}\n${JSON.stringify(error.response && error.response.data)}\n`)
    process.exit(1)
  },
)

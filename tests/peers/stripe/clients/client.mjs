// The vendor's own Node client against the peer: what it sends is taken, what it reads is right.
import Stripe from "stripe";

const [url, key, secret] = process.argv.slice(2);
const { hostname, port } = new URL(url);
const stripe = new Stripe(key, {
  apiVersion: "2026-10-28.endive",
  host: hostname,
  port,
  protocol: "http",
  maxNetworkRetries: 0,
  telemetry: false,
});

const chunks = [];
for await (const chunk of process.stdin) chunks.push(chunk);
const asked = JSON.parse(Buffer.concat(chunks).toString());
const found = {};

const page = await stripe.checkout.sessions.create(
  {
    mode: "payment",
    client_reference_id: asked.number,
    payment_intent_data: {
      transfer_group: asked.number,
      metadata: { payment_no: asked.number },
    },
    line_items: [
      {
        quantity: 1,
        price_data: { currency: "usd", unit_amount: 1250, product_data: { name: "x" } },
      },
    ],
    success_url: "https://shop.example/",
    cancel_url: "https://shop.example/",
  },
  { idempotencyKey: asked.number },
);
found.page = [page.status, page.amount_total, page.client_reference_id];

const charges = await stripe.charges.list({ transfer_group: asked.paid });
found.charge = [charges.data.length, charges.data[0].amount];
const refund = await stripe.refunds.create({ charge: charges.data[0].id, amount: 4 });
found.refund = [refund.status, refund.amount];
try {
  await stripe.refunds.create({ charge: charges.data[0].id, amount: 10_000_000 });
} catch (error) {
  found.refused = [error.type, error.code, error.statusCode];
}

const { headers, body } = asked.notice;
const options = [secret, 86400 * 3650];
found.notice = stripe.webhooks.constructEvent(body, headers["Stripe-Signature"], ...options).type;
try {
  stripe.webhooks.constructEvent(`${body} `, headers["Stripe-Signature"], ...options);
} catch (error) {
  found.forged = error.type;
}
console.log(JSON.stringify(found));

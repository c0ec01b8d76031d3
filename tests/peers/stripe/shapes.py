"""The objects of the gateway's public reference, with every field that it names."""

from slim import slim


def account(name, *, currency, is_live, is_open=True):
    del is_live
    return {
        "id": name,
        "object": "account",
        "business_profile": None,
        "business_type": "company",
        "capabilities": {"card_payments": "active", "transfers": "active"},
        "charges_enabled": is_open,
        "controller": {"type": "account"},
        "country": "SG",
        "created": 1_700_000_000,
        "default_currency": currency,
        "details_submitted": True,
        "email": None,
        "external_accounts": None,
        "metadata": {},
        "payouts_enabled": is_open,
        "settings": None,
        "type": "standard",
    }


def connected(name, *, transfers):
    due = [] if transfers == "active" else ["company.tax_id", "external_account"]
    return account(name, currency="sgd", is_live=False, is_open=transfers == "active") | {
        "capabilities": {"transfers": transfers},
        "requirements": {
            "alternatives": [],
            "current_deadline": None,
            "currently_due": due,
            "disabled_reason": "requirements.past_due" if due else None,
            "errors": [],
            "eventually_due": due,
            "past_due": due,
            "pending_verification": [],
        },
        "type": "express",
    }


@slim
def session(name, params, *, total, currency, is_live, created, url):
    return {
        "id": name,
        "object": "checkout.session",
        "adaptive_pricing": params.get("adaptive_pricing"),
        "after_expiration": None,
        "allow_promotion_codes": None,
        "allowed_payment_method_types": params.get("allowed_payment_method_types"),
        "amount_subtotal": total,
        "amount_total": total,
        "automatic_tax": {"enabled": False, "liability": None, "provider": None, "status": None},
        "billing_address_collection": None,
        "cancel_url": params.get("cancel_url"),
        "client_reference_id": params.get("client_reference_id"),
        "client_secret": None,
        "consent": None,
        "consent_collection": None,
        "created": created,
        "currency": currency,
        "currency_conversion": None,
        "custom_fields": [],
        "custom_text": {"after_submit": None, "shipping_address": None, "submit": None},
        "customer": None,
        "customer_creation": "if_required",
        "customer_details": None,
        "customer_email": None,
        "discounts": [],
        "expires_at": params["expires_at"],
        "invoice": None,
        "livemode": is_live,
        "locale": None,
        "metadata": params.get("metadata", {}),
        "mode": "payment",
        "payment_intent": None,
        "payment_link": None,
        "payment_method_collection": "if_required",
        "payment_method_options": {},
        "payment_method_types": ["card"],
        "payment_status": "unpaid",
        "recovered_from": None,
        "setup_intent": None,
        "shipping_address_collection": None,
        "shipping_cost": None,
        "shipping_options": [],
        "status": "open",
        "submit_type": None,
        "subscription": None,
        "success_url": params.get("success_url"),
        "total_details": {"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0},
        "ui_mode": "hosted_page",
        "url": url,
        "wallet_options": None,
    }


@slim
def intent(name, page, data, *, created):
    return {
        "id": name,
        "object": "payment_intent",
        "amount": page["amount_total"],
        "amount_capturable": 0,
        "amount_received": 0,
        "application": None,
        "application_fee_amount": None,
        "canceled_at": None,
        "cancellation_reason": None,
        "capture_method": "automatic_async",
        "client_secret": f"{name}_secret_peer",
        "confirmation_method": "automatic",
        "created": created,
        "currency": page["currency"],
        "customer": None,
        "description": data.get("description"),
        "last_payment_error": None,
        "latest_charge": None,
        "livemode": page["livemode"],
        "metadata": data.get("metadata", {}),
        "next_action": None,
        "on_behalf_of": None,
        "payment_method": "pm_peer",
        "payment_method_options": {},
        "payment_method_types": ["card"],
        "processing": None,
        "receipt_email": None,
        "review": None,
        "setup_future_usage": None,
        "shipping": None,
        "source": None,
        "statement_descriptor": None,
        "statement_descriptor_suffix": None,
        "status": "requires_payment_method",
        "transfer_data": None,
        "transfer_group": data.get("transfer_group"),
    }


@slim
def charge(name, intended, *, status, created):
    is_paid = status == "succeeded"
    return {
        "id": name,
        "object": "charge",
        "amount": intended["amount"],
        "amount_captured": intended["amount"] if is_paid else 0,
        "amount_refunded": 0,
        "application": None,
        "application_fee": None,
        "application_fee_amount": None,
        "balance_transaction": None,
        "billing_details": {"address": None, "email": None, "name": None, "phone": None},
        "calculated_statement_descriptor": "PEER",
        "captured": is_paid,
        "created": created,
        "currency": intended["currency"],
        "customer": None,
        "description": intended["description"],
        "disputed": False,
        "failure_balance_transaction": None,
        "failure_code": "card_declined" if status == "failed" else None,
        "failure_message": "Your card was declined." if status == "failed" else None,
        "fraud_details": {},
        "livemode": intended["livemode"],
        "metadata": dict(intended["metadata"]),
        "on_behalf_of": None,
        "outcome": None,
        "paid": is_paid,
        "payment_intent": intended["id"],
        "payment_method": "pm_peer",
        "payment_method_details": {"card": {"brand": "visa"}, "type": "card"},
        "receipt_email": None,
        "receipt_number": None,
        "receipt_url": None,
        "refunded": False,
        "review": None,
        "shipping": None,
        "source": None,
        "source_transfer": None,
        "statement_descriptor": None,
        "statement_descriptor_suffix": None,
        "status": status,
        "transfer_data": None,
        "transfer_group": intended["transfer_group"],
    }


@slim
def refund(name, paid, params, *, amount, status, created):
    return {
        "id": name,
        "object": "refund",
        "amount": amount,
        "balance_transaction": None,
        "charge": paid["id"],
        "created": created,
        "currency": paid["currency"],
        "destination_details": {"type": "card", "card": {"type": "refund"}},
        "metadata": params.get("metadata", {}),
        "payment_intent": paid["payment_intent"],
        "reason": params.get("reason"),
        "receipt_number": None,
        "source_transfer_reversal": None,
        "status": status,
        "transfer_reversal": None,
    }


@slim
def transfer(name, params, *, is_live, created):
    return {
        "id": name,
        "object": "transfer",
        "amount": params["amount"],
        "amount_reversed": 0,
        "balance_transaction": None,
        "created": created,
        "currency": params["currency"],
        "description": params.get("description"),
        "destination": params["destination"],
        "destination_payment": f"py_{name[3:]}",
        "livemode": is_live,
        "metadata": params.get("metadata", {}),
        "reversals": empty(f"/v1/transfers/{name}/reversals"),
        "reversed": False,
        "source_transaction": params.get("source_transaction"),
        "source_type": "card",
        "transfer_group": params.get("transfer_group"),
    }


@slim
def reversal(name, sent, params, *, created):
    return {
        "id": name,
        "object": "transfer_reversal",
        "amount": params["amount"],
        "balance_transaction": None,
        "created": created,
        "currency": sent["currency"],
        "destination_payment_refund": None,
        "metadata": params.get("metadata", {}),
        "source_refund": None,
        "transfer": sent["id"],
    }


@slim
def movement(name, *, kind, amount, fee, currency, source, created):
    category = {
        "transfer_refund": "transfer_reversal",
        "adjustment": "dispute",
        "stripe_fee": "fee",
    }.get(kind, kind)
    return {
        "id": name,
        "object": "balance_transaction",
        "amount": amount,
        "available_on": created + 7 * 86_400,
        "balance_type": "payments",
        "created": created,
        "currency": currency,
        "description": None,
        "exchange_rate": None,
        "fee": fee,
        "fee_details": [
            {
                "amount": fee,
                "application": None,
                "currency": currency,
                "description": "Stripe processing fees",
                "type": "stripe_fee",
            }
        ]
        if fee
        else [],
        "net": amount - fee,
        "reporting_category": category,
        "source": source,
        "status": "pending",
        "type": kind,
    }


@slim
def dispute(name, paid, *, status, moves, created):
    return {
        "id": name,
        "object": "dispute",
        "amount": paid["amount"],
        "balance_transactions": moves,
        "charge": paid["id"],
        "created": created,
        "currency": paid["currency"],
        "enhanced_eligibility_types": [],
        "evidence": {},
        "evidence_details": {
            "due_by": None,
            "enhanced_eligibility": {},
            "has_evidence": False,
            "past_due": False,
            "submission_count": 0,
        },
        "is_charge_refundable": False,
        "livemode": paid["livemode"],
        "metadata": {},
        "payment_intent": paid["payment_intent"],
        "reason": "fraudulent",
        "status": status,
    }


@slim
def payout(name, *, amount, currency, is_live, created):
    return {
        "id": name,
        "object": "payout",
        "amount": amount,
        "application_fee": None,
        "application_fee_amount": None,
        "arrival_date": created + 2 * 86_400,
        "automatic": True,
        "balance_transaction": None,
        "created": created,
        "currency": currency,
        "description": "STRIPE PAYOUT",
        "destination": "ba_peer",
        "failure_balance_transaction": None,
        "failure_code": None,
        "failure_message": None,
        "livemode": is_live,
        "metadata": {},
        "method": "standard",
        "original_payout": None,
        "payout_method": None,
        "reconciliation_status": "completed",
        "reversed_by": None,
        "source_type": "card",
        "statement_descriptor": None,
        "status": "paid",
        "trace_id": None,
        "type": "bank_account",
    }


def event(name, kind, thing, *, is_live, created, version):
    return {
        "id": name,
        "object": "event",
        "api_version": version,
        "created": created,
        "data": {"object": thing},
        "livemode": is_live,
        "pending_webhooks": 1,
        "request": {"id": None, "idempotency_key": None},
        "type": kind,
    }


def empty(url):
    return {"object": "list", "data": [], "has_more": False, "url": url}

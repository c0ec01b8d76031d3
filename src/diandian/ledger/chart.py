"""The chart of accounts as code: every account code is built here, currency first.

*Source:* payments design, section 8. A leading currency lets one plain check keep both sides of a
transfer in one currency.
"""

from diandian.kernel.money import EXPONENTS

BANK = "1010"
GATEWAY_CLEARING = "1110"
FEES_FROM_SPLITS = "1120"
DUE_FROM_SUPPLIERS = "1130"
DISPUTED_FUNDS = "1150"
CREDITS_INVENTORY = "1210"
SUPPLIER_PAYABLE = "2010"
CUSTOMER_PREPAYMENTS = "2110"
REFUNDS_IN_TRANSIT = "2120"
UNALLOCATED = "2190"
OUTPUT_VAT = "2310"
PROVISIONS = "2410"
FEE_REVENUE = "4010"
CREDIT_SALES = "4020"
COST_OF_CREDITS = "5010"
GATEWAY_FEES = "5110"
CHARGEBACK_LOSS = "5120"
GOODWILL = "5130"
REMEDIES = "5140"
GROSS_AT_SUPPLIERS = "9010"
GROSS_CONTRA = "9020"
# Of that contra, those in debit: what a supplier's account gave back after a retirement, and what
# payers' banks took out of it until a chargeback is decided.
RETURNED = "returned"
DISPUTED = "disputed"

NAMES = {
    BANK: "Bank",
    GATEWAY_CLEARING: "Gateway clearing",
    FEES_FROM_SPLITS: "Fee receivable from splits",
    DUE_FROM_SUPPLIERS: "Due from suppliers",
    DISPUTED_FUNDS: "Disputed funds",
    CREDITS_INVENTORY: "Credits inventory",
    SUPPLIER_PAYABLE: "Supplier payable",
    CUSTOMER_PREPAYMENTS: "Customer prepayments",
    REFUNDS_IN_TRANSIT: "Refunds in transit",
    UNALLOCATED: "Unallocated receipts",
    OUTPUT_VAT: "Output VAT",
    PROVISIONS: "Provision for recalled credits",
    FEE_REVENUE: "Platform fee revenue",
    CREDIT_SALES: "Credit sales revenue",
    COST_OF_CREDITS: "Cost of credits",
    GATEWAY_FEES: "Gateway fees",
    CHARGEBACK_LOSS: "Chargeback loss and dispute fees",
    GOODWILL: "Goodwill refunds",
    REMEDIES: "Replacement of recalled credits",
    GROSS_AT_SUPPLIERS: "Memo: gross paid to suppliers by gateway",
    GROSS_CONTRA: "Memo: contra of gross at suppliers",
}


def code(currency: str, number: str, *parts: str) -> str:
    """Build an account code such as ``CNY:2010:sample-solar``. Raises: ValueError."""
    if currency not in EXPONENTS or number not in NAMES:
        raise ValueError(f"no account {number} in {currency}")
    if not all(part and ":" not in part for part in parts):
        raise ValueError(f"account parts are not empty and hold no colon: {parts}")
    return ":".join((currency, number, *parts))


def currency_of(account_code: str) -> str:
    """Return the currency that leads an account code."""
    return account_code.partition(":")[0]


def number_of(account_code: str) -> str:
    """Return the account's number in the chart."""
    return account_code.split(":")[1]


def class_of(account_code: str) -> str:
    """Return what an account is: 1 asset, 2 liability, 4 income, 5 expense, 9 memo."""
    return number_of(account_code)[0]


def gateway_clearing(currency: str, gateway: str, merchant: str) -> str:
    """Return the account of money that a gateway took for a merchant and did not yet pay out."""
    return code(currency, GATEWAY_CLEARING, gateway, merchant)


def bank(currency: str) -> str:
    """Return the account of our own money at a bank."""
    return code(currency, BANK)


def disputed_funds(currency: str) -> str:
    """Return the account of money that payers' banks took until a chargeback is decided."""
    return code(currency, DISPUTED_FUNDS)


def chargeback_loss(currency: str) -> str:
    """Return the account of chargebacks lost at our cost, and of the fees for each."""
    return code(currency, CHARGEBACK_LOSS)


def supplier_payable(currency: str, supplier_ref: str) -> str:
    """Return the account of what a project owner is owed for retired credits."""
    return code(currency, SUPPLIER_PAYABLE, supplier_ref.replace(":", "-"))


def customer_prepayments(currency: str) -> str:
    """Return the account of what customers paid and did not yet receive."""
    return code(currency, CUSTOMER_PREPAYMENTS)


def refunds_in_transit(currency: str) -> str:
    """Return the account of refunds asked of a gateway and not yet confirmed."""
    return code(currency, REFUNDS_IN_TRANSIT)


def unallocated(currency: str) -> str:
    """Return the account of money received twice or in the wrong amount."""
    return code(currency, UNALLOCATED)


def output_vat(currency: str) -> str:
    """Return the account of the value added tax contained in our fee."""
    return code(currency, OUTPUT_VAT)


def fee_revenue(currency: str) -> str:
    """Return the account of our fee, without its tax."""
    return code(currency, FEE_REVENUE)


def cost_of_credits(currency: str) -> str:
    """Return the account of credits that we buy ourselves, to complete a tonne."""
    return code(currency, COST_OF_CREDITS)


def gateway_fees(currency: str) -> str:
    """Return the account of what the gateways charge us."""
    return code(currency, GATEWAY_FEES)


def goodwill(currency: str) -> str:
    """Return the account of refunds after retirement, at our cost."""
    return code(currency, GOODWILL)


def provisions(currency: str) -> str:
    """Return the account of what we owe to holders of recalled credits, until it is replaced."""
    return code(currency, PROVISIONS)


def remedies(currency: str) -> str:
    """Return the account of what replacing recalled credits costs us."""
    return code(currency, REMEDIES)


def fees_from_splits(currency: str, gateway: str) -> str:
    """Return the account of fees that a gateway divided off for us and did not credit yet."""
    return code(currency, FEES_FROM_SPLITS, gateway)


def due_from_supplier(currency: str, supplier_ref: str) -> str:
    """Return the account of what a supplier must give back, taken off its next payout."""
    return code(currency, DUE_FROM_SUPPLIERS, supplier_ref.replace(":", "-"))


def credits_inventory(currency: str) -> str:
    """Return the account of credits that we own to sell."""
    return code(currency, CREDITS_INVENTORY)


def credit_sales(currency: str) -> str:
    """Return the account of sales of our own credits, without their tax."""
    return code(currency, CREDIT_SALES)


def gross_at_supplier(currency: str, gateway: str, merchant: str) -> str:
    """Return the memo of what guests paid to a supplier itself, by way of a gateway."""
    return code(currency, GROSS_AT_SUPPLIERS, gateway, merchant)


def gross_contra(currency: str, stands: str) -> str:
    """Return the contra of that memo.

    ``stands``: paid, aside, retired, refunding, returned or disputed.
    """
    return code(currency, GROSS_CONTRA, stands)

"""English: administration, answered to the operator and to administrators."""

from types import MappingProxyType

from channels.kit.catalogue.model import Text, say


def _unknown(what: str, field: str) -> Text:
    """Return the text about a value that is not in a closed list."""
    return say(
        f"Unknown {what}",
        f'"{{{field}}}" is no {what} that we know.>>For example: {{example}}',
        f"Unknown {what}.>>For example: {{example}}",
    )


TEXTS = MappingProxyType(
    {
        "customer_added": say(
            "Customer added", "Added the customer {name} ({customer_id}).", "Added {customer_id}."
        ),
        "user_added": say("User added", "Added the user {name} ({user_id}).", "Added {user_id}."),
        "user_disabled": say(
            "User disabled",
            "Disabled the user {user_id}. {calls} running calls were ended, what is scheduled "
            "is held.",
            "Disabled {user_id}.",
        ),
        "phone_added": say(
            "Phone added",
            "Added the phone {label}, {number} ({phone_id}).",
            "Added {label}, {number}.",
        ),
        "sender_added": say(
            "Sender added",
            "Added the sender {address} ({sender_id}). What comes from there is the user's.",
            "Added {address}.",
        ),
        "billing_code_added": say(
            "Billing code added",
            "Added the billing code {code} for {customer_id}.",
            "Added billing code {code}.",
        ),
        "deck_activated": say(
            "Rates in force",
            "Version {version} of the tariff {tariff} is in force.",
        ),
        "frozen": say(
            "Frozen",
            "Frozen: {target}. Nothing launches there any more. {calls} running calls were ended.",
            "Frozen: {target}. {calls} calls ended.",
        ),
        "unfrozen": say("Unfrozen", "Unfrozen: {target}. Calls may be launched there again."),
        "password_set": say(
            "Password set",
            "Set the password of {user_id}. Every session of theirs was signed out.",
            "Set the password of {user_id}.",
        ),
        "token_added": say(
            "Token added", "Added the token {label} ({token_id}).", "Added token {label}."
        ),
        "token_revoked": say("Token revoked", "Revoked the token {token_id}."),
        # --- refusals ---------------------------------------------------------------------------
        "no_such_customer": say(
            "No such customer",
            'There is no customer "{name}".>>For example: callgate customer add ACME',
            "No such customer.>>For example: callgate customer add ACME",
        ),
        "no_such_user": say(
            "No such user",
            'There is no user "{name}".>>For example: callgate user add ACME anna',
            "No such user.>>For example: callgate user add ACME anna",
        ),
        "several_users": say(
            "Several users",
            'Several users are called "{name}".>>Name one by its id, for example: {example}',
            "Several users.>>For example: {example}",
        ),
        "no_such_token": say(
            "No such token",
            "There is no token {token_id}.>>For example: callgate user add ACME anna",
        ),
        "name_taken": say(
            "Name taken",
            '"{name}" exists already.>>Take another name, for example: {name} 2',
            "That name exists already.>>For example: anna 2",
        ),
        "address_taken": say(
            "Address taken",
            "{address} belongs to a user already.>>Take another, for example: anna@example.net",
            "That address is a user's already.>>For example: anna@example.net",
        ),
        "unknown_currency": _unknown("currency", "currency"),
        "unknown_plan": _unknown("plan", "plan"),
        "unknown_region": _unknown("region", "region"),
        "unknown_role": _unknown("role", "role"),
        "unknown_zone": _unknown("time zone", "zone"),
        "unknown_channel": _unknown("channel", "channel"),
        "unknown_freeze": _unknown("thing to freeze", "kind"),
        "not_a_prefix": _unknown("prefix of digits", "text"),
        "unknown_tariff": say(
            "Unknown tariff",
            'There is no tariff "{tariff}" in {currency}.>>'
            "For example: callgate rates load retail deck.csv",
            "No tariff {tariff}.>>For example: callgate rates load retail deck.csv",
        ),
    }
)

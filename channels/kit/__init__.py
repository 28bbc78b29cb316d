"""What channels share: contract, registry, words for outcomes, outgoing mail, page tokens."""

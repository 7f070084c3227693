"""What a client finds out about contracts: which one is meant, its options, its hours and its prices' steps."""

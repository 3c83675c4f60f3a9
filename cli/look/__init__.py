"""Looking: status, inbox, cards, why, the log, the tree, memory."""

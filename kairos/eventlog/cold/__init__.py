"""Old events in sealed segments: compaction, folding, forgetting, and the proofs over them."""

"""What a person, or a program for them, may ask and decide: under every door. Nothing here prints or asks."""

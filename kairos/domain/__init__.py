"""Pure rules: values in, values out. No IO, no clock, no randomness, no imports of other layers."""

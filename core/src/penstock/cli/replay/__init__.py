"""`penstock replay`: records that a processor has had are processed again."""
